"""A person's edit wins: what people change or remove stays theirs, and the rest goes on."""

from __future__ import annotations

import pytest

from opsync.cli.root import run
from opsync.current import Pass
from opsync.engine.owning import resolve, unsettled
from opsync.model.ledger import HoldKind
from opsync.model.rules import HELD_FOR
from opsync.report import PassReport
from opsync.sandbox.vendor import Faults
from opsync.stages.apply import TargetWork
from opsync.steps.writing import apply_all
from tests.support.world import World, jira_url, troubles


def held(report: PassReport) -> set[tuple[str, str]]:
    return {(h.place, h.kind) for h in report.plan.held}


async def test_a_persons_edit_in_delivery_is_kept_and_told_and_other_columns_go_on(
    settled: World,
) -> None:
    """Trouble 21, I6"""
    settled.notion.edit_page(settled.checkout, "Delivery", "Ben: almost there")
    settled.jira.set_status("PAY-4", "Done")
    report = await settled.sync()
    assert settled.checkout.text("Delivery") == "Ben: almost there"
    assert settled.checkout.cell("Delivery %") == 0.6
    assert settled.checkout.text("Work").startswith("PAY-1 Checkout core 2/3")
    assert held(report) == {("Delivery", "conflict")}
    assert report.conflicts == 1
    assert report.exit_code == 1
    assert settled.project_links()[0][0].endswith("3/5")


async def test_so_is_one_in_a_tool_that_is_not_read_in_that_run(settled: World) -> None:
    """I6: what was seen of it is as old as its last read."""
    settled.clock.advance(3600)
    settled.notion.edit_page(settled.checkout, "Delivery", "Ben: almost there")
    settled.clock.advance(3600)
    settled.jira.set_status("PAY-4", "Done")
    report = await settled.sync(only=frozenset({"jira-main"}))
    assert settled.checkout.text("Delivery") == "Ben: almost there"
    assert settled.checkout.cell("Delivery %") == 0.6
    assert ("Delivery", "conflict") in held(report)
    assert (await settled.sync()).conflicts == 1
    assert settled.checkout.text("Delivery") == "Ben: almost there"


