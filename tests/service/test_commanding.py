"""A person's command beside the service's own rounds: it holds up nobody, and tells what it did."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsync.errors import OpsyncError
from opsync.model import Ref
from opsync.report import PassReport
from opsync.service.commanding import carry_out
from opsync.service.reading import Command
from opsync.service.running import PATIENCE_S, Service
from tests.service.test_lasting import delivery, hanging, nothing, shown
from tests.service.virtual import Virtual
from tests.support.world import HOSTS, of


@pytest.fixture
def seldom(tmp_path: Path) -> Virtual:
    """Each instance is read once an hour, so that what happens sooner has another reason."""
    virtual = Virtual(tmp_path)
    for instance in virtual.world.raw["instances"].values():
        instance["every"] = "1h"
    return virtual


async def asked(service: Service, **wanted: Any) -> PassReport:
    """`opsync sync`, or what `wanted` makes of it."""
    async with service.commanded():
        return await carry_out(service, service.session, Command(name="opsync sync", **wanted))


def move(virtual: Virtual, key: str, status: str) -> Ref:
    """Somebody moves an issue; returns what the change signal names."""
    virtual.world.jira.poke_move(key, status)
    return Ref("jira-main", "issue", virtual.world.jira.issue(key).id)


async def soon(true: Any, within_s: float) -> None:
    """Wait until something is so."""
    for _ in range(int(within_s * 10)):
        if true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not within {within_s} s")


def test_while_a_command_waits_for_a_slow_tool_the_others_are_read_and_written(
    seldom: Virtual,
) -> None:
    slow = hanging(seldom, HOSTS["linear"], answers=True)

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        slow.on = True
        command = asyncio.create_task(asked(service))
        await asyncio.sleep(3)
        service.nudge("jira-main", [move(seldom, "MOB-3", "done")])
        await soon(lambda: "2 of 2" in delivery(seldom), 5)
        assert service.hands.doing == {"linear": "opsync sync"}
        service.nudge("jira-main", [move(seldom, "MOB-3", "todo")])
        await soon(lambda: "1 of 2" in delivery(seldom), 5)
        assert not command.done()
        slow.on = False
        report = await command
        assert of(report, "jira-main").complete
        await asyncio.sleep(60)
        assert service.hands.doing == {}

    seldom.play(story)


def test_while_a_command_writes_a_slow_tool_the_others_are_decided_and_written(
    seldom: Virtual,
) -> None:
    slow = hanging(seldom, HOSTS["linear"], answers=True)
    world = seldom.world

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        world.jira.poke_edit("PAY-3", "summary", "Tokenise all cards")
        slow.on = True
        command = asyncio.create_task(asked(service, only=frozenset({"jira-main"})))
        await asyncio.sleep(3)
        assert service.hands.doing == {"linear": "opsync sync"}, "it is being written"
        service.nudge("jira-main", [move(seldom, "MOB-3", "done")])
        await soon(lambda: "2 of 2" in delivery(seldom), 5)
        assert not command.done()
        slow.on = False
        report = await command
        assert {change.slot.target.instance for change, _ in report.outcomes} >= {"linear"}

    seldom.play(story)


def test_it_tells_what_it_read_and_wrote(seldom: Virtual) -> None:
    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        move(seldom, "MOB-3", "done")
        report = await asked(service)
        assert "2 of 2" in delivery(seldom)
        assert all(of(report, name).complete for name in seldom.world.vendors)
        assert of(report, "jira-main").changed == 1
        assert all(of(report, name).read_requests for name in seldom.world.vendors)
        assert report.applied
        assert report.applied == report.planned
        (run,) = [
            one for one in await service.session.store.last_runs(10) if one.command == "opsync sync"
        ]
        assert (run.seq, run.outcome) == (report.run, "done")
        assert run.counts["applied"] == report.applied

    seldom.play(story)


def test_a_plan_is_of_what_was_read_and_writes_nothing(seldom: Virtual) -> None:
    world = seldom.world
    world.raw["links"]["mode"] = world.raw["rollup"][0]["mode"] = "propose"

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        before = world.written()
        move(seldom, "MOB-3", "done")
        report = await asked(service, write=False)
        (mine,) = [
            one.change
            for one in report.plan.proposed
            if one.place == "Delivery" and one.group == "Loyalty"
        ]
        assert "2 of 2" in str(mine.desired)
        kept = await service.session.store.newest_plan()
        assert kept is not None
        assert kept.number == report.run
        assert world.written() == before

    seldom.play(story)


def test_what_others_have_all_the_time_it_does_without(seldom: Virtual) -> None:
    slow = hanging(seldom, HOSTS["linear"], answers=True)

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        slow.on = True
        service.nudge("linear", whole=True)
        await asyncio.sleep(5)
        assert service.hands.doing == {"linear": "read"}
        move(seldom, "MOB-3", "done")
        began = seldom.time.now
        report = await asked(service)
        assert seldom.time.now - began < PATIENCE_S + 10
        assert not of(report, "linear").pulled
        assert of(report, "jira-main").complete
        assert "2 of 2" in delivery(seldom)

    seldom.play(story)


def test_what_could_not_be_read_since_is_not_relied_on(seldom: Virtual) -> None:
    """Jira is read for the command, and fails while that waits for Linear."""
    slow = hanging(seldom, HOSTS["linear"], answers=True)
    gone = hanging(seldom, HOSTS["jira-main"], answers=False)

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        slow.on = True
        command = asyncio.create_task(asked(service))
        await asyncio.sleep(10)
        gone.on = True
        service.nudge("jira-main", whole=True)
        await soon(lambda: service.schedule.turns["jira-main"].trouble, 1500)
        assert not command.done()
        slow.on = False
        report = await command
        assert of(report, "jira-main").trouble == "incomplete"
        assert of(report, "jira-main").message

    seldom.play(story)


def test_a_reload_waits_for_a_command_and_the_command_is_told_all(seldom: Virtual) -> None:
    slow = hanging(seldom, HOSTS["linear"], answers=True)
    order: list[str] = []

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        slow.on = True

        async def command() -> None:
            report = await asked(service)
            assert of(report, "jira-main").complete
            order.append("command")

        async def reload() -> None:
            await service.use(replace(service.session), nothing)
            order.append("reload")

        first = asyncio.create_task(command())
        await asyncio.sleep(1)
        second = asyncio.create_task(reload())
        await asyncio.sleep(60)
        assert order == []
        slow.on = False
        await first
        await second

    seldom.play(story)
    assert order == ["command", "reload"]


def test_a_stop_ends_a_command_that_reads_and_nothing_is_written_after_it(
    seldom: Virtual,
) -> None:
    world = seldom.world
    slow = hanging(seldom, HOSTS["linear"], answers=True)

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        slow.on = True
        move(seldom, "MOB-3", "done")
        command = asyncio.create_task(asked(service))
        await asyncio.sleep(1)
        before, began = world.written(), seldom.time.now
        assert not await service.stop(10)
        assert seldom.time.now - began == pytest.approx(10, abs=1)
        assert command.cancelled()
        assert service.hands.doing == {}
        slow.on = False
        await asyncio.sleep(600)
        assert world.written() == before
        with pytest.raises(OpsyncError, match="stopping"):
            await asked(service)

    seldom.play(story)
    assert "1 of 2" in shown(world.loyalty)


def test_what_a_command_read_that_was_given_up_is_dealt_with(seldom: Virtual) -> None:
    slow = hanging(seldom, HOSTS["linear"], answers=True)

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        slow.on = True
        move(seldom, "MOB-3", "done")
        command = asyncio.create_task(asked(service))
        await asyncio.sleep(5)
        command.cancel()
        with pytest.raises(asyncio.CancelledError):
            await command
        await soon(lambda: "2 of 2" in delivery(seldom), 5)

    seldom.play(story)


def test_who_wants_all_alone_holds_none_while_it_waits_for_a_slow_tool(seldom: Virtual) -> None:
    slow = hanging(seldom, HOSTS["linear"], answers=True)

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        slow.on = True
        service.nudge("linear", whole=True)
        await asyncio.sleep(5)
        had: list[frozenset[str]] = []

        async def undo() -> None:
            async with service.alone("opsync undo 3") as mine:
                had.append(mine)

        command = asyncio.create_task(undo())
        await asyncio.sleep(3)
        service.nudge("jira-main", [move(seldom, "MOB-3", "done")])
        await soon(lambda: "2 of 2" in delivery(seldom), 5)
        assert not had
        await command
        assert had == [frozenset({"jira-main", "notion"})]

    seldom.play(story)
