"""Undo and release over the places of all six tools, a release's annotation among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsync.engine.owning import owned_entries, remove_released
from opsync.engine.undoing import TakenBack, undo, writes_of
from tests.support.analytics import RELEASED, TOOLS, MeasuredWorld, notes, write_note
from tests.support.world import jira_url, linear_project_url


@pytest.fixture(params=TOOLS)
async def company(request: pytest.FixtureRequest, tmp_path: Path) -> MeasuredWorld:
    """A company before its first run, with an annotation of a person's in its analytics."""
    world = MeasuredWorld(tmp_path, tool=request.param)
    project = linear_project_url(world.linear.project("Checkout web").slug_id)
    world.notion.edit_page(world.checkout, "Tracked in", f"{jira_url('PAY-1')} {project}")
    write_note(world.measured, RELEASED, "Prices went up")
    return world


async def undo_run(world: MeasuredWorld, run: int) -> TakenBack:
    world.clock.advance(60)
    async with world.session("undo") as session:
        rows = await writes_of(session.store, run=run)
        why, command = f"undo of run {run}", f"opsync undo {run}"
        return await undo(session, rows, why=why, by="ana", command=command)


def standing(world: MeasuredWorld) -> dict[str, Any]:
    """All that opsync may have written anywhere, as people see it."""
    columns = {column.name for column in world.source.schema.properties.values()}
    own = sorted(name for name in columns if name.startswith(("Delivery", "Work", "Adoption")))
    return {
        "Notion": {page.title: [page.text(name) for name in own] for page in pages(world)},
        "columns": own,
        "Jira": [
            [(link["globalId"], link["url"]) for link in world.remote_links(key)]
            for key in ("PAY-1", "PAY-3", "MOB-1")
        ],
        "Linear": [world.attachments(key) for key in ("GRO-1", "GRO-3")],
        "Linear projects": world.project_links(),
        "analytics": [note.text for note in notes(world.measured) if "opsync:" in note.text],
    }


def pages(world: MeasuredWorld) -> list[Any]:
    return [world.checkout, world.loyalty]


def empty(found: dict[str, Any]) -> bool:
    """Whether nothing of opsync's stands anywhere."""
    links = [*found["Jira"], *found["Linear"]]
    return not (found["columns"] or any(links) or found["Linear projects"] or found["analytics"])


async def runs(world: MeasuredWorld) -> None:
    """Three runs, one of which reads everything again, that write nothing."""
    for full in (False, True, False):
        report = await world.sync(full=full)
        assert report.applied == 0, [change.slot for change, _ in report.outcomes]


@pytest.mark.sampled
async def test_an_undone_run_leaves_no_trace_in_any_tool_and_none_comes_back(
    company: MeasuredWorld,
) -> None:
    first = await company.sync()
    stood = standing(company)
    assert len(stood["analytics"]) == 1
    assert all(stood.values()), "something stands in each tool"

    done = await undo_run(company, first.run)

    assert (done.left, done.columns_left) == ([], [])
    assert len(done.written) == first.applied
    assert empty(standing(company)), standing(company)
    await runs(company)
    assert empty(standing(company))
    assert [note.text for note in notes(company.measured)] == ["Prices went up"]


@pytest.mark.slow
async def test_the_undo_of_that_puts_it_back_in_every_tool(company: MeasuredWorld) -> None:
    first = await company.sync()
    stood = standing(company)
    done = await undo_run(company, first.run)
    again = await undo_run(company, done.run)
    assert again.left == []
    assert standing(company) == stood
    await runs(company)
    assert standing(company) == stood


@pytest.mark.slow
async def test_after_a_lost_store_nothing_is_doubled_in_any_tool(company: MeasuredWorld) -> None:
    """I11"""
    first = await company.sync()
    stood = standing(company)
    await undo_run(company, first.run)
    company.lose_store()
    await company.sync()
    assert standing(company) == stood, "what was undone is in the store alone"
    await runs(company)
    assert standing(company) == stood


@pytest.mark.sampled
async def test_a_release_leaves_every_tool_as_people_left_it(company: MeasuredWorld) -> None:
    """I5"""
    await company.sync()
    company.clock.advance(60)
    async with company.session("release") as session:
        found = await owned_entries(session.store)
        done = await remove_released(
            session,
            found,
            by="ana",
            command="opsync release --all --remove",
            columns_of=set(company.raw["instances"]),
        )
    assert (done.left, done.columns_left, done.exit_code) == ([], [], 0)
    assert empty(standing(company))
    await runs(company)
    assert empty(standing(company))
    assert [note.text for note in notes(company.measured)] == ["Prices went up"]
