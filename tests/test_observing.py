"""What is told of requests, and the paths that no id and no name is left in."""

from __future__ import annotations

import pytest

from opsync.observing import NOBODY, UNOBSERVED, template


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/rest/api/3/search/jql", "/rest/api/3/search/jql"),
        ("/rest/api/3/issue/PAY-118/remotelink/10007", "/rest/api/3/issue/{}/remotelink/{}"),
        ("/rest/api/3/issueLinkType", "/rest/api/3/issueLinkType"),
        ("/v1/pages/3824f977-5d26-59ad-86b7-fd54f99ac1a6", "/v1/pages/{}"),
        ("/v1/data_sources/3824f9775d2659ad86b7fd54f99ac1a6/query", "/v1/data_sources/{}/query"),
        ("/graphql", "/graphql"),
        ("/api/projects/42/feature_flags/7", "/api/projects/{}/feature_flags/{}"),
        ("/api/projects/@current", "/api/projects/{}"),
        ("/rest/api/3/project/PAY", "/rest/api/3/project/{}"),
        ("/a?jql=summary~secret", "/{}"),
        ("/search?jql=summary~secret", "/search"),
        ("/pages/One-tap%20checkout", "/pages/{}"),
        ("/pages/ünïcode", "/pages/{}"),
        ("/…", "/{}"),
        ("", ""),
    ],
)
def test_only_words_of_an_api_stay_in_a_path(path: str, shown: str) -> None:
    assert template(path) == shown


def test_nobody_lets_everything_pass() -> None:
    with UNOBSERVED.stage("read", run=1, instance="jira"), NOBODY.span("a", b=1) as span:
        span.tell("c", "d")
    with pytest.raises(KeyError), UNOBSERVED.stage("read"):
        raise KeyError
