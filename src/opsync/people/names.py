"""People's names, compared. Pure."""

from __future__ import annotations

import re
from collections import defaultdict

from opsync.folding import fold

_WORD = re.compile(r"[^\W_]+")

NEAR = 88
"""So alike, of 100, are two names that may be one person's."""


def plain_name(name: str) -> str:
    """A name as it is compared: without case, accents and punctuation."""
    return " ".join(_WORD.findall(fold(name)))


def sorted_name(name: str) -> str:
    """The same whatever the order of its words."""
    return " ".join(sorted(plain_name(name).split()))


class NearNames:
    """Distinct names, and which of them are like another one."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._by_word: dict[str, list[str]] = defaultdict(list)
        for name in names:
            for word in set(name.split()):
                self._by_word[word].append(name)

    def near(self, name: str) -> list[str]:
        """Names that are spelt nearly so; for a single word also names that have it."""
        from rapidfuzz import fuzz, process  # only who asks for doubts pays for it

        if not name:
            return []
        found = process.extract(name, self._names, scorer=fuzz.ratio, score_cutoff=NEAR, limit=None)
        near = [text for text, _, _ in found]
        if " " not in name:
            near += self._by_word[name]
        return sorted(set(near))
