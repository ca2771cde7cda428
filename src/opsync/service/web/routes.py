"""What each page needs: a route is made here, and names its role where it is made.

Whatever is made elsewhere, or is no route at all, needs the role read to look at and approve to do
anything with (`needed`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import ASGIApp, Scope

from opsync.service.web.actor import Role

Endpoint = Callable[[Request], Awaitable[Response]]

SAFE = frozenset({"GET", "HEAD"})
"""Methods that change nothing."""


class Page(Route):
    """Looked at with GET, by whoever may read. It changes nothing."""

    needs: Role | None = Role.read

    def __init__(self, path: str, endpoint: Endpoint, *, name: str | None = None) -> None:
        super().__init__(path, endpoint, methods=["GET"], name=name)


class Action(Route):
    """Done with POST, by whoever may approve: `request.state.form` has the fields sent along."""

    needs: Role | None = Role.approve

    def __init__(self, path: str, endpoint: Endpoint, *, name: str | None = None) -> None:
        super().__init__(path, endpoint, methods=["POST"], name=name)


class Open(Page):
    """Looked at by everybody, such as /healthz. `request.state.actor` may be None."""

    needs: Role | None = None


class Delivery(Action):
    """Takes what a tool sends, judges the signature itself, and does nothing but take note.

    Neither sign-in nor form token are asked for, the body is left alone, and any Host is taken: the
    signature alone says who speaks.
    """

    needs: Role | None = None


class Files(Mount):
    """Static files, for whoever may read."""

    needs: Role | None = Role.read

    def __init__(self, path: str, app: ASGIApp, *, name: str | None = None) -> None:
        super().__init__(path, app=app, name=name)


def route_of(scope: Scope, routes: Sequence[BaseRoute]) -> BaseRoute | None:
    """The route that answers a request, whatever its method is; None where there is no page."""
    partly = None
    for route in routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return route
        if match is Match.PARTIAL and partly is None:
            partly = route
    return partly


def needed(route: BaseRoute | None, method: str) -> Role | None:
    """The role that a request needs; None: it is for everybody.

    A method that may change something never needs less than approve, but for a delivery.
    """
    if isinstance(route, Delivery) or (isinstance(route, Open) and method in SAFE):
        return None
    return Role.read if method in SAFE else Role.approve


def told(routes: Iterable[BaseRoute]) -> list[tuple[str, str, Role | None]]:
    """Each path with its method and the role that it needs.

    TypeError: a route does not say so.
    """
    found = []
    for route in routes:
        if not isinstance(route, Page | Action | Files):
            raise TypeError(f"{route!r} does not say what it needs: make it a Page or an Action")
        method = "POST" if isinstance(route, Action) else "GET"
        found.append((route.path, method, route.needs))
    return found
