"""What the three simulated analytics tools have in common, for tests that hold all to the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import httpx

from opsync.sandbox.amplitude import AmplitudeProject
from opsync.sandbox.mixpanel import MixpanelProject, Series
from opsync.sandbox.notion import Page
from opsync.sandbox.posthog import PostHogProject
from opsync.sandbox.usage import Behaviour, History
from opsync.sandbox.vendor import Vendor
from tests.support.world import CANARY, DUE, World, jira_url

TOOLS = {"posthog": "PostHog", "amplitude": "Amplitude", "mixpanel": "Mixpanel"}
QUERIES = {
    "posthog": "/query/",
    "amplitude": "/api/2/events/segmentation",
    "mixpanel": "/api/query/",
}
"""Part of the path of requests that measure."""


class Note(NamedTuple):
    """An annotation as people see it."""

    on: date
    text: str


def notes(vendor: Vendor) -> list[Note]:
    """All annotations there are, by day."""
    if isinstance(vendor, PostHogProject):
        found = [Note(vendor.day_of(one) or date.min, one.content or "") for one in vendor.notes]
    elif isinstance(vendor, AmplitudeProject):
        held = vendor.held.annotations.values()
        # Without a time zone of the project an annotation stands at noon.
        found = [Note((one.start - timedelta(hours=1)).date(), _text(one)) for one in held]
    else:
        assert isinstance(vendor, MixpanelProject)
        every = vendor.annotations.values()
        found = [Note(date.fromisoformat(one.date[:10]), one.description) for one in every]
    return sorted(found)


def _text(one: object) -> str:
    return str(getattr(one, "details", None) or getattr(one, "label", ""))


def write_note(vendor: Vendor, on: date, text: str) -> None:
    """A person makes an annotation."""
    if isinstance(vendor, PostHogProject):
        vendor.add_annotation(text, on)
    elif isinstance(vendor, AmplitudeProject):
        vendor.add_annotation(text, datetime.combine(on, time(12), UTC))
    else:
        assert isinstance(vendor, MixpanelProject)
        vendor.add_annotation(on, text)


def linkable(vendor: Vendor, flag: str) -> str:
    """The address of something there that people may link to: a flag, where the tool lists them,
    else a report."""
    if isinstance(vendor, PostHogProject):
        return f"https://us.posthog.com/project/1/feature_flags/{vendor.flag(flag).id}"
    if isinstance(vendor, AmplitudeProject):
        return vendor.flag_url(next(f for f in vendor.held.flags.values() if f.key == flag))
    assert isinstance(vendor, MixpanelProject)
    return vendor.report_url(vendor.add_report("Payouts", {"Paid out": Series("flag", flag)}))


def queries(vendor: Vendor) -> int:
    """How many requests measured something."""
    return sum(QUERIES[vendor.name] in one.path for one in vendor.exchanges)


TODAY = date(2026, 11, 22)
RELEASED = TODAY - timedelta(days=19)
FLAG, EVENT = "instant-payouts", "checkout_paid"
PROJECTS: dict[str, dict[str, Any]] = {
    "posthog": {"project": "1", "token": f"phx_{CANARY}"},
    "amplitude": {
        "project": "123456",
        "api_key": f"key-{CANARY}",
        "secret_key": f"secret-{CANARY}",
        "management_key": f"management-{CANARY}",
    },
    "mixpanel": {
        "project": 3141592,
        "username": "opsync.000000.mp-service-account",
        "secret": f"secret-{CANARY}",
    },
}
HOSTS = {
    "posthog": ("us.posthog.com",),
    "amplitude": ("amplitude.com", "experiment.amplitude.com"),
    "mixpanel": ("mixpanel.com",),
}


@dataclass
class MeasuredWorld(World):
    """The small company, whose use is measured in `tool` as well.

    The page "Instant payouts", which names MOB-1, is done, was released nineteen days ago behind
    the flag `FLAG` (24 users a day before, 38 since), and "One-tap checkout" counts `EVENT` and is
    under way.
    """

    tool: str = "posthog"
    measured: Vendor = field(init=False)

    def __post_init__(self) -> None:
        start = datetime.combine(TODAY, time(12), UTC)
        self.clock.advance((start - self.clock.now()).total_seconds())
        super().__post_init__()
        now = self.clock.now
        history = History(now=now)
        history.flags = {FLAG: Behaviour(24, released=RELEASED, after=38)}
        history.events = {EVENT: Behaviour(312, 9_000, times=1)}
        self.measured = self._project(history)
        self.vendors[self.tool] = self.measured
        for host in HOSTS[self.tool]:
            self.net.hosts[host] = httpx.ASGITransport(self.measured.app)

    def _project(self, history: History) -> Vendor:
        keys = {k: v for k, v in PROJECTS[self.tool].items() if k != "project"}
        now = self.clock.now
        if self.tool == "posthog":
            return PostHogProject(now=now, limit_factor=10, history=history, **keys)
        if self.tool == "amplitude":
            return AmplitudeProject(now=now, limit_factor=10, history=history, **keys)
        return MixpanelProject(now=now, limit_factor=10, history=history, **keys)

    def _plant_notion(self) -> None:
        self.notion.add_user("Ana Reyes", "ana@harbor.example")
        text: dict[str, Any] = {"rich_text": {}}
        columns = {
            "Name": {"title": {}},
            "Tracked in": text,
            "Status": {"status": {}},
            "Due": {"date": {}},
            "Flag": text,
            "Event": text,
            "Released": {"date": {}},
        }
        self.source = self.notion.add_database("Roadmap", properties=columns).data_source
        self.checkout = self.page("One-tap checkout", jira_url("PAY-1"))
        self.loyalty = self.page("Loyalty", "")
        self.payouts = self.notion.add_page(
            self.source,
            {
                "Name": "Instant payouts",
                "Tracked in": jira_url("MOB-1"),
                "Due": DUE,
                "Status": "Done",
                "Flag": FLAG,
                "Released": RELEASED,
            },
        )
        self.notion.edit_page(self.checkout, "Event", EVENT)

    payouts: Page = field(init=False)

    def _settings(self) -> dict[str, Any]:
        raw = super()._settings()
        raw["instances"][self.tool] = {"connector": self.tool, **PROJECTS[self.tool]}
        raw["rollup"][0] |= {
            "properties": ["Tracked in"],
            "released": "Released",
            "announce_in": [self.tool],
            "metric": [
                {"instance": self.tool, "flag_from": "Flag"},
                {"instance": self.tool, "event_from": "Event"},
            ],
        }
        return raw

    async def next_day(self) -> None:
        """Let a day pass."""
        self.clock.advance(86_400)

    async def begin(self) -> None:
        """The first pass, after which a second one has nothing to do."""
        report = await self.sync()
        assert report.exit_code == 0, report
        await self.silent()
