"""Slots that wait for a person's word, until people say something else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec
import pytest

from opsync.model import Approval, KeptChange, KeptColumn, KeptPlan, OutcomeKind, Ref, Verb
from opsync.model.ledger import Entry, Hold, HoldKind, stored
from opsync.model.rules import Mode
from opsync.model.waiting import Waiting, WaitsFor, word
from opsync.store import Store
from opsync.store.approving import KEPT
from tests.store.build import change, entry, outcome, ref, slot

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ONE = ref("jira:1")
SLOT = slot("jira:1")
HOLD = Hold(HoldKind.undone, "Ana", NOW)


def waiting(
    what: WaitsFor = WaitsFor.approval, approval: str = "", *, rule: bool = False
) -> Waiting:
    return Waiting(what, word("modes", approval, rule=rule))


def approval(scope: str = str(SLOT), value: str = "of x") -> Approval:
    return Approval(scope=scope, desired_hash=value, by="ana", at=NOW)


async def due(store: Store, modes: str = "modes") -> list[Ref]:
    """What a run would plan; whether one is made goes with it."""
    found = await store.targets_pending(NOW, modes=modes)
    assert await store.is_restless(NOW, modes) is bool(found)
    return found


@pytest.fixture
async def waits(store: Store) -> Store:
    """A store in which a value waits for approval."""
    await store.put_desired([entry("jira:1", "x")], {SLOT: waiting()})
    return store


@pytest.mark.parametrize("what", WaitsFor)
async def test_what_waits_for_a_word_is_not_due(store: Store, what: WaitsFor) -> None:
    await store.put_desired([entry("jira:1", "x"), entry("jira:2", "x")], {SLOT: waiting(what)})
    assert await due(store) == [ref("jira:2")]


async def test_it_is_due_under_other_modes_and_where_a_plan_is_shown_whole(waits: Store) -> None:
    assert await due(waits) == []
    assert await due(waits, "others") == [ONE]
    assert await waits.targets_pending(NOW) == [ONE]
    assert await waits.targets_pending(NOW, modes="modes", every=True) == [ONE]


@pytest.mark.parametrize("given", [approval(), approval("related", "")], ids=["value", "rule"])
async def test_an_approval_makes_it_due_until_it_is_planned_or_taken_back(
    waits: Store, given: Approval
) -> None:
    await waits.approve([approval(str(slot("jira:2"))), approval("roadmap", "")])
    assert await due(waits) == []
    await waits.approve([given])
    assert await due(waits) == [ONE]

    rule = not given.desired_hash
    await waits.put_desired([], {SLOT: waiting(approval=given.desired_hash, rule=rule)})
    assert await due(waits) == [], "it waits all the same, as what goes with something else"
    assert await waits.disapprove(given.scope)
    assert await due(waits) == [ONE]


async def test_an_approval_that_came_after_the_plan_had_read_them_is_not_missed(
    store: Store,
) -> None:
    await store.approve([approval()])
    await store.put_desired([entry("jira:1", "x")], {SLOT: waiting()})
    assert await due(store) == [ONE]


async def held(store: Store) -> None:
    await store.hold_slots({SLOT: HOLD})
    await store.hold_slots({SLOT: None})


async def given_back(store: Store) -> None:
    await store.hold_slots({SLOT: msgspec.structs.replace(HOLD, begun=3)})
    await store.put_desired([], {SLOT: waiting()})
    await store.give_back([3])


async def settled(store: Store) -> None:
    await store.settle([entry("jira:1", "x")])


async def planned(store: Store) -> None:
    await store.put_desired([entry("jira:1", "y")])


async def planned_as_before(store: Store) -> None:
    await store.put_desired([], {SLOT: None})


async def begun(store: Store) -> None:
    await store.begin_changes([change("jira:1", "x")])


@pytest.mark.parametrize(
    "done",
    [held, given_back, settled, planned, planned_as_before, begun],
    ids=lambda one: one.__name__,
)
async def test_what_else_is_decided_about_it_makes_it_due(
    waits: Store, done: Callable[[Store], Awaitable[None]]
) -> None:
    await done(waits)
    assert await due(waits) == [ONE]


async def test_a_write_that_was_refused_for_good_is_not_tried_again_while_it_waits(
    store: Store,
) -> None:
    one = change("jira:1", "x")
    await store.put_desired([entry("jira:1", "x")])
    await store.begin_changes([one])
    await store.finish_changes(1, [(one, outcome(OutcomeKind.failed))], NOW, next_try={"c1": NOW})
    assert await due(store) == [ONE]
    await store.put_desired([], {SLOT: waiting()})
    assert await due(store) == []


async def test_what_is_marked_already_is_not_written_again(waits: Store) -> None:
    path = waits.path.with_name("opsync.db-wal")
    before = path.read_bytes()
    await waits.put_desired([], {SLOT: waiting(), slot("jira:9"): None})
    assert path.read_bytes() == before


async def test_what_is_left_out_is_told_by_target(store: Store) -> None:
    rows = [entry(f"jira:{number}", "x") for number in (3, 1, 2, 4)]
    here = Entry(slot=slot("jira:1", surface="note"), desired=stored("y"))
    kinds = (WaitsFor.mode, WaitsFor.approval, WaitsFor.target)
    marks = {one.slot: waiting(what) for one, what in zip(rows, kinds, strict=False)}
    await store.put_desired([*rows, here], {**marks, here.slot: waiting(WaitsFor.mode)})

    found = await store.left_waiting("modes")

    assert found == [
        (rows[1], WaitsFor.approval),
        (here, WaitsFor.mode),
        (rows[0], WaitsFor.mode),
    ]
    await store.approve([approval()])
    assert [one.slot.target for one, _ in await store.left_waiting("modes")] == [
        ref("jira:1"),
        ref("jira:3"),
    ]
    assert await store.left_waiting("others") == []


async def test_what_is_not_pending_any_more_is_not_told(waits: Store) -> None:
    same = entry("jira:1", "x", applied=stored("x"))
    await waits.put_desired([same], {SLOT: waiting()})
    assert await waits.left_waiting("modes") == []


def plan(number: int, value: str = "x", command: str = "opsync sync") -> KeptPlan:
    one = KeptChange(
        slot=SLOT, verb=Verb.create, desired=stored(value), before=stored(None), mode=Mode.propose
    )
    return KeptPlan(number=number, at=NOW, command=command, changes=(one,))


async def test_a_plan_like_the_newest_is_kept_as_that_one(store: Store) -> None:
    assert await store.put_plan(plan(1), anew=False) == 1
    assert await store.put_plan(plan(2), anew=False) == 1
    assert await store.kept_plan(2) is None
    assert await store.put_plan(plan(3, "y"), anew=False) == 3
    assert await store.put_plan(plan(4), anew=False) == 4, "only the newest is looked at"
    assert await store.put_plan(plan(5)) == 5


async def test_a_plan_that_a_person_was_told_of_is_pushed_out_by_none_of_the_services(
    store: Store,
) -> None:
    await store.put_plan(plan(1))
    await store.put_plan(plan(2, "first"), told=False)
    await store.put_plan(plan(3, "next"), told=False)
    assert await store.put_plan(plan(4, "next"), anew=False) == 3, "a person is told of it"
    for number in range(5, 5 + KEPT):
        await store.put_plan(plan(number, f"{number}"), told=False, anew=False)
    assert await store.kept_plan(2) is None
    for number in (1, 3, 5):
        assert await store.kept_plan(number) is not None
    for number in range(100, 100 + KEPT - 1):
        await store.put_plan(plan(number))
    assert await store.kept_plan(1) is None
    for number in (3, 5):
        assert await store.kept_plan(number) is not None


@pytest.mark.parametrize(
    "other",
    [
        {"desired": stored("y")},
        {"mode": Mode.apply},
        {"verb": Verb.update},
        {"slot": slot("jira:2")},
        {"over_edit": True},
    ],
    ids=lambda one: next(iter(one)),
)
def test_plans_are_the_same_that_would_write_the_same(other: dict[str, object]) -> None:
    one = plan(1)
    named = msgspec.structs.replace(one.changes[0], group="Checkout", reason="as it is")
    assert one.same(msgspec.structs.replace(one, number=2, changes=(named,)))
    differs = msgspec.structs.replace(one.changes[0], **other)
    assert not one.same(msgspec.structs.replace(one, changes=(differs,)))
    assert not one.same(msgspec.structs.replace(one, changes=()))


def test_plans_are_the_same_in_whatever_order_they_note_their_columns() -> None:
    table, other = (KeptColumn("notion", "Notion", name, "Delivery") for name in ("One", "Two"))
    both = msgspec.structs.replace(plan(1), columns=(table, other))
    assert both.same(msgspec.structs.replace(both, columns=(other, table)))
    assert not both.same(msgspec.structs.replace(both, columns=(table,)))
