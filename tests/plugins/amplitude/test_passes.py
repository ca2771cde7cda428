"""Whole passes over a simulated project: use is read into the rollup, releases are told once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from opsync.model import Adoption, Kind
from opsync.sandbox.amplitude import AmplitudeProject, Annotation
from opsync.sandbox.notion import Page
from opsync.sandbox.usage import Behaviour, History
from tests.support.world import World, troubles

SECRET = "amplitude-canary-7c1f-never-shown"
SHIPPED = date(2026, 2, 1)
MANAGEMENT = "amplitude_sandbox_management"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The company, whose roadmap has columns for what is measured."""
    made = World(tmp_path)
    for column, type_ in (("Flag", "rich_text"), ("Chart", "url"), ("Shipped", "date")):
        made.source.schema.add(column, {type_: {}})
    made.raw["time_zone"] = "Europe/Berlin"
    return made


@pytest.fixture
def project(world: World) -> AmplitudeProject:
    """Amplitude beside the other tools, with an event and a flag."""
    history = History(
        now=world.clock.now,
        zone=ZoneInfo("Europe/Berlin"),
        events={"Payout": Behaviour(24, released=SHIPPED, after=38), "Checkout": Behaviour(40)},
        flags={"instant-payouts": Behaviour(20)},
    )
    made = AmplitudeProject(history=history, now=world.clock.now, secret_key=SECRET)
    made.add_chart("abc123", "Checkouts", {"All": ("event", "Checkout", "uniques")}, days=90)
    world.net.hosts["amplitude.com"] = httpx.ASGITransport(made.app)
    world.net.hosts["experiment.amplitude.com"] = httpx.ASGITransport(made.app)
    world.vendors["amplitude"] = made
    world.raw["instances"]["amplitude"] = {
        "connector": "amplitude",
        "project": "123456",
        "api_key": "amplitude_sandbox_key",
        "secret_key": SECRET,
        "management_key": MANAGEMENT,
        "time_zone": "Europe/Berlin",
    }
    return made


def measures(world: World, *metrics: dict[str, Any], announces: bool = False) -> None:
    """Let the roadmap's rule measure these, each in Amplitude."""
    (rule,) = world.raw["rollup"]
    rule["metric"] = [{"instance": "amplitude", **one} for one in metrics]
    rule["released"] = "Shipped"
    rule["announce_in"] = ["amplitude"] if announces else []


def ship(world: World, page: Page, on: date = SHIPPED) -> None:
    """Set an initiative to done, with the day on which it was shipped."""
    world.notion.poke_move(page.title, "done")
    world.notion.edit_page(page, "Shipped", on)


async def told(world: World, project: AmplitudeProject) -> Annotation:
    """The one annotation, after a pass in which an initiative was shipped."""
    measures(world, {"event": "Payout"}, announces=True)
    ship(world, world.checkout)
    await world.sync()
    (annotation,) = project.held.annotations.values()
    return annotation


async def use_of(world: World, page: Page) -> Adoption:
    (found,) = (await world.rollup(page)).adoption
    return found


async def test_use_before_and_after_a_release_reaches_the_rollup(
    world: World, project: AmplitudeProject
) -> None:
    measures(world, {"event": "Payout"})
    ship(world, world.checkout)

    report = await world.sync()

    assert report.exit_code == 0, troubles(report)
    found = await use_of(world, world.checkout)
    assert found.effect is not None
    assert (found.effect.before, found.effect.after) == (24, 38)
    assert found.trouble == ""


async def test_a_second_pass_of_the_day_asks_amplitude_nothing(
    world: World, project: AmplitudeProject
) -> None:
    measures(world, {"event": "Payout"}, {"event": "Checkout"}, announces=True)
    ship(world, world.checkout)
    await world.sync()
    before = project.read_requests, project.write_requests

    await world.silent()

    assert (project.read_requests, project.write_requests) == before


async def test_the_next_day_takes_one_request_and_tells_the_users_of_the_window(
    world: World, project: AmplitudeProject
) -> None:
    measures(world, {"event": "Payout"})
    await world.sync()
    before = project.read_requests
    assert (await use_of(world, world.checkout)).users is None
    world.clock.advance(24 * 3600)

    await world.sync()

    assert project.read_requests == before + 1
    found = await use_of(world, world.checkout)
    assert found.window is not None
    days = found.window.dates()
    assert found.users == len(project.history.users_in("event", "Payout", days))


