"""opsync's own columns: they go when nothing is left in them, and come back when a person says."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from opsync import pipeline
from opsync.engine.columns import with_lost_columns
from opsync.engine.owning import (
    Side,
    about,
    owned_columns,
    owned_entries,
    remove_released,
    resolve,
    unsettled,
)
from opsync.engine.session import open_session
from opsync.engine.taken import TakenBack
from opsync.engine.undoing import undo, undoes, writes_of
from opsync.model.column import is_column
from opsync.runtime import Runtime
from opsync.sandbox.notion.problems import invalid
from opsync_notion import Notion
from tests.support.world import World, troubles

OWN = {"Delivery", "Delivery %", "Delivery health", "Work", "Delivery changed"}


@pytest.fixture
async def filled(world: World) -> World:
    """A world in which opsync has written all that it is to write."""
    await world.sync()
    return world


def columns(world: World) -> set[str]:
    names = {column.name for column in world.source.schema.properties.values()}
    return names - {"Name", "Tracked in", "Status", "Due"}


async def release(world: World, *, dry: bool = False) -> TakenBack:
    world.clock.advance(60)
    async with world.session("release") as session:
        found = await owned_entries(session.store)
        return await remove_released(
            session,
            found,
            by="ana",
            command="opsync release --all --remove",
            columns_of={"notion"},
            dry=dry,
        )


async def undo_run(world: World, run: int) -> TakenBack:
    world.clock.advance(60)
    async with world.session("undo") as session:
        rows = await writes_of(session.store, run=run)
        why, command = f"undo of run {run}", f"opsync undo {run}"
        return await undo(session, rows, why=why, by="ana", command=command)


Meanwhile = Callable[[], Awaitable[object]]


async def nothing() -> None:
    """Nothing happens."""


async def settle(
    world: World, name: str, place: str, side: Side, meanwhile: Meanwhile = nothing
) -> list[str]:
    """As a button of the dashboard does it, beside a run that may be under way: `meanwhile` is
    what happens between the look at it and the word."""
    runtime = Runtime(clock=world.clock, rng=random.Random(7))
    async with open_session(
        world.config(), "opsync resolve", exclusive=False, runtime=runtime, transport=world.net
    ) as session:
        record = (await session.store.find(name))[0]
        found = [e for e in await about(session.store, record.ref) if unsettled(e)]
        found, lost = await with_lost_columns(
            session, [e for e in found if e.slot.surface == place]
        )
        await meanwhile()
        at = world.clock.now()
        await resolve(session.config, session.store, found, side, by="ana", at=at, lost=lost)
        return [column.title for _, column in lost]


async def journaled(world: World, run: int) -> list[tuple[str, Any, Any]]:
    """What the journal says of columns: what was done, and the names before and after."""
    async with world.session() as session:
        rows = await session.store.journal(run=run, limit=1000)
    return sorted((row.kind.value, row.before, row.after) for row in rows if is_column(row.slot))


def stays(done: TakenBack) -> dict[str, str]:
    return {one.name: one.why for one in done.columns_left}


async def test_a_column_that_is_made_is_in_the_journal_of_its_run(world: World) -> None:
    first = await world.sync()
    assert await journaled(world, first.run) == [("created", None, name) for name in sorted(OWN)]


async def test_what_opsync_owns_has_its_columns_as_long_as_they_stand(filled: World) -> None:
    async def owned() -> set[tuple[str, str, str, int]]:
        async with filled.session() as session:
            found = await owned_columns(session.config, session.store)
        return {(one.tool, one.connection, one.name, one.run) for one in found}

    assert await owned() == {("Notion", "notion", name, 1) for name in OWN}
    await release(filled)
    assert await owned() == set()


async def test_a_release_takes_the_columns_along_and_tells_the_journal(filled: World) -> None:
    assert columns(filled) == OWN
    done = await release(filled)
    assert (done.left, stays(done)) == ([], {})
    assert columns(filled) == set()
    assert len(await journaled(filled, done.run)) == len(OWN)
    for full in (False, True, False):
        assert (await filled.sync(full=full)).applied == 0
    assert columns(filled) == set()


async def test_a_look_at_a_release_removes_no_column_and_tells_which_would_go(
    filled: World,
) -> None:
    filled.notion.edit_page(filled.page("Wallet", ""), "Work", "a note")
    before = filled.written()
    done = await release(filled, dry=True)
    assert {column.title for _, column in done.columns} == OWN - {"Work"}
    assert stays(done) == {"Work (Roadmap)": "1 value stays in it"}
    assert filled.written() == before
    assert columns(filled) == OWN
    await filled.sync()
    assert filled.checkout.text("Delivery"), "it is opsync's still"


async def test_the_undo_of_a_release_makes_the_columns_again_and_fills_them(
    filled: World,
) -> None:
    stood = filled.checkout.text("Delivery"), filled.loyalty.text("Work")
    done = await release(filled)
    again = await undo_run(filled, done.run)
    assert again.left == []
    assert {column.title for _, column in again.made} == OWN
    assert (filled.checkout.text("Delivery"), filled.loyalty.text("Work")) == stood
    await filled.silent()


@pytest.mark.slow
async def test_the_undo_of_the_run_that_made_them_takes_empty_columns_along(world: World) -> None:
    first = await world.sync()
    done = await undo_run(world, first.run)
    assert columns(world) == set()
    again = await undo_run(world, done.run)
    assert (again.left, columns(world)) == ([], OWN)
    await world.silent()


async def test_a_column_that_was_made_or_removed_is_no_undo_of_values(filled: World) -> None:
    done = await release(filled)
    async with filled.session() as session:
        for run in (1, done.run):
            rows = [one for one in await writes_of(session.store, run=run) if is_column(one.slot)]
            assert rows
            assert not undoes(rows)
        assert undoes(await writes_of(session.store, run=done.run))


async def test_the_undo_of_another_run_leaves_the_columns(filled: World) -> None:
    filled.jira.set_status("PAY-4", "Done")
    report = await filled.sync()
    done = await undo_run(filled, report.run)
    assert (done.columns, done.columns_left) == ([], [])
    assert columns(filled) == OWN


@pytest.mark.parametrize("place", ["live", "trash", "archive", "out of scope"])
async def test_a_person_s_value_keeps_the_column_wherever_it_stands(
    filled: World, place: str
) -> None:
    page = filled.page("Wallet", "")
    filled.notion.edit_page(page, "Delivery", "Ask Dana")
    if place == "trash":
        filled.notion.trash(page)
    elif place == "archive":
        page.archived = True
    elif place == "out of scope":
        filled.notion.edit_page(filled.checkout, "Status", "In progress")
        filled.notion.edit_page(filled.loyalty, "Status", "In progress")
        where = {"Status": ["In progress"]}
        filled.raw["instances"]["notion"]["data_sources"][0]["where"] = where
        await filled.sync(full=True)
    done = await release(filled)
    assert columns(filled) == {"Delivery"}
    assert stays(done) == {"Delivery (Roadmap)": "1 value stays in it"}
    assert done.exit_code == 1
    assert page.text("Delivery") == "Ask Dana"


async def test_what_opsync_wrote_on_a_page_in_the_trash_keeps_no_column(filled: World) -> None:
    filled.notion.trash(filled.loyalty)
    await filled.sync(full=True)
    done = await release(filled)
    assert (stays(done), columns(filled)) == ({}, set())


async def test_a_person_s_edit_of_it_in_the_trash_keeps_the_column(filled: World) -> None:
    filled.notion.edit_page(filled.loyalty, "Delivery", "Ask Dana")
    filled.notion.trash(filled.loyalty)
    await filled.sync(full=True)
    await release(filled)
    assert columns(filled) == {"Delivery"}


async def test_a_column_on_which_people_build_is_left_and_a_renamed_one_goes(
    filled: World,
) -> None:
    filled.notion.rename_property(filled.source, "Work", "What is behind it")
    formula = {"formula": {"expression": 'prop("Delivery %") * 100'}}
    filled.source.schema.add("Percent", formula)
    done = await release(filled)
    assert columns(filled) == {"Delivery %", "Percent"}
    assert stays(done) == {"Delivery % (Roadmap)": "people's own columns look at it: Percent"}


async def test_a_refused_removal_is_told_and_harms_nothing_else(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(prop: object) -> None:
        raise invalid("Cannot update locked database.")

    with monkeypatch.context() as patch:
        patch.setattr(filled.source.schema, "remove", locked)
        done = await release(filled)
    assert done.left == []
    assert {"locked database" in why for why in stays(done).values()} == {True}
    assert columns(filled) == OWN
    again = await release(filled)
    assert (stays(again), columns(filled)) == ({}, set()), "nothing else is left to release"


async def test_a_column_that_was_not_removed_because_the_process_died_is_known_again(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Death(BaseException):
        pass

    async def dies(*args: object) -> None:
        raise Death

    with monkeypatch.context() as patch:
        patch.setattr(Notion, "remove_column", dies)
        with pytest.raises(Death):
            await release(filled)
    assert columns(filled) == OWN
    filled.page("Wallet", "PAY-3")
    await filled.sync(full=True)
    assert columns(filled) == OWN, "they are opsync's own still, and written"
    assert (await release(filled)).exit_code == 0
    assert columns(filled) == set()


async def test_after_a_release_a_new_item_has_the_columns_made_anew(filled: World) -> None:
    await release(filled)
    page = filled.page("Wallet", "PAY-3")
    await filled.sync()
    assert page.text("Delivery").startswith("0 of 1 done")
    assert filled.checkout.text("Delivery") == ""


async def test_a_paused_connection_keeps_its_columns(filled: World) -> None:
    async with filled.session() as session:
        await session.store.pause("notion", by="ana", at=filled.clock.now())
    done = await release(filled)
    assert set(stays(done).values()) == {"writes are paused (opsync pause --off)"}
    assert columns(filled) == OWN


async def test_a_table_of_private_pages_is_not_named(filled: World) -> None:
    filled.raw["instances"]["notion"]["data_sources"][0]["private"] = True
    filled.source.schema.add("Percent", {"formula": {"expression": 'prop("Delivery %") * 100'}})
    done = await release(filled)
    assert stays(done) == {"Delivery %": "people's own columns look at it"}
    assert {column.name for _, column in done.columns} == OWN - {"Delivery %"}


# A column that a person removed ---------------------------------------------------------------


@pytest.fixture
async def without_work(filled: World) -> World:
    """A person removed the column Work, and runs told so."""
    filled.notion.remove_property(filled.source, "Work")
    for key in ("PAY-4", "MOB-3"):
        filled.jira.set_status(key, "Done")
    await filled.sync()
    await filled.sync(full=True)
    assert "Work" not in columns(filled)
    return filled


async def test_ours_makes_it_again_and_fills_it_on_every_page(without_work: World) -> None:
    world = without_work
    assert await settle(world, "One-tap checkout", "work", "ours") == ["Work"]
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert "PAY-1" in world.checkout.text("Work")
    assert "MOB-1" in world.loyalty.text("Work")
    assert await journaled(world, report.run) == [("created", None, "Work")]
    await world.silent(full=True)


async def test_theirs_keeps_it_away_for_good_also_for_new_items(without_work: World) -> None:
    world = without_work
    assert await settle(world, "One-tap checkout", "work", "theirs") == ["Work"]
    page = world.page("Wallet", "PAY-3")
    for full in (False, True, False):
        report = await world.sync(full=full)
        assert report.exit_code == 0, troubles(report)
    assert page.text("Delivery").startswith("0 of 1 done")
    assert "Work" not in columns(world)


async def test_what_is_away_for_good_comes_back_when_a_person_asks(without_work: World) -> None:
    world = without_work
    await settle(world, "One-tap checkout", "work", "theirs")
    await world.sync()
    assert await settle(world, "Loyalty", "work", "ours") == ["Work"]
    await world.sync(full=True)
    await world.sync(full=True)
    assert "MOB-1" in world.loyalty.text("Work")
    assert "PAY-1" in world.checkout.text("Work")


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Meanwhile], None]:
    """Has something happen once within the next run, just before one of its steps."""

    def have(step: str, what: Meanwhile) -> None:
        once, real = [what], getattr(pipeline, step)

        async def later(*args: Any) -> Any:
            if once:
                await once.pop()()
            return await real(*args)

        monkeypatch.setattr(pipeline, step, later)

    return have


@pytest.mark.parametrize("step", ["decide", "apply_all"])
async def test_ours_is_heard_while_a_run_is_under_way(
    without_work: World, during: Callable[[str, Meanwhile], None], step: str
) -> None:
    world = without_work
    during(step, lambda: settle(world, "One-tap checkout", "work", "ours"))
    world.jira.set_status("PAY-2", "Done")
    for full in (False, True):
        report = await world.sync(full=full)
        assert report.exit_code == 0, troubles(report)
    assert "PAY-1" in world.checkout.text("Work")
    assert "MOB-1" in world.loyalty.text("Work")
    await world.silent(full=True)


@pytest.mark.parametrize("step", ["decide", "apply_all"])
async def test_theirs_is_heard_while_a_run_is_under_way(
    without_work: World, during: Callable[[str, Meanwhile], None], step: str
) -> None:
    world = without_work
    during(step, lambda: settle(world, "One-tap checkout", "work", "theirs"))
    world.jira.set_status("PAY-2", "Done")
    await world.sync()
    page = world.page("Wallet", "PAY-3")
    for full in (False, True):
        report = await world.sync(full=full)
        assert report.exit_code == 0, troubles(report)
    assert page.text("Delivery").startswith("0 of 1 done")
    assert "Work" not in columns(world)


@pytest.mark.slow
async def test_a_word_about_a_column_leaves_what_a_run_learned_meanwhile(
    without_work: World,
) -> None:
    world, learned = without_work, dict[str, Any]()

    async def run() -> None:
        world.notion.remove_property(world.source, "Delivery health")
        await world.sync(full=True)
        async with world.session() as session:
            learned.update(await session.store.kept("notion"))

    await settle(world, "One-tap checkout", "work", "ours", run)
    async with world.session() as session:
        after = await session.store.kept("notion")
    assert "Delivery health" in str(learned)
    assert learned.items() <= after.items()
    assert (await world.sync()).columns_made
    async with world.session() as session:
        assert learned.keys() == (await session.store.kept("notion")).keys(), "it was taken up"


@pytest.mark.slow
async def test_of_two_words_about_a_column_before_the_next_run_the_last_counts(
    without_work: World,
) -> None:
    world = without_work
    assert await settle(world, "One-tap checkout", "work", "theirs") == ["Work"]
    world.clock.advance(1)
    assert await settle(world, "One-tap checkout", "work", "ours") == ["Work"]
    await world.sync()
    assert "PAY-1" in world.checkout.text("Work")
    await world.silent(full=True)


async def test_a_value_in_a_column_that_stands_is_settled_alone(filled: World) -> None:
    filled.notion.edit_page(filled.checkout, "Delivery", "Ask Dana")
    filled.notion.edit_page(filled.loyalty, "Delivery", "Ask Ben")
    await filled.sync()
    assert await settle(filled, "One-tap checkout", "delivery", "ours") == []
    await filled.sync()
    assert filled.checkout.text("Delivery") != "Ask Dana"
    assert filled.loyalty.text("Delivery") == "Ask Ben"
