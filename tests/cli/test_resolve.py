"""`opsync resolve`: whose value is to stand at a place."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Sequence
from importlib import import_module

import pytest

from opsync.model import Ref, Slot
from opsync.model.ledger import Entry
from tests.cli.conftest import Company

THING = Ref("roadmap", "item", "checkout")


@pytest.fixture
def edited(synced: Company) -> Company:
    """A person edited a value, and a run saw it."""
    synced.edit("roadmap", lambda s: s["written"]["checkout"].update(delivery="Ask Dana"))
    assert synced.opsync("sync").code == 1
    return synced


def delivery(company: Company) -> str:
    return str(company.read("roadmap")["written"]["checkout"].get("delivery"))


def test_theirs_keeps_the_person_s_value_for_good(edited: Company) -> None:
    result = edited.opsync("resolve", "one-tap", "Delivery", "--theirs")
    assert result.code == 0
    assert result.lines[-1] == "1 value left as it stands, for good."
    for category in ("done", "todo", "done"):
        edited.move("PAY-118", category)
        assert edited.opsync("sync").code == 0, "it is told as an edit no more"
    assert delivery(edited) == "Ask Dana"
    assert "a person's value, kept for good" in edited.opsync("explain", "one-tap", "Delivery").out


def test_ours_has_opsync_s_value_written_again(edited: Company) -> None:
    result = edited.opsync("resolve", "one-tap", "--ours")
    assert result.lines[-1] == "1 value to be written by the next run: opsync sync"
    assert delivery(edited) == "Ask Dana", "until that run"
    assert edited.opsync("sync").code == 0
    assert delivery(edited).startswith("1 of 2 done")
    assert edited.opsync("plan").lines[-1] == "0 changes: all is as it should be"


def test_ours_says_what_stands_there_already_since_it_was_released_so(synced: Company) -> None:
    synced.opsync("release", "one-tap", "--keep")
    result = synced.opsync("resolve", "one-tap", "Delivery", "--ours")
    assert result.lines[-1] == "1 value stands there already, and is kept up to date again"
    synced.move("PAY-118", "done")
    synced.opsync("sync")
    assert delivery(synced).startswith("2 of 2 done")


def test_ours_tells_what_stands_from_what_is_to_be_written(synced: Company) -> None:
    synced.edit("roadmap", lambda s: s["written"]["checkout"].update(delivery="Ask Dana"))
    synced.opsync("sync")
    synced.opsync("release", "--connection", "work", "--keep")
    assert synced.opsync("resolve", "one-tap", "--ours").lines[-2:] == [
        "1 value stands there already, and is kept up to date again",
        "1 value to be written by the next run: opsync sync",
    ]
    assert "Written     Toy 1" in synced.opsync("sync").lines


def test_ours_promises_no_write_of_a_rule_that_only_observes(synced: Company) -> None:
    synced.opsync("undo", "1")
    synced.configure(mode="observe")
    said = (
        ' held no longer, but the rule "{}" only observes:'
        ' set its mode to "propose" or "apply" to have {} written'
    )
    assert synced.opsync("resolve", "one-tap", "--ours").lines[-2:] == [
        "1 value is" + said.format("links", "it"),
        "1 value is" + said.format("roadmap", "it"),
    ]
    assert synced.opsync("sync").code == 0
    assert delivery(synced) == "None"
    synced.configure(mode="apply")
    assert synced.opsync("sync").code == 0
    assert delivery(synced).startswith("1 of 2 done")


def test_what_a_tool_has_in_a_form_of_its_own_stands_there_already(synced: Company) -> None:
    synced.opsync("release", "one-tap", "--keep")
    with sqlite3.connect(synced.folder / "opsync.db") as store:
        store.execute("""UPDATE ledger SET applied = '"in its own form"', observed = NULL""")
    result = synced.opsync("resolve", "one-tap", "Delivery", "--ours")
    assert result.lines[-1] == "1 value stands there already, and is kept up to date again"


def _nothing_comes(company: Company) -> None:
    stood = delivery(company)
    for _ in range(2):
        assert "Written     nothing: all is as it should be" in company.opsync("sync").lines
    assert delivery(company) == stood


def test_ours_promises_nothing_on_an_item_that_was_put_away(edited: Company) -> None:
    edited.edit("roadmap", lambda state: state["items"][0].update(archived=True))
    edited.opsync("sync")
    assert edited.opsync("resolve", "one-tap", "--ours").lines[-1] == (
        "1 value is opsync's again, but nothing can be written on One-tap checkout: archived in Toy"
    )
    _nothing_comes(edited)


def test_nor_on_one_that_is_gone_where_the_value_stood_already(synced: Company) -> None:
    synced.opsync("release", "--connection", "roadmap", "--keep")
    items = synced.read("roadmap")["items"]
    synced.edit("roadmap", lambda state: state.update(items=items[1:]))
    synced.opsync("sync", "--full")
    said = synced.opsync("resolve", "one-tap", "Delivery", "--ours").lines[-1]
    assert "1 value is opsync's again, but nothing can be written on One-tap checkout: gone" in said


@pytest.mark.sampled
@pytest.mark.parametrize("named", [["roadmap"], []])
def test_ours_says_that_a_pause_is_to_end_first(edited: Company, named: list[str]) -> None:
    edited.opsync("pause", *named)
    to, off = (" to roadmap", "roadmap --off") if named else ("", "--off")
    assert edited.opsync("resolve", "one-tap", "--ours").lines[-1] == (
        f"1 value to be written once writes{to} are permitted again:"
        f" opsync pause {off}; opsync sync"
    )
    edited.opsync("sync")
    assert delivery(edited) == "Ask Dana"
    edited.opsync("pause", *named, "--off")
    edited.opsync("sync")
    assert delivery(edited).startswith("1 of 2 done")


def test_ours_says_where_nothing_stands_and_nothing_should(synced: Company) -> None:
    synced.opsync("undo", "1")
    synced.edit("roadmap", lambda state: [one.pop("names", None) for one in state["items"]])
    synced.opsync("sync", "--full")
    assert synced.opsync("resolve", "one-tap", "--ours").lines[-2:] == [
        "1 value: nothing stands there, and nothing should by now",
        "1 value to be written by the next run: opsync sync",
    ]
    assert "Written     Toy 1" in synced.opsync("sync").lines


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("mode", "comes"),
    [
        ("apply", "1 value to be taken away by the next run: opsync sync"),
        ("propose", "1 value to be taken away by the next run: opsync sync"),
        (
            "observe",
            (
                "1 value is held no longer, but all rules only observe:"
                ' set a mode to "propose" or "apply" to have it taken away'
            ),
        ),
    ],
    ids=["apply", "propose", "observe"],
)
def test_ours_of_a_rule_that_is_configured_no_more_goes_by_the_others(
    synced: Company, mode: str, comes: str
) -> None:
    synced.opsync("release", "one-tap", "--keep")
    stood = delivery(synced)
    without_its_rule(synced, mode)
    assert synced.opsync("resolve", "one-tap", "Delivery", "--ours").lines[-1] == comes
    synced.opsync("sync")
    assert delivery(synced) == ("None" if mode != "observe" else stood)


@pytest.mark.sampled
@pytest.mark.parametrize("mode", ["apply", "propose", "observe"])
def test_ours_takes_no_text_of_theirs_away_where_nothing_of_opsyncs_should_stand(
    edited: Company, mode: str
) -> None:
    without_its_rule(edited, mode)
    assert edited.opsync("resolve", "one-tap", "--ours").lines[-1] == (
        "1 value stays as people left it: nothing of opsync's should stand there"
    )
    edited.opsync("sync")
    edited.opsync("apply")
    assert delivery(edited) == "Ask Dana"


def without_its_rule(company: Company, mode: str) -> None:
    """Nothing asks for Delivery any more, and a run has seen that."""
    company.configure(mode=mode)
    config = company.folder / "opsync.toml"
    other = config.read_text().replace('name = "roadmap"', 'name = "other"')
    config.write_text(other.replace('instance = "roadmap"\nkind', 'instance = "work"\nkind'))
    company.opsync("sync")


def test_ours_goes_over_what_the_person_saw_and_over_nothing_later(edited: Company) -> None:
    edited.opsync("resolve", "one-tap", "--ours")
    edited.edit("roadmap", lambda s: s["written"]["checkout"].update(delivery="Ask Ana"))
    assert edited.opsync("sync").code == 1
    assert delivery(edited) == "Ask Ana"


def test_what_replaced_a_person_s_value_can_be_undone(edited: Company) -> None:
    edited.opsync("resolve", "one-tap", "--ours")
    edited.opsync("sync")
    assert edited.opsync("undo").code == 0
    assert delivery(edited) == "Ask Dana"
    assert edited.opsync("release", "one-tap", "--remove").code == 0
    assert delivery(edited) == "Ask Dana", "it is theirs, and not opsync's to take away"


def test_what_a_person_removed_comes_back_with_ours(synced: Company) -> None:
    synced.edit("work", lambda s: s["written"]["100"].clear())
    synced.opsync("sync")
    synced.opsync("sync")
    assert synced.read("work")["written"]["100"] == {}
    assert synced.opsync("resolve", "PAY-100", "--ours").code == 0
    assert synced.opsync("sync").code == 0
    assert synced.read("work")["written"]["100"]


def test_what_was_undone_is_let_go_of_with_ours(synced: Company) -> None:
    synced.opsync("undo", "one-tap")
    assert synced.opsync("resolve", "one-tap", "Delivery", "--ours").code == 0
    synced.opsync("sync")
    assert delivery(synced).startswith("1 of 2 done")
    assert synced.read("work")["written"]["100"] == {}, "the other value stays undone"


def test_a_place_named_in_full_is_that_one_and_none_that_begins_like_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = import_module("opsync.cli.resolve")
    places = ["Delivery", "Delivery %", "Work"]
    entries = [Entry(slot=Slot(THING, place, "roadmap", THING)) for place in places]
    monkeypatch.setattr(module, "_place", lambda _, entry: entry.slot.surface)

    def chosen(place: str, held: list[Entry]) -> list[str]:
        return [one.slot.surface for one in module._at(None, entries, held, place)]

    assert chosen("delivery", entries) == ["Delivery"]
    assert chosen("delivery", entries[1:]) == [], "it is not held, and nothing else is meant"
    assert chosen("deliv", entries) == ["Delivery", "Delivery %"]


def test_in_mode_propose_the_value_is_approved_with_it(edited: Company) -> None:
    edited.configure(mode="propose")
    edited.opsync("resolve", "one-tap", "--ours")
    assert edited.opsync("sync").code == 0
    assert delivery(edited).startswith("1 of 2 done")


def test_without_a_side_it_shows_both_values_and_settles_nothing(edited: Company) -> None:
    result = edited.opsync("resolve", "one-tap")
    assert '      is now "Ask Dana"' in result.lines
    assert any(line.startswith('      should be "1 of 2 done') for line in result.lines)
    found = edited.opsync("resolve", "one-tap", "--json").json
    assert found["resolve"] == {"side": None, "settled": 0, "columns": [], "beneath": []}
    assert [one["place"] for one in found["values"]] == ["Delivery"]
    assert edited.opsync("sync").code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("one-tap", "Link", "--ours"), 'nothing is held at "Link" on "one-tap"'),
        (("SSO for teams", "--ours"), 'nothing is held on "SSO for teams"'),
        (("Atlantis", "--ours"), 'nothing is called "Atlantis"'),
    ],
)
def test_bad_input_names_what_is_wrong_and_what_is_held(
    edited: Company, arguments: tuple[str, ...], said: str
) -> None:
    result = edited.opsync("resolve", *arguments)
    assert (result.code, said in result.err) == (2, True), result.err
    if arguments[1] == "Link":
        assert "Held there: Delivery (edited by a person; keeps theirs)." in result.err


@pytest.fixture
def undone(company: Company) -> Company:
    """SSO for teams names PAY-118, which One-tap checkout counts; all of it was undone."""
    company.edit("roadmap", lambda state: state["items"][1].update(body="waits for PAY-118"))
    company.opsync("sync")
    assert company.opsync("undo").code == 0
    return company


def commands(lines: Sequence[str]) -> set[str]:
    """The commands that settle something, as they stand at the end of lines."""
    return {line[line.index("opsync resolve") :] for line in lines if "opsync resolve" in line}


def test_what_is_held_names_a_command_that_finds_it(undone: Company) -> None:
    plan = undone.opsync("plan", "--all")
    count = sum(line.lstrip().startswith("!") for line in plan.lines)
    assert plan.lines[-1] == f"0 changes; {count} values are held"
    found = set()
    for command in commands(plan.lines):
        result = undone.opsync(*shlex.split(command)[1:], "--json")
        assert result.code == 0, command
        found |= {(one["target"]["ref"], one["place"]) for one in result.json["values"]}
    assert commands(plan.lines) >= {"opsync resolve 'One-tap checkout'", "opsync resolve PAY-118"}
    assert len(found) == count


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("title", "named"),
    [
        ('Tom\'s $(id) "fast" lane', True),
        ("--theirs", False),
        ("One-tap checkout", False),
        (100 * "Long ", False),
    ],
)
def test_a_title_is_quoted_and_used_where_it_means_that_item_alone(
    company: Company, title: str, named: bool
) -> None:
    company.edit("roadmap", lambda state: state["items"][1].update(title=title))
    company.opsync("sync")
    company.opsync("undo")
    found: dict[str, set[str]] = {}
    for command in commands(company.opsync("plan", "--all").lines):
        [name] = shlex.split(command)[2:]
        values = company.opsync("resolve", name, "--json").json["values"]
        found[name] = {one["target"]["ref"] for one in values}
    [name] = [name for name, refs in found.items() if "roadmap:item:sso" in refs]
    assert (name == title) is named


def test_a_run_says_how_many_values_are_held_and_not_that_all_is_well(undone: Company) -> None:
    count = undone.opsync("plan", "--json").json["plan"]["held"]
    said = undone.opsync("sync")
    assert "Written     nothing" in said.lines
    assert f"Held        {count} values: opsync plan" in said.lines
    assert undone.opsync("sync", "--json").json["pass"]["held_in_all"] == count

    undone.edit("roadmap", lambda state: state["items"].pop())
    undone.edit("work", lambda state: state["items"].pop(2))
    undone.opsync("sync", "--full")
    left = undone.opsync("plan", "--json").json["plan"]["held"]
    assert left < count, "what was on PAY-118 is on nothing any more"
    assert undone.opsync("sync", "--json").json["pass"]["held_in_all"] == left


def test_what_is_held_on_what_an_initiative_counts_is_named_and_not_settled(
    undone: Company,
) -> None:
    shown = undone.opsync("resolve", "One-tap checkout")
    beneath = "Held besides, on items that it counts: opsync resolve PAY-118"
    assert beneath in shown.lines
    assert "PAY-118" not in shown.out.replace(beneath, "").replace("Checkout core", "")

    settled = undone.opsync("resolve", "One-tap checkout", "--ours", "--json").json
    assert settled["resolve"]["beneath"] == ["PAY-118"]
    again = undone.opsync("resolve", "One-tap checkout")
    assert again.code == 2
    assert "Held on items that it counts: opsync resolve PAY-118" in again.err
    undone.opsync("sync")
    assert undone.read("work")["written"].get("118", {}) == {}, "nobody said so"
    assert undone.opsync("resolve", "PAY-118", "--ours").code == 0
