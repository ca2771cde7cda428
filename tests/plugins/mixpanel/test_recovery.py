"""A process that dies while it moves an annotation leaves exactly one in the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from tests.plugins.mixpanel.world import PRODUCT, ROOT, World, desired, shipped, standing

from opsync import Slot, Value
from opsync.model.ledger import Entry, stored
from opsync.sandbox.mixpanel import MixpanelProject
from opsync.stages.places import Want
from opsync.stages.plan import plan

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SLOT = Slot(PRODUCT.ref, "annotation", "roadmap", ROOT)
OLD, NEW = date(2026, 2, 20), date(2026, 2, 24)


def before_anything(project: MixpanelProject, text: str) -> int:
    return project.add_annotation(OLD, text, author=project.account).id


def after_the_create(project: MixpanelProject, text: str) -> int:
    old = before_anything(project, text)
    project.add_annotation(NEW, text, author=project.account)
    return old


def after_the_delete(project: MixpanelProject, text: str) -> int:
    old = after_the_create(project, text)
    del project.annotations[old]
    return old


DIED = pytest.mark.parametrize(
    "died", [before_anything, after_the_create, after_the_delete], ids=lambda how: how.__name__
)
Died = Callable[[MixpanelProject, str], int]


async def next_run(world: World, want: Value, row: Entry) -> None:
    """Look, plan again and write, as the run after a crash does."""
    mixpanel = world.connect()
    wants = [] if want is None else [Want(SLOT, want)]
    found = await mixpanel.observe(PRODUCT)
    planned = plan(PRODUCT, wants, [row], mixpanel, now=NOW, run=8, seen=found)
    assert planned.held == planned.conflicts == ()
    if planned.changes:
        outcomes = [one async for one in mixpanel.apply(planned.changes, {PRODUCT.ref: PRODUCT})]
        assert not any(outcome.message for outcome in outcomes)


def interrupted(old: Value, new: Value, remote_id: int) -> Entry:
    """The ledger's row after a crash in the middle of a move."""
    return Entry(
        slot=SLOT,
        desired=stored(new),
        applied=stored(old),
        asked=stored(old),
        intent=stored(new),
        remote_id=str(remote_id),
    )


@DIED
async def test_a_move_is_neither_lost_nor_doubled(world: World, died: Died) -> None:
    mixpanel = world.connect()
    old, new = desired(mixpanel, shipped(OLD)), desired(mixpanel, shipped(NEW))
    text = shipped().text
    remote_id = died(world.project, text)

    await next_run(world, new, interrupted(old, new, remote_id))

    assert list(standing(world.project).values()) == [("2026-02-24", text)]


@DIED
async def test_a_release_that_is_taken_back_meanwhile_leaves_nothing(
    world: World, died: Died
) -> None:
    mixpanel = world.connect()
    old, new = desired(mixpanel, shipped(OLD)), desired(mixpanel, shipped(NEW))
    remote_id = died(world.project, shipped().text)

    await next_run(world, None, interrupted(old, new, remote_id))

    assert standing(world.project) == {}


@DIED
async def test_with_the_store_lost_too_one_remains(world: World, died: Died) -> None:
    new = desired(world.connect(), shipped(NEW))
    text = shipped().text
    died(world.project, text)

    await next_run(world, new, Entry(slot=SLOT))

    assert list(standing(world.project).values()) == [("2026-02-24", text)]


@DIED
async def test_a_release_that_is_moved_back_meanwhile_stands_once(world: World, died: Died) -> None:
    mixpanel = world.connect()
    old, new = desired(mixpanel, shipped(OLD)), desired(mixpanel, shipped(NEW))
    text = shipped().text
    remote_id = died(world.project, text)

    await next_run(world, old, interrupted(old, new, remote_id))

    assert list(standing(world.project).values()) == [("2026-02-20", text)]


@DIED
async def test_with_the_store_lost_it_stands_once_on_the_day_that_is_told(
    world: World, died: Died
) -> None:
    old = desired(world.connect(), shipped(OLD))
    text = shipped().text
    died(world.project, text)

    await next_run(world, old, Entry(slot=SLOT))

    assert list(standing(world.project).values()) == [("2026-02-20", text)]
