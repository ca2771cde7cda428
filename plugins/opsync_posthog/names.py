"""Whether the project knows a name of which nothing is told, and which it has that are near."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import Literal, TypeVar, cast

import msgspec
from msgspec import Struct

from opsync import MetricKind, Value, nearest
from opsync_posthog.dialect import MissingScope
from opsync_posthog.project import Project, decoded
from opsync_posthog.wire import Keyed, Named

T = TypeVar("T")

KEEP_FOR = timedelta(days=7)
"""How long a name that was found is taken for one that is there."""
PAGE = 1000

Name = tuple[str, str]
_KEPT = "names"


class Doubt(Struct, frozen=True):
    """Why there are no numbers for a name."""

    trouble: Literal["unknown", "refused", "empty"]
    message: str = ""
    nearest: tuple[str, ...] = ()


class Names:
    """Looks names up in one project's lists."""

    def __init__(self, project: Project) -> None:
        self._project = project

    async def doubts(self, silent: Collection[Name], *, any_data: bool) -> dict[Name, Doubt]:
        """What is wrong with names of which a query told nothing; what is left out is there, and
        was not used.

        `any_data` says that the query told of other names, so that the project is not empty.
        """
        known = self._known()
        asked = {name for name in silent if "/".join(name) not in known}
        if not asked:
            return {}
        doubts: dict[Name, Doubt] = {}
        events = sorted(name for kind, name in asked if kind == MetricKind.event)
        flags = sorted(name for kind, name in asked if kind == MetricKind.flag)
        if events or not any_data:
            try:
                there = await self._all("event_definitions/", Named, lambda row: row.name)
            except MissingScope as error:
                doubts |= {("event", name): _unseen(error) for name in events}
            else:
                if not there and not any_data:
                    return {name: Doubt("empty") for name in asked}
                doubts |= {("event", name): doubt for name, doubt in _missing(events, there)}
        if flags:
            try:
                there = await self._all("feature_flags/", Keyed, lambda row: row.key)
            except MissingScope as error:
                doubts |= {("flag", name): _unseen(error) for name in flags}
            else:
                doubts |= {("flag", name): doubt for name, doubt in _missing(flags, there)}
        self._keep(known, asked - doubts.keys())
        return doubts

    async def _all(self, path: str, type_: type[T], name_of: Callable[[T], str]) -> list[str]:
        """The names in a list of the project."""
        found: list[str] = []
        async for rows in self._project.rows(path, limit=str(PAGE)):
            found += [name_of(decoded(row, type_)) for row in rows]
        return found

    def _known(self) -> dict[str, float]:
        """Names that were found lately, and until when they are taken for there."""
        now = self._project.context.runtime.clock.now().timestamp()
        try:
            kept = msgspec.convert(self._project.context.kept.get(_KEPT) or {}, dict[str, float])
        except msgspec.ValidationError:
            return {}
        return {name: until for name, until in kept.items() if until > now}

    def _keep(self, known: Mapping[str, float], found: Iterable[Name]) -> None:
        until = (self._project.context.runtime.clock.now() + KEEP_FOR).timestamp()
        now_known = {**known, **{"/".join(name): until for name in found}}
        if now_known != self._project.context.kept.get(_KEPT):
            self._project.context.kept[_KEPT] = cast("Value", now_known)


def _missing(names: Iterable[str], there: Collection[str]) -> list[tuple[str, Doubt]]:
    """Those that are not there, each with the nearest that are."""
    return [
        (name, Doubt("unknown", nearest=nearest(name, there)))
        for name in names
        if name not in there
    ]


def _unseen(error: MissingScope) -> Doubt:
    message = f"there is no data, and whether it exists is not to be seen: {error.message}"
    return Doubt("refused", f"{message} {error.hint}")
