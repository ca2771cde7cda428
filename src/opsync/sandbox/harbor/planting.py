"""How Harbor's work gets onto the simulated tools: pieces of work, their states and their dates."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeAlias

from opsync.sandbox.jira import Issue as JiraIssue
from opsync.sandbox.jira import JiraSite
from opsync.sandbox.jira import User as JiraUser
from opsync.sandbox.linear import LinearWorkspace
from opsync.sandbox.linear.objects import Issue as LinearIssue
from opsync.sandbox.linear.objects import Project

State: TypeAlias = Literal["backlog", "todo", "doing", "done", "dropped"]

PEOPLE = (
    ("Ana Reyes", "ana@harbor.example"),
    ("Ben Ode", "ben@harbor.example"),
    ("Chidi Eze", "chidi@harbor.example"),
    ("Dana Lind", "dana@harbor.example"),
    ("Emre Kaya", "emre@harbor.example"),
    ("Farah Aziz", "farah@harbor.example"),
    ("Gil Moreau", "gil@harbor.example"),
    ("Hana Sato", "hana@harbor.example"),
)
WONT_DO = "Won't do"
"""The resolution with which Harbor closes Jira issues that it drops."""

JIRA_STATES: dict[str, dict[State, tuple[str, ...]]] = {
    "PAY": {
        "backlog": ("Backlog",),
        "todo": ("To Do", "Ready"),
        "doing": ("In Progress", "In Review"),
        "done": ("Done",),
        "dropped": ("Done",),
    },
    "MOB": {
        "backlog": ("Ideen",),
        "todo": ("Zu erledigen",),
        "doing": ("In Arbeit", "Im Review"),
        "done": ("Fertig",),
        "dropped": ("Fertig",),
    },
}
LINEAR_STATES: dict[State, tuple[str, ...]] = {
    "backlog": ("Backlog",),
    "todo": ("Todo",),
    "doing": ("In Progress", "In Review"),
    "done": ("Done",),
    "dropped": ("Canceled",),
}
STORY_POINTS = (1, 2, 3, 5, 8)
OLDEST_DAYS = 110
NEWEST_DAYS = 60
"""Work is made between so many days ago, unless it says otherwise; it ends after that."""
LATEST_DONE_DAYS = 23


@dataclass(frozen=True, slots=True)
class Work:
    """One issue to be, with the work below it. Days are counted back from today."""

    title: str
    state: State
    below: tuple[Work, ...] = ()
    key: str | None = None
    created_days: int | None = None
    done_days: int | None = None
    blocked_by: tuple[str, ...] = ()
    flagged: bool = False
    description: str | None = None
    assignee: str | None = None
    labels: tuple[str, ...] = ()
    security: str | None = None
    status: str | None = None
    """A status other than the usual ones of `state`."""
    attachments: tuple[tuple[str, str], ...] = ()


def works(state: State, *titles: str) -> tuple[Work, ...]:
    """One piece of work a title, all in the same state."""
    return tuple(Work(title, state) for title in titles)


class WorldClock:
    """The simulators' clock: stands at a day of the past while the world is built."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.held: datetime | None = None

    def __call__(self) -> datetime:
        return self.held or self._now()


@dataclass(frozen=True, slots=True)
class Times:
    """When a piece of work began, was taken up, and changed last."""

    created: datetime
    started: datetime | None
    finished: datetime | None
    updated: datetime


