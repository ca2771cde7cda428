"""What a tool refuses is told, whether in reading or in writing; and what stays set aside is."""

from __future__ import annotations

from collections.abc import Iterable

import httpx
import pytest

from opsync.engine.overview import Overview, overview
from opsync.sandbox.notion import DataSource
from tests.scenarios.test_bad_input_records import break_one, edit_all
from tests.scenarios.test_set_aside import refuse_links
from tests.scenarios.test_watching import Hooks, kinds
from tests.support.world import HOSTS, World, of, troubles

HOUR = 3600


async def status(world: World) -> Overview:
    async with world.session("status") as session:
        return await overview(world.config(), session.store, world.clock.now())


def second_database(world: World) -> DataSource:
    """A second feed of Notion, with a page of its own."""
    database = world.notion.add_database(
        "Bets",
        properties={"Name": {"title": {}}, "Tracked in": {"rich_text": {}}},
    )
    world.notion.add_page(database.data_source, {"Name": "A bet", "Tracked in": ""})
    world.raw["instances"]["notion"]["data_sources"].append({"id": database.data_source.id})
    return database.data_source


CODES = {403: "restricted_resource", 404: "object_not_found", 400: "validation_error"}
KINDS = {403: "signed out", 404: "refused", 400: "refused"}
"""What each answer of Notion is told as."""


def refuse(world: World, sources: Iterable[DataSource], status: int = 403) -> None:
    """Notion gives these to the connection no longer."""
    ids = [source.id for source in sources]

    def answer(request: httpx.Request) -> httpx.Response | None:
        if any(id_ in request.url.path for id_ in ids):
            body = {"object": "error", "status": status, "code": CODES[status], "message": "No."}
            return httpx.Response(status, json=body)
        return None

    world.net.before[HOSTS["notion"]] = answer


@pytest.mark.slow
@pytest.mark.parametrize("code", KINDS)
async def test_one_stream_that_is_refused_is_told_at_once_and_no_run_is_a_success(
    settled: World, code: int
) -> None:
    """Trouble 6: a connector whose streams were all refused once reported success."""
    bets = second_database(settled)
    assert (await settled.sync()).exit_code == 0
    refuse(settled, [bets], code)

    report = await settled.sync()

    assert report.exit_code == (3 if code == 403 else 1), troubles(report)
    assert of(report, "notion").message
    assert kinds(report) == [(KINDS[code], "notion")]
    if code != 403:
        assert report.alarms[0].what == f"the tool refuses to give {bets.id}"
    async with settled.session() as session:
        run = (await session.store.last_runs(1))[0]
    assert run.outcome != "done"
    assert [one.outcome for one in run.instances if one.instance == "notion"] != ["complete"]
    found = await status(settled)
    assert not found.healthy
    settled.net.before.clear()
    report = await settled.sync()
    assert (report.exit_code, kinds(report)) == (0, [])


@pytest.mark.sampled
@pytest.mark.parametrize("code", KINDS)
async def test_where_all_streams_are_refused_no_run_is_a_success(settled: World, code: int) -> None:
    """Trouble 6"""
    refuse(settled, [second_database(settled), settled.source], code)
    for _ in range(3):
        report = await settled.sync()
        assert report.exit_code in (1, 3)
        assert not (await status(settled)).healthy
    report = await settled.sync(only=frozenset({"linear"}))
    assert report.exit_code in (1, 3), "a run that reads something else says so as well"


async def test_a_sign_in_that_is_refused_in_writing_stays_told_while_its_write_waits(
    world: World,
) -> None:
    hooks = Hooks(world)
    refuse_links(world, "PAY-1", status=401)
    report = await world.sync()
    assert report.exit_code == 3
    assert kinds(report) == [("signed out", "jira-main")]
    world.clock.advance(-30)  # within the pause after which it is tried again
    report = await world.sync()
    assert report.exit_code == 1
    assert kinds(report) == [("signed out", "jira-main")]
    [alarm] = report.alarms
    assert alarm.what == "its sign-in was refused when something was to be written"
    assert [one.kind for one in (await status(world)).alarms] == ["signed out"]
    assert hooks.pings == []
    world.net.before.pop(HOSTS["jira-main"])
    world.clock.advance(HOUR)
    report = await world.sync()
    assert (report.exit_code, kinds(report)) == (0, []), troubles(report)
    assert hooks.pings == ["GET"], "the watchdog hears of good runs alone"


@pytest.mark.slow
async def test_what_is_set_aside_for_more_than_a_day_is_an_alarm_until_it_is_mended(
    settled: World,
) -> None:
    hooks = Hooks(settled)
    edit_all(settled, "Renamed")
    break_one(settled, "linear")
    report = await settled.sync()
    assert kinds(report) == []
    since = settled.clock.now()
    settled.clock.advance(25 * HOUR)
    report = await settled.sync()
    assert kinds(report) == [("set aside", "linear")]
    [alarm] = report.alarms
    assert alarm.what == "1 item could not be read, the oldest for more than 1 day"
    assert alarm.since == since
    assert [one.kind for one in (await status(settled)).alarms] == ["set aside"]
    assert hooks.changes()[-1] == [("new", "set aside", "linear")]
    assert "GRO-2" not in str(hooks.messages)
    settled.net.spoil.clear()
    settled.clock.advance(25 * HOUR)
    report = await settled.sync()
    assert (report.exit_code, kinds(report)) == (0, [])
    assert hooks.changes()[-1] == [("over", "set aside", "linear")]


async def test_more_than_so_many_set_aside_are_an_alarm_at_once(settled: World) -> None:
    settled.raw["watch"] = {"set_aside_most": 0}
    edit_all(settled, "Renamed")
    break_one(settled, "linear")
    report = await settled.sync()
    assert kinds(report) == [("set aside", "linear")]


async def test_a_write_that_stays_refused_is_an_alarm_too(world: World) -> None:
    refuse_links(world, "PAY-1")
    await world.sync()
    world.clock.advance(25 * HOUR)
    report = await world.sync()
    assert kinds(report) == [("set aside", "jira-main")]
    assert report.alarms[0].what.startswith("1 value could not be written")
