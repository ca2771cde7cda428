"""What goes into the store and comes out of it, besides the model's own values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from msgspec import Struct

from opsync.model import (
    Category,
    Evidence,
    Health,
    Kind,
    Link,
    Mention,
    Metric,
    OutcomeKind,
    Record,
    Ref,
    Rollup,
    Sides,
    Slot,
    Span,
    Status,
    Value,
    Verb,
)
from opsync.model.ledger import Entry, Hold
from opsync.model.metric import Trouble

METRICS = "opsync:metrics"
"""The feed under which it is kept when metrics were read. Like kept values that begin so, it is
the core's own."""

BEST = 10
"""So many of what has only a piece of its title in common with a text are found."""
EVERY = 2**63 - 1
"""As a limit: all rows there are. No greater number is one to SQLite."""


class Prepared(NamedTuple):
    """A record ready to be stored: its texts are already mentions.

    `hash` covers all but what opsync may write itself, `seen_hash` covers `record.seen`.
    """

    record: Record
    hash: str
    seen_hash: str


class SetAside(NamedTuple):
    """A remote object that could not be read, and why."""

    instance: str
    stream: str
    id: str
    reason: str


class Quarantined(Struct, frozen=True):
    """A remote object that is set aside: why, since when, and when it was last read.

    `feed` is what brought it ("" where that is not known), `tries` how often it was tried again in
    vain, `next_try_at` when it will be, None where nothing is in the way.
    """

    ref: Ref
    reason: str
    since: datetime
    last_at: datetime
    feed: str = ""
    tries: int = 0
    next_try_at: datetime | None = None


class FailedWrite(Struct, frozen=True):
    """A value that could not be written: its slot, since when that fails, and whether the tool
    refused it for good."""

    entry: Entry
    since: datetime | None
    refused: bool


class AsideCount(NamedTuple):
    """What is set aside of one instance, and since when the oldest of it is."""

    items: int = 0
    writes: int = 0
    since: datetime | None = None


class BatchCounts(NamedTuple):
    """What one batch brought. A record of which only opsync's own places changed is unchanged.

    `faded` are those that were below something, and are below nothing any more; `shown` those that
    were there before and not visible, and `late` those that were there when others were read.
    """

    read: int
    changed: int
    unchanged: int
    faded: int = 0
    shown: int = 0
    late: int = 0


class Measured(Struct, frozen=True, kw_only=True):
    """What is known of a metric without its days: `known` are those that were read.

    `asked_from` is the first day that was asked for; an insight may show less. `windows` are unique
    users over whole spans. `retry_at` is when a metric that is in trouble, or ends too early, may
    be asked for again.
    """

    metric: Metric
    known: Span | None
    asked_from: date | None
    windows: dict[Span, float]
    title: str
    trouble: Trouble
    message: str
    nearest: tuple[str, ...]
    read_at: datetime
    retry_at: datetime | None


class Alike(NamedTuple):
    """What records are counted by. `resolution` is how they ended, in their tool's word."""

    kind: Kind
    status: Status | None
    resolution: str
    space: str
    space_key: str
    team: str
    private: bool


class CursorState(Struct, frozen=True, kw_only=True):
    """Where a feed resumes. `failed_since` is the first of the failures in a row, else None."""

    instance: str
    feed: str
    high: datetime | None = None
    completed_at: datetime | None = None
    failed_since: datetime | None = None
    error: str = ""


class WalkResult(NamedTuple):
    """What a whole walk of a feed showed: of `known` records `missing` are gone.

    `refused`: so many are missing that nothing was concluded and nothing changed.
    """

    missing: int
    known: int
    refused: bool


class Vanished(NamedTuple):
    """What a listing of a feed's ids does not show of `known` records.

    `missing` are to be looked up by id, those known to be invisible included; `lost` is how many of
    them count as there until now. `met` are listed and not known, or known as gone. `aside` were
    set aside and are neither listed nor among `missing`. `listed` is how many ids were listed.
    """

    known: int
    lost: int
    listed: int
    missing: tuple[Ref, ...] = ()
    met: tuple[Ref, ...] = ()
    aside: tuple[Ref, ...] = ()


