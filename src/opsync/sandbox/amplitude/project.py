"""The simulated Amplitude project: a world to build, and pokes as people would make them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime

from starlette.applications import Starlette

from opsync.sandbox.amplitude.budget import (
    COST_PER_HOUR,
    COST_PER_WINDOW,
    HOUR_S,
    WINDOW_S,
    CostBudget,
)
from opsync.sandbox.amplitude.state import (
    Annotation,
    Category,
    Chart,
    Flag,
    Holdings,
    Measured,
)
from opsync.sandbox.usage import History
from opsync.sandbox.vendor import Vendor, utc_now


class AmplitudeProject(Vendor):
    """One Amplitude project, whose events and flags are those of `history`.

    `api_key` and `secret_key` sign in; `management_key` lists flags and experiments, of which
    each flag of the history is one. `broken_json` lets segmentations be answered as the
    documentation's example is, `untidy` in any order, with days left out and numbers as text;
    `refuses` are events that are refused, with Amplitude's sentence.
    """

    name = "amplitude"
    scopes = ("annotations", "management")

    def __init__(
        self,
        *,
        history: History,
        now: Callable[[], datetime] = utc_now,
        limit_factor: int = 1,
        project_id: str = "123456",
        name: str = "Harbor",
        org: str = "harbor",
        api_key: str = "amplitude_sandbox_key",
        secret_key: str = "amplitude_sandbox_secret",  # noqa: S107 - the sandbox's own
        management_key: str = "amplitude_sandbox_management",
        base_url: str = "https://amplitude.com",
    ) -> None:
        super().__init__(now=now, limit_factor=limit_factor)
        self.history = history
        self.project_id = project_id
        self.project_name = name
        self.org = org
        self.api_key = api_key
        self.secret_key = secret_key
        self.management_key = management_key
        self.base_url = base_url
        self.held = Holdings()
        self.budgets = (
            CostBudget(COST_PER_WINDOW * limit_factor, WINDOW_S, now),
            CostBudget(COST_PER_HOUR * limit_factor, HOUR_S, now),
        )
        self.broken_json = False
        self.untidy = False
        self.refuses: dict[str, str] = {}
        self.under_way = 0
        """Requests that are being answered now."""
        self.most_at_once = 0
        """The most that were being answered at the same time."""
        for key in sorted(history.flags):
            self.add_flag(key)
        self._app: Starlette | None = None

    @property
    def app(self) -> Starlette:
        """The HTTP surface; paths begin with /api."""
        if self._app is None:
            from opsync.sandbox.amplitude.api import build_app

            self._app = build_app(self)
        return self._app

    def add_category(self, name: str) -> Category:
        """A category of annotations."""
        made = Category(self.held.next_id(), name)
        self.held.categories[made.id] = made
        return made

    def add_annotation(
        self,
        label: str,
        start: datetime,
        *,
        details: str | None = None,
        category: Category | None = None,
    ) -> Annotation:
        """An annotation on all charts, as a person made it."""
        made = Annotation(self.held.next_id(), label, start, details, category)
        self.held.annotations[made.id] = made
        return made

    def add_chart(
        self, id_: str, title: str, series: Mapping[str, Measured], *, days: int = 30, step: int = 1
    ) -> Chart:
        """A saved chart; each series counts an event or a flag."""
        made = Chart(id_, title, series, days, step)
        self.held.charts[id_] = made
        return made

    def add_flag(self, key: str, name: str = "", *, experiment: bool = False) -> Flag:
        """A flag or an experiment."""
        made = Flag(self.held.next_id(), key, name or key, experiment)
        self.held.flags[made.id] = made
        return made

    def chart_url(self, chart: Chart) -> str:
        """What people copy from the browser."""
        return f"https://app.amplitude.com/analytics/{self.org}/chart/{chart.id}"

    def flag_url(self, flag: Flag) -> str:
        """The same of a flag or an experiment."""
        place = f"{self.org}/{self.project_id}/config/{flag.id}"
        return f"https://app.amplitude.com/experiment/{place}/configure"

    def count(self, kind: str, name: str, metric: str, day: date) -> int:
        """Users or times of one day."""
        if metric == "totals":
            return self.history.times(kind, name, day)
        return len(self.history.users(kind, name, day))

    def count_in(self, kind: str, name: str, metric: str, days: Iterable[date]) -> int:
        """Users of all these days together, or times."""
        if metric == "totals":
            return sum(self.history.times(kind, name, day) for day in days)
        return len(self.history.users_in(kind, name, days))

    def counts(self) -> dict[str, int]:
        with self.lock:
            return {
                "events": len(self.history.events),
                "flags": len(self.held.flags),
                "annotations": len(self.held.annotations),
            }

    def find(self, item: str) -> str | None:
        """The id of the annotation that has this id or exactly this label. Pieces of labels are
        not looked for: they name what was released, which is another tool's."""
        with self.lock:
            found = self._annotation(item)
            return None if found is None else str(found.id)

    def poke_move(self, item: str, to: str) -> str:
        """ValueError: nothing here has a status."""
        raise ValueError("Amplitude: nothing here has a status.")

    def poke_edit(self, item: str, field: str, value: object) -> str:
        """Set label, details or start of an annotation as a person would.

        ValueError: no such field, or no such value; LookupError: no such annotation.
        """
        with self.lock:
            found = self._annotation(item)
            if found is None:
                raise LookupError(f"Amplitude has no annotation {item!r}.")
            text = str(value)
            match field:
                case "label":
                    found.label = text
                case "details":
                    found.details = text
                case "start":
                    at = datetime.fromisoformat(text)
                    found.start = at if at.tzinfo else at.replace(tzinfo=self.history.zone)
                case _:
                    raise ValueError(f"Amplitude: an annotation has no field {field!r}.")
            return f"Amplitude: {field} of {found.label!r} is now {text!r}."

    def _annotation(self, item: str) -> Annotation | None:
        for one in self.held.annotations.values():
            if item in (str(one.id), one.label):
                return one
        return None
