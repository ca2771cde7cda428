"""Bad input: what a terminal shows of hostile text, and how bad days end on the command line."""

from __future__ import annotations

import json
import unicodedata

import pytest

from opsync.cli.root import run
from tests.support.world import CANARY, World

ESCAPE = "\x1b]0;owned\x07\x1b[2J\x1b[31mred"
MARKUP = "[bold red]markup[/] [link=https://evil.example]x[/link]"
HOSTILE = f"{ESCAPE} {MARKUP} \u202efdp.exe\n\x00forged\tend"

COMMANDS = {
    "plan": ["plan", "--all"],
    "sync": ["sync"],
    "status": ["status", "--all"],
    "records": ["records"],
    "links": ["links"],
    "rollups": ["rollups"],
    "journal": ["journal"],
    "explain": ["explain", "PAY-3"],
    "explain an epic": ["explain", "MOB-1"],
}


def hostile_everywhere(world: World) -> None:
    for key in ("PAY-1", "PAY-3", "PAY-4", "MOB-1"):
        world.jira.edit(key, summary=HOSTILE, description=f"{HOSTILE} PAY-9")
    world.linear.edit("GRO-3", title=HOSTILE)
    world.linear.edit_project("Checkout web", name=HOSTILE)
    world.notion.edit_page(world.checkout, "Name", HOSTILE)


def assert_inert(shown: str) -> None:
    bad = {c for c in shown if unicodedata.category(c) == "Cc" and c not in "\n\t"}
    assert not bad, f"{sorted(bad)} in {shown[:200]!r}"
    assert "\u202e" not in shown


@pytest.mark.sampled
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_hostile_text_is_shown_inert(
    on_command_line: World,
    command: list[str],
    as_json: bool,
    capfd: pytest.CaptureFixture[str],
) -> None:
    hostile_everywhere(on_command_line)
    if command[0] not in ("plan", "sync"):
        assert run(["sync"]) == 0
        capfd.readouterr()
    code = run([*command, "--json"] if as_json else command)
    out, err = capfd.readouterr()
    assert code == 0, err
    assert out
    assert_inert(out + err)
    if as_json:
        assert isinstance(json.loads(out), dict | list)


def test_the_choice_among_several_hostile_titles_is_shown_inert(
    on_command_line: World, capfd: pytest.CaptureFixture[str]
) -> None:
    hostile_everywhere(on_command_line)
    assert run(["sync"]) == 0
    assert run(["explain", "fdp.exe forged end"]) == 2
    out, err = capfd.readouterr()
    assert "PAY-1" in out + err
    assert_inert(out + err)


def test_a_title_forges_no_row_and_no_column(
    on_command_line: World, capfd: pytest.CaptureFixture[str]
) -> None:
    hostile_everywhere(on_command_line)
    assert run(["sync"]) == 0
    capfd.readouterr()
    assert run(["records"]) == 0
    rows = capfd.readouterr().out.splitlines()
    assert len(rows) == 13
    assert len({row.count("\t") for row in rows}) == 1


def test_markup_of_the_screens_own_library_is_shown_as_it_is(
    on_command_line: World, capfd: pytest.CaptureFixture[str]
) -> None:
    on_command_line.notion.edit_page(on_command_line.checkout, "Name", "[bold]Plain[/bold] :boom:")
    assert run(["sync"]) == 0
    assert run(["status", "--all"]) == 0
    assert "[bold]Plain[/bold] :boom:" in capfd.readouterr().out


@pytest.mark.parametrize("instance", ["jira-main", "linear", "notion"])
def test_doctor_names_the_click_for_a_dead_token(
    on_command_line: World, instance: str, capfd: pytest.CaptureFixture[str]
) -> None:
    on_command_line.vendors[instance].faults.refuse_token = True
    assert run(["doctor"]) != 0
    out, err = capfd.readouterr()
    assert instance in out + err
    assert "→" in out
    assert CANARY not in out + err


def test_a_link_that_somebody_else_made_is_told(
    on_command_line: World, capfd: pytest.CaptureFixture[str]
) -> None:
    linear = on_command_line.linear
    linear.attach(linear.issue("GRO-3"), "Ben's note", "https://harbor.atlassian.net/browse/PAY-3")
    assert run(["sync"]) == 0
    assert "Left alone  1 link that somebody made already" in capfd.readouterr().out


def test_an_observing_company_is_told_how_to_go_on_and_mode_apply_writes_it(
    on_command_line: World, capfd: pytest.CaptureFixture[str]
) -> None:
    file = on_command_line.folder / "opsync.toml"
    file.write_text(file.read_text().replace('"apply"', '"observe"'), encoding="utf-8")
    assert run(["sync"]) == 0
    assert "--mode apply" in capfd.readouterr().out
    assert set(on_command_line.written().values()) == {0}
    assert run(["sync", "--mode", "apply"]) == 0
    assert on_command_line.checkout.text("Delivery").startswith("2 of 5 done")
    written = on_command_line.written()
    assert run(["sync", "--mode", "apply"]) == 0
    assert on_command_line.written() == written
