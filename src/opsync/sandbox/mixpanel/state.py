"""What a simulated Mixpanel project holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Counted = Literal["unique", "general"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who made an annotation."""

    id: int
    first_name: str
    last_name: str = ""


@dataclass
class Annotation:
    """An annotation; `date` is "YYYY-MM-DD HH:mm:ss" in the project's time zone."""

    id: int
    date: str
    description: str
    author: Author
    tags: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a report. `kind` is "event", "flag", or "exposures" for those of all flags."""

    kind: str
    name: str
    counted: Counted = "unique"


@dataclass
class Report:
    """A saved report over the last `days` days, today included, by day or by week."""

    id: int
    name: str
    series: dict[str, Series]
    days: int = 90
    unit: Literal["day", "week"] = "day"


class Refusal(Exception):
    """A refusal with its status and the text that the vendor gives."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
