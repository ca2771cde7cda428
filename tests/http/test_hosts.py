"""Addresses that a credential may be sent to."""

from __future__ import annotations

import pytest

from opsync.errors import ConfigError
from opsync.http import check_base_url


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.atlassian.net",
        "https://api.atlassian.com/ex/jira/0a1b",
        "https://jira.corp.example:8443/jira/",
        "https://10.0.0.5",
        "https://[fd12::1]",
        "https://bücher.example",
        "https://xn--bcher-kva.example",
        "http://127.0.0.1:8080",
        "http://localhost:8080/jira",
        "http://[::1]:9",
        "http://127.9.9.9",
    ],
)
def test_https_private_hosts_and_http_on_loopback_are_fine(url: str) -> None:
    check_base_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.atlassian.net",
        "http://10.0.0.5",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "acme.atlassian.net",
        "https://",
        "https:///path",
        "https://host:99999",
        "https://[::1",
        "https://ho st",
        "https://host\\@evil",
        "https://host/?token=1",
        "https://host/#x",
        "",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        check_base_url(url)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.169.254.",
        "2852039166",
        "0xA9FEA9FE",
        "0251.0376.0251.0376",
        "0xa9.0xfe.0xa9.0xfe",
        "169.254.43518",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "169。254。169。254",
        "169｡254｡169｡254",
        "metadata。google。internal",
        "169.254.169.254\u200b",
        "169.254.169.254\u00ad",
        "%31%36%39.254.169.254",
        "[::a9fe:a9fe]",
        "[::ffff:0:a9fe:a9fe]",
        "[64:ff9b:1::a9fe:a9fe]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[fd00:ec2::254]",
        "１６９.254.169.254",
        "100.100.100.200",
        "metadata.google.internal",
        "0.0.0.0",
        "[::]",
        "224.0.0.1",
    ],
)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_link_local_and_metadata_addresses_are_refused_in_every_spelling(
    scheme: str, host: str
) -> None:
    with pytest.raises(ConfigError):
        check_base_url(f"{scheme}://{host}/latest")


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        check_base_url("https://user:canary-secret@acme.example")
    assert "canary" not in str(caught.value)
