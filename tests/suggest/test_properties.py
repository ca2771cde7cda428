"""What holds of suggestions whatever the titles."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsync.model import Kind, Ref, Suggestion
from opsync.suggest import Side, choose, pair_of, suggest
from opsync.suggest.comparing import compare
from opsync.suggest.words import Lexicon, Vocabulary

WORDS = (
    "referral",
    "programme",
    "payout",
    "export",
    "warehouse",
    "größe",
    "v2",
    "v3",
    "支付",
    "api",
)
few = settings(max_examples=60, deadline=None, derandomize=True)

title = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
any_title = st.one_of(title, st.text(max_size=40))


def sides(instances: tuple[str, ...], kinds: tuple[Kind, ...]) -> st.SearchStrategy[list[Side]]:
    one = st.tuples(
        st.sampled_from(instances),
        st.sampled_from(kinds),
        any_title,
        st.sampled_from(("", "Ana Reyes")),
    )
    return st.lists(one, max_size=25).map(
        lambda found: [
            Side(ref=Ref(instance, "item", f"{n:03}"), kind=kind, title=text, person=person)
            for n, (instance, kind, text, person) in enumerate(found)
        ]
    )


roots = sides(("notion",), (Kind.initiative,))
items = sides(("jira", "linear"), (Kind.issue, Kind.project))


@few
@given(roots, items)
def test_never_more_than_three_an_item_and_scores_are_shares(
    initiatives: list[Side], work: list[Side]
) -> None:
    found = suggest(initiatives, work)
    ends = Counter(end for one in found for end in (one.one, one.two))
    assert max(ends.values(), default=0) <= 3
    assert all(0 < one.score <= 1 and one.reasons for one in found)
    order = [(-one.score, one.one, one.two) for one in found]
    assert order == sorted(order)


@few
@given(roots, items, st.randoms(use_true_random=False))
def test_the_order_in_which_work_passes_by_makes_no_difference(
    initiatives: list[Side], work: list[Side], rng: random.Random
) -> None:
    first = suggest(initiatives, work)
    rng.shuffle(work)
    rng.shuffle(initiatives)
    assert suggest(initiatives, work) == first


@few
@given(roots, items, st.randoms(use_true_random=False))
def test_a_pair_that_is_left_out_never_comes_back(
    initiatives: list[Side], work: list[Side], rng: random.Random
) -> None:
    found = suggest(initiatives, work)
    gone = {pair_of(one.one, one.two) for one in found if rng.random() < 0.5}
    again = suggest(initiatives, work, left_out=gone)
    assert not gone & {pair_of(one.one, one.two) for one in again}


@few
@given(title, title, st.randoms(use_true_random=False))
def test_the_order_of_words_makes_no_difference(one: str, two: str, rng: random.Random) -> None:
    lexicon = Lexicon(Vocabulary())
    for each in (*WORDS, one, two):
        lexicon.count(lexicon.words(each))
    turned = two.split()
    rng.shuffle(turned)
    straight = compare(lexicon.words(one), lexicon.words(two), lexicon)
    other = compare(lexicon.words(one), lexicon.words(" ".join(turned)), lexicon)
    assert (other.one, other.two, other.told, other.apart) == pytest.approx(
        (straight.one, straight.two, straight.told, straight.apart)
    )


@few
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 8), st.floats(0.1, 1))),
    st.dictionaries(st.integers(0, 8), st.sets(st.integers(0, 8), max_size=3)),
)
def test_nothing_is_suggested_besides_what_it_is_part_of(
    pairs: list[tuple[int, int, float]], above: dict[int, set[int]]
) -> None:
    def item(number: int) -> Ref:
        return Ref("jira", "issue", f"{number}")

    made = {
        (root, number): Suggestion(
            Ref("notion", "page", f"{root}"), item(number), "member", score, ("alike",)
        )
        for root, number, score in pairs
    }
    over = {item(low): {item(high) for high in highs - {low}} for low, highs in above.items()}
    chosen = choose(made.values(), above=over)
    shown = {(one.one, one.two) for one in chosen}
    assert not [
        one for one in chosen if any((one.one, high) in shown for high in over.get(one.two, ()))
    ]
