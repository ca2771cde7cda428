"""`opsync sync`: what it writes, what it ends with, and its exit codes."""

from __future__ import annotations

import pytest

from opsync.cli.passview import MOST_WRITTEN, summary_lines
from opsync.report import InstanceReport, PassReport
from opsync.runtime import SystemClock
from opsync.store import hold
from tests.cli.conftest import Company


def test_a_first_sync_writes_and_says_so_in_the_words_of_people(company: Company) -> None:
    result = company.opsync("sync")
    assert result.code == 0
    assert "Toy         roadmap: 3 read, 3 changed" in result.lines
    assert "Stand       2 links · 3 delivery summaries" in result.lines
    assert any(line.startswith("Written     Toy 5") for line in result.lines)
    assert result.lines[-1].startswith("Run 1 done in ")
    written = company.read("roadmap")["written"]
    assert written["checkout"]["delivery"].startswith("1 of 2 done · 1 blocked")


def test_what_was_written_is_named(company: Company) -> None:
    lines = company.opsync("sync").lines
    (written,) = [line for line in lines if line.startswith("  +  Toy  One-tap checkout")]
    assert written.split("Delivery", 1)[1].strip().startswith('"1 of 2 done')
    assert len([line for line in lines if line.startswith("  +  Toy")]) == 5


def test_of_many_writes_the_rest_is_counted(company: Company) -> None:
    more = [
        {"id": f"more-{n}", "kind": "initiative", "title": f"More {n}", "names": "PAY-100"}
        for n in range(12)
    ]
    company.edit("roadmap", lambda state: state["items"].extend(more))
    lines = company.opsync("sync").lines
    assert len([line for line in lines if line.startswith("  +  Toy")]) == MOST_WRITTEN
    (rest,) = [line for line in lines if line.startswith("  … ")]
    assert rest.endswith("more: opsync journal --run 1")


def test_a_long_tool_name_breaks_no_columns(company: Company) -> None:
    company.opsync("sync")
    report = PassReport(2, "opsync sync", [InstanceReport("plan", "Roadmap file", read=3)])
    lines = summary_lines(report)
    assert lines[0] == "Roadmap file plan: 3 read, 0 changed"
    assert lines[1].startswith("Stand        0 links")


def test_a_second_sync_writes_nothing(synced: Company) -> None:
    result = synced.opsync("sync", "--json")
    assert result.code == 0
    assert result.json["pass"]["planned"] == 0
    assert result.json["pass"]["applied"] == 0
    assert result.json["changes"] == []
    assert "Written     nothing: all is as it should be" in synced.opsync("sync").lines


def test_rules_that_observe_write_nothing_and_say_how_to_go_on(company: Company) -> None:
    company.configure(mode="observe")
    result = company.opsync("sync")
    assert result.code == 0
    assert "Would write 5 changes: Toy 5. Nothing of that was written:" in result.lines
    assert "  write once  opsync sync --mode apply" in result.lines
    assert "written" not in company.read("roadmap")


@pytest.mark.parametrize("command", [["sync"], ["sync", "--dry-run"]])
def test_a_run_that_is_told_to_observe_blames_no_rule(company: Company, command: list[str]) -> None:
    company.configure(mode="apply")
    text = " ".join(company.opsync(*command, "--mode", "observe").lines)
    assert "told" in text
    assert "the rules are in mode observe" not in text
    assert "the rules only observe" not in text
    assert "written" not in company.read("roadmap")
    assert "  as usual    opsync sync, as the rules' own modes say" in [
        *company.opsync("sync", "--mode", "observe").lines
    ]


def test_mode_apply_writes_once_although_the_rules_observe(company: Company) -> None:
    company.configure(mode="observe")
    company.opsync("sync")
    assert company.opsync("sync", "--mode", "apply", "--json").json["pass"]["applied"] == 5


def test_dry_run_is_plan(company: Company) -> None:
    result = company.opsync("sync", "--dry-run", "--json")
    assert result.code == 0
    assert result.json["plan"]["changes"] == 5
    assert "written" not in company.read("roadmap")


