"""What people did to annotations, which no reading shows: the service looks once a day."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from opsync.engine.owning import unsettled
from opsync.model import Note
from opsync.report import PassReport
from opsync.sandbox.notion import Page
from opsync.service.commanding import carry_out
from opsync.service.nudges import Nudge
from opsync.service.reading import Command, Inbox, take_turn
from opsync.service.running import Service
from tests.service.virtual import Virtual
from tests.support.meter import MeterTool, add_meter, days_ago, measures

HOUR_S = 3_600
FULL = Command(name="opsync sync", full=True)


class Shipped(Virtual):
    """The company with an analytics tool, in which the checkout is done and announced."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.tool: MeterTool = add_meter(self.world)
        measures(self.world, released="Released", announce_in=["meter"])
        for instance in self.world.raw["instances"].values():
            instance["every"] = "1h"
        self.ship(self.world.checkout)

    def ship(self, page: Page) -> None:
        self.world.notion.edit_page(page, "Status", "Done")
        day = days_ago(self.world, 19).isoformat()
        self.world.notion.edit_page(page, "Released", day)

    def edit(self) -> None:
        """Somebody words the only annotation otherwise."""
        [(id_, note)] = self.tool.notes.items()
        self.tool.notes[id_] = Note(note.on, f"Our best day {note.marker}")


@pytest.fixture
def shipped(tmp_path: Path) -> Shipped:
    return Shipped(tmp_path)


async def edits(service: Service) -> int:
    """How many annotations the ledger has as people's."""
    return sum(map(unsettled, await service.session.store.entries(instance="meter")))


async def asked(service: Service) -> PassReport:
    async with service.commanded():
        return await carry_out(service, service.session, FULL)


@pytest.mark.slow
def test_an_edit_is_noticed_within_a_day_and_costs_one_request(shipped: Shipped) -> None:
    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        shipped.edit()
        shipped.tool.forget()
        await asyncio.sleep(20 * HOUR_S)
        assert await edits(service) == 0
        await asyncio.sleep(6 * HOUR_S)
        assert await edits(service) == 1
        assert shipped.tool.requests.count("notes") == 1
        await asyncio.sleep(25 * HOUR_S)
        assert shipped.tool.requests.count("notes") == 2

    shipped.play(story)


def test_an_edit_is_noticed_by_a_full_sync_that_the_service_carries_out(shipped: Shipped) -> None:
    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        shipped.edit()
        report = await asked(service)
        assert [(one.kind, one.group) for one in report.plan.held] == [
            ("conflict", "One-tap checkout")
        ]
        assert report.exit_code == 1

    shipped.play(story)


def test_a_look_from_before_a_write_there_counts_no_more(shipped: Shipped) -> None:
    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        async with service.hands.holding(["meter"]):
            turn = await take_turn(service.session, "meter", Nudge(whole=True), FULL)
        assert len(turn.looks) == 1
        shipped.ship(shipped.world.loyalty)
        await asyncio.sleep(HOUR_S)
        assert len(shipped.tool.notes) == 2

        async def take() -> frozenset[str]:
            return await service.hands.take_all("sync", 1.0)

        async with service.commanded():
            async with service.deciding:
                found = await service.decide(service.session, FULL, {"meter": turn}, take)
            report = await service.write(found)
        assert (report.plan.held, report.applied) == ([], 0)
        assert await edits(service) == 0

    shipped.play(story)


def test_a_look_waits_with_its_turn_until_it_is_decided_from(shipped: Shipped) -> None:
    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        inbox = Inbox()
        for command in (FULL, Command()):
            async with service.hands.holding(["meter"]):
                turn = await take_turn(service.session, "meter", Nudge(whole=True), command)
            inbox.put(turn)
        assert not turn.looks
        [kept] = inbox.take().values()
        assert kept.brought
        assert len(kept.looks) == 1

    shipped.play(story)
