"""Finds pairs while the work passes by: initiatives are few and indexed, work is many. Pure.

How rare a word is decides how much it tells, and is known only once everything has passed. So each
initiative keeps its best candidates by a measure that needs no rarity of the work's words, and
these few are weighed at the end. That makes the answer the same in whatever order work passes by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from heapq import heappush, heappushpop
from itertools import pairwise
from math import log

from opsync.model import Category, Kind, Ref, Suggestion
from opsync.suggest.comparing import (
    KEY,
    compare,
    held,
    is_chance,
    support,
    titles_alike,
)
from opsync.suggest.side import Limits, Side
from opsync.suggest.twins import Twins
from opsync.suggest.words import Lexicon, Vocabulary, Word

CANDIDATES = 32
"""So many candidates an initiative keeps until everything has passed."""
_FLOOR = 0.34
"""The share of an initiative's words, by their rarity among initiatives, that a candidate has."""
_BEST_BY = 0.1
"""Of several initiatives that an item resembles, those count whose score is so near the best."""
_WORK = frozenset({Kind.project, Kind.epic, Kind.issue})


class _Initiative:
    """An initiative with its words, and the best candidates so far."""

    __slots__ = ("best", "covers", "keyed", "shares", "side", "words")

    def __init__(self, side: Side, words: list[Word]) -> None:
        self.side = side
        self.words = words
        self.shares: list[float] = []
        self.covers: dict[int, float] = {}
        self.best: list[tuple[float, Ref, Side]] = []
        self.keyed: dict[Ref, tuple[Side, list[str]]] = {}

    def cover(self, mask: int) -> float:
        """The share of the initiative's words that the bits of `mask` stand for."""
        found = self.covers.get(mask)
        if found is None:
            found = sum(share for bit, share in enumerate(self.shares) if mask >> bit & 1)
            self.covers[mask] = found
        return found

    def offer(self, measure: float, work: Side) -> None:
        """Keep a candidate if it is among the best."""
        entry = (measure, work.ref, work)
        if len(self.best) < CANDIDATES:
            heappush(self.best, entry)
        elif entry[:2] > self.best[0][:2]:
            heappushpop(self.best, entry)


