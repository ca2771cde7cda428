"""`opsync links`: what belongs together, what is suggested, and what people decide."""

from __future__ import annotations

import csv
import getpass
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from opsync.cli.layout import GAP, widths
from opsync.cli.linkdecisions import SOMEONE, login
from opsync.cli.linkfiles import MOST_BYTES
from opsync.cli.links import SUGGESTED
from opsync.engine import suggesting
from opsync.model import PairKind, Ref, Suggestion
from tests.cli.conftest import Company
from tests.cli.test_json_docs import PAGE, _keys

EMPTY = Ref("roadmap", "item", "empty")
CHECKOUT = Ref("roadmap", "item", "checkout")
TIDY = Ref("work", "item", "77")
SSO = Ref("work", "item", "200")
PROGRAMME = "Referral programme"


def suggestion(one: Ref, two: Ref, kind: PairKind = "member", score: float = 0.5) -> Suggestion:
    return Suggestion(one, two, kind, score, ("same words", "same month"))


FOUND = [
    suggestion(EMPTY, TIDY, score=0.874),
    suggestion(CHECKOUT, SSO, "related", 0.6),
    suggestion(SSO, TIDY, "same", 0.41),
]


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> list[Suggestion]:
    """What the algorithm finds, whatever there is; a test may change it."""
    suggestions = list(FOUND)

    async def suggest(*_: object) -> Sequence[Suggestion]:
        return suggestions

    monkeypatch.setattr(suggesting, "suggest", suggest)
    monkeypatch.setattr(getpass, "getuser", lambda: "ana")
    return suggestions


def suggested(company: Company) -> list[str]:
    return [line.split("\t")[0] for line in company.opsync("links", "suggest").lines]


def delivery(company: Company, title: str = PROGRAMME) -> str:
    rows = {row.split("\t")[0]: row.split("\t") for row in company.opsync("rollups").lines}
    return rows[title][1]


def test_any_item_may_stand_where_a_command_might(synced: Company) -> None:
    whole = synced.opsync("links").lines
    assert whole == synced.opsync("links", "list").lines
    assert (
        synced.opsync("links", "PAY-200").lines == synced.opsync("links", "list", "PAY-200").lines
    )
    assert len(synced.opsync("links", "PAY-200").lines) == 1
    assert len(synced.opsync("links", "--limit", "1").lines) == 1
    assert synced.opsync("links", "--json").json == synced.opsync("links", "list", "--json").json


def test_an_item_that_is_nothing_is_refused_with_the_command_it_looks_like(
    synced: Company,
) -> None:
    result = synced.opsync("links", "sugest")
    assert result.code == 2
    assert result.err.splitlines() == [
        'error: nothing is called "sugest"',
        "  Did you mean: opsync links suggest",
    ]
    assert "Name it by URL, key" in synced.opsync("links", "PAY-9999").err


def test_help_names_the_commands(company: Company) -> None:
    result = company.bare("links", "--help")
    assert result.code == 0
    for name in ("list", "suggest", "accept", "reject", "add", "remove", "import", "export"):
        assert f"  {name} " in result.out


def test_suggestions_have_an_id_a_score_and_reasons_the_likeliest_first(synced: Company) -> None:
    result = synced.opsync("links", "suggest")
    assert result.code == 0
    assert result.lines[0].split("\t") == [
        FOUND[0].id,
        "87 %",
        "Toy",
        PROGRAMME,
        "Toy",
        "PAY-77 Tidy up",
        "part of it",
        "same words; same month",
    ]
    assert [line.split("\t")[6] for line in result.lines] == ["part of it", "related", "same work"]


def test_suggestions_of_one_item_are_shown_and_all_are_kept(synced: Company) -> None:
    result = synced.opsync("links", "suggest", PROGRAMME, "--json")
    (one,) = result.json
    assert (one["id"], one["one"]["title"], one["two"]["key"]) == (FOUND[0].id, PROGRAMME, "PAY-77")
    assert len(synced.opsync("links", "suggest", "--limit", "2").lines) == 2
    assert synced.opsync("status", "--json").json["waiting"]["suggested"] == 3


def test_suggestions_are_found_anew(synced: Company, found: list[Suggestion]) -> None:
    assert len(suggested(synced)) == 3
    found.clear()
    assert suggested(synced) == []
    assert synced.opsync("links", "suggest", "--json").json == []


