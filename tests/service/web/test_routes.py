"""Every route says what it needs, and that is what holds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from opsync.service.web.actor import Actor, Role
from opsync.service.web.routes import Action, Delivery, Files, Open, Page, needed, route_of, told
from tests.service.web.pages import BOTH_TOKENS, guarded, routes
from tests.service.web.walking import shapes, walk


class Board:
    """A page that shows a number, and an action that changes it."""

    def __init__(self) -> None:
        self.number = 0

    async def show(self, request: Request) -> Response:
        return Response(str(self.number))

    async def change(self, request: Request) -> Response:
        self.number += 1
        return Response()

    async def kept(self) -> object:
        return self.number


async def walked(board: Board, these: Sequence[BaseRoute]) -> list[str]:
    app = guarded(BOTH_TOKENS, more=these)
    return await walk(app, these, kept=board.kept)


async def test_each_route_lets_in_whom_it_says() -> None:
    board = Board()
    made = [route for route in routes() if getattr(route, "path", "") not in ("/broken", "/fail")]
    made = [route for route in made if getattr(route, "path", "") != "/half"]
    more = [Page("/board", board.show), Action("/board/change/{number:int}", board.change)]
    app = guarded(BOTH_TOKENS, more=more)
    assert await walk(app, [*made, *more], kept=board.kept, given={"key": "PAY-3"}) == []
    assert board.number == 1, "once, by who may"


async def test_the_walk_notices_a_page_that_changes_something() -> None:
    board = Board()
    found = await walked(board, [Page("/change", board.change)])
    assert "looking, or what was refused, changed something" in found


async def test_the_walk_notices_a_page_that_is_open_to_all() -> None:
    class Careless(Open):
        needs = Role.read

    board = Board()
    found = await walked(board, [Careless("/open", board.show)])
    assert "GET /open by nobody: 200" in found


async def test_the_walk_notices_an_action_that_anybody_may_do() -> None:
    class Careless(Delivery):
        needs = Role.approve

    board = Board()
    found = await walked(board, [Careless("/act", board.change)])
    assert "POST /act by nobody without a token: 200" in found
    assert "POST /act by read changed something" in found


async def test_the_walk_notices_a_page_that_breaks() -> None:
    async def broken(request: Request) -> Response:
        raise RuntimeError

    found = await walked(Board(), [Page("/broken", broken), Action("/fail", broken)])
    assert found == [
        "GET /broken by read: 500",
        "GET /broken by approve: 500",
        "POST /fail by approve: 500",
    ]


def test_the_kinds_of_routes_take_what_they_say() -> None:
    assert shapes(routes()) == []


def test_a_route_that_takes_more_than_it_says_is_noticed() -> None:
    stray = Page("/x", Board().show)
    stray.methods = {"GET", "HEAD", "POST"}
    other = Action("/x", Board().show)
    other.needs = Role.read
    assert shapes([stray, other]) == [repr(stray), repr(other)]


def test_what_is_told_of_routes_names_role_and_method() -> None:
    board = Board()
    made = [
        Page("/a", board.show),
        Action("/b", board.show),
        Open("/c", board.show),
        Delivery("/d", board.show),
    ]
    assert told(made) == [
        ("/a", "GET", Role.read),
        ("/b", "POST", Role.approve),
        ("/c", "GET", None),
        ("/d", "POST", None),
    ]


@pytest.mark.parametrize(
    ("method", "path", "kind", "role"),
    [
        ("GET", "/", Page, Role.read),
        ("HEAD", "/", Page, Role.read),
        ("POST", "/", Page, Role.approve),
        ("GET", "/approve/7", Action, Role.read),
        ("POST", "/approve/7", Action, Role.approve),
        ("POST", "/approve/x", type(None), Role.approve),
        ("GET", "/healthz", Open, None),
        ("HEAD", "/healthz", Open, None),
        ("POST", "/healthz", Open, Role.approve),
        ("get", "/healthz", Open, Role.approve),
        ("OPTIONS", "/healthz", Open, Role.approve),
        ("POST", "/hooks/linear", Delivery, None),
        ("PUT", "/hooks/linear", Delivery, None),
        ("GET", "/static/x.css", Files, Role.read),
        ("DELETE", "/static/x.css", Files, Role.approve),
        ("GET", "/nothing", type(None), Role.read),
        ("POST", "/nothing", type(None), Role.approve),
        ("BREW", "/nothing", type(None), Role.approve),
    ],
)
def test_what_is_needed_is_never_less_than_the_method_may_do(
    method: str, path: str, kind: type, role: Role | None
) -> None:
    route = route_of({"type": "http", "method": method, "path": path}, routes())
    assert type(route) is kind
    assert needed(route, method) is role


def test_who_comes_first_in_the_table_answers_also_where_two_share_a_path() -> None:
    look, act = Page("/x", Board().show), Action("/x", Board().show)
    scope = {"type": "http", "path": "/x"}
    assert route_of({**scope, "method": "GET"}, [act, look]) is look
    assert route_of({**scope, "method": "POST"}, [look, act]) is act
    assert route_of({**scope, "method": "PUT"}, [look, act]) is look


def test_a_role_covers_what_is_less() -> None:
    assert Role.approve.covers(Role.approve)
    assert Role.approve.covers(Role.read)
    assert Role.read.covers(Role.read)
    assert not Role.read.covers(Role.approve)
    assert Actor("ana", Role.approve).decides
    assert not Actor("ben", Role.read).decides
