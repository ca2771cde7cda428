"""Rules that propose: what waits, what an approval is for, and what a plan's number writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from opsync.engine.approving import approvals_of, chosen, unwritten
from opsync.engine.awaiting import awaiting
from opsync.engine.owning import refuse, remove_released
from opsync.errors import ConfigError
from opsync.model import Approval, KeptPlan
from opsync.model.ledger import Entry, Hold, HoldKind, digest, stored
from opsync.model.rules import HELD_FOR, LINKS_RULE, Mode
from opsync.report import PassReport
from opsync.store import Store
from tests.support.world import HOSTS, World, jira_url, troubles

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
REFUSED = {
    "object": "error",
    "status": 401,
    "code": "unauthorized",
    "message": "API token is invalid.",
}


@pytest.fixture
def world(world: World) -> World:
    """The company, whose rules propose."""
    world.raw["links"]["mode"] = "propose"
    world.raw["rollup"][0]["mode"] = "propose"
    return world


async def newest(world: World) -> KeptPlan:
    async with world.session() as session:
        found = await session.store.newest_plan()
    assert found is not None
    return found


async def carry_out(world: World, plan: KeptPlan) -> tuple[PassReport, dict[str, str]]:
    """Approve a plan and write it: the pass, and by place why something was not written."""
    world.clock.advance(60)
    async with world.session() as session:
        given = approvals_of(plan.changes, plan.number, by="ana", at=AT)
        await session.store.approve(list(given))
        report = await session.sync("apply", chosen=chosen(plan.changes))
        left = await unwritten(session.store, plan.changes, report, session.config)
    return report, {f"{one.change.tool} {one.change.place}": one.fate for one in left}


async def test_a_run_writes_nothing_and_keeps_its_plan(world: World) -> None:
    report = await world.sync()

    assert report.exit_code == 0, troubles(report)
    assert sum(world.written().values()) == 0
    assert report.plan.changes == []
    plan = await newest(world)
    assert plan.number == report.run
    assert len(plan.changes) == len(report.plan.proposed) > 10
    assert {one.mode for one in plan.changes} == {Mode.propose}


async def test_an_approved_plan_is_written_whole_and_nothing_waits_any_more(world: World) -> None:
    await world.sync()
    plan = await newest(world)

    report, left = await carry_out(world, plan)

    assert report.exit_code == 0, troubles(report)
    assert (report.applied, left) == (len(plan.changes), {})
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    again = await world.silent()
    assert again.plan.proposed == []


async def test_what_has_moved_since_is_left_and_told(world: World) -> None:
    """I20"""
    await world.sync()
    plan = await newest(world)
    world.jira.set_status("PAY-3", "Done")

    report, left = await carry_out(world, plan)

    assert left["Notion Delivery"] == "moved"
    columns = {column.name for column in world.source.schema.properties.values()}
    assert "Delivery" not in columns or not world.checkout.text("Delivery")
    assert world.loyalty.text("Delivery").startswith("1 of 2 done"), "the rest is written"
    assert report.plan.proposed == [], "it tells of the plan alone"
    waiting = (await world.sync()).plan.proposed
    assert "3 of 5 done" in {str(one.change.desired)[:11] for one in waiting}


async def test_what_is_not_tried_once_a_tool_refuses_to_be_written_says_so(world: World) -> None:
    for number in range(8):
        world.page(f"Initiative {number}", jira_url("PAY-2"))
    await world.sync()
    plan = await newest(world)

    def refuse(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(401, json=REFUSED) if request.method == "PATCH" else None

    world.net.before[HOSTS["notion"]] = refuse
    async with world.session() as session:
        await session.store.approve(list(approvals_of(plan.changes, plan.number, by="ana", at=AT)))
        report = await session.sync("apply", chosen=chosen(plan.changes))
        left = await unwritten(session.store, plan.changes, report, session.config)

    assert report.exit_code == 3
    assert len(left) > 8
    assert {one.fate for one in left} == {"stopped"}
    [why] = {one.why for one in left}
    assert why.startswith("writing to notion ended: Notion refused the token")


async def test_what_was_put_away_since_says_so_and_not_that_it_is_held(world: World) -> None:
    await world.sync()
    plan = await newest(world)
    world.linear.archive_issue("GRO-3")
    world.notion.trash(world.loyalty)

    world.clock.advance(60)
    async with world.session() as session:
        await session.store.approve(list(approvals_of(plan.changes, plan.number, by="ana", at=AT)))
        report = await session.sync("apply", full=True, chosen=chosen(plan.changes))
        left = await unwritten(session.store, plan.changes, report, session.config)

    assert report.exit_code == 0, troubles(report)
    there = "nothing can be written there: "
    assert {(one.change.target, one.fate, one.why) for one in left} == {
        ("GRO-3 Card form", "out of reach", there + "archived in Linear"),
        ("Roadmap: Loyalty", "out of reach", there + "gone since 2 Mar 2026: in the trash"),
        ("MOB-1 Loyalty core", "moved", "nothing should stand there any more"),
    }


async def test_what_a_tool_keeps_in_a_form_of_its_own_stands_there_already(world: World) -> None:
    await world.sync()
    plan = await newest(world)
    await carry_out(world, plan)
    one = next(change for change in plan.changes if change.place == "Delivery")

    async with world.session() as session:
        row = await session.store.entry(one.slot)
        assert row is not None
        await session.store.put_desired([replace(row, applied=stored("in its own form"))])
        [left] = await unwritten(session.store, [one], PassReport(9, "apply"), session.config)

    assert left.fate == "stands"


async def test_an_approval_is_for_one_value_and_lapses_with_it(world: World) -> None:
    await world.sync()
    await carry_out(world, await newest(world))
    world.jira.set_status("PAY-3", "Done")

    report = await world.sync()

    assert world.checkout.text("Delivery").startswith("2 of 5 done"), "the new value waits"
    assert "Delivery" in {one.place for one in report.plan.proposed}
    world.jira.set_status("PAY-3", "Doing")
    report = await world.sync()
    assert report.plan.proposed == [], "what stands there is right again"


async def test_a_value_that_comes_back_after_another_one_was_asked_for_waits_again(
    world: World,
) -> None:
    await world.sync()
    plan = await newest(world)
    async with world.session() as session:
        await session.store.approve(list(approvals_of(plan.changes, plan.number, by="ana", at=AT)))
    world.jira.set_status("PAY-3", "Done")
    await world.sync()
    world.jira.set_status("PAY-3", "Doing")

    report = await world.sync()

    assert "Delivery" in {one.place for one in report.plan.proposed}
    async with world.session() as session:
        lapsed = {str(one.slot) for one in plan.changes if one.place == "Delivery"}
        assert lapsed - {one.scope for one in await session.store.approvals()}


async def approve_all(world: World, store: Store) -> int:
    """Approve whatever waits for that by now, beside any pass: how many values that are."""
    waits = [one.change for one in await awaiting(world.config(), store) if one.why == "approve"]
    await store.approve(list(approvals_of(waits, 0, by="ana", at=world.clock.now())))
    return len(waits)


async def test_what_is_approved_while_a_pass_plans_is_written_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.sync()
    async with world.session() as session:
        await approve_all(world, session.store)
    world.jira.set_status("PAY-3", "Done")
    put_desired, approved = Store.put_desired, []

    async def then_approved(
        store: Store, entries: Sequence[Entry], *waits: Any, **before: Any
    ) -> None:
        await put_desired(store, entries, *waits, **before)
        approved.append(await approve_all(world, store))

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put_desired", then_approved)
        report = await world.sync()
    assert sum(approved) == len(report.plan.proposed) > 0

    report = await world.sync()
    assert (report.applied, report.plan.proposed) == (sum(approved), [])
    assert world.checkout.text("Delivery").startswith("3 of 5 done")


async def test_only_the_plans_changes_are_written_whatever_the_modes(world: World) -> None:
    """I20"""
    await world.sync()
    plan = await newest(world)
    some = [one for one in plan.changes if one.group == "Loyalty"]
    world.raw["links"]["mode"] = "apply"

    report, left = await carry_out(
        world, KeptPlan(number=plan.number, at=plan.at, command="", changes=tuple(some))
    )

    assert {change.slot for change, _ in report.outcomes} == {one.slot for one in some}
    assert left == {}


async def test_what_a_rule_only_observes_is_not_written_by_a_plan(world: World) -> None:
    world.raw["rollup"][0]["mode"] = "observe"
    await world.sync(write=False)

    report, left = await carry_out(world, await newest(world))

    assert left["Notion Delivery"] == "observed"
    written = {change.slot.rule for change, _ in report.outcomes}
    assert written == {"links"}


async def test_a_plan_of_rules_that_write_can_be_carried_out_too(world: World) -> None:
    world.raw["links"]["mode"] = world.raw["rollup"][0]["mode"] = "apply"
    await world.sync(write=False)
    plan = await newest(world)

    report, left = await carry_out(world, plan)

    assert (report.applied, left) == (len(plan.changes), {})
    async with world.session() as session:
        assert await session.store.approvals() == [], "they need none"


async def test_of_rules_that_write_a_plan_writes_no_value_that_it_did_not_show(
    world: World,
) -> None:
    world.raw["links"]["mode"] = world.raw["rollup"][0]["mode"] = "apply"
    await world.sync(write=False)
    plan = await newest(world)
    world.jira.set_status("PAY-3", "Done")

    report, left = await carry_out(world, plan)

    assert left["Notion Delivery"] == "moved"
    shown = {(one.slot, one.desired_hash) for one in plan.changes}
    written = {(change.slot, digest(stored(change.desired))) for change, _ in report.outcomes}
    assert written
    assert written <= shown


async def test_a_persons_edit_wins_over_an_approval(world: World) -> None:
    await world.sync()
    await carry_out(world, await newest(world))
    world.jira.set_status("PAY-3", "Done")
    await world.sync()
    plan = await newest(world)
    world.notion.edit_page(world.checkout, "Delivery", "Ask Dana")

    _, left = await carry_out(world, plan)

    assert world.checkout.text("Delivery") == "Ask Dana"
    assert left["Notion Delivery"] == "held"


async def refuse_all(world: World) -> None:
    """Refuse whatever waits for approval by now, as on the dashboard."""
    async with world.session() as session:
        waits = await awaiting(world.config(), session.store)
        found = [one.entry for one in waits if one.why == "approve"]
        await refuse(session.store, found, by="ben", at=world.clock.now())


async def test_what_was_refused_stays_as_it_stands_and_is_opsyncs_to_take_away(
    world: World,
) -> None:
    """A newer number was not wanted; that is no claim to the one that stands there."""
    await world.sync()
    await carry_out(world, await newest(world))
    world.jira.set_status("PAY-3", "Done")
    await world.sync()
    await refuse_all(world)

    for _ in range(2):
        report = await world.sync()
        assert report.plan.proposed == []
        assert (report.exit_code, world.checkout.text("Delivery")[:11]) == (0, "2 of 5 done")
    world.jira.set_status("PAY-4", "Done")
    assert (await world.sync()).plan.proposed == [], "of later numbers neither"
    kept = await world.entries(held=HoldKind.refused)
    assert kept
    assert {(one.hold.by, one.owned) for one in kept if one.hold is not None} == {("ben", True)}

    async with world.session() as session:
        owned = [one for one in await session.store.entries() if one.owned]
        await remove_released(session, owned, by="ana", command="opsync release --remove")
    assert world.checkout.text("Delivery") == ""


async def test_what_was_refused_over_an_edit_is_that_persons(world: World) -> None:
    await world.sync()
    await carry_out(world, await newest(world))
    world.notion.edit_page(world.checkout, "Delivery", "Ask Dana")
    await world.sync()
    world.clock.advance(HELD_FOR.total_seconds())
    assert "Delivery" in {one.place for one in (await world.sync()).plan.proposed}
    await refuse_all(world)

    world.jira.set_status("PAY-3", "Done")
    await world.sync()
    [kept] = await world.entries(held=HoldKind.theirs)
    assert not kept.owned
    assert world.checkout.text("Delivery") == "Ask Dana"


async def test_what_was_written_meanwhile_is_refused_no_more(world: World) -> None:
    await world.sync()
    async with world.session() as session:
        waits = [one.entry for one in await awaiting(world.config(), session.store)]
    await carry_out(world, await newest(world))
    async with world.session() as session:
        with pytest.raises(ConfigError, match="nothing was done"):
            await refuse(session.store, waits, by="ben", at=world.clock.now())
    assert all(one.hold is None for one in await world.entries())


async def test_what_stands_there_already_is_told_so(world: World) -> None:
    await world.sync()
    plan = await newest(world)
    await carry_out(world, plan)

    report, left = await carry_out(world, plan)

    assert report.applied == 0
    assert set(left.values()) == {"stands"}


async def test_a_rule_that_is_approved_writes_its_later_values_until_it_is_revoked(
    world: World,
) -> None:
    await world.sync()
    async with world.session() as session:
        rule = Approval(scope="roadmap", desired_hash="", by="ana", at=AT)
        await session.store.approve([rule])
    report = await world.sync()
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    assert {one.change.slot.rule for one in report.plan.proposed} == {"links"}
    world.jira.set_status("PAY-3", "Done")
    await world.sync()
    assert world.checkout.text("Delivery").startswith("3 of 5 done")

    async with world.session() as session:
        assert await session.store.disapprove("roadmap")
    world.jira.set_status("PAY-4", "Done")
    await world.sync()
    assert world.checkout.text("Delivery").startswith("3 of 5 done")


async def test_what_a_rule_does_not_want_any_more_waits_for_approval_too(world: World) -> None:
    await world.sync()
    await carry_out(world, await newest(world))
    world.linear.edit("GRO-3", description="It waits for nothing.")

    report = await world.sync()

    verbs = {one.change.verb.value for one in report.plan.proposed}
    assert verbs == {"remove"}
    assert world.attachments("GRO-3"), "it stands until that is approved"
    await carry_out(world, await newest(world))
    assert world.attachments("GRO-3") == []
    await world.silent()


async def test_a_connection_that_cannot_be_read_is_named(world: World) -> None:
    await world.sync()
    plan = await newest(world)
    world.notion.faults.outage = True

    report, left = await carry_out(world, plan)

    assert report.exit_code == 1
    assert left["Notion Delivery"] == "unread"
    assert all(not place.startswith("Jira Link") for place in left)


async def test_a_link_is_told_with_the_initiative_that_counts_its_item(world: World) -> None:
    found = (await world.sync(write=False)).plan.proposed
    groups = {one.target: one.group for one in found if one.change.slot.rule == "links"}
    assert groups == {
        "PAY-3 Tokenise cards": "One-tap checkout",
        "GRO-3 Card form": "GRO-3 Card form",
    }


async def test_what_waits_beside_a_write_is_counted_once(world: World) -> None:
    """PAY-1 gets its roadmap link and is asked about another one: before it is written, it is
    looked at and planned again."""
    world.raw["rollup"][0]["mode"] = "apply"
    world.linear.edit("GRO-3", description=f"Waits for {jira_url('PAY-1')}")

    report = await world.sync()

    assert [one["title"] for one in world.remote_links("PAY-1")] == ["Roadmap: One-tap checkout"]
    waiting = [f"{one.tool} {one.target}" for one in report.plan.proposed]
    assert sorted(waiting) == ["Jira PAY-1 Checkout core", "Linear GRO-3 Card form"]
    plan = await newest(world)
    assert len(plan.changes) == len({one.slot for one in plan.changes}) == 2
    report, left = await carry_out(world, plan)
    assert (report.applied, left) == (2, {})


async def test_what_is_held_beside_a_write_is_told_once(world: World) -> None:
    world.raw["links"]["mode"] = world.raw["rollup"][0]["mode"] = "apply"
    world.linear.edit("GRO-3", description=f"Waits for {jira_url('PAY-1')}")
    await world.sync()
    epic = (await world.record("PAY-1")).ref
    link = next(one.slot for one in await world.entries(target=epic) if one.slot.rule == LINKS_RULE)
    async with world.session() as session:
        await session.store.hold_slots({link: Hold(HoldKind.undone, "ana", AT)})
    world.jira.set_status("PAY-3", "Done")

    report = await world.sync()

    held = [f"{one.tool} {one.target}" for one in report.plan.held]
    assert held == ["Jira PAY-1 Checkout core"]
    written = {change.slot for change, _ in report.outcomes}
    assert written == {one.change.slot for one in report.plan.changes}, "each write has its name"
