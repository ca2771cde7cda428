"""Writes are quiet: they go where no tool sends a message, few at a time, and never for nothing."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from opsync.model import OutcomeKind, Slot
from tests.support.world import World

QUIET = {
    # Jira sends no mail for a remote link; only writes of issues and comments have notifyUsers.
    "jira-main": r"(POST|DELETE) /rest/api/3/issue/[^/]+/remotelink(/\d+)?",
    # Notion sends none for the values of columns, or for columns; comments and mentions notify.
    "notion": r"PATCH /v1/(pages|data_sources)/[^/]+",
    # Linear sends none for links; project updates notify.
    "linear": r"(attachment|entityExternalLink)(Create|Update|Delete)",
}
HOUR = timedelta(hours=1)


def asked(world: World, tool: str) -> list[str]:
    """What each write to a tool was for: method and path, or the mutation's fields."""
    found: list[str] = []
    for one in world.vendors[tool].exchanges:
        if one.reads:
            continue
        if tool != "linear":
            found.append(f"{one.method} {one.path}")
            continue
        query = json.loads(one.request_body)["query"]
        found += re.findall(r"\b([a-z]\w+(?:Create|Update|Delete))\s*\(", query)
    return found


async def live(world: World) -> None:
    """A company's life: a first run, work that moves, other names, a rule that is taken out."""
    await world.sync()
    world.jira.set_status("PAY-4", "Done")
    world.linear.edit("GRO-3", title="Card form v2")
    await world.sync()
    world.clock.advance(2 * 3600)
    world.jira.edit("PAY-3", summary="Tokenise all cards")
    await world.sync()
    world.raw["rollup"] = []
    world.linear.edit("GRO-3", description="")
    await world.sync(allow={"removals": 100})


async def test_no_write_goes_where_a_tool_sends_people_a_message(world: World) -> None:
    """Trouble 22"""
    await live(world)
    for tool, quiet in QUIET.items():
        written = asked(world, tool)
        assert len(written) > 2, tool
        assert [one for one in written if not re.fullmatch(quiet, one)] == [], tool


async def test_a_page_is_written_with_columns_only_and_names_nobody(world: World) -> None:
    await live(world)
    bodies = [
        json.loads(one.request_body)
        for one in world.notion.exchanges
        if not one.reads and one.path.startswith("/v1/pages/")
    ]
    assert bodies
    for body in bodies:
        assert set(body) == {"properties"}
        assert '"mention"' not in json.dumps(body)
        assert '"people"' not in json.dumps(body)


async def test_all_that_changes_on_a_page_is_one_write(settled: World) -> None:
    """Trouble 22"""
    before = settled.written()["notion"]
    settled.jira.set_status("PAY-4", "Done")
    report = await settled.sync()
    places = {change.slot.surface for change, _ in report.outcomes}
    assert {"delivery", "delivery_pct", "work"} <= places
    assert settled.written()["notion"] == before + 1


@pytest.mark.slow
async def test_a_place_on_an_issue_is_rewritten_at_most_once_an_hour_all_day(
    settled: World,
) -> None:
    """Trouble 22"""
    statuses = ("Done", "Doing", "To Do")
    for turn in range(14):
        settled.clock.advance(19 * 60)
        settled.jira.set_status("PAY-3", statuses[turn % 3])
        settled.linear.edit("GRO-3", title=f"Card form, draft {turn}")
        await settled.sync()
    async with settled.session("look") as session:
        rows = await session.store.journal(limit=10_000)
    at: dict[Slot, list[datetime]] = defaultdict(list)
    for row in rows:
        if row.slot.target.stream == "issue" and row.slot.surface == "link":
            at[row.slot].append(row.at)
            assert row.kind in (OutcomeKind.created, OutcomeKind.updated)
    assert len(at) == 2, "the link on each of the two issues"
    for times in at.values():
        assert len(times) >= 4, "it is kept up to date all the same"
        assert all(later - earlier >= HOUR for earlier, later in pairwise(sorted(times)[1:]))


async def test_what_is_right_already_is_not_written_by_a_full_run_either(settled: World) -> None:
    """I2"""
    await settled.silent(full=True)
    settled.jira.edit("PAY-2", summary="Vault all cards")
    before = settled.written()
    await settled.sync()
    assert settled.written() == before, "no place shows that title"