def test_a_suggestion_counts_nowhere_before_it_is_accepted(synced: Company) -> None:
    before = synced.read("work"), synced.read("roadmap"), synced.opsync("links").out
    suggested(synced)
    assert synced.opsync("sync").code == 0
    assert delivery(synced) == "0/0"
    assert (synced.read("work"), synced.read("roadmap"), synced.opsync("links").out) == before
    assert "Waiting      3 links suggested (opsync links suggest)" in synced.opsync("status").lines


def test_an_accepted_suggestion_counts_after_the_next_sync(synced: Company) -> None:
    suggested(synced)
    result = synced.opsync("links", "accept", FOUND[0].id)
    assert result.code == 0
    assert result.lines == [
        'accepted: "PAY-77 Tidy up" counts in "Referral programme"; the next sync follows'
    ]
    assert FOUND[0].id not in suggested(synced)
    assert synced.opsync("sync").code == 0
    assert delivery(synced) == "0/1"
    (row,) = [line for line in synced.opsync("links").lines if "PAY-77" in line]
    assert row.split("\t")[4].startswith("accepted link (ana, ")


def test_before_the_next_sync_an_accepted_pair_is_listed_as_such(synced: Company) -> None:
    synced.opsync("links", "add", PROGRAMME, "PAY-77", "--note", "agreed on Monday")
    (pair,) = synced.opsync("links", PROGRAMME, "--json").json
    assert pair["why_not"] == "the next sync links it"
    for item in (PROGRAMME, "PAY-77"):
        (note, *_) = synced.opsync("explain", item, "--json").json["notes"]
        assert note.startswith("accepted link (ana, ")
        assert note.endswith(": the next sync follows.")
    decision = pair["decision"]
    assert (decision["kind"], decision["verdict"], decision["by"], decision["note"]) == (
        "member",
        "accepted",
        "ana",
        "agreed on Monday",
    )
    assert len(synced.opsync("links").lines) == 3
    synced.opsync("sync")
    assert synced.opsync("explain", "PAY-77", "--json").json["notes"] == []
    (pair,) = synced.opsync("links", PROGRAMME, "--json").json
    assert pair["why_not"] == ""
    assert [one["field"] for one in pair["evidence"]] == ["accepted link"]
    assert pair["decision"] == decision


def test_several_are_accepted_together_or_none(synced: Company) -> None:
    suggested(synced)
    result = synced.opsync("links", "accept", FOUND[0].id, "0123abcd")
    assert result.code == 2
    assert 'no suggestion has the id "0123abcd"' in result.err
    assert "opsync links suggest" in result.err
    assert len(suggested(synced)) == 3
    result = synced.opsync("links", "accept", *(one.id for one in FOUND))
    assert result.code == 0
    assert [line.split(":")[0] for line in result.lines] == ["accepted"] * 3
    assert "one piece of work" in result.lines[2]
    assert "count nowhere" in result.lines[1]


def test_accepting_twice_says_so_and_changes_nothing(synced: Company) -> None:
    suggested(synced)
    synced.opsync("links", "accept", FOUND[0].id)
    before = synced.opsync("links", "export").out
    for words in ([FOUND[0].id], [PROGRAMME, "PAY-77"], ["PAY-77", PROGRAMME]):
        result = synced.opsync("links", "accept", *words)
        assert result.code == 0
        assert result.lines == ['accepted already: "PAY-77 Tidy up" counts in "Referral programme"']
    assert synced.opsync("links", "export").out == before


def test_what_is_rejected_does_not_come_back(synced: Company) -> None:
    suggested(synced)
    result = synced.opsync("links", "reject", FOUND[0].id, "--note", "another programme")
    assert result.lines == [
        'rejected: "Referral programme" and "PAY-77 Tidy up"; not suggested again'
    ]
    assert suggested(synced) == [FOUND[1].id, FOUND[2].id]
    assert synced.opsync("sync").code == 0
    assert suggested(synced) == [FOUND[1].id, FOUND[2].id]
    assert delivery(synced) == "0/0"
    assert (
        synced.opsync("links", "reject", "PAY-77", PROGRAMME)
        .lines[0]
        .startswith("rejected already: ")
    )