class Matcher:
    """Pairs between initiatives and the work that passes by, and twins among the work.

    Memory holds the initiatives, `CANDIDATES` items for each, each distinct word once, and for
    twins a packed title and a few numbers an item.
    """

    def __init__(
        self, initiatives: Iterable[Side], limits: Limits | None = None, *, twins: bool = True
    ) -> None:
        self._limits = limits or Limits()
        self._vocabulary = Vocabulary()
        self._lexicon = Lexicon(self._vocabulary)
        self._postings: dict[int, list[tuple[int, int]]] = {}
        self._labels: Counter[str] = Counter()
        self._passed = {True: 0, False: 0}
        self._initiatives = self._indexed(sorted(initiatives, key=lambda side: side.ref))
        self._numbers = {one.side.ref: n for n, one in enumerate(self._initiatives)}
        self._holders: dict[Ref, list[tuple[int, str]]] = {}
        for number, one in enumerate(self._initiatives):
            for named in one.side.named:
                self._holders.setdefault(named.holder, []).append((number, named.key))
        self._twins = Twins(self._lexicon, self._limits) if twins else None
        self._oldest = None
        if self._limits.latest is not None:
            self._oldest = self._limits.latest - timedelta(days=self._limits.done_days)

    def _indexed(self, sides: list[Side]) -> list[_Initiative]:
        # The words must be known before what is near them can be asked for.
        plain = Lexicon(Vocabulary())
        cut = [[word.stem for word in plain.words(side.title)] for side in sides]
        occurs = Counter(stem for stems in cut for stem in stems)
        for number, stems in enumerate(cut):
            for bit, stem in enumerate(stems):
                self._post(stem, number, 1 << bit)
            for bit, (first, second) in enumerate(pairwise(stems)):
                self._post(first + second, number, 3 << bit)
        found = []
        for side, stems in zip(sides, cut, strict=True):
            one = _Initiative(side, self._lexicon.words(side.title))
            weights = [log(1 + (len(sides) + 1) / (occurs[stem] + 0.5)) for stem in stems]
            one.shares = [weight / sum(weights) for weight in weights]
            found.append(one)
        return found

    def _post(self, stem: str, initiative: int, mask: int) -> None:
        self._postings.setdefault(self._vocabulary.add(stem), []).append((initiative, mask))

    def add(self, work: Side) -> None:
        """Let one item pass by. What is canceled, done long ago, or no work at all is left out."""
        if work.kind not in _WORK or work.category is Category.canceled:
            return
        if self._oldest is not None and work.done_on is not None and work.done_on < self._oldest:
            return
        words = self._lexicon.words(work.title)
        self._lexicon.count(words)
        self._passed[work.kind.contains] += 1
        if work.labels:
            self._labels.update({label.casefold() for label in work.labels})
        if self._twins is not None:
            self._twins.add(work, words)
        if not work.counted:
            self._match(work, words)

    def _match(self, work: Side, words: list[Word]) -> None:
        masks: dict[int, int] = {}
        for word in words:
            for near in word.near:
                for initiative, mask in self._postings[near]:
                    masks[initiative] = masks.get(initiative, 0) | mask
        stems = self._vocabulary.stems
        for first, second in pairwise(words):
            joined = stems.get(first.stem + second.stem)
            if joined is not None:
                for initiative, mask in self._postings[joined]:
                    masks[initiative] = masks.get(initiative, 0) | mask
        for number, mask in masks.items():
            one = self._initiatives[number]
            cover = one.cover(mask)
            if cover >= _FLOOR:
                beside = mask.bit_count() / max(len(words), mask.bit_count())
                one.offer(held(cover, beside), work)
        for named in work.named:
            for root in named.roots:
                if (at := self._numbers.get(root)) is not None:
                    self._name(at, work, f"its {named.where} names {named.key}")
        for number, key in self._holders.get(work.ref, ()):
            self._name(number, work, f"the initiative's title names {key}")

    def _name(self, number: int, work: Side, reason: str) -> None:
        _, reasons = self._initiatives[number].keyed.setdefault(work.ref, (work, []))
        if reason not in reasons:
            reasons.append(reason)

    def matches(self) -> list[Suggestion]:
        """All pairs that reach the limits: several an item, and rejected ones too. See `choose`."""
        common = self._common_labels()
        found = [pair for one in self._initiatives for pair in self._weighed(one, common)]
        best: dict[Ref, float] = {}
        for pair in found:
            best[pair.two] = max(pair.score, best.get(pair.two, 0.0))
        found = [pair for pair in found if pair.score >= best[pair.two] - _BEST_BY]
        if self._twins is not None:
            found += self._twins.matches(common)
        return found

    def _weighed(self, initiative: _Initiative, common: frozenset[str]) -> Iterable[Suggestion]:
        one, limits = initiative.side, self._limits
        candidates = {ref: work for _, ref, work in initiative.best}
        candidates |= {ref: work for ref, (work, _) in initiative.keyed.items()}
        for ref, work in candidates.items():
            likeness = compare(initiative.words, self._lexicon.words(work.title), self._lexicon)
            by_key = initiative.keyed.get(ref)
            reasons = list(by_key[1]) if by_key else []
            score = KEY if by_key else 0.0
            contained = likeness.contained
            exact = likeness.one > 0.9 and likeness.two > 0.9
            # Of containers there are few, so that one is less easily alike by chance.
            among = self._passed[work.kind.contains]
            if contained >= limits.title and (exact or not is_chance(likeness, among)):
                score = 1 - (1 - score) * (1 - contained)
                reasons.append(titles_alike(likeness, work.title))
            if not reasons:
                continue
            more, why = support(one, work, common, limits)
            score = 1 - (1 - score) * (1 - more)
            if score >= limits.member:
                reasons += why
                yield Suggestion(one.ref, ref, "member", round(score, 3), tuple(reasons))

    def _common_labels(self) -> frozenset[str]:
        """Labels that so much of the work has that they say nothing."""
        most = max(2.0, self._limits.common_label * self._lexicon.titles)
        return frozenset(label for label, count in self._labels.items() if count > most)
