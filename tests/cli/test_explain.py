"""`opsync explain`: why something counts, why not, and why a value stands there."""

from __future__ import annotations

import unicodedata

import pytest

from opsync.cli.explain import once
from tests.cli.conftest import Company


def test_an_initiative_names_rule_members_and_what_is_not_counted(synced: Company) -> None:
    """Trouble 26"""
    out = synced.opsync("explain", "One-tap checkout").out
    assert "1 of 2 done · 1 blocked · 1 canceled, not counted · off track" in out
    assert 'roadmap (writes): counts what "Tracked in" names' in out
    assert "Counted 2   Toy 2" in out
    assert "part of PAY-100 Checkout core" in out
    assert "PAY-119 Old idea: canceled" in out


def test_a_value_names_rule_members_inputs_run_before_and_after(synced: Company) -> None:
    """Trouble 26"""
    synced.move("PAY-118", "done")
    synced.opsync("sync")
    lines = synced.opsync("explain", "One-tap checkout", "delivery").lines
    assert lines[0] == "Delivery of One-tap checkout   Toy"
    facts = {line.split()[0]: line for line in lines[1:] if line.strip()}
    assert '"2 of 2 done' in facts["should"]
    assert "roadmap (writes)" in facts["rule"]
    assert "2 counted: Toy 2, 1 not counted" in facts["members"]
    assert "work read " in facts["inputs"]
    last = lines[lines.index("  writes") + 1]
    assert last.strip().startswith("run 2, ")
    assert '"1 of 2 done' in last.split("→")[0]
    assert '"2 of 2 done' in last.split("→")[1]


def test_what_a_person_gave_up_is_not_told_as_what_opsync_never_wrote(synced: Company) -> None:
    synced.edit("roadmap", lambda s: s["written"]["checkout"].update(delivery="Ask Dana"))
    synced.opsync("sync")
    assert "we wrote" in synced.opsync("explain", "one-tap", "Delivery").out
    synced.opsync("resolve", "one-tap", "Delivery", "--ours")
    facts = synced.opsync("explain", "one-tap", "Delivery").out
    assert "we wrote" not in facts
    assert "created: (empty) →" in facts


def test_a_place_that_opsync_does_not_keep_is_refused_with_those_it_does(synced: Company) -> None:
    result = synced.opsync("explain", "One-tap checkout", "Budget")
    assert result.code == 2
    assert "Places it keeps there: Delivery" in result.err


def test_an_issue_tells_the_path_by_which_it_counts(synced: Company) -> None:
    out = synced.opsync("explain", "pay-118").out
    assert "One-tap checkout › PAY-100 Checkout core › PAY-118 Tokenise cards" in out
    assert 'named in "Tracked in"   counted' in out


def test_an_issue_that_no_initiative_reaches_says_so(synced: Company) -> None:
    out = synced.opsync("explain", "PAY-77").out
    assert "! PAY-77 is not counted: no initiative reaches it." in out
    assert 'PAY-101 in "description": an item of the same connection' in out
    assert 'UTF-8 in "description": no item has this key' in out


def test_a_canceled_issue_says_that_it_is_excluded(synced: Company) -> None:
    assert (
        "! PAY-119 is excluded from One-tap checkout: canceled."
        in synced.opsync("explain", "PAY-119").lines
    )


def test_a_mention_in_a_text_is_linked_and_not_counted(company: Company) -> None:
    company.edit("roadmap", lambda state: state["items"][2].update(body="like PAY-77"))
    company.opsync("sync")
    out = company.opsync("explain", "PAY-77").out
    assert "PAY-77 is not counted in Referral programme: linked only" in out
    assert (
        'PAY-77 Tidy up: linked only: this names it in "description"'
        in company.opsync("explain", "Referral programme").out
    )


def test_a_key_that_nobody_has_says_who_names_it(synced: Company) -> None:
    result = synced.opsync("explain", "PAY-9999")
    assert result.code == 0
    assert "No item has the key or address PAY-9999" in result.lines[0]
    assert 'SSO for teams, in "Tracked in"' in result.lines[1]


def test_text_that_fits_nothing_ends_with_2(synced: Company) -> None:
    assert synced.opsync("explain", "Nonsense").code == 2


def test_text_that_fits_several_items_lists_them(synced: Company) -> None:
    result = synced.opsync("explain", "checkout")
    assert result.code == 2
    assert "may be any of these" in result.err
    assert {line.split("  ")[2].strip() for line in result.lines} == {
        "One-tap checkout",
        "PAY-100 Checkout core",
    }


def test_of_many_items_the_rest_is_counted(synced: Company) -> None:
    more = [{"id": f"n{n}", "title": f"Rename page {n}"} for n in range(13)]
    synced.edit("work", lambda state: state["items"].extend(more))
    synced.opsync("sync")
    result = synced.opsync("explain", "rename")
    assert (result.code, len(result.lines)) == (2, 10)
    assert "… and 3 more: give a longer piece of the title" in result.err
    found = synced.opsync("explain", "rename", "--json").json
    assert (len(found["choices"]), found["more"]) == (10, 3)
    refused = synced.opsync("undo", "rename").err.splitlines()
    assert (len(refused), refused[-1]) == (12, "  … and 3 more")
    synced.edit("work", lambda state: [state["items"].pop() for _ in range(3)])
    synced.opsync("sync", "--full")
    assert "more" not in synced.opsync("explain", "rename").err