def test_a_rejected_pair_may_be_accepted_after_all(synced: Company) -> None:
    synced.opsync("links", "reject", PROGRAMME, "PAY-77")
    assert synced.opsync("links", "accept", PROGRAMME, "PAY-77").code == 0
    synced.opsync("sync")
    assert delivery(synced) == "0/1"


def test_rejecting_what_people_name_leaves_it_and_says_where(synced: Company) -> None:
    (line,) = synced.opsync("links", "reject", "SSO for teams", "PAY-200").lines
    assert line.endswith('still linked by people\'s own words, in "Tracked in" of SSO for teams')
    synced.opsync("sync")
    assert delivery(synced, "SSO for teams") == "1/1"


@pytest.mark.parametrize("order", [1, -1])
def test_an_initiative_and_its_work_need_no_further_word(synced: Company, order: int) -> None:
    result = synced.opsync("links", "add", *[PROGRAMME, "PAY-77"][::order])
    assert 'counts in "Referral programme"' in result.out


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("pair", "why", "same"),
    [
        (("PAY-77", "PAY-200"), "neither PAY-77 Tidy up nor PAY-200 SSO is an initiative", 0),
        ((PROGRAMME, "SSO for teams"), "both initiatives, which never count in each other", 2),
    ],
)
def test_other_pairs_need_a_word_and_both_are_explained(
    synced: Company, pair: tuple[str, str], why: str, same: int
) -> None:
    result = synced.opsync("links", "add", *pair)
    assert result.code == 2
    assert why in result.err
    assert "--same (one piece of work that is kept in two tools)" in result.err
    assert "--related (linked on both sides, counted nowhere for it)" in result.err
    for word, code in (("--same", same), ("--related", 0)):
        assert synced.opsync("links", "add", *pair, word).code == code
    assert len(synced.opsync("links", "export").lines) == 2


def test_an_initiative_is_no_piece_of_work_in_two_tools(synced: Company) -> None:
    """To say so would be kept, and nothing would follow."""
    result = synced.opsync("links", "add", PROGRAMME, "PAY-77", "--same")
    assert result.code == 2
    assert "only issues, epics and projects are one piece of work in two tools" in result.err
    assert "--related" in result.err
    assert len(synced.opsync("links", "export").lines) == 1


def test_a_document_is_never_counted(synced: Company) -> None:
    paper = {"id": "doc", "kind": "document", "title": "Research notes"}
    synced.edit("work", lambda state: state["items"].append(paper))
    synced.opsync("sync")
    result = synced.opsync("links", "add", PROGRAMME, "Research notes")
    assert "Research notes is a document, which is never counted" in result.err
    assert synced.opsync("links", "add", PROGRAMME, "Research notes", "--related").code == 0


def test_what_cannot_be_decided_is_refused_and_nothing_kept(synced: Company) -> None:
    refused = {
        "add PAY-77 PAY-77": "both names mean PAY-77 Tidy up",
        "add PAY-77 PAY-9999": 'nothing is called "PAY-9999"',
        "add checkout PAY-77": '"checkout" may be any of these',
        "add PAY-77 PAY-200 --same --related": "give one",
        "accept PAY-77": "give the IDs of suggestions, or two items",
        "accept 0123abcd": 'no suggestion has the id "0123abcd"',
        "reject 0123abcd": 'no suggestion has the id "0123abcd"',
        "remove PAY-77 Referral": "are not linked",
    }
    for args, said in refused.items():
        result = synced.opsync("links", *args.split())
        assert result.code == 2, args
        assert said in result.err
    assert len(synced.opsync("links", "export").lines) == 1


def test_what_is_removed_leaves_no_trace_and_is_not_suggested_again(synced: Company) -> None:
    before = synced.read("work"), synced.read("roadmap")
    suggested(synced)
    synced.opsync("links", "accept", FOUND[0].id)
    synced.opsync("sync")
    result = synced.opsync("links", "remove", "PAY-77", PROGRAMME)
    assert result.lines[0].startswith('taken back: "PAY-77 Tidy up" and "Referral programme"')
    assert synced.opsync("sync").code == 0
    assert delivery(synced) == "0/0"
    assert FOUND[0].id not in suggested(synced)
    after = synced.read("work"), synced.read("roadmap")
    assert [_standing(one) for one in after] == [_standing(one) for one in before]


