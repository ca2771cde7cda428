"""What a Notion cell holds, and the shape in which the API reads it out.

Shapes: https://developers.notion.com/reference/page-property-values
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeAlias

INLINE_REFERENCES = 25
"""References shown in a page's answer; the rest needs the property endpoint."""

NO_ANNOTATIONS: dict[str, object] = {
    "bold": False,
    "italic": False,
    "strikethrough": False,
    "underline": False,
    "code": False,
    "color": "default",
}


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text with one look; `link` is an absolute URL or None."""

    text: str
    link: str | None = None
    annotations: tuple[tuple[str, object], ...] = ()
    """Only those that differ from the default."""


@dataclass(frozen=True, slots=True)
class Span:
    """A date or a range; each end is a date ("2026-11-22") or a datetime with offset."""

    start: str
    end: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class FileLink:
    """A file that lives elsewhere."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Computed:
    """A formula's or a rollup's result; `function` is the rollup's."""

    type: str
    value: object = None
    function: str = ""


Value: TypeAlias = (
    tuple[Run, ...]
    | tuple[str, ...]
    | tuple[FileLink, ...]
    | Span
    | Computed
    | str
    | float
    | int
    | bool
    | None
)
"""A cell's content. Selects hold option ids, people user ids, relations page ids."""

TEXT_TYPES = frozenset({"title", "rich_text"})
READ_ONLY_TYPES = frozenset(
    {
        "formula",
        "rollup",
        "unique_id",
        "created_time",
        "created_by",
        "last_edited_time",
        "last_edited_by",
        "button",
    }
)
LIST_TYPES = frozenset({"title", "rich_text", "relation", "people"})
"""Types whose property endpoint answers a paginated list."""

_URL = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")


def stamp(moment: datetime) -> str:
    """A page's time as the API shows it: UTC, rounded down to the minute."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00.000Z")


def floor_minute(moment: datetime) -> datetime:
    """The minute that `moment` lies in; everything the API compares with."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def pasted(text: str) -> tuple[Run, ...]:
    """Text as the app stores it when a person types or pastes it: URLs become links."""
    runs: list[Run] = []
    at = 0
    for match in _URL.finditer(text):
        if match.start() > at:
            runs.append(Run(text[at : match.start()]))
        runs.append(Run(match.group(), match.group()))
        at = match.end()
    if at < len(text):
        runs.append(Run(text[at:]))
    return tuple(runs)


def plain(runs: tuple[Run, ...]) -> str:
    """The text of `runs` without its links and looks."""
    return "".join(run.text for run in runs)


def run_shape(run: Run) -> dict[str, object]:
    """One rich text object, with the defaults that the vendor adds."""
    return {
        "type": "text",
        "text": {"content": run.text, "link": {"url": run.link} if run.link else None},
        "annotations": NO_ANNOTATIONS | dict(run.annotations),
        "plain_text": run.text,
        "href": run.link,
    }


def iso_day(value: date | datetime) -> str:
    """A date cell's end: a datetime keeps its offset, a date has none."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return value.isoformat()


def round_number(value: float) -> float | int:
    """A number as it comes back: at most 12 significant digits, integers without a point."""
    rounded = float(f"{value:.12g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
