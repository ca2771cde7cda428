"""The one project: its name and time zone, its addresses, and its lists."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from typing import TypeVar, cast
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Raw, Struct

from opsync import BadAnswer, Context, OpsyncError, Value
from opsync_posthog.dialect import LISTS, MissingScope
from opsync_posthog.settings import PostHogSettings
from opsync_posthog.wire import Page, ProjectRow

T = TypeVar("T")

KEEP_FOR = timedelta(days=7)
"""How long name and time zone are taken for right …"""
KEEP_DENIED_FOR = timedelta(days=1)
"""… and for how long it is not asked again what the key may not know."""

_KEPT = "project"


class Known(Struct, frozen=True):
    """What PostHog said of the project, and until when that holds; nothing of it where `denied`."""

    at: str
    name: str = ""
    zone: str = ""
    denied: bool = False
    until: float = 0.0


class Project:
    """Speaks with one project."""

    def __init__(self, settings: PostHogSettings, context: Context) -> None:
        self.settings = settings
        self.context = context
        self.http = context.http
        self.api = f"/api/projects/{settings.project}/"
        self.url = f"{settings.address}/project/{settings.project}"

    async def known(self) -> Known:
        """Name and time zone, asked for once a week."""
        kept = self._kept()
        now = self.context.runtime.clock.now()
        if kept is not None and now.timestamp() < kept.until:
            return kept
        try:
            row = await self.ask()
        except MissingScope:
            until = (now + KEEP_DENIED_FOR).timestamp()
            return self._keep(Known(self.url, denied=True, until=until))
        except OpsyncError:
            if kept is None:
                raise
            return kept
        return self.learn(row)

    async def ask(self) -> ProjectRow:
        """The project as it is now."""
        return (await self.http.read("GET", self.api, lane=LISTS)).decode(ProjectRow)

    def learn(self, row: ProjectRow) -> Known:
        """Keep what PostHog said."""
        until = (self.context.runtime.clock.now() + KEEP_FOR).timestamp()
        return self._keep(Known(self.url, row.name, row.timezone, until=until))

    async def zone(self) -> str:
        """The time zone in which its days begin; "" where neither settings nor PostHog say."""
        return self.settings.time_zone or (await self.known()).zone

    @property
    def kept_zone(self) -> str:
        """The same as far as it is known without asking."""
        kept = self._kept()
        return self.settings.time_zone or (kept.zone if kept else "")

    async def rows(
        self, path: str, *, lane: str = LISTS, **params: str
    ) -> AsyncGenerator[list[Raw], None]:
        """All pages of a list below the project, or at an absolute path.

        The next page is asked for by the numbers in the address that PostHog gives, never by the
        address: it may name another host.
        """
        target = path if path.startswith("/") else self.api + path
        offset = 0
        while True:
            asked = {**params, "offset": str(offset)} if offset else params
            answer = await self.http.read("GET", target, params=asked, lane=lane)
            page = answer.decode(Page)
            yield page.results
            if not page.next:
                return
            following = _offset(page.next)
            if following <= offset:
                raise BadAnswer(f"PostHog's list {path} goes in circles.")
            offset = following

    def _kept(self) -> Known | None:
        try:
            kept = msgspec.convert(self.context.kept.get(_KEPT), Known)
        except msgspec.ValidationError:
            return None
        return kept if kept.at == self.url else None

    def _keep(self, known: Known) -> Known:
        self.context.kept[_KEPT] = cast("Mapping[str, Value]", msgspec.to_builtins(known))
        return known


def decoded(row: Raw, type_: type[T]) -> T:
    """One row of a list. BadAnswer: it has another shape."""
    try:
        return msgspec.json.decode(row, type=type_)
    except msgspec.MsgspecError as error:
        raise BadAnswer(f"PostHog's list has a row that cannot be read: {error}") from None


def _offset(address: str) -> int:
    found = parse_qs(urlsplit(address).query).get("offset", [""])[0]
    return int(found) if found.isascii() and found.isdecimal() else 0