class InstanceRun(Struct, frozen=True):
    """One instance's part of a run."""

    instance: str
    outcome: str
    message: str = ""
    counts: Mapping[str, int | float] = {}


class RunRow(Struct, frozen=True, kw_only=True):
    """One run; `outcome` is "" while it lasts and "interrupted" if it never came to its end,
    "repeated" if that was then done by another."""

    seq: int
    command: str
    started_at: datetime
    finished_at: datetime | None = None
    outcome: str = ""
    instances: tuple[InstanceRun, ...] = ()
    counts: Mapping[str, int | float] = {}


class TargetInputs(Struct, frozen=True):
    """All that decides what should stand on one target.

    `links` are its undirected pairs; `rollups` are those of which it is the root, or whose root
    names it directly, each with its root. `others` are the other ends of the links and what the
    rollups contain (the first of many), as far as they are stored.
    """

    record: Record
    links: tuple[Link, ...]
    others: dict[Ref, Record]
    rollups: tuple[tuple[Rollup, Record], ...]
    entries: tuple[Entry, ...]


class Tree(Struct, frozen=True):
    """A root and what it may count.

    `names` are the mentions in the root's own properties, each with the living records that hold
    the alias. `nodes` are those records and everything that is part of them or of the root,
    without the root itself; what is gone is left out, and so is what hangs on it alone. What is
    not visible any more is in both, by its tombstone, and is missing from the number. `twins` are
    what is one piece of work with any of them, whole.
    """

    root: Record
    names: tuple[tuple[Mention, tuple[Ref, ...]], ...]
    nodes: dict[Ref, Record]
    twins: tuple[Sides, ...] = ()


class HistoryRow(Struct, frozen=True):
    """A rollup's numbers from `at` on. `due_on` is None as well in rows of before it was kept."""

    at: datetime
    done: int
    total: int
    canceled: int
    blocked: int
    progress: float | None
    estimate_done: float | None
    estimate_total: float | None
    health: Health
    due_on: date | None = None


class TrendPoint(NamedTuple):
    """A rollup's main numbers from `at` on."""

    at: datetime
    done: int
    total: int


class JournalRow(Struct, frozen=True, kw_only=True):
    """One write that was tried, with all that explains it. Values are JSON, None is absent.

    `theirs` says whether what stood there `before` was a person's (None: unknown), `over` what an
    undo or a release found the place held by.
    """

    seq: int
    run: int
    at: datetime
    change: str
    slot: Slot
    verb: Verb
    kind: OutcomeKind
    before: Value = None
    desired: Value = None
    after: Value = None
    remote_id: str = ""
    request_id: str = ""
    message: str = ""
    reason: str = ""
    evidence: tuple[str, ...] = ()
    inputs: dict[str, str] = {}
    theirs: bool | None = None
    over: Hold | None = None


class Lately(NamedTuple):
    """How many values runs removed and created in an instance."""

    removed: int = 0
    created: int = 0


class Tally(NamedTuple):
    """How much work of a category an instance has."""

    instance: str
    category: Category
    items: int


class OpenParts(NamedTuple):
    """Something that is done, and its parts that are not."""

    parent: Ref
    parts: tuple[Ref, ...]


class OneSided(NamedTuple):
    """Work that names a root which does not name it, and where."""

    work: Record
    root: Ref
    why: Evidence


class Arrived(Struct, frozen=True):
    """A delivery of a change signal to be kept: the tool's id of it, its body's digest, and what
    it names."""

    instance: str
    id: str
    digest: str
    refs: tuple[Ref, ...] = ()
    whole: bool = False


class Unread(Struct, frozen=True):
    """What the deliveries of an instance name that no pass has read yet, up to the number
    `through`. `whole`: not all of it can be looked up."""

    instance: str
    refs: tuple[Ref, ...]
    whole: bool
    through: int
