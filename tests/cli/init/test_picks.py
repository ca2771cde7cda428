"""Picking from a list: numbers, ranges, keys, names, and what is not certain."""

from __future__ import annotations

import pytest

from opsync import Choice
from opsync.cli.init.picks import NotPicked, matching, pick

ROWS = (
    Choice("MOB", "Mobile"),
    Choice("PAY", "Payments"),
    Choice("PLAT", "Platform 2024"),
    Choice("GRO", "Growth"),
    Choice("GROPS", "Growth operations"),
    Choice("01234567-89ab-cdef-0123-456789abcdef", "2024-2025"),
)


@pytest.mark.parametrize(
    ("answer", "picked"),
    [
        ("all", (0, 1, 2, 3, 4, 5)),
        ("ALL", (0, 1, 2, 3, 4, 5)),
        ("2", (1,)),
        ("1,3-5", (0, 2, 3, 4)),
        (" 3 – 4 , 1", (0, 2, 3)),
        ("pay", (1,)),
        ("PAY mob", (0, 1)),
        ("1 PAY", (0, 1)),
        ("growth", (3,)),
        ("platform", (2,)),
        ("2024-2025", (5,)),
        ("0123456789abcdef0123456789abcdef", (5,)),
        ("2,2,pay", (1,)),
    ],
)
def test_an_answer_picks_rows_in_their_order(answer: str, picked: tuple[int, ...]) -> None:
    assert pick(answer, ROWS) == picked


@pytest.mark.parametrize(
    ("answer", "why", "near"),
    [
        ("", "picks nothing", ()),
        (" , ", "picks nothing", ()),
        ("9", "from 1 to 6", ()),
        ("7", "from 1 to 6", ()),
        ("5-3", "from 1 to 6", ()),
        ("ro", '"ro" is in 2 of the names', (3, 4)),
        ("Paymnts", 'there is no "Paymnts"', (1,)),
        ("PAY nope", 'there is no "PAY nope"', ()),
        ("zzz", 'there is no "zzz"', ()),
    ],
)
def test_an_answer_that_is_not_certain_names_what_it_may_mean(
    answer: str, why: str, near: tuple[int, ...]
) -> None:
    with pytest.raises(NotPicked, match=why) as raised:
        pick(answer, ROWS)

    assert raised.value.near == near


def test_a_whole_name_goes_before_a_piece_of_one() -> None:
    assert matching("Growth", ROWS) == [3]
    assert matching("growth o", ROWS) == [4]