@pytest.mark.slow
async def test_a_release_is_told_once_moved_and_taken_back(
    world: World, project: AmplitudeProject
) -> None:
    annotation = await told(world, project)
    assert annotation.label == "Shipped: One-tap checkout"
    assert world.checkout.url in (annotation.details or "")
    assert annotation.start.astimezone(ZoneInfo("Europe/Berlin")).date() == SHIPPED
    await world.silent()

    world.notion.edit_page(world.checkout, "Shipped", date(2026, 2, 4))
    await world.sync()
    assert [one.id for one in project.held.annotations.values()] == [annotation.id]
    assert annotation.start.astimezone(ZoneInfo("Europe/Berlin")).date() == date(2026, 2, 4)
    await world.silent()

    world.notion.poke_move(world.checkout.title, "in_progress")
    await world.sync()
    assert project.held.annotations == {}
    await world.silent()

    world.notion.poke_move(world.checkout.title, "done")
    await world.sync()
    assert len(project.held.annotations) == 1
    await world.silent()


@pytest.mark.slow
async def test_a_lost_store_makes_no_second_annotation(
    world: World, project: AmplitudeProject
) -> None:
    await told(world, project)
    world.lose_store()

    await world.sync()

    assert len(project.held.annotations) == 1
    await world.silent()


async def test_a_persons_edit_of_an_annotation_stays(
    world: World, project: AmplitudeProject
) -> None:
    annotation = await told(world, project)
    project.poke_edit(str(annotation.id), "label", "Payouts are live!")
    world.notion.edit_page(world.checkout, "Shipped", date(2026, 2, 4))

    await world.sync()

    assert annotation.label == "Payouts are live!"
    assert annotation.start.astimezone(ZoneInfo("Europe/Berlin")).date() == SHIPPED


async def test_a_flag_and_a_chart_are_named_by_their_links(
    world: World, project: AmplitudeProject
) -> None:
    (flag,) = [one for one in project.held.flags.values() if one.key == "instant-payouts"]
    chart = project.held.charts["abc123"]
    world.notion.edit_page(world.checkout, "Flag", project.flag_url(flag))
    world.notion.edit_page(world.loyalty, "Chart", project.chart_url(chart))
    measures(world, {"flag_from": "Flag"}, {"insight_from": "Chart"})

    report = await world.sync()

    assert report.exit_code == 0, troubles(report)
    by_flag = await use_of(world, world.checkout)
    by_chart = await use_of(world, world.loyalty)
    assert (by_flag.metric.kind.value, by_flag.metric.name) == ("flag", "instant-payouts")
    assert by_flag.per_day == 20
    assert (by_chart.metric.kind.value, by_chart.metric.name) == ("insight", "abc123")
    assert by_chart.per_day == 40


async def test_an_unknown_event_is_told_and_the_rollup_goes_on(
    world: World, project: AmplitudeProject
) -> None:
    measures(world, {"event": "Payuot"})

    report = await world.sync()

    assert report.exit_code in (0, 1)
    rollup = await world.rollup(world.checkout)
    assert rollup.total > 0
    assert (rollup.adoption[0].trouble, rollup.adoption[0].nearest) == ("unknown", ("Payout",))


async def test_the_project_is_one_item_and_opsyncs_annotation_is_none(
    world: World, project: AmplitudeProject
) -> None:
    await told(world, project)
    await world.sync(full=True)

    async with world.session() as session:
        found = await session.store.roots(
            instance="amplitude", kind=Kind.product, space=None, stream=None
        )
        notes = await session.store.roots(
            instance="amplitude", kind=Kind.metric, space=None, stream=None
        )
    assert [record.ref.id for record in found] == ["123456"]
    assert notes == []


async def test_no_secret_reaches_the_store(world: World, project: AmplitudeProject) -> None:
    measures(world, {"event": "Payout"}, announces=True)
    project.faults.rate_limit_next = 3
    await world.sync()
    kept = b"".join(path.read_bytes() for path in world.folder.glob("opsync.db*"))
    assert SECRET.encode() not in kept
    assert MANAGEMENT.encode() not in kept
