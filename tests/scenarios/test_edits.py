"""How long a person's edit is held, what comes then, and that only a person's word ends it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from opsync.cli.root import run
from opsync.engine.approving import approvals_of, chosen, unwritten
from opsync.model import Approval, KeptPlan
from opsync.model.rules import HELD_FOR
from opsync.report import PassReport
from tests.scenarios.test_private_work import private_linear_issue
from tests.scenarios.test_undoing import undo_run
from tests.support.world import World, troubles

THEIRS = "Ben: almost there"
DAY = 24 * 3600


@pytest.fixture
def edited(settled: World) -> World:
    """The company; a person wrote into Delivery of the checkout, and a run has seen it."""
    settled.notion.edit_page(settled.checkout, "Delivery", THEIRS)
    return settled


async def wait(world: World) -> None:
    """The time for which an edit is held, less the minutes that passes take."""
    world.clock.advance(HELD_FOR.total_seconds())


async def carry_out(world: World) -> tuple[PassReport, list[str]]:
    """Approve the newest plan and write it: the pass, and why something was not written."""
    async with world.session() as session:
        plan = await session.store.newest_plan()
        assert isinstance(plan, KeptPlan)
        given = approvals_of(plan.changes, plan.number, by="ana", at=session.runtime.clock.now())
        await session.store.approve(list(given))
        report = await session.sync("apply", chosen=chosen(plan.changes))
        left = await unwritten(session.store, plan.changes, report, session.config)
    return report, [one.why for one in left]


def delivery(report: PassReport) -> list[str]:
    return [one.why for one in report.plan.held if one.place == "Delivery"]


@pytest.mark.slow
async def test_an_edit_is_held_for_seven_days_and_then_proposed_in_mode_apply_too(
    edited: World,
) -> None:
    """Trouble 21"""
    first = await edited.sync()
    assert delivery(first) == ["edited by a person; held until 9 Mar, then proposed again"]
    edited.clock.advance(6 * DAY)
    assert delivery(await edited.sync()) == delivery(first)
    await wait(edited)
    before = edited.written()
    for _ in range(3):
        report = await edited.sync()
        [one] = [each for each in report.plan.proposed if each.place == "Delivery"]
        assert (one.change.before, one.change.over_edit) == (THEIRS, True)
        assert (report.planned, report.conflicts, report.exit_code) == (0, 0, 0), troubles(report)
    assert edited.written() == before
    assert edited.checkout.text("Delivery") == THEIRS


async def test_what_is_proposed_over_an_edit_is_written_once_it_is_approved(
    edited: World,
) -> None:
    await edited.sync()
    await wait(edited)
    await edited.sync()
    report, left = await carry_out(edited)
    assert (report.exit_code, left) == (0, []), troubles(report)
    assert edited.checkout.text("Delivery").startswith("2 of 5 done")
    await edited.silent()
    [row] = [one for one in await edited.entries() if one.slot.surface == "delivery"][:1]
    assert row.hold is None


@pytest.mark.slow
async def test_the_undo_of_that_gives_people_their_text_back(edited: World) -> None:
    await edited.sync()
    await wait(edited)
    await edited.sync()
    report, _ = await carry_out(edited)
    edited.clock.advance(60)
    await undo_run(edited, report.run)
    assert edited.checkout.text("Delivery") == THEIRS
    await wait(edited)
    edited.jira.set_status("PAY-4", "Done")
    await edited.sync()
    assert edited.checkout.text("Delivery") == THEIRS


@pytest.mark.slow
async def test_who_edits_again_before_the_approved_write_keeps_that_text(edited: World) -> None:
    """I6"""
    await edited.sync()
    await wait(edited)
    await edited.sync()
    edited.notion.edit_page(edited.checkout, "Delivery", "Ben: not yet")
    report, left = await carry_out(edited)
    assert edited.checkout.text("Delivery") == "Ben: not yet"
    assert report.exit_code == 1
    assert "edited by a person; held until 16 Mar, then proposed again" in left
    await edited.sync()
    assert edited.checkout.text("Delivery") == "Ben: not yet"


@pytest.fixture
def names_private(world: World) -> World:
    """The company, with work of a private team; what it was first told stands."""
    private_linear_issue(world)
    world.linear.add_issue("SEC", "Rotate the other keys")
    return world


async def proposed_over_private(world: World) -> None:
    """Ben wrote a text that names private work, and opsync's value is proposed over it."""
    await world.sync()
    world.notion.edit_page(world.checkout, "Delivery", "Ben: waits for SEC-1")
    await world.sync()
    await wait(world)
    report = await world.sync()
    [one] = [each.change for each in report.plan.proposed if each.place == "Delivery"]
    assert (one.before, one.over_edit) == ("Ben: waits for a private item", True)