async def test_who_says_that_theirs_stays_while_a_run_is_about_to_write_is_heard(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I6: as on the dashboard, beside a round of the service."""
    settled.raw["rollup"][0]["edits"] = "ours"
    settled.notion.edit_page(settled.checkout, "Delivery", "Ben: almost there")
    settled.jira.set_status("PAY-4", "Done")
    await settled.sync()
    settled.clock.advance(HELD_FOR.total_seconds())

    async def decided(this: Pass, work: dict[str, list[TargetWork]]) -> None:
        edits = [one for one in await this.store.unsettled() if unsettled(one)]
        assert any(one.changes for one in work["notion"])
        await resolve(this.config, this.store, edits, "theirs", by="ben", at=this.clock.now())
        await apply_all(this, work)

    with monkeypatch.context() as patch:
        patch.setattr("opsync.pipeline.apply_all", decided)
        await settled.sync()
    assert settled.checkout.text("Delivery") == "Ben: almost there"
    await settled.sync()
    [kept] = [one for one in await settled.entries() if one.hold is not None]
    assert kept.hold is not None
    assert (kept.hold.kind, kept.hold.by) == (HoldKind.theirs, "ben")
    await settled.silent()


async def test_who_says_that_opsyncs_is_to_stand_while_a_run_is_about_to_write_is_heard(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I6: the page is looked at and planned again before its write, from rows read before that."""
    settled.notion.edit_page(settled.checkout, "Delivery", "Ben: almost there")
    settled.clock.advance(120)
    assert (await settled.sync()).conflicts == 1
    settled.jira.set_status("PAY-4", "Done")

    async def decided(this: Pass, work: dict[str, list[TargetWork]]) -> None:
        edits = [one for one in await this.store.unsettled() if unsettled(one)]
        assert any(one.changes for one in work["notion"])
        await resolve(this.config, this.store, edits, "ours", by="ben", at=this.clock.now())
        await apply_all(this, work)

    with monkeypatch.context() as patch:
        patch.setattr("opsync.pipeline.apply_all", decided)
        await settled.sync(only=frozenset({"jira-main"}))
    assert settled.checkout.text("Delivery") == "Ben: almost there"

    report = await settled.sync()
    assert (report.exit_code, report.conflicts) == (0, 0)
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")
    await settled.silent()


async def test_a_persons_edit_stays_through_further_changes_without_a_write_to_it(
    settled: World,
) -> None:
    settled.notion.edit_page(settled.checkout, "Delivery", "Ben: almost there")
    for key in ("PAY-3", "PAY-4"):
        settled.jira.set_status(key, "Done")
        await settled.sync()
        assert settled.checkout.text("Delivery") == "Ben: almost there"
    before = settled.written()
    report = await settled.sync()
    assert (report.planned, settled.written()) == (0, before)


async def test_an_edit_is_told_in_every_pass_until_it_is_settled(settled: World) -> None:
    text = settled.checkout.text("Delivery")
    settled.notion.edit_page(settled.checkout, "Delivery", "Ben: almost there")
    for _ in range(3):
        report = await settled.sync()
        assert held(report) == {("Delivery", "conflict")}
        assert (report.conflicts, report.planned, report.exit_code) == (1, 0, 1)
    settled.notion.edit_page(settled.checkout, "Delivery", text)
    await settled.sync()
    await settled.silent()


async def test_when_the_person_takes_the_edit_back_opsync_goes_on(settled: World) -> None:
    text = settled.checkout.text("Delivery")
    settled.notion.edit_page(settled.checkout, "Delivery", "Ben: almost there")
    await settled.sync()
    settled.notion.edit_page(settled.checkout, "Delivery", text)
    await settled.sync()
    settled.jira.set_status("PAY-4", "Done")
    await settled.sync()
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")
    await settled.silent()


async def test_a_persons_choice_of_health_is_kept(settled: World) -> None:
    settled.notion.edit_page(settled.checkout, "Delivery health", "At risk")
    report = await settled.sync()
    assert settled.checkout.text("Delivery health") == "At risk"
    assert ("Delivery health", "conflict") in held(report)


async def test_a_cell_that_a_person_emptied_stays_empty(settled: World) -> None:
    settled.notion.edit_page(settled.checkout, "Delivery", None)
    await settled.sync()
    settled.jira.set_status("PAY-4", "Done")
    report = await settled.sync()
    assert settled.checkout.text("Delivery") == ""
    assert settled.checkout.cell("Delivery %") == 0.6
    assert ("Delivery", "held") in held(report)


async def test_our_attachment_that_a_person_deleted_stays_deleted(settled: World) -> None:
    issue = settled.linear.issue("GRO-3")
    settled.linear.detach(issue.attachments[0])
    settled.linear.edit("GRO-3", title="Card form v2")
    await settled.sync()
    assert settled.attachments("GRO-3") == []
    settled.jira.edit("PAY-3", summary="Tokenise all cards")
    report = await settled.sync()
    assert settled.attachments("GRO-3") == []
    assert [h.why for h in report.plan.held] == ["removed by a person; stays removed"]
    assert [x["title"] for x in settled.remote_links("PAY-3")] == ["GRO-3 Card form v2"]
    await settled.silent()


async def test_our_remote_link_that_a_person_deleted_stays_deleted(settled: World) -> None:
    issue = settled.jira.issue("PAY-3")
    (link,) = settled.jira.remote_links[issue.id].values()
    settled.jira.remove_remote_link(issue.id, link.id)
    await settled.sync()
    settled.linear.edit("GRO-3", title="Card form v2")
    await settled.sync()
    await settled.sync()
    assert settled.remote_links("PAY-3") == []
    assert settled.attachments("GRO-3") == [("PAY-3 Tokenise cards", jira_url("PAY-3"))]
    await settled.silent()


async def test_our_project_link_that_a_person_deleted_stays_deleted(settled: World) -> None:
    settled.linear.remove_external_link(settled.linear.project("Checkout web").external_links[0])
    settled.jira.set_status("PAY-4", "Done")
    await settled.sync()
    await settled.sync()
    assert settled.project_links() == []
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")
    await settled.silent()


async def test_our_project_link_that_a_person_renamed_is_theirs(settled: World) -> None:
    link = settled.linear.project("Checkout web").external_links[0]
    link.label = "Ben's roadmap"
    settled.jira.set_status("PAY-4", "Done")
    await settled.sync()
    await settled.sync()
    assert [label for label, _ in settled.project_links()] == ["Ben's roadmap"]


async def test_an_own_column_that_a_person_deleted_is_not_made_again_silently(
    settled: World,
) -> None:
    """Trouble 20"""
    settled.notion.remove_property(settled.source, "Work")
    settled.jira.set_status("PAY-4", "Done")
    report = await settled.sync()
    names = {prop.name for prop in settled.source.schema.properties.values()}
    assert not any(name.startswith("Work") for name in names)
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")
    told = [h.place for h in report.plan.held]
    told += [c.slot.surface for c, o in report.outcomes if o.kind in ("skipped", "failed")]
    assert {"Work", "work"} & set(told), troubles(report)
    before = settled.written()
    settled.jira.set_status("PAY-3", "Done")
    await settled.sync()
    names = {prop.name for prop in settled.source.schema.properties.values()}
    assert not any(name.startswith("Work") for name in names)
    assert settled.checkout.text("Delivery").startswith("4 of 5 done")
    assert settled.written()["notion"] > before["notion"]


async def test_an_own_column_that_a_person_renamed_is_found_by_its_id(settled: World) -> None:
    """Trouble 20"""
    settled.notion.rename_property(settled.source, "Delivery", "Lieferstand")
    settled.jira.set_status("PAY-4", "Done")
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert settled.checkout.text("Lieferstand").startswith("3 of 5 done")
    assert settled.source.schema.find("Delivery") is None
    await settled.silent()


async def test_columns_of_people_are_read_and_never_written(settled: World) -> None:
    theirs = {name: settled.checkout.cell(name) for name in ("Tracked in", "Status", "Due", "Name")}
    settled.jira.set_status("PAY-4", "Done")
    await settled.sync()
    assert {name: settled.checkout.cell(name) for name in theirs} == theirs
    own = {"Delivery", "Delivery %", "Delivery health", "Work", "Delivery changed"}
    names = {prop.raw_id: prop.name for prop in settled.source.schema.properties.values()}
    by_bot = [p for p in settled.notion.exchanges if p.method == "PATCH" and "/pages/" in p.path]
    assert by_bot
    for exchange in by_bot:
        for raw_id, name in names.items():
            if name not in own:
                assert f'"{name}"'.encode() not in exchange.request_body
                assert f'"{raw_id}"'.encode() not in exchange.request_body


async def test_the_day_of_the_last_change_is_never_a_reason_to_write(settled: World) -> None:
    settled.clock.advance(3 * 24 * 3600)
    day = settled.checkout.cell("Delivery changed")
    await settled.silent()
    assert settled.checkout.cell("Delivery changed") == day
    settled.jira.set_status("PAY-4", "Done")
    await settled.sync()
    assert settled.checkout.cell("Delivery changed") != day


def test_an_unsettled_edit_is_told_by_sync_plan_and_status(
    on_command_line: World, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["sync"]) == 0
    on_command_line.notion.edit_page(on_command_line.checkout, "Delivery", "Ben: almost there")
    for command, code in (
        (["sync"], 1),
        (["sync"], 1),
        (["plan"], 1),
        (["plan", "--offline"], 1),
        (["status"], 0),
    ):
        capfd.readouterr()
        assert run(command) == code, command
        out, _ = capfd.readouterr()
        assert "edited by a person" in out, command
        assert "all is as it should be" not in out, command


async def test_what_is_hidden_for_a_time_is_not_taken_for_removed_by_a_person(
    world: World,
) -> None:
    """F18: Linear tells the same of an attachment that is gone and of one on a hidden issue."""
    await world.sync()
    issue = world.linear.issue("GRO-3")
    world.clock.advance(7200)
    world.jira.poke_move("PAY-3", "done")
    world.vendors["linear"].faults = Faults(deny={issue.id})
    report = await world.sync()
    assert report.conflicts == 0, troubles(report)
    assert report.failed == 1
    world.vendors["linear"].faults = Faults()
    world.clock.advance(7200)
    await world.sync()
    assert [title for title, _ in world.attachments("GRO-3")] == ["PAY-3 Tokenise cards"]
    assert issue.attachments[0].subtitle == "Jira · done"
    await world.silent()
