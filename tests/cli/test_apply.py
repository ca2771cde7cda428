"""`opsync apply`: a plan by its number or its file, a piece of it, a rule as a whole."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import stat
import unicodedata
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from msgspec.structs import replace

from opsync.model import Ref
from opsync.runtime import SystemClock
from opsync.store import Store, hold
from tests.cli.conftest import Company
from tests.cli.test_resolve import delivery, without_its_rule


@pytest.fixture
def company(company: Company) -> Company:
    """The rules propose."""
    company.configure(mode="propose")
    return company


def stands(company: Company) -> bool:
    return "1 of 2 done" in str(company.read("roadmap"))


def test_a_run_says_how_to_approve_what_waits(company: Company) -> None:
    result = company.opsync("sync")
    assert result.code == 0
    assert "5 changes wait: opsync apply 1" in result.lines
    assert "Written     nothing: 5 changes wait for approval" in result.lines
    assert "  of these    Toy 5" in result.lines
    assert not stands(company)
    assert any(
        "5 changes to approve (opsync plan)" in line for line in company.opsync("status").lines
    )


def test_a_plan_is_carried_out_by_its_number(company: Company) -> None:
    company.opsync("plan")
    result = company.opsync("apply", "1")
    assert result.code == 0, result.err
    assert stands(company)
    assert "Written     Toy 5" in result.lines
    assert company.opsync("plan").lines[-1] == "0 changes: all is as it should be"


def test_without_a_number_it_is_the_newest(company: Company) -> None:
    company.opsync("plan")
    company.move("PAY-118", "done")
    company.opsync("plan")
    assert company.opsync("apply").code == 0
    assert "2 of 2 done" in str(company.read("roadmap"))


def test_without_a_number_none_is_taken_that_only_the_service_made(company: Company) -> None:
    """I20"""
    company.opsync("plan")
    kept_beside(company, number=2)
    result = company.opsync("apply", "--item", "one-tap")
    assert result.code == 0
    assert re.fullmatch(r"plan #1, made on \d+ \w+ \d\d:\d\d: 2 of 5 changes\n", result.err)
    assert stands(company)
    assert {number for _, number in plans_of_approvals(company)} == {1}
    assert company.opsync("apply", "1").err == "", "it was named by whoever typed it"


def test_where_a_person_was_told_of_none_there_is_none_to_take(company: Company) -> None:
    company.opsync("plan")
    kept_beside(company, number=2)
    with sqlite3.connect(company.folder / "opsync.db") as connection:
        connection.execute("DELETE FROM plans WHERE number = 1")
    connection.close()
    result = company.opsync("apply")
    assert (result.code, "no plan is kept" in result.err) == (2, True)
    assert not stands(company)


def kept_beside(company: Company, *, number: int) -> None:
    """A plan that a service made for itself, of more than the first."""

    async def keep() -> None:
        store = Store.open(company.folder / "opsync.db", clock=SystemClock())
        first = await store.kept_plan(1)
        assert first is not None
        one = first.changes[0]
        slot = replace(one.slot, other=Ref("work", "item", "77"))
        more = replace(first, number=number, changes=(*first.changes, replace(one, slot=slot)))
        await store.put_plan(more, told=False, anew=False)
        await store.close()

    asyncio.run(keep())


def plans_of_approvals(company: Company) -> list[tuple[str, int]]:
    connection = sqlite3.connect(company.folder / "opsync.db")
    try:
        return sorted(connection.execute("SELECT scope, plan FROM approvals"))
    finally:
        connection.close()


def test_a_look_in_between_is_no_plan(company: Company) -> None:
    company.opsync("plan")
    company.opsync("look")
    assert company.opsync("apply").code == 0
    assert stands(company)


def test_what_moved_is_told_with_what_it_should_be_and_ends_with_1(company: Company) -> None:
    company.opsync("plan")
    company.move("PAY-118", "done")
    result = company.opsync("apply", "1")
    assert result.code == 1
    assert "Not written of plan #1: 1 change" in result.lines
    assert "all is as it should be" not in result.out
    told = next(line for line in result.lines if line.startswith("  ! Toy One-tap checkout"))
    assert 'Delivery: should be "2 of 2 done' in told
    assert result.lines[-1] == "See what they should be now: opsync plan"
    assert not stands(company)


def test_as_json_it_says_what_was_not_written_and_why(company: Company) -> None:
    company.opsync("plan")
    company.move("PAY-118", "done")
    found = company.opsync("apply", "1", "--json").json
    assert (found["plan"]["number"], found["plan"]["changes"]) == (1, 5)
    assert found["plan"]["to_approve"] == 5
    [left] = found["plan"]["unwritten"]
    assert (left["fate"], left["place"]) == ("moved", "Delivery")
    assert left["should_be"].startswith("2 of 2 done")
    assert found["pass"]["applied"] == 4


def test_a_plan_goes_through_a_file(company: Company) -> None:
    path = company.folder / "plan.json"
    assert company.opsync("plan", "--out", str(path)).code == 0
    assert len(json.loads(path.read_bytes())["changes"]) == 5
    assert company.opsync("apply", str(path)).code == 0
    assert stands(company)


def test_the_file_of_a_plan_is_whole_though_who_reads_the_screen_leaves_early(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = company.folder / "plan.json"
    leaves = Mock(side_effect=BrokenPipeError)
    with monkeypatch.context() as patch:
        patch.setattr("opsync.cli.plan.print_plan", leaves)
        assert company.opsync("plan", "--out", str(path)).code == 0
    leaves.assert_called_once()
    assert company.opsync("apply", str(path)).code == 0
    assert stands(company)


def test_a_plan_in_a_file_is_its_owners_only_whatever_stood_there(company: Company) -> None:
    path, link = company.folder / "plan.json", company.folder / "latest.json"
    path.write_text("an older one")
    path.chmod(0o644)
    link.symlink_to(path)
    with path.open() as reading:
        assert company.opsync("plan", "--out", str(link)).code == 0
        assert reading.read() == "an older one", "who reads it has it whole"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert link.is_symlink()
    assert company.opsync("apply", str(link)).code == 0


def test_a_plan_that_cannot_be_written_leaves_what_stood_there(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = company.folder / "plan.json"
    path.write_text("an older one")
    before = sorted(company.folder.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr("opsync.cli.planfile.os.fsync", Mock(side_effect=OSError(28, "No space")))
        result = company.opsync("plan", "--out", str(path))
    assert (result.code, "plan.json: No space" in result.err) == (2, True)
    assert path.read_text() == "an older one"
    assert {one.name for one in company.folder.iterdir()} - {one.name for one in before} <= {
        "opsync.db",
        "opsync.db.lock",
    }


def test_a_plan_goes_through_a_pipe(company: Company) -> None:
    end, begin = os.pipe()
    named = company.folder / "pipe"
    os.mkfifo(named)
    other = os.open(named, os.O_RDONLY | os.O_NONBLOCK)
    for path, reading in ((f"/dev/fd/{begin}", end), (str(named), other)):
        assert company.opsync("plan", "--out", path).code == 0
        assert len(json.loads(os.read(reading, 1 << 20))["changes"]) == 5
    assert named.is_fifo()
    for handle in (end, begin, other):
        os.close(handle)


def test_only_what_concerns_an_initiative_can_be_taken(company: Company) -> None:
    company.opsync("plan")
    assert company.opsync("apply", "1", "--item", "one-tap").code == 0
    assert stands(company)
    assert company.opsync("plan", "--json").json["plan"]["waiting_for_approval"] > 0


def test_an_initiative_is_named_however_its_letters_are_spelled(company: Company) -> None:
    apart = unicodedata.normalize("NFD", "Übersicht")
    company.edit("roadmap", lambda state: state["items"][0].update(title=apart))
    company.opsync("plan")
    assert company.opsync("apply", "1", "--item", "übersicht").code == 0
    assert stands(company)


SSO_ON_PAY_100 = ("PAY-100 Checkout core", "SSO for teams")


def set_aside(company: Company) -> dict[tuple[str, str], Any]:
    """What could not be written, by item and initiative."""
    rows: list[dict[str, Any]] = json.loads(company.opsync("aside", "--json").out)
    return {(one["item"]["label"], one["about"]["label"]): one for one in rows}


def test_what_failed_beside_what_is_taken_is_set_aside_still(company: Company) -> None:
    """PAY-100 has links to two initiatives, and the plan of one is carried out."""

    def names_both(sheet: dict[str, Any]) -> None:
        sheet["items"][1]["names"] = "PAY-200 and PAY-100"

    company.configure(mode="apply")
    company.edit("roadmap", names_both)
    company.opsync("plan")
    company.fail("work", "writes")
    company.opsync("sync")
    before = set_aside(company)[SSO_ON_PAY_100]

    company.opsync("apply", "1", "--item", "One-tap checkout")

    assert set_aside(company)[SSO_ON_PAY_100] == before


def test_a_rule_is_approved_as_a_whole_and_revoked(company: Company) -> None:
    company.opsync("sync")
    said = company.opsync("apply", "--rule", "roadmap")
    assert said.code == 0
    assert (
        said.lines[0] == 'Rule "roadmap" is approved: its values are written from the next run on.'
    )
    company.opsync("sync")
    assert stands(company)
    assert company.opsync("apply", "--rule", "roadmap", "--revoke").code == 0
    company.move("PAY-118", "done")
    company.opsync("sync")
    assert stands(company), "the new value waits again"
    assert company.opsync("apply", "--rule", "roadmap", "--revoke").code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("99",), "no plan #99 is kept"),
        (("9" * 19,), f"no plan #{'9' * 19} is kept"),
        (("9" * 5000,), f"no plan #{'9' * 39}… is kept"),
        (("nowhere.json",), '"nowhere.json" is no plan: No such file or directory'),
        (("1", "--item", "Atlantis"), 'plan #1 has nothing of "Atlantis"'),
        (("--rule", "road"), 'no rule "road"'),
        (("--revoke",), "--revoke goes with --rule NAME."),
        (("1", "--approvals"), "--approvals and PLAN exclude each other"),
        (("--rule", "roadmap", "--revoke"), "by whom: opsync apply --approvals"),
    ],
)
def test_bad_input_names_what_is_wrong_and_what_there_is(
    company: Company, arguments: tuple[str, ...], said: str
) -> None:
    company.opsync("plan")
    result = company.opsync("apply", *arguments)
    assert result.code == 2
    assert said in result.err
    assert not stands(company)


def test_before_any_plan_it_says_how_to_make_one(company: Company) -> None:
    company.opsync("sync", "--mode", "observe")
    result = company.opsync("apply")
    assert (result.code, "Make one with: opsync plan" in result.err) == (2, True)


def _of_no_connection(plan: dict[str, Any]) -> None:
    plan["changes"][0]["slot"]["other"]["instance"] = "jira"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda plan: plan.update(number=-5), "plan.json is no plan: Expected `int` >= 1"),
        (lambda plan: plan.update(number=10**26), "plan.json is no plan: Expected `int` <= "),
        (lambda plan: plan.update(number="one"), "plan.json is no plan: Expected `int`"),
        (lambda plan: plan.pop("changes"), "plan.json is no plan: "),
        (
            lambda plan: plan["changes"].append(plan["changes"][0]),
            "plan.json is no plan: it has two changes of one value",
        ),
        (_of_no_connection, 'plan.json has changes of "jira", which is no connection'),
        (
            lambda plan: plan.pop("store"),
            "plan.json does not say of which store it is: an older opsync made it",
        ),
    ],
)
def test_a_file_that_cannot_be_a_plan_of_this_store_is_refused(
    company: Company, edit: Callable[[dict[str, Any]], None], said: str
) -> None:
    path = company.folder / "plan.json"
    company.opsync("plan", "--out", str(path))
    plan = json.loads(path.read_bytes())
    edit(plan)
    path.write_text(json.dumps(plan))
    result = company.opsync("apply", str(path))
    assert (result.code, said in result.err) == (2, True), result.err
    assert not stands(company)
    assert not approvals(company)


def test_a_file_of_other_bytes_is_no_plan(company: Company) -> None:
    path = company.folder / "plan.json"
    company.opsync("plan")
    for text in (b"", b"\xff\xfe", b'"\xff"'):
        path.write_bytes(text)
        result = company.opsync("apply", str(path))
        assert (result.code, "plan.json is no plan: " in result.err) == (2, True)


@pytest.mark.usefixtures("stores_by_revisions")
def test_a_plan_of_another_store_is_refused_and_both_are_named(company: Company) -> None:
    path, store = company.folder / "plan.json", company.folder / "opsync.db"
    company.opsync("plan", "--out", str(path))
    of = company.opsync("db", "check", "--json").json["id"]
    company.opsync("db", "backup", str(company.folder / "kept.db"))
    store.unlink()
    company.opsync("sync")
    here = company.opsync("db", "check", "--json").json["id"]
    assert of != here
    result = company.opsync("apply", str(path))
    assert result.code == 2
    assert f"plan.json is a plan of the store {of}, and {store} is the store {here}" in result.err
    assert not stands(company)
    # The store that was lost, put back, is the same one.
    company.opsync("db", "restore", str(company.folder / "kept.db"))
    assert company.opsync("apply", str(path)).code == 0
    assert stands(company)


def test_nothing_is_approved_while_another_one_holds_the_store(company: Company) -> None:
    company.opsync("plan")
    with hold(company.folder / "opsync.db", "opsync sync", SystemClock().now()):
        assert company.opsync("apply", "1").code == 4
    assert not approvals(company)
    assert "5 changes wait: opsync apply 1" in company.opsync("sync").lines
    assert not stands(company)


def test_a_rule_that_writes_waits_for_no_approval(company: Company) -> None:
    company.configure(mode="apply")
    result = company.opsync("apply", "--rule", "roadmap")
    assert result.code == 2
    assert 'rule "roadmap" is in mode apply: it waits for no approval' in result.err


def test_a_rule_that_observes_is_not_called_as_it_should_be(company: Company) -> None:
    company.configure(mode="observe")
    company.opsync("plan")
    result = company.opsync("apply")
    assert (result.code, "Written     nothing" in result.lines) == (1, True)


def test_what_waits_for_approval_since_the_mode_changed_says_so(company: Company) -> None:
    company.configure(mode="apply")
    company.opsync("plan")
    company.configure(mode="propose")
    result = company.opsync("apply", "1")
    assert result.code == 1
    assert {line.rpartition(": ")[2] for line in result.lines if line.startswith("  ! ")} == {
        'its rule "roadmap" waits for approval',
        'its rule "links" waits for approval',
    }
    assert result.lines[-1] == "Approve what waits: opsync plan, then opsync apply"
    left = company.opsync("apply", "1", "--json").json["plan"]["unwritten"]
    assert {one["fate"] for one in left} == {"proposed"}
    company.opsync("plan")
    assert company.opsync("apply").code == 0
    assert stands(company)


def test_what_only_observes_since_the_mode_changed_says_so(company: Company) -> None:
    company.opsync("plan")
    company.configure(mode="observe")
    result = company.opsync("apply", "1")
    assert result.code == 1
    assert any(line.endswith(': its rule "roadmap" only observes') for line in result.lines)
    assert "the place is held" not in result.out


def test_what_only_observed_when_the_plan_was_made_says_so(company: Company) -> None:
    company.configure(mode="observe")
    company.opsync("plan")
    company.configure(mode="apply")
    result = company.opsync("apply", "1")
    assert result.code == 1
    assert 'its rule "roadmap" only observed when the plan was made' in result.out


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("own", "forced", "offered"),
    [
        ("propose", "apply", "opsync sync --mode apply"),
        ("observe", "apply", "opsync sync --mode apply"),
        ("observe", "propose", "opsync sync --mode apply"),
        ("apply", "propose", "opsync apply 1"),
        ("propose", "propose", "opsync apply 1"),
    ],
)
def test_what_a_plan_of_another_mode_offers_carries_it_out(
    company: Company, own: str, forced: str, offered: str
) -> None:
    company.configure(mode=own)
    said = company.opsync("sync", "--dry-run", "--mode", forced).lines
    [line] = [line for line in said if line.startswith("notifies nobody")]
    assert line.split("    ")[1].partition(": ")[2] == offered
    assert company.opsync(*offered.split()[1:]).code == 0
    assert stands(company)


def test_a_run_that_was_told_to_propose_what_is_only_observed_offers_what_writes_it(
    company: Company,
) -> None:
    company.configure(mode="observe")
    said = company.opsync("sync", "--mode", "propose")
    assert "5 changes wait: opsync sync --mode apply" in said.lines
    assert "opsync apply" not in said.out


def test_a_plan_from_the_store_alone_takes_no_approval_away(company: Company) -> None:
    company.opsync("plan")
    company.fail("roadmap", "writes")
    company.opsync("apply")
    before = approvals(company)
    assert before
    with (company.folder / "opsync.toml").open("a") as file:
        file.write('\n[wording]\nlanguage = "de"\n')
    assert "von 2" in company.opsync("plan", "--offline").out, "another value is asked for"
    assert approvals(company) == before
    company.opsync("plan")
    assert len(approvals(company)) < len(before)


def approvals(company: Company) -> list[tuple[str, str]]:
    connection = sqlite3.connect(company.folder / "opsync.db")
    try:
        return sorted(connection.execute("SELECT scope, desired_hash FROM approvals"))
    finally:
        connection.close()


def test_a_plan_without_changes_says_why_it_ends_otherwise_than_with_0(company: Company) -> None:
    company.opsync("sync", "--mode", "apply")
    company.opsync("plan")
    assert company.opsync("apply").lines == ["plan #2 has no changes: nothing is to be written"]
    company.fail("work", "sign-in")
    result = company.opsync("apply", "2")
    assert (result.code, "! work was refused: Toy refused the token." in result.lines) == (3, True)


@pytest.fixture
def ana(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ana is at the terminal."""
    monkeypatch.setattr("opsync.cli.apply.login", lambda: "ana")


