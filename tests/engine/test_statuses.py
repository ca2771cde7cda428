"""Statuses and resolutions against what they count as; with real sites' where they are at hand."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from opsync.config import Config, build
from opsync.contract.examining import StatusWord
from opsync.engine.statuses import words_of
from opsync.engine.statuswords import Finding, Judged, Word, contradicts, judge, paste
from opsync.lexicon import Sound
from opsync.model import Category, Kind, Status
from opsync.store import Alike

C = Category
JIRA = {"new": C.todo, "indeterminate": C.in_progress, "done": C.done, "undefined": C.unknown}


def word(name: str, counts_as: Category | str, id_: str = "", **given: Any) -> Word:
    fitting: dict[str, Any] = {"instance": "jira-main", "table": "statuses"}
    return Word(id=id_ or name, name=name, counts_as=C(counts_as), **fitting | given)


def found(lines: Sequence[Judged], finding: Finding) -> list[str]:
    return [one.name for one in lines if one.finding is finding]


def settled(lines: Sequence[Judged]) -> dict[str, Any]:
    """What the paste says to a TOML reader that takes no comments."""
    return tomllib.loads(paste(lines, {}))


def uncommented(lines: Sequence[Judged]) -> dict[str, Any]:
    """The same if a person took all comment signs away."""
    text = "\n".join(line.removeprefix("# ") for line in paste(lines, {}).splitlines())
    return tomllib.loads(text)


def test_what_counts_as_nothing_comes_first_then_what_contradicts_then_namesakes() -> None:
    lines = judge(
        [
            word("Fertig", "done", items=40),
            word("Review", "todo", "1"),
            word("Review", "in_progress", "2"),
            word("Verworfen", "done", items=2),
            word("Ablage", "unknown"),
        ]
    )
    assert [(one.name, one.finding) for one in lines] == [
        ("Ablage", Finding.unmapped),
        ("Verworfen", Finding.suspicious),
        ("Review", Finding.suspicious),
        ("Review", Finding.ambiguous),
        ("Fertig", Finding.fine),
    ]


def test_what_is_sure_comes_before_what_more_items_have() -> None:
    lines = judge([word("已解决", "in_progress", items=90), word("Won't Do", "done", items=1)])
    assert [one.name for one in lines] == ["Won't Do", "已解决"]
    assert [one.sure for one in lines] == [True, False]


@pytest.mark.parametrize(
    ("name", "counts_as", "finding"),
    [
        ("Won't Do", "done", Finding.suspicious),
        ("Won't Do", "canceled", Finding.fine),
        ("已完成", "in_progress", Finding.suspicious),
        ("已完成", "done", Finding.fine),
        ("Done", "canceled", Finding.suspicious),
        ("Closed", "canceled", Finding.fine),
        ("Backlog", "todo", Finding.fine),
        ("To Do", "backlog", Finding.fine),
        ("Backlog", "in_progress", Finding.suspicious),
        ("In Progress", "todo", Finding.suspicious),
        ("On hold", "in_progress", Finding.fine),
        ("On hold", "done", Finding.suspicious),
        ("Ready for release", "todo", Finding.fine),
        ("Ready for release", "unknown", Finding.unmapped),
    ],
)
def test_a_name_that_sounds_like_something_else_is_suspicious(
    name: str, counts_as: str, finding: Finding
) -> None:
    [line] = judge([word(name, counts_as)])
    assert line.finding is finding


def test_what_people_mapped_is_never_suspicious() -> None:
    lines = judge([word("Won't Do", "done", mapped=True), word("Ablage", "unknown", mapped=True)])
    assert {one.finding for one in lines} == {Finding.fine}
    assert paste(lines, {}) == ""


def test_two_of_one_name_are_shown_with_ids_and_places_and_the_lines_name_ids() -> None:
    lines = judge(
        [
            word("Freigabe", "todo", "31", where=("MOB",), items=3),
            word("freigabe", "done", "44", where=("PAY", "OPS"), items=5),
        ]
    )
    assert [(one.ids, one.keys, one.where, one.items) for one in lines] == [
        (("44",), ("44",), ("OPS", "PAY"), 5),
        (("31",), ("31",), ("MOB",), 3),
    ]
    assert found(lines, Finding.ambiguous) == ["freigabe", "Freigabe"]
    assert settled(lines) == {"instances": {"jira-main": {"statuses": {}}}}
    assert uncommented(lines)["instances"]["jira-main"]["statuses"] == {"44": "done", "31": "todo"}
    assert "in MOB" in paste(lines, {})


def test_namesakes_about_which_people_decided_are_settled() -> None:
    lines = judge([word("Freigabe", "todo", "31"), word("Freigabe", "done", "44", mapped=True)])
    assert {one.finding for one in lines} == {Finding.fine}


def test_namesakes_of_another_connection_or_table_are_none() -> None:
    lines = judge(
        [
            word("Freigabe", "todo"),
            word("Freigabe", "done", instance="jira-two"),
            word("Freigabe", "done", table="resolutions"),
        ]
    )
    assert {one.finding for one in lines} == {Finding.fine}


def test_many_statuses_of_one_name_that_count_alike_are_one_line() -> None:
    [line] = judge([word("Canceled", "done", str(n), items=n, where=(f"P{n}",)) for n in (1, 2, 3)])
    assert (line.ids, line.items, line.where) == (("1", "2", "3"), 6, ("P1", "P2", "P3"))
    assert settled([line])["instances"]["jira-main"]["statuses"] == {"Canceled": "canceled"}


def test_a_paste_is_toml_whatever_the_names_hold() -> None:
    hostile = 'He said "no"\n[instances.jira-main]\ntoken = "x" # \\'
    lines = judge(
        [
            word(hostile, "unknown", "77"),
            word("Won't Do", "done", table="resolutions"),
            word('"Canceled"', "done", "78", where=("A\nB",)),
        ]
    )
    assert settled(lines) == {
        "instances": {
            "jira-main": {
                "statuses": {'"Canceled"': "canceled"},
                "resolutions": {"Won't Do": "canceled"},
            }
        }
    }
    assert "77" in uncommented(lines)["instances"]["jira-main"]["statuses"]


def test_a_table_that_is_there_is_not_opened_again() -> None:
    lines = judge([word("Won't Do", "done")])
    text = paste(lines, {("jira-main", "statuses"): True})
    assert text.splitlines()[0] == "# Below your [instances.jira-main.statuses]:"
    assert tomllib.loads(text) == {"Won't Do": "canceled"}


def test_a_status_of_one_team_may_stand_in_its_block() -> None:
    used_by = frozenset({"Mobile"})
    [line] = judge([word("Verworfen", "done", used_by=used_by)])
    assert "used by Mobile only: its [team.statuses] would do" in paste([line], {})


def test_a_key_is_pasted_once_where_a_team_has_one_of_two_of_a_name() -> None:
    lines = judge(
        [
            word("Verworfen", "done", "1", in_teams={"Mobile": C.canceled}),
            word("Verworfen", "done", "2"),
        ]
    )
    assert settled(lines)["instances"]["jira-main"]["statuses"] == {
        "1": "canceled",
        "2": "canceled",
    }


def test_what_has_not_begun_is_one_thing_and_what_is_closed_may_be_given_up() -> None:
    assert not contradicts(Sound(C.backlog, firm=True), C.todo)
    assert contradicts(Sound(C.backlog, firm=False), C.done)
    assert contradicts(Sound(C.done, firm=False), C.todo)
    assert not contradicts(Sound(C.done, firm=False), C.canceled)
    assert contradicts(Sound(C.done, firm=True), C.canceled)


# What there is, from the tool and from the store


def config(*teams: dict[str, Any], **settings: Any) -> Config:
    given = {"connector": "jira", "site": "https://harbor.atlassian.net", "token": "no-secret"}
    raw = {"instances": {"jira-main": given | {"email": "a@harbor.example"} | settings}}
    return build(raw | ({"team": list(teams)} if teams else {}))


def words(
    made: Config, tallies: Sequence[tuple[Alike, int]], listed: Sequence[StatusWord] | None = None
) -> dict[tuple[str, str], Word]:
    found = words_of(made, made.instances["jira-main"], listed, tallies)
    return {(one.table, one.id or one.name): one for one in found}


def alike(
    name: str, category: str, id_: str = "", *, ended: str = "", team: str = "", key: str = "PAY"
) -> Alike:
    return Alike(
        Kind.issue,
        Status(id_ or name, name, C(category)),
        ended,
        f"{key} project",
        key,
        team,
        False,
    )


def listed(name: str, counts_as: str, id_: str = "", **given: Any) -> StatusWord:
    own = C(counts_as)
    return StatusWord(id=id_ or name, name=name, category=own, counts_as=own, **given)


def test_items_are_counted_by_status_and_by_how_they_ended() -> None:
    found = words(
        config(),
        [
            (alike("Done", "done", "6"), 40),
            (alike("Done", "done", "6", ended="Won't Do", key="MOB"), 3),
            (alike("Doing", "in_progress", "3", ended="Won't Do"), 1),
            (Alike(Kind.issue, None, "", "PAY project", "PAY", "", False), 7),
        ],
    )
    assert {key: (one.items, one.counts_as) for key, one in found.items()} == {
        ("statuses", "6"): (43, C.done),
        ("statuses", "3"): (1, C.in_progress),
        ("resolutions", "Won't Do"): (3, C.done),
    }
    assert found["statuses", "6"].where == ("MOB", "PAY")


def test_a_status_does_not_count_as_how_some_of_its_work_ended() -> None:
    tallies = [
        (alike("Done", "canceled", "6", ended="Won't Do"), 9),
        (alike("Done", "done", "6"), 2),
    ]
    found = words(config(resolutions={"Won't Do": "canceled"}), tallies)
    assert found["statuses", "6"].counts_as is C.done
    assert found["resolutions", "Won't Do"].counts_as is C.canceled
    assert found["resolutions", "Won't Do"].mapped


def test_what_the_tool_lists_comes_with_the_items_that_have_it_and_with_what_it_lost() -> None:
    tallies = [(alike("Done", "done", "6"), 40), (alike("Gone", "todo", "9"), 2)]
    found = words(config(), tallies, [listed("Done", "done", "6"), listed("New", "todo", "7")])
    assert {one.name: (one.items, one.category) for one in found.values()} == {
        "Done": (40, C.done),
        "New": (0, C.todo),
        "Gone": (2, None),
    }


def test_a_listed_resolution_counts_the_items_of_its_name() -> None:
    tallies = [(alike("Done", "done", "6", ended="Won't Do"), 3)]
    found = words(config(), tallies, [listed("Won't Do", "done", "10001", table="resolutions")])
    assert found["resolutions", "10001"].items == 3
    assert ("resolutions", "Won't Do") not in found


def test_the_settings_and_the_teams_words_are_told_apart() -> None:
    mobile = {
        "name": "Mobile",
        "scope": [{"instance": "jira-main", "spaces": ["MOB"]}],
        "statuses": {"Parked": "backlog", "Dropped": "canceled"},
    }
    found = words(
        config(mobile, statuses={"3": "todo"}),
        [
            (alike("Parked", "backlog", "5", team="Mobile", key="MOB"), 4),
            (alike("Parked", "in_progress", "5"), 1),
            (alike("Dropped", "canceled", "8", team="Mobile", key="MOB"), 2),
            (alike("Doing", "todo", "3"), 6),
        ],
    )
    parked, dropped, doing = (found["statuses", id_] for id_ in ("5", "8", "3"))
    assert (parked.counts_as, parked.in_teams, parked.mapped) == (
        C.in_progress,
        {"Mobile": C.backlog},
        False,
    )
    assert dropped.mapped
    assert (doing.counts_as, doing.mapped, doing.in_teams) == (C.todo, True, {})


def test_spaces_of_private_work_are_not_named() -> None:
    secret = Alike(Kind.issue, Status("6", "Done", C.done), "", "Security", "SEC", "", True)
    found = words(config(), [(secret, 3), (alike("Done", "done", "6"), 1)])
    assert (found["statuses", "6"].where, found["statuses", "6"].items) == (("PAY",), 4)


def test_spaces_of_private_work_are_not_named_though_the_tool_lists_them() -> None:
    secret = Alike(Kind.issue, Status("6", "Done", C.done), "", "Security", "SEC", "", True)
    tallies = [(secret, 3), (alike("Done", "done", "6"), 1)]
    told = [listed("Done", "done", "6", where=("PAY", "SEC", "Security"))]
    assert words(config(), tallies, told)["statuses", "6"].where == ("PAY",)
    shown = words(config(expose="title"), tallies, told)["statuses", "6"]
    assert shown.where == ("PAY", "SEC", "Security")


def test_a_status_of_containers_only_does_not_sound_blocked() -> None:
    paused = Status("5", "Paused", C.in_progress)
    epics = Alike(Kind.epic, paused, "", "Payments", "PAY", "", False)
    issues = Alike(Kind.issue, paused, "", "Payments", "PAY", "", False)
    assert [one.sounds_blocked for one in judge(words(config(), [(epics, 2)]).values())] == [False]
    both = words(config(), [(epics, 2), (issues, 1)])
    assert [one.sounds_blocked for one in judge(both.values())] == [True]


# Real sites


def cloud(folder: Path) -> Iterator[Word]:
    path = folder / "jira-devlake" / "status.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(line for line in file if line.strip()):
            one = json.loads(row["data"])
            yield word(one["name"], JIRA[one["statusCategory"]["key"]], one["id"])


def server(folder: Path) -> Iterator[Word]:
    mock = folder / "jira-go-jira" / "mock-data"
    for one in json.loads((mock / "all_statuses.json").read_bytes()):
        yield word(one["name"], JIRA[one["statusCategory"]["key"]], one["id"])
    for one in json.loads((mock / "all_resolutions.json").read_bytes()):
        yield word(one["name"], "done", one["id"], table="resolutions")


def test_statuses_of_a_real_cloud_site_that_contradict_their_category_are_found(
    data_dir: Path,
) -> None:
    lines = judge(cloud(data_dir))

    assert found(lines, Finding.unmapped) == []
    suspicious = {
        one.name: (one.counts_as, one.proposal) for one in lines if one.finding == "suspicious"
    }
    assert suspicious == {
        "无效的": (C.in_progress, C.canceled),
        "已解决": (C.in_progress, C.done),
        "暂不修改": (C.done, C.canceled),
        "Under review": (C.todo, C.in_progress),
        "代码评审": (C.todo, C.in_progress),
        "开发自测": (C.todo, C.in_progress),
        "分析中": (C.todo, C.in_progress),
        "发布中": (C.todo, C.in_progress),
        "概设中": (C.todo, C.in_progress),
        "细化中": (C.todo, C.in_progress),
    }
    assert found(lines, Finding.ambiguous) == []
    fine = set(found(lines, Finding.fine))
    assert {"已完成", "已关闭", "开发中", "挂起中", "待发布", "缺陷", "故事", "QUESTION"} <= fine
    assert settled(lines)["instances"]["jira-main"]["statuses"] == {"无效的": "canceled"}
    assert len(uncommented(lines)["instances"]["jira-main"]["statuses"]) == 10


def test_statuses_and_resolutions_of_a_real_server_that_contradict_are_found(
    data_dir: Path,
) -> None:
    lines = judge(server(data_dir))

    assert "Archived" in found(lines, Finding.unmapped)
    sure = settled(lines)["instances"]["jira-main"]
    assert sure["statuses"] == {
        "Being addressed": "in_progress",
        "Graveyard": "canceled",
        "Rejected": "canceled",
        "cannot reproduce": "canceled",
    }
    assert set(sure["resolutions"]) == {
        *("Won't Fix", "Won't Do", "Duplicate", "Invalid", "Cannot Reproduce"),
        *("Not A Problem", "Not A Bug", "Works for Me"),
    }
    assert {"Specs Complete", "Reviewed", "Ready for development", "Evaluated"} <= set(
        found(lines, Finding.fine)
    )
