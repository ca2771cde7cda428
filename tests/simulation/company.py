"""The company that is simulated, twice: as opsync works on it, and as people alone would have it.

Whatever people do is done to both. Opsync touches the first only, so that the second tells, at
any moment, what people's things must look like, and, by one undisturbed first run, what opsync's
should.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from opsync.sandbox.linear.objects import Issue as LinearIssue
from opsync.sandbox.notion import Page
from tests.simulation.loop import Time
from tests.support.clock import FakeClock
from tests.support.world import World, jira_url, linear_project_url

Place: TypeAlias = tuple[str, str, str]
"""A tool, the item people call so, and what of opsync's is there."""

OWN_COLUMNS = ("Delivery", "Delivery %", "Delivery health", "Work")
"""What must be right. "Delivery changed" is written along with others only."""
ALL_OWN_COLUMNS = (*OWN_COLUMNS, "Delivery changed", "Adoption")
_LINEAR_PROJECTS = ("Checkout web", "Loyalty web")
_ID = re.compile(r"(jira-main:issue:)(\d+)")
_BROWSED = re.compile(r"(/browse/)([A-Z]+-\d+)")


class TrueClock(FakeClock):
    """The world's time: the vendors go by it."""

    def __init__(self, time: Time, start: datetime) -> None:
        super().__init__(start)
        self.time = time

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.time.now)

    def monotonic(self) -> float:
        return 1000.0 + self.time.now

    def advance(self, delay_s: float) -> None:
        self.time.now += delay_s


@dataclass
class Company(World):
    """The small company, with some more work in it, drawn by `seed`."""

    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._plant_more(random.Random(self.seed))

    def _plant_more(self, rng: random.Random) -> None:
        statuses = ("To Do", "Doing", "Done")
        linear = self.linear
        linear.add_team("WEB", "Web")
        linear.add_project(_LINEAR_PROJECTS[1], teams=["WEB"])
        for number in range(rng.randint(2, 5)):
            linear.add_issue(
                rng.choice(("GRO", "WEB")),
                f"Web task {number}",
                project=linear.project(rng.choice(_LINEAR_PROJECTS)),
                state=rng.choice(("Todo", "In Progress", "Done", "Canceled")),
            )
        self.jira.add_issue("PAY", "Payouts core", issue_type="Epic", status="Doing")
        for number in range(rng.randint(3, 8)):
            self.jira.add_issue(
                rng.choice(("PAY", "MOB")),
                f"Story {number}",
                parent=rng.choice(("PAY-1", "MOB-1", "PAY-5", None)),
                status=rng.choice(statuses),
            )
        for number in range(rng.randint(1, 3)):
            self.page(f"Initiative {number}", self.mention(rng))

    def mention(self, rng: random.Random) -> str:
        """What a person would enter in "Tracked in"."""
        parts = [jira_url(rng.choice(("PAY-5", "MOB-1", "PAY-1", "PAY-2")))]
        if rng.random() < 0.5:
            project = self.linear.project(rng.choice(_LINEAR_PROJECTS))
            parts.append(linear_project_url(project.slug_id))
        if rng.random() < 0.1:
            parts.append(jira_url("PAY-999"))
        return " ".join(parts)

    def pages(self) -> list[Page]:
        """All pages, in the order in which they were made."""
        return list(self.notion.state.pages_of(self.source))

    def linear_issues(self) -> list[LinearIssue]:
        """All issues there are at Linear."""
        return sorted(self.linear.issues.values(), key=lambda one: one.identifier)

    def jira_keys(self) -> list[str]:
        """All issues there are at Jira."""
        return sorted(issue.key for issue in self.jira.issues.values())


@dataclass
class Twins:
    """The company as opsync works on it, and as people alone have it."""

    real: Company
    people: Company
    touched: dict[Place, Touch] = field(default_factory=dict)
    """What people did to what is opsync's."""
    blind: set[Place] = field(default_factory=set)
    """Those of them that opsync could not see before its next write."""
    nobodys: set[Place] = field(default_factory=set)
    """Where a lost store had written: it stays there beside what a fresh one writes if what it is
    about got another address meanwhile."""

    @classmethod
    def build(cls, folder: Path, time: Time, start: datetime, seed: int, time_zone: str) -> Twins:
        """Both, alike."""
        made = []
        for name in ("real", "people"):
            (folder / name).mkdir()
            clock = TrueClock(time, start)
            made.append(
                Company(
                    folder / name,
                    clock,
                    fixed_files=True,
                    limit_factor=1,
                    time_zone=time_zone,
                    seed=seed,
                )
            )
        return cls(*made)

    @property
    def both(self) -> tuple[Company, Company]:
        """For what people do."""
        return self.real, self.people


@dataclass(frozen=True)
class Touch:
    """What a person left in a place of opsync's: a value, or nothing."""

    value: str | None
    at: float
    was: str = ""
    """What stood there before."""
    undone: bool = False
    """Whether it was opsync that took it away, at a person's word."""
    going: bool = False
    """Whether opsync was to take it away itself, as far as it knew: nothing asked for it then."""

    @property
    def of_a_link(self) -> bool:
        """Whether a mere link of a project was removed, in whose place a summary may come."""
        return not self.value and self.was.startswith("Roadmap: ") and "·" not in self.was


def owned(world: World) -> dict[Place, str]:
    """What stands in the tools that is opsync's, by place, in words that do not depend on ids."""
    found: dict[Place, str] = {}
    names = Names(world)
    for place, value in _owned(world, names):
        # After a lost answer two may stand in one place until the next run has looked.
        found[place] = names(value) if place not in found else f"{found[place]} and {names(value)}"
    return found


