"""What a digest tells of a week, from whole passes over a small company."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsync.engine.digest import Week, teams_of, week
from opsync.engine.disagreeing import Disagreeing
from opsync.engine.lookup import Lookup
from opsync.errors import ConfigError
from opsync.model import Health
from tests.support.world import World

DAY_S = 86_400


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def told(world: World, **options: Any) -> Week:
    async with world.session() as session:
        return await week(session.config, session.store, world.clock.now(), **options)


async def test_work_that_was_finished_moved_its_initiative(world: World) -> None:
    await world.sync()
    world.clock.advance(8 * DAY_S)
    world.jira.poke_move("PAY-3", "done")
    await world.sync()

    found = await told(world)

    (one,) = found.moved
    assert (one.title, one.done_before, one.done, one.total) == ("One-tap checkout", 2, 3, 5)
    assert found.known_since is None
    assert (found.initiatives, found.done, found.total) == (2, 4, 7)
    assert found.written > 0
    assert not found.still


async def test_what_happened_before_the_week_is_not_told(world: World) -> None:
    await world.sync()
    world.clock.advance(DAY_S)
    world.jira.poke_move("PAY-3", "done")
    await world.sync()
    world.clock.advance(8 * DAY_S)
    await world.sync()

    assert (await told(world)).still
    assert (await told(world)).written == 0
    two = await told(world, weeks=2)
    assert [one.title for one in two.moved] == ["One-tap checkout"]


async def test_the_first_week_counts_from_the_first_look(world: World) -> None:
    world.clock.advance(DAY_S)
    began = world.clock.now()
    await world.sync()
    world.clock.advance(DAY_S)
    world.jira.poke_move("PAY-3", "done")
    await world.sync()

    found = await told(world)

    assert found.known_since is not None
    assert found.known_since - began < timedelta(hours=1)
    assert [one.done_before for one in found.moved] == [2]


async def test_more_work_is_scope_and_not_progress(world: World) -> None:
    await world.sync()
    world.clock.advance(8 * DAY_S)
    for title in ("Receipts", "Invoices"):
        world.jira.add_issue("PAY", title, parent="PAY-1", status="To Do")
    await world.sync()

    found = await told(world)

    assert [(one.title, one.added, one.total) for one in found.scope] == [
        ("One-tap checkout", 2, 7)
    ]
    assert [(one.done_before, one.done) for one in found.moved] == [(2, 2)]


async def test_a_due_date_that_was_moved_slipped_and_one_that_passed_as_well(world: World) -> None:
    today = world.clock.now().date()
    late = today + timedelta(days=10)
    world.page("Moved on", "MOB-2", due=today + timedelta(days=30))
    world.page("Passed", "MOB-3", due=late)
    world.page("Earlier", "MOB-2", due=today + timedelta(days=40))
    await world.sync()
    world.clock.advance(8 * DAY_S)
    await world.sync()
    titles = {page.title: page for page in world.notion.state.pages.values()}
    world.notion.edit_page(titles["Moved on"], "Due", today + timedelta(days=60))
    world.notion.edit_page(titles["Earlier"], "Due", today + timedelta(days=35))
    world.clock.advance(4 * DAY_S)
    await world.sync()

    found = await told(world)

    assert [(one.title, one.how, one.due_before, one.due_on) for one in found.slipped] == [
        ("Moved on", "moved", today + timedelta(days=30), today + timedelta(days=60)),
        ("Passed", "overdue", late, late),
    ]
    risk = next(one for one in found.at_risk if one.title == "Passed")
    assert risk.health is Health.off_track
    assert risk.since_this_week
    assert risk.reason


async def test_a_team_has_the_initiatives_in_which_its_work_counts(world: World) -> None:
    world.page("Nothing yet", "")
    await world.sync()

    assert (await told(world)).initiatives == 3
    payments, mobile = await told(world, team="payments"), await told(world, team="Mobile")
    assert (payments.team, payments.initiatives, payments.total) == ("Payments", 1, 5)
    assert (mobile.team, mobile.initiatives, mobile.total) == ("Mobile", 1, 2)
    growth = await told(world, team="Growth")
    assert growth.initiatives == 1, "an initiative of two teams is in both digests"
    assert 0 < payments.written < (await told(world)).written


async def test_a_team_that_is_nowhere_is_refused_with_those_that_are(world: World) -> None:
    await world.sync()
    with pytest.raises(ConfigError) as caught:
        await told(world, team="Paymints")
    assert "Growth, Mobile, Payments" in str(caught.value)


async def test_a_private_team_has_no_digest(world: World) -> None:
    world.raw["team"] = [
        {"name": "Vault", "private": True, "scope": [{"instance": "jira-main", "spaces": ["MOB"]}]}
    ]
    await world.sync()
    async with world.session() as session:
        now = world.clock.now()
        look = Lookup(session.config, session.store)
        summed = await Disagreeing(look, now.date()).summed()
        assert teams_of(summed, session.config) == ("Growth", "Payments")
    for name in ("Vault", "Mobile"):
        with pytest.raises(ConfigError) as caught:
            await told(world, team=name)
        assert "Vault" not in str(caught.value.hint)


@pytest.mark.sampled
@pytest.mark.parametrize(("expose", "named"), [("nothing", False), ("title", True)])
async def test_a_private_initiative_is_counted_and_named_as_it_is_exposed(
    world: World, expose: str, named: bool
) -> None:
    (source,) = world.raw["instances"]["notion"]["data_sources"]
    source["private"] = True
    world.raw["instances"]["notion"]["expose"] = expose
    world.notion.edit_page(world.checkout, "Due", world.clock.now().date() - timedelta(days=2))
    await world.sync()
    world.clock.advance(8 * DAY_S)
    world.jira.poke_move("PAY-3", "done")
    await world.sync()

    found = await told(world)

    assert (found.initiatives, found.done, found.total) == (2, 4, 7)
    assert [one.title for one in found.moved] == ["One-tap checkout"] * named
    assert [one.title for one in found.at_risk] == ["One-tap checkout"] * named


async def test_what_waits_for_a_person_is_the_teams_own(world: World) -> None:
    world.raw["rollup"][0]["mode"] = "propose"
    world.raw["links"]["mode"] = "propose"
    await world.sync()

    every, payments = await told(world), await told(world, team="Payments")

    assert every.waiting["to_approve"] > payments.waiting["to_approve"] > 0
    assert "changes" not in every.waiting


async def test_people_who_say_otherwise_are_named_with_what_is_measured(world: World) -> None:
    world.notion.edit_page(world.checkout, "Status", "Done")
    await world.sync()

    (one,) = (await told(world)).contradicts

    assert (one.title, one.says) == ("One-tap checkout", "Done")
    assert one.measured


async def test_history_keeps_the_due_date_and_old_rows_do_without(world: World) -> None:
    await world.sync()
    async with world.session() as session:
        (rule,) = session.config.rules
        rollup = next(one for one in await session.store.rollups() if one.total == 5)
        (row,) = await session.store.history(rule.name, rollup.root)
        assert row.due_on == rollup.due_on == date(2026, 9, 1)
        stood = await session.store.stood(datetime.fromisoformat("2020-01-01T00:00:00+00:00"))
        assert stood[rule.name, rollup.root] == row, "none existed yet: the first one counts"
