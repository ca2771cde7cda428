"""What people state against what is measured: where the two contradict each other. Pure.

The texts tell of days ("6 days overdue"), so they are for screens and are written nowhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from enum import StrEnum

from msgspec import Struct

from opsync.model import Category, Evidence, Health, Record, Ref, Rollup, Working
from opsync.stages.rollup import percent_of

FACTS = 10
"""So many open items are named as evidence of one disagreement …"""
LAST = 3
"""… or where all is done, so many of those that ended last."""
OLDEST = 5
"""So many items without an initiative are named."""

FINE = frozenset(
    {
        *("on track", "ontrack", "ok", "okay", "good", "green", "healthy", "fine", "all good"),
        *("im plan", "auf kurs", "nach plan", "planmäßig", "gut", "grün"),
        *("en bonne voie", "dans les temps", "sur la bonne voie", "bien", "vert"),
        *("en buen camino", "en plazo", "según lo previsto", "verde", "bueno"),
        *("no prazo", "no caminho certo", "conforme planejado", "bom"),
        *("in linea", "in orario", "nei tempi", "bene"),
        *("op schema", "op koers", "goed", "groen"),
        *("zgodnie z planem", "na dobrej drodze", "zielony"),
        *("по плану", "в графике", "в норме", "хорошо", "зелёный", "зеленый"),
        *("順調", "緑", "良好", "正常", "正常进行", "顺利", "进展顺利", "進展順利", "绿色"),
        *("순조로움", "정상", "양호"),
        *("🟢", "🟩", "💚"),
    }
)
"""Status names that say that all is well, folded as by `_folded`."""

_OPEN: Mapping[Category, str] = {
    Category.backlog: "in the backlog",
    Category.todo: "to do",
    Category.in_progress: "in progress",
}
_BESIDE = re.compile(r"[\s_/–—-]+")
_MARKS = "🟢🟩💚"


class DisagreementKind(StrEnum):
    """What contradicts what."""

    status = "status"
    """People's own status of an initiative says otherwise than its work."""
    no_work = "initiative_without_work"
    no_initiative = "work_without_initiative"
    one_side = "link_on_one_side"
    """Work names an initiative that does not name it: people may think that it counts."""
    open_parts = "done_with_open_parts"
    owner_left = "owner_left"


class Fact(Struct, frozen=True):
    """What is known of one item that a disagreement rests on: "in progress, blocked" since when."""

    ref: Ref
    text: str
    since: date | None = None


class Disagreement(Struct, frozen=True, kw_only=True):
    """One contradiction about `subject` (None: about much work at once).

    `about` is the initiative that a link is to. `says` is in people's words, "" where they say
    nothing; `measured` is what is the case. The greater the `weight`, the sooner people should
    hear of it; it is below 100.
    """

    kind: DisagreementKind
    subject: Ref | None
    says: str
    measured: str
    weight: float
    about: Ref | None = None
    evidence: tuple[Fact, ...] = ()


class SpaceShare(Struct, frozen=True):
    """Work in progress of one team or project; `space` is "" for private work."""

    instance: str
    space: str
    total: int
    without: int


class Share(Struct, frozen=True):
    """How much work in progress no initiative reaches; twins are one. `oldest` are some of it."""

    total: int
    without: int
    spaces: tuple[SpaceShare, ...] = ()
    oldest: tuple[Working, ...] = ()


def says_fine(name: str) -> bool:
    """Whether a status of this name says that all is well, in any of many languages."""
    folded = _folded(name)
    return folded in FINE or folded.strip(f"{_MARKS} ") in FINE


def _folded(name: str) -> str:
    return _BESIDE.sub(" ", name.casefold()).strip(" .!:()")


def of_initiative(
    root: Record,
    rollup: Rollup,
    as_of: date,
    *,
    members: Sequence[Record] = (),
    zone: tzinfo | None = None,
) -> Disagreement | None:
    """What contradicts an initiative's own status, or that it has no work; None: nothing does.

    `members` are what it counts, for the evidence; days begin in `zone`.
    """
    if root.tombstone or root.archived or root.category is Category.canceled:
        return None
    if rollup.total == 0:
        return _without_work(root, rollup)
    if root.status is None:
        return None
    open_ = rollup.total - rollup.done
    if root.category is Category.done:
        return _done_and_open(root, rollup, members, zone) if open_ else None
    if not open_:
        return _all_done(root, rollup, as_of, members, zone)
    if says_fine(root.status.name) and not root.paused:
        return _fine_and_late(root, rollup, as_of, members, zone)
    return None


