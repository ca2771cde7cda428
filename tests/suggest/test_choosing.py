"""Of all pairs, those that a person is asked about."""

from __future__ import annotations

from opsync.model import Ref, Suggestion
from opsync.model.suggestion import ID_LENGTH
from opsync.suggest import choose, pair_of

ROOT, OTHER = Ref("notion", "page", "1"), Ref("notion", "page", "2")


def item(number: int) -> Ref:
    return Ref("jira", "issue", f"{number}")


def member(number: int, score: float = 0.8, root: Ref = ROOT) -> Suggestion:
    return Suggestion(root, item(number), "member", score, ("titles alike",))


def test_at_most_three_an_end_the_best_first() -> None:
    given = [member(number, number / 10) for number in range(1, 6)]
    assert [one.two.id for one in choose(given)] == ["5", "4", "3"]
    assert [one.two.id for one in choose(given, most=1)] == ["5"]
    roots = [Ref("notion", "page", f"{n}") for n in range(5)]
    assert [one.one.id for one in choose([member(1, root=root) for root in roots])] == [
        "0",
        "1",
        "2",
    ]


def test_what_was_decided_is_left_out_whichever_end_comes_first() -> None:
    assert choose([member(1)], left_out={pair_of(item(1), ROOT)}) == []


def test_what_is_below_a_suggested_item_comes_with_it() -> None:
    above = {item(2): {item(1), item(9)}}
    assert choose([member(1, 0.75), member(2, 0.9)], above=above) == [member(1, 0.75)]
    elsewhere = [member(1, root=OTHER), member(2)]
    assert choose(elsewhere, above=above) == [member(2), member(1, root=OTHER)]


def test_what_is_below_a_rejected_item_is_not_asked_about_instead() -> None:
    above = {item(2): {item(1)}}
    left_out = {pair_of(ROOT, item(1))}
    assert choose([member(1), member(2)], left_out=left_out, above=above) == []


def test_the_name_of_a_pair_stays() -> None:
    one = member(1)
    assert one.id == member(1, 0.3).id
    assert one.id != member(2).id
    assert len(one.id) == ID_LENGTH
    assert int(one.id, 16) >= 0
