"""After a lost store: which columns are opsync's, which are people's, and of which nobody knows."""

from __future__ import annotations

import pytest
from tests.plugins.notion.world import (
    Roadmap,
    change,
    changes_for,
    content,
    published,
    without_notes,
    write,
)
from tests.support.connector import read

from opsync import OutcomeKind, Record, Value
from opsync_notion import Notion

USED = "38 users a day since release, 24 before (+58 %)"
OWN = {"Delivery", "Delivery %", "Delivery health", "Work", "Delivery changed"}
THEIRS = {"Name", "Tracked in", "Status", "Due", "Owner"}


def own_columns(roadmap: Roadmap) -> set[str]:
    return {prop.name for prop in roadmap.source.schema.properties.values()} - THEIRS


def seen_values(record: Record) -> dict[str, Value]:
    return {seen.surface: seen.plain() for seen in record.seen}


async def filled(roadmap: Roadmap, *titles: str, adoption: str = "") -> None:
    """Pages on which opsync wrote all that it has to say."""
    for title in titles:
        roadmap.add(title)
    for title in titles:
        await published(roadmap, title, adoption=adoption)


def a_person_writes(roadmap: Roadmap, title: str, column: str, words: object) -> None:
    page = next(p for p in roadmap.workspace.state.pages.values() if p.text("Name") == title)
    roadmap.workspace.edit_page(page, column, words)


async def after_a_lost_store(roadmap: Roadmap) -> tuple[Notion, dict[str, Record]]:
    roadmap.kept.clear()
    notion = roadmap.connect()
    return notion, dict(await read(notion))


async def doctor(roadmap: Roadmap, name: str) -> tuple[str, str, str]:
    checks = [check async for check in roadmap.connect().doctor()]
    [check] = [one for one in checks if one.title == f"Roadmap: {name}"]
    return check.state, check.message, check.hint


async def test_its_description_tells_whatever_people_wrote_into_it(roadmap: Roadmap) -> None:
    await filled(roadmap, "A", "B")
    for title in "AB":
        a_person_writes(roadmap, title, "Delivery", "We ship on Friday")
    notion, records = await after_a_lost_store(roadmap)
    assert seen_values(records["A"])["delivery"] == "We ship on Friday"
    assert notion.doubts() == []
    await published(roadmap, "A")
    assert own_columns(roadmap) == OWN


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("Delivery", "We ship on Friday"),
        ("Delivery %", 1.5),
        ("Delivery health", "Hopeful"),
        ("Work", "ask Ben"),
        ("Adoption", "everybody"),
    ],
)
async def test_without_descriptions_one_edit_does_not_give_a_column_away(
    roadmap: Roadmap, column: str, words: object
) -> None:
    await filled(roadmap, "A", "B", "C", adoption=USED)
    before = own_columns(roadmap)
    without_notes(roadmap)
    a_person_writes(roadmap, "B", column, words)
    notion, records = await after_a_lost_store(roadmap)
    assert set(seen_values(records["B"])) == {one.name for one in notion.surfaces}
    assert notion.doubts() == []
    await published(roadmap, "A", adoption=USED)
    assert own_columns(roadmap) == before


async def test_where_people_wrote_half_of_it_nothing_is_written_and_it_is_told(
    roadmap: Roadmap,
) -> None:
    await filled(roadmap, "A", "B")
    without_notes(roadmap)
    a_person_writes(roadmap, "B", "Delivery", "We ship on Friday")
    notion, records = await after_a_lost_store(roadmap)
    [told] = notion.doubts()
    assert told.startswith("Roadmap: the column \"Delivery\" may be opsync's or people's")
    assert '"Kept up to date by opsync. Edit the linked work instead."' in told
    assert "columns.delivery" in told
    assert notion.render("delivery", records["A"], content(records["A"])) is None
    state, message, hint = await doctor(roadmap, "Delivery")
    assert (state, "neither read nor written" in message) == ("warn", True)
    assert hint in told
    await published(roadmap, "A")
    assert own_columns(roadmap) == OWN
    # What stands in it is no evidence, whoever wrote it.
    assert {text.field for text in records["A"].texts} == {"Name"}
    # It is told in each pass, also in one that reads only what changed.
    assert roadmap.connect().doubts() == [told]


async def test_a_change_that_was_planned_there_before_fails_and_makes_no_second_column(
    roadmap: Roadmap,
) -> None:
    await filled(roadmap, "A", "B")
    without_notes(roadmap)
    a_person_writes(roadmap, "B", "Delivery", "We ship on Friday")
    notion, records = await after_a_lost_store(roadmap)
    target = records["A"]
    outcomes = await write(notion, target, [change("delivery", target, "13 of 20 done")])
    assert outcomes["delivery"].kind is OutcomeKind.failed
    assert "opsync doctor" in outcomes["delivery"].message
    assert own_columns(roadmap) == OWN


async def test_the_description_decides_it(roadmap: Roadmap) -> None:
    await filled(roadmap, "A", "B")
    note = roadmap.source.prop("Delivery").description
    without_notes(roadmap)
    a_person_writes(roadmap, "B", "Delivery", "We ship on Friday")
    await after_a_lost_store(roadmap)
    roadmap.source.schema.change(roadmap.source.prop("Delivery"), {"description": note})
    notion = roadmap.connect()
    assert seen_values((await read(notion))["B"])["delivery"] == "We ship on Friday"
    assert notion.doubts() == []
    assert own_columns(roadmap) == OWN


