"""`opsync look`: the screen, the document and JSON, in every state that a company may be in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from opsync.cli.lookdoc import escaped
from tests.cli.conftest import Company

STATE = dict[str, Any]


def test_the_screen_has_what_people_say_beside_what_is_measured(company: Company) -> None:
    result = company.opsync("look")
    assert result.code == 0, result.err
    assert "3 initiatives · 6 items of work: 3 open, 2 of them in progress, 2 done" in result.out
    assert "What people say and what is measured: 2 of 3 initiatives disagree, 1 without work" in (
        result.lines
    )
    row = next(line for line in result.lines if line.strip().startswith("One-tap checkout"))
    assert re.search(r"On track +[\d,]+ days overdue +█+░+ +1/2$", row)
    assert re.search(r"SSO for teams +In progress +done +█{13} +1/1$", result.out, re.MULTILINE)
    assert re.search(r"Referral programme +todo +no linked work", result.out)
    assert "All 2 in progress have an initiative." in result.lines


def test_it_only_observes_although_the_rules_write(company: Company) -> None:
    company.configure(mode="apply")
    result = company.opsync("look")
    assert "written" not in company.read("roadmap")
    assert "written" not in company.read("work")
    assert "With write access opsync would add" in result.out
    assert re.search(r"Toy +Delivery on 3 initiatives · 2 links on 1 epic, 1 issue", result.out)
    assert company.opsync("sync").code == 0
    assert "written" in company.read("roadmap")


def test_offline_asks_no_tool_and_says_so(company: Company) -> None:
    company.opsync("look")
    company.fail("work", "bug")
    result = company.opsync("look", "--offline")
    assert result.code == 0
    assert "no tool was asked" in result.lines[0]
    assert "2 of 3 initiatives disagree" in result.out
    assert "Delivery on 3 initiatives" in result.out


def test_offline_before_anything_was_read_says_what_to_run(company: Company) -> None:
    result = company.opsync("look", "--offline")
    assert result.code == 0
    assert "Nothing has been read yet. Read roadmap, work: opsync look" in result.out
    assert not (company.folder / "opsync.db").exists()
    found = company.opsync("look", "--offline", "--json").json
    assert (found["pass"], found["look"]["initiatives"]) == (None, 0)
    assert "Nothing has been read yet" in company.opsync("look", "--offline", "--markdown").out


@pytest.mark.parametrize(("how", "code"), [("down", 1), ("sign-in", 3)])
def test_a_tool_that_cannot_be_read_is_named_with_what_mends_it(
    company: Company, how: str, code: int
) -> None:
    company.fail("work", how)
    result = company.opsync("look")
    assert result.code == code
    at = result.lines.index("Not everything is seen")
    assert result.lines[at + 1].startswith("! work is incomplete: Toy ")
    assert "It is down." in result.out or "Toy → Keys" in result.out
    assert "work is incomplete" in company.opsync("look", "--markdown").out


def test_where_no_tool_answers_it_says_that_nothing_could_be_read(company: Company) -> None:
    company.fail("work", "down")
    company.fail("roadmap", "down")
    result = company.opsync("look")
    assert result.code == 1
    assert "Nothing could be read:" in result.lines
    assert "What people say" not in result.out


def test_where_the_tools_are_empty_it_says_what_may_be_the_reason(company: Company) -> None:
    for name in ("work", "roadmap"):
        company.edit(name, lambda state: state.update(items=[]))
    result = company.opsync("look")
    assert "roadmap, work answered, and showed no item." in result.out
    assert "opsync doctor" in result.out


def test_without_initiatives_it_says_how_to_have_some(company: Company) -> None:
    company.edit("roadmap", lambda state: state.update(items=[]))
    result = company.opsync("look")
    assert result.code == 0
    assert "No initiative was found: a [[rollup]] block says" in result.out
    assert "In progress without" not in result.out


def test_what_the_initiatives_name_and_nobody_has_is_told(company: Company) -> None:
    def named(state: STATE) -> None:
        state["items"][0]["names"] += " https://toy.example/work/browse/PAY-7777"

    company.edit("roadmap", named)
    out = company.opsync("look").out
    address = "https://toy.example/work/browse/PAY-7777"
    assert f"! One-tap checkout: some not counted: {address} could not be read" in out


def test_more_than_fits_is_shown_with_all(company: Company) -> None:
    def grown(state: STATE) -> None:
        state["items"] += [
            {"id": f"e{n}", "kind": "initiative", "title": f"Empty {n}"} for n in range(20)
        ]

    company.edit("roadmap", grown)
    assert "  … 15 more (--all)" in company.opsync("look").lines
    every = company.opsync("look", "--all").out
    assert "more (--all)" not in every
    assert all(f"Empty {n}" in every for n in range(20))
    assert "… and 3 more" in company.opsync("look", "--markdown").out
    assert "more" not in company.opsync("look", "--markdown", "--all").out


def test_further_kinds_are_told_each_by_itself(company: Company) -> None:
    def edited(state: STATE) -> None:
        state["items"][0].update(category="done", owner={"id": "u1", "name": "Dana"})
        state["items"][5].update(body="for https://toy.example/roadmap/browse/empty")

    def left(state: STATE) -> None:
        state["items"][0].update(owner={"id": "u2", "name": "Gil", "active": False})
        state["items"][2]["key"] = "empty"

    company.edit("work", edited)
    company.edit("roadmap", left)
    result = company.opsync("look")
    assert "Done, with open parts: 1" in result.lines
    assert re.search(r"PAY-100 Checkout core +done +1 part open", result.out)
    assert "The owner left: 1" in result.lines
    assert re.search(r"One-tap checkout +owner Gil +that account is closed", result.out)
    assert "Named on one side only: 1" in result.lines
    assert "PAY-77 Tidy up → empty Referral programme" in result.out
    document = company.opsync("look", "--markdown").out
    assert "## The owner left: 1" in document
    assert (
        "! 1 initiative without work · 1 item names an initiative, not counted · 1 owner left"
        in (company.opsync("status").out)
    )
    assert company.opsync("status", "--json").json["disagreements"] == {
        "initiative_without_work": 1,
        "link_on_one_side": 1,
        "owner_left": 1,
        "status": 2,
    }
    told = company.opsync("explain", "PAY-77").out
    assert '! names the initiative in "description"; the initiative does not name it' in told
    told = company.opsync("explain", "PAY-100").out
    assert re.search(r"^! .*done; 1 part open\n    PAY-100 Checkout core: done", told, re.MULTILINE)
    assert "PAY-118 Tokenise cards: blocked, in progress   Toy, read " in told
    assert (
        "! owner Gil; that account is closed" in company.opsync("explain", "One-tap checkout").out
    )


def test_explain_shows_each_side_with_when_it_was_read(company: Company) -> None:
    company.opsync("look")
    lines = company.opsync("explain", "One-tap checkout").lines
    at = next(n for n, line in enumerate(lines) if line.startswith("! people say On track; "))
    assert lines[at].endswith(" days overdue")
    assert re.fullmatch(r'    One-tap checkout: says "On track"   Toy, read .* ago', lines[at + 1])
    assert re.fullmatch(
        r"    PAY-118 Tokenise cards: blocked, in progress   Toy, read .* ago", lines[at + 2]
    )
    (found,) = company.opsync("explain", "One-tap checkout", "--json").json["disagreements"]
    assert (found["kind"], found["says"], found["done"], found["total"]) == (
        "status",
        "On track",
        1,
        2,
    )


def test_the_document_is_written_into_a_file(company: Company, tmp_path: Path) -> None:
    path = tmp_path / "look.md"
    result = company.opsync("look", "--markdown", str(path))
    assert result.lines == [f"written: {path}"]
    assert path.read_text(encoding="utf-8") == company.opsync("look", "--markdown", "-").out
    assert path.read_text(encoding="utf-8").startswith("# What opsync sees, ")


def test_a_file_that_cannot_be_written_ends_with_2(company: Company, tmp_path: Path) -> None:
    result = company.opsync("look", "--markdown", str(tmp_path / "none" / "look.md"))
    assert result.code == 2
    assert "cannot be written" in result.err


def test_a_document_and_json_at_once_are_refused(company: Company) -> None:
    assert company.opsync("look", "--markdown=-", "--json").code == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, with 60 % and (these)", "plain, with 60 % and (these)"),
        ("a|b", r"a\|b"),
        ("*bold* _it_ `code`", r"\*bold\* \_it\_ \`code\`"),
        ("[x](https://evil.example)", r"\[x\](https\://evil.example)"),
        ("<script>x</script>", r"\<script\>x\</script\>"),
        ("# heading", r"\# heading"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("back\\slash", r"back\\slash"),
        ("two\nlines\x1b[31m", "two lines [31m".replace("[", r"\[")),
        ("&lt;", r"\&lt;"),
    ],
)
def test_text_stays_text_in_markdown(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_hostile_titles_cannot_break_the_document_or_the_terminal(company: Company) -> None:
    def renamed(state: STATE) -> None:
        state["items"][0].update(title="Evil | <b>x</b>\x1b]0;pwned\x07\n## y", status="On track")

    company.edit("roadmap", renamed)
    document = company.opsync("look", "--markdown").out
    (row,) = [line for line in document.splitlines() if "Evil" in line]
    assert row.startswith("| [Evil \\| \\<b\\>x\\</b\\>")
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    for command in (["look"], ["look", "--markdown"], ["look", "--json"]):
        assert not set(company.opsync(*command).out) & set("\x1b\x07\u202e"), command


def test_json_says_what_the_pass_did(company: Company) -> None:
    found = company.opsync("look", "--json").json
    assert found["pass"]["write_requests"] == 0
    assert found["pass"]["offline"] is False
    assert [one["instance"] for one in found["instances"]] == ["roadmap", "work"]
    assert found["look"]["counts"] == {"initiative_without_work": 1, "status": 2}