class Planter:
    """Puts work onto the Jira site and the Linear workspace. The same seed, the same world."""

    def __init__(
        self, jira: JiraSite, linear: LinearWorkspace, today: date, rng: random.Random
    ) -> None:
        self.jira = jira
        self.linear = linear
        self.today = today
        self.rng = rng
        self.people: dict[str, JiraUser] = {PEOPLE[0][0]: jira.caller}

    def people_arrive(self) -> None:
        """Everybody has an account in both tools."""
        for name, email in PEOPLE:
            if name not in self.people:
                self.people[name] = self.jira.add_user(name, email)
            self.linear.add_user(name, email)

    def day(self, days_ago: int) -> date:
        return self.today - timedelta(days=days_ago)

    def at(self, days_ago: int, hour: int = 12, minute: int = 0) -> datetime:
        """A moment of the day so many days ago, UTC."""
        return datetime.combine(self.day(days_ago), time(hour, minute), UTC)

    def jira_url(self, key: str) -> str:
        return f"{self.jira.base_url}/browse/{key}"

    def epic(self, project: str, work: Work) -> JiraIssue:
        """An epic with all its work."""
        epic = self._jira_issue(project, work, "Epic", None)
        self.jira_work(project, work.below, epic.key)
        return epic

    def jira_work(self, project: str, items: Iterable[Work], parent: str | None = None) -> None:
        """Stories and, below them, sub-tasks."""
        for work in items:
            kind = "Story" if work.below else self.rng.choice(("Story", "Story", "Task", "Bug"))
            story = self._jira_issue(project, work, kind, parent)
            for part in work.below:
                self._jira_issue(project, part, "Sub-task", story.key)

    def linear_work(
        self,
        team: str,
        items: Iterable[Work],
        project: Project | None = None,
        parent: LinearIssue | None = None,
    ) -> None:
        """Issues and, below them, sub-issues."""
        for work in items:
            issue = self._linear_issue(team, work, project, parent)
            self.linear_work(team, work.below, project, issue)

    def project(self, name: str, *, teams: list[str], status: str = "started") -> Project:
        """A Linear project without its issues."""
        return self.linear.add_project(
            name,
            teams=teams,
            status=status,
            lead=self._someone(None),
            created=self.at(OLDEST_DAYS),
            updated=self.at(NEWEST_DAYS),
        )

    def _jira_issue(self, project: str, work: Work, kind: str, parent: str | None) -> JiraIssue:
        times = self._times(work)
        estimated = project == "PAY" and kind not in ("Epic", "Sub-task")
        return self.jira.add_issue(
            project,
            work.title,
            key=work.key,
            issue_type=kind,
            status=work.status or self.rng.choice(JIRA_STATES[project][work.state]),
            parent=parent,
            assignee=self.people[self._someone(work.assignee)],
            description=work.description,
            priority=self.rng.choice(("Highest", "High", "Medium", "Medium", "Low")),
            labels=work.labels,
            points=self.rng.choice(STORY_POINTS) if estimated else None,
            created=times.created,
            started=times.started,
            updated=times.updated,
            resolved=times.finished,
            resolution=WONT_DO if work.state == "dropped" else None,
            flagged=work.flagged,
            security=work.security,
            blocked_by=work.blocked_by,
        )

    def _linear_issue(
        self, team: str, work: Work, project: Project | None, parent: LinearIssue | None
    ) -> LinearIssue:
        times = self._times(work)
        issue = self.linear.add_issue(
            team,
            work.title,
            identifier=work.key,
            state=work.status or self.rng.choice(LINEAR_STATES[work.state]),
            project=project,
            parent=parent,
            assignee=self._someone(work.assignee),
            description=work.description,
            priority=self.rng.randrange(5),
            estimate=self.rng.choice((None, 1, 2, 3)),
            labels=work.labels,
            created=times.created,
            updated=times.updated,
            started=times.started,
            completed=times.finished if work.state == "done" else None,
            canceled=times.finished if work.state == "dropped" else None,
            attachments=work.attachments,
        )
        for attachment in issue.attachments:
            # Not by opsync's own account, which else makes everything here.
            attachment.creator = self.linear.user(PEOPLE[-1][0])
        for blocker in work.blocked_by:
            self.linear.relate(blocker, issue, at=times.updated)
        return issue

    def _someone(self, name: str | None) -> str:
        return name or self.rng.choice(PEOPLE)[0]

    def _times(self, work: Work) -> Times:
        rng = self.rng
        oldest = work.created_days or rng.randint(NEWEST_DAYS, OLDEST_DAYS)
        created = self.at(oldest, 9 + rng.randrange(4), rng.randrange(60))
        if work.created_days is not None:
            created = self.at(oldest)
        if work.state in ("backlog", "todo"):
            later = rng.randint(min(2, oldest), oldest)
            return Times(created, None, None, max(created, self.at(later, 15)))
        if work.state == "doing":
            taken = rng.randint(1, max(1, min(20, oldest - 1)))
            started = max(created, self.at(taken, 14, rng.randrange(60)))
            return Times(created, started, None, started)
        newest = work.done_days or rng.randint(LATEST_DONE_DAYS, max(LATEST_DONE_DAYS, oldest - 5))
        finished = self.at(newest, 16, rng.randrange(60))
        started = max(created, finished - timedelta(days=rng.randint(1, 4)))
        return Times(created, started, finished, finished)
