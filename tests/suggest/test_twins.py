"""Which work is suggested as one thing in two tools."""

from __future__ import annotations

from datetime import date

import pytest

from opsync.model import Kind, Suggestion
from opsync.suggest import Named, Side, suggest
from tests.suggest.build import CROWD, issue, work

TITLE = "Tokenise stored cards in the vault"


def twins(*sides: Side) -> list[Suggestion]:
    return suggest([], [*CROWD, *sides])


def pair(one: str, two: str, **more: object) -> list[Suggestion]:
    return twins(issue(one, "1", "jira", **more), issue(two, "2", "linear", **more))


def test_the_same_title_in_two_tools_is_one_thing() -> None:
    [one] = pair(TITLE, TITLE)
    assert (one.kind, one.one.instance, one.two.instance) == ("same", "jira", "linear")
    assert one.reasons == ('titles alike: "tokenise stored cards vault"',)


@pytest.mark.parametrize(
    "again",
    [
        "Vault: tokenize stored cards",
        "tokenise STORED card in the vault",
        "Tokneise stored cards in the vault",
    ],
)
def test_small_changes_do_not_hide_it(again: str) -> None:
    assert len(pair(TITLE, again, person="Ana Reyes")) == 1


@pytest.mark.parametrize(
    "other",
    [
        "Tokenise stored cards in the basket",
        "Tokenise stored cards",
        "Tokenise stored cards in the vault 2",
        "Detokenise stored cards",
    ],
)
def test_another_word_or_number_is_another_thing(other: str) -> None:
    assert pair(TITLE, other) == []


def test_two_tags_are_two_things_and_one_asks_for_more() -> None:
    assert pair(f"[Web] {TITLE}", f"[API] {TITLE}", person="Ana Reyes") == []
    assert pair(f"[Web] {TITLE}", TITLE) == []
    created = {"created_on": date(2026, 3, 1), "person": "Ana Reyes"}
    [one] = pair(f"[Web] {TITLE}", TITLE, **created)
    assert one.reasons[1:] == ("same owner: Ana Reyes", "created on the same day")


def test_one_tool_alone_has_no_twins() -> None:
    assert twins(issue(TITLE, "1"), issue(TITLE, "2")) == []


def test_what_is_written_again_and_again_is_nobodys_twin() -> None:
    assert pair("Fix the export", "Fix the export") == []
    assert twins(issue(TITLE, "1"), issue(TITLE, "2"), issue(TITLE, "3", "linear")) == []


def test_a_container_is_no_twin_of_an_issue() -> None:
    assert twins(issue(TITLE, "1"), work(TITLE, "2")) == []
    assert len(twins(work(TITLE, "1", "jira", kind=Kind.epic), work(TITLE, "2"))) == 1


def test_a_title_that_names_the_others_key_needs_fewer_words() -> None:
    original = issue("Card form", "1")
    named = Named("title", "PAY-1", original.ref)
    [one] = twins(original, issue("PAY-1 Card form", "2", "linear", named=(named,)))
    assert one.reasons == ('titles alike: "card form"', "the title of one names PAY-1")
