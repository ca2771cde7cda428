"""Values that opsync keeps, each with all that explains it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo

from msgspec import Struct

from opsync.engine.catalog import Item
from opsync.engine.explained import PlaceValue, Write
from opsync.engine.owning import unsettled
from opsync.engine.phrases import ago, day, shown, value
from opsync.model import Kind, Ref, Slot
from opsync.model.ledger import LET_BE, Entry
from opsync.model.rules import LINKS_RULE
from opsync.noting import resting_text
from opsync.service.web.links import safe_url
from opsync.service.web.seen import seen
from opsync.service.web.views.signs import Badge, outcome

WRITES = 8
"""So many of the last writes are shown of each value."""


class Named(Struct, frozen=True):
    """An item as a page names it. `url` is None where nothing safe leads to it."""

    text: str
    url: str | None
    tool: str


class Tried(Struct, frozen=True, kw_only=True):
    """One write that was tried."""

    run: int
    at: str
    outcome: Badge
    before: str
    after: str
    message: str


class Value(Struct, frozen=True, kw_only=True):
    """One value. `slot` names it in forms, `seen` is the digest of what they decide about ("": no
    form does); `read` says how old `is_now` is, `held` why it is not written ("": it is), `rests`
    until when it is not written over again, `settles` that a person has a say, and `decided` that
    they had it."""

    slot: str
    seen: str
    place: str
    tool: str
    where: Named | None
    now: str
    should_be: str
    wrote: str
    is_now: str
    read: str
    held: str
    rests: str
    settles: bool
    decided: bool
    left_alone: str
    because: tuple[str, ...]
    rule: str
    message: str
    when: str
    tried: tuple[Tried, ...]
    earlier: int


def named(item: Item) -> Named:
    """An item, inert."""
    return Named(shown(item.label, 120), safe_url(item.url), item.tool)


def moment(at: datetime, zone: tzinfo) -> str:
    """ "26 Nov 20:57", in the configured zone."""
    local = at.astimezone(zone)
    return f"{day(local.date())} {local:%H:%M}"


def slot_of(one: PlaceValue) -> Slot:
    """What names a value in the store."""
    return Slot(Ref.parse(one.target.ref), one.surface, one.rule, Ref.parse(one.about.ref))


class Say(Struct, frozen=True):
    """The values of which a person has to say what is to stand, those of which they did, and of
    each the digest of how it is now."""

    asked: frozenset[Slot]
    had: frozenset[Slot]
    seen: Mapping[Slot, str]


def say(entries: Iterable[Entry]) -> Say:
    """Who has a say in these, as the ledger has it."""
    held = [one for one in entries if unsettled(one)]
    had = {one.slot for one in held if one.hold is not None and one.hold.kind in LET_BE}
    return Say(
        frozenset(one.slot for one in held) - had,
        frozenset(had),
        {one.slot: seen([one]) for one in held},
    )


def values(
    found: Sequence[PlaceValue], item: Item, now: datetime, zone: tzinfo, people: Say
) -> tuple[Value, ...]:
    """Values at an item's places, those with a say for people first."""
    told = [_value(one, item, now, zone, people) for one in found]
    return tuple(sorted(told, key=lambda one: (not one.settles, not one.held)))


def _value(one: PlaceValue, item: Item, now: datetime, zone: tzinfo, people: Say) -> Value:
    slot = slot_of(one)
    last = next((each for each in one.writes if each.outcome != "failed"), None)
    yet = "not written yet" if one.wrote is None else "stood there already"
    stands = one.wrote if one.wrote is not None else one.should_be
    return Value(
        slot=str(slot),
        seen=people.seen.get(slot, ""),
        place=shown(one.place, 60),
        tool=one.tool,
        where=_where(one, item),
        now=value(stands, one.place),
        should_be=value(one.should_be, one.place),
        wrote=value(one.wrote, one.place) if one.tells_wrote else "",
        is_now=value(one.is_now, one.place) if one.is_now_known else "",
        read=f"seen {ago(one.read_at, now)} ago" if one.is_now_known and one.read_at else "",
        held=shown(one.held, 200),
        rests=resting_text(one.rests_until) if one.rests_until and one.rests_until > now else "",
        settles=slot in people.asked,
        decided=slot in people.had,
        left_alone=shown(one.left_alone, 200),
        because=tuple(
            shown(said, 300) for said in dict.fromkeys((one.reason, *one.evidence)) if said
        ),
        rule="items that name each other" if one.rule == LINKS_RULE else shown(one.rule, 60),
        message=shown(one.message, 300),
        when=f"run {last.run}, {moment(last.at, zone)}" if last else yet,
        tried=tuple(_tried(each, one.place, zone) for each in one.writes[:WRITES]),
        earlier=max(0, len(one.writes) - WRITES),
    )


def _where(one: PlaceValue, item: Item) -> Named | None:
    """The other item that a value stands on; None for one at the item's own places."""
    if one.target.ref == item.ref:
        return None
    product = one.target.kind == Kind.product.value
    return named(one.about) if product and one.about.ref != item.ref else named(one.target)


def _tried(one: Write, place: str, zone: tzinfo) -> Tried:
    return Tried(
        run=one.run,
        at=moment(one.at, zone),
        outcome=outcome(one.outcome),
        before=value(one.before, place),
        after="" if one.outcome == "removed" else value(one.after, place),
        message=shown(one.message, 200),
    )
