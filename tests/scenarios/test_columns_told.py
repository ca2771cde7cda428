"""Columns are told before they are made, in which database, and once they are."""

from __future__ import annotations

from datetime import UTC

import pytest

from opsync.cli.passjson import as_json
from opsync.cli.passview import column_lines, summary_lines
from opsync.cli.planview import PlanView, plan_json, print_plan
from opsync.engine.approving import kept_plan
from opsync.engine.estimate import Estimate
from opsync.engine.lookup import Lookup
from opsync.engine.wrote import wrote
from opsync.report import PassReport
from opsync.service.web.views.journal import journal
from tests.support.world import World

NAMES = "Delivery, Delivery %, Delivery health, Work, Delivery changed"


def shown(report: PassReport) -> PlanView:
    found = report.plan
    cost = Estimate(1, 1.0, ())
    changes, observed, proposed = found.changes, found.observed, found.proposed
    return PlanView(report, changes, observed, proposed, [], cost, offline=False, names={})


@pytest.mark.parametrize("mode", ["apply", "propose", "observe"])
async def test_a_plan_says_which_columns_will_be_made(
    world: World, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    world.raw["rollup"][0]["mode"] = mode
    report = await world.sync(write=False)
    line = f"Notion Roadmap: 5 columns will be made: {NAMES}"
    print_plan(shown(report), every=False)
    assert line in " ".join(capsys.readouterr().out.split())
    told = plan_json(shown(report))["columns"]
    assert told[0] == {
        "tool": "Notion",
        "instance": "notion",
        "within": "Roadmap",
        "name": "Delivery",
        "place": "delivery",
        "made": False,
    }
    kept = kept_plan(report, report, world.clock.now())
    assert [one.name for one in kept.columns] == NAMES.split(", ")


async def test_a_plan_that_is_about_another_tool_alone_says_none(world: World) -> None:
    report = await world.sync(write=False)
    view = shown(report)
    elsewhere = [one for one in view.changes if one.tool != "Notion"]
    only = PlanView(report, elsewhere, [], [], [], view.cost, offline=False, names={})
    assert elsewhere
    assert plan_json(only)["columns"] == []


async def test_a_run_says_which_were_made_and_which_will_be(world: World) -> None:
    world.raw["rollup"][0]["mode"] = "propose"
    waiting = await world.sync()
    assert f"  new         Notion Roadmap: 5 columns will be made: {NAMES}" in summary_lines(
        waiting
    )
    world.raw["rollup"][0]["mode"] = "apply"
    report = await world.sync(full=True)
    assert f"Columns     Notion Roadmap: 5 columns made: {NAMES}" in summary_lines(report)
    told = as_json(report)["columns"]
    assert [(one["name"], one["made"]) for one in told] == [
        (name, True) for name in NAMES.split(", ")
    ]
    assert kept_plan(report, report, world.clock.now()).columns == ()
    again = await world.sync()
    assert (again.plan.columns, again.columns_made) == ([], [])
    assert as_json(again)["columns"] == []


async def test_the_journal_says_that_a_column_was_made_and_not_that_its_name_became_itself(
    world: World,
) -> None:
    await world.sync()
    async with world.session() as session:
        rows = await session.store.journal(limit=100)
        told = await wrote(Lookup(session.config, session.store), rows)
    made = [one for one in told if one.column]
    assert {(one.item.label, one.column) for one in made} == {
        (name, "column made") for name in NAMES.split(", ")
    }
    [page] = journal(made[:1], UTC).runs
    assert [(row.before, row.after) for row in page.rows] == [("(empty)", "column made")]
    values = [one for one in told if not one.column]
    assert len(values) > len(made)


async def test_of_a_private_database_the_tool_alone_is_told(world: World) -> None:
    world.raw["instances"]["notion"]["data_sources"][0]["private"] = True
    report = await world.sync(write=False)
    assert column_lines(report.plan.columns, "will be made") == [
        f"Notion: 5 columns will be made: {NAMES}"
    ]


async def test_a_connector_that_cannot_tell_them_ahead_costs_no_more_than_that(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("not told")

    monkeypatch.setattr("opsync_notion.columns.Columns.missing", broken)
    report = await world.sync()
    assert report.plan.columns == []
    assert (report.exit_code, len(report.columns_made)) == (0, 5)
