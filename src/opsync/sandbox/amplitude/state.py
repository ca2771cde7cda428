"""What a simulated Amplitude project holds besides its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Measured = tuple[str, str, str]
"""What a chart's series counts: "event" or "flag", its name, "uniques" or "totals"."""


@dataclass
class Category:
    """A category of annotations."""

    id: int
    name: str


@dataclass
class Annotation:
    """An annotation; `start` and `end` are moments, `chart_id` None where it is on all charts."""

    id: int
    label: str
    start: datetime
    details: str | None = None
    category: Category | None = None
    end: datetime | None = None
    chart_id: str | None = None


@dataclass
class Chart:
    """A saved chart over the last `days` days, today's beginning with them; a series a label."""

    id: str
    title: str
    series: Mapping[str, Measured]
    days: int = 30
    step: int = 1
    """Days in one column: 7 for a chart by week."""


@dataclass
class Flag:
    """A flag, or an experiment."""

    id: int
    key: str
    name: str
    experiment: bool = False
    deleted: bool = False
    project_id: str = ""


@dataclass
class Holdings:
    """All of it, with the numbers that come next."""

    categories: dict[int, Category] = field(default_factory=dict)
    annotations: dict[int, Annotation] = field(default_factory=dict)
    charts: dict[str, Chart] = field(default_factory=dict)
    flags: dict[int, Flag] = field(default_factory=dict)
    last_id: int = 20_000

    def next_id(self) -> int:
        """An id that nothing else has."""
        self.last_id += 1
        return self.last_id

    def category(self, name: str) -> Category | None:
        """The category of that name."""
        return next((one for one in self.categories.values() if one.name == name), None)