def _standing(state: dict[str, dict[str, dict[str, object]]]) -> dict[str, dict[str, object]]:
    """What stands at the places of the items that have any."""
    return {item: places for item, places in state["written"].items() if places}


def test_a_pair_that_people_name_is_taken_out_where_they_do(synced: Company) -> None:
    result = synced.opsync("links", "remove", "SSO for teams", "PAY-200")
    assert result.code == 2
    assert 'in "Tracked in" of SSO for teams' in result.err
    assert "Take it out there" in result.err
    synced.opsync("links", "accept", "SSO for teams", "PAY-200")
    synced.opsync("sync")
    result = synced.opsync("links", "remove", "SSO for teams", "PAY-200")
    assert result.code == 0
    assert result.lines[1] == (
        '! still linked by people\'s own words, in "Tracked in" of SSO for teams'
    )


def test_what_is_forgotten_may_be_suggested_again(synced: Company) -> None:
    suggested(synced)
    synced.opsync("links", "reject", FOUND[0].id)
    assert "rejected, and not linked" in synced.opsync("links", "remove", PROGRAMME, "PAY-77").err
    assert synced.opsync("links", "remove", PROGRAMME, "PAY-77", "--forget").code == 0
    assert FOUND[0].id in suggested(synced)


def test_deciding_holds_nothing_and_asks_no_tool(synced: Company) -> None:
    from opsync.runtime import SystemClock
    from opsync.store import hold

    synced.fail("work", "down")
    suggested(synced)
    with hold(synced.folder / "opsync.db", "opsync sync", SystemClock().now()):
        assert synced.opsync("links", "suggest").code == 0
        assert synced.opsync("links", "accept", FOUND[0].id).code == 0
        assert synced.opsync("links", "reject", FOUND[1].id).code == 0
        assert synced.opsync("links", "remove", PROGRAMME, "PAY-77").code == 0


def test_before_the_first_sync_there_is_nothing_to_decide_about(company: Company) -> None:
    result = company.opsync("links", "accept", "0123abcd")
    assert result.code == 5
    assert "There is no store at" in result.err


def test_explain_tells_of_suggestions_and_how_to_accept_them(synced: Company) -> None:
    suggested(synced)
    lines = synced.opsync("explain", PROGRAMME).lines
    told = lines[lines.index("Suggested, not counted") + 1]
    assert told.strip() == (
        f"Toy  PAY-77 Tidy up: 87 %, same words; same month   opsync links accept {FOUND[0].id}"
    )
    (one,) = synced.opsync("explain", PROGRAMME, "--json").json["suggestions"]
    assert one["id"] == FOUND[0].id
    assert (
        "PAY-77 is not counted: no initiative reaches it." in synced.opsync("explain", "PAY-77").out
    )


def test_explain_says_who_accepted_a_member(synced: Company) -> None:
    synced.opsync("links", "accept", PROGRAMME, "PAY-77")
    synced.opsync("sync")
    assert "accepted link (ana, " in synced.opsync("explain", PROGRAMME).out
    out = synced.opsync("explain", "PAY-77").out
    assert "Referral programme › PAY-77 Tidy up, accepted link (ana, " in out


def test_every_key_of_suggestions_and_decisions_is_documented(synced: Company) -> None:
    page = PAGE.read_text(encoding="utf-8")
    found = synced.opsync("links", "suggest", "--json").json
    found += [synced.opsync("explain", PROGRAMME, "--json").json]
    synced.opsync("links", "accept", FOUND[0].id)
    found += synced.opsync("links", "--json").json
    keys = set(_keys(found))
    assert {"score", "suggestions", "verdict", "why_not"} <= keys
    assert {key for key in keys if f"`{key}`" not in page and f'"{key}"' not in page} == set()


# Private work


@pytest.fixture
def private(synced: Company) -> Company:
    """PAY-77 is private, and its title a secret."""

    def hide(state: dict[str, list[dict[str, object]]]) -> None:
        for item in state["items"]:
            if item.get("key") == "PAY-77":
                item.update(private=True, title="Zanzibar")

    synced.edit("work", hide)
    synced.opsync("sync")
    return synced