async def test_another_name_decides_it_too(roadmap: Roadmap) -> None:
    await filled(roadmap, "A", "B")
    without_notes(roadmap)
    a_person_writes(roadmap, "B", "Delivery", "We ship on Friday")
    await after_a_lost_store(roadmap)
    roadmap.workspace.rename_property(roadmap.source, "Delivery", "Our delivery")
    notion = roadmap.connect()
    target = (await read(notion))["B"]
    assert notion.doubts() == []
    await write(notion, target, changes_for(notion, target, content(target)))
    assert own_columns(roadmap) == OWN | {"Our delivery"}
    a_page = roadmap.workspace.state.pages[target.ref.id]
    assert a_page.text("Our delivery") == "We ship on Friday"


async def test_renamed_between_two_reads_it_is_nobodys_matter_any_more(roadmap: Roadmap) -> None:
    await filled(roadmap, "A", "B")
    without_notes(roadmap)
    a_person_writes(roadmap, "B", "Delivery", "We ship on Friday")
    notion, records = await after_a_lost_store(roadmap)
    roadmap.workspace.rename_property(roadmap.source, "Delivery", "Our delivery")
    source = next(iter(await notion.feeds())).name
    await notion._tables.look(source)
    assert notion.doubts() == []
    assert notion.render("delivery", records["A"], content(records["A"])) is not None


async def test_a_column_that_people_alone_fill_is_left_open_beside_unmarked_ones(
    roadmap: Roadmap,
) -> None:
    """All the others are opsync's, and no second one stands beside it: it stands in the place of
    opsync's, which people may have filled, or removed."""
    await filled(roadmap, "A", "B")
    without_notes(roadmap)
    for title in "AB":
        a_person_writes(roadmap, title, "Delivery", "We ship on Friday")
    notion, _ = await after_a_lost_store(roadmap)
    assert len(notion.doubts()) == 1
    await published(roadmap, "A")
    assert own_columns(roadmap) == OWN


@pytest.mark.parametrize("column", ["Delivery", "Work", "Delivery changed"])
async def test_beside_marked_columns_one_of_people_s_own_is_theirs(
    roadmap: Roadmap, column: str
) -> None:
    await filled(roadmap, "A", "B", "C")
    kind = roadmap.source.prop(column).type
    roadmap.workspace.remove_property(roadmap.source, column)
    roadmap.source.schema.add(column, {kind: {}})
    if column != "Delivery changed":
        a_person_writes(roadmap, "A", column, "We ship on Friday")
    notion, _ = await after_a_lost_store(roadmap)
    assert notion.doubts() == []
    await published(roadmap, "B")
    assert own_columns(roadmap) == OWN | {f"{column} (opsync)"}
    page = next(p for p in roadmap.workspace.state.pages.values() if p.text("Name") == "B")
    assert page.cell(column) in (None, ())


async def test_summaries_tell_where_a_person_took_one_description_away(roadmap: Roadmap) -> None:
    await filled(roadmap, "A", "B", "C")
    without_notes(roadmap, "Delivery")
    a_person_writes(roadmap, "B", "Delivery", "We ship on Friday")
    notion, records = await after_a_lost_store(roadmap)
    assert notion.doubts() == []
    assert seen_values(records["B"])["delivery"] == "We ship on Friday"


async def test_days_alone_tell_nothing_where_the_others_have_descriptions(
    roadmap: Roadmap,
) -> None:
    await filled(roadmap, "A", "B", "C")
    without_notes(roadmap, "Delivery changed")
    notion, _ = await after_a_lost_store(roadmap)
    [told] = notion.doubts()
    assert '"Delivery changed"' in told
    await published(roadmap, "A")
    assert own_columns(roadmap) == OWN


async def test_a_person_s_adoption_is_left_open_only_if_some_of_it_may_be_opsync_s(
    roadmap: Roadmap,
) -> None:
    await filled(roadmap, "A", "B", adoption=USED)
    without_notes(roadmap)
    a_person_writes(roadmap, "B", "Adoption", "everybody")
    notion, _ = await after_a_lost_store(roadmap)
    assert '"Adoption"' in notion.doubts()[0]
    a_person_writes(roadmap, "A", "Adoption", "nobody")
    notion, _ = await after_a_lost_store(roadmap)
    assert notion.doubts() == []
    await published(roadmap, "A", adoption=USED)
    assert own_columns(roadmap) == OWN | {"Adoption", "Adoption (opsync)"}


async def test_in_a_private_database_a_doubt_names_no_title(roadmap: Roadmap) -> None:
    await filled(roadmap, "A", "B")
    without_notes(roadmap)
    a_person_writes(roadmap, "B", "Delivery", "We ship on Friday")
    roadmap.kept.clear()
    notion = roadmap.connect(block={"private": True})
    await read(notion)
    [told] = notion.doubts()
    assert told.startswith('the column "Delivery"')


# What a plan tells ahead ------------------------------------------------------------------------


async def test_the_columns_that_a_first_write_makes_are_told_ahead(roadmap: Roadmap) -> None:
    roadmap.source.schema.add("Work", {"rich_text": {}})
    roadmap.add("A")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    requests = len(roadmap.workspace.exchanges)
    ahead = notion.missing_columns(target, ["delivery"])
    assert {one.name for one in ahead} == {
        f"{name} (Roadmap)" for name in (OWN - {"Work"}) | {"Work (opsync)"}
    }
    with_use = notion.missing_columns(target, ["delivery", "adoption"])
    assert {one.title for one in with_use} - {one.title for one in ahead} == {"Adoption"}
    assert len(roadmap.workspace.exchanges) == requests
    await published(roadmap, "A")
    made = own_columns(roadmap)
    assert made == {one.title for one in ahead} | {"Work"}
    assert roadmap.connect().missing_columns(target, ["delivery"]) == []


async def test_none_is_told_where_nothing_is_written(roadmap: Roadmap) -> None:
    roadmap.add("A")
    notion = roadmap.connect(block={"write": False})
    target = (await read(notion))["A"]
    assert notion.missing_columns(target, ["delivery"]) == []