async def test_what_is_proposed_over_a_text_that_names_private_work_is_written_likewise(
    names_private: World,
) -> None:
    await proposed_over_private(names_private)
    report, left = await carry_out(names_private)
    assert (report.exit_code, left) == (0, []), troubles(report)
    assert names_private.checkout.text("Delivery").startswith("2 of 5 done")


@pytest.mark.slow
async def test_another_text_that_is_shown_alike_is_not_written_over(names_private: World) -> None:
    """I6"""
    await proposed_over_private(names_private)
    names_private.notion.edit_page(names_private.checkout, "Delivery", "Ben: waits for SEC-2")
    await carry_out(names_private)
    await names_private.sync()
    assert names_private.checkout.text("Delivery") == "Ben: waits for SEC-2"


async def test_the_approval_of_a_rule_writes_over_nobody(edited: World) -> None:
    edited.raw["rollup"][0]["mode"] = "propose"
    await edited.sync()
    async with edited.session() as session:
        at = session.runtime.clock.now()
        await session.store.approve([Approval(scope="roadmap", desired_hash="", by="ana", at=at)])
    edited.jira.set_status("PAY-4", "Done")
    await wait(edited)
    report = await edited.sync()
    assert edited.checkout.text("Delivery") == THEIRS
    assert edited.checkout.cell("Delivery %") == 0.6
    assert [one.place for one in report.plan.proposed] == ["Delivery"]


@pytest.mark.slow
async def test_a_link_to_the_roadmap_that_a_person_renamed_is_proposed_likewise(
    settled: World,
) -> None:
    link = settled.linear.project("Checkout web").external_links[0]
    link.label = "Ben's roadmap"
    settled.jira.set_status("PAY-4", "Done")
    first = await settled.sync()
    [held] = [one for one in first.plan.held if one.place == "Roadmap link"]
    assert held.why == "edited by a person; held until 9 Mar, then proposed again"
    await wait(settled)
    report = await settled.sync()
    [one] = report.plan.proposed
    assert one.change.over_edit
    assert [label for label, _ in settled.project_links()] == ["Ben's roadmap"]
    done, left = await carry_out(settled)
    assert (done.exit_code, left) == (0, []), troubles(done)
    assert settled.project_links()[0][0].endswith("3/5")
    await settled.silent()


async def test_a_link_that_a_person_edited_is_theirs_for_good(settled: World) -> None:
    """Trouble 21"""
    settled.linear.issue("GRO-3").attachments[0].title = "my notes"
    settled.linear.edit("GRO-3", title="Card form v2")
    report = await settled.sync()
    assert [one.why for one in report.plan.held] == ["edited by a person; keeps theirs"]
    for _ in range(2):
        await wait(settled)
        settled.jira.edit("PAY-3", summary=f"Tokenise cards at {settled.clock.now():%d %b}")
        report = await settled.sync()
        assert report.plan.proposed == []
    assert [title for title, _ in settled.attachments("GRO-3")] == ["my notes"]


async def test_a_rule_may_keep_what_people_write_for_good(edited: World) -> None:
    edited.raw["rollup"][0]["edits"] = "theirs"
    report = await edited.sync()
    assert delivery(report) == ["edited by a person; keeps theirs"]
    await wait(edited)
    report = await edited.sync()
    assert (report.plan.proposed, len(delivery(report))) == ([], 1)
    assert edited.checkout.text("Delivery") == THEIRS


async def test_a_rule_may_have_its_value_written_again_after_the_same_time(
    edited: World,
) -> None:
    edited.raw["rollup"][0]["edits"] = "ours"
    report = await edited.sync()
    assert delivery(report) == ["edited by a person; held until 9 Mar, then written again"]
    edited.clock.advance(6 * DAY)
    await edited.sync()
    assert edited.checkout.text("Delivery") == THEIRS
    await wait(edited)
    report = await edited.sync()
    assert report.exit_code == 0, troubles(report)
    assert edited.checkout.text("Delivery").startswith("2 of 5 done")
    await edited.silent()


