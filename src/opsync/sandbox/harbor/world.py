"""Harbor, a payments company: its Jira, its Linear, its Notion and its analytics, filled with life.

Four teams: Payments (Jira PAY), Mobile (Jira MOB, in German), Growth (Linear GRO) and Security
(Linear SEC, private). Twelve initiatives on the roadmap in Notion; `EXPECTED` has their counts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from opsync.sandbox.amplitude import AmplitudeProject
from opsync.sandbox.harbor import background, growth, mobile, payments, roadmap, use
from opsync.sandbox.harbor.planting import JIRA_STATES, WONT_DO, Planter, State, WorldClock
from opsync.sandbox.jira import JiraSite
from opsync.sandbox.jira.values import CategoryKey
from opsync.sandbox.linear import LinearWorkspace
from opsync.sandbox.mixpanel import MixpanelProject
from opsync.sandbox.notion import DataSource, NotionWorkspace, Page
from opsync.sandbox.posthog import PostHogProject
from opsync.sandbox.vendor import Vendor, utc_now

SEED = 1122
BEGAN_DAYS = 200
"""Harbor opened its accounts so many days ago."""
CATEGORIES: dict[State, CategoryKey] = {
    "todo": "new",
    "backlog": "new",
    "doing": "indeterminate",
    "done": "done",
}
"""Jira's category of the statuses that a team uses for a state."""
MOVED_DAYS = 28
"""The Partner API's epic went from PAY to MOB so many days ago."""


@dataclass(frozen=True, slots=True)
class Harbor:
    """The tools, and what people call their things. What is done in the product is seen by three
    analytics tools alike; people look at PostHog."""

    jira: JiraSite
    linear: LinearWorkspace
    notion: NotionWorkspace
    posthog: PostHogProject
    amplitude: AmplitudeProject
    mixpanel: MixpanelProject
    today: date
    pages: dict[str, Page]
    """The initiatives by title."""

    @property
    def vendors(self) -> dict[str, Vendor]:
        """By the name below which each is served."""
        return {
            "jira": self.jira,
            "linear": self.linear,
            "notion": self.notion,
            "posthog": self.posthog,
            "amplitude": self.amplitude,
            "mixpanel": self.mixpanel,
        }

    @property
    def roadmap(self) -> DataSource:
        """The data source that the initiatives are rows of."""
        return next(iter(self.pages.values())).data_source

    def person_edits_delivery(self, title: str, text: str, *, column: str = "Delivery") -> str:
        """A person writes over what opsync wrote. KeyError until the column exists."""
        page = self.pages[title]
        self.notion.edit_page(page, column, text)
        return f"Notion: {self.notion.person().name} wrote {text!r} into {column} of {title}."


def build_harbor(*, now: Callable[[], datetime] = utc_now, limit_factor: int = 10) -> Harbor:
    """Harbor as of the day of `now()`, always the same but for its dates.

    All dates count from that day's start in UTC. `limit_factor` multiplies the vendors' limits.
    """
    today = now().astimezone(UTC).date()
    clock = WorldClock(now)
    start = datetime.combine(today, time(), UTC)
    clock.held = start - timedelta(days=BEGAN_DAYS)
    jira = JiraSite(now=clock, limit_factor=limit_factor)
    linear = LinearWorkspace(now=clock, limit_factor=limit_factor)
    notion = NotionWorkspace(now=clock, limit_factor=limit_factor)
    planter = Planter(jira, linear, today, random.Random(SEED))  # noqa: S311 -- a repeatable world
    _accounts(planter)
    clock.held = start - timedelta(days=MOVED_DAYS)
    payments.plant(planter)
    mobile.plant(planter)
    projects = growth.plant(planter)
    background.plant(planter)
    pages = roadmap.plant(notion, planter, projects)
    clock.held = None
    used = use.history(clock, today)
    analytics = (
        PostHogProject(now=clock, limit_factor=limit_factor, history=used),
        AmplitudeProject(now=clock, limit_factor=limit_factor, history=used),
        MixpanelProject(now=clock, limit_factor=limit_factor, history=used),
    )
    return Harbor(jira, linear, notion, *analytics, today, pages)


def _accounts(planter: Planter) -> None:
    """Projects, teams, statuses and people."""
    jira, linear = planter.jira, planter.linear
    # Harbor's admins spell the resolution their own way.
    jira.resolutions[WONT_DO] = jira.resolutions.pop("Won't Do")
    names = {"PAY": "Payments", "MOB": "Mobile"}
    for key, states in JIRA_STATES.items():
        for state, category in CATEGORIES.items():
            for name in states[state]:
                jira.add_status(name, category)
        workflow = tuple(dict.fromkeys(name for found in states.values() for name in found))
        jira.add_project(key, names[key], statuses=workflow)
    planter.people_arrive()
    linear.add_team("GRO", "Growth")
    linear.add_team("SEC", "Security", private=True)
