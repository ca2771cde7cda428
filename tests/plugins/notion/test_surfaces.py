"""opsync writes its own columns, all of a page in one request, and nothing else."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.plugins.notion.world import (
    EPIC,
    Roadmap,
    change,
    changes_for,
    content,
    lock,
    published,
    write,
)
from tests.support.clock import FakeClock
from tests.support.connector import read

from opsync import (
    Card,
    Health,
    Kind,
    LinkContent,
    OutcomeKind,
    Record,
    Ref,
    SignInError,
    TemporaryError,
    Value,
    WorkItem,
    same,
)
from opsync.sandbox.notion import Computed
from opsync_notion.surfaces import AT_FIRST, TYPES

OWN = ("Delivery", "Delivery %", "Delivery health", "Work", "Delivery changed")


def seen_values(record: Record) -> dict[str, Value]:
    return {seen.surface: seen.plain() for seen in record.seen}


def columns(roadmap: Roadmap) -> list[str]:
    return [prop.name for prop in roadmap.source.schema.properties.values()]


async def test_the_first_write_makes_the_columns_and_one_request_fills_them(
    roadmap: Roadmap,
) -> None:
    page = roadmap.add("One-tap checkout")
    notion = roadmap.connect()
    target = (await read(notion))["One-tap checkout"]
    assert (target.seen, target.seen_complete) == ((), True)
    outcomes = await write(notion, target, changes_for(notion, target, content(target)))
    assert {o.kind for o in outcomes.values()} == {OutcomeKind.created}
    assert all(o.request_id and o.remote_id for o in outcomes.values())
    assert roadmap.workspace.write_requests == 2
    assert page.text("Delivery").startswith("12 of 20 done")
    assert page.cell("Delivery %") == 0.6
    assert page.text("Delivery health") == "At risk"
    assert page.text("Work") == ("PAY-100 Checkout core 8/12 · Checkout web (Linear) 4/8 · +2 more")
    health = roadmap.source.prop("Delivery health")
    assert [option.name for option in health.options] == [h.value for h in Health]


async def test_a_write_asks_for_the_columns_that_it_writes_alone(roadmap: Roadmap) -> None:
    roadmap.add("A")
    await published(roadmap, "A")
    [sent] = [
        exchange
        for exchange in roadmap.workspace.exchanges
        if exchange.method == "PATCH" and "/pages/" in exchange.path
    ]
    assert sent.query.count("filter_properties=") == len(AT_FIRST)


async def test_what_was_written_reads_back_as_what_was_rendered(roadmap: Roadmap) -> None:
    roadmap.add("A")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    changes = changes_for(notion, target, content(target))
    outcomes = await write(notion, target, changes)
    again = seen_values((await read(notion))["A"])
    for planned in changes:
        key = planned.slot.surface
        assert same(outcomes[key].applied, planned.desired), key
        assert same(again[key], planned.desired), key
    assert all(s.ours for s in (await read(notion))["A"].seen)


async def test_without_a_summary_in_our_words_the_other_cells_are_a_persons(
    roadmap: Roadmap,
) -> None:
    page = roadmap.add("A")
    await published(roadmap, "A")
    roadmap.workspace.edit_page(page, "Delivery", "Ask Ben")
    record = (await read(roadmap.connect()))["A"]
    assert [s.surface for s in record.seen if s.ours] == ["delivery_changed"]


async def test_observing_a_page_tells_what_reading_it_tells(roadmap: Roadmap) -> None:
    roadmap.add("A")
    await published(roadmap, "A")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    assert list(await notion.observe(target)) == list(target.seen)
    assert len(target.seen) == len(AT_FIRST)


async def test_own_values_are_no_evidence(roadmap: Roadmap) -> None:
    schema = roadmap.source.schema
    page = roadmap.add("A", Tracked_in="people's own words")
    await published(roadmap, "A")
    by_id = f"{{{{notion:block_property:{roadmap.source.prop('Work').id}:x}}}}"
    for name, expression in (
        ("Half", 'prop("Delivery %") / 2'),
        ("Quarter", 'prop("Half") / 2'),
        ("By id", by_id),
    ):
        schema.add(name, {"formula": {"expression": expression}})
        roadmap.workspace.edit_page(page, name, Computed("number", 0.3))
    schema.add("Other", {"formula": {"expression": "1 + 1"}})
    roadmap.workspace.edit_page(page, "Other", Computed("number", 2))
    schema.add("Edited", {"last_edited_time": {}})
    record = (await read(roadmap.connect()))["A"]
    assert {text.field for text in record.texts} == {"Name", "Tracked in"}
    assert set(record.extra) == {"Tracked in", "Other", "@data_source"}
    assert EPIC not in " ".join(text.text for text in record.texts)


async def test_columns_are_found_again_after_a_rename(roadmap: Roadmap) -> None:
    page = roadmap.add("A")
    await published(roadmap, "A")
    roadmap.workspace.rename_property(roadmap.source, "Delivery", "Fortschritt")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    worded = content(target, delivery="13 of 20 done")
    outcomes = await write(notion, target, changes_for(notion, target, worded, only=("delivery",)))
    assert outcomes["delivery"].kind is OutcomeKind.created
    assert page.text("Fortschritt") == "13 of 20 done"
    assert "Delivery" not in columns(roadmap)


async def test_after_a_lost_store_the_columns_are_adopted(roadmap: Roadmap) -> None:
    roadmap.add("A")
    await published(roadmap, "A")
    before = columns(roadmap)
    roadmap.kept.clear()
    record = (await read(roadmap.connect()))["A"]
    assert seen_values(record)["delivery"] == content().delivery
    assert {text.field for text in record.texts} == {"Name"}
    await published(roadmap, "A")
    assert columns(roadmap) == before


async def test_columns_made_just_before_a_crash_are_adopted_while_empty(roadmap: Roadmap) -> None:
    roadmap.add("A")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    kept = dict(roadmap.kept)
    await write(notion, target, changes_for(notion, target, content(target)))
    for page in roadmap.workspace.state.pages.values():
        page.cells = {"title": page.cells["title"]}
    before = columns(roadmap)
    roadmap.kept.clear()
    roadmap.kept.update(kept)
    outcomes = await write(roadmap.connect(), target, changes_for(notion, target, content(target)))
    assert {o.kind for o in outcomes.values()} == {OutcomeKind.created}
    assert columns(roadmap) == before


@pytest.mark.parametrize("words", ["", "Ships in May", "12 of 20 done, says Ana"])
async def test_a_column_that_somebody_else_made_is_never_written(
    roadmap: Roadmap, words: str
) -> None:
    roadmap.source.schema.add("Delivery", {"rich_text": {}})
    page = roadmap.add("A", Delivery=words)
    roadmap.add("B", Delivery="On a truck" if words else "")
    await published(roadmap, "A")
    assert page.text("Delivery") == words
    assert page.text("Delivery (opsync)") == content().delivery
    record = (await read(roadmap.connect()))["A"]
    assert seen_values(record)["delivery"] == content().delivery
    assert ("Delivery" in {text.field for text in record.texts}) == bool(words)


async def test_a_column_of_another_type_is_never_written(roadmap: Roadmap) -> None:
    roadmap.source.schema.add("Work", {"url": {}})
    page = roadmap.add("A", Work="https://harbor.example/work")
    await published(roadmap, "A")
    assert page.cell("Work") == "https://harbor.example/work"
    assert page.text("Work (opsync)").startswith("PAY-100")


async def test_after_a_lost_store_the_second_name_is_adopted_and_not_the_persons(
    roadmap: Roadmap,
) -> None:
    roadmap.source.schema.add("Work", {"rich_text": {}})
    page = roadmap.add("A")
    await published(roadmap, "A")
    before = columns(roadmap)
    roadmap.kept.clear()
    await published(roadmap, "A")
    assert columns(roadmap) == before
    assert page.text("Work") == ""


async def test_the_description_tells_own_columns_from_all_others(roadmap: Roadmap) -> None:
    page = roadmap.add("A")
    roadmap.source.schema.add("Work", {"rich_text": {}})
    roadmap.source.schema.add("Delivery changed", {"date": {}})
    await published(roadmap, "A")
    mine = roadmap.source.prop("Delivery changed (opsync)")
    roadmap.workspace.remove_property(roadmap.source, mine.name)
    roadmap.kept.clear()
    await published(roadmap, "A")
    assert page.text("Work") == ""
    assert page.cell("Delivery changed") is None
    assert page.cell("Delivery changed (opsync)") is not None
    assert "Work (opsync 2)" not in columns(roadmap)


async def test_an_option_spelled_otherwise_by_a_person_is_the_same_health(
    roadmap: Roadmap,
) -> None:
    roadmap.add("A")
    target = await published(roadmap, "A")
    prop = roadmap.source.prop("Delivery health")
    options = tuple(replace(o, name=o.name.upper()) for o in prop.options)
    roadmap.source.schema.properties[prop.raw_id] = replace(prop, options=options)
    outcomes = await write(roadmap.connect(), target, [change("delivery_health", target, "Done")])
    assert outcomes["delivery_health"].applied == "Done"


async def test_a_column_that_a_person_removed_stays_removed(roadmap: Roadmap) -> None:
    roadmap.add("A")
    target = await published(roadmap, "A")
    roadmap.workspace.remove_property(roadmap.source, "Delivery")
    notion = roadmap.connect()
    worded = content(target, delivery="13 of 20 done", percent=0.65)
    outcomes = await write(
        notion, target, changes_for(notion, target, worded, only=("delivery", "delivery_pct"))
    )
    assert outcomes["delivery"].kind is OutcomeKind.conflicted
    assert "removed by a person" in outcomes["delivery"].message
    assert outcomes["delivery_pct"].applied == 0.65
    assert "Delivery" not in columns(roadmap)
    record = (await read(notion))["A"]
    assert "delivery" not in seen_values(record)
    assert [s.surface for s in await notion.observe(target)] == list(seen_values(record))


async def test_another_name_in_the_configuration_brings_a_removed_column_back(
    roadmap: Roadmap,
) -> None:
    page = roadmap.add("A")
    await published(roadmap, "A")
    roadmap.workspace.remove_property(roadmap.source, "Delivery")
    await published(roadmap, "A", block={"columns": {"delivery": "Progress"}})
    assert page.text("Progress") == content().delivery


async def test_a_column_whose_type_a_person_changed_is_not_written(roadmap: Roadmap) -> None:
    roadmap.add("A")
    target = await published(roadmap, "A")
    schema = roadmap.source.schema
    schema.change(schema.find("Delivery"), {"select": {}})  # type: ignore[arg-type]  # it exists
    outcomes = await write(
        roadmap.connect(), target, changes_for(roadmap.connect(), target, content(target))
    )
    kinds = {key: outcome.kind for key, outcome in outcomes.items()}
    assert kinds.pop("delivery") is OutcomeKind.conflicted
    assert set(kinds.values()) == {OutcomeKind.created}


async def test_removing_clears_the_cell_and_keeps_the_column(roadmap: Roadmap) -> None:
    page = roadmap.add("A", Tracked_in="stays")
    target = await published(roadmap, "A")
    before = columns(roadmap)
    outcomes = await write(roadmap.connect(), target, [change(key, target, None) for key in TYPES])
    assert {o.kind for o in outcomes.values()} == {OutcomeKind.removed}
    assert all(o.applied is None for o in outcomes.values())
    assert columns(roadmap) == before
    assert not any(page.cell(name) for name in OWN)
    assert page.text("Tracked in") == "stays"


async def test_removing_what_was_never_written_writes_nothing(roadmap: Roadmap) -> None:
    roadmap.add("A")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    outcomes = await write(notion, target, [change("delivery", target, None)])
    assert outcomes["delivery"].kind is OutcomeKind.removed
    assert roadmap.workspace.write_requests == 0


async def test_a_page_that_is_gone_or_hidden_fails_alone_and_for_now(roadmap: Roadmap) -> None:
    page = roadmap.add("A")
    target = await published(roadmap, "A")
    roadmap.workspace.faults.deny.add(page.id)
    outcomes = await write(
        roadmap.connect(), target, changes_for(roadmap.connect(), target, content(target))
    )
    assert {(o.kind, o.retryable) for o in outcomes.values()} == {(OutcomeKind.failed, True)}
    assert "Connections → opsync" in outcomes["work"].message


async def test_a_trashed_page_is_not_written(roadmap: Roadmap) -> None:
    page = roadmap.add("A")
    target = await published(roadmap, "A")
    roadmap.workspace.trash(page)
    outcomes = await write(roadmap.connect(), target, [change("delivery", target, "1 of 2 done")])
    assert outcomes["delivery"].kind is OutcomeKind.failed
    assert page.text("Delivery") == content().delivery


async def test_one_refused_cell_does_not_stop_the_others(roadmap: Roadmap) -> None:
    page = roadmap.add("A")
    target = await published(roadmap, "A")
    outcomes = await write(
        roadmap.connect(),
        target,
        [change("delivery", target, "1 of 2 done"), change("delivery_changed", target, "soon")],
    )
    assert outcomes["delivery"].applied == "1 of 2 done"
    assert outcomes["delivery_changed"].kind is OutcomeKind.failed
    assert page.text("Delivery") == "1 of 2 done"


async def test_a_connection_that_may_not_write_is_told_which_click_mends_it(
    roadmap: Roadmap,
) -> None:
    roadmap.add("A")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    roadmap.workspace.faults.read_only = True
    with pytest.raises(SignInError, match="Update content"):
        await write(notion, target, changes_for(notion, target, content(target)))


async def test_a_schema_that_may_not_be_changed_names_the_columns_to_make_by_hand(
    roadmap: Roadmap, clock: FakeClock
) -> None:
    page = roadmap.add("A")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    changes = changes_for(notion, target, content(target))
    lock(roadmap, locked=True)
    outcomes = await write(notion, target, changes)
    assert {o.kind for o in outcomes.values()} == {OutcomeKind.failed}
    assert "Delivery health (select with the options Not started" in outcomes["work"].message
    asked = roadmap.workspace.read_requests
    await write(notion, target, changes)
    assert roadmap.workspace.read_requests == asked
    lock(roadmap, locked=False)
    schema = roadmap.source.schema
    schema.add("Delivery", {"rich_text": {}})
    schema.add("Delivery %", {"number": {"format": "percent"}})
    schema.add("Delivery health", {"select": {"options": [{"name": h.value} for h in Health]}})
    schema.add("Work", {"rich_text": {}})
    schema.add("Delivery changed", {"date": {}})
    clock.advance(600)
    await write(notion, target, changes)
    assert page.text("Delivery health") == "At risk"
    assert "Delivery (opsync)" not in columns(roadmap)


async def test_a_lost_answer_to_a_write_does_no_harm(roadmap: Roadmap) -> None:
    page = roadmap.add("A")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    roadmap.workspace.faults.lose_next_writes = 2
    outcomes = await write(notion, target, changes_for(notion, target, content(target)))
    assert {o.kind for o in outcomes.values()} == {OutcomeKind.created}
    assert page.text("Delivery") == content().delivery
    assert len(columns(roadmap)) == 5 + len(AT_FIRST)


async def test_an_outage_is_left_to_the_next_pass(roadmap: Roadmap) -> None:
    roadmap.add("A")
    target = await published(roadmap, "A")
    roadmap.workspace.faults.outage = True
    with pytest.raises(TemporaryError):
        await write(roadmap.connect(), target, [change("delivery", target, "1 of 2 done")])


async def test_pages_written_at_once_make_the_columns_once(roadmap: Roadmap) -> None:
    """Trouble 3"""
    for number in range(3):
        roadmap.add(f"P{number}")
    notion = roadmap.connect()
    targets = (await read(notion)).values()
    await asyncio.gather(*(write(notion, t, changes_for(notion, t, content(t))) for t in targets))
    assert len(columns(roadmap)) == 5 + len(AT_FIRST)
    assert roadmap.workspace.write_requests == 1 + 3


async def test_a_second_pass_needs_no_read_before_its_write(roadmap: Roadmap) -> None:
    roadmap.add("A")
    target = await published(roadmap, "A")
    before = roadmap.workspace.read_requests
    notion = roadmap.connect()
    await write(notion, target, [change("delivery", target, "1 of 2 done")])
    assert roadmap.workspace.read_requests == before


async def test_writing_can_be_switched_off(roadmap: Roadmap) -> None:
    roadmap.add("A")
    notion = roadmap.connect(block={"write": False})
    target = (await read(notion))["A"]
    outcomes = await write(notion, target, changes_for(notion, target, content(target)))
    assert {o.kind for o in outcomes.values()} == {OutcomeKind.skipped}
    assert roadmap.workspace.write_requests == 0


# What stands in a cell ------------------------------------------------------------------------


def rendered(roadmap: Roadmap, surface: str, **changes: Any) -> Value:
    return roadmap.connect().render(
        surface,
        Record(ref=Ref("notion", "page", "p"), kind=Kind.initiative, title="A"),
        content(**changes),
    )


def test_links_and_other_targets_have_no_column(roadmap: Roadmap) -> None:
    card = Card(Ref("jira", "issue", "1"), Kind.issue, "PAY-1", EPIC, "Jira")
    link = LinkContent(card, "PAY-1", "Jira", resolved=False, category_name="")
    target = Record(ref=Ref("notion", "page", "p"), kind=Kind.initiative, title="A")
    assert roadmap.connect().render("delivery", target, link) is None
    assert rendered(roadmap, "delivery", at_root=False) is None


def test_percent_is_rounded_and_whole_numbers_stay_floats(roadmap: Roadmap) -> None:
    assert rendered(roadmap, "delivery_pct", percent=0.6049) == 0.6
    assert json.dumps(rendered(roadmap, "delivery_pct", percent=1)) == "1.0"
    assert rendered(roadmap, "delivery_pct", percent=None) is None


def test_the_day_of_the_last_change_is_a_plain_date(roadmap: Roadmap) -> None:
    assert rendered(roadmap, "delivery_changed", changed_on=date(2026, 12, 1)) == "2026-12-01"


def test_links_other_than_http_and_https_are_written_as_text(roadmap: Roadmap) -> None:
    bad = ["javascript:alert(1)", "JAVA\tscript:x", "data:text/html,x", "//evil.example/x", "x"]
    items = tuple(WorkItem(f"Item {n}", url) for n, url in enumerate(bad))
    assert rendered(roadmap, "work", work=items) == [[f"Item {n}", ""] for n in range(len(bad))]


async def test_hostile_and_huge_texts_are_written_inert_and_whole(roadmap: Roadmap) -> None:
    page = roadmap.add("A")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    nasty = "1 of 2 done\x00\x1b[31m \u202eevil\u2066 <script>\ud800 {{7*7}} " + "𝔘" * 40_000
    work = tuple(WorkItem("🧨" * 3000, f"https://harbor.example/{n}") for n in range(200))
    worded = content(target, delivery=nasty, work=work)
    changes = changes_for(notion, target, worded)
    outcomes = await write(notion, target, changes)
    for planned in changes:
        assert same(outcomes[planned.slot.surface].applied, planned.desired)
    text = page.text("Delivery")
    assert text.startswith("1 of 2 done [31m evil <script> {{7*7}} 𝔘")
    assert text.endswith("𝔘…")
    assert page.text("Work").endswith(" · …")


async def test_long_lists_and_equal_links_read_back_as_written(roadmap: Roadmap) -> None:
    roadmap.add("A")
    notion = roadmap.connect()
    target = (await read(notion))["A"]
    work = (
        WorkItem("One", EPIC),
        WorkItem("Two", EPIC),
        WorkItem("no link"),
        WorkItem("a · b"),
        WorkItem("host only", "https://harbor.example"),
        WorkItem("a page", "https://www.notion.so/harbor/Title-" + "ab" * 16),
    )
    (planned,) = changes_for(notion, target, content(target, work=work), only=("work",))
    outcomes = await write(notion, target, [planned])
    assert same(outcomes["work"].applied, planned.desired)
    assert planned.desired == [
        ["One", EPIC],
        ["Two", EPIC],
        ["no link", ""],
        ["a", ""],
        ["b", ""],
        ["host only", "https://harbor.example/"],
        ["a page", "https://app.notion.com/p/" + "ab" * 16],
    ]