def _without_work(root: Record, rollup: Rollup) -> Disagreement | None:
    """An open initiative that has nothing to count; what it names may only not be readable."""
    if root.category is Category.done or root.paused or rollup.missing:
        return None
    canceled = f"all {_items(rollup.canceled)} canceled" if rollup.canceled else ""
    return Disagreement(
        kind=DisagreementKind.no_work,
        subject=root.ref,
        says=root.status.name if root.status else "",
        measured=canceled or "no linked work",
        weight=55 if root.category is Category.in_progress else 50,
        evidence=_own_word(root),
    )


def _done_and_open(
    root: Record, rollup: Rollup, members: Sequence[Record], zone: tzinfo | None
) -> Disagreement | None:
    if rollup.health is Health.done:
        return None  # A rule of the company's own says so.
    open_ = rollup.total - rollup.done
    measured = [f"{open_} of {rollup.total} open"]
    measured += [f"{rollup.blocked} blocked"] if rollup.blocked else []
    return _status(
        root, rollup, measured, weight=80 + 10 * open_ / rollup.total, members=members, zone=zone
    )


def _all_done(
    root: Record, rollup: Rollup, as_of: date, members: Sequence[Record], zone: tzinfo | None
) -> Disagreement | None:
    """All is done and people say something else. Not claimed while something is not readable, nor
    where nobody knows what their word means."""
    if rollup.missing or root.category is Category.unknown:
        return None
    days = (as_of - rollup.done_since).days if rollup.done_since else None
    since = "" if days is None else " since today" if days <= 0 else f" for {_days(days)}"
    measured = [("done" if rollup.total == 1 else f"all {rollup.total} done") + since]
    weight = 60 + min(days or 0, 90) / 10
    return _status(root, rollup, measured, weight=weight, members=members, zone=zone)


def _fine_and_late(
    root: Record, rollup: Rollup, as_of: date, members: Sequence[Record], zone: tzinfo | None
) -> Disagreement | None:
    left = (rollup.due_on - as_of).days if rollup.due_on else None
    if left is not None and left < 0:
        measured = [f"{_days(-left)} overdue"]
        return _status(
            root, rollup, measured, weight=85 + min(-left, 90) / 10, members=members, zone=zone
        )
    if rollup.health not in (Health.at_risk, Health.off_track):
        return None
    percent = percent_of(rollup)
    measured = [f"{percent:.0%} done".replace("%", " %")] if percent is not None else []
    measured += [f"{rollup.blocked} blocked"] if rollup.blocked else []
    if left is not None:
        measured.append("due today" if left == 0 else f"due in {_days(left)}")
    weight = 80.0 if rollup.health is Health.off_track else 70.0
    return _status(root, rollup, measured, weight=weight, members=members, zone=zone)


def _status(
    root: Record,
    rollup: Rollup,
    measured: list[str],
    *,
    weight: float,
    members: Sequence[Record],
    zone: tzinfo | None,
) -> Disagreement:
    if rollup.missing:
        measured.append(f"{len(rollup.missing)} not readable")
    return Disagreement(
        kind=DisagreementKind.status,
        subject=root.ref,
        says=root.status.name if root.status else "",
        measured=", ".join(measured),
        weight=weight,
        evidence=(
            *_own_word(root),
            *_facts(members, all_done=rollup.done == rollup.total, zone=zone),
        ),
    )


def _own_word(root: Record) -> tuple[Fact, ...]:
    return (Fact(root.ref, f'says "{root.status.name}"'),) if root.status else ()


def _facts(members: Sequence[Record], *, all_done: bool, zone: tzinfo | None) -> tuple[Fact, ...]:
    """The leaves that show it: the open ones, blocked ones first, the longest lasting before
    others; where all is done, the ones that ended last."""
    if all_done:
        ended = sorted((r for r in members if r.completed_at), key=_ended, reverse=True)
        return tuple(Fact(r.ref, "done", _on(r.completed_at, zone)) for r in ended[:LAST])
    open_ = [record for record in members if record.category.open]
    open_.sort(key=lambda r: (not r.blocked, r.started_at is None, _begun(r), r.ref))
    return tuple(_open_fact(record, zone) for record in open_[:FACTS])


def _open_fact(record: Record, zone: tzinfo | None) -> Fact:
    state = _OPEN.get(record.category, "open")
    text = f"blocked, {state}" if record.blocked else state
    return Fact(record.ref, text, _on(record.started_at, zone))


def _ended(record: Record) -> tuple[float, Ref]:
    return record.completed_at.timestamp() if record.completed_at else 0.0, record.ref


