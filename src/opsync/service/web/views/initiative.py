"""One initiative: what counts in it and why, how it went, what opsync keeps about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

from msgspec import Struct

from opsync.disagreements import DisagreementKind
from opsync.engine.approvals import rule_does
from opsync.engine.catalog import Item, noun_of
from opsync.engine.disagreeing import Found
from opsync.engine.explained import Counted, Explanation, Summary
from opsync.engine.phrases import ago, day, percent, shown, some_not_counted
from opsync.engine.usewords import headline
from opsync.model import Category, Health
from opsync.service.web.links import safe_url
from opsync.service.web.views.drawing import Progress, progress
from opsync.service.web.views.plot import History, history
from opsync.service.web.views.signs import CATEGORIES, HEALTH, Badge
from opsync.service.web.views.values import Named, Say, Value, named, values
from opsync.store import HistoryRow

MEMBERS = 200
"""So many members of one tool are named; the rest is counted."""
_ORDER = (Category.in_progress, Category.todo, Category.backlog, Category.unknown, Category.done)


class Member(Struct, frozen=True):
    """One piece of work that is counted, or holds what is."""

    item: Named
    state: Badge
    status: str
    blocked: bool
    holds: bool
    why: str


class Tool(Struct, frozen=True):
    """The members of one tool; `more` are not named."""

    name: str
    done: int
    counted: int
    members: tuple[Member, ...]
    more: int


class Excluded(Struct, frozen=True):
    """What is not counted, and why not."""

    what: str
    why: str


class Use(Struct, frozen=True):
    """How much it is used, by one metric."""

    title: str
    tool: str
    told: str


class Says(Struct, frozen=True):
    """One contradiction: what is said, what is measured, and what shows it."""

    said: str
    measured: str
    shown_by: tuple[str, ...]


class Counts(Struct, frozen=True, kw_only=True):
    """One delivery summary."""

    rule: str
    health: Badge
    reason: str
    count: str
    percent: str
    bar: Progress
    told: str
    due: str
    due_at: str
    late: bool
    notes: tuple[str, ...]
    fresh: tuple[str, ...]
    uses: tuple[Use, ...]
    tools: tuple[Tool, ...]
    excluded: tuple[Excluded, ...]
    history: History | None


class Part(Struct, frozen=True):
    """An initiative that the item is counted in."""

    ref: str
    title: str
    why: str


class InitiativePage(Struct, frozen=True, kw_only=True):
    """The page."""

    ref: str
    title: str
    kind: str
    tool: str
    url: str | None
    owner: str
    status: str
    notes: tuple[str, ...]
    clashes: tuple[Says, ...]
    summaries: tuple[Counts, ...]
    counts_in: tuple[Part, ...]
    links: tuple[tuple[Named, str], ...]
    no_links: tuple[Excluded, ...]
    suggested: int
    values: tuple[Value, ...]
    held: int


def initiative(
    found: Explanation,
    histories: Mapping[str, Sequence[HistoryRow]],
    people: Say,
    now: datetime,
    zone: tzinfo,
) -> InitiativePage:
    """The page of one item. `histories` are those of its summaries by rule, `people` says
    which values are theirs to settle."""
    item = found.item
    kept = values(found.values, item, now, zone, people)
    return InitiativePage(
        ref=item.ref,
        title=shown(item.label, 200),
        kind=noun_of(item),
        tool=item.tool,
        url=safe_url(item.url),
        owner=shown(found.owner.name, 60) if found.owner else "",
        status=shown(item.status, 60),
        notes=tuple(shown(note, 400) for note in found.notes),
        clashes=tuple(_says(one, item) for one in found.disagreements),
        summaries=tuple(
            _counts(one, histories.get(one.rule, ()), now, zone) for one in found.summaries
        ),
        counts_in=tuple(
            Part(one.initiative.ref, shown(one.initiative.label, 120), f"{one.role}, {one.why}")
            for one in found.counts_in
        ),
        links=tuple((named(one.item), shown("; ".join(one.why), 300)) for one in found.links),
        no_links=tuple(
            Excluded(shown(one.text, 120), f'in "{shown(one.field, 40)}": {shown(one.why, 300)}')
            for one in found.no_links
        ),
        suggested=len(found.suggestions),
        values=kept,
        held=sum(one.settles for one in kept),
    )


def _says(one: Found, item: Item) -> Says:
    whose = one.item if one.item is not None and one.item != item else None
    head = f"{shown(whose.label, 60)}: " if whose else ""
    said = f"People say “{shown(one.says, 80)}”" if one.says else "Nobody says otherwise"
    return Says(
        said=head + (said if one.kind is DisagreementKind.status else shown(one.says, 120)),
        measured=shown(one.measured, 160),
        shown_by=tuple(
            f"{shown(told.item.label, 80)}: {shown(told.text, 80)}"
            + (f" since {day(told.since)}" if told.since else "")
            for told in one.evidence
            if told.item != item
        ),
    )


def _counts(one: Summary, rows: Sequence[HistoryRow], now: datetime, zone: tzinfo) -> Counts:
    counted = [each for each in one.members if each.role == "counted"]
    doing = sum(each.item.category == Category.in_progress.value for each in counted)
    today = now.astimezone(zone).date()
    return Counts(
        rule=f"{shown(one.rule, 60)} ({rule_does(one.mode, one.approved, zone)})",
        health=HEALTH[one.health],
        reason=shown(one.reason, 200),
        count=f"{one.done} of {one.total}" if one.total else "",
        percent=percent(one.percent) if one.total else "",
        bar=progress(one.done, doing, one.total),
        told=f"{one.done} of {one.total} done, {doing} in progress",
        due=_due(one.due_on, today, done=one.health is Health.done),
        due_at=one.due_on.isoformat() if one.due_on else "",
        late=one.due_on is not None and one.due_on < today and one.health is not Health.done,
        notes=_notes(one),
        fresh=tuple(_fresh(one, now)),
        uses=tuple(
            Use(
                shown(each.title or each.metric.name, 80),
                each.metric.tool,
                shown(headline(each, one.released), 300),
            )
            for each in one.adoption
        ),
        tools=_tools(one.members),
        excluded=tuple(
            Excluded(shown(left.what, 120), shown(left.why, 300)) for left in one.left_out
        ),
        history=history(rows, now, zone, one.due_on),
    )


def _due(on: date | None, today: date, *, done: bool) -> str:
    if on is None:
        return ""
    left = (on - today) // timedelta(days=1)
    year = "" if on.year == today.year else f" {on.year}"
    if done:
        return f"{day(on)}{year}"
    days = "day" if abs(left) == 1 else "days"
    when = f"in {left} {days}" if left > 0 else f"{-left} {days} ago" if left else "today"
    return f"{day(on)}{year}, {when}"


def _notes(one: Summary) -> tuple[str, ...]:
    parts = (
        (one.blocked, f"{one.blocked} blocked"),
        (one.canceled, f"{one.canceled} canceled, not counted"),
        (one.private, f"{one.private} private, counted and not named"),
        (len(one.missing), some_not_counted(len(one.missing))),
    )
    return tuple(text for count, text in parts if count)


def _fresh(one: Summary, now: datetime) -> Sequence[str]:
    return [
        f"{each.instance} {f'read {ago(each.read_at, now)} ago' if each.read_at else 'never read'}"
        + (f", incomplete for {ago(each.failing_since, now)}" if each.failing_since else "")
        for each in one.inputs
    ]


def _tools(found: Sequence[Counted]) -> tuple[Tool, ...]:
    by_tool: dict[str, list[Counted]] = {}
    for one in found:
        by_tool.setdefault(one.item.tool, []).append(one)
    return tuple(_tool(name, members) for name, members in by_tool.items())


def _tool(name: str, found: Sequence[Counted]) -> Tool:
    counted = [one for one in found if one.role == "counted"]
    ordered = sorted(found, key=_rank)
    return Tool(
        name=name,
        done=sum(one.item.category == Category.done.value for one in counted),
        counted=len(counted),
        members=tuple(_member(one) for one in ordered[:MEMBERS]),
        more=max(0, len(ordered) - MEMBERS),
    )


def _rank(one: Counted) -> tuple[bool, bool, int]:
    """What holds others comes first, then what is blocked, then what is under way."""
    place = next((n for n, each in enumerate(_ORDER) if each.value == one.item.category), 9)
    return one.role == "counted", not one.item.blocked, place


def _member(one: Counted) -> Member:
    return Member(
        item=named(one.item),
        state=CATEGORIES[one.item.category],
        status=shown(one.item.status, 40),
        blocked=one.item.blocked,
        holds=one.role != "counted",
        why=shown(one.why, 200),
    )
