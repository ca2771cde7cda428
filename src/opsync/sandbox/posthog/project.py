"""The simulated PostHog project: a world to build, and pokes as people would make them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time

from starlette.applications import Starlette

from opsync.sandbox.posthog.state import (
    Annotation,
    Experiment,
    Flag,
    Insight,
    Person,
    Series,
    State,
)
from opsync.sandbox.usage import History
from opsync.sandbox.vendor import AmbiguousItem, Budget, Vendor, utc_now

SEED = 20_260_417

LIMITS = {
    "crud": ((480, 60.0), (4800, 3600.0)),
    "analytics": ((240, 60.0), (1200, 3600.0)),
    "query": ((240, 60.0), (120, 3600.0)),
}
"""Requests in so many seconds: https://posthog.com/docs/api, queries as older projects have it."""

_ADDRESS = re.compile(r"annotations?[/: ](\d+)/?$")


class PostHogProject(Vendor):
    """A project with one personal API key, `token`, whose events are `history`.

    Each flag of the history exists as a flag. `base_url` is what addresses in answers begin with;
    "": as the request came. Ids follow from the order of the calls.
    """

    name = "posthog"
    scopes = (
        "query:read",
        "annotation:read",
        "annotation:write",
        "feature_flag:read",
        "experiment:read",
        "insight:read",
        "event_definition:read",
        "project:read",
    )

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = utc_now,
        limit_factor: int = 1,
        history: History,
        project_id: str = "1",
        name: str = "Harbor",
        token: str = "phx_sandbox",  # noqa: S107 -- the sandbox's own, worth nothing elsewhere
        base_url: str = "",
    ) -> None:
        super().__init__(now=now, limit_factor=limit_factor)
        self.history = history
        self.project_id = project_id
        self.project_name = name
        self.token = token
        self.base_url = base_url
        self.state = State(SEED)
        self.account = Person(1, "opsync Harbor", "opsync@harbor.example")
        self.person = Person(2, "Ana Reyes", "ana@harbor.example")
        self.scoped = False
        """Whether the key is limited to this project, so that it may list no projects."""
        self.other_projects: dict[str, str] = {}
        """Names of further projects by id: listed, and not to be looked into."""
        self.describes_keys = True
        """Whether a key can be asked what it may do, as older installations cannot."""
        self.takes_overrides = True
        """Whether an insight can be asked for other days than it was saved with."""
        self.busy_next = 0
        """So many further queries are refused because too many run at once."""
        self.budgets = {
            lane: [Budget(count * limit_factor, window_s, now) for count, window_s in limits]
            for lane, limits in LIMITS.items()
        }
        self._app: Starlette | None = None
        for key in history.flags:
            self.add_flag(key)

    @property
    def app(self) -> Starlette:
        """The HTTP surface; paths begin with /api."""
        if self._app is None:
            from opsync.sandbox.posthog.api import build_app

            self._app = build_app(self)
        return self._app

    def event_names(self) -> list[str]:
        """The events that the project has seen."""
        called = {"$feature_flag_called"} if self.history.flags else set()
        return sorted({*self.history.events, *called})

    def add_flag(self, key: str, *, name: str = "", tags: Sequence[str] = ()) -> Flag:
        """A feature flag; `name` is what is written about it."""
        now = self.now()
        flag = Flag(self.state.new_id("flag"), key, now, now, self.person, name, tags=tuple(tags))
        self.state.flags[flag.id] = flag
        return flag

    def flag(self, key: str) -> Flag:
        """The flag with this key; LookupError when there is none."""
        for flag in self.state.flags.values():
            if flag.key == key:
                return flag
        raise LookupError(f"PostHog has no flag {key!r}.")

    def add_experiment(self, name: str, flag: Flag) -> Experiment:
        """An experiment that is on since now."""
        now = self.now()
        made = Experiment(self.state.new_id("experiment"), name, flag, now, now, self.person)
        made.start_date = now
        self.state.experiments[made.id] = made
        return made

    def add_insight(self, name: str, *series: Series, days: int = 30) -> Insight:
        """A saved trend of one or several lines over the last days."""
        now, state = self.now(), self.state
        id_, short = state.new_id("insight"), state.new_short_id()
        made = Insight(id_, short, name, series, now, now, self.person, days)
        state.insights[id_] = made
        return made

    def add_annotation(self, content: str, on: date) -> Annotation:
        """A note by a person on the whole project."""
        now = self.now()
        at = datetime.combine(on, time(), self.history.zone).astimezone(UTC)
        id_ = self.state.new_id("annotation")
        made = Annotation(id_, content, at, now, now, self.person, "project")
        self.state.annotations[id_] = made
        return made

    @property
    def notes(self) -> list[Annotation]:
        """The annotations that are not deleted, in the order in which they were made."""
        return [one for one in self.state.annotations.values() if not one.deleted]

    def day_of(self, annotation: Annotation) -> date | None:
        """The day on which people see it, in the project's time zone."""
        at = annotation.date_marker
        return None if at is None else at.astimezone(self.history.zone).date()

    def may(self, scope: str) -> bool:
        """Whether the key has a scope; one to write is one to read, too."""
        missing = self.faults.missing_scopes
        writing = scope.replace(":read", ":write")
        return scope not in missing or (writing in self.scopes and writing not in missing)

    def denies(self, *remote_ids: int | str) -> bool:
        """True when one of the objects is not to be seen with the key."""
        return any(str(one) in self.faults.deny for one in remote_ids)

    def counts(self) -> dict[str, int]:
        with self.lock:
            return {
                "events": len(self.history.events),
                "flags": sum(not flag.deleted for flag in self.state.flags.values()),
                "annotations": len(self.notes),
            }

    # People ---------------------------------------------------------------------------------------

    def find(self, item: str) -> str | None:
        """The id of the annotation that `item` names by id ("annotation 1001"), URL, marker or its
        whole text, or None. Not by a piece of it, which may be the name of what was shipped.

        Raises AmbiguousItem when several have that text.
        """
        with self.lock:
            found = self._named(item)
            return str(found.id) if found else None

    def annotation(self, item: str) -> Annotation:
        """The annotation that `item` names, see `find`. LookupError when there is none."""
        with self.lock:
            found = self._named(item)
        if found is None:
            raise LookupError(f"PostHog has no annotation {item!r}.")
        return found

    def poke_move(self, item: str, to: str) -> str:
        """Move an annotation to another day, as a person. ValueError: `to` is no day."""
        return self.poke_edit(item, "date", to)

    def poke_edit(self, item: str, field: str, value: object) -> str:
        """Set `content`, `date` (YYYY-MM-DD) or `deleted` of an annotation, as a person.

        ValueError: no such field, or no such value in it; LookupError: no such annotation.
        """
        found = self.annotation(item)
        with self.lock:
            match field, value:
                case "content", str():
                    found.content = value
                    did = f"wrote {value!r} into"
                case "date", str():
                    day = date.fromisoformat(value)
                    found.date_marker = datetime.combine(day, time(), self.history.zone)
                    did = f"moved to {day}"
                case "deleted", bool():
                    found.deleted = value
                    did = "deleted" if value else "restored"
                case _:
                    raise ValueError(
                        f"An annotation has content, date and deleted, and no {field!r} that "
                        f"could be {value!r}."
                    )
            found.updated_at = self.now()
        return f"PostHog: {self.person.name} {did} annotation {found.id}."

    def _named(self, item: str) -> Annotation | None:
        address = _ADDRESS.search(item.split("?", 1)[0].split("#", 1)[0])
        if address:
            found = self.state.annotations.get(int(address[1]))
            return None if found is None or found.deleted else found
        marker = re.fullmatch(r"\[opsync:\w+\]", item)
        fitting = [
            one
            for one in self.notes
            if one.content == item or (marker and (one.content or "").endswith(item))
        ]
        if len(fitting) > 1:
            raise AmbiguousItem(f"PostHog has {len(fitting)} annotations {item!r}.")
        return fitting[0] if fitting else None
