"""Whole passes: measured once a day, annotated once, and silent otherwise."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from tests.support.world import World, of, troubles

from opsync.sandbox.posthog import PostHogProject
from opsync.sandbox.usage import Behaviour, History

HOST = "us.posthog.com"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The small company with a PostHog project, whose rule measures an event and a flag."""
    made = World(tmp_path)
    history = History(
        made.clock.now,
        ZoneInfo("America/New_York"),
        events={"checkout": Behaviour(40)},
        flags={"one-tap": Behaviour(15)},
    )
    project = PostHogProject(now=made.clock.now, history=history)
    made.vendors["posthog"] = project
    made.net.hosts[HOST] = httpx.ASGITransport(project.app)
    made.raw["instances"]["posthog"] = {
        "connector": "posthog",
        "project": "1",
        "token": project.token,
    }
    made.raw["rollup"][0] |= {
        "metric": [
            {"instance": "posthog", "event": "checkout", "weeks": 1},
            {"instance": "posthog", "flag": "one-tap", "weeks": 1},
        ],
        "announce_in": ["posthog"],
    }
    return made


def project_of(world: World) -> PostHogProject:
    project = world.vendors["posthog"]
    assert isinstance(project, PostHogProject)
    return project


def calls_of(world: World) -> list[str]:
    """The requests since this was last asked."""
    exchanges = project_of(world).exchanges
    calls = [f"{one.method} {one.path}".replace("/api/projects/1/", "") for one in exchanges]
    exchanges.clear()
    return calls


async def test_two_metrics_take_one_query_a_day_and_none_before_the_next(world: World) -> None:
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert calls_of(world) == ["GET ", "POST query/"]
    await world.silent()
    assert calls_of(world) == []
    world.clock.advance(86_400)
    await world.sync()
    assert calls_of(world) == ["POST query/"]
    event, flag = (await world.rollup(world.checkout)).adoption
    assert event.per_day == pytest.approx(40, abs=2)
    assert flag.per_day == pytest.approx(15, abs=2)
    assert event.users is not None
    assert event.users > event.per_day


@pytest.mark.slow
async def test_an_initiative_that_is_done_gets_one_annotation_and_loses_it_when_reopened(
    world: World,
) -> None:
    await world.sync()
    calls_of(world)
    world.notion.poke_move("One-tap checkout", "done")
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert calls_of(world) == ["GET annotations/", "POST annotations/"]
    (note,) = project_of(world).notes
    assert (note.content or "").startswith("Shipped: One-tap checkout")
    await world.silent()
    assert calls_of(world) == []
    world.notion.poke_move("One-tap checkout", "in_progress")
    await world.sync()
    assert calls_of(world) == ["GET annotations/", f"PATCH annotations/{note.id}/"]
    assert note.deleted
    world.notion.poke_move("One-tap checkout", "done")
    await world.sync()
    assert project_of(world).notes == [note]
    await world.silent()


@pytest.mark.slow
async def test_a_person_s_deletion_stays(world: World) -> None:
    await world.sync()
    world.notion.poke_move("One-tap checkout", "done")
    await world.sync()
    (note,) = project_of(world).notes
    project_of(world).poke_edit(f"annotation {note.id}", "deleted", True)
    world.page("Another", "")
    await world.sync()
    await world.sync(full=True)
    assert project_of(world).notes == []
    assert len(project_of(world).state.annotations) == 1


async def test_a_lost_answer_makes_no_second_annotation(world: World) -> None:
    await world.sync()
    world.notion.poke_move("One-tap checkout", "done")
    project_of(world).faults.lose_next_writes = 1
    await world.sync()
    world.clock.advance(3600)
    await world.sync()
    assert len(project_of(world).state.annotations) == 1
    await world.silent()


async def test_an_unknown_event_leaves_the_rest_of_the_rollup(world: World) -> None:
    world.raw["rollup"][0]["metric"][0]["event"] = "chekout"
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    told = {one.metric.kind.value: one for one in (await world.rollup(world.checkout)).adoption}
    event, flag = told["event"], told["flag"]
    assert (event.trouble, event.nearest) == ("unknown", ("checkout",))
    assert flag.per_day is not None


async def test_an_outage_of_posthog_leaves_the_rest(world: World) -> None:
    await world.sync()
    project_of(world).faults.outage = True
    world.clock.advance(86_400)
    report = await world.sync()
    assert of(report, "posthog").trouble
    assert of(report, "notion").trouble == ""
    event, _ = (await world.rollup(world.checkout)).adoption
    assert event.per_day is not None
