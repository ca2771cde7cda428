"""By which names the pages may be asked for: no page of somebody else resolves to them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.service.web.pages import BOTH_TOKENS, asking, bearer, guarded

NAMED: dict[str, Any] = {
    "hosts": ["Opsync.internal.", "10.1.0.9"],
    "public_url": "https://opsync.harbor.example:444",
}


async def status(host: str | bytes | None, *, path: str = "/", **block: Any) -> tuple[int, str]:
    app = guarded(BOTH_TOKENS, **block)
    async with asking(app) as client:
        request = client.build_request("GET", path)
        raw = host.encode() if isinstance(host, str) else host
        hosts = [] if raw is None else [(b"host", raw)]
        signed = [(name.encode(), text.encode()) for name, text in bearer().items()]
        request.headers = httpx.Headers([*signed, *hosts])
        answer = await client.send(request)
        return answer.status_code, answer.text


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:8484", "LOCALHOST:1", "localhost.", "127.0.0.1", "127.9.9.9:80"),
        *("[::1]:8484", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]"),
        *("opsync.internal", "OPSYNC.internal:9000", "opsync.internal.", "10.1.0.9:1"),
        *("opsync.harbor.example", "opsync.harbor.example:444"),
    ],
)
async def test_our_names_are_taken_with_any_port(host: str) -> None:
    assert (await status(host, **NAMED))[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "localhost.evil.example", "evil-localhost", "opsync.harbor.example.evil"),
        *("harbor.example", "x.opsync.internal", "10.1.0.90", "0.0.0.0", "[::]", "[::2]:8484"),
        *("2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost.."),
    ],
)
async def test_all_others_are_refused_without_being_repeated(host: str) -> None:
    code, text = await status(host, **NAMED)
    assert code == 421
    assert text.startswith('opsync is not known by this name. If it should be, add it to "hosts"')
    assert host not in text
    assert (await status(host, path="/healthz", **NAMED))[0] == 421
    assert (await status(host, path="/nothing", **NAMED))[0] == 421


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        " ",
        "a b",
        "localhost:x",
        "localhost:",
        "localhost:123456",
        "localhost:80:80",
        "user@localhost",
        "localhost/..",
        "localhost#",
        "[::1",
        "::1",
        "[localhost]",
        "localhost, localhost",
        "x" * 300,
        b"\xff\xfe",
        "löcalhost".encode(),
    ],
)
async def test_what_names_no_host_is_malformed(host: str | bytes | None) -> None:
    assert (await status(host, **NAMED))[0] == 400


async def test_two_hosts_are_malformed() -> None:
    async with asking(guarded(BOTH_TOKENS)) as client:
        request = client.build_request("GET", "/")
        request.headers = httpx.Headers([("host", "localhost"), ("host", "localhost")])
        assert (await client.send(request)).status_code == 400


@pytest.mark.parametrize("listen", ["0.0.0.0:8484", "[::]:8484"])
async def test_who_listens_everywhere_is_known_by_any_address_but_by_no_other_name(
    listen: str,
) -> None:
    """An address cannot be made to resolve to something else, and probes ask by it."""
    for host in ("10.4.4.4:8484", "[fd00::7]:8484", "localhost"):
        assert (await status(host, listen=listen))[0] == 200
    for host in ("opsync:8484", "evil.example", "0.0.0.0", "[::]"):
        assert (await status(host, listen=listen))[0] == 421


async def test_who_listens_on_one_address_is_known_by_it_alone() -> None:
    assert (await status("10.1.0.7:8484", listen="10.1.0.7:8484"))[0] == 200
    assert (await status("10.1.0.8:8484", listen="10.1.0.7:8484"))[0] == 421
    assert (await status("opsync.lan", listen="opsync.lan:8484"))[0] == 200


async def test_another_name_than_the_host_s_counts_for_nothing() -> None:
    async with asking(guarded(BOTH_TOKENS), host="evil.example") as client:
        given = {"x-forwarded-host": "localhost", "x-original-host": "localhost"}
        assert (await client.get("/", headers=given | bearer())).status_code == 421


async def test_a_signed_delivery_is_taken_by_any_name_and_without_sign_in() -> None:
    app = guarded(BOTH_TOKENS)
    async with asking(app, peer="203.0.113.9", host="lb-17.cloud.example") as client:
        answer = await client.post("/hooks/jira-main", content=b"x" * 100_000, headers=bearer("no"))
        assert answer.json() == {"actor": None, "size": 100_000}
        assert app.access.attempts.failed == 0
        assert (await client.get("/hooks/jira-main")).status_code == 405
        assert (await client.post("/hooks")).status_code == 421
