"""Taking back: a run, a change, an item; what stays, and that nothing comes back by itself."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from opsync.engine.undoing import TakenBack, undo, writes_of
from opsync.model import Ref
from opsync.model.ledger import HoldKind
from opsync.stages.apply import ApplyReport, apply
from opsync.store import Store
from opsync_jira import Jira
from tests.support.world import World


async def undo_run(world: World, run: int, *, dry: bool = False) -> TakenBack:
    world.clock.advance(60)
    async with world.session("undo") as session:
        rows = await writes_of(session.store, run=run)
        why, command = f"undo of run {run}", f"opsync undo {run}"
        return await undo(session, rows, why=why, by="ana", command=command, dry=dry)


async def undo_item(world: World, ref: Ref) -> TakenBack:
    world.clock.advance(60)
    async with world.session("undo") as session:
        rows = await writes_of(session.store, item=ref)
        return await undo(session, rows, why="undo", by="ana", command="opsync undo X")


async def three_runs(world: World) -> None:
    """Nothing comes back in them, though one reads everything again."""
    for full in (False, True, False):
        report = await world.sync(full=full)
        assert report.applied == 0, [c.slot for c, _ in report.outcomes]


def standing(world: World) -> dict[str, Any]:
    """All that opsync may have written anywhere."""
    return {
        "columns": {name: world.checkout.text(name) for name in own_columns(world)},
        "loyalty": {name: world.loyalty.text(name) for name in own_columns(world)},
        "jira": [world.remote_links(key) for key in ("PAY-1", "PAY-3", "MOB-1")],
        "attachments": [world.attachments(key) for key in ("GRO-1", "GRO-3")],
        "projects": world.project_links(),
    }


def own_columns(world: World) -> list[str]:
    names = {column.name for column in world.source.schema.properties.values()}
    return sorted(name for name in names if name.startswith(("Delivery", "Work")))


async def test_the_undo_of_a_first_run_takes_away_all_that_it_made(world: World) -> None:
    first = await world.sync()
    done = await undo_run(world, first.run)
    assert done.left == []
    assert len(done.written) == first.applied > 10
    found = standing(world)
    assert not any(found["jira"])
    assert not any(found["attachments"])
    assert found["projects"] == []
    assert own_columns(world) == [], "the columns went along, since nothing is in them"
    await three_runs(world)
    assert standing(world) == found


@pytest.mark.slow
async def test_the_undo_of_a_later_run_puts_back_what_stood_before_it(world: World) -> None:
    await world.sync()
    before = standing(world)
    world.jira.set_status("PAY-3", "Done")
    second = await world.sync()
    assert world.checkout.text("Delivery").startswith("3 of 5 done")

    done = await undo_run(world, second.run)

    assert (done.left, len(done.written)) == ([], second.applied)
    assert standing(world) == before
    await three_runs(world)
    assert standing(world) == before
    world.jira.set_status("PAY-4", "Done")
    report = await world.sync()
    assert world.checkout.text("Delivery").startswith("2 of 5 done"), "whatever it should be"
    assert {one.kind for one in report.plan.held} == {"settled"}
    assert report.exit_code == 0


@pytest.mark.slow
async def test_an_undo_can_be_undone_and_lets_go_then(world: World) -> None:
    await world.sync()
    world.jira.set_status("PAY-3", "Done")
    second = await world.sync()
    after = standing(world)
    first = await undo_run(world, second.run)

    again = await undo_run(world, first.run)

    assert (again.left, len(again.written)) == ([], second.applied)
    assert standing(world) == after
    await world.silent()
    world.jira.set_status("PAY-4", "Done")
    await world.sync()
    assert world.checkout.text("Delivery").startswith("4 of 5 done"), "it is kept up again"


async def test_what_a_person_edited_or_removed_is_left_and_told(world: World) -> None:
    first = await world.sync()
    world.notion.edit_page(world.checkout, "Delivery", "Ask Dana")
    issue = world.jira.issue("PAY-3")
    world.jira.remote_links[issue.id].clear()

    done = await undo_run(world, first.run)

    left = {(one.slot.target.instance, one.slot.surface): one.left.why for one in done.left}
    assert left[("notion", "delivery")] == "edited"
    assert set(left.values()) == {"edited"}
    assert done.exit_code == 1
    assert world.checkout.text("Delivery") == "Ask Dana"
    assert world.remote_links("PAY-3") == [], "it is gone as it was to be"
    assert len(done.written) == first.applied - 2
    await three_runs_after_an_edit(world)


async def three_runs_after_an_edit(world: World) -> None:
    await three_runs(world)
    assert world.checkout.text("Delivery") == "Ask Dana"
    assert world.remote_links("PAY-3") == []


async def test_what_a_later_run_wrote_is_left_to_an_undo_of_that_run(world: World) -> None:
    first = await world.sync()
    world.jira.set_status("PAY-3", "Done")
    second = await world.sync()

    done = await undo_run(world, first.run)

    assert {(one.left.why, one.left.run) for one in done.left} == {("written since", second.run)}
    assert len(done.left) == second.applied
    assert world.checkout.text("Delivery").startswith("3 of 5 done")


@pytest.mark.slow
async def test_once_that_run_is_undone_the_earlier_one_can_be(world: World) -> None:
    empty = standing(world)
    first = await world.sync()
    made = standing(world)
    world.jira.set_status("PAY-3", "Done")
    second = await world.sync()
    await undo_run(world, second.run)
    assert standing(world) == made

    done = await undo_run(world, first.run)

    assert (done.left, len(done.written)) == ([], first.applied)
    assert {k: v for k, v in standing(world).items() if "columns" not in k} == {
        k: v for k, v in empty.items() if "columns" not in k
    }
    assert not any(world.checkout.text(name) for name in own_columns(world))
    await three_runs(world)


async def test_the_undo_of_an_item_takes_back_all_of_its_runs_and_no_other_item_s(
    world: World,
) -> None:
    await world.sync()
    world.jira.set_status("PAY-3", "Done")
    await world.sync()
    record = await world.record("One-tap checkout")

    done = await undo_item(world, record.ref)

    assert done.left == []
    assert {world.checkout.text(name) for name in own_columns(world)} == {""}
    assert world.remote_links("PAY-1") == [], "its summary in another tool is about it, too"
    assert world.loyalty.text("Delivery").startswith("1 of 2 done")
    await three_runs(world)
    assert {world.checkout.text(name) for name in own_columns(world)} == {""}


async def test_the_undo_of_a_removal_puts_back_what_was_removed_for_good(world: World) -> None:
    await world.sync()
    world.linear.edit("GRO-3", description="It waits for nothing.")
    second = await world.sync()
    assert world.attachments("GRO-3") == []

    done = await undo_run(world, second.run)

    assert done.left == []
    assert len(world.attachments("GRO-3")) == 1
    assert len(world.remote_links("PAY-3")) == 1
    await three_runs(world)
    assert len(world.attachments("GRO-3")) == 1


async def test_a_look_at_an_undo_changes_nothing(world: World) -> None:
    first = await world.sync()
    before, sent = standing(world), world.written()
    found = await undo_run(world, first.run, dry=True)
    assert len(found.would) == first.applied
    assert (found.run, found.left, found.done) == (0, [], [])
    assert (standing(world), world.written()) == (before, sent)
    await world.silent()


async def test_a_value_stays_undone_when_its_rule_is_renamed(world: World) -> None:
    first = await world.sync()
    await undo_run(world, first.run)
    world.raw["rollup"][0]["name"] = "delivery"
    await world.sync()
    assert own_columns(world) == []
    assert world.remote_links("PAY-1") == []


@pytest.mark.slow
async def test_a_value_stays_undone_when_its_page_was_in_the_trash(world: World) -> None:
    first = await world.sync()
    await undo_run(world, first.run)
    world.notion.trash(world.checkout)
    await world.sync(full=True)
    assert (await world.record("One-tap checkout")).tombstone
    world.notion.restore(world.checkout)
    world.notion.edit_page(world.checkout, "Name", "One-tap checkout, again")
    await world.sync(full=True)
    assert own_columns(world) == []


async def test_a_write_that_fails_leaves_the_value_opsync_s(world: World) -> None:
    first = await world.sync()
    world.notion.faults.outage = True

    done = await undo_run(world, first.run)

    assert {one.left.why for one in done.left} == {"unread"}
    assert {one.slot.target.instance for one in done.left} == {"notion"}
    world.notion.faults.outage = False
    assert [e for e in await world.entries(instance="notion") if e.hold is not None] == []
    again = await undo_run(world, first.run)
    assert {change.slot.target.instance for change in again.written} == {"notion"}
    assert again.left == []


async def test_an_undo_that_stops_at_one_item_holds_nothing_at_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Jira, "batch", 10)
    first = await world.sync()
    numbers = sorted(world.jira.issue(key).id for key in ("PAY-1", "PAY-3", "MOB-1"))

    def cut(request: httpx.Request) -> None:
        if f"/issue/{numbers[-1]}/" in request.url.path:
            raise httpx.ConnectError("Connection refused", request=request)

    world.net.before["harbor.atlassian.net"] = cut
    done = await undo_run(world, first.run)
    world.net.before.clear()
    left = {one.slot for one in done.left}
    assert {slot.target.id for slot in left} == {str(number) for number in numbers}
    async with world.session() as session:
        for slot in left:
            [entry] = [
                one
                for one in await session.store.entries(target=slot.target, limit=99)
                if one.slot == slot
            ]
            assert entry.hold is None, "it stands, and is opsync's"
    assert await undo_run(world, first.run)
    assert not any(standing(world)["jira"])


async def test_a_pause_that_comes_while_an_undo_looks_leaves_all_as_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await world.sync()
    stood = standing(world)

    async def paused_after_a_look(*given: Any, again: Any, **more: Any) -> ApplyReport:
        looked = False

        async def may_go() -> bool:
            return not looked

        async def look(*seen: Any) -> Any:
            nonlocal looked
            looked = True
            world.clock.advance(120)
            return await again(*seen)

        return await apply(*given, **more | {"may_go": may_go, "again": look})

    with monkeypatch.context() as patch:
        patch.setattr("opsync.engine.taking.apply", paused_after_a_look)
        done = await undo_run(world, first.run)
    assert done.written == []
    assert {one.left.why for one in done.left} <= {"failed", "paused"}
    assert {one.message for one in done.left} >= {"Writes were paused meanwhile."}
    assert standing(world) == stood
    assert [one for one in await world.entries() if one.hold is not None] == []
    again = await undo_run(world, first.run)
    assert len(again.written) == len(done.left)


@pytest.mark.slow
async def test_what_process_death_leaves_of_an_undo_does_not_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await world.sync()

    class Death(BaseException):
        pass

    async def dies(*args: object, **more: object) -> None:
        raise Death

    with monkeypatch.context() as patch:
        patch.setattr(Store, "begin_changes", dies)
        with pytest.raises(Death):
            await undo_run(world, first.run)
    held = [e for e in await world.entries() if e.hold and e.hold.kind is HoldKind.undone]
    assert held, "what is to be undone is known before the first write"
    await undo_run(world, first.run)
    await three_runs(world)
    assert own_columns(world) == []


@pytest.mark.slow
async def test_after_a_lost_store_an_undone_value_is_planned_once_and_not_doubled(
    world: World,
) -> None:
    first = await world.sync()
    stood = standing(world)
    await undo_run(world, first.run)
    world.lose_store()
    world.raw["links"]["mode"] = world.raw["rollup"][0]["mode"] = "propose"
    report = await world.sync()
    assert (report.applied, len(report.plan.proposed)) == (0, first.applied), "they wait"
    world.raw["links"]["mode"] = world.raw["rollup"][0]["mode"] = "apply"
    await world.sync()
    assert {k: _without_ids(v) for k, v in standing(world).items()} == {
        k: _without_ids(v) for k, v in stood.items()
    }


def _without_ids(found: Any) -> str:
    """As a text, without the numbers that a tool gives to what is made again."""
    return re.sub(r"'id': \S+", "", str(found))
