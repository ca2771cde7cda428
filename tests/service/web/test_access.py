"""May they: roles, where what is sent comes from, and what is open to all."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.service.web.pages import (
    BOTH_TOKENS,
    OURS,
    PASSWORDS,
    PROXY,
    READ_TOKEN,
    TOKEN,
    USERS,
    asking,
    basic,
    bearer,
    guarded,
)
from tests.support.clock import FakeClock

ANA = basic("ana", PASSWORDS["ana"])
BEN = basic("ben", PASSWORDS["ben"])


async def form_token(client: httpx.AsyncClient, given: dict[str, str]) -> str:
    answer = await client.get("/", headers=given)
    return str(answer.json()["csrf"])


async def approve(
    given: dict[str, str],
    headers: dict[str, str] | None = None,
    *,
    token: str | None = None,
    access: Any = None,
    **block: Any,
) -> httpx.Response:
    """Send the form of a page shown to whoever `given` signs in, with `headers` besides."""
    async with asking(guarded(access or USERS, **block)) as client:
        csrf = await form_token(client, given) if token is None else token
        data = {"csrf": csrf, "what": ["12", "13"]}
        all_headers = given | (OURS if headers is None else headers)
        return await client.post("/approve/7", data=data, headers=all_headers)


async def test_who_may_approve_does_and_their_name_is_known() -> None:
    answer = await approve(ANA)
    assert answer.status_code == 200
    said = answer.json()
    assert (said["name"], said["role"], said["what"]) == ("ana", "approve", ["12", "13"])
    assert said["body"].startswith("csrf="), "the page behind can read the body again"


async def test_who_may_look_looks_and_decides_nothing() -> None:
    answer = await approve(BEN)
    assert answer.status_code == 403
    assert answer.text.startswith("You may look, and this would decide something.")
    async with asking(guarded(USERS)) as client:
        assert (await client.get("/items/PAY-3", headers=BEN)).status_code == 200
        assert (await client.head("/items/PAY-3", headers=BEN)).status_code == 200
        assert (await client.get("/static/pages.py", headers=BEN)).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_a_method_that_may_change_something_is_for_those_who_may_approve(method: str) -> None:
    """On every path: on pages that only take GET, on those there are not, and on open ones."""
    async with asking(guarded(USERS)) as client:
        for path in ("/", "/approve/7", "/nothing", "/healthz", "/static/pages.py"):
            assert (await client.request(method, path)).status_code == 401, path
            assert (await client.request(method, path, headers=BEN | OURS)).status_code == 403, path
            assert (await client.request(method, path, headers=ANA | OURS)).status_code == 403, path


@pytest.mark.parametrize(
    "path", ["/", "/items/x", "/approve/7", "/static/pages.py", "/nothing", "/%00"]
)
async def test_without_sign_in_no_path_tells_whether_it_is_there(path: str) -> None:
    async with asking(guarded(USERS)) as client:
        answer = await client.get(path)
        assert answer.status_code == 401
        assert answer.text == (await client.get("/")).text


async def test_what_is_not_there_is_told_to_who_is_signed_in() -> None:
    async with asking(guarded(USERS)) as client:
        for path, code in (("/nothing", 404), ("/items/x/", 404), ("/approve/7", 405)):
            assert (await client.get(path, headers=BEN)).status_code == code
        assert (await client.get("/static/none.css", headers=BEN)).status_code == 404
        assert (await client.get("/static/../../secrets", headers=BEN)).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"sec-fetch-site": "same-origin", "origin": "http://localhost:8484"},
        {"origin": "http://localhost:8484"},
        {"origin": "https://localhost:8484"},
        {"origin": "HTTP://LOCALHOST:8484"},
        {"origin": "https://opsync.harbor.example"},
    ],
)
async def test_a_form_of_a_page_of_ours_is_taken(headers: dict[str, str]) -> None:
    public = "https://opsync.harbor.example/"
    assert (await approve(ANA, headers, public_url=public)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": ""},
        {"sec-fetch-site": "Same-Origin"},
        {"sec-fetch-site": "cross-site", "origin": "http://localhost:8484"},
        {"sec-fetch-site": "none", "origin": "null"},
        {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},
        {"sec-fetch-site": "same-origin", "origin": ""},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "https://evil.example"},
        {"origin": "http://localhost"},
        {"origin": "http://localhost:8485"},
        {"origin": "http://localhost:8484.evil.example"},
        {"origin": "http://localhost:8484/"},
        {"origin": "localhost:8484"},
        {"origin": "ftp://localhost:8484"},
        {"origin": "http://opsync.harbor.example"},
        {"referer": "http://localhost:8484/"},
    ],
)
async def test_a_form_of_any_other_page_is_not_though_its_token_is_right(
    headers: dict[str, str],
) -> None:
    answer = await approve(ANA, headers, public_url="https://opsync.harbor.example/")
    assert answer.status_code == 403
    assert answer.text.startswith("This was not sent from a page of opsync.")


@pytest.mark.parametrize("name", ["sec-fetch-site", "origin"])
async def test_what_is_said_twice_is_not_believed(name: str) -> None:
    async with asking(guarded(USERS)) as client:
        token = await form_token(client, ANA)
        said = {"sec-fetch-site": "same-origin", "origin": "http://localhost:8484"}
        headers = [*ANA.items(), *said.items(), (name, said[name])]
        answer = await client.post("/approve/7", data={"csrf": token}, headers=headers)
        assert answer.status_code == 403


@pytest.mark.parametrize("token", ["", "0" * 64, "ä", "x" * 5000, "\ud800"])
async def test_a_form_without_its_token_does_nothing(token: str) -> None:
    async with asking(guarded(USERS)) as client:
        body = f"csrf={token}&what=1".encode("utf-8", "surrogatepass")
        form = {"content-type": "application/x-www-form-urlencoded"}
        answer = await client.post("/approve/7", content=body, headers=ANA | OURS | form)
        assert answer.status_code in (400, 403)
        assert "Nothing was done" in answer.text


async def test_a_token_is_for_whom_it_was_shown_to() -> None:
    access = {**USERS, **BOTH_TOKENS}
    app = guarded(access)
    async with asking(app) as client:
        tokens = {
            who: await form_token(client, given)
            for who, given in {
                "ana": ANA,
                "ben": BEN,
                "token": bearer(),
                "looks": bearer(READ_TOKEN),
            }.items()
        }
        assert len(set(tokens.values())) == 4
        for who, token in tokens.items():
            answer = await client.post("/approve/7", data={"csrf": token}, headers=ANA | OURS)
            assert answer.status_code == (200 if who == "ana" else 403)


async def test_a_page_that_lay_open_for_half_a_day_is_too_old() -> None:
    clock = FakeClock()
    async with asking(guarded(USERS, clock=clock)) as client:
        token = await form_token(client, ANA)
        for hours, code in ((0, 200), (11, 200), (1, 403)):
            clock.advance(hours * 3600)
            answer = await client.post("/approve/7", data={"csrf": token}, headers=ANA | OURS)
            assert answer.status_code == code
        assert "too old" in answer.text
        clock.elapsed_s = -3600
        answer = await client.post("/approve/7", data={"csrf": token}, headers=ANA | OURS)
        assert answer.status_code == 403, "one of an hour that is yet to come is nobody's"


async def test_a_script_of_a_page_may_send_it_in_a_header() -> None:
    async with asking(guarded(USERS)) as client:
        token = await form_token(client, ANA)
        given = ANA | OURS | {"x-opsync-csrf": token}
        answer = await client.post("/approve/7", json={"what": ["1", "2"]}, headers=given)
        assert answer.json()["what"] == ["1", "2"]
        assert (await client.post("/approve/7", headers=given)).status_code == 200
        given["x-opsync-csrf"] = "no"
        answer = await client.post("/approve/7", json={"csrf": token}, headers=given)
        assert answer.status_code == 403


async def test_a_program_needs_no_token() -> None:
    async with asking(guarded(BOTH_TOKENS)) as client:
        answer = await client.post("/approve/7", json={"what": "12"}, headers=bearer())
        assert answer.json() == {
            "name": "token",
            "role": "approve",
            "what": ["12"],
            "fields": 1,
            "body": '{"what":"12"}',
        }
        answer = await client.post("/approve/7", json={}, headers=bearer(READ_TOKEN))
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "more",
    [
        {"cookie": "a=b"},
        {"origin": "https://evil.example"},
        {"referer": "https://evil.example/"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-mode": "cors"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
    ],
)
async def test_a_browser_is_no_program(more: dict[str, str]) -> None:
    async with asking(guarded(BOTH_TOKENS)) as client:
        headers = {"content-type": "application/json"} | bearer() | more
        answer = await client.post("/approve/7", content=b"{}", headers=headers)
        assert answer.status_code == 403


async def test_nor_is_who_signs_in_as_browsers_do() -> None:
    async with asking(guarded({**BOTH_TOKENS, **USERS})) as client:
        for given in (ANA, basic("x", TOKEN)):
            assert (await client.post("/approve/7", json={}, headers=given)).status_code == 403
    async with asking(guarded(PROXY), peer="10.1.0.7") as client:
        given = {"x-forwarded-user": "ana@harbor.example"}
        assert (await client.post("/approve/7", json={}, headers=given)).status_code == 403
    async with asking(guarded()) as client:
        assert (await client.post("/approve/7", json={})).status_code == 403


async def test_on_this_machine_a_page_of_somebody_else_decides_nothing() -> None:
    """A browser here is let in without sign-in: then the form token is all that is between."""
    async with asking(guarded()) as client:
        token = await form_token(client, {})
        for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {}):
            answer = await client.post("/approve/7", data={"csrf": token}, headers=headers)
            assert answer.status_code == 403
        answer = await client.post("/approve/7", data={"csrf": token}, headers=OURS)
        assert answer.json()["name"] == "cleo"


async def test_the_role_is_judged_before_anything_that_was_sent_is_read() -> None:
    read = []

    async def body() -> Any:
        read.append(1)
        yield b"what=1"

    async with asking(guarded(USERS)) as client:
        for given in ({}, BEN, ANA | {"sec-fetch-site": "cross-site"}):
            answer = await client.post("/approve/7", content=body(), headers=given)
            assert answer.status_code in (401, 403)
    assert read == []


async def test_health_is_open_and_tells_details_to_who_is_signed_in_or_here() -> None:
    app = guarded(USERS, listen="0.0.0.0:8484")
    async with asking(app, peer="10.4.4.4", host="10.4.4.4:8484") as client:
        assert (await client.get("/healthz")).text == "ok"
        assert (await client.get("/healthz", headers=BEN)).text == "details"
        assert (await client.get("/healthz", headers=basic("ben", "no"))).status_code == 401
        assert (await client.get("/healthz", headers={"x-forwarded-for": "::1"})).text == "ok"
    async with asking(app) as client:
        assert (await client.get("/healthz")).text == "details"
        forwarded = {"x-forwarded-for": "203.0.113.1"}
        assert (await client.get("/healthz", headers=forwarded)).text == "ok"


async def test_sockets_are_closed_and_the_start_and_end_are_handed_on() -> None:
    app = guarded(USERS)
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def receive() -> Any:
        return {"type": "lifespan.startup"} if not told else {"type": "lifespan.shutdown"}

    await app({"type": "websocket", "path": "/", "headers": []}, receive, send)
    assert told.pop()["type"] == "websocket.close"
    await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
    assert [one["type"] for one in told] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
