"""What `opsync explain` tells, as values: the same for screens and for `--json`."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct

from opsync.engine.adopted import Measured, Shipped
from opsync.engine.approvals import Agreed
from opsync.engine.belonging import Suggested
from opsync.engine.catalog import Item
from opsync.engine.disagreeing import Found
from opsync.engine.owners import Owner
from opsync.engine.twinned import TwinGroup
from opsync.model import Health, Value


class Counted(Struct, frozen=True, kw_only=True):
    """One member of a delivery summary. `role` is "counted", "holds others", "canceled", or "the
    same work" as another member that is counted instead."""

    item: Item
    role: str
    why: str


class LeftOut(Struct, frozen=True):
    """Something that a delivery summary does not count, and why."""

    what: str
    why: str


class Input(Struct, frozen=True, kw_only=True):
    """A connection that a delivery summary rests on, and how fresh it is."""

    instance: str
    tool: str
    read_at: datetime | None
    failing_since: datetime | None


class Summary(Struct, frozen=True, kw_only=True):
    """A delivery summary with all that it rests on. `approved` says who approved its rule as a
    whole, where that waits for approval. `missing` names what the initiative names and could not be
    read: it is not counted. `version` is a digest of its inputs. `released` is there
    once the initiative's own status is done, and `not_announced` names where that is not told;
    `adoption` has what is measured of it, and `not_measured` what is not."""

    rule: str
    mode: str
    approved: Agreed | None
    properties: tuple[str, ...]
    done: int
    total: int
    blocked: int
    canceled: int
    private: int
    missing: tuple[str, ...]
    percent: float | None
    health: Health
    reason: str
    due_on: date | None
    version: str
    members: tuple[Counted, ...]
    left_out: tuple[LeftOut, ...]
    inputs: tuple[Input, ...]
    released: Shipped | None
    not_announced: tuple[LeftOut, ...]
    adoption: tuple[Measured, ...]
    not_measured: tuple[LeftOut, ...]


class CountsIn(Struct, frozen=True, kw_only=True):
    """An initiative that an item is part of. `path` leads from the initiative to the item,
    `why` says what made the first of it a part; `counted_as` names what is counted there instead,
    as the same work ("": nothing is)."""

    initiative: Item
    rule: str
    role: str
    path: tuple[str, ...]
    field: str
    why: str
    counted_as: str = ""


class Linked(Struct, frozen=True, kw_only=True):
    """An item that this one belongs with, why, and where opsync wrote the link, or why nowhere."""

    item: Item
    why: tuple[str, ...]
    stands_at: tuple[str, ...]
    why_not: str


class NoLink(Struct, frozen=True):
    """A name in this item that made no link, where it stands, and why not."""

    text: str
    field: str
    why: str


class Write(Struct, frozen=True, kw_only=True):
    """One write that was tried."""

    run: int
    at: datetime
    verb: str
    outcome: str
    before: Value
    after: Value
    reason: str
    message: str
    request_id: str


class PlaceValue(Struct, frozen=True, kw_only=True):
    """One value that opsync keeps at a place. `held` says why it is not written ("": it is), with
    since when, and until when where that has an end; `rests_until` is when it may be written over
    again, where it was just before; `left_alone` says why it need not be. Its `surface` is the
    place's name for programs: with `target`, `rule` and `about` it names the value. `approved` says
    who approved this value, or its rule where that waits for approval."""

    place: str
    surface: str
    tool: str
    target: Item
    about: Item
    rule: str
    approved: Agreed | None
    should_be: Value
    wrote: Value
    is_now: Value
    is_now_known: bool
    read_at: datetime | None
    held: str
    held_since: datetime | None
    held_until: datetime | None
    rests_until: datetime | None
    left_alone: str
    reason: str
    evidence: tuple[str, ...]
    inputs: dict[str, str]
    message: str
    writes: tuple[Write, ...]

    @property
    def tells_wrote(self) -> bool:
        """Whether `wrote` is worth telling: what was written and is a person's by now, or was taken
        away, only `writes` tell."""
        return self.wrote is not None or not self.writes


class Explanation(Struct, frozen=True, kw_only=True):
    """All about one item. `owner` is None where it has none, or is private."""

    item: Item
    owner: Owner | None
    notes: tuple[str, ...]
    disagreements: tuple[Found, ...]
    summaries: tuple[Summary, ...]
    counts_in: tuple[CountsIn, ...]
    twins: tuple[TwinGroup, ...]
    links: tuple[Linked, ...]
    no_links: tuple[NoLink, ...]
    suggestions: tuple[Suggested, ...]
    values: tuple[PlaceValue, ...]


class Choices(Struct, frozen=True):
    """The items that a name may mean, and how many more have it in their title."""

    choices: tuple[Item, ...]
    more: int


class Nobody(Struct, frozen=True):
    """A name that no item has, and the items that use it all the same."""

    text: str
    named_by: tuple[tuple[Item, str], ...]
