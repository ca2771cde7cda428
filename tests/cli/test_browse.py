"""The listings: links, records, rollups and the journal."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from opsync.cli import screen
from tests.cli.conftest import Company


def test_links_say_why_two_items_belong_together(synced: Company) -> None:
    result = synced.opsync("links")
    assert len(result.lines) == 2
    fields = result.lines[0].split("\t")
    assert set(fields[1::2][:2]) == {"One-tap checkout", "PAY-100 Checkout core"}
    assert fields[4] == 'named in "Tracked in" of One-tap checkout'


def test_links_of_one_item(synced: Company) -> None:
    found = synced.opsync("links", "PAY-200", "--json").json
    assert [one["evidence"][0]["text"] for one in found] == ["PAY-200"]


def test_an_unclear_item_is_refused_with_its_choices(synced: Company) -> None:
    result = synced.opsync("links", "checkout")
    assert result.code == 2
    assert len(result.err.splitlines()) == 3


def test_records_are_one_a_line_and_can_be_filtered(synced: Company) -> None:
    assert len(synced.opsync("records").lines) == 9
    (epic,) = synced.opsync("records", "--kind", "epic").lines
    assert epic.split("\t")[:4] == ["work", "epic", "PAY-100", "Checkout core"]
    assert len(synced.opsync("records", "--connection", "roadmap", "--limit", "2").lines) == 2
    assert synced.opsync("records", "--connection", "nowhere").code == 2


def test_rollups_have_their_numbers(synced: Company) -> None:
    found = {one.split("\t")[0]: one.split("\t") for one in synced.opsync("rollups").lines}
    assert found["One-tap checkout"][1:4] == ["1/2", "50 %", "off track"]
    assert found["Referral programme"][1:4] == ["0/0", "–", "no linked work"]


def test_the_journal_has_every_write_the_latest_first(synced: Company) -> None:
    synced.move("PAY-118", "done")
    synced.opsync("sync")
    rows = synced.opsync("journal", "--json").json
    assert rows[0]["run"] == 2
    assert rows[-1]["run"] == 1
    assert len(rows) == 6
    assert len(synced.opsync("journal", "--run", "1").lines) == 5
    (last, first) = synced.opsync("journal", "One-tap checkout", "--json").json
    assert last["before"] == first["after"]


@pytest.mark.parametrize(("width", "named"), [(120, True), (80, False)])
def test_the_journal_names_each_change_where_there_is_room(
    synced: Company, monkeypatch: pytest.MonkeyPatch, width: int, named: bool
) -> None:
    shown = StringIO()
    terminal = Console(width=width, file=shown, color_system=None)
    monkeypatch.setattr(screen, "console", lambda: terminal)
    monkeypatch.setattr(screen, "interactive", lambda: True)
    ids = [one["id"] for one in synced.opsync("journal", "--json").json]
    assert synced.opsync("journal").code == 0
    assert all((one in shown.getvalue()) is named for one in ids)
    assert ("no room here for: change" in shown.getvalue()) is not named


def test_an_empty_listing_is_no_line_and_an_empty_array(synced: Company) -> None:
    assert synced.opsync("journal", "--run", "99").out == ""
    assert synced.opsync("journal", "--run", "99", "--json").json == []


@pytest.mark.parametrize("listing", ["journal", "records", "links", "owned", "aside"])
def test_a_limit_above_all_numbers_is_none(synced: Company, listing: str) -> None:
    many = synced.opsync(listing, "--limit", "9" * 26)
    assert (many.code, many.out) == (0, synced.opsync(listing).out)


def test_a_run_above_all_numbers_is_none_and_below_the_first_refused(synced: Company) -> None:
    above = synced.opsync("journal", "--run", "9" * 26)
    assert (above.code, above.out) == (0, "")
    below = synced.opsync("journal", "--run", "-" + "9" * 26)
    assert (below.code, "is not in the range x>=1" in below.err) == (2, True)


@pytest.mark.parametrize("args", [["records"], ["records", "--json"]])
def test_programs_get_all_rows_unless_they_ask_for_fewer(company: Company, args: list[str]) -> None:
    more = [{"id": f"x{n}", "key": f"X-{n}", "title": "More"} for n in range(150)]
    company.edit("work", lambda state: state["items"].extend(more))
    company.opsync("sync")
    whole, some = company.opsync(*args), company.opsync(*args, "--limit", "7")
    if "--json" in args:
        assert (len(whole.json), len(some.json)) == (159, 7)
    else:
        assert (len(whole.lines), len(some.lines)) == (159, 7)
