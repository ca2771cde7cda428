"""What `opsync look` tells, as values: the same for screens, documents and `--json`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from opsync.engine.belonging import Suggested
from opsync.engine.disagreeing import Found, Told
from opsync.engine.overview import Connection, LastRun
from opsync.engine.twinned import TwinGroup


class Work(Struct, frozen=True, kw_only=True):
    """Issues and epics of all tools, by how far they are; canceled ones are in `total` only. What
    several tools have is one, and counts as the side that counts is."""

    total: int
    open: int
    in_progress: int
    done: int


class SpaceWork(Struct, frozen=True, kw_only=True):
    """Work in progress of one team or project, and how much of it is `without` an initiative."""

    instance: str
    tool: str
    space: str
    total: int
    without: int


class InProgress(Struct, frozen=True, kw_only=True):
    """Work in progress, `without` an initiative; twins are one. `spaces` are teams and projects,
    those with the most first (`space` "": private work); `oldest` are some without one."""

    total: int
    without: int
    spaces: tuple[SpaceWork, ...]
    oldest: tuple[Told, ...]


class Addition(Struct, frozen=True, kw_only=True):
    """What write access would bring to one place: `changes` on so many `items` of a kind. `verb` is
    create, update or remove; `link` says that it is links between items."""

    tool: str
    place: str
    kind: str
    verb: str
    link: bool
    items: int
    changes: int


class Unseen(Struct, frozen=True, kw_only=True):
    """Something that was not seen, why, and what mends it. `what` is "connection", "initiative",
    "rule", "mirror" or "set aside"; `name` is what people call it."""

    what: str
    name: str
    why: str
    hint: str = ""


class Look(Struct, frozen=True, kw_only=True):
    """All of it. `roots` is what plays the part of initiatives: initiative, epic or project.

    `in_progress` is None where nothing does. `counts` has how many disagreements there are by
    kind, also where not all are named; `twins_total` and `suggestions_total` likewise.
    """

    at: datetime
    run: LastRun | None
    roots: str
    initiatives: int
    work: Work
    links: int
    in_progress: InProgress | None
    disagreements: tuple[Found, ...]
    counts: Mapping[str, int]
    twins: tuple[TwinGroup, ...]
    twins_total: int
    suggestions: tuple[Suggested, ...]
    suggestions_total: int
    would_add: tuple[Addition, ...]
    connections: tuple[Connection, ...]
    unseen: tuple[Unseen, ...]

    @property
    def nothing_read(self) -> bool:
        """Whether no connection was ever read."""
        return not any(one.items for one in self.connections)