def _begun(record: Record) -> float:
    at = record.started_at or record.created_at
    return at.timestamp() if at else 0.0


def share_of(working: Iterable[Working], same: Iterable[Sequence[Ref]] = ()) -> Share:
    """How much of the work in progress no initiative reaches.

    `same` are groups of items that are one piece of work: a group counts once, and is reached
    when any of it is.
    """
    group = {ref: number for number, refs in enumerate(same) for ref in refs}
    units: dict[Ref | int, list[Working]] = defaultdict(list)
    for one in working:
        units[group.get(one.ref, one.ref)].append(one)
    totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    without: list[Working] = []
    for found in units.values():
        first = min(found, key=lambda one: (not one.space, one.ref))
        counts = totals[first.ref.instance, first.space]
        counts[0] += 1
        if not any(one.reached for one in found):
            counts[1] += 1
            without.append(first)
    spaces = [SpaceShare(*key, total, lone) for key, (total, lone) in totals.items()]
    spaces.sort(key=lambda one: (-one.without, -one.total, one.instance, one.space))
    # What is private is counted in its place and never an example.
    named = [one for one in without if one.space and one.since]
    named.sort(key=lambda one: (one.since, one.ref))
    return Share(len(units), len(without), tuple(spaces), tuple(named[:OLDEST]))


def work_without_initiative(share: Share, zone: tzinfo | None = None) -> Disagreement | None:
    """That work is in progress for no initiative; None where each has one."""
    if not share.without:
        return None
    return Disagreement(
        kind=DisagreementKind.no_initiative,
        subject=None,
        says="",
        measured=f"{share.without:,} of {share.total:,} in progress without an initiative",
        weight=40 + 9 * share.without / share.total,
        evidence=tuple(Fact(one.ref, "in progress", _on(one.since, zone)) for one in share.oldest),
    )


def link_on_one_side(work: Record, root: Ref, why: Evidence) -> Disagreement:
    """That `work` names the initiative `root` in its own words, which does not name it."""
    return Disagreement(
        kind=DisagreementKind.one_side,
        subject=work.ref,
        about=root,
        says=f'names the initiative in "{why.field}"',
        measured="the initiative does not name it: not counted",
        weight=38 if work.category is Category.in_progress else 35,
        evidence=(Fact(work.ref, f'names the initiative in "{why.field}"'),),
    )


def done_with_open_parts(
    parent: Record, open_: int, parts: Sequence[Record], zone: tzinfo | None = None
) -> Disagreement:
    """That `parent` is done and `open_` of its parts are not; `parts` are some of them."""
    since = _on(parent.completed_at, zone)
    return Disagreement(
        kind=DisagreementKind.open_parts,
        subject=parent.ref,
        says=parent.status.name if parent.status else "",
        measured=f"{_parts(open_)} open",
        weight=20 + min(open_, 90) / 10,
        evidence=(
            Fact(parent.ref, "done", since),
            *(_open_fact(part, zone) for part in parts[:FACTS]),
        ),
    )


def owner_left(record: Record) -> Disagreement:
    """That an open item belongs to somebody whose account was closed."""
    name = record.owner.name if record.owner and not record.private else ""
    return Disagreement(
        kind=DisagreementKind.owner_left,
        subject=record.ref,
        says=f"owner {name}" if name else "has an owner",
        measured="that account is closed",
        weight=48 if record.category is Category.in_progress else 45,
        evidence=(
            Fact(record.ref, f"{_OPEN.get(record.category, 'open')}, its owner's account closed"),
        ),
    )


def groups_of(pairs: Iterable[Sequence[Ref]]) -> list[tuple[Ref, ...]]:
    """Groups of items that are the same, put together from pairs and groups, in a fixed order."""
    top: dict[Ref, Ref] = {}

    def highest(ref: Ref) -> Ref:
        while (above := top.setdefault(ref, ref)) != ref:
            ref = above
        return ref

    for pair in pairs:
        for other in pair[1:]:
            one, two = sorted((highest(pair[0]), highest(other)))
            top[two] = one
    found: dict[Ref, list[Ref]] = defaultdict(list)
    for ref in sorted(top):
        found[highest(ref)].append(ref)
    return [tuple(refs) for refs in found.values() if len(refs) > 1]


def _on(at: datetime | None, zone: tzinfo | None) -> date | None:
    return at.astimezone(zone).date() if at and zone else at.date() if at else None


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count:,} days"


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count:,} items"


def _parts(count: int) -> str:
    return "1 part" if count == 1 else f"{count:,} parts"
