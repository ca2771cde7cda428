"""Who asks: by token, by name and password, by a proxy's word, or from this machine."""

from __future__ import annotations

import ast
import base64
from inspect import getsource
from typing import Any

import httpx
import pytest

from opsync.service.web import forms, signin
from opsync.service.web.signin import SignIn
from tests.service.web.pages import (
    BOTH_TOKENS,
    PASSWORDS,
    PROXY,
    READ_TOKEN,
    SECRET,
    TOKEN,
    USERS,
    asking,
    basic,
    bearer,
    guarded,
)

EVERY = {**BOTH_TOKENS, **USERS, **PROXY}


async def who(access: Any, given: dict[str, str] | None = None, **how: str) -> httpx.Response:
    async with asking(guarded(access), **how) as client:
        return await client.get("/", headers=given)


def known(answer: httpx.Response) -> tuple[str, str]:
    assert answer.status_code == 200, answer.text
    return answer.json()["name"], answer.json()["role"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_a_token_says_what_its_owner_may(scheme: str) -> None:
    for token, role in ((TOKEN, "approve"), (READ_TOKEN, "read")):
        given = {"authorization": f"{scheme} {token}"}
        assert known(await who(BOTH_TOKENS, given)) == ("token", role)


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("", "token"),
        ("dora", "dora (token)"),
        ("ana", "ana (token)"),
        ("d\x1b[2Jo\nra", "d [2Jo ra (token)"),
        ("dörte", "dörte (token)"),
        ("d" * 500, "d" * 99 + "… (token)"),
    ],
)
async def test_a_token_as_password_leaves_the_name_to_its_owner_who_passes_for_nobody(
    name: str, called: str
) -> None:
    for token, role in ((TOKEN, "approve"), (READ_TOKEN, "read")):
        assert known(await who({**BOTH_TOKENS, **USERS}, basic(name, token))) == (called, role)


async def test_users_sign_in_by_name_and_password() -> None:
    assert known(await who(USERS, basic("ana", PASSWORDS["ana"]))) == ("ana", "approve")
    assert known(await who(USERS, basic("ben", PASSWORDS["ben"]))) == ("ben", "read")


async def test_a_password_may_hold_colons_and_any_letters() -> None:
    password = "läng:er als :16 ✓"
    access = {"users": {"ana": {"password": password}}}
    assert known(await who(access, basic("ana", password))) == ("ana", "read")
    latin = base64.b64encode("ana:long enough, für alle".encode("latin-1")).decode()
    access = {"users": {"ana": {"password": "long enough, für alle"}}}
    assert known(await who(access, {"authorization": f"Basic {latin}"})) == ("ana", "read")


WRONG = [
    bearer("may-decide-3f9a1c78"),
    bearer(TOKEN[:-1]),
    bearer(f"{TOKEN}x"),
    bearer(TOKEN.upper()),
    bearer(PASSWORDS["ana"]),
    bearer(f"ana:{PASSWORDS['ana']}"),
    basic("ana", PASSWORDS["ben"]),
    basic("Ana", PASSWORDS["ana"]),
    basic("ana ", PASSWORDS["ana"]),
    basic("nobody", PASSWORDS["ana"]),
    basic("ana", ""),
    basic("", ""),
    basic("anaana-has", "-a-long-one"),
    basic(TOKEN, ""),
    {"authorization": f"Basic {base64.b64encode(TOKEN.encode()).decode()}"},
    {"authorization": "Basic ###"},
    {"authorization": f"Basic {TOKEN}"},
    {"authorization": "Basic"},
    {"authorization": "Bearer"},
    {"authorization": "Bearer  "},
    {"authorization": ""},
    {"authorization": TOKEN},
    {"authorization": f"Digest {TOKEN}"},
    {"authorization": f"Token {TOKEN}"},
    {"authorization": "Bearer " + "x" * 5000},
]


