"""A lost store: opsync's columns are taken up again, a person's words in them stay theirs, and a
column of which nobody can tell whose it is is neither doubled nor written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from opsync.engine.owning import owned_entries, remove_released
from opsync.engine.taken import TakenBack
from opsync.model.ledger import HoldKind
from opsync.report import PassReport
from opsync.sandbox.notion import Span
from tests.support.world import World, troubles

OWN = {"Delivery", "Delivery %", "Delivery health", "Work", "Delivery changed"}


@pytest.fixture
async def filled(world: World) -> World:
    """Three initiatives, on which opsync wrote all that it has to say."""
    world.page("SSO", "MOB-3")
    await world.sync()
    return world


def columns(world: World) -> set[str]:
    names = {column.name for column in world.source.schema.properties.values()}
    return names - {"Name", "Tracked in", "Status", "Due"}


def without_notes(world: World) -> None:
    """As a Notion shows them that keeps no description of columns."""
    for raw_id, prop in world.source.schema.properties.items():
        world.source.schema.properties[raw_id] = replace(prop, description=None)


def held(report: PassReport) -> Iterator[tuple[str, str]]:
    return ((one.group, one.place) for one in report.plan.held if one.kind == "conflict")


async def release(world: World) -> TakenBack:
    world.clock.advance(60)
    async with world.session("release") as session:
        found = await owned_entries(session.store)
        command = "opsync release --all --remove"
        return await remove_released(
            session, found, by="ana", command=command, columns_of={"notion"}
        )


@pytest.mark.sampled
@pytest.mark.parametrize("notes", [True, False], ids=["described", "without description"])
@pytest.mark.parametrize(
    ("place", "words"), [("Delivery", "We ship on Friday"), ("Work", "ask Ben")]
)
async def test_a_person_s_edit_is_told_as_a_conflict_and_doubles_no_column(
    filled: World, place: str, words: str, *, notes: bool
) -> None:
    if not notes:
        without_notes(filled)
    filled.notion.edit_page(filled.checkout, place, words)
    filled.lose_store()
    planned = await filled.sync(write=False)
    assert ("One-tap checkout", place) in held(planned)
    assert planned.plan.columns == []
    for _ in range(2):
        report = await filled.sync()
        assert (report.applied, report.exit_code) == (0, 1)
        assert ("One-tap checkout", place) in held(report)
    assert columns(filled) == OWN
    assert filled.checkout.text(place) == words
    assert await filled.entries(held=HoldKind.conflict)
    # All others are opsync's again: it keeps them up.
    filled.jira.set_status("MOB-3", "Done")
    await filled.sync()
    assert filled.loyalty.text("Delivery").startswith("2 of 2 done")


async def test_where_nobody_can_tell_it_is_told_in_every_run_and_nothing_is_written_there(
    filled: World,
) -> None:
    without_notes(filled)
    for page in (filled.checkout, filled.loyalty):
        filled.notion.edit_page(page, "Delivery", "We ship on Friday")
    filled.lose_store()
    for writes in (False, True, True):
        report = await filled.sync(write=writes)
        [told] = report.warnings
        assert told.startswith('notion: Roadmap: the column "Delivery" may be opsync\'s or people')
        assert (report.applied, report.exit_code) == (0, 1)
        assert [one.kind for one in report.alarms] == (["configuration"])
    assert columns(filled) == OWN
    # A person says that it is opsync's.
    prop = filled.source.prop("Delivery")
    note = "Kept up to date by opsync. Edit the linked work instead."
    filled.source.schema.change(prop, {"description": note})
    report = await filled.sync(full=True)
    assert report.warnings == []
    assert set(held(report)) == {("One-tap checkout", "Delivery"), ("Loyalty", "Delivery")}
    assert report.applied == 0
    assert columns(filled) == OWN


async def test_renamed_it_is_people_s_and_opsync_makes_its_own(filled: World) -> None:
    without_notes(filled)
    for page in (filled.checkout, filled.loyalty):
        filled.notion.edit_page(page, "Delivery", "We ship on Friday")
    filled.lose_store()
    await filled.sync()
    filled.notion.rename_property(filled.source, "Delivery", "Our delivery")
    report = await filled.sync(full=True)
    assert report.warnings == [], troubles(report)
    assert columns(filled) == OWN | {"Our delivery"}
    assert filled.checkout.text("Our delivery") == "We ship on Friday"
    assert filled.checkout.text("Delivery").startswith("2 of 5 done")


async def test_a_column_of_people_s_own_stays_theirs_and_untouched(world: World) -> None:
    world.source.schema.add("Delivery", {"rich_text": {}})
    world.notion.edit_page(world.checkout, "Delivery", "By truck")
    await world.sync()
    before = columns(world)
    world.lose_store()
    report = await world.sync()
    assert (report.applied, report.warnings) == (0, [])
    assert columns(world) == before == OWN | {"Delivery (opsync)"}
    assert world.checkout.text("Delivery") == "By truck"
    assert world.loyalty.text("Delivery") == ""


async def test_after_a_lost_store_leaving_takes_every_value_and_column_along(
    filled: World,
) -> None:
    """The day of the last change is never written by itself, and taken up nevertheless."""
    filled.clock.advance(3 * 86_400)
    filled.lose_store()
    assert (await filled.sync()).applied == 0
    await filled.silent()
    done = await release(filled)
    assert ([one.name for one in done.columns_left], done.left) == ([], [])
    assert columns(filled) == set()


async def test_a_day_that_is_none_of_opsyncs_form_is_left_to_people(filled: World) -> None:
    weeks = Span("2026-03-01", "2026-03-14")
    filled.notion.edit_page(filled.checkout, "Delivery changed", weeks)
    filled.lose_store()
    await filled.sync()
    done = await release(filled)
    assert [one.name for one in done.columns_left] == ["Delivery changed (Roadmap)"]
    assert columns(filled) == {"Delivery changed"}
