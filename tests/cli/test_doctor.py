"""`opsync doctor`: every connection and the store, and what mends them."""

from __future__ import annotations

from tests.cli.conftest import Company


def test_all_well(synced: Company) -> None:
    result = synced.opsync("doctor")
    assert result.code == 0
    assert result.lines[:2] == ["roadmap", "  ✓ Sign-in: Signed in."]
    assert any(line.startswith("  ✓ file: sound: 9 items, 2 links") for line in result.lines)


def test_names_that_no_item_has_are_counted(synced: Company) -> None:
    out = synced.opsync("doctor").out
    assert "2 keys or addresses that no item has: PAY-9999, UTF-8" in out


def test_a_refused_sign_in_ends_with_3_and_says_what_mends_it(company: Company) -> None:
    company.fail("work", "sign-in")
    result = company.opsync("doctor")
    assert result.code == 3
    assert "  ✗ sign-in: Toy refused the token." in result.lines
    assert "      Make a new one: Toy → Keys." in result.lines


def test_another_failure_ends_with_1(company: Company) -> None:
    company.fail("work", "check")
    assert company.opsync("doctor").code == 1
    assert company.opsync("doctor", "--only", "roadmap").code == 0


def test_what_is_set_aside_is_named_with_its_reason(company: Company) -> None:
    company.edit("work", lambda state: state["items"][-1].update(broken=True))
    company.opsync("sync")
    assert "work:item:77: its title is a number" in company.opsync("doctor").out


def test_a_damaged_store_ends_with_5(synced: Company) -> None:
    path = synced.folder / "opsync.db"
    path.write_bytes(b"this is no database" * 100)
    for name in ("opsync.db-wal", "opsync.db-shm"):
        (synced.folder / name).unlink(missing_ok=True)
    result = synced.opsync("doctor")
    assert result.code == 5
    assert "damaged" in result.out


def test_json_is_one_row_a_check(synced: Company) -> None:
    rows = synced.opsync("doctor", "--json").json
    assert rows[0] == {
        "connection": "roadmap",
        "check": "Sign-in",
        "state": "ok",
        "message": "Signed in.",
        "hint": "",
    }
