"""What waits to be written, and why, in groups that can be decided about as a whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from opsync.engine.awaiting import Awaiting, Shown, Why
from opsync.engine.catalog import Item
from opsync.engine.phrases import plural, shown, value
from opsync.model import KeptColumn, Kind, Ref, Verb
from opsync.service.web.seen import seen
from opsync.service.web.views.signs import Badge
from opsync.service.web.views.values import Named, named

GROUPS = 40
"""So many initiatives stand on one page of the plan."""

ALL, GROUP, ONE = "all", "group", "one"
"""What a button is about."""

_VERBS: Mapping[Verb, Badge] = {
    Verb.create: Badge("+", "new", "good"),
    Verb.update: Badge("~", "changed", "calm"),
    Verb.remove: Badge("−", "removed", "warn"),
}


class Line(Struct, frozen=True, kw_only=True):
    """One value. `seen` is the digest of what its buttons decide about."""

    slot: str
    seen: str
    verb: Badge
    tool: str
    place: str
    where: Named | None
    before: str
    after: str
    because: tuple[str, ...]
    note: str


class Group(Struct, frozen=True, kw_only=True):
    """The values of one initiative, or of an item that belongs to none."""

    ref: str
    title: str
    seen: str
    count: str
    lines: tuple[Line, ...]


class Section(Struct, frozen=True, kw_only=True):
    """Values that wait for the same."""

    why: Why
    title: str
    text: str
    count: int
    lines: tuple[Line, ...]


class PlanPage(Struct, frozen=True, kw_only=True):
    """The page: what is to be approved, by initiative, and what else waits. `columns` says which
    are made for it; `after` leads to the next page of groups, 0 where there is none."""

    sentence: str
    columns: tuple[str, ...]
    count: int
    seen: str
    groups: tuple[Group, ...]
    start: int
    after: int
    others: tuple[Section, ...]


_OTHERS: Mapping[Why, tuple[str, str]] = {
    "edited": (
        "Edited by people",
        "People changed or removed what opsync wrote. Theirs stays until you say otherwise.",
    ),
    "next": ("Written by the next run", "Nobody needs to decide about these."),
    "observe": ("Only observed", "Their rules are told to look, and write nothing."),
    "decided": ("Left as people decided", "opsync does not touch these until you let it."),
}
LISTED = 100
"""So many values of each other sort are listed."""


def to_approve(
    found: Sequence[Awaiting], titles: Mapping[Ref, Item]
) -> list[tuple[Ref, list[Awaiting]]]:
    """What waits for approval by initiative, those with most first."""
    groups: dict[Ref, list[Awaiting]] = {}
    for one in found:
        if one.why == "approve":
            groups.setdefault(one.group, []).append(one)
    return sorted(
        groups.items(), key=lambda each: (-len(each[1]), titles[each[0]].label.casefold())
    )


def other(found: Sequence[Awaiting], why: Why) -> list[Awaiting]:
    """The values that wait for something else, as many as are listed."""
    return [one for one in found if one.why == why][:LISTED]


def plan(
    found: Sequence[Awaiting],
    titles: Mapping[Ref, Item],
    told: Mapping[str, Shown],
    ahead: Iterable[KeptColumn],
    start: int = 0,
) -> PlanPage:
    """The page from group `start` on. `told` has the values that it shows, by slot; `ahead` are
    the columns that do not stand yet."""
    waits = [one for one in found if one.why == "approve"]
    groups = to_approve(found, titles)
    page = groups[start : start + GROUPS]
    after = start + GROUPS
    count = len(waits)
    head = "Nothing waits for you"
    if count:
        verb = "waits" if count == 1 else "wait"
        head = f"{plural(count, 'change')} {verb} for approval"
    return PlanPage(
        sentence=head,
        columns=_columns(ahead),
        count=count,
        seen=seen(one.entry for one in waits),
        groups=tuple(_group(ref, each, titles[ref], told) for ref, each in page),
        start=start,
        after=after if after < len(groups) else 0,
        others=tuple(
            Section(
                why=why,
                title=title,
                text=text,
                count=sum(one.why == why for one in found),
                lines=tuple(_line(one, told[str(one.entry.slot)]) for one in listed),
            )
            for why, (title, text) in _OTHERS.items()
            if (listed := other(found, why))
        ),
    )


def _columns(ahead: Iterable[KeptColumn]) -> tuple[str, ...]:
    where: dict[tuple[str, str], list[str]] = {}
    for one in ahead:
        table = f"{one.tool} {one.within}".rstrip()
        where.setdefault((one.instance, table), []).append(shown(one.name, 60))
    return tuple(
        f"{shown(table, 80)} gets {plural(len(names), 'column')}: {', '.join(names)}."
        for (_, table), names in where.items()
    )


def _group(ref: Ref, found: Sequence[Awaiting], item: Item, told: Mapping[str, Shown]) -> Group:
    return Group(
        ref=str(ref),
        title=shown(item.label, 120),
        seen=seen(one.entry for one in found),
        count=plural(len(found), "change"),
        lines=_told_once([_line(one, told[str(one.entry.slot)], of=ref) for one in found]),
    )


def _told_once(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The same, each reason at the first value only that has it."""
    found, said = [], set()
    for one in lines:
        found.append(replace(one, because=()) if one.because in said else one)
        said.add(one.because)
    return tuple(found)


def _line(one: Awaiting, told: Shown, of: Ref | None = None) -> Line:
    return Line(
        slot=told.slot,
        seen=seen([one.entry]),
        verb=_VERBS[told.verb],
        tool=told.tool,
        place=shown(told.place, 60),
        where=_where(one, told, of),
        before=value(told.before, told.place),
        after=value(told.should_be, told.place),
        because=tuple(
            shown(said, 240) for said in dict.fromkeys((told.reason, *told.evidence)) if said
        ),
        note=shown(told.note, 240),
    )


def _where(one: Awaiting, told: Shown, of: Ref | None) -> Named | None:
    """The item that the place is on; None where the group says it already."""
    item = told.about if told.item.kind == Kind.product.value else told.item
    return None if of is not None and item.ref == str(of) else named(item)
