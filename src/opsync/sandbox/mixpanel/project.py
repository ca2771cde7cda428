"""The simulated Mixpanel project: a world to build, and pokes as people would make them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Literal

from starlette.applications import Starlette

from opsync.sandbox.mixpanel.state import Annotation, Author, Report, Series
from opsync.sandbox.usage import History
from opsync.sandbox.vendor import AmbiguousItem, Budget, Vendor, utc_now

QUERIES_PER_HOUR = 60
HOUR_S = 3600.0
CONCURRENT = 5
"""https://docs.mixpanel.com/reference/rate-limits"""
APP_PER_MINUTE = 600
"""Not documented; enough for whoever is modest."""

_LAST_NUMBER = re.compile(r"(\d+)\D*$")


class MixpanelProject(Vendor):
    """A project with one service account, "opsync", over the events of `history`.

    Ids count up from 1. `query_s` is how long each query runs, so that several can run at once.
    """

    name = "mixpanel"
    scopes = ("consumer", "analyst")

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = utc_now,
        limit_factor: int = 1,
        history: History,
        project_id: int = 3141592,
        name: str = "Harbor",
        username: str = "opsync.000000.mp-service-account",
        secret: str = "mixpanel-sandbox-secret",  # noqa: S107 -- the sandbox's own
        base_url: str = "https://mixpanel.com",
        flag_event: str = "$experiment_started",
        flag_property: str = "Experiment name",
    ) -> None:
        super().__init__(now=now, limit_factor=limit_factor)
        self.history = history
        self.project_id = project_id
        self.project_name = name
        self.username = username
        self.secret = secret
        self.base_url = base_url.rstrip("/")
        self.flag_event = flag_event
        self.flag_property = flag_property
        self.queries = Budget(QUERIES_PER_HOUR * limit_factor, HOUR_S, now)
        self.requests = Budget(APP_PER_MINUTE * limit_factor, 60.0, now)
        self.query_s = 0.0
        self.running = 0
        self.account = Author(1, "opsync")
        self.person = Author(2, "Ana", "Reyes")
        self.annotations: dict[int, Annotation] = {}
        self.tags: dict[int, str] = {}
        self.reports: dict[int, Report] = {}
        self._last_id = 1000
        self._app: Starlette | None = None

    @property
    def app(self) -> Starlette:
        """The HTTP surface; paths begin with /api."""
        if self._app is None:
            from opsync.sandbox.mixpanel.api import build_app

            self._app = build_app(self)
        return self._app

    @property
    def url(self) -> str:
        """The address of the project's pages."""
        return f"{self.base_url}/project/{self.project_id}"

    def new_id(self) -> int:
        """The next id, of whatever."""
        self._last_id += 1
        return self._last_id

    def add_annotation(
        self, on: date, description: str, *, author: Author | None = None
    ) -> Annotation:
        """An annotation by a person, or by `author`."""
        with self.lock:
            made = Annotation(self.new_id(), f"{on} 00:00:00", description, author or self.person)
            self.annotations[made.id] = made
            return made

    def add_report(
        self,
        name: str,
        series: Mapping[str, Series],
        *,
        days: int = 90,
        unit: Literal["day", "week"] = "day",
    ) -> Report:
        """A saved report of these lines, by the names that it shows."""
        with self.lock:
            made = Report(self.new_id(), name, dict(series), days, unit)
            self.reports[made.id] = made
            return made

    def report_url(self, report: Report) -> str:
        """The address of a report, as a person copies it."""
        return f"{self.url}/app/insights#report/{report.id}"

    def denies(self, remote_id: int) -> bool:
        """Whether the service account cannot see this object."""
        return str(remote_id) in self.faults.deny

    def counts(self) -> dict[str, int]:
        with self.lock:
            return {
                "events": len(self.history.events),
                "flags": len(self.history.flags),
                "reports": len(self.reports),
                "annotations": len(self.annotations),
            }

    def find(self, item: str) -> str | None:
        """The id of the annotation or report that `item` names by id, URL or its whole text: a
        piece of it may be the name of what was released, which is another tool's.

        Raises AmbiguousItem when several have that text.
        """
        with self.lock:
            texts = {one.id: one.description for one in self.annotations.values()}
            texts |= {one.id: one.name for one in self.reports.values()}
        number = _LAST_NUMBER.search(item) if item.isdecimal() or "://" in item else None
        if number is not None:
            return number[1] if int(number[1]) in texts else None
        wanted = item.casefold()
        fitting = [i for i, text in texts.items() if wanted == text.casefold()]
        if len(fitting) > 1:
            some = ", ".join(repr(texts[one]) for one in fitting[:3])
            raise AmbiguousItem(f"Mixpanel has {len(fitting)} like {item!r}: {some}.")
        return str(fitting[0]) if fitting else None

    def annotation(self, item: str) -> Annotation:
        """The annotation that `item` names, see `find`. LookupError when there is none."""
        found = self.find(item)
        with self.lock:
            one = self.annotations.get(int(found)) if found else None
        if one is None:
            raise LookupError(f"Mixpanel has no annotation {item!r}.")
        return one

    def poke_move(self, item: str, to: str) -> str:
        """Nothing here has a status: always ValueError, or LookupError where `item` is none."""
        found = self.annotation(item)
        raise ValueError(f"An annotation has no status {to!r}: {found.description!r}.")

    def poke_edit(self, item: str, field: str, value: object) -> str:
        """Set an annotation's description, or delete it by an empty one, as a person.

        ValueError: people edit no other field; LookupError: no such annotation.
        """
        one = self.annotation(item)
        if field.casefold() != "description":
            raise ValueError(f"An annotation has no field {field!r} that people edit here.")
        with self.lock:
            before, one.description = one.description, str(value)
            if not one.description:
                del self.annotations[one.id]
                return f"Mixpanel: {self.person.first_name} deleted {before!r}."
        return f"Mixpanel: {self.person.first_name} changed {before!r} to {one.description!r}."
