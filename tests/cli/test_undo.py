"""`opsync undo`: by run, by change, by item; what it says, and what it leaves."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from opsync.cli.undoview import from_now_on
from opsync.engine.undone import ShownBack, ShownColumn
from tests.cli.conftest import Company


def delivery(company: Company) -> str | None:
    found = company.read("roadmap").get("written", {}).get("checkout", {})
    return found.get("delivery")  # type: ignore[no-any-return]


def test_a_run_is_undone_by_its_number_and_stays_so(synced: Company) -> None:
    result = synced.opsync("undo", "1")
    assert result.code == 0, result.err
    assert result.lines[0] == "Put back 5 values: Toy 5"
    assert "-  Toy  One-tap checkout" in result.out
    assert result.lines[-1] == "Undo of run 1, run 2: it stays so. Undo that: opsync undo 2"
    assert delivery(synced) is None
    for _ in range(3):
        assert synced.opsync("sync").code == 0
    assert delivery(synced) is None


def test_without_a_number_it_is_the_last_run_that_wrote(synced: Company) -> None:
    before = delivery(synced)
    synced.move("PAY-118", "done")
    synced.opsync("sync")
    synced.opsync("sync")
    result = synced.opsync("undo")
    assert result.code == 0
    assert "Undo of run 2, run 4" in result.out
    assert "2 of 2 done" in result.out
    assert delivery(synced) == before


def test_the_undo_of_an_undo_brings_it_back(synced: Company) -> None:
    before = delivery(synced)
    synced.opsync("undo")
    assert synced.opsync("undo").code == 0
    assert delivery(synced) == before
    assert synced.opsync("plan").lines[-1] == "0 changes: all is as it should be"


def test_one_change_is_undone_by_its_name(synced: Company) -> None:
    found = synced.opsync("sync", "--json").json
    assert found["changes"] == []
    synced.move("PAY-118", "done")
    [change, *_] = [
        one for one in synced.opsync("sync", "--json").json["changes"] if one["place"] == "Delivery"
    ]
    result = synced.opsync("undo", change["id"], "--json")
    assert result.code == 0
    assert result.json["undo"] == {"of": f"change {change['id']}", "run": 4, "dry_run": False}
    [done] = result.json["done"]
    assert (done["place"], done["value"]) == ("Delivery", change["before"])
    assert delivery(synced) == change["before"]


def test_an_item_is_undone_with_what_stands_elsewhere_about_it(synced: Company) -> None:
    assert synced.read("work")["written"]["100"]
    result = synced.opsync("undo", "one-tap")
    assert result.code == 0
    assert "Undo of One-tap checkout" in result.lines[-1]
    assert delivery(synced) is None
    assert synced.read("work")["written"]["100"] == {}
    assert "No linked work" in str(synced.read("roadmap")["written"]["empty"])


def test_what_a_person_edited_is_left_and_told_with_exit_code_1(synced: Company) -> None:
    synced.edit("roadmap", lambda s: s["written"]["checkout"].update(delivery="Ask Dana"))
    result = synced.opsync("undo", "1")
    assert result.code == 1
    assert "Left as it stands: 1 value" in result.lines
    told = "  ! Toy One-tap checkout, Delivery: edited by a person; keeps theirs"
    assert told in result.lines
    assert delivery(synced) == "Ask Dana"
    left = synced.opsync("undo", "1", "--json").json["left"]
    assert [(one["fate"], one["place"]) for one in left] == [("edited", "Delivery")]


def test_a_dry_run_shows_it_and_writes_nothing(synced: Company) -> None:
    before = delivery(synced)
    result = synced.opsync("undo", "1", "--dry-run")
    assert (result.code, result.lines[0]) == (0, "Would put back 5 values: Toy 5")
    assert delivery(synced) == before
    assert synced.opsync("status", "--json").json["run"]["run"] == 1


def test_a_refused_sign_in_ends_with_3_and_loses_nothing(synced: Company) -> None:
    synced.fail("work", "writes")
    assert synced.opsync("undo", "1").code == 1
    synced.fail("work", "")
    assert synced.opsync("undo", "1").code == 0


def test_the_plan_and_explain_say_that_it_is_undone_and_how_to_let_go(synced: Company) -> None:
    synced.opsync("undo", "one-tap")
    plan = synced.opsync("plan", "one-tap")
    assert "held: undone; stays undone" in plan.out
    assert "opsync resolve" in plan.out
    explained = synced.opsync("explain", "one-tap", "Delivery").out
    assert 'opsync resolve "One-tap checkout" "Delivery" --theirs, or --ours' in explained
    assert "2 values left as people decided" in synced.opsync("status").out


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("99", "there is no run 99"),
        ("0", "there is no run 0"),
        ("1-00000000", "there is no change 1-00000000"),
        ("9-deadbeef", "there is no change 9-deadbeef"),
        ("99999999999999999999999", "there is no run 99999999999999999999999"),
        ("99999999999999999999-deadbeef", "there is no change 99999999999999999999-deadbeef"),
        ("99999999999999999999-x", 'nothing is called "99999999999999999999-x"'),
        ("Atlantis", 'nothing is called "Atlantis"'),
    ],
)
def test_bad_input_names_what_is_wrong(synced: Company, what: str, said: str) -> None:
    result = synced.opsync("undo", what)
    assert (result.code, said in result.err) == (2, True), result.err


def test_a_change_that_was_tried_and_failed_wrote_nothing(company: Company) -> None:
    company.fail("roadmap", "writes")
    company.opsync("sync")
    failed = next(one for one in company.opsync("journal", "--json").json if one["place"] != "Link")
    result = company.opsync("undo", failed["id"])
    assert (result.code, f"change {failed['id']} wrote nothing" in result.err) == (2, True)


def test_a_change_is_undone_as_the_journal_names_it(synced: Company) -> None:
    ids = [line.split("\t")[-1] for line in synced.opsync("journal").lines]
    assert len(set(ids)) == 5
    result = synced.opsync("undo", ids[0])
    assert (result.code, f"Undo of change {ids[0]}, run 2" in result.out) == (0, True)


def test_before_any_write_there_is_nothing_to_undo(company: Company) -> None:
    company.opsync("sync", "--mode", "observe")
    result = company.opsync("undo")
    assert (result.code, "nothing was written yet" in result.err) == (2, True)


def test_a_run_that_wrote_nothing_is_told_with_the_last_that_did(synced: Company) -> None:
    synced.opsync("sync")
    result = synced.opsync("undo", "2")
    assert result.code == 2
    assert result.err.splitlines() == [
        "error: run 2 wrote nothing",
        "  The last run that wrote is 1. What was written, and when: opsync journal",
    ]


def test_the_undo_of_an_undo_says_that_opsync_goes_on(synced: Company) -> None:
    synced.opsync("undo")
    result = synced.opsync("undo")
    said = "Undo of run 2, run 3: opsync keeps it up to date again. Undo that: opsync undo 3"
    assert result.lines[-1] == said
    assert any(line.startswith("  +  Toy") for line in result.lines)


def test_an_undo_that_put_nothing_back_is_none_to_undo(synced: Company) -> None:
    found = synced.opsync("journal", "--json").json
    change = next(one["id"] for one in found if one["place"] == "Delivery")

    def edit(state: dict[str, Any]) -> None:
        for written in state["written"].values():
            written["delivery"] = "Ask Dana"

    synced.edit("roadmap", edit)
    result = synced.opsync("undo", change)
    assert (result.code, result.lines[0]) == (1, "nothing was put back")
    assert "opsync undo" not in result.out
    assert "it stays so" not in result.out


def test_what_a_person_put_back_themselves_stays_so_and_may_be_let_go_of(synced: Company) -> None:
    synced.edit("roadmap", lambda state: state["written"]["checkout"].pop("delivery"))
    found = synced.opsync("journal", "--json").json
    change = next(
        one["id"]
        for one in found
        if (one["place"], one["item"]["label"]) == ("Delivery", "One-tap checkout")
    )
    result = synced.opsync("undo", change)
    assert result.code == 0
    assert result.lines == [
        f"nothing to put back: what stood before change {change} stands there already",
        f"Undo of change {change}, run 2: it stays so. Let go of it: opsync resolve ITEM --ours",
    ]
    synced.opsync("sync")
    assert delivery(synced) is None
    assert synced.opsync("resolve", "One-tap checkout", "--ours").code == 0
    synced.opsync("sync")
    assert delivery(synced) is not None


@pytest.mark.parametrize(
    ("fate", "said"),
    [
        ("removed", "opsync makes such a column again once it has a value for it"),
        ("left", None),
    ],
)
def test_an_undo_of_a_column_alone_says_what_becomes_of_that(
    fate: Literal["removed", "left"], said: str | None
) -> None:
    column = ShownColumn(tool="Notion", column="Work", fate=fate)
    found = ShownBack(run=2, done=(), left=(), columns=(column,))
    assert from_now_on(found, again=False) == said


def test_a_second_undo_of_the_same_says_that_nothing_is_left_to_do(synced: Company) -> None:
    synced.opsync("undo", "1")
    again = synced.opsync("undo", "1")
    assert (again.code, again.lines) == (
        0,
        ["nothing to put back: what stood before run 1 stands there already"],
    )


def test_a_change_is_undone_by_the_id_that_the_journal_names(synced: Company) -> None:
    newest = synced.opsync("journal", "--json", "--limit", "1").json[0]
    assert synced.opsync("undo", newest["id"]).code == 0