def asleep(world: World) -> set[tuple[str, str]]:
    """Tools and items where nobody may write and nobody looks: the trash, the archive, and what
    is deleted for good."""
    names = Names(world)
    pages = [("notion", p.id) for p in world.notion.state.pages_of(world.source) if p.trashed]
    issues = [one for one in world.linear.issues.values() if one.archived_at is not None]
    put_away = [("linear", names.linear[one.id]) for one in issues]
    alive = {str(number) for number in world.jira.issues}
    deleted = [("jira", key) for number, key in names.jira.items() if number not in alive]
    return {*pages, *put_away, *deleted}


def doubled(world: World) -> list[Place]:
    """Places in which two things of opsync's stand."""
    found = Counter(place for place, _ in _owned(world, Names(world)))
    return [place for place, count in found.items() if count > 1]


def _owned(world: World, names: Names) -> Iterator[tuple[Place, str]]:
    for issue_id, links in world.jira.remote_links.items():
        for link in links.values():
            if (link.global_id or "").startswith("opsync:"):
                shown = [link.object.get(k) for k in ("title", "url", "summary")]
                status = link.object.get("status") or {}
                told = f"{shown} {link.relationship} {status.get('resolved')}"
                yield ("jira", names.jira[str(issue_id)], names.place(link.global_id or "")), told
    for issue in world.linear.issues.values():
        if issue.archived_at is not None:
            continue  # the same holds there
        for one in issue.attachments:
            if "opsync" in (one.metadata or {}):
                place = ("linear", names.linear[issue.id], names.place(one.url))
                yield place, f"{one.title} | {one.subtitle}"
    for project in world.linear.projects.values():
        for link in project.external_links:
            if link.creator is world.linear.viewer and link.label.startswith("Roadmap"):
                yield ("linear", project.name, names.place(link.url)), link.label
    for page in world.notion.state.pages_of(world.source):
        if page.trashed:
            continue  # nobody may write there, and nobody looks
        for name in OWN_COLUMNS:
            column = page.data_source.schema.find(name)
            if column is None:
                continue
            value = page.text(name) if column.type == "select" else page.cell(name)
            if value not in (None, "", ()):
                yield ("notion", page.id, name), str(value)


def human(world: World) -> dict[Place, str]:
    """Everything else in the tools: what people made."""
    found: dict[Place, str] = {}
    names = Names(world)
    for issue in world.jira.issues.values():
        parent = world.jira.issues[issue.parent_id].key if issue.parent_id else ""
        said = (issue.summary, issue.issue_type, issue.status.name, issue.resolution, parent)
        more = (issue.assignee, issue.description, issue.labels, issue.due, issue.flagged)
        found["jira", issue.key, "issue"] = repr((said, more))
        theirs = [
            str(link.object)
            for link in world.jira.remote_links.get(issue.id, {}).values()
            if not (link.global_id or "").startswith("opsync:")
        ]
        found["jira", issue.key, "links"] = repr(sorted(theirs))
    for one in world.linear.issues.values():
        place = one.project.name if one.project else ""
        said_ = (one.title, one.state.name, place, one.description, one.trashed, one.due_date)
        kept = (one.archived_at is not None, sorted(label.name for label in one.labels))
        found["linear", one.identifier, "issue"] = repr((said_, kept))
        attached = [a.url for a in one.attachments if "opsync" not in (a.metadata or {})]
        found["linear", one.identifier, "links"] = repr(sorted(attached))
    for project in world.linear.projects.values():
        made = [
            (link.label, link.url)
            for link in project.external_links
            if not (link.creator is world.linear.viewer and link.label.startswith("Roadmap"))
        ]
        about = (project.status.name, project.description, project.content, project.health)
        found["linear", project.name, "project"] = repr((about, sorted(made)))
    for page in world.notion.state.pages_of(world.source):
        cells = {
            column.name: str(page.cell(column.name))
            for column in page.data_source.schema.properties.values()
            if column.name.removesuffix(" (opsync)") not in ALL_OWN_COLUMNS
        }
        found["notion", page.id, "page"] = repr((cells, page.trashed, page.archived, page.body))
    return {place: names(value) for place, value in found.items()}


class Names:
    """Puts what people call things in the place of ids, which differ between the two companies.

    Who is called something else later keeps the first name here.
    """

    def __init__(self, world: World) -> None:
        self.first = {key: key for key in world.jira._keys}
        self.jira: dict[str, str] = {}
        for key, number in world.jira._keys.items():
            self.first[key] = self.jira.setdefault(str(number), key)
        self.linear: dict[str, str] = {}
        for identifier, issue in world.linear.aliases.items():
            self.linear.setdefault(issue.id, identifier)
        for project in world.linear.projects.values():
            self.linear[project.id] = self.linear[project.slug_id] = project.name
        self.pattern = re.compile("|".join(map(re.escape, self.linear)))

    def __call__(self, text: str) -> str:
        """A text as both companies would have it."""
        text = _ID.sub(lambda m: m[1] + self.jira.get(m[2], "gone"), text)
        return self.pattern.sub(lambda m: self.linear[m[0]], text)

    def place(self, text: str) -> str:
        """An address or an id of opsync's, which stays the same when an issue moves."""
        return _BROWSED.sub(lambda m: m[1] + self.first.get(m[2], m[2]), self(text))


START_AT = (
    datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    datetime(2026, 3, 28, 22, 30, tzinfo=UTC),  # the night in which Europe's clocks go forward
    datetime(2026, 6, 30, 23, 40, tzinfo=UTC),
    datetime(2026, 10, 24, 23, 10, tzinfo=UTC),  # … and back
)