def _called_alike(company: Company, initiatives: int, issues: int) -> None:
    """So many items of one connection that are all called "Fix login"."""
    one = {"title": "Fix login", "names": "PAY-77"}
    alike = [{**one, "id": f"z{n}", "kind": "initiative"} for n in range(initiatives)]
    alike += [{**one, "id": str(n)} for n in range(issues)]
    company.edit("roadmap", lambda state: state["items"].extend(alike))


def test_of_two_initiatives_with_one_title_none_is_meant(company: Company) -> None:
    _called_alike(company, initiatives=2, issues=9)
    company.opsync("sync")
    result = company.opsync("explain", "Fix login")
    assert result.code == 2
    assert len(result.lines) == 11
    assert "more" not in result.err
    assert [line.rpartition("/")[2] for line in result.lines[:2]] == ["z0", "z1"]


def test_an_initiative_is_meant_however_many_others_have_its_title(company: Company) -> None:
    _called_alike(company, initiatives=1, issues=10)
    company.opsync("sync")
    out = company.opsync("explain", "fix login").out
    assert 'roadmap (writes): counts what "Tracked in" names' in out


def test_a_title_is_plain_however_its_letters_are_spelled(company: Company) -> None:
    apart = unicodedata.normalize("NFD", "Übersicht")
    company.edit("roadmap", lambda state: state["items"][0].update(title=apart))
    company.edit("roadmap", lambda state: state["items"][1].update(title="Übersicht 2"))
    company.opsync("sync")
    assert "PAY-100 Checkout core" in company.opsync("explain", "Übersicht").out


def test_a_whole_title_or_an_address_is_plain(synced: Company) -> None:
    found = synced.opsync("explain", "https://toy.example/roadmap/checkout", "--json").json
    assert found["item"]["title"] == "One-tap checkout"
    assert synced.opsync("explain", "sso for teams", "--json").json["item"]["kind"] == "initiative"


def test_private_work_is_counted_and_not_named(company: Company) -> None:
    company.edit("work", lambda state: state["items"][2].update(private=True))
    company.opsync("sync")
    out = company.opsync("explain", "One-tap checkout").out
    assert "1 private, counted and not named" in out
    assert "Tokenise cards" not in out


def test_json_explains_values_with_their_writes(synced: Company) -> None:
    found = synced.opsync("explain", "One-tap checkout", "--json").json
    assert set(found) == {
        "item",
        "owner",
        "notes",
        "disagreements",
        "summaries",
        "counts_in",
        "twins",
        "links",
        "no_links",
        "suggestions",
        "values",
    }
    (summary,) = found["summaries"]
    assert [one["item"]["key"] for one in summary["members"] if one["role"] == "counted"] == [
        "PAY-101",
        "PAY-118",
    ]
    (value,) = [one for one in found["values"] if one["place"] == "Delivery"]
    assert value["wrote"] == value["should_be"] == value["writes"][0]["after"]
    assert value["writes"][0]["run"] == 1


def test_its_writes_are_told_whatever_its_rule_was_called_then(synced: Company) -> None:
    path = synced.folder / "opsync.toml"
    rule = path.read_text().rpartition('name = "roadmap"')
    path.write_text(f'{rule[0]}name = "delivery"{rule[2]}')
    assert synced.opsync("sync").code == 0
    found = synced.opsync("explain", "One-tap checkout", "--json").json
    [value] = [one for one in found["values"] if one["place"] == "Delivery"]
    assert value["rule"] == "delivery"
    assert [one["run"] for one in value["writes"]] == [1]


def test_a_link_as_the_browser_shows_it_is_understood(synced: Company) -> None:
    link = "https://toy.example/work/browse/PAY-118?comment=1"
    assert synced.opsync("explain", link, "--json").json["item"]["key"] == "PAY-118"
    assert synced.opsync("plan", "--offline", link).code == 0
    elsewhere = "https://toy.example/roadmap/browse/PAY-118"
    assert synced.opsync("explain", elsewhere).code == 2


def test_an_archived_initiative_says_that_it_is_not_rolled_up(company: Company) -> None:
    company.edit("roadmap", lambda state: state["items"][0].update(archived=True))
    company.opsync("sync")
    out = company.opsync("explain", "One-tap checkout").out
    assert "! One-tap checkout is archived in Toy: it is not rolled up." in out
    company.edit("roadmap", lambda state: state["items"][1].update(archived=True))
    company.opsync("sync")
    out = company.opsync("explain", "SSO for teams").out
    assert "! SSO for teams is archived in Toy: its numbers stay as they were." in out


def test_a_link_that_is_only_observed_says_so(company: Company) -> None:
    company.configure(mode="observe")
    company.opsync("sync")
    assert "not written: links are only observed" in company.opsync("explain", "PAY-200").out


@pytest.mark.sampled
@pytest.mark.parametrize("settled", [[], ["--theirs"]])
def test_a_link_that_people_removed_stands_nowhere(synced: Company, settled: list[str]) -> None:
    assert "stands at Toy Link" in " ".join(synced.opsync("explain", "PAY-100").out.split())
    synced.edit("work", lambda state: state["written"]["100"].clear())
    synced.opsync("sync")
    why = "removed by a person; stays removed"
    if settled:
        synced.opsync("resolve", "PAY-100", *settled)
        why = "a person's value, kept for good"

    out = " ".join(synced.opsync("explain", "PAY-100").out.split())

    assert "stands at" not in out
    assert f"not written: {why}" in out


def test_places_are_listed_once_whatever_their_case() -> None:
    assert once(["Delivery", "roadmap link", "Roadmap link"]) == "Delivery, roadmap link"