def test_json_has_the_documented_shape(company: Company) -> None:
    found = company.opsync("sync", "--json").json
    assert set(found) == {"pass", "alarms", "instances", "changes", "held", "columns"}
    assert found["pass"]["exit_code"] == 0
    assert [one["instance"] for one in found["instances"]] == ["roadmap", "work"]
    change = next(one for one in found["changes"] if one["place"] == "Delivery")
    assert change["mode"] == "apply"
    assert change["outcome"]["kind"] == "created"
    assert change["before"] is None
    assert " done" in change["after"]


def test_only_reads_the_named_connection(synced: Company) -> None:
    synced.move("PAY-118", "done")
    result = synced.opsync("sync", "--only", "roadmap")
    assert "Toy         work: not read this time" in result.lines
    assert "Written     nothing: all is as it should be" in result.lines


def test_an_unknown_connection_is_refused_with_the_right_ones(company: Company) -> None:
    result = company.opsync("sync", "--only", "jria")
    assert result.code == 2
    assert "Configured: roadmap, work." in result.err


def test_a_refused_sign_in_ends_with_3_and_names_what_mends_it(synced: Company) -> None:
    synced.fail("work", "sign-in")
    result = synced.opsync("sync")
    assert result.code == 3
    assert "! work was refused: Toy refused the token." in result.lines
    assert "    Make a new one: Toy → Keys." in result.lines
    assert "Written     nothing" in result.lines
    assert result.lines[-1].startswith("Run 2 done in part in ")
    assert result.lines[-1].endswith(" · a sign-in was refused")
    assert "0 changes" in synced.opsync("plan").lines
    assert any(line.startswith("Toy         roadmap: 3 read") for line in result.lines)


def test_an_outage_ends_with_1_and_is_called_incomplete(synced: Company) -> None:
    synced.fail("work", "down")
    result = synced.opsync("sync")
    assert result.code == 1
    assert "! work is incomplete: Toy answered 503." in result.lines


def test_a_broken_plugin_harms_its_own_connection_only(synced: Company) -> None:
    synced.fail("work", "bug")
    result = synced.opsync("sync")
    assert result.code == 1
    assert any("work is broken" in line for line in result.lines)
    assert any(line.startswith("Toy         roadmap: 3 read") for line in result.lines)


def test_failed_writes_are_named_and_end_with_1(company: Company) -> None:
    company.fail("roadmap", "writes")
    result = company.opsync("sync")
    assert result.code == 1
    assert "Failed      Toy 3" in result.lines
    told = [line for line in result.lines if "Toy is full" in line]
    assert told == ["  ! Toy One-tap checkout, Delivery, and 2 more: Toy is full"]


def test_while_failed_writes_wait_nothing_is_said_to_be_as_it_should(company: Company) -> None:
    company.fail("roadmap", "writes")
    company.opsync("sync")
    company.fail("roadmap", "")
    waits = "3 writes failed earlier, tried again by a later run (opsync aside)"
    assert f"Written     nothing: {waits}" in company.opsync("sync").lines
    assert f"0 changes: {waits}" in company.opsync("plan").lines


def test_an_edited_value_is_kept_and_told(synced: Company) -> None:
    def edited(state: dict[str, dict[str, dict[str, str]]]) -> None:
        state["written"]["checkout"]["delivery"] = "my own words"

    synced.edit("roadmap", edited)
    synced.move("PAY-118", "done")
    result = synced.opsync("sync")
    assert result.code == 1
    assert any("Delivery: edited by a person; keeps theirs" in line for line in result.lines)
    look = 'opsync explain "One-tap checkout" "Delivery"'
    assert f"1 value edited by a person ({look})" in result.lines
    assert f"1 value edited by a person ({look})" in synced.opsync("plan", "--offline").lines
    assert synced.read("roadmap")["written"]["checkout"]["delivery"] == "my own words"


def test_what_cannot_be_read_is_set_aside_and_told(company: Company) -> None:
    company.edit("work", lambda state: state["items"][-1].update(broken=True))
    result = company.opsync("sync")
    assert result.code == 1
    assert "Toy         work: 5 read, 5 changed, 1 set aside" in result.lines


def test_a_store_that_another_opsync_holds_ends_with_4_and_tells_who(synced: Company) -> None:
    with hold(synced.folder / "opsync.db", "opsync serve", SystemClock().now()):
        result = synced.opsync("sync")
        beside = synced.opsync("status")
    assert result.code == 4
    assert "held by `opsync serve`" in result.err
    assert beside.code == 0
