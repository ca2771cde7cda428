"""Pairs that are said to be one, put together: what is merged, what is doubtful, and who counts."""

from __future__ import annotations

import pytest

from opsync.model import Doubt, Preference, Ref, Sides, Twin
from opsync.model.twin import MOST, counted_once, sides_of


def ref(text: str) -> Ref:
    instance, id_ = text.split(":")
    return Ref(instance, "issue", id_)


def twin(one: str, two: str, *, copy: str = "", accepted: bool = False) -> Twin:
    low, high = sorted((ref(one), ref(two)))
    return Twin(low, high, ref(copy) if copy else None, accepted)


def named(sides: Sides) -> list[str]:
    return [f"{one.instance}:{one.id}" for one in sides.refs]


ORDER = Preference((), ("notion", "jira", "linear", "ships"))


def test_pairs_that_share_a_side_are_one_piece_of_work() -> None:
    one, other = sides_of(
        [twin("jira:1", "linear:1"), twin("jira:9", "linear:9"), twin("linear:1", "ships:1")]
    )
    assert named(one) == ["jira:1", "linear:1", "ships:1"]
    assert named(other) == ["jira:9", "linear:9"]
    assert (one.doubt, other.doubt) == (Doubt.none, Doubt.none)


def test_a_template_whose_footer_was_copied_along_merges_nothing() -> None:
    copied = [
        twin("jira:1", f"linear:{number}", copy=f"linear:{number}") for number in range(1, 11)
    ]
    [sides] = sides_of(copied)
    assert len(sides.refs) == 11
    assert sides.doubt is Doubt.same_tool
    assert counted_once([sides], sides.refs, ORDER) == {}


def test_two_of_one_tool_are_doubtful_unless_a_person_accepted_them() -> None:
    pairs = [twin("jira:1", "linear:1"), twin("jira:1", "linear:2")]
    assert [one.doubt for one in sides_of(pairs)] == [Doubt.same_tool]
    accepted = twin("linear:1", "linear:2", accepted=True)
    assert [one.doubt for one in sides_of([*pairs, accepted])] == [Doubt.none]


def test_more_tools_than_one_piece_of_work_is_in_are_doubtful() -> None:
    chain = [twin(f"a{number}:1", f"a{number + 1}:1") for number in range(MOST)]
    assert [one.doubt for one in sides_of(chain[:-1])] == [Doubt.none]
    assert [one.doubt for one in sides_of(chain)] == [Doubt.many]


@pytest.mark.parametrize(
    ("pair", "prefer", "counted"),
    [
        (twin("jira:1", "linear:1", copy="linear:1"), (), "jira:1"),
        (twin("jira:1", "linear:1", copy="jira:1"), (), "linear:1"),
        (twin("jira:1", "linear:1"), (), "jira:1"),
        (twin("linear:1", "notion:1"), (), "notion:1"),
        (twin("jira:1", "linear:1", copy="linear:1"), ("linear",), "linear:1"),
        (twin("jira:1", "linear:1", copy="linear:1"), ("ships", "linear", "jira"), "linear:1"),
        (twin("jira:1", "linear:1"), ("ships",), "jira:1"),
    ],
    ids=["original", "original by its tool", "first", "first of all", "preferred", "order", "else"],
)
def test_the_side_that_counts(pair: Twin, prefer: tuple[str, ...], counted: str) -> None:
    [sides] = sides_of([pair])
    assert Preference(prefer, ORDER.configured).counted(sides) == ref(counted)


def test_only_sides_that_are_there_are_merged() -> None:
    sides = sides_of([twin("jira:1", "linear:1"), twin("linear:1", "ships:1")])
    alone = [ref("linear:1")]
    assert counted_once(sides, alone, ORDER) == {}
    both = [ref("linear:1"), ref("ships:1")]
    assert counted_once(sides, both, ORDER) == {ref("ships:1"): ref("linear:1")}


def test_the_root_is_the_side_that_counts() -> None:
    sides = sides_of([twin("jira:1", "linear:1", copy="linear:1")])
    among = [ref("jira:1"), ref("linear:1")]
    found = counted_once(sides, among, ORDER, ref("linear:1"))
    assert found == {ref("jira:1"): ref("linear:1")}


def test_an_item_is_never_the_same_work_as_what_it_is_part_of() -> None:
    above = {ref("jira:3"): {ref("jira:2"), ref("jira:1")}}
    [sides] = sides_of([twin("jira:1", "jira:3", accepted=True)], above)
    assert sides.doubt is Doubt.part
    assert counted_once([sides], [ref("jira:1"), ref("jira:3")], ORDER) == {}
    [sides] = sides_of([twin("jira:2", "linear:1")], above)
    assert sides.doubt is Doubt.none
