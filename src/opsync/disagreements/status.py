"""An initiative's own status against its work. Pure.

The texts tell of days ("6 days overdue"), so they are for screens and are written nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, tzinfo

from opsync.disagreements.fine import says_fine
from opsync.disagreements.values import (
    FACTS,
    LAST,
    Disagreement,
    DisagreementKind,
    Fact,
    day_of,
    days,
    open_fact,
    plural,
)
from opsync.model import Category, Health, Record, Ref, Rollup
from opsync.stages.health import percent_of


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
    canceled = f"all {plural(rollup.canceled, 'item')} canceled" if rollup.canceled else ""
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
    ago = (as_of - rollup.done_since).days if rollup.done_since else None
    since = "" if ago is None else " since today" if ago <= 0 else f" for {days(ago)}"
    measured = [("done" if rollup.total == 1 else f"all {rollup.total} done") + since]
    weight = 60 + min(ago or 0, 90) / 10
    return _status(root, rollup, measured, weight=weight, members=members, zone=zone)


def _fine_and_late(
    root: Record, rollup: Rollup, as_of: date, members: Sequence[Record], zone: tzinfo | None
) -> Disagreement | None:
    left = (rollup.due_on - as_of).days if rollup.due_on else None
    if left is not None and left < 0:
        measured = [f"{days(-left)} overdue"]
        return _status(
            root, rollup, measured, weight=85 + min(-left, 90) / 10, members=members, zone=zone
        )
    if rollup.health not in (Health.at_risk, Health.off_track):
        return None
    percent = percent_of(rollup)
    measured = [f"{percent:.0%} done".replace("%", " %")] if percent is not None else []
    measured += [f"{rollup.blocked} blocked"] if rollup.blocked else []
    if left is not None:
        measured.append("due today" if left == 0 else f"due in {days(left)}")
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
        return tuple(Fact(r.ref, "done", day_of(r.completed_at, zone)) for r in ended[:LAST])
    open_ = [record for record in members if record.category.open]
    open_.sort(key=lambda r: (not r.blocked, r.started_at is None, _begun(r), r.ref))
    return tuple(open_fact(record, zone) for record in open_[:FACTS])


def _ended(record: Record) -> tuple[float, Ref]:
    return record.completed_at.timestamp() if record.completed_at else 0.0, record.ref


def _begun(record: Record) -> float:
    at = record.started_at or record.created_at
    return at.timestamp() if at else 0.0
