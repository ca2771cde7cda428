"""Applying changes: what is durable before a request leaves, and what is looked at first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from opsync.errors import NotFound, RefusedError, SignInError, TemporaryError
from opsync.model import Change, Content, Outcome, OutcomeKind, Record, Ref, Seen, Value
from opsync.model.ledger import Entry, Hold, HoldKind, stored
from opsync.stages.apply import SIGHT_LASTS, ApplyReport, TargetWork, apply
from opsync.stages.normalize import by_itself
from opsync.stages.places import Want
from opsync.store import Prepared, Store, inline
from tests.stages.test_plan import Board, planned, slot
from tests.support.build import record
from tests.support.clock import START, FakeClock

LINK = {"url": "https://a.example"}


class Wall(Board):
    """Writes what it is told, remembers what it was asked, and what the ledger then said."""

    parallel: ClassVar[int] = 1

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[tuple[str, str]] = []
        self.begun: list[Value] = []
        self.stands: Sequence[Seen] = ()
        self.fault: Exception | None = None
        self.unseen: Exception | None = None

    def render(self, surface: str, target: Record, content: Content) -> Value:  # type: ignore[override]
        return None

    async def observe(self, target: Record) -> Sequence[Seen]:
        self.asked.append(("observe", target.ref.id))
        if self.unseen is not None:
            raise self.unseen
        return self.stands

    async def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        for change in changes:
            self.asked.append(("write", change.slot.target.id))
            entry = await self.store.entry(change.slot)
            self.begun.append(entry.intent if entry else None)  # type: ignore[arg-type]
            if self.fault is not None:
                raise self.fault
            yield Outcome(
                change=change.id, kind=OutcomeKind.created, applied=change.desired, remote_id="r"
            )


@pytest.fixture
async def wall(tmp_path: Path) -> AsyncIterator[Wall]:
    store = Store.open(tmp_path / "opsync.db", clock=FakeClock(), executor=inline)
    yield Wall(store)
    await store.close()


def work(surface: str = "text", *, entries: Sequence[Entry] = ()) -> TargetWork:
    """A target with one place to write, planned."""
    target = record("1", seen_complete=True)
    value: Value = LINK if surface == "remote" else "new"
    want = Want(slot(surface), value)
    changes = planned(target, want, entries=entries).changes
    return TargetWork(target, [want], entries, changes, read_at=START)


async def run(wall: Wall, *targets: TargetWork, **more: Any) -> ApplyReport:
    return await apply(wall, targets, wall.store, FakeClock(), 1, **more)


async def test_a_write_is_noted_before_it_leaves_and_settled_after_it(wall: Wall) -> None:
    report = await run(wall, work())
    assert wall.begun == [stored("new")]
    kept = await wall.store.entry(slot())
    assert kept is not None
    assert (kept.intent, kept.applied, kept.remote_id) == (None, stored("new"), "r")
    assert [outcome.kind for _, outcome in report.done] == [OutcomeKind.created]


@pytest.mark.parametrize("read_at", [START, START - SIGHT_LASTS])
async def test_a_place_that_was_just_read_is_not_looked_at_again(
    wall: Wall, read_at: datetime
) -> None:
    await run(wall, replace(work(), read_at=read_at))
    assert wall.asked == [("write", "1")]


async def test_a_place_that_reading_does_not_show_is_looked_at_before_the_write(wall: Wall) -> None:
    await run(wall, work("remote"))
    assert wall.asked == [("observe", "1"), ("write", "1")]


async def test_what_a_person_decided_since_it_was_planned_is_not_written(wall: Wall) -> None:
    """Neither without a look at it, nor with one, whatever the plan made of it then."""
    theirs = Hold(HoldKind.theirs, "ana", START)
    for place in ("text", "remote"):
        planned_before = work(place)
        await wall.store.hold_slots({slot(place): theirs})
        report = await run(wall, planned_before)
        assert report.done == []
        kept = await wall.store.entry(slot(place))
        assert kept is not None
        assert (kept.hold, kept.intent) == (theirs, None)
    assert [what for what, _ in wall.asked] == ["observe"]


async def test_what_stands_there_by_then_decides(wall: Wall) -> None:
    wall.stands = [Seen.of("remote", LINK, address=LINK["url"], remote_id="theirs", ours=False)]
    report = await run(wall, work("remote"))
    assert wall.asked == [("observe", "1")]
    assert [len(plan.skipped) for _, plan in report.fresh] == [1]


async def test_of_what_only_that_turns_up_plugins_are_asked(wall: Wall) -> None:
    """Of what was planned before they were asked then."""
    asked: list[Value] = []

    def veto(change: Change) -> str | None:
        asked.append(change.desired)
        return "frozen"

    await run(wall, work("remote"), veto=veto)
    assert asked == []
    assert wall.asked == [("observe", "1"), ("write", "1")]

    old = {"url": "https://old.example"}
    row = Entry(slot=slot("remote"), applied=stored(old), remote_id="r")
    target = work("remote", entries=[row])
    wall.stands = [
        Seen.of("remote", old, address=old["url"], remote_id="r", ours=True),
        Seen.of("remote", LINK, address=LINK["url"], remote_id="theirs", ours=False),
    ]
    assert [change.verb.value for change in target.changes] == ["update"]
    report = await run(wall, target, veto=veto)
    assert asked == [None], "a removal, since somebody's own link stands there by now"
    assert wall.asked[2:] == [("observe", "1")]
    assert [(change.verb.value, why) for _, change, why in report.vetoed] == [("remove", "frozen")]
    assert [len(plan.changes) for _, plan in report.fresh] == [0]


async def test_a_write_whose_outcome_is_unknown_is_looked_at_and_not_sent_again(wall: Wall) -> None:
    row = Entry(slot=slot(), desired=stored("new"), intent=stored("new"))
    wall.stands = [Seen.of("text", "new", remote_id="made", ours=True)]
    await run(wall, work(entries=[row]))
    assert wall.asked == [("observe", "1")]
    kept = await wall.store.entry(slot())
    assert kept is not None
    assert (kept.intent, kept.applied, kept.remote_id) == (None, stored("new"), "made")


async def test_what_was_begun_stays_so_where_its_target_cannot_be_looked_at(wall: Wall) -> None:
    row = Entry(slot=slot(), desired=stored("new"), intent=stored("new"))
    await wall.store.put_desired([row])
    wall.unseen = NotFound("missing, or not shared")
    report = await run(wall, work(entries=[row]))
    assert [outcome.unknown for _, outcome in report.done] == [True]
    kept = await wall.store.entry(slot())
    assert kept is not None
    assert kept.intent == stored("new")


@pytest.mark.parametrize("read_at", [None, START - SIGHT_LASTS - timedelta(microseconds=1)])
async def test_a_target_that_was_not_just_read_is_looked_at_before_it_is_written(
    wall: Wall, read_at: datetime | None
) -> None:
    wall.stands = [Seen.of("text", "a person's", remote_id="column", ours=True)]
    row = Entry(slot=slot(), desired=stored("old"), applied=stored("old"), remote_id="column")
    report = await run(wall, replace(work(entries=[row]), read_at=read_at))
    assert wall.asked == [("observe", "1")]
    assert [len(plan.conflicts) for _, plan in report.fresh] == [1]


async def test_what_a_look_shows_is_known_from_then_on(wall: Wall) -> None:
    row = Entry(slot=slot(), desired=stored("new"), intent=stored("new"))
    wall.stands = [Seen.of("text", "new", remote_id="made", ours=True)]
    target = work(entries=[row])
    await wall.store.put_batch(
        1, "jira", "issues", [Prepared(*by_itself(target.record))], [], advance_to=None
    )
    await run(wall, target)
    after = await wall.store.record(target.record.ref)
    assert after is not None
    assert [(one.surface, one.plain()) for one in after.seen] == [("text", "new")]


@pytest.mark.parametrize(
    ("fault", "unknown"),
    [
        (TemporaryError("no answer"), True),
        (TemporaryError("no connection", sent=False), False),
        (SignInError("expired"), False),
        (ValueError("a fault of the connector"), True),
    ],
    ids=str,
)
async def test_only_what_may_have_happened_is_unknown_afterwards(
    wall: Wall, fault: Exception, unknown: bool
) -> None:
    wall.fault = fault
    report = await run(wall, work())
    assert [outcome.unknown for _, outcome in report.done] == [unknown]
    kept = await wall.store.entry(slot())
    assert kept is not None
    assert (kept.intent is not None) is unknown


@pytest.mark.parametrize("earlier", [0, 1])
async def test_a_refused_write_is_unknown_where_an_earlier_try_of_it_may_have_happened(
    wall: Wall, earlier: int
) -> None:
    wall.fault = RefusedError("it is there already")
    await run(wall, work(), unknown=lambda: 4 + earlier * len(wall.begun))
    kept = await wall.store.entry(slot())
    assert kept is not None
    assert kept.intent == (stored("new") if earlier else None)


async def test_after_a_refused_sign_in_nothing_else_is_sent(wall: Wall) -> None:
    wall.fault = SignInError("expired")
    report = await run(wall, work("remote"), work("remote"), work())
    assert wall.asked == [("observe", "1"), ("write", "1")]
    assert report.stopped is wall.fault


async def test_a_pause_is_heard_before_the_next_batch(wall: Wall) -> None:
    answers = iter([True, False, True])

    async def may_go() -> bool:
        return next(answers)

    report = await run(wall, work(), work(), work(), may_go=may_go)
    assert wall.asked == [("write", "1")]
    assert report.paused


async def test_a_pause_that_came_while_a_target_was_looked_at_is_heard_before_the_write(
    wall: Wall,
) -> None:
    clock = FakeClock()

    async def may_go() -> bool:
        return not wall.asked

    real = wall.observe

    async def slow(target: Record) -> Sequence[Seen]:
        clock.advance(120)
        return await real(target)

    wall.observe = slow  # type: ignore[method-assign]
    targets = [work("remote"), work("remote")]
    report = await apply(wall, targets, wall.store, clock, 1, may_go=may_go)
    assert wall.asked == [("observe", "1")]
    assert (report.paused, report.done) == (True, [])
    kept = await wall.store.entry(slot("remote"))
    assert kept is not None
    assert kept.intent is None
