"""Whatever leaves the scope and comes back: what changed adds up to what a full read knows."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from opsync.model import Ref, Rollup
from tests.support.world import World, jira_url, linear_url, troubles

LABELS = ("roadmap", "web", "Roadmap")
STEPS = 4

Known = tuple[dict[str, tuple[object, ...]], dict[Ref, tuple[object, ...]]]


def some_labels(rng: random.Random) -> list[str]:
    return rng.sample(LABELS, rng.randint(0, 2))


def jira_key(world: World, rng: random.Random) -> str:
    return rng.choice([issue.key for issue in world.jira.issues.values()])


def linear_key(world: World, rng: random.Random) -> str:
    return rng.choice([issue.identifier for issue in world.linear.issues.values()])


def edit(world: World, rng: random.Random) -> None:
    """Something that people do in one of the tools."""
    jira, linear = world.jira, world.linear
    project = rng.choice([None, "Checkout web", "Other"])
    match rng.randrange(8):
        case 0:
            jira.edit(jira_key(world, rng), labels=some_labels(rng))
        case 1:
            linear.edit(linear_key(world, rng), labels=some_labels(rng))
        case 2:
            linear.edit(linear_key(world, rng), project=project)
        case 3:
            page = rng.choice([world.checkout, world.loyalty])
            world.notion.edit_page(page, "Quarter", rng.choice(["Q3", "Q4", None]))
        case 4:
            jira.edit(jira_key(world, rng), status=rng.choice(["To Do", "Doing", "Done"]))
        case 5:
            epic = rng.choice(["PAY-1", "MOB-1"])
            jira.add_issue("PAY", "More", parent=epic, labels=some_labels(rng))
        case 6:
            parent, labels = rng.choice([None, linear_key(world, rng)]), some_labels(rng)
            linear.add_issue("GRO", "More", project=project, labels=labels, parent=parent)
        case _:
            linear.trash_issue(linear_key(world, rng))


def narrowed(folder: Path, rng: random.Random) -> World:
    """A company of which all three tools are read in part."""
    world = World(folder)
    schema = world.notion.state.data_sources[world.source.id].schema
    schema.add("Quarter", {"select": {"options": [{"name": "Q3"}, {"name": "Q4"}]}})
    both = f"{jira_url('MOB-1')} {jira_url('PAY-3')} {linear_url('GRO-3')}"
    for page in (world.checkout, world.loyalty, world.page("Both", both)):
        world.notion.edit_page(page, "Quarter", rng.choice(["Q3", "Q4"]))
    world.linear.add_project("Other", teams=["GRO"])
    for key in [issue.key for issue in world.jira.issues.values()]:
        world.jira.edit(key, labels=some_labels(rng))
    for key in [issue.identifier for issue in world.linear.issues.values()]:
        world.linear.edit(key, labels=some_labels(rng))
    instances = world.raw["instances"]
    instances["jira-main"]["labels"] = ["roadmap"]
    narrow = {"labels": ["roadmap"]} if rng.random() < 0.5 else {"projects": ["Checkout web"]}
    instances["linear"] |= narrow
    instances["notion"]["data_sources"][0]["where"] = {"Quarter": ["Q4"]}
    web = {"instance": "jira-main", "labels": ["web"]}
    world.raw["team"] = [{"name": "Web", "scope": [web], "statuses": {"Doing": "backlog"}}]
    return world


async def known(world: World) -> Known:
    """What the store says of everything that is in scope, and the numbers made of it."""
    async with world.session() as session:
        there = await session.store.records_page(limit=1000)
        rollups = await session.store.rollups()
    records: dict[str, tuple[object, ...]] = {
        str(one.ref): (one.title, one.category, one.team, one.parents, one.labels, one.private)
        for one in there
        if not one.tombstone
    }
    return records, {one.root: numbers(one) for one in rollups}


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", range(4))
async def test_what_changed_adds_up_to_what_there_is(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    world = narrowed(tmp_path, rng)
    await world.sync()
    for step in range(STEPS):
        for _ in range(rng.randint(1, 5)):
            world.clock.advance(rng.choice([1, 61, 400]))
            edit(world, rng)
        world.clock.advance(400)
        report = await world.sync()
        assert report.exit_code == 0, troubles(report)
        await world.silent()
        records, rollups = await known(world)
        world.clock.advance(400)
        stood, world.raw["store"] = world.raw["store"], str(tmp_path / f"{step}.db")
        await world.sync(write=False)
        anew = await known(world)
        world.raw["store"] = stood
        assert records == anew[0]
        assert rollups == anew[1]
        await world.silent(full=True)


def numbers(rollup: Rollup) -> tuple[object, ...]:
    return (rollup.counts, rollup.blocked, rollup.private, rollup.missing, rollup.health)
