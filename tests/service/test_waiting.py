"""Beside a service, what waits for a person's word makes no runs until it is said."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsync.engine.approving import approvals_of, chosen
from opsync.model import KeptPlan
from opsync.report import PassReport
from opsync.service.commanding import carry_out
from opsync.service.reading import Command
from opsync.service.running import Service
from opsync.store import approving
from tests.service.virtual import Virtual

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR_S = 3600


@pytest.fixture
def virtual(tmp_path: Path) -> Virtual:
    return Virtual(tmp_path)


def in_mode(virtual: Virtual, mode: str) -> Virtual:
    virtual.world.raw["links"]["mode"] = virtual.world.raw["rollup"][0]["mode"] = mode
    return virtual


async def runs(service: Service) -> int:
    return (await service.session.store.last_runs(1))[0].seq


async def newest(service: Service) -> KeptPlan:
    found = await service.session.store.newest_plan()
    assert found is not None
    return found


async def asked(service: Service, command: Command) -> PassReport:
    async with service.commanded():
        return await carry_out(service, service.session, command)


def test_the_newest_plan_that_a_person_was_told_of_is_none_of_the_services(
    virtual: Virtual,
) -> None:
    world = in_mode(virtual, "propose").world

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        report = await asked(service, Command(name="opsync plan", write=False))
        world.page("Brand new", "MOB-2")
        await asyncio.sleep(200)
        store = service.session.store
        found = await store.newest_plan(told=True)
        assert found is not None
        assert (found.number, len(found.changes)) == (report.run, len(report.plan.proposed))
        since = await newest(service)
        assert (since.number > found.number, len(since.changes) > len(found.changes)) == (
            True,
            True,
        )

    virtual.play(story)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["propose", "observe", "apply"])
def test_in_two_hours_in_which_nothing_changes_it_makes_no_run(virtual: Virtual, mode: str) -> None:
    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        before = await runs(service)
        await asyncio.sleep(2 * HOUR_S)
        assert await runs(service) == before

    in_mode(virtual, mode).play(story)


@pytest.mark.slow
def test_a_plan_that_a_person_was_told_of_can_be_carried_out_whatever_the_service_plans(
    virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approving, "KEPT", 2)
    world = in_mode(virtual, "propose").world

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        report = await asked(service, Command(name="opsync sync"))
        number = report.kept_as
        for turn in range(4):
            world.jira.set_status("MOB-3", "Doing" if turn % 2 else "Done")
            await asyncio.sleep(120)
        assert await service.session.store.kept_plan(report.run + 1) is None, "it is forgotten"
        plan = await service.session.store.kept_plan(number)
        assert plan is not None
        changes = [one for one in plan.changes if one.group == "One-tap checkout"]
        given = approvals_of(changes, number, by="ana", at=AT)
        await service.session.store.approve(list(given))
        command = Command(name=f"opsync apply {number}", chosen=chosen(changes))
        assert (await asked(service, command)).applied == len(changes)
        assert world.checkout.text("Delivery").startswith("2 of 5 done")

    virtual.play(story)


@pytest.mark.slow
def test_an_approval_is_written_within_a_round_and_makes_no_more_than_it_needs(
    virtual: Virtual,
) -> None:
    world = in_mode(virtual, "propose").world

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        before, plan = await runs(service), await newest(service)
        given = approvals_of(plan.changes, plan.number, by="ana", at=AT)
        await service.session.store.approve(list(given))
        service.decide_again()  # as the dashboard and the commands say
        await asyncio.sleep(30)
        assert world.checkout.text("Delivery").startswith("2 of 5 done")
        await asyncio.sleep(HOUR_S)
        assert await runs(service) <= before + 4

    virtual.play(story)


@pytest.mark.slow
def test_an_approval_that_nobody_tells_it_of_is_found_with_the_next_turn(virtual: Virtual) -> None:
    world = in_mode(virtual, "propose").world

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        plan = await newest(service)
        given = approvals_of(plan.changes, plan.number, by="ana", at=AT)
        await service.session.store.approve(list(given))
        await asyncio.sleep(300)
        assert world.checkout.text("Delivery").startswith("2 of 5 done")

    virtual.play(story)
