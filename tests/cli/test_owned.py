"""`opsync owned` and `opsync release`: what opsync owns anywhere, and giving it up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from opsync.engine.owning import UNKNOWN
from opsync.errors import StoreError
from opsync.store import Store
from tests.cli.conftest import Company
from tests.cli.test_resolve import delivery

RELEASE = ("release", "--all", "--remove")


def test_it_lists_every_value_with_its_place_rule_and_run(synced: Company) -> None:
    found = synced.opsync("owned", "--json").json
    assert len(found) == 5
    assert {one["rule"] for one in found} == {"roadmap", "links"}
    assert {one["run"] for one in found} == {1}
    assert {one["state"] for one in found} == {""}
    [value] = [one for one in found if one["item"]["label"] == "One-tap checkout"]
    assert (value["tool"], value["place"]) == ("Toy", "Delivery")
    assert value["value"].startswith("1 of 2 done")
    assert value["since"]


def test_it_can_be_asked_by_item_connection_and_rule(synced: Company) -> None:
    def count(*args: str) -> int:
        return len(synced.opsync("owned", *args, "--json").json)

    assert count("one-tap") == 2, "at its place, and about it elsewhere"
    assert count("--connection", "work") == 2
    assert count("--rule", "roadmap") == 3
    assert count("one-tap", "--connection", "roadmap") == 1


def test_what_was_undone_or_is_a_person_s_is_not_owned(synced: Company) -> None:
    synced.opsync("undo", "one-tap")
    assert len(synced.opsync("owned", "--json").json) == 3
    synced.edit("roadmap", lambda s: s["written"]["sso"].update(delivery="Ask Dana"))
    synced.opsync("sync")
    [edited] = [one for one in synced.opsync("owned", "--json").json if one["state"]]
    assert edited["state"] == "edited by a person; keeps theirs"
    synced.opsync("resolve", "SSO for teams", "Delivery", "--theirs")
    assert all(not one["state"] for one in synced.opsync("owned", "--json").json)


def test_a_plain_listing_has_a_row_a_value(synced: Company) -> None:
    lines = synced.opsync("owned").lines
    assert len(lines) == 5
    assert any("One-tap checkout\tDelivery\t" in line and "run 1" in line for line in lines)


def test_what_may_stand_there_is_listed_and_released_as_well(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*given: object, **options: object) -> None:
        if given[2]:
            raise StoreError("The disk is full.", hint="Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "finish_changes", fails)
        assert company.opsync("sync").code == 5
    found = company.opsync("owned", "--json").json
    assert found
    assert {one["state"] for one in found} == {UNKNOWN}
    assert all(one["value"] for one in found)
    assert "\tnot known\t" in company.opsync("owned").out
    count = len(found)
    assert f"Would remove {count} values" in company.opsync(*RELEASE, "--dry-run").out
    assert company.opsync("owned", "--json").json == found

    assert company.opsync(*RELEASE).code == 0

    assert company.opsync("owned", "--json").json == []
    written = [company.read(name)["written"].values() for name in ("roadmap", "work")]
    assert [any(one) for one in written] == [False, False]


def test_release_remove_takes_away_all_that_opsync_made_and_it_stays_away(synced: Company) -> None:
    result = synced.opsync("release", "--all", "--remove")
    assert result.code == 0, result.err
    assert result.lines[0] == "Removed 5 values: Toy 5"
    assert result.lines[-1] == "Released in run 2. Undo that: opsync undo 2"
    for _ in range(3):
        assert synced.opsync("sync").code == 0
    assert [any(synced.read(name)["written"].values()) for name in ("roadmap", "work")] == [
        False,
        False,
    ]
    assert synced.opsync("owned", "--json").json == []


def test_a_release_that_removed_nothing_is_none_to_undo(synced: Company) -> None:
    def edit(state: dict[str, Any]) -> None:
        for written in state["written"].values():
            written["delivery"] = "Ask Dana"

    synced.edit("roadmap", edit)
    result = synced.opsync("release", "--connection", "roadmap", "--remove")
    assert (result.code, result.lines[0]) == (1, "nothing was removed")
    assert "opsync undo" not in result.out


def without_rule(company: Company) -> None:
    """The rule is taken out of the configuration, and what it wrote stands there still."""
    path = company.folder / "opsync.toml"
    head, _, rest = path.read_text().partition("[[rollup]]")
    path.write_text(head + rest[rest.index("[instances") :])


def renamed(company: Company) -> None:
    """The rule is called otherwise."""
    path = company.folder / "opsync.toml"
    path.write_text(path.read_text().replace('name = "roadmap"', 'name = "other"'))


@pytest.mark.parametrize(
    ("how", "said"),
    [("--keep", "3 values left to people, as they stand"), ("--remove", "Removed 3 values: Toy 3")],
)
def test_what_a_rule_owns_that_is_gone_can_be_released(
    synced: Company, how: str, said: str
) -> None:
    without_rule(synced)
    assert len(synced.opsync("owned", "--rule", "roadmap", "--json").json) == 3
    result = synced.opsync("release", "--rule", "roadmap", how)
    assert (result.code, result.lines[0]) == (0, said), result.err
    for other in ("--keep", "--remove", "--remove --connection roadmap"):
        again = synced.opsync("release", "--rule", "road", *other.split())
        assert (again.code, 'no rule "road"' in again.err) == (2, True)


@pytest.mark.sampled
@pytest.mark.parametrize("change", [without_rule, renamed])
def test_a_release_that_was_interrupted_can_be_repeated_once_its_rule_is_gone(
    synced: Company, monkeypatch: pytest.MonkeyPatch, change: Callable[[Company], None]
) -> None:
    async def fails(*_: object) -> None:
        raise StoreError("The disk is full.", hint="Free some space.")

    command = ("release", "--rule", "roadmap", "--remove")
    with monkeypatch.context() as patch:
        patch.setattr(Store, "give_back", fails)
        assert synced.opsync(*command).code == 5
    change(synced)
    assert synced.opsync("sync").code == 1
    assert synced.opsync("owned", "--rule", "roadmap").code == 2
    assert synced.opsync(*command).code == 0
    assert synced.opsync("sync").code == 0


@pytest.mark.sampled
@pytest.mark.parametrize("command", [("release", "--remove"), ("undo",)])
def test_an_interrupted_one_is_named_by_its_command_without_a_title(
    synced: Company, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    async def fails(*_: object) -> None:
        raise StoreError("The disk is full.", hint="Free some space.")

    name, *how = command
    with monkeypatch.context() as patch:
        patch.setattr(Store, "give_back", fails)
        assert synced.opsync(name, "One-tap checkout", *how).code == 5
    ran = synced.opsync("sync")
    [told] = [one for one in ran.lines if " was interrupted: 2 of 2 values " in one]
    again = told.removeprefix("! ").partition(" was")[0]
    assert again.startswith(f"opsync {name} roadmap:")
    assert f"Run it again: {again}" in ran.out
    assert ran.code == 1
    assert again in synced.opsync("status").out
    assert "One-tap" not in synced.opsync("doctor").out
    assert again in synced.opsync("doctor").out

    assert synced.opsync(name, "one-tap", *how).code == 0, "it may be called otherwise"

    assert synced.opsync("sync").code == 0
    assert again not in synced.opsync("status").out


def test_a_removal_that_is_undone_is_opsync_s_again(synced: Company) -> None:
    synced.opsync("release", "--all", "--remove")
    assert synced.opsync("undo").code == 0
    assert len(synced.opsync("owned", "--json").json) == 5
    synced.move("PAY-118", "done")
    synced.opsync("sync")
    assert "2 of 2 done" in str(synced.read("roadmap"))


def test_release_keep_leaves_the_values_and_writes_there_no_more(synced: Company) -> None:
    result = synced.opsync("release", "--rule", "roadmap", "--keep")
    assert (result.code, result.lines) == (0, ["3 values left to people, as they stand"])
    synced.move("PAY-118", "done")
    assert synced.opsync("sync").code == 0
    assert "1 of 2 done" in str(synced.read("roadmap"))
    assert {one["rule"] for one in synced.opsync("owned", "--json").json} == {"links"}


def test_what_was_released_is_taken_again_when_a_person_asks(synced: Company) -> None:
    synced.opsync("release", "one-tap", "--keep")
    synced.move("PAY-118", "done")
    synced.opsync("sync")
    assert synced.opsync("resolve", "one-tap", "Delivery", "--ours").code == 0
    assert synced.opsync("sync").code == 0
    assert "2 of 2 done" in str(synced.read("roadmap"))


def test_a_person_s_edit_is_left_by_a_release(synced: Company) -> None:
    synced.edit("roadmap", lambda s: s["written"]["checkout"].update(delivery="Ask Dana"))
    result = synced.opsync("release", "one-tap", "--remove", "--json")
    assert result.code == 1
    assert [one["fate"] for one in result.json["left"]] == ["edited"]
    assert result.json["release"]["values"] == 1
    assert "Ask Dana" in str(synced.read("roadmap"))


def test_and_is_theirs_from_then_on(synced: Company) -> None:
    synced.edit("roadmap", lambda s: s["written"]["checkout"].update(delivery="Ask Dana"))
    synced.opsync("release", "one-tap", "--remove")
    assert synced.opsync("owned", "one-tap").out == ""
    synced.move("PAY-118", "done")
    assert synced.opsync("sync").code == 0, "no edit that somebody has to settle"
    assert delivery(synced) == "Ask Dana"
    assert "released; left to people" in synced.opsync("explain", "one-tap", "Delivery").out


def test_a_dry_run_releases_nothing(synced: Company) -> None:
    assert "Would remove 5 values" in synced.opsync("release", "--all", "--remove", "--dry-run").out
    kept = synced.opsync("release", "--all", "--keep", "--dry-run")
    assert kept.lines == ["5 values would be left to people, as they stand"]
    assert len(synced.opsync("owned", "--json").json) == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--all",), "say what becomes of the values: --keep or --remove."),
        (("--keep",), "name an ITEM, --connection or --rule, or take --all."),
        (("--rule", "road", "--keep"), 'no rule "road"'),
        (("--connection", "jira", "--keep"), 'no connection "jira"'),
        (("Atlantis", "--keep"), 'nothing is called "Atlantis"'),
    ],
)
def test_bad_input_names_what_is_wrong(
    synced: Company, arguments: tuple[str, ...], said: str
) -> None:
    result = synced.opsync("release", *arguments)
    assert (result.code, said in result.err) == (2, True), result.err
    assert len(synced.opsync("owned", "--json").json) == 5


def test_a_second_release_says_that_nothing_was_removed(synced: Company) -> None:
    synced.opsync("release", "--all", "--remove")
    assert synced.opsync("release", "--all", "--remove").lines == ["nothing was removed"]
    dry = synced.opsync("release", "--all", "--remove", "--dry-run")
    assert dry.lines == ["nothing would be removed"]


def test_what_was_given_up_is_owned_no_more_and_a_rule_that_nobody_has_is_named(
    synced: Company,
) -> None:
    assert synced.opsync("release", "one-tap", "--keep").code == 0
    again = synced.opsync("release", "one-tap", "--keep")
    assert again.lines == ["nothing to leave: opsync owns no value of these"]
    wrong = synced.opsync("owned", "--rule", "road")
    assert (wrong.code, 'no rule "road"' in wrong.err) == (2, True)
