"""`opsync doctor`: every connection and the store, and what mends them."""

from __future__ import annotations

from tests.cli.conftest import Company


def test_all_well(synced: Company) -> None:
    result = synced.opsync("doctor")
    assert result.code == 0
    assert result.lines[:2] == ["roadmap", "  ✓ Sign-in: Signed in."]
    assert any(line.startswith("  ✓ File: Sound: 9 items, 2 links.") for line in result.lines)


def test_names_that_no_item_has_are_told_without_what_only_looks_like_a_key(
    synced: Company,
) -> None:
    out = synced.opsync("doctor").out
    assert "1 key or address that no item has: PAY-9999\n" in out


def test_a_rule_is_told_with_what_it_meets(synced: Company) -> None:
    lines = synced.opsync("doctor").lines
    at = lines.index("rules")
    assert lines[at + 1] == '  ✓ roadmap: Adds up what "Tracked in" names, for 3 initiatives.'


def test_a_property_that_no_initiative_uses_is_told_with_the_nearest(company: Company) -> None:
    """Trouble 20"""
    path = company.folder / "opsync.toml"
    path.write_text(path.read_text().replace('["Tracked in"]', '["Trakced in"]'))
    company.opsync("sync")
    lines = company.opsync("doctor").lines
    at = lines.index("rules")
    assert lines[at + 1 : at + 3] == [
        '  ! roadmap: No initiative names any work in "Trakced in".',
        '      Did you mean "Tracked in"? It is `properties` of the rule "roadmap".',
    ]


def test_a_rule_that_takes_nothing_is_told(synced: Company) -> None:
    path = synced.folder / "opsync.toml"
    path.write_text(path.read_text().replace('kind = "initiative"', 'kind = "document"'))
    out = synced.opsync("doctor").out
    assert "  ! roadmap: It takes no document of roadmap." in out
    assert "opsync records --connection roadmap" in out


def test_before_the_first_sync_rules_are_not_judged(company: Company) -> None:
    result = company.opsync("doctor")
    assert result.code == 0
    assert "  ✓ roadmap: Nothing was read from roadmap yet." in result.lines


def test_a_refused_sign_in_ends_with_3_and_says_what_mends_it(company: Company) -> None:
    company.fail("work", "sign-in")
    result = company.opsync("doctor")
    assert result.code == 3
    assert "  ✗ Sign-in: Toy refused the token." in result.lines
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


def test_a_team_is_held_against_what_was_read(synced: Company) -> None:
    path = synced.folder / "opsync.toml"
    scope = '[[team.scope]]\ninstance = "work"\n'
    blocks = f'[[team]]\nname = "All"\n{scope}[[team]]\nname = "None"\n{scope}'
    blocks += f'[[team]]\nname = "Lost"\n{scope}spaces = ["MOBX"]\n'
    path.write_text(path.read_text() + blocks)
    assert synced.opsync("sync").code == 1
    told = {
        one["check"]: (one["state"], one["message"])
        for one in synced.opsync("doctor", "--json").json
        if one["connection"] == "teams"
    }
    assert told == {
        "All": ("ok", "Has 6 items."),
        "None": (
            "warn",
            "No item is this team's: a team before it takes them, or none has its labels.",
        ),
        "Lost": ("warn", "No item of work is in MOBX."),
    }