def test_private_work_is_named_nowhere(private: Company, tmp_path: Path) -> None:
    outputs = [
        private.opsync("links", "suggest"),
        private.opsync("links", "suggest", "--json"),
        private.opsync("explain", PROGRAMME),
        private.opsync("links", "accept", FOUND[0].id),
        private.opsync("links", "export"),
        private.opsync("sync"),
        private.opsync("links"),
        private.opsync("links", "--json"),
        private.opsync("explain", PROGRAMME),
        private.opsync("links", "export"),
        private.opsync("links", "remove", PROGRAMME, str(TIDY)),
    ]
    assert [one.code for one in outputs] == [0] * len(outputs)
    shown = "".join(one.out + one.err for one in outputs)
    assert "Zanzibar" not in shown
    assert "same words" not in outputs[0].lines[0], "a reason may quote a title"
    assert "Private item" in outputs[4].out
    assert str(TIDY) in outputs[4].out
    assert "Zanzibar" not in (private.folder / "roadmap.json").read_text()


def test_what_becomes_private_after_it_was_accepted_is_named_no_more(synced: Company) -> None:
    synced.opsync("links", "accept", PROGRAMME, "PAY-77")

    def hide(state: dict[str, list[dict[str, object]]]) -> None:
        next(i for i in state["items"] if i.get("key") == "PAY-77")["private"] = True

    synced.edit("work", hide)
    synced.opsync("sync")

    def remove(state: dict[str, list[dict[str, object]]]) -> None:
        state["items"] = [i for i in state["items"] if i.get("key") != "PAY-77"]

    for change in (None, remove):
        if change is not None:
            synced.edit("work", change)
            synced.opsync("sync", "--full")
        for command in (
            ["links"],
            ["links", "export"],
            ["explain", PROGRAMME],
            ["status", "--json"],
        ):
            assert "Tidy up" not in synced.opsync(*command).out, command


# Files


def sheet(company: Company, text: str | bytes, *args: str) -> tuple[int, str, str]:
    """Import a file with these contents."""
    file = company.folder / "pairs.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    result = company.opsync("links", "import", str(file), *args)
    return result.code, result.out.strip(), result.err.strip()


def exported(company: Company) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(company.opsync("links", "export").out)))


