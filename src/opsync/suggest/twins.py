"""Finds work that stands in two tools: titles that are all but equal. Pure.

Each item leaves a few numbers: the sum of its words' marks, and the same without each one word.
Equal numbers in two tools are candidates: titles of the same words in whatever order, or with one
word more, less, or other. Numbers are kept in arrays and items packed, so that 100,000 of them
take about 35 MiB, and one part of the numbers at a time is compared.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from math import log

import msgspec

from opsync.model import Ref, Suggestion
from opsync.suggest.comparing import KEY, compare, support, titles_alike
from opsync.suggest.side import Limits, Side
from opsync.suggest.words import Lexicon, Word, tag_of

_PARTS = 32
_CROWD = 6
"""More items than this with one number are a phrase that many titles share."""
_WORDS = 2
"""A title of fewer words is nobody's in particular."""
_LEAVE_OUT = 3
"""From so many words on a title is also looked for without each one of them."""
_MASK = (1 << 64) - 1
_PAIRS, _PAIRS_BESIDES = 1.3, 0.7
"""Twins' words must tell so many times what it takes to tell one title from all, since there are
many more pairs than titles; less where two other things speak for them too."""
_TAGGED = 0.95
"""The most that titles are alike of which one has a tag: "[Web] Card form"."""
_EQUAL = 0.97
_TIE = 0.02

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Side).decode


class Twins:
    """Collects items; then tells which are one thing in two tools."""

    def __init__(self, lexicon: Lexicon, limits: Limits) -> None:
        self._lexicon = lexicon
        self._limits = limits
        self._packed = bytearray()
        self._starts = array("Q", [0])
        self._instances = array("H")
        self._names: dict[str, int] = {}
        self._sums = [array("Q") for _ in range(_PARTS)]
        self._items = [array("I") for _ in range(_PARTS)]

    def add(self, work: Side, words: Sequence[Word]) -> None:
        """Remember one item."""
        if len(words) < _WORDS:
            return
        number = len(self._instances)
        names = self._names
        self._instances.append(names.setdefault(work.ref.instance, len(names)))
        self._packed += _encode(work)
        self._starts.append(len(self._packed))
        total = sum(word.mark for word in words)
        sums = [total & _MASK]
        if len(words) >= _LEAVE_OUT:
            sums += [(total - word.mark) & _MASK for word in words]
        for each in sums:
            part = each % _PARTS
            self._sums[part].append(each)
            self._items[part].append(number)

    def matches(self, common: frozenset[str]) -> list[Suggestion]:
        """The pairs that reach the limits; of several that are as good, none."""
        found: list[Suggestion] = []
        for one, two in sorted(self._candidates()):
            pair = self._weighed(self._item(one), self._item(two), common)
            if pair is not None:
                found.append(pair)
        return _unrivalled(found)

    def _item(self, number: int) -> Side:
        with memoryview(self._packed) as packed:
            return _decode(packed[self._starts[number] : self._starts[number + 1]])

    def _candidates(self) -> set[tuple[int, int]]:
        if len(self._names) < 2:
            return set()
        return {pair for part in range(_PARTS) for pair in self._in_part(part)}

    def _in_part(self, part: int) -> Iterator[tuple[int, int]]:
        groups: dict[int, list[int]] = {}
        for each, number in zip(self._sums[part], self._items[part], strict=True):
            groups.setdefault(each, []).append(number)
        instances = self._instances
        for numbers in groups.values():
            if 1 < len(numbers) <= _CROWD:
                for one, two in combinations(numbers, 2):
                    if instances[one] != instances[two]:
                        yield one, two

    def _weighed(self, one: Side, two: Side, common: frozenset[str]) -> Suggestion | None:
        if one.ref > two.ref:
            one, two = two, one
        if one.kind.contains != two.kind.contains:
            return None
        limits, lexicon = self._limits, self._lexicon
        words = lexicon.words(one.title), lexicon.words(two.title)
        if {word.stem for word in words[0] if word.number} != {
            word.stem for word in words[1] if word.number
        }:
            return None
        likeness = compare(*words, lexicon)
        alike = (likeness.one + likeness.two) / 2
        if likeness.apart or alike < limits.same_title:
            return None
        by_key = [n for a, b in ((one, two), (two, one)) for n in a.named if n.holder == b.ref]
        tags = {tag_of(one.title), tag_of(two.title)}
        if len(tags - {""}) > 1:
            return None
        if len(tags) > 1:
            alike = min(alike, _TAGGED)
        more, why = support(one, two, common, limits, twins=True)
        power = _PAIRS_BESIDES if len(why) > 1 else _PAIRS
        if not by_key and likeness.told < power * log(1 + lexicon.titles):
            return None
        if by_key:
            more = 1 - (1 - more) * (1 - KEY)
            why.insert(0, f"the {by_key[0].where} of one names {by_key[0].key}")
        if alike < _EQUAL and not more:
            return None
        score = 1 - (1 - alike) * (1 - more)
        if score < limits.same:
            return None
        reasons = (titles_alike(likeness, two.title), *why)
        return Suggestion(one.ref, two.ref, "same", round(score, 3), reasons)


def _unrivalled(found: Iterable[Suggestion]) -> list[Suggestion]:
    """Those pairs whose ends have no second that is as good in the same tool: who of two is meant
    is for nobody to guess."""
    found = list(found)
    scores: dict[tuple[Ref, str], list[float]] = {}
    for pair in found:
        scores.setdefault((pair.one, pair.two.instance), []).append(pair.score)
        scores.setdefault((pair.two, pair.one.instance), []).append(pair.score)

    def alone(pair: Suggestion) -> bool:
        for end in ((pair.one, pair.two.instance), (pair.two, pair.one.instance)):
            rivals = [score for score in scores[end] if score > pair.score - _TIE]
            if len(rivals) > 1:
                return False
        return True

    return [pair for pair in found if alone(pair)]
