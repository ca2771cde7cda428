"""`opsync aside`: what could not be read or written, why, when it is next, and at once."""

from __future__ import annotations

import unicodedata

from tests.cli.conftest import Company


def broken(company: Company) -> None:
    """An item that cannot be read, and values that are not taken."""
    company.edit("work", lambda state: state["items"][-1].update(broken=True))
    company.fail("roadmap", "writes")
    company.move("PAY-118", "done")
    company.opsync("sync")


def mended(company: Company) -> None:
    company.edit("work", lambda state: state["items"][-1].pop("broken"))
    company.fail("roadmap", "")


def test_nothing_is_said_to_be_set_aside_where_nothing_is(synced: Company) -> None:
    assert synced.opsync("aside", "--json").json == []
    result = synced.opsync("aside", "retry")
    assert (result.code, result.lines) == (0, ["nothing is set aside"])


def test_each_is_listed_with_why_since_when_and_when_it_is_next(synced: Company) -> None:
    """Trouble 6"""
    broken(synced)
    item, value = synced.opsync("aside", "--json").json
    assert (item["what"], item["connection"], item["reason"]) == (
        "read",
        "work",
        "its title is a number",
    )
    assert item["item"]["key"] == "PAY-77"
    assert item["by_itself"] is False
    assert item["since"]
    assert (value["what"], value["place"], value["reason"]) == ("write", "Delivery", "Toy is full")
    assert value["item"]["title"] == "One-tap checkout"
    assert (value["refused"], value["tries"]) == (False, 0)
    assert value["next_try"] > value["since"]


def test_people_read_the_same(synced: Company) -> None:
    broken(synced)
    result = synced.opsync("aside")
    assert result.code == 0
    text = " ".join(result.out.split())
    for told in (
        "PAY-77",
        "its title is a number",
        "opsync sync --full --only work",
        "Toy is full",
    ):
        assert told in text
    assert "not written: Delivery" in text


def test_the_other_screens_lead_here(synced: Company) -> None:
    broken(synced)
    synced.fail("roadmap", "")
    said = " ".join(synced.opsync("sync").out.split())
    assert "1 item could not be read: opsync aside" in said
    assert "tried again by itself, with growing waits: opsync aside" in synced.opsync("doctor").out
    said = " ".join(synced.opsync("status").out.split())
    assert "1 write failed, tried again (opsync aside)" in said
    assert "1 item set aside (opsync aside)" in said
    assert "▲ 2 set aside" in said
    assert synced.opsync("status", "--json").json["healthy"] is False


def test_a_run_that_leaves_a_failed_write_waiting_ends_with_1(synced: Company) -> None:
    synced.fail("roadmap", "writes")
    synced.move("PAY-118", "done")
    synced.opsync("sync")
    synced.fail("roadmap", "")
    assert synced.opsync("sync").code == 1
    assert synced.opsync("plan").code == 0, "who only looks is answered about this look"


def test_retry_tries_all_at_once_and_writes_what_is_taken_by_now(synced: Company) -> None:
    """Trouble 6, I14"""
    broken(synced)
    mended(synced)
    result = synced.opsync("aside", "retry")
    assert result.code == 0, result.out
    assert any(line.startswith("Written") and "Toy 1" in line for line in result.lines)
    assert synced.opsync("aside", "--json").json == []


def test_retry_of_one_item_leaves_the_others_waiting(synced: Company) -> None:
    synced.fail("roadmap", "writes")
    synced.move("PAY-118", "done")
    synced.move("PAY-200", "todo")
    synced.opsync("sync")
    assert len(synced.opsync("aside", "--json").json) == 2
    synced.fail("roadmap", "")
    assert synced.opsync("aside", "retry", "one-tap").code == 1, "the other one still waits"
    [left] = synced.opsync("aside", "--json").json
    assert left["item"]["title"] == "SSO for teams"


def test_a_title_is_named_however_its_letters_are_spelled(synced: Company) -> None:
    apart = unicodedata.normalize("NFD", "Übersicht")
    synced.edit("roadmap", lambda state: state["items"][0].update(title=apart))
    broken(synced)
    assert synced.opsync("aside", "retry", "Übersicht").code == 1, "it still fails, and is found"


def test_what_is_not_set_aside_is_told_with_how_to_find_what_is(synced: Company) -> None:
    broken(synced)
    result = synced.opsync("aside", "retry", "PAY-1")
    assert result.code == 2
    assert 'nothing that is set aside is called "PAY-1"' in result.err
    assert "opsync aside" in result.err


def test_before_the_first_sync_there_is_nothing_to_retry(company: Company) -> None:
    result = company.opsync("aside", "retry")
    assert result.code == 5
    assert "opsync sync" in result.err