@pytest.mark.usefixtures("ana")
def test_a_rule_that_is_approved_tells_by_whom(company: Company) -> None:
    company.opsync("sync")
    company.opsync("apply", "--rule", "roadmap")
    company.opsync("sync")

    facts = company.opsync("explain", "One-tap checkout", "Delivery").lines
    [rule] = [line for line in facts if line.strip().startswith("rule ")]
    assert re.search(r"roadmap \(approved by ana on \d+ \w+\): counts what", rule)
    found = company.opsync("explain", "One-tap checkout", "--json").json
    approved = found["summaries"][0]["approved"]
    assert (approved["of"], approved["by"], approved["plan"]) == ("rule", "ana", None)
    assert {one["approved"]["of"] for one in found["values"] if one["rule"] == "roadmap"} == {
        "rule"
    }
    [row] = company.opsync("apply", "--approvals").lines
    assert row.split("\t")[:6] == ["roadmap", "", "", "", "all its values", "ana"]

    company.opsync("apply", "--rule", "roadmap", "--revoke")
    assert company.opsync("apply", "--approvals", "--json").json == []
    assert "roadmap (waits for approval)" in company.opsync("explain", "One-tap checkout").out


@pytest.mark.usefixtures("ana")
def test_a_value_that_is_approved_tells_by_whom_with_which_plan(company: Company) -> None:
    company.opsync("plan")
    company.opsync("apply", "1", "--item", "one-tap")

    facts = company.opsync("explain", "One-tap checkout", "Delivery").lines
    [approved] = [line for line in facts if line.strip().startswith("approved ")]
    assert re.search(r"by ana on \d+ \w+ \d\d:\d\d with plan #1", approved)
    found = company.opsync("apply", "--approvals", "--json").json
    told = {one["place"]: one for one in found if one["item"]["title"] == "One-tap checkout"}
    delivery = told["Delivery"]
    assert delivery["value"].startswith("1 of 2 done")
    assert delivery["approved"]["inputs"], "the versions that it was computed from"
    assert (delivery["approved"]["plan"], delivery["state"]) == (1, "")

    company.move("PAY-118", "done")
    company.opsync("sync")
    facts = company.opsync("explain", "One-tap checkout", "Delivery").lines
    assert not any(line.strip().startswith("approved ") for line in facts), "of another value"


