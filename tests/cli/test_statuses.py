"""`opsync statuses`: what counts as what, on the screen, as lines to paste, and as JSON."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.cli.conftest import Company

WORDS: list[dict[str, Any]] = [
    {"id": "1", "name": "Offen", "category": "todo"},
    {"id": "2", "name": "Fertig", "category": "done"},
    {"id": "3", "name": "Verworfen", "category": "done", "where": ["PAY"]},
    {"id": "4", "name": "Ablage", "category": "unknown"},
    {"id": "5", "name": "Freigabe", "category": "todo", "where": ["MOB"]},
    {"id": "6", "name": "Freigabe", "category": "done", "where": ["PAY"]},
    {"id": "7", "name": "Won't Do", "category": "done", "table": "resolutions"},
    {"id": "8", "name": "Wartet", "category": "in_progress"},
]


@pytest.fixture
def wordy(company: Company) -> Company:
    """The connection "work" is one of a tool that lists its statuses; all was read once."""
    plugin = company.folder / "plugins" / "wordy.py"
    plugin.write_text("from tests.cli.wordy import register_connectors\n")
    path = company.folder / "opsync.toml"
    head, _, work = path.read_text().rpartition('connector = "toy"')
    path.write_text(f'{head}connector = "wordy"{work}')
    company.edit("work", lambda state: state.update(words=WORDS))
    result = company.opsync("sync")
    assert result.code == 0, result.out + result.err
    return company


def test_it_shows_what_needs_a_look_and_ends_with_lines_to_paste(wordy: Company) -> None:
    result = wordy.opsync("statuses", "--only", "work")

    assert result.code == 0
    shown, _, pasted = result.out.partition("# To paste")
    assert shown.index("Counts as nothing (1)") < shown.index("Ablage")
    assert shown.index("Ablage") < shown.index("Sounds like something else than it counts as (2)")
    assert shown.index("Verworfen") < shown.index("Of one name, and does not count alike (2)")
    assert shown.index("Freigabe (5)") < shown.index("more as expected (--all)")
    assert "Offen" not in shown
    assert '"Wartet": sounds blocked' in shown
    assert tomllib.loads("# To paste" + pasted) == {
        "instances": {
            "work": {
                "statuses": {"Verworfen": "canceled"},
                "resolutions": {"Won't Do": "canceled"},
            }
        }
    }
    assert '# "5" = "todo"  # Freigabe; counts as to do, another of its name does not; in MOB' in (
        pasted.splitlines()
    )


def test_all_shows_those_without_a_finding_too(wordy: Company) -> None:
    out = wordy.opsync("statuses", "--only", "work", "--all").out
    assert out.index("Of one name") < out.index("Fine (") < out.index("Offen")
    assert "as expected" not in out


def test_what_was_pasted_is_not_shown_again(wordy: Company) -> None:
    path = wordy.folder / "opsync.toml"
    path.write_text(
        path.read_text()
        + '\n[instances.work.statuses]\nVerworfen = "canceled"\nAblage = "backlog"\n'
    )
    found = wordy.opsync("statuses", "--only", "work", "--json").json
    findings = {(one["name"], one["finding"]) for one in found["statuses"]}
    assert {("Verworfen", "fine"), ("Ablage", "fine"), ("Won't Do", "suspicious")} <= findings
    assert "# Below your [instances.work.statuses]:" in found["paste"]


def test_a_tool_that_lists_none_shows_what_its_items_have(wordy: Company) -> None:
    result = wordy.opsync("statuses", "--only", "roadmap", "--all")
    assert "roadmap: Toy was not asked; shown is what 3 items have that were read" in result.out
    assert "On track" in result.out
    assert result.code == 0


def test_offline_it_asks_nobody(wordy: Company) -> None:
    wordy.fail("work", "down")
    found = wordy.opsync("statuses", "--offline", "--json").json
    assert {one["asked"] for one in found["connections"]} == {False}
    items = {one["name"]: one["items"] for one in found["statuses"] if one["instance"] == "work"}
    assert items == {"in_progress": 2, "done": 2, "canceled": 1, "todo": 1}


def test_offline_before_the_first_sync_says_so(company: Company) -> None:
    result = company.opsync("statuses", "--offline")
    assert result.code == 5
    assert "opsync sync" in result.err


@pytest.mark.parametrize(("how", "code"), [("sign-in", 3), ("down", 1)])
def test_a_tool_that_does_not_answer_is_told_and_the_others_are_shown(
    wordy: Company, how: str, code: int
) -> None:
    wordy.fail("work", how)
    result = wordy.opsync("statuses", "--all")
    assert result.code == code
    assert "✗ work: Wordy" in result.out
    assert "On track" in result.out
    assert "canceled" in result.out


def test_it_writes_nothing_anywhere(wordy: Company) -> None:
    before = (wordy.read("work"), wordy.read("roadmap"), wordy.opsync("journal", "--json").json)
    assert wordy.opsync("statuses").code == 0
    after = (wordy.read("work"), wordy.read("roadmap"), wordy.opsync("journal", "--json").json)
    assert after == before


def test_a_connection_that_is_not_there_is_refused(company: Company) -> None:
    result = company.opsync("statuses", "--only", "wrok")
    assert result.code == 2
    assert 'no connection "wrok"' in result.err


def test_no_secret_is_shown(wordy: Company) -> None:
    assert "s3cr3t" not in wordy.opsync("statuses", "--all", "--json").out
