"""Whole passes with Mixpanel: use in, releases out, within the hour's queries."""

from __future__ import annotations

from datetime import date

import httpx
import pytest

from opsync.sandbox.mixpanel import MixpanelProject, Series
from opsync.sandbox.usage import Behaviour, History
from tests.support.world import CANARY, World, troubles

SECRET = f"mixpanel-{CANARY}"


@pytest.fixture
def project(world: World) -> MixpanelProject:
    """The company's project; its rule asks for an event and a flag, and tells of releases."""
    history = History(world.clock.now)
    history.events = {"Checkout": Behaviour(40, pool=300)}
    history.flags = {"one-tap": Behaviour(35, pool=200)}
    made = MixpanelProject(now=world.clock.now, history=history, secret=SECRET)
    world.vendors["mixpanel"] = made
    world.net.hosts["eu.mixpanel.com"] = httpx.ASGITransport(made.app)
    world.raw["instances"]["mixpanel"] = {
        "connector": "mixpanel",
        "region": "eu",
        "project": made.project_id,
        "username": made.username,
        "secret": SECRET,
    }
    world.raw["rollup"][0] |= {
        "announce_in": ["mixpanel"],
        "metric": [
            {"instance": "mixpanel", "event": "Checkout"},
            {"instance": "mixpanel", "flag": "one-tap"},
        ],
    }
    return made


def queries(project: MixpanelProject) -> int:
    return sum(exchange.path.startswith("/api/query/") for exchange in project.exchanges)


async def test_a_release_is_told_once_and_a_day_takes_one_query_for_events_and_one_for_flags(
    world: World, project: MixpanelProject
) -> None:
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    await world.silent()
    assert queries(project) == 2
    world.notion.poke_move("One-tap checkout", "done")

    report = await world.sync()

    assert report.exit_code == 0, troubles(report)
    (told,) = project.annotations.values()
    assert told.description.startswith("Shipped: One-tap checkout")
    assert told.date == f"{world.clock.now().date()} 00:00:00"
    assert world.checkout.url.rpartition("/")[2][-32:] in told.description
    await world.silent()
    assert queries(project) == 2
    rollup = await world.rollup(world.checkout)
    assert [one.metric.name for one in rollup.adoption] == ["Checkout", "one-tap"]
    assert [one.per_day for one in rollup.adoption] == [40.0, 35.0]

    world.clock.advance(86_400)
    await world.sync()
    assert queries(project) == 4
    assert project.over_budget == 0


async def test_a_reopened_initiative_takes_its_annotation_back_and_peoples_stay(
    world: World, project: MixpanelProject
) -> None:
    theirs = project.add_annotation(date(2026, 3, 2), "Shipped: something [opsync:00000000] else")
    await world.sync()
    world.notion.poke_move("One-tap checkout", "done")
    await world.sync()
    assert len(project.annotations) == 2
    world.notion.poke_move("One-tap checkout", "in_progress")

    report = await world.sync()

    assert report.exit_code == 0, troubles(report)
    assert list(project.annotations.values()) == [theirs]
    await world.silent()


async def test_a_lost_store_makes_no_second_annotation(
    world: World, project: MixpanelProject
) -> None:
    await world.sync()
    world.notion.poke_move("One-tap checkout", "done")
    await world.sync()
    before = dict(project.annotations)
    world.lose_store()
    world.clock.advance(3 * 86_400)

    await world.sync()
    await world.sync()

    assert project.annotations == before


async def test_a_lost_answer_makes_no_second_annotation(
    world: World, project: MixpanelProject
) -> None:
    await world.sync()
    world.notion.poke_move("One-tap checkout", "done")
    project.faults.lose_next_writes = 1

    first = await world.sync()
    world.clock.advance(3600)
    second = await world.sync()

    assert first.failed == 1
    assert second.exit_code == 0, troubles(second)
    assert len(project.annotations) == 1
    await world.silent()


@pytest.mark.slow
async def test_a_report_that_reaches_less_far_back_does_not_burn_the_hour(
    world: World, project: MixpanelProject
) -> None:
    made = project.add_report("Payments", {"Paid": Series("event", "Checkout")}, days=15)
    world.raw["rollup"][0]["metric"] = [{"instance": "mixpanel", "insight": str(made.id)}]

    for _ in range(10):
        await world.sync()

    assert queries(project) == 1


async def test_a_report_that_a_property_links_to_is_measured(
    world: World, project: MixpanelProject
) -> None:
    project.base_url = "https://eu.mixpanel.com"
    made = project.add_report("Payments", {"Paid": Series("event", "Checkout")})
    world.notion.edit_page(world.loyalty, "Tracked in", project.report_url(made))
    world.raw["rollup"][0]["metric"] = [{"instance": "mixpanel", "insight_from": "Tracked in"}]

    await world.sync()
    await world.sync()

    (one,) = (await world.rollup(world.loyalty)).adoption
    assert (one.metric.name, one.per_day) == (str(made.id), 40.0)


async def test_what_had_data_once_is_known_in_later_runs_though_nobody_uses_it_any_more(
    world: World, project: MixpanelProject
) -> None:
    await world.sync(write=False)
    project.history.events.clear()
    project.history.flags.clear()
    world.clock.advance(86_400)

    await world.sync()

    assert queries(project) == 4, "no name was looked up"
    assert {one.trouble for one in (await world.rollup(world.checkout)).adoption} == {""}


@pytest.mark.slow
async def test_when_the_hour_is_spent_the_numbers_stay_and_nothing_is_asked_for_an_hour(
    world: World, project: MixpanelProject
) -> None:
    await world.sync()
    world.clock.advance(86_400)
    project.faults.rate_limit_next = 1
    await world.sync()
    spent = queries(project)

    for _ in range(5):
        await world.sync()
    assert queries(project) == spent
    assert (await world.rollup(world.checkout)).adoption[0].per_day == 40.0
    world.clock.advance(3600)
    await world.sync()

    assert queries(project) == spent + 2
