"""Of all pairs that were found, those that a person is asked about. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from opsync.model import Ref, Suggestion
from opsync.suggest.matching import Matcher
from opsync.suggest.side import Limits, Side

Pair = frozenset[Ref]


def pair_of(one: Ref, two: Ref) -> Pair:
    """Two refs in no order."""
    return frozenset((one, two))


def choose(
    found: Iterable[Suggestion],
    *,
    left_out: AbstractSet[Pair] = frozenset(),
    above: Mapping[Ref, AbstractSet[Ref]] | None = None,
    most: int = Limits().most,
) -> list[Suggestion]:
    """The pairs to be shown: by score, then refs, at most `most` for each end.

    `left_out` are pairs that are linked, counted or decided already. `above` has all that an item
    is part of, at whatever distance: what is below an item that is suggested for an initiative, or
    left out for it, comes with that item and is not suggested besides.
    """
    above = above or {}
    open_ = [pair for pair in found if pair_of(pair.one, pair.two) not in left_out]
    member = {(pair.one, pair.two) for pair in open_ if pair.kind == "member"}
    used: Counter[Ref] = Counter()
    chosen = []
    for pair in sorted(open_, key=lambda one: (-one.score, one.one, one.two, one.kind)):
        if pair.kind == "member" and any(
            (pair.one, over) in member or pair_of(pair.one, over) in left_out
            for over in above.get(pair.two, ())
        ):
            continue
        if used[pair.one] < most and used[pair.two] < most:
            used[pair.one] += 1
            used[pair.two] += 1
            chosen.append(pair)
    return chosen


def suggest(
    initiatives: Iterable[Side],
    work: Iterable[Side],
    *,
    left_out: AbstractSet[Pair] = frozenset(),
    above: Mapping[Ref, AbstractSet[Ref]] | None = None,
    limits: Limits | None = None,
) -> list[Suggestion]:
    """All in one: match, then choose. The order of `work` makes no difference."""
    limits = limits or Limits()
    matcher = Matcher(initiatives, limits)
    for item in work:
        matcher.add(item)
    return choose(matcher.matches(), left_out=left_out, above=above, most=limits.most)
