"""Who is contacted: whom the operator named, over TLS that is checked, and nobody data names."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from opsync.blocks import General
from opsync.config import build, build_instance
from opsync.contract.connector import Connector
from opsync.errors import ConfigError, OpsyncError, RefusedError
from opsync.http import Pool
from opsync.http import pool as pool_module
from opsync.runtime import Runtime
from tests.support.clock import FakeClock
from tests.support.world import HOSTS, World, jira_url, spoiler, troubles

BLOCKS: dict[str, dict[str, Any]] = {
    "jira": {"site": "https://harbor.example", "email": "a@b.example", "token": "x" * 20},
    "linear": {"token": "x" * 20},
    "notion": {"token": "x" * 20, "data_sources": [{"id": "0" * 32}]},
    "posthog": {"token": "x" * 20, "project": "1"},
    "amplitude": {"api_key": "x" * 20, "secret_key": "y" * 20, "project": "1"},
    "mixpanel": {"username": "u", "secret": "y" * 20, "project": 1},
}
ADDRESS = {name: "site" if name == "jira" else "base_url" for name in BLOCKS}

METADATA = (
    *("169.254.169.254", "169.254.169.254.", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376"),
    *("0xa9.0xfe.0xa9.0xfe", "169.254.43518", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]"),
    *("[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fe80::1]", "[fe80::1%25eth0]"),
    *("[fd00:ec2::254]", "１６９.254.169.254", "100.100.100.200", "metadata.google.internal"),
    *(
        "METADATA.google.internal.",
        "metadata",
        "169。254。169。254",
        "169｡254｡169｡254",
        "[::a9fe:a9fe]",
    ),
    *(
        "instance-data",
        "0.0.0.0",
        "[::]",
        "0",
        "224.0.0.1",
    ),
)
"""Link-local and metadata addresses in every spelling that a resolver takes."""

ELSEWHERE = (
    *("https://evil.example/x", "http://169.254.169.254/latest/meta-data", "evil.example/x"),
    *(
        "https://{host}@evil.example/",
        "https://{host}.evil.example/",
        "https://evil.example\\@{host}",
    ),
    *("http://{host}/", "https://{host}:8443/", "https://u:p@{host}/", "file:///etc/passwd"),
    *("ftp://{host}/", "https://{host}\t.evil.example/", "javascript:x", "https://{host}%00.evil"),
)


def connector_of(name: str) -> tuple[type[Connector[Any]], Any]:
    instance, plugins = build_instance(name, {"connector": name, **BLOCKS[name]})
    return plugins.connector(name), instance.settings


def problem(name: str, address: str) -> str:
    block = {**BLOCKS[name], ADDRESS[name]: address}
    with pytest.raises(ConfigError) as caught:
        build_instance(name, {"connector": name, **block})
    return str(caught.value)


@pytest.mark.parametrize("name", BLOCKS)
def test_no_connection_takes_a_metadata_address_however_it_is_written(name: str) -> None:
    for host in METADATA:
        assert ADDRESS[name] in problem(name, f"https://{host}")


@pytest.mark.parametrize("name", BLOCKS)
def test_no_connection_takes_an_address_in_the_clear_or_with_a_password(name: str) -> None:
    for address in ("http://harbor.example", "ftp://127.0.0.1", "https://u:pass-word@h.example"):
        assert "pass-word" not in problem(name, address)


@pytest.mark.parametrize("key", ["webhook", "alive"])
def test_no_alert_goes_to_a_metadata_address_and_a_refused_one_is_not_told(key: str) -> None:
    bad = [f"https://{host}/services/T0-canary" for host in METADATA]
    bad += ["http://hooks.example/T0-canary", "https://u:T0-canary@hooks.example/"]
    for address in bad:
        with pytest.raises(ConfigError) as caught:
            build({"alerts": {key: address}})
        assert "T0-canary" not in f"{caught.value} {caught.value.problems!r}"
    assert build({"alerts": {key: "https://hooks.example/T0-canary"}}).general.alerts is not None


def test_no_digest_goes_to_a_metadata_address_and_a_refused_one_is_not_told() -> None:
    bad = [f"https://{host}/services/T0-canary" for host in METADATA]
    bad += ["http://hooks.example/T0-canary", "https://u:T0-canary@hooks.example/"]
    for address in bad:
        with pytest.raises(ConfigError) as caught:
            build({"service": {"digest": {"slack_webhook": address}}})
        assert "T0-canary" not in f"{caught.value} {caught.value.problems!r}"
    good = build({"service": {"digest": {"slack_webhook": "https://hooks.example/T0-canary"}}})
    assert "https://hooks.example/T0-canary" not in repr(good)
    assert "/T0-canary" in " ".join(good.secrets)


@pytest.mark.parametrize("name", BLOCKS)
async def test_a_connector_reaches_its_own_hosts_and_no_other(name: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, json={})

    class_, settings = connector_of(name)
    policy = class_.policy(name, settings)
    assert policy is not None
    pool = Pool(Runtime(clock=FakeClock()), transport=httpx.MockTransport(answer))
    client = pool.client(policy)
    host = httpx.URL(policy.base_url).host
    try:
        for path in ELSEWHERE:
            with pytest.raises(RefusedError):
                await client.read("GET", path.format(host=host))
            with pytest.raises(RefusedError):
                await client.write("POST", path.format(host=host), keyed=True)
        assert asked == []
        for path in ("/own", "//evil.example/x"):
            with suppress(OpsyncError):  # An empty answer says nothing to some.
                await client.read("GET", path)
        assert set(asked) == {host}
    finally:
        await pool.aclose()


async def test_no_address_that_stands_in_data_is_ever_asked(world: World) -> None:
    """In texts, links, attachments and the addresses of records themselves."""
    bait = "https://bait.example/secret http://169.254.169.254/latest http://[::1]:9/x"
    first = bait.split()[0]
    asked: set[str] = set()
    for host in HOSTS.values():
        world.net.before[host] = lambda request: asked.add(request.url.host)  # type: ignore[func-returns-value]
    world.jira.edit("PAY-3", summary=bait, description=f"{bait} PAY-4")
    world.linear.edit("GRO-3", title=bait, description=f"{bait} {jira_url('PAY-3')}")
    world.linear.attach(world.linear.issue("GRO-2"), "Bait", first)
    world.notion.edit_page(world.loyalty, "Tracked in", [(bait, first), (jira_url("MOB-1"), None)])
    world.notion.edit_page(world.checkout, "Name", bait)

    def moved(node: dict[str, Any]) -> None:
        if "url" in node:
            node["url"] = first

    world.net.spoil[HOSTS["linear"]] = spoiler("GRO-3", moved)
    for full in (False, True):
        report = await world.sync(full=full)
        assert report.exit_code == 0, troubles(report)
    # Any other host has no simulator here: a request to it would have failed the pass.
    assert asked == set(HOSTS.values())


OFF = {
    "PYTHONHTTPSVERIFY": "0",
    "CURL_CA_BUNDLE": "",
    "REQUESTS_CA_BUNDLE": "",
    "SSL_VERIFY": "0",
    "HTTPX_VERIFY": "false",
    "VERIFY_SSL": "false",
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    "GIT_SSL_NO_VERIFY": "1",
    "OPSYNC_VERIFY": "false",
    "OPSYNC_INSECURE": "1",
}


async def tls_of_a_client() -> ssl.SSLContext:
    """The TLS settings with which a client connects."""
    class_, settings = connector_of("linear")
    pool = Pool(Runtime(clock=FakeClock()))
    policy = class_.policy("linear", settings)
    assert policy is not None
    http = pool._connect(policy)
    await http.aclose()
    assert pool._tls is not None
    return pool._tls


async def test_no_variable_turns_the_check_of_certificates_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in OFF.items():
        monkeypatch.setenv(name, value)
    tls = await tls_of_a_client()
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert tls.minimum_version >= ssl.TLSVersion.TLSv1_2


async def test_a_company_s_certificates_replace_those_that_are_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import certifi

    whole = certifi.contents()
    one = whole[: whole.index("-----END CERTIFICATE-----") + 26]
    (tmp_path / "ca.pem").write_text(one, encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    tls = await tls_of_a_client()
    assert len(tls.get_ca_certs()) == 1
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_no_setting_says_that_certificates_are_not_checked() -> None:
    words = ("verify", "insecure", "tls", "ssl", "cert")
    fields = set(General.model_fields)
    for name in BLOCKS:
        fields |= set(connector_of(name)[0].settings_type.model_fields)
    assert [field for field in fields if any(word in field for word in words)] == []


async def test_a_client_keeps_no_cookie_follows_no_redirect_and_reads_no_netrc(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine api.linear.app login u password netrc-canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, headers={"set-cookie": "session=abc"}, json={})

    class_, settings = connector_of("linear")
    policy = class_.policy("linear", settings)
    assert policy is not None
    transport = httpx.MockTransport(answer)
    http = pool_module.new_http(policy, "opsync", tls=None, transport=transport)
    try:
        for _ in range(2):
            await http.get("https://api.linear.app/")
    finally:
        await http.aclose()
    assert [headers["authorization"].split()[-1] for headers in seen] == ["x" * 20] * 2
    assert not any("cookie" in headers for headers in seen)
    assert http.follow_redirects is False
