"""Words of titles: cut, made comparable, and counted. Pure.

A title's words lose case, accents and punctuation; words that say nothing are left out; what
remains is kept once a distinct word, since words are few compared with titles.
"""

from __future__ import annotations

import re
from collections.abc import Container
from hashlib import blake2b
from math import log

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from opsync.folding import fold
from opsync.suggest.stopwords import STOP_WORDS

FORM, TYPO = 0.95, 0.9
"""How alike two words are that differ by an ending, or by a slip of the pen."""

RARE = 2
"""A misspelt word is one that hardly ever occurs: "charge" is no misspelt "change" where both are
common."""

_LONGEST_NUMBER = 12
"""A longer word with digits is an identifier or a hash, and says nothing about the work."""

_SHOWN = 80

_KEY = re.compile(r"(?<![\w/.#@&=-])[A-Z][A-Z0-9_]{1,9}-[1-9][0-9]{0,6}(?![\w-])")
_TAG = re.compile(r"\s*[\[(【]([^\])】]{1,24})[\])】]")
_VERSION = re.compile(r"v[0-9]{1,3}")
_WORD = re.compile(r"[^\W_]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_APOSTROPHES = str.maketrans("", "", "'’ʼ")

_ENDINGS = (
    ("isations", "ization"),
    ("isation", "ization"),
    ("izations", "ization"),
    ("ising", "ize"),
    ("izing", "ize"),
    ("ised", "ize"),
    ("ized", "ize"),
    ("ises", "ize"),
    ("izes", "ize"),
    ("ise", "ize"),
    ("rammes", "ram"),
    ("ramme", "ram"),
    ("rams", "ram"),
    ("ours", "or"),
    ("our", "or"),
    ("logues", "log"),
    ("logue", "log"),
    ("tres", "ter"),
    ("tre", "ter"),
    ("ies", "y"),
    ("sses", "ss"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("xes", "x"),
)
"""Endings that one word has in several spellings or numbers, the longer before the shorter."""

_SHORTEST_STEM = 3
_ALIKE_FROM, _LONG = 5, 8
"""From so many letters on two words may be alike without being equal: by one slip, by two where
both are long."""
_EDITS = 2


def keys_in(title: str) -> list[str]:
    """The keys that a title names, in upper case as they stand there."""
    return _KEY.findall(title) if "-" in title else []


def raw_words(title: str) -> list[str]:
    """A title's words in lower case without accents, in order; keys, apostrophes and a tag at its
    beginning ("[Web]") left out."""
    if "-" in title:
        title = _KEY.sub(" ", title)
    if title[:1] in "[(【" and (tag := _TAG.match(title)) and tag.end() < len(title):
        title = title[tag.end() :]
    if title.isascii():
        if "'" in title:
            title = title.replace("'", "")
        return _WORD.findall(title.lower())
    return _cut(fold(title.translate(_APOSTROPHES)))


def tag_of(title: str) -> str:
    """The tag that a title begins with, "" without one."""
    found = _TAG.match(_KEY.sub(" ", title))
    return fold(found[1]).strip() if found else ""


def _cut(text: str) -> list[str]:
    """Words; where a script has no spaces, its pairs of neighbouring characters."""
    words: list[str] = []
    for word in _WORD.findall(text):
        if not _CJK.search(word):
            words.append(word)
            continue
        for run in _CJK.findall(word):
            words += [run[at : at + 2] for at in range(max(1, len(run) - 1))]
        words += _WORD.findall(_CJK.sub(" ", word))
    return words


def shown_words(title: str, stems: Container[str]) -> str:
    """The words of a title that have one of these stems, as they are written there."""
    found = [word for word in _WORD.findall(title.lower()) if stem_of(fold(word)) in stems]
    return " ".join(found)[:_SHOWN] if found else title[:_SHOWN]


def stem_of(word: str) -> str:
    """The form that a word's numbers and spellings share: "programmes" and "program"."""
    if len(word) <= _SHORTEST_STEM or not word.isalpha():
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM - 1:
            return word[: -len(ending)] + instead
    if word[-1] == "s" and word[-2] not in "sui":
        return word[:-1]
    return word


class Word:
    """One distinct word: its stem, how many titles had it, and what it takes to compare it."""

    __slots__ = ("count", "later", "mark", "near", "number", "stem")

    def __init__(self, stem: str, near: tuple[int, ...]) -> None:
        self.stem = stem
        self.count = 0
        self.near = near
        """The words of the small side that it is like, by number."""
        self.number = any(char.isdigit() for char in stem)
        self.later = bool(_VERSION.fullmatch(stem)) and stem != "v1"
        """Whether it says that this is not the first version."""
        self.mark = int.from_bytes(blake2b(stem.encode(), digest_size=8).digest())
        """A number for it, to be added up over a title."""


class Vocabulary:
    """The small side's words. Finds those that another word is like."""

    def __init__(self) -> None:
        self.stems: dict[str, int] = {}
        self._shelves: dict[tuple[str, int], list[str]] = {}

    def add(self, stem: str) -> int:
        """The number of a stem."""
        number = self.stems.get(stem)
        if number is None:
            number = self.stems[stem] = len(self.stems)
            self._shelves.setdefault((stem[:1], len(stem)), []).append(stem)
        return number

    def near(self, stem: str) -> tuple[int, ...]:
        """The numbers of all words that `stem` is, or could be: only those that begin as it does,
        since hardly any slip is in the first letter."""
        same = self.stems.get(stem)
        found = [] if same is None else [same]
        if len(stem) >= _ALIKE_FROM and stem.isalpha():
            for length in range(len(stem) - _EDITS, len(stem) + _EDITS + 1):
                shelf = self._shelves.get((stem[0], length))
                if shelf:
                    close = extract(
                        stem, shelf, scorer=OSA.distance, score_cutoff=_EDITS, limit=None
                    )
                    found += [self.stems[o] for o, _, _ in close if o != stem and likeness(stem, o)]
        return tuple(found)


def likeness(one: str, two: str) -> float:
    """How alike two stems are: 1, `FORM`, `TYPO` or 0."""
    if one == two:
        return 1.0
    short = min(len(one), len(two))
    if short < _ALIKE_FROM or one[0] != two[0] or abs(len(one) - len(two)) > _EDITS:
        return 0.0
    if not (one.isalpha() and two.isalpha()):
        return 0.0
    if one.startswith(two) or two.startswith(one):
        return FORM
    distance = OSA.distance(one, two, score_cutoff=_EDITS)
    return TYPO if distance == 1 or (distance == _EDITS and short >= _LONG) else 0.0


class Lexicon:
    """All distinct words met, each with the number of titles that had it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._raw: dict[str, Word | None] = {}
        self._by_stem: dict[str, Word] = {}
        self.titles = 0

    def words(self, title: str) -> list[Word]:
        """A title's words that say something, each once, in order."""
        return self.known(raw_words(title))

    def known(self, raw: list[str]) -> list[Word]:
        """The same of a title that is already cut."""
        found: list[Word] = []
        cached = self._raw
        for text in raw:
            try:
                word = cached[text]
            except KeyError:
                word = self._learn(text)
            if word is not None and word not in found:
                found.append(word)
        return found

    def _learn(self, text: str) -> Word | None:
        if text in STOP_WORDS or (len(text) == 1 and text.isascii() and text.isalpha()):
            self._raw[text] = None
            return None
        stem = stem_of(text)
        if len(stem) > _LONGEST_NUMBER and not stem.isalpha():
            return None
        word = self._by_stem.get(stem)
        if word is None:
            word = self._by_stem[stem] = Word(stem, self._vocabulary.near(stem))
        self._raw[text] = word
        return word

    def count(self, words: list[Word]) -> None:
        """Note that a title with these words passed by."""
        self.titles += 1
        for word in words:
            word.count += 1

    def weight(self, word: Word) -> float:
        """How much a word tells: the rarer it was among what passed by, the more."""
        return log(1 + (self.titles + 1) / (word.count + 0.5))

    def alike(self, one: Word, two: Word) -> float:
        """How alike two words are; a slip of the pen only if one of them hardly ever occurs."""
        found = likeness(one.stem, two.stem)
        if found == TYPO and min(one.count, two.count) > RARE:
            return 0.0
        return found