async def test_another_policy_counts_from_when_the_edit_was_first_seen(edited: World) -> None:
    edited.raw["rollup"][0]["edits"] = "theirs"
    await edited.sync()
    await wait(edited)
    edited.raw["rollup"][0].pop("edits")
    report = await edited.sync()
    assert "Delivery" in {one.place for one in report.plan.proposed}


async def test_an_approved_write_that_fails_is_made_by_a_later_run(edited: World) -> None:
    await edited.sync()
    await wait(edited)
    await edited.sync()

    def refuse(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(503, json={}) if request.method == "PATCH" else None

    edited.net.before["api.notion.com"] = refuse
    report, _ = await carry_out(edited)
    assert (report.failed > 0, edited.checkout.text("Delivery")) == (True, THEIRS)
    edited.net.before.clear()
    edited.clock.advance(6 * 3600)
    await edited.sync()
    assert edited.checkout.text("Delivery").startswith("2 of 5 done")
    await edited.silent()


async def test_what_a_person_emptied_is_never_proposed(settled: World) -> None:
    settled.notion.edit_page(settled.checkout, "Delivery", None)
    await settled.sync()
    await wait(settled)
    settled.jira.set_status("PAY-4", "Done")
    report = await settled.sync()
    assert report.plan.proposed == []
    assert settled.checkout.text("Delivery") == ""


@pytest.fixture
def plan_file(names_private: World, on_command_line: World, tmp_path: Path) -> Path:
    """A plan to write over a text that names private work."""
    world, file = on_command_line, tmp_path / "plan.json"
    run(["sync"])
    world.notion.edit_page(world.checkout, "Delivery", "Ben: waits for SEC-1")
    run(["sync"])
    world.clock.advance(HELD_FOR.total_seconds())
    assert run(["plan", "--out", str(file)]) == 0
    return file


@pytest.mark.slow
def test_a_plan_in_a_file_writes_over_such_a_text_and_gives_nothing_of_it_away(
    world: World, plan_file: Path
) -> None:
    with closing(sqlite3.connect(world.store_path)) as store:
        kept = store.execute("SELECT body FROM plans").fetchall()
    [over] = {one["over"] for (body,) in kept for one in json.loads(body)["changes"]} - {""}
    text = plan_file.read_text()
    assert "a private item" in text
    assert not any(word in text for word in ("SEC-1", over))
    assert run(["apply", str(plan_file)]) == 0
    assert world.checkout.text("Delivery").startswith("2 of 5 done")


@pytest.mark.slow
def test_where_the_store_forgot_the_plan_its_file_leaves_such_a_text_and_says_so(
    world: World, plan_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(world.store_path)) as store, store:
        store.execute("DELETE FROM plans")
    capfd.readouterr()
    assert run(["apply", str(plan_file)]) == 1
    assert "proposed again, waits for approval" in capfd.readouterr()[0]
    assert world.checkout.text("Delivery") == "Ben: waits for SEC-1"


@pytest.mark.slow
def test_every_screen_says_until_when_it_is_held_and_what_waits_then(
    on_command_line: World, capfd: pytest.CaptureFixture[str]
) -> None:
    world = on_command_line
    assert run(["sync"]) == 0
    world.notion.edit_page(world.checkout, "Delivery", THEIRS)
    held = "edited by a person; held until 9 Mar, then proposed again"

    def told(*command: str) -> str:
        capfd.readouterr()
        run(list(command))
        return " ".join(capfd.readouterr()[0].split())

    told("sync")
    for command in (
        ["plan"],
        ["explain", "One-tap checkout", "Delivery"],
        ["resolve", "One-tap checkout", "Delivery"],
        ["owned", "One-tap checkout"],
    ):
        assert held in told(*command), command
    both = told("resolve", "One-tap checkout", "Delivery")
    assert THEIRS in both
    assert "2 of 5 done" in both
    assert '"held_until": "2026-03-09T' in told("explain", "One-tap checkout", "--json")
    assert '"held_until": "2026-03-09T' in told("plan", "--offline", "--json")
    world.clock.advance(HELD_FOR.total_seconds())
    end = told("sync")
    assert "1 would replace what a person wrote" in end
    assert "opsync apply" in end
    assert "edited by a person · waits for approval" in told("plan")
    assert "to approve" in told("status")
    assert '"over_edit": true' in told("plan", "--json")
    assert "edited by a person on 2 Mar; proposed again" in told("explain", "One-tap checkout")
