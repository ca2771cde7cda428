"""What a connector is told of the words: those in force, and how opsync's own are recognized.

After a lost store only the text itself tells that opsync wrote it: in the words of the
configuration, or in those of any language, for the language may have changed besides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from opsync.languages.spec import Field, TextSpec
from opsync.languages.template import Piece, Template
from opsync.languages.texts import TEXTS
from opsync.languages.words import ENGLISH, LANGUAGES, Words, words_of
from opsync.model import Health

LONGEST = 2000
"""Characters of a text that is looked at; none of opsync's own is so long."""
MOST_PARTS = 40
WIDEST = 4
"""So many parts of a text may be one part of the template: a name may have a separator in it."""


class OwnWords:
    """The words in force, for what a connector words itself, and the recognition of all."""

    def __init__(self, words: Words = ENGLISH) -> None:
        self._words = words

    def text(self, name: str, /, **fields: str | int) -> str:
        """The text called `name`, with its fields filled in."""
        return self._words.text(name, **fields)

    @property
    def health(self) -> Mapping[Health, str]:
        """Each health as people read it, alone."""
        return self._words.health

    @property
    def health_inline(self) -> Mapping[Health, str]:
        """Each health within a text."""
        return self._words.health_inline

    @cached_property
    def vocabularies(self) -> tuple[frozenset[str], ...]:
        """The names of all healths: those in force, then those of each language."""
        return tuple(dict.fromkeys(frozenset(words.health.values()) for words in self._known))

    @cached_property
    def _spelled(self) -> Mapping[str, str]:
        spelled: dict[str, str] = {}
        for names in self.vocabularies:
            for name in names:
                spelled.setdefault(name.casefold(), name)
        return spelled

    def spelled(self, name: str) -> str | None:
        """The name of a health as opsync spells it, whatever its case; None for other names."""
        return self._spelled.get(name.casefold())

    def says(self, at: str, text: str) -> bool:
        """Whether opsync could have written `text` at a place ("delivery", "work", "adoption",
        "column_note"), in the words in force or in those of any language."""
        if not text or len(text) > LONGEST:
            return False
        return any(one.fits(text) for one in self._forms[at])

    @cached_property
    def _known(self) -> tuple[Words, ...]:
        """The words in force, each language's, and each language's in the form in force."""
        now = self._words
        shipped = [words_of(language) for language in LANGUAGES]
        found = {words.fingerprint: words for words in (now, *shipped)}
        for words in shipped:
            if words.separator != now.separator:
                formed = replace(words, separator=now.separator)
                found.setdefault(formed.fingerprint, formed)
        return tuple(found.values())

    @cached_property
    def _forms(self) -> Mapping[str, Sequence[_Form]]:
        dates = "|".join(dict.fromkeys(form for words in self._known for form in _dates(words)))
        found: dict[str, list[_Form]] = {spec.at: [] for spec in TEXTS.values() if spec.at}
        for words in self._known:
            patterns = _Patterns(words, f"(?:{dates})")
            for spec in TEXTS.values():
                if spec.at and words.texts[spec.name].source:
                    found[spec.at].append(_Form(patterns, spec))
        return found


class _Form:
    """One text of one language, and what may stand in each of its parts."""

    def __init__(self, patterns: _Patterns, spec: TextSpec) -> None:
        self._separator = patterns.words.separator
        self._parts = [
            (re.compile(pattern), optional) for pattern, optional in patterns.parts(spec)
        ]

    def fits(self, text: str) -> bool:
        """Whether `text` has the parts of this form in their order, and nothing else."""
        separator = self._separator
        pieces = text.split(separator) if separator and len(self._parts) > 1 else [text]
        if len(pieces) > MOST_PARTS:
            return False
        # How many pieces may be used up after each part, whichever parts are left out.
        reached = {0}
        for pattern, optional in self._parts:
            after = set(reached) if optional else set()
            for start in reached:
                for end in range(start + 1, min(start + WIDEST, len(pieces)) + 1):
                    if end not in after and pattern.fullmatch(separator.join(pieces[start:end])):
                        after.add(end)
            if not after:
                return False
            reached = after
        return len(pieces) in reached


class _Patterns:
    """Regular expressions for what texts look like in some words."""

    def __init__(self, words: Words, date: str) -> None:
        self.words = words
        self._date = date

    def parts(self, spec: TextSpec) -> Iterator[tuple[str, bool]]:
        """A pattern for each part of a text, and whether the part may be left out."""
        fields = {field.name: field for field in spec.fields}
        for pieces in self.words.texts[spec.name].parts:
            used = [fields[name] for _, name in pieces if name]
            optional = bool(used) and all(field.optional for field in used)
            filled = {field.name: self._field(field) for field in used}
            yield _pattern(pieces, filled), optional

    def _field(self, field: Field) -> str:
        match field.holds:
            case "number":
                found = r"\d+"
            case "figure":
                found = r"−?\d[\d.,]*"
            case "change":
                found = r"[+−±]\d[\d.,]* %"
            case "date":
                found = self._date
            case "health":
                found = _any_of(self.words.health_inline.values())
            case "status":
                found = _any_of(self.words.status_inline.values())
            case "texts":
                # Where nothing explains a mood, it stands alone.
                alone = _any_of(self.words.health_inline.values()) if field.name == "why" else ""
                found = self._one_of(field.of, alone)
            case "list":
                one = self._one_of(field.of)
                several = _pattern(_only(self.words.texts["list"]), {"one": one, "other": r".+"})
                found = f"(?:{one}|{several})"
            case _:
                found = r".+"
        return f"(?:{found})?" if field.optional else found

    def _one_of(self, names: Sequence[str], *others: str) -> str:
        found = [self._whole(TEXTS[name]) for name in names]
        return f"(?:{'|'.join([*found, *(one for one in others if one)])})"

    def _whole(self, spec: TextSpec) -> str:
        """A text within another one."""
        separator = re.escape(self.words.separator)
        joined = ""
        for pattern, optional in self.parts(spec):
            part = f"(?:{separator})?{pattern}" if joined else pattern
            joined += f"(?:{part})?" if optional else part
        return joined


def _only(template: Template) -> tuple[Piece, ...]:
    """The pieces of all parts of a template, as of one."""
    return tuple(piece for part in template.parts for piece in part)


def _pattern(pieces: Sequence[Piece], filled: Mapping[str, str]) -> str:
    """The pattern of one part. Blanks beside a field that is empty may be trimmed away."""
    trimmed = any(pattern.endswith(")?") for pattern in filled.values())
    found = ""
    for plain, name in pieces:
        written = re.escape(plain)
        found += written.replace(r"\ ", " ?") if trimmed else written
        found += filled.get(name, "")
    return found


def _any_of(names: Iterable[str]) -> str:
    return f"(?:{'|'.join(re.escape(name) for name in dict.fromkeys(names))})"


def _dates(words: Words) -> Iterator[str]:
    """A pattern for each way in which a day may be written."""
    filled = {
        "day": r"\d{1,2}",
        "day2": r"\d\d",
        "month": _any_of(words.months),
        "month_name": _any_of(words.month_names),
        "month_number": r"\d{1,2}",
        "month2": r"\d\d",
        "year": r"\d{4}",
    }
    for template in (words.date_format, words.date_format_year):
        yield _pattern(_only(template), filled)
