"""The words in force: a language's, with what the configuration changes. Compiled once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from importlib.resources import files
from math import floor, log10

import msgspec
from msgspec import Struct

from opsync.languages.spec import field_names
from opsync.languages.template import SEPARATOR, Template, check_plain, compile_template
from opsync.languages.texts import DATE, TEXTS
from opsync.model import Category, Health, value_hash

LANGUAGES = ("en", "de")
"""The languages that there are; each has its file here."""
MOST_PLACES = 6
"""Digits after the decimal point."""


class Language(Struct, frozen=True, forbid_unknown_fields=True):
    """A language's file. `months` are short, `month_names` in full; `decimal` and `thousands` stand
    in numbers; words `_inline` are those within a text."""

    name: str
    date_format: str
    date_format_year: str
    decimal: str
    thousands: str
    months: tuple[str, ...]
    month_names: tuple[str, ...]
    texts: dict[str, str]
    health: dict[str, str]
    health_inline: dict[str, str]
    status: dict[str, str]
    status_inline: dict[str, str]


class Changed(Struct, frozen=True):
    """What the configuration changes of a language; None and what is missing is left as it is."""

    date_format: str | None = None
    date_format_year: str | None = None
    separator: str | None = None
    texts: Mapping[str, str] = {}
    health: Mapping[str, str] = {}
    health_inline: Mapping[str, str] = {}
    status: Mapping[str, str] = {}
    status_inline: Mapping[str, str] = {}


@dataclass(frozen=True)
class Words:
    """All texts, ready to be filled in, with the words, dates and what stands between parts."""

    language: str
    texts: Mapping[str, Template]
    health: Mapping[Health, str]
    health_inline: Mapping[Health, str]
    status: Mapping[Category, str]
    status_inline: Mapping[Category, str]
    months: tuple[str, ...]
    month_names: tuple[str, ...]
    date_format: Template
    date_format_year: Template
    separator: str = SEPARATOR
    decimal: str = "."
    thousands: str = ","

    def text(self, name: str, /, **fields: str | int) -> str:
        """The text called `name`, with its fields filled in."""
        return self.texts[name].render(fields, self.separator)

    def day(self, value: date, today: date | None = None) -> str:
        """ "1 Dec", with its year where that is not today's."""
        other = today is not None and value.year != today.year
        month = value.month - 1
        return (self.date_format_year if other else self.date_format).render(
            {
                "day": value.day,
                "day2": f"{value.day:02}",
                "month": self.months[month],
                "month_name": self.month_names[month],
                "month_number": value.month,
                "month2": f"{value.month:02}",
                "year": value.year,
            },
            self.separator,
        )

    def figure(self, value: float) -> str:
        """ "12,400", "38", "3.4", "0.038": whole from ten on, below that two digits that count."""
        size = abs(value)
        places = 0
        if 0 < size < 10:
            places = min(MOST_PLACES, 1 if size >= 1 else 1 - floor(log10(size)))
        told = f"{size:,.{places}f}"
        whole, _, part = told.partition(".")
        whole, part = whole.replace(",", self.thousands), part.rstrip("0")
        sign = "−" if value < 0 and told.strip("0.") else ""
        return f"{sign}{whole}{self.decimal}{part}" if part else f"{sign}{whole}"

    def change(self, ratio: float) -> str:
        """ "+58 %", "−12 %": what a ratio adds to, or takes from, a hundred."""
        percent = round((ratio - 1) * 100)
        sign = "+" if percent > 0 else "−" if percent < 0 else "±"
        return f"{sign}{self.figure(abs(percent))} %"

    def settings(self) -> dict[str, str | dict[str, str]]:
        """All of it in the keys of the `[wording]` block."""
        return {
            "language": self.language,
            "date_format": self.date_format.source,
            "date_format_year": self.date_format_year.source,
            "separator": self.separator,
            "texts": {name: template.source for name, template in self.texts.items()},
            "health": _by_name(self.health),
            "health_inline": _by_name(self.health_inline),
            "status": _by_name(self.status),
            "status_inline": _by_name(self.status_inline),
        }

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all words: it differs if any text could."""
        return value_hash([msgspec.to_builtins(self.settings()), self.months, self.month_names])


def words_of(language: str, changed: Changed | None = None) -> Words:
    """The words of a language with what is changed of them. Raises TemplateError."""
    if changed is None or changed == Changed():
        return _shipped(language)
    return _compiled(language, changed)


@cache
def _shipped(language: str) -> Words:
    return _compiled(language, Changed())


def _compiled(language: str, changed: Changed) -> Words:
    own = load(language)
    check_plain(changed.separator or "")
    health = {**own.health, **changed.health}
    status = {**own.status, **changed.status}
    return Words(
        language=language,
        texts={
            name: compile_template(changed.texts.get(name, own.texts[name]), spec.names)
            for name, spec in TEXTS.items()
        },
        health={one: health[one.name] for one in Health},
        health_inline={
            one: _inline(one.name, changed.health, changed.health_inline, own.health_inline)
            for one in Health
        },
        status={one: status[one.name] for one in Category},
        status_inline={
            one: _inline(one.name, changed.status, changed.status_inline, own.status_inline)
            for one in Category
        },
        months=own.months,
        month_names=own.month_names,
        date_format=_date(changed.date_format, own.date_format),
        date_format_year=_date(changed.date_format_year, own.date_format_year),
        separator=SEPARATOR if changed.separator is None else changed.separator,
        decimal=own.decimal,
        thousands=own.thousands,
    )


@cache
def load(language: str) -> Language:
    """The file of a language."""
    raw = files("opsync.languages").joinpath(f"{language}.toml").read_bytes()
    return msgspec.toml.decode(raw, type=Language)


def _by_name(words: Mapping[Health, str] | Mapping[Category, str]) -> dict[str, str]:
    return {one.name: word for one, word in words.items()}


def _date(changed: str | None, own: str) -> Template:
    return compile_template(own if changed is None else changed, field_names(DATE))


def _inline(
    name: str, words: Mapping[str, str], inline: Mapping[str, str], own: Mapping[str, str]
) -> str:
    """A word within a text: as it is changed, else the changed word with a small first letter."""
    if name in inline:
        return inline[name]
    if name not in words:
        return own[name]
    word = words[name]
    # "QA hold" keeps its capitals.
    return word if word[1:2].isupper() else word[:1].lower() + word[1:]


ENGLISH = words_of("en")
"""The words that hold where nothing else is said, and on opsync's own screens."""