@pytest.mark.parametrize("given", WRONG, ids=str)
async def test_all_else_is_turned_away_alike(given: dict[str, str]) -> None:
    """Who is known and who is not gets the very same answer."""
    answer = await who({**BOTH_TOKENS, **USERS}, given)
    unknown = await who({**BOTH_TOKENS, **USERS}, basic("nobody", "at-all-0123456789"))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="opsync", charset="UTF-8"'
    assert (answer.text, dict(answer.headers)) == (unknown.text, dict(unknown.headers))


async def test_without_any_credential_a_page_asks_to_sign_in() -> None:
    answer = await who(BOTH_TOKENS)
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers
    assert answer.text.startswith("This page is for those who sign in.")


async def test_two_credentials_are_none() -> None:
    async with asking(guarded(BOTH_TOKENS)) as client:
        header = ("authorization", f"Bearer {TOKEN}")
        assert (await client.get("/", headers=[header, header])).status_code == 401
        assert (await client.get("/", headers=[header])).status_code == 200


@pytest.mark.parametrize("peer", ["10.1.0.7", "10.1.255.255", "::ffff:10.1.0.7"])
async def test_a_trusted_proxy_says_who_it_is(peer: str) -> None:
    for name, role in (("ana@harbor.example", "approve"), ("ben@harbor.example", "read")):
        given = {"x-forwarded-user": name}
        assert known(await who(PROXY, given, peer=peer)) == (name, role)


@pytest.mark.parametrize(
    "peer", ["10.2.0.7", "127.0.0.1", "::1", "::ffff:10.2.0.7", "fe80::1%eth0", "no address"]
)
async def test_from_elsewhere_its_header_counts_for_nothing_and_goes_no_further(peer: str) -> None:
    given = {"x-forwarded-user": "ana@harbor.example"}
    assert (await who(EVERY, given, peer=peer)).status_code == 401
    async with asking(guarded(EVERY), peer=peer) as client:
        seen = await client.get("/headers", headers=given | bearer(READ_TOKEN))
        assert "x-forwarded-user" not in dict(seen.json())
        assert known(await client.get("/", headers=given | bearer(READ_TOKEN)))[0] == "token"


async def test_what_a_header_says_of_the_address_is_not_believed() -> None:
    given = {"x-forwarded-user": "ana@harbor.example", "x-forwarded-for": "10.1.0.7"}
    given |= {"forwarded": "for=10.1.0.7", "x-real-ip": "10.1.0.7"}
    assert (await who(EVERY, given, peer="10.2.0.7")).status_code == 401


@pytest.mark.parametrize(
    "name",
    ["", " ", "a" * 101, "ana@harbor.example\t.", "a\x1bb", "an\u202ea", "a\u0000"],
)
async def test_a_name_that_cannot_be_shown_is_none(name: str) -> None:
    given = {"x-forwarded-user": name.encode()}
    async with asking(guarded(PROXY), peer="10.1.0.7") as client:
        assert (await client.get("/", headers=given)).status_code == 403  # type: ignore[arg-type]
        at_most = {"x-forwarded-user": "a" * 100}
        assert known(await client.get("/", headers=at_most)) == ("a" * 100, "read")


async def test_two_names_are_none_and_a_near_one_decides_nothing() -> None:
    async with asking(guarded(PROXY), peer="10.1.0.7") as client:
        header = ("x-forwarded-user", "ana@harbor.example")
        assert (await client.get("/", headers=[header, header])).status_code == 403
        for near in ("Ana@harbor.example", "ana@harbor.example.", "ana"):
            given = {"X-FORWARDED-USER": near}
            assert known(await client.get("/", headers=given)) == (near, "read")


async def test_the_proxy_s_word_goes_before_what_it_hands_on() -> None:
    given = {"x-forwarded-user": "ben@harbor.example"} | bearer("of-the-proxy-s-own-kind")
    assert known(await who(EVERY, given, peer="10.1.0.7"))[0] == "ben@harbor.example"


