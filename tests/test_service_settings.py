"""[service]: where it listens, who may sign in, and what is refused before anything is served."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from opsync.blocks.service import Listen, ServiceBlock, listen_of
from opsync.config import Config, build
from opsync.errors import ConfigError

TOKEN = "canary-may-decide"
OTHER = "canary-may-look-too"
PASSWORD = "canary: of ana alone"


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    monkeypatch.setenv("OPSYNC_SECRETS_DIR", str(folder))
    return folder


def service(**block: Any) -> ServiceBlock:
    return build({"service": block}).general.service


def problems(**block: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        build({"service": block})
    said = f"{caught.value} {caught.value!r} {caught.value.problems}"
    assert "canary" not in said
    return list(caught.value.problems)


def access_problems(**access: Any) -> list[str]:
    return problems(access=access)


def test_by_default_only_this_machine_is_listened_to_and_nobody_signs_in() -> None:
    block = build({}).general.service

    assert block.address == Listen("127.0.0.1", 8484)
    assert block.webhooks_address is None
    assert (block.hosts, block.public_url, block.public_host) == ((), "", "")
    assert (block.debounce_s, block.jitter, block.drain_s) == (0.5, 0.1, 10)
    assert not block.access.given


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback", "everywhere"),
    [
        ("127.0.0.1:8484", "127.0.0.1", 8484, True, False),
        ("127.9.9.9:0", "127.9.9.9", 0, True, False),
        ("[::1]:65535", "::1", 65535, True, False),
        ("[0:0::1]:1", "::1", 1, True, False),
        (" LocalHost:80 ", "localhost", 80, True, False),
        ("0.0.0.0:80", "0.0.0.0", 80, False, True),
        ("[::]:80", "::", 80, False, True),
        ("10.1.0.7:80", "10.1.0.7", 80, False, False),
        ("[fd00::7]:80", "fd00::7", 80, False, False),
        ("[::ffff:127.0.0.1]:80", "::ffff:7f00:1", 80, False, False),
        ("opsync.internal:80", "opsync.internal", 80, False, False),
        ("localhost.evil.example:80", "localhost.evil.example", 80, False, False),
        ("127.1:80", "127.1", 80, False, False),
        ("0:80", "0", 80, False, False),
    ],
)
def test_an_address_is_host_and_port(
    text: str, host: str, port: int, loopback: bool, everywhere: bool
) -> None:
    found = listen_of(text)

    assert found == Listen(host, port)
    assert (found.loopback, found.everywhere) == (loopback, everywhere)
    assert listen_of(str(found)) == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", 'write host and port, as in "127.0.0.1:8484"'),
        ("8484", "write host and port"),
        ("127.0.0.1", "write host and port"),
        ("127.0.0.1:", "write host and port"),
        ("127.0.0.1:http", "write host and port"),
        ("127.0.0.1:65536", "write host and port"),
        ("127.0.0.1:-1", "write host and port"),
        ("127.0.0.1:+80", "write host and port"),
        ("127.0.0.1:8 4", "write host and port"),
        ("127.0.0.1:٨", "write host and port"),
        (":8484", "name the host: "),
        ("::1:8484", "put an IPv6 address into brackets"),
        ("[::1:8484", "put an IPv6 address into brackets"),
        ("[127.0.0.1]:80", "what is in brackets must be an IPv6 address"),
        ("http://localhost:80", "put an IPv6 address into brackets"),
        ("a b:80", "the host must be an address or a name"),
        ("-a:80", "the host must be an address or a name"),
        ("a..b:80", "the host must be an address or a name"),
        ("a" * 254 + ":80", "the host must be an address or a name"),
        ("*:80", "the host must be an address or a name"),
    ],
)
def test_what_is_none_is_refused_with_what_would_be_right(text: str, reason: str) -> None:
    (line,) = problems(listen=text)
    assert line.startswith(f"service.listen: {reason}")
    if text:
        (line,) = problems(webhooks_listen=text)
        assert line.startswith(f"service.webhooks_listen: {reason}")


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:8484", "[::]:0", "10.1.0.7:80", "opsync.internal:80", "127.1:80"]
)
def test_wider_than_this_machine_somebody_has_to_sign_in(listen: str) -> None:
    (line,) = problems(listen=listen)
    assert line == (
        f'service.access: nobody would have to sign in, and others can reach listen, "{listen}"; '
        "set OPSYNC_SERVICE__ACCESS__TOKEN, or users or proxy_header here, or listen on "
        '"127.0.0.1:8484"'
    )
    for access in (
        {"token": TOKEN},
        {"read_token": OTHER},
        {"users": {"ana": {"password": PASSWORD}}},
        {"proxy_header": "X-User", "proxy_from": ["10.1.0.7"]},
    ):
        assert service(listen=listen, access=access).access.given


def test_change_signals_are_signed_and_may_come_from_anywhere() -> None:
    block = service(webhooks_listen="0.0.0.0:9000")

    assert block.webhooks_address == Listen("0.0.0.0", 9000)
    assert problems(webhooks_listen="127.0.0.1:8484") == [
        'service.webhooks_listen: is the same as listen: leave it at ""'
    ]
    assert service(listen="127.0.0.1:0", webhooks_listen="127.0.0.1:0").webhooks_address


@pytest.mark.parametrize(
    ("block", "line"),
    [
        ({"lisen": "x"}, 'service.lisen: unknown key; did you mean "listen"?'),
        ({"listen": 8484}, 'service.listen: must be a text in quotes, as in "one"'),
        ({"hosts": "a.example"}, 'service.hosts: must be a list, as in ["one", "two"]'),
        (
            {"hosts": ["https://a.example"]},
            "service.hosts.0: write names of hosts without scheme",
        ),
        (
            {"hosts": ["a.example", "b:80"]},
            "service.hosts.1: write names of hosts without scheme",
        ),
        ({"hosts": ["*.a.example"]}, "service.hosts.0: write names of hosts without scheme"),
        ({"public_url": "http://a.example"}, "service.public_url: no address to be reached at: "),
        ({"public_url": "https://u:p@a.example"}, "service.public_url: no address to be reached"),
        ({"public_url": "a.example"}, "service.public_url: no address to be reached at: "),
        ({"public_url": "https://a.example?x=1"}, "service.public_url: no address to be reached"),
        ({"debounce_s": -1}, "service.debounce_s: input should be greater than or equal to 0"),
        ({"debounce_s": 61}, "service.debounce_s: input should be less than or equal to 60"),
        ({"jitter": 0.6}, "service.jitter: input should be less than or equal to 0.5"),
        ({"jitter": -0.1}, "service.jitter: input should be greater than or equal to 0"),
        ({"drain_s": 301}, "service.drain_s: input should be less than or equal to 300"),
        ({"drain_s": -1}, "service.drain_s: input should be greater than or equal to 0"),
    ],
)
def test_a_wrong_setting_is_one_line(block: dict[str, Any], line: str) -> None:
    (found,) = problems(**block)
    assert found.startswith(line)


@pytest.mark.parametrize(
    ("access", "line"),
    [
        ({"tokne": TOKEN}, 'service.access.tokne: unknown key; did you mean "token"?'),
        (
            {"token": "canary-15-chars"},
            "service.access.token: must have at least 16 characters; make one with: openssl rand",
        ),
        ({"token": f"  {TOKEN[:15]}  "}, "service.access.token: must have at least 16 characters"),
        ({"token": ""}, "service.access.token: must have at least 16 characters"),
        ({"token": "canary\nof two lines"}, "service.access.token: must be one line"),
        ({"token": 1234567890123456}, "service.access.token: must be a text in quotes"),
        ({"read_token": "canary"}, "service.access.read_token: must have at least 16 characters"),
        (
            {"token": TOKEN, "read_token": TOKEN},
            "service.access.read_token: is the same as token: whoever may read could decide",
        ),
        ({"users": {"ana": {}}}, "service.access.users.ana.password: missing"),
        (
            {"users": {"ana": {"password": "canary-15-chars"}}},
            "service.access.users.ana.password: must have at least 16 characters",
        ),
        (
            {"users": {"ana": {"password": PASSWORD, "role": "admin"}}},
            "service.access.users.ana.role: input should be 'read' or 'approve'",
        ),
        (
            {"users": {"ana": {"password": PASSWORD, "rol": "read"}}},
            "service.access.users.ana.rol: unknown key",
        ),
        ({"proxy_header": "X-User"}, "service.access.proxy_from: missing; name the proxy's "),
        (
            {"proxy_from": ["10.1.0.7"]},
            "service.access.proxy_from: wants proxy_header, the header in which the proxy names",
        ),
        (
            {"proxy_header": "X-User", "proxy_from": ["10.1.0.7/16"]},
            'service.access.proxy_from.0: write addresses or networks, as in "10.1.0.7"',
        ),
        (
            {"proxy_header": "X-User", "proxy_from": ["10.1.0.7", "proxy.internal"]},
            "service.access.proxy_from.1: write addresses or networks",
        ),
        (
            {"proxy_header": "X-User", "proxy_from": ["0.0.0.0/0"]},
            "service.access.proxy_from.0: everybody could say who they are",
        ),
        (
            {"proxy_header": "X-User", "proxy_from": ["::/0"]},
            "service.access.proxy_from.0: everybody could say who they are",
        ),
        (
            {"proxy_header": "X User", "proxy_from": ["10.1.0.7"]},
            "service.access.proxy_header: write the name of a header",
        ),
        (
            {"proxy_header": "X_User", "proxy_from": ["10.1.0.7"]},
            "service.access.proxy_header: write the name of a header",
        ),
        (
            {"token": TOKEN, "approvers": ["ana"]},
            "service.access.approvers: are names that a proxy gives; without one, give users",
        ),
    ],
)
def test_a_wrong_way_to_sign_in_is_one_line_without_its_secret(
    access: dict[str, Any], line: str
) -> None:
    (found,) = access_problems(**access)
    assert found.startswith(line)


@pytest.mark.parametrize(
    "header",
    [
        *("Authorization", "cookie", "HOST", "Origin", "Referer", "X-Forwarded-For", "X-Real-IP"),
        *("Content-Type", "Sec-Fetch-Site", "Accept", "Forwarded", "X-Forwarded-Host"),
    ],
)
def test_a_header_that_says_something_else_names_nobody(header: str) -> None:
    (found,) = access_problems(proxy_header=header, proxy_from=["10.1.0.7"])
    assert found.startswith("service.access.proxy_header: this header says something else")


@pytest.mark.parametrize("name", ["Ana", "ana lopez", "", "a" * 61, "a__b", "-a", "a:b", "ä"])
def test_a_user_has_a_name_that_a_variable_and_a_sign_in_can_hold(name: str) -> None:
    (found,) = access_problems(users={name: {"password": PASSWORD}})
    assert found.startswith("service.access.users: a name is lower-case letters and digits")


@pytest.mark.parametrize("name", ["ana", "ana.lopez@harbor.example", "a-b_c+d", "7", "a" * 60])
def test_usual_names_are_taken(name: str) -> None:
    assert (
        service(access={"users": {name: {"password": PASSWORD}}}).access.users[name].role == "read"
    )


def test_exactly_16_characters_are_enough() -> None:
    block = service(access={"token": "x" * 16, "users": {"ana": {"password": "y" * 16}}})
    assert block.access.token is not None
    assert block.access.token.get_secret_value() == "x" * 16


def test_names_and_addresses_are_kept_as_they_are_compared() -> None:
    block = service(
        hosts=["OPSYNC.Internal.", "[FD00::7]", "10.1.0.7"],
        public_url="https://Opsync.Harbor.example/",
        access={"proxy_header": " X-User ", "proxy_from": ["10.1.0.7", "FD00::/8"]},
    )

    assert block.hosts == ("opsync.internal", "fd00::7", "10.1.0.7")
    assert block.public_url == "https://Opsync.Harbor.example"
    assert block.public_host == "opsync.harbor.example"
    assert block.access.proxy_header == "X-User"
    assert block.access.proxy_from == ("10.1.0.7/32", "fd00::/8")


def test_http_is_for_this_machine_s_own_address() -> None:
    assert service(public_url="http://localhost:8484").public_host == "localhost"


def held(config: Config) -> tuple[str, str, str, str]:
    access = config.general.service.access
    assert access.token is not None
    assert access.read_token is not None
    ana = access.users["ana"]
    return (
        access.token.get_secret_value(),
        access.read_token.get_secret_value(),
        ana.password.get_secret_value(),
        ana.role,
    )


def test_secrets_come_from_files_and_the_environment_wins_over_both(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = {"ana": {"password": "canary-in-the-file", "role": "approve"}}
    access = {"token": "canary-in-the-file-0", "read_token": "canary-in-the-file-1"}
    raw = {"service": {"access": {**access, "users": users}}}
    assert held(build(raw)) == (*access.values(), "canary-in-the-file", "approve")

    secrets.mkdir()
    (secrets / "OPSYNC_SERVICE__ACCESS__TOKEN").write_text("canary-of-a-file-0\n")
    (secrets / "opsync_service__access__read_token").write_text("canary-of-a-file-1\n")
    (secrets / "opsync_service__access__users__ana__password").write_text("canary-of-a-file-2\n")
    files = tuple(f"canary-of-a-file-{number}" for number in range(3))
    assert held(build(raw)) == (*files, "approve")
    assert held(build({})) == (*files, "read"), "a password alone makes somebody who may look"

    monkeypatch.setenv("OPSYNC_SERVICE__ACCESS__TOKEN", "canary-around-it-0")
    monkeypatch.setenv("OPSYNC_SERVICE__ACCESS__READ_TOKEN", "1234567890123456")
    monkeypatch.setenv("OPSYNC_SERVICE__ACCESS__USERS__ANA__PASSWORD", "7890123456789012")
    around = ("canary-around-it-0", "1234567890123456", "7890123456789012")
    assert held(build(raw)) == (*around, "approve")


def test_a_secrets_folder_that_may_not_be_listed_is_named(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.mkdir()

    def denied(path: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", denied)
    monkeypatch.setattr(Path, "is_file", denied)
    with pytest.raises(ConfigError) as caught:
        build({})
    assert caught.value.message == f"{secrets} cannot be read: Permission denied"
    assert caught.value.hint


def test_a_secrets_folder_in_one_that_may_not_be_entered_is_named(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", denied)
    with pytest.raises(ConfigError) as caught:
        build({})
    assert caught.value.message == f"{secrets} cannot be read: Permission denied"
    assert caught.value.hint


@pytest.mark.parametrize(
    "name", ["OPSYNC_SERVICE__ACCESS__TOKEN", "opsync_service__access__users__ana__password"]
)
@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (PermissionError(13, "Permission denied"), "cannot be read: Permission denied"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), "is no text in UTF-8"),
    ],
)
def test_a_secret_file_that_cannot_be_read_is_named(
    secrets: Path, monkeypatch: pytest.MonkeyPatch, name: str, failure: Exception, why: str
) -> None:
    secrets.mkdir()
    (secrets / name).touch()

    def denied(path: Path, **how: Any) -> str:
        raise failure

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(ConfigError) as caught:
        build({})
    assert caught.value.message == f"{secrets / name} {why}"
    assert caught.value.hint


@pytest.mark.parametrize("raw", [{"service": "x"}, {"service": {"access": 7}}])
def test_what_is_no_table_is_told_also_where_there_are_files(
    raw: dict[str, Any], secrets: Path
) -> None:
    secrets.mkdir()
    (secrets / "opsync_service__access__token").write_text(TOKEN)

    with pytest.raises(ConfigError) as caught:
        build(raw)
    (line,) = caught.value.problems
    assert line.startswith("service")


def test_what_people_sign_in_with_is_hidden_in_all_that_is_told() -> None:
    access = {"token": TOKEN, "read_token": OTHER, "users": {"ana": {"password": PASSWORD}}}
    config = build({"service": {"access": access}})

    pair = base64.b64encode(f"ana:{PASSWORD}".encode()).decode()
    assert config.secrets == (TOKEN, OTHER, PASSWORD, pair)
    shown = f"{config!r} {config.general!r} {config.general.service.access} "
    shown += config.general.model_dump_json()
    assert "canary" not in shown
