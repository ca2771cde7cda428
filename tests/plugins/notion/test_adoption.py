"""The column "Adoption": made once there is something to say, and never a person's."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.plugins.notion.world import Roadmap, change, changes_for, content, lock, published, write
from tests.support.connector import read

from opsync import OutcomeKind, Record, Value
from opsync.sandbox.notion import Page
from opsync_notion.surfaces import AT_FIRST

USED = "38 users a day since release, 24 before (+58 %)"
LATER = "40 users a day since release, 24 before (+67 %)"


def columns(roadmap: Roadmap) -> list[str]:
    return [prop.name for prop in roadmap.source.schema.properties.values()]


def schema_updates(roadmap: Roadmap) -> int:
    return sum(
        exchange.method == "PATCH" and "/data_sources/" in exchange.path
        for exchange in roadmap.workspace.exchanges
    )


def seen_values(record: Record) -> dict[str, Value]:
    return {seen.surface: seen.plain() for seen in record.seen}


async def record_of(roadmap: Roadmap, title: str = "A") -> Record:
    return (await read(roadmap.connect()))[title]


def lose_the_store(roadmap: Roadmap) -> None:
    roadmap.kept.clear()


async def test_without_a_metric_there_is_no_such_column(roadmap: Roadmap) -> None:
    roadmap.add("A")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    assert notion.render("adoption", target, content(target)) is None
    await published(roadmap, "A")
    assert "Adoption" not in columns(roadmap)
    assert schema_updates(roadmap) == 1


async def test_a_first_write_with_a_value_makes_all_columns_at_once(roadmap: Roadmap) -> None:
    page = roadmap.add("A")
    await published(roadmap, "A", adoption=USED)
    assert page.text("Adoption") == USED
    assert (schema_updates(roadmap), roadmap.workspace.write_requests) == (1, 2)
    assert len(columns(roadmap)) == 5 + len(AT_FIRST) + 1


async def test_a_later_value_makes_its_column_alone_and_once(roadmap: Roadmap) -> None:
    page, other = roadmap.add("A"), roadmap.add("B")
    await published(roadmap, "A")
    before = columns(roadmap)
    await published(roadmap, "A", adoption=USED)
    await published(roadmap, "B", adoption=LATER)
    assert (page.text("Adoption"), other.text("Adoption")) == (USED, LATER)
    assert columns(roadmap) == [*before, "Adoption"]
    assert schema_updates(roadmap) == 2


async def test_no_value_on_a_page_makes_no_column_and_asks_for_none(roadmap: Roadmap) -> None:
    roadmap.add("A")
    target = await published(roadmap, "A")
    before = len(roadmap.workspace.exchanges)
    outcomes = await write(roadmap.connect(), target, [change("adoption", target, None)])
    assert outcomes["adoption"].kind is OutcomeKind.removed
    assert len(roadmap.workspace.exchanges) == before


async def test_the_column_goes_by_the_name_in_the_settings(roadmap: Roadmap) -> None:
    page = roadmap.add("A")
    await published(roadmap, "A", adoption=USED, block={"columns": {"adoption": "Nutzung"}})
    assert page.text("Nutzung") == USED


async def test_what_was_written_reads_back_as_it_is_and_is_ours(roadmap: Roadmap) -> None:
    roadmap.add("A")
    await published(roadmap, "A", adoption=USED)
    record = await record_of(roadmap)
    [here] = [seen for seen in record.seen if seen.surface == "adoption"]
    assert (here.plain(), here.ours) == (USED, True)
    assert list(await roadmap.connect().observe(record)) == list(record.seen)
    assert {text.field for text in record.texts} == {"Name"}
    assert "Adoption" not in record.extra


async def test_thousands_read_back_as_they_were_written(roadmap: Roadmap) -> None:
    roadmap.add("A")
    many = "12,400 users a day since release, 9,800 before (+27 %)"
    await published(roadmap, "A", adoption=many)
    assert seen_values(await record_of(roadmap))["adoption"] == many


async def test_a_renamed_column_is_found_by_its_id(roadmap: Roadmap) -> None:
    page = roadmap.add("A")
    await published(roadmap, "A", adoption=USED)
    roadmap.workspace.rename_property(roadmap.source, "Adoption", "Usage")
    await published(roadmap, "A", adoption=LATER)
    assert page.text("Usage") == LATER
    assert "Adoption" not in columns(roadmap)


async def test_taking_the_value_back_clears_the_cell_and_keeps_the_column(
    roadmap: Roadmap,
) -> None:
    page = roadmap.add("A")
    target = await published(roadmap, "A", adoption=USED)
    await write(roadmap.connect(), target, [change("adoption", target, None)])
    assert page.text("Adoption") == ""
    assert "Adoption" in columns(roadmap)


async def test_a_column_that_a_person_removed_stays_removed(roadmap: Roadmap) -> None:
    roadmap.add("A")
    target = await published(roadmap, "A", adoption=USED)
    roadmap.workspace.remove_property(roadmap.source, "Adoption")
    notion = roadmap.connect()
    await read(notion)
    outcomes = await write(
        notion, target, changes_for(notion, target, content(target, adoption=LATER))
    )
    assert outcomes["adoption"].kind is OutcomeKind.conflicted
    assert "removed by a person" in outcomes["adoption"].message
    assert outcomes["delivery"].kind is OutcomeKind.created
    assert "Adoption" not in columns(roadmap)


@pytest.mark.parametrize("words", ["", "Everybody loves it", "38 users a day, says Ana"])
@pytest.mark.parametrize("settled", [False, True], ids=["first run", "later run"])
async def test_a_person_s_column_of_that_name_is_never_written(
    roadmap: Roadmap, words: str, *, settled: bool
) -> None:
    if settled:
        roadmap.add("Before")
        await published(roadmap, "Before")
    roadmap.source.schema.add("Adoption", {"rich_text": {}})
    page: Page = roadmap.add("A", Adoption=words)
    await published(roadmap, "A", adoption=USED)
    assert page.text("Adoption") == words
    assert page.text("Adoption (opsync)") == USED
    record = await record_of(roadmap)
    assert seen_values(record)["adoption"] == USED
    assert ("Adoption" in {text.field for text in record.texts}) == bool(words)


async def test_a_person_s_empty_column_is_not_taken_up_after_a_lost_store(
    roadmap: Roadmap,
) -> None:
    roadmap.source.schema.add("Adoption", {"rich_text": {}})
    page = roadmap.add("A")
    await published(roadmap, "A")
    lose_the_store(roadmap)
    await published(roadmap, "A", adoption=USED)
    assert (page.text("Adoption"), page.text("Adoption (opsync)")) == ("", USED)


@pytest.mark.parametrize("used", [USED, "Zu früh: 3 von 7 Tagen seit Veröffentlichung"])
async def test_after_a_lost_store_the_column_is_taken_up_by_what_it_says(
    roadmap: Roadmap, used: str
) -> None:
    page = roadmap.add("A")
    await published(roadmap, "A", adoption=used)
    before = columns(roadmap)
    lose_the_store(roadmap)
    record = await record_of(roadmap)
    assert seen_values(record)["adoption"] == used
    await published(roadmap, "A", adoption=LATER)
    assert page.text("Adoption") == LATER
    assert columns(roadmap) == before


async def test_a_marked_column_is_ours_while_it_is_empty(roadmap: Roadmap) -> None:
    page = roadmap.add("A")
    target = await published(roadmap, "A", adoption=USED)
    await write(roadmap.connect(), target, [change("adoption", target, None)])
    lose_the_store(roadmap)
    await published(roadmap, "A", adoption=LATER)
    assert page.text("Adoption") == LATER
    assert "Adoption (opsync)" not in columns(roadmap)


@pytest.mark.parametrize("first", [True, False], ids=["with all others", "alone"])
@pytest.mark.parametrize("filled", [True, False], ids=["filled", "empty"])
async def test_a_column_made_just_before_a_crash_is_taken_up(
    roadmap: Roadmap, *, first: bool, filled: bool
) -> None:
    page = roadmap.add("A")
    if not first:
        await published(roadmap, "A")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    known = dict(roadmap.kept)
    await published(roadmap, "A", adoption=USED)
    if not filled:
        page.cells.pop(roadmap.source.prop("Adoption").raw_id)
    before = columns(roadmap)
    roadmap.kept.clear()
    roadmap.kept.update(known)
    notion = roadmap.connect()
    await read(notion)
    changes = changes_for(notion, target, content(target, adoption=USED))
    await write(notion, target, [structs.replace(one, interrupted=True) for one in changes])
    assert page.text("Adoption") == USED
    assert columns(roadmap) == before


async def test_an_empty_column_that_a_person_just_made_stays_theirs(roadmap: Roadmap) -> None:
    page = roadmap.add("A")
    await published(roadmap, "A")
    roadmap.source.schema.add("Adoption", {"rich_text": {}})
    await published(roadmap, "A", adoption=USED)
    assert page.text("Adoption") == ""
    assert page.text("Adoption (opsync)") == USED


async def test_a_locked_schema_names_it_only_where_it_is_wanted(roadmap: Roadmap) -> None:
    roadmap.add("A")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    lock(roadmap, locked=True)
    told = []
    for adoption in ("", USED):
        notion = roadmap.connect()
        worded = content(target, adoption=adoption)
        outcomes = await write(notion, target, changes_for(notion, target, worded))
        told.append("Adoption (text)" in outcomes["work"].message)
    assert told == [False, True]


async def test_doctor_says_when_it_is_made_and_that_a_person_has_one(roadmap: Roadmap) -> None:
    async def told() -> tuple[str, str]:
        checks = [check async for check in roadmap.connect().doctor()]
        [check] = [check for check in checks if check.title == "Roadmap: Adoption"]
        return check.state, check.message

    assert await told() == ("ok", "Not there; made with the first use that is measured.")
    roadmap.source.schema.add("Adoption", {"rich_text": {}})
    roadmap.add("A", Adoption="People love it")
    state, message = await told()
    assert state == "ok"
    assert '"Adoption (opsync)"' in message
    await published(roadmap, "A", adoption=USED)
    assert await told() == ("ok", 'Found as "Adoption (opsync)".')


async def test_it_is_not_guessed_to_hold_links(roadmap: Roadmap) -> None:
    roadmap.add("A")
    await published(roadmap, "A", adoption='Not measured: PostHog has no event "PAY-1"')
    [links] = [g for g in await roadmap.connect().guesses() if g.role == "links"]
    assert links.column != "Adoption"
