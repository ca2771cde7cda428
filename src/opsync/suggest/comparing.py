"""How alike two titles are, and what else speaks for a pair. Pure."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import pairwise
from math import log

from msgspec import Struct

from opsync.inert import inert_text
from opsync.suggest.side import Limits, Side
from opsync.suggest.words import Lexicon, Word, shown_words

LABEL, OWNER, DUE, CREATED = 0.15, 0.15, 0.1, 0.1
"""How much of what a score lacks each of these makes up for."""
KEY = 0.85
"""The score of a pair of which one names the other by key."""

_SHOWN = 60
_APART = 0.85
"""What is left of a likeness where each title has words of its own."""
_PHRASE, _MARGIN = 2.0, 2.0
"""In nats: what it tells besides that words stand side by side, and how far words must tell more
than what it takes to tell one title from all."""


class Likeness(Struct, frozen=True):
    """How alike two titles are.

    `one` and `two` are the shares of each title's words, by weight, that the other has too.
    `told` is what the shared words tell, in nats. `apart` says that both have words of their own,
    `together` that the shared words stand side by side in `two`, as in `one`; `shared` are those
    of `two`.
    """

    one: float
    two: float
    told: float
    apart: bool
    together: bool
    shared: tuple[str, ...]

    @property
    def contained(self) -> float:
        """How well `two` contains `one`: words beside those tell less of the same, and where each
        has its own, one word probably stands for the other."""
        return held(self.one, self.two) * (_APART if self.apart else 1.0)


def held(one: float, two: float) -> float:
    """How well a title is held by another one, by the shares of their words that both have."""
    return one * (0.55 + 0.45 * two)


NOTHING = Likeness(0.0, 0.0, 0.0, True, False, ())


def compare(one: Sequence[Word], two: Sequence[Word], lexicon: Lexicon) -> Likeness:
    """Compare the words of two titles; their order does not matter."""
    weights_one = [lexicon.weight(word) for word in one]
    weights_two = [lexicon.weight(word) for word in two]
    if not weights_one or not weights_two or _other_numbers(one, two):
        return NOTHING
    got_one, got_two = [0.0] * len(one), [0.0] * len(two)
    places: list[tuple[int, int]] = []
    found = [
        (alike, -i, -j)
        for i, a in enumerate(one)
        for j, b in enumerate(two)
        if (alike := lexicon.alike(a, b))
    ]
    for alike, i, j in sorted(found, reverse=True):
        if not got_one[-i] and not got_two[-j]:
            got_one[-i] = got_two[-j] = alike
            places.append((-i, -j))
    places += _compounds(one, two, got_one, got_two)
    places += [(j, i) for i, j in _compounds(two, one, got_two, got_one)]
    return Likeness(
        one=sum(w * got for w, got in zip(weights_one, got_one, strict=True)) / sum(weights_one),
        two=sum(w * got for w, got in zip(weights_two, got_two, strict=True)) / sum(weights_two),
        told=sum(w * got for w, got in zip(weights_two, got_two, strict=True)),
        apart=not (all(got_one) or all(got_two)),
        together=_as_phrase(places),
        shared=tuple(b.stem for b, got in zip(two, got_two, strict=True) if got),
    )


def _as_phrase(places: list[tuple[int, int]]) -> bool:
    """Whether the words at these places of both titles stand side by side in the second, in the
    order of the first."""
    steps = [later[1] - earlier[1] for earlier, later in pairwise(sorted(places))]
    return bool(places) and all(step in (0, 1) for step in steps)


def _other_numbers(one: Sequence[Word], two: Sequence[Word]) -> bool:
    """Whether both have numbers, and none in common, or only the second is a later version: "v2"
    and "v3" are two things, and so are "rules" and "rules v2"."""
    numbers = {word.stem for word in one if word.number}
    others = {word.stem for word in two if word.number}
    if any(word.later for word in two) and not numbers:
        return True
    return bool(numbers and others) and numbers.isdisjoint(others)


def _compounds(
    one: Sequence[Word], two: Sequence[Word], got_one: list[float], got_two: list[float]
) -> list[tuple[int, int]]:
    """Take up words that the second title writes as one: "sign-up" and "signup"."""
    places = []
    for i in range(len(one) - 1):
        if got_one[i] or got_one[i + 1]:
            continue
        joined = one[i].stem + one[i + 1].stem
        for j, b in enumerate(two):
            if not got_two[j] and b.stem == joined:
                got_one[i] = got_one[i + 1] = got_two[j] = 1.0
                places += [(i, j), (i + 1, j)]
    return places


def is_chance(likeness: Likeness, among: int) -> bool:
    """Whether one of `among` titles could well share these words by chance: words that are common
    each are found together somewhere, side by side less often."""
    told = likeness.told + (_PHRASE if likeness.together else 0.0)
    return told < log(1 + among) + _MARGIN


def titles_alike(likeness: Likeness, title: str) -> str:
    """The reason that two titles are alike, in the words of the second."""
    return f'titles alike: "{shown_words(inert_text(title), frozenset(likeness.shared))}"'


def support(
    one: Side, two: Side, common: Container[str], limits: Limits, *, twins: bool = False
) -> tuple[float, list[str]]:
    """What labels, people and dates add: the share of what a score lacks, and their reasons."""
    lack = 1.0
    reasons: list[str] = []
    if one.labels and two.labels:
        others = {label.casefold() for label in two.labels}
        both = [x for x in one.labels if x.casefold() in others and x.casefold() not in common]
        if both:
            lack *= 1 - LABEL
            reasons.append(f"both labelled {inert_text(both[0], _SHOWN)}")
    if one.person and one.person == two.person:
        lack *= 1 - OWNER
        reasons.append(f"same owner: {inert_text(one.person, _SHOWN)}")
    if one.due_on is not None and two.due_on is not None:
        days = abs((one.due_on - two.due_on).days)
        if days <= limits.due_days:
            lack *= 1 - DUE
            reasons.append(
                f"due within {_days(days)} of each other" if days else "due on the same day"
            )
    if twins and one.created_on is not None and two.created_on is not None:
        days = abs((one.created_on - two.created_on).days)
        if days <= limits.created_days:
            lack *= 1 - CREATED
            reasons.append(
                f"created within {_days(days)} of each other" if days else "created on the same day"
            )
    return 1 - lack, reasons


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
