"""`opsync plan`: what would be written, from the tools or from the store alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opsync.runtime import SystemClock
from opsync.store import hold
from tests.cli.conftest import Company


def test_a_plan_writes_nothing_and_groups_by_initiative(company: Company) -> None:
    """Trouble 25"""
    result = company.opsync("plan")
    assert result.code == 0
    assert result.lines[0] == "plan #1 · nothing has been written"
    assert any(line.startswith("One-tap checkout   ") for line in result.lines)
    delivery = next(line for line in result.lines if "1 of 2 done" in line)
    assert delivery.split()[:3] == ["+", "Toy", "Delivery"]
    assert "why: Off track: past its due date" in delivery
    assert any(line.startswith("5 changes: Toy 5     about ") for line in result.lines)
    assert "notifies nobody    apply: opsync apply 1    undo later: opsync undo" in result.lines
    assert "written" not in company.read("roadmap")


def test_a_plan_shows_before_and_after(synced: Company) -> None:
    """Trouble 25"""
    synced.move("PAY-118", "done")
    out = synced.opsync("plan").out
    assert '"1 of 2 done · 1 blocked' in out
    assert '→ "2 of 2 done' in out


def test_changes_of_observing_rules_are_shown_with_how_to_go_on(company: Company) -> None:
    company.configure(mode="observe")
    result = company.opsync("plan")
    assert any("opsync sync --mode apply" in line for line in result.lines)
    assert company.opsync("plan", "--json").json["plan"]["waiting_for_mode"] == 5


def test_exit_code_10_says_that_changes_wait(company: Company) -> None:
    """I2"""
    assert company.opsync("plan", "--exit-code").code == 10
    company.opsync("sync")
    assert company.opsync("plan", "--exit-code").code == 0


def test_trouble_wins_over_exit_code_10(company: Company) -> None:
    company.fail("work", "sign-in")
    assert company.opsync("plan", "--exit-code").code == 3


def test_offline_asks_no_tool_and_changes_nothing(synced: Company) -> None:
    synced.move("PAY-118", "done")
    synced.opsync("plan")
    (synced.folder / "work.json").unlink()
    before = _dump(synced.folder / "opsync.db")
    result = synced.opsync("plan", "--offline", "--json")
    assert result.code == 0
    assert result.json["plan"]["changes"] == 1
    assert _dump(synced.folder / "opsync.db") == before


def test_offline_works_beside_another_opsync(synced: Company) -> None:
    with hold(synced.folder / "opsync.db", "opsync sync", SystemClock().now()):
        assert synced.opsync("plan", "--offline").code == 0


def test_an_item_shows_what_concerns_it(company: Company) -> None:
    found = company.opsync("plan", "SSO for teams", "--json").json
    assert {one["group"] for one in found["changes"]} == {"SSO for teams"}


def test_an_item_is_offered_to_be_written_alone_since_the_plan_has_more(company: Company) -> None:
    company.configure(mode="propose")
    shown = company.opsync("plan", "SSO for teams")
    [offer] = [one.partition("apply: ")[2] for one in shown.lines if "apply: " in one]
    offer, _, later = offer.partition("    ")
    assert (offer, later) == ('opsync apply 1 --item "SSO for teams"', "undo later: opsync undo")
    count = int(next(one for one in shown.lines if " removes " in one).split()[0])
    written = company.opsync("apply", "1", "--item", "SSO for teams", "--json").json
    assert written["pass"]["applied"] == count < written["plan"]["changes"]


def test_an_item_that_nobody_knows_is_refused(synced: Company) -> None:
    result = synced.opsync("plan", "Nonsense")
    assert result.code == 2
    assert 'nothing is called "Nonsense"' in result.err


def test_what_is_held_stays_in_sight(synced: Company) -> None:
    def edited(state: dict[str, Any]) -> None:
        state["written"]["checkout"]["delivery"] = "my own words"

    synced.edit("roadmap", edited)
    synced.move("PAY-118", "done")
    synced.opsync("sync")
    result = synced.opsync("plan")
    held = next(line for line in result.lines if "held:" in line)
    assert "Delivery" in held
    assert "edited by a person; keeps theirs" in held


def _dump(path: Path) -> list[str]:
    import sqlite3

    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()