@pytest.mark.usefixtures("ana")
def test_what_counts_no_more_of_what_is_approved_says_so(company: Company) -> None:
    company.opsync("plan")
    company.opsync("apply", "1", "--item", "one-tap")
    company.opsync("apply", "--rule", "roadmap")
    company.configure(mode="apply")
    rule = company.opsync("apply", "--approvals", "--json").json[0]
    assert (rule["rule"], rule["state"]) == ("roadmap", "the rule is in mode apply")
    assert "roadmap (writes)" in company.opsync("explain", "One-tap checkout").out


@pytest.mark.usefixtures("ana")
def test_the_approval_of_a_value_that_was_undone_says_so(company: Company) -> None:
    company.opsync("plan")
    company.opsync("apply", "1")
    states = [one["state"] for one in company.opsync("apply", "--approvals", "--json").json]
    assert set(states) == {""}
    company.opsync("undo", "one-tap")
    found = company.opsync("apply", "--approvals", "--json").json
    undone = {one["place"]: one["state"] for one in found if one["state"]}
    assert undone["Delivery"] == "undone; stays undone"
    assert len(undone) < len(found)


@pytest.mark.usefixtures("ana")
def test_the_approval_of_a_rule_that_is_gone_says_that_it_counts_for_what_is_taken_away(
    company: Company,
) -> None:
    company.opsync("plan")
    company.opsync("apply", "--rule", "roadmap")
    company.opsync("sync")
    without_its_rule(company, "propose")
    [rule] = company.opsync("apply", "--approvals", "--json").json
    assert rule["state"] == (
        "the rule is no longer configured: what it wrote may still be taken away"
    )
    assert delivery(company) == "None"