def test_what_is_exported_is_imported_again_elsewhere_and_says_the_same(
    synced: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced.opsync("links", "add", PROGRAMME, "PAY-77", "--note", "=1+1")
    synced.opsync("links", "add", "PAY-77", "PAY-200", "--same", "--note", '\'-- quoted, "so"')
    synced.opsync("links", "reject", "One-tap checkout", "PAY-200")
    before = synced.opsync("links", "export").out
    assert sheet(synced, before) == (0, "taken: 0 new, 0 changed, 3 known", "")
    (synced.folder / "opsync.db").unlink()
    synced.opsync("sync")
    monkeypatch.setattr(getpass, "getuser", lambda: "somebody-else")
    assert sheet(synced, before) == (0, "taken: 3 new, 0 changed, 0 known", "")
    assert synced.opsync("links", "export").out == before


def test_an_export_goes_to_a_file_too(synced: Company) -> None:
    synced.opsync("links", "add", PROGRAMME, "PAY-77")
    file = synced.folder / "out.csv"
    assert synced.opsync("links", "export", str(file)).out == ""
    assert file.read_text() == synced.opsync("links", "export", "-").out
    result = synced.opsync("links", "export", str(synced.folder / "none" / "out.csv"))
    assert result.code == 2
    assert "cannot be written" in result.err


def test_a_file_comes_from_standard_input_too(
    synced: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"one,two\n{PROGRAMME},PAY-77\n".encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert synced.opsync("links", "import", "-").code == 0
    assert len(exported(synced)) == 1


def test_a_dry_run_says_what_would_be_and_takes_nothing(synced: Company) -> None:
    text = f"one,two,kind\n{PROGRAMME},PAY-77,\nPAY-77,PAY-200,same\nx-y-z,PAY-77,\n"
    code, out, err = sheet(synced, text, "--dry-run")
    assert (code, err) == (1, 'line 4: nothing is called "x-y-z"')
    assert out == "would be taken: 2 new, 0 changed, 0 known, 1 line left out"
    assert exported(synced) == []
    sheet(synced, text)
    assert sheet(synced, text, "--dry-run")[1].startswith("would be taken: 0 new, 0 changed, 2")


def test_a_file_may_change_what_was_decided(synced: Company) -> None:
    synced.opsync("links", "reject", PROGRAMME, "PAY-77")
    assert sheet(synced, f"one,two\n{PROGRAMME},PAY-77\n")[1] == "taken: 0 new, 1 changed, 0 known"
    synced.opsync("sync")
    assert delivery(synced) == "0/1"


def test_further_columns_are_ignored_and_told(synced: Company) -> None:
    code, out, err = sheet(synced, f"one,two,Owner\n{PROGRAMME},PAY-77,Ben\n")
    assert (code, out) == (0, "taken: 1 new, 0 changed, 0 known")
    assert err == '! the column "owner" is ignored'


def test_a_line_that_is_not_plain_is_told_and_the_others_are_taken(synced: Company) -> None:
    lines = {
        f"{PROGRAMME},PAY-77,,,": "",
        "PAY-77,PAY-200,,,": "neither PAY-77 Tidy up nor PAY-200 SSO is an initiative of a rule",
        "PAY-77,PAY-77,same,,": "both names mean PAY-77 Tidy up",
        "PAY-77,PAY-200,same,maybe,": '"verdict" is accepted or rejected, not "maybe"',
        "One-tap, checkout,PAY-77,,,": "6 cells under 5 columns; put quotes around text",
        "checkout,PAY-77,,,": '"checkout" may be any of 2 items: ',
        "PAY-77,,,,": '"two" is empty',
        f"PAY-77,{PROGRAMME},related,,": "line 2 says otherwise of the same pair",
        "PAY-77,PAY-118,same,,": "",
    }
    code, out, err = sheet(synced, "\n".join(["one,two,kind,verdict,note", *lines]))
    assert code == 1
    assert out == "taken: 2 new, 0 changed, 0 known, 7 lines left out"
    told = err.splitlines()
    for number, said in enumerate(lines.values(), 2):
        assert not said or told.pop(0).startswith(f"line {number}: {said}")
    assert told == []


def test_a_ref_is_taken_before_a_name_and_must_be_known(synced: Company) -> None:
    text = f"one,two,one_ref,two_ref\nwhatever,PAY-118,{EMPTY},{TIDY}\nx,PAY-77,a:b:c,\nx,y,odd,\n"
    code, out, err = sheet(synced, text)
    assert (code, out) == (1, "taken: 1 new, 0 changed, 0 known, 2 lines left out")
    assert err.splitlines() == [
        'line 3: no item has the ref "a:b:c"',
        'line 4: no item has the ref "odd"',
    ]
    (row,) = exported(synced)
    assert (row["one_ref"], row["two_ref"]) == (str(EMPTY), str(TIDY))


def test_a_time_that_is_none_is_told(synced: Company) -> None:
    text = f"one,two,at\n{PROGRAMME},PAY-77,yesterday\n{PROGRAMME},PAY-118,2026-11-26T09:30\n"
    _, out, err = sheet(synced, text)
    assert out.endswith("2 lines left out")
    assert 'not "yesterday"' in err
    assert "wants its offset from UTC" in err


def test_what_is_no_such_file_is_refused_whole(synced: Company) -> None:
    code, out, err = sheet(synced, b"\x89PNG\r\n\x1a\n\x00\x00")
    assert (code, out) == (2, "")
    assert "is no text in UTF-8" in err
    assert exported(synced) == []


def test_a_file_that_cannot_be_read_is_named(synced: Company) -> None:
    for file in (synced.folder / "none.csv", synced.folder):
        result = synced.opsync("links", "import", str(file))
        assert result.code == 2
        assert f"{file} cannot be read" in result.err
    huge = synced.folder / "huge.csv"
    with huge.open("wb") as opened:
        opened.truncate(MOST_BYTES + 1)
    assert "has over 32 MB" in synced.opsync("links", "import", str(huge)).err


@pytest.mark.parametrize("error", [OSError("no uid"), KeyError("getpwuid"), ImportError("pwd")])
def test_a_user_without_a_name_is_someone(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", fail)
    assert login() == SOMEONE


def test_suggestions_fit_80_cells_without_cutting_what_is_typed_or_compared() -> None:
    wide = [8, 5, 6, 60, 6, 60, 10, 200]
    found = widths(SUGGESTED, wide, 80)
    kept = [cells for cells in found if cells is not None]
    assert sum(kept) + GAP * (len(kept) - 1) <= 80
    assert (found[0], found[1], found[6]) == (8, 5, 10)
