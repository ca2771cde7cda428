"""Jira's change signals: signed by an administrator's webhook, and naming issues by id."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest
from tests.plugins.jira.conftest import Connect

from opsync import RecordError, Ref, Signal, SignatureError
from opsync.sandbox.jira import JiraSite
from opsync_jira import Jira

SECRET = b"an-administrators-secret-0123456789"


@pytest.fixture
def jira(connect: Connect, site: JiraSite) -> Jira:
    return connect(site)


def signed(body: bytes, secret: bytes = SECRET, **more: str) -> dict[str, str]:
    digest = hmac.new(secret, body, sha256).hexdigest()
    return {"x-hub-signature": f"sha256={digest}", **more}


def body(event: str, **more: Any) -> bytes:
    return json.dumps({"timestamp": 1763812800000, "webhookEvent": event, **more}).encode()


def affected(jira: Jira, raw: bytes) -> Signal:
    return jira.affected({}, raw)


def test_a_signed_delivery_is_known_by_its_identifier(jira: Jira) -> None:
    raw = body("jira:issue_updated", issue={"id": "10002"})
    headers = signed(raw, **{"x-atlassian-webhook-identifier": "7b0e-1"})
    again = headers | {"x-atlassian-webhook-retry": "2"}

    assert jira.verify(headers, raw, [SECRET]).id == "7b0e-1"
    assert jira.verify(again, raw, [b"the-next-secret", SECRET]).id == "7b0e-1"
    assert jira.verify(headers, raw, [SECRET]).sent_at is None
    assert jira.verify(signed(raw), raw, [SECRET]).id.startswith("sha256:")


def test_a_delivery_of_an_app_which_is_not_signed_over_its_body_is_refused(jira: Jira) -> None:
    raw = body("jira:issue_updated", issue={"id": "10002"})

    with pytest.raises(SignatureError, match="not signed"):
        jira.verify({"authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"}, raw, [SECRET])


@pytest.mark.parametrize("form", ["{}", "sha1={}", "sha512={}", "SHA256={}", "none"])
def test_the_algorithm_is_never_taken_from_the_header(jira: Jira, form: str) -> None:
    raw = body("jira:issue_updated", issue={"id": "10002"})
    digest = hmac.new(SECRET, raw, sha256).hexdigest()

    with pytest.raises(SignatureError):
        jira.verify({"X-Hub-Signature": form.format(digest)}, raw, [SECRET])


@pytest.mark.parametrize("event", ["created", "updated", "deleted"])
def test_an_issues_event_names_the_issue_by_its_id(jira: Jira, event: str) -> None:
    raw = body(f"jira:issue_{event}", issue={"id": "10002", "key": "PAY-2", "fields": {}})

    assert affected(jira, raw) == Signal((Ref("jira-main", "issue", "10002"),))


@pytest.mark.parametrize("event", ["issuelink_created", "issuelink_deleted"])
def test_a_links_event_names_both_its_ends_once(jira: Jira, event: str) -> None:
    link = {"id": 5, "sourceIssueId": 10002, "destinationIssueId": 10007}
    ends = tuple(Ref("jira-main", "issue", id_) for id_ in ("10002", "10007"))

    assert affected(jira, body(event, issueLink=link)).refs == ends
    same = link | {"destinationIssueId": 10002}
    assert affected(jira, body(event, issueLink=same)).refs == ends[:1]


@pytest.mark.parametrize(
    "event",
    [
        *("project_updated", "project_deleted", "project_soft_deleted"),
        *("project_restored_deleted", "project_archived", "project_restored_archived"),
    ],
)
def test_a_projects_event_names_nothing_so_that_what_changed_is_read(
    jira: Jira, event: str
) -> None:
    assert affected(jira, body(event, project={"id": 1})) == Signal(whole=True)


@pytest.mark.parametrize(
    "event",
    ["comment_created", "sprint_started", "jira:version_released", "new", ""],
)
def test_an_event_of_no_interest_is_an_empty_signal(jira: Jira, event: str) -> None:
    assert affected(jira, body(event, issue={"id": "10002"})) == Signal()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{",
        body("jira:issue_updated"),
        body("jira:issue_updated", issue={}),
        body("jira:issue_updated", issue={"id": "PAY-2"}),
        body("jira:issue_updated", issue={"id": "10002/../x"}),
        body("jira:issue_updated", issue={"id": "-1"}),
        body("jira:issue_updated", issue={"id": "\u0661"}),
        body("jira:issue_updated", issue={"id": [1]}),
        body("issuelink_created"),
        body("issuelink_created", issueLink={"sourceIssueId": 10002}),
        b'{"webhookEvent": 7}',
    ],
)
def test_a_signal_that_cannot_be_read_is_set_aside(jira: Jira, raw: bytes) -> None:
    with pytest.raises(RecordError):
        affected(jira, raw)


async def test_what_a_signal_names_can_be_looked_up(jira: Jira, site: JiraSite) -> None:
    issue = site.add_issue("PAY", "Card form")
    signal = affected(jira, body("jira:issue_updated", issue={"id": str(issue.id)}))
    (feed,) = await jira.feeds()

    (found,) = await jira.look_up(feed, signal.refs, {}, listed=False)

    (record,) = jira.normalize("issue", found.raw)  # type: ignore[union-attr]  # it is an Item
    assert (record.ref, record.title) == (signal.refs[0], "Card form")
