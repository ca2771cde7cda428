"""Walks every route of an app: who is let in where, and that looking changes nothing."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

import httpx
from starlette.routing import BaseRoute

from opsync.service.web.actor import Actor, Role
from opsync.service.web.guarded import Guarded
from opsync.service.web.routes import Action, Delivery, Files, Open, Page, told
from tests.service.web.pages import OURS, READ_TOKEN, TOKEN, asking, bearer

TURNED_AWAY = (401, 403)
SIGNED = (
    ("", None, None),
    (READ_TOKEN, Actor("token", Role.read), Role.read),
    (TOKEN, Actor("token", Role.approve), Role.approve),
)
"""With which token somebody is whom, and may what; nobody first."""
FORM = {"content-type": "application/x-www-form-urlencoded"}


def path_of(path: str, given: Mapping[str, str]) -> str:
    """A path with something in each of its places: "1" where nothing is `given`."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: given.get(found[1], "1"), path)


async def walk(
    app: Guarded,
    routes: Sequence[BaseRoute],
    *,
    given: Mapping[str, str] | None = None,
    sent: Mapping[str, str] | None = None,
    kept: Callable[[], Awaitable[object]],
) -> list[str]:
    """Everything that is wrong with who is let in where; [] is what it should be.

    `app` has BOTH_TOKENS of `pages`; `given` fills the places of paths, `sent` are fields that go
    along with every action, and `kept` tells all that looking might change.
    """
    wrong: list[str] = []

    def check(said: str, answer: httpx.Response, fits: bool) -> None:
        if not fits or answer.status_code >= 500:
            wrong.append(f"{said}: {answer.status_code}")

    before = await kept()
    async with asking(app) as client:
        csrf = {token: app.access.form_token(actor) for token, actor, _ in SIGNED if actor}
        for path, method, needs in told(routes):
            where = path_of(path, given or {})
            for token, _, role in SIGNED:
                headers = bearer(token) if token else {}
                said = f"{path} by {role or 'nobody'}"
                looked = await client.get(where, headers=headers)
                let_in = looked.status_code not in TURNED_AWAY
                open_to_all = needs is None
                check(f"GET {said}", looked, let_in == (open_to_all or role is not None))
                if role is None and not open_to_all:
                    check(f"GET {said}", looked, looked.status_code == 401)
                for other in ("PUT", "DELETE", "PATCH", "OPTIONS"):
                    answer = await client.request(other, where, headers=headers | OURS)
                    refused = answer.status_code in (*TURNED_AWAY, 405)
                    check(f"{other} {said}", answer, refused)
                if method == "GET":
                    answer = await client.post(where, headers=headers | FORM)
                    check(f"POST {said}", answer, answer.status_code in TURNED_AWAY)
        if await kept() != before:
            wrong.append("looking, or what was refused, changed something")
        for path, method, needs in told(routes):
            if method == "GET" or needs is None:
                continue
            where = path_of(path, given or {})
            for token, _, role in SIGNED:
                headers = FORM | (bearer(token) if token else {})
                said = f"POST {path} by {role or 'nobody'}"
                fields = {**(sent or {}), "csrf": csrf.get(token, "")}
                without = await client.post(where, data=sent or {"x": "y"}, headers=headers | OURS)
                check(f"{said} without a token", without, without.status_code in TURNED_AWAY)
                strange = headers | {"sec-fetch-site": "cross-site"}
                elsewhere = await client.post(where, data=fields, headers=strange)
                check(f"{said} from elsewhere", elsewhere, elsewhere.status_code in TURNED_AWAY)
                if role is not Role.approve and await kept() != before:
                    wrong.append(f"{said} changed something")
            answer = await client.post(where, data=fields, headers=headers | OURS)
            check(said, answer, answer.status_code not in (*TURNED_AWAY, 405))
    return wrong


def shapes(routes: Sequence[BaseRoute]) -> list[str]:
    """Routes that are not of the kinds that say what they need, or say other than they take."""
    wrong = []
    for route in routes:
        match route:
            case Files():
                fits = route.needs is Role.read
            case Delivery():
                fits = route.methods == {"POST"} and route.needs is None
            case Action():
                fits = route.needs is Role.approve and route.methods == {"POST"}
            case Open():
                fits = route.methods == {"GET", "HEAD"} and route.needs is None
            case Page():
                fits = route.needs is Role.read and route.methods == {"GET", "HEAD"}
            case _:
                fits = False
        if not fits:
            wrong.append(repr(route))
    return wrong
