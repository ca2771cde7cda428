from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from tests.plugins.notion.world import ROADMAP, Roadmap
from tests.support.clock import FakeClock
from tests.support.connector import Connections, read

from opsync import OUT_OF_SCOPE, RefusedError
from opsync.sandbox.notion import NotionWorkspace

COLUMNS: dict[str, dict[str, Any]] = {
    **ROADMAP,
    "Quarter": {"select": {"options": [{"name": "Q3"}, {"name": "Q4"}, {"name": "Q1"}]}},
    "Teams": {"multi_select": {"options": [{"name": "Payments"}, {"name": "Growth"}]}},
    "Secret": {"checkbox": {}},
}


@pytest.fixture
def plans(clock: FakeClock, connections: Connections) -> Roadmap:
    """A database with the columns that a scope can go by."""
    workspace = NotionWorkspace(now=clock.now, limit_factor=10)
    workspace.add_user("Ana Reyes", "ana@harbor.example")
    source = workspace.add_database("Plans", properties=COLUMNS).data_source
    roadmap = Roadmap(workspace, source, connections, {})
    roadmap.add("Checkout", Quarter="Q4", Teams=["Payments", "Growth"], Status="In progress")
    roadmap.add("Loyalty", Quarter="Q3", Teams=["Growth"], Status="Done", Secret=True)
    roadmap.add("Churn", Teams=["Payments"])
    return roadmap


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"Quarter": ["Q4"]}, ["Checkout"]),
        ({"Quarter": ["Q4", "Q3"]}, ["Checkout", "Loyalty"]),
        ({"Teams": ["Payments"]}, ["Checkout", "Churn"]),
        ({"Status": ["Done"]}, ["Loyalty"]),
        ({"Secret": [True]}, ["Loyalty"]),
        ({"Secret": ["false"]}, ["Checkout", "Churn"]),
        ({"Teams": ["Growth"], "Quarter": ["Q4", "Q1"]}, ["Checkout"]),
        ({"Quarter": ["Q4", "next year"]}, ["Checkout"]),
    ],
)
async def test_only_pages_in_scope_are_read(
    plans: Roadmap, where: dict[str, Any], found: list[str]
) -> None:
    assert sorted(await read(plans.connect(block={"where": where}))) == found


async def test_a_first_read_asks_notion_for_what_is_in_scope(plans: Roadmap) -> None:
    await read(plans.connect(block={"where": {"Quarter": ["Q4"]}}))

    asked = [e for e in plans.workspace.exchanges if e.path.endswith("/query")]
    assert b"Churn" not in asked[0].answer_body
    assert b'"Quarter"' in asked[0].request_body


async def test_a_page_that_left_the_scope_is_said_so_and_nothing_more(
    plans: Roadmap, clock: FakeClock
) -> None:
    block = {"where": {"Quarter": ["Q4"]}}
    await read(plans.connect(block=block))
    clock.advance(120)
    since = clock.now()
    workspace = plans.workspace
    workspace.edit_page(workspace.page("Checkout"), "Quarter", "Q3")
    workspace.edit_page(workspace.page("Churn"), "Quarter", "Q4")
    before = plans.reads_of("/query")

    found = await read(plans.connect(block=block), since)

    gone = next(record for record in found.values() if record.tombstone)
    assert (gone.tombstone, gone.title, gone.ref.id) == (
        OUT_OF_SCOPE,
        "",
        workspace.page("Checkout").id,
    )
    assert found["Churn"].tombstone == ""
    assert plans.reads_of("/query") - before == 1


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"where": {"Qarter": ["Q4"]}}, '"Qarter" in `where`'),
        ({"where": {"Due": ["Q4"]}}, '"Due" in `where`'),
        ({"private_column": "Sekret"}, '"Sekret" in `private_column`'),
        ({"private_column": "Quarter"}, '"Quarter" in `private_column`'),
        ({"where": {"Quarter": ["Q5"]}}, "has none of the values that `where` names: Q5"),
    ],
)
async def test_a_scope_that_cannot_hold_reads_nothing(
    plans: Roadmap, block: dict[str, Any], told: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        await read(plans.connect(block=block))

    assert told in caught.value.message
    assert "There are: Q3, Q4, Q1" in caught.value.hint or '"Quarter"' in caught.value.hint


async def test_a_column_of_the_scope_that_a_person_renamed_stops_the_reading(
    plans: Roadmap, clock: FakeClock
) -> None:
    """Trouble 20"""
    block = {"private_column": "Secret"}
    await read(plans.connect(block=block))
    clock.advance(120)
    since = clock.now()
    plans.workspace.rename_property(plans.source, "Secret", "Hidden")
    plans.workspace.edit_page(plans.workspace.page("Loyalty"), "Quarter", "Q4")

    with pytest.raises(RefusedError, match="nothing is read from it"):
        await read(plans.connect(block=block), since)


async def test_a_checked_page_is_private_and_its_address_holds_no_title(plans: Roadmap) -> None:
    found = await read(plans.connect(block={"private_column": "Secret"}))

    assert {title for title, record in found.items() if record.private} == {"Loyalty"}
    page = plans.workspace.page("Loyalty")
    assert found["Loyalty"].url == f"https://app.notion.com/p/{page.id.replace('-', '')}"


async def test_all_pages_of_a_private_data_source_are_private(plans: Roadmap) -> None:
    found = await read(plans.connect(block={"private": True}))

    assert all(record.private for record in found.values())
    assert len(found) == 3


async def test_doctor_names_the_column_that_is_not_there(plans: Roadmap) -> None:
    notion = plans.connect(block={"where": {"Qarter": ["Q4"]}})

    checks = {check.title: check async for check in notion.doctor()}

    assert checks["Plans: scope"].state == "fail"
    assert '"Qarter"' in checks["Plans: scope"].message


async def test_a_condition_without_values_is_refused(plans: Roadmap) -> None:
    with pytest.raises(ValidationError):
        plans.connect(block={"where": {"Quarter": []}})