async def test_a_token_counts_beside_a_proxy() -> None:
    assert known(await who(EVERY, bearer(), peer="10.1.0.7")) == ("token", "approve")


async def test_a_browser_is_not_asked_for_a_password_that_nobody_has() -> None:
    answer = await who(PROXY, peer="10.9.0.1")
    assert answer.status_code == 403
    assert "www-authenticate" not in answer.headers
    assert "Open it by the proxy's address." in answer.text


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost:8484", "127.0.0.1:8484", "[::1]:8484", "localhost"])
async def test_while_nobody_signs_in_this_machine_is_whoever_runs_the_service(
    peer: str, host: str
) -> None:
    assert known(await who(None, peer=peer, host=host)) == ("cleo", "approve")
    assert known(await who(None, bearer("whatever"), peer=peer, host=host))[0] == "cleo"


@pytest.mark.parametrize("peer", ["10.1.0.7", "192.168.0.2", "fd00::1", "0.0.0.0", "unix"])
async def test_nobody_else_is(peer: str) -> None:
    answer = await who(None, peer=peer)
    assert answer.status_code == 403
    assert "OPSYNC_SERVICE__ACCESS__TOKEN" in answer.text
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Anything", "Forwarded", "Via"],
)
async def test_nor_is_who_comes_through_a_proxy_on_this_machine(header: str) -> None:
    assert (await who(None, {header: "203.0.113.5"})).status_code == 403


async def test_nor_is_who_asks_by_a_public_name() -> None:
    app = guarded(hosts=["opsync.harbor.example"])
    async with asking(app, host="opsync.harbor.example") as client:
        assert (await client.get("/")).status_code == 403


@pytest.mark.parametrize("access", [BOTH_TOKENS, {"read_token": READ_TOKEN}, USERS, PROXY])
async def test_with_any_way_to_sign_in_this_machine_signs_in_too(access: Any) -> None:
    assert (await who(access)).status_code in (401, 403)


async def test_after_a_reload_the_new_settings_count() -> None:
    app = guarded(BOTH_TOKENS)
    other = guarded({"token": "another-one-0123456789"}).block
    app.settle(other)
    async with asking(app) as client:
        assert (await client.get("/", headers=bearer())).status_code == 401
        assert (await client.get("/", headers=bearer("another-one-0123456789"))).is_success


def test_no_password_is_kept_and_none_is_shown() -> None:
    access = guarded(EVERY).block.access
    made = SignIn(access, key=SECRET, local="cleo")
    kept = f"{made!r} {vars(made)}"
    for secret in (TOKEN, READ_TOKEN, *PASSWORDS.values()):
        assert secret not in kept
        assert secret.encode().hex() not in kept
    assert repr(made) == "SignIn(2 tokens, 2 users)"


def test_digests_of_one_text_differ_between_processes() -> None:
    access = guarded(BOTH_TOKENS).block.access
    one, two = (SignIn(access, key=key, local="") for key in (SECRET, SECRET[::-1]))
    assert one._digest(TOKEN) != two._digest(TOKEN)
    assert len(one._digest("")) == len(one._digest("x" * 4000)) == 32


def test_secrets_are_compared_in_constant_time_only() -> None:
    """By construction: digests meet in compare_digest alone, in a loop that always ends last."""
    compare = ast.parse(getsource(signin._first_equal)).body[0]
    assert isinstance(compare, ast.FunctionDef)
    inner = list(ast.walk(compare))
    assert not any(isinstance(node, ast.Break) for node in inner)
    assert [type(node) for node in compare.body] == [ast.Expr, ast.Assign, ast.For, ast.Return]
    loop = compare.body[2]
    assert not any(isinstance(node, ast.Return) for node in ast.walk(loop))
    for module, secret in ((signin, {"digest", "password", "token"}), (forms, {"token", "given"})):
        for node in ast.walk(ast.parse(getsource(module))):
            if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Is | ast.IsNot):
                names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
                assert not names & secret, ast.unparse(node)
