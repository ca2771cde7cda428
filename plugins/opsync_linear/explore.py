"""What `opsync init` and `opsync statuses` ask of Linear. Reads only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from math import ceil

from msgspec import Struct

from opsync import Category, Choice, Context, FirstRead, Grant, StatusWord
from opsync_linear.dialect import READ_HINT, TEAM_HINT, WRITE_HINT, MissingScope, ask
from opsync_linear.normalize import INITIATIVE_STATUSES, ISSUE_TYPES, PROJECT_TYPES
from opsync_linear.queries import FIRST, ONLY_ISSUES
from opsync_linear.scope import Scope
from opsync_linear.settings import LinearSettings
from opsync_linear.wire import Data, Named, Nodes, State

PAGE = 250
"""Rows in one page at most."""
PAGE_S = 0.6
"""What one page takes; vendors answer in 0.2 to 0.6 s, and full pages are slow ones."""

_PAGE = "pageInfo { hasNextPage endCursor }"

RIGHTS = """query Rights { viewer { id } teams(first: 1) { nodes { id } } }"""

TEAMS = f"""query Teams($after: String) {{
  teams(first: {PAGE}, after: $after) {{
    {_PAGE} nodes {{ key name visibility issueCount(includeArchived: true) }}
  }}
}}"""

COUNTS = f"""query Counts($teams: TeamFilter, $issues: IssueFilter, $projects: ProjectFilter) {{
  teams(first: {PAGE}, filter: $teams) {{
    {_PAGE} nodes {{ key name visibility issueCount(includeArchived: true) }}
  }}
  issues(first: {PAGE}, filter: $issues, includeArchived: true) {{ {_PAGE} nodes {{ id }} }}
  projects(first: {PAGE}, filter: $projects, includeArchived: true) {{ {_PAGE} nodes {{ id }} }}
  initiatives(first: {PAGE}, includeArchived: true) {{ {_PAGE} nodes {{ id }} }}
}}"""

STATES = f"""query States($after: String, $filter: WorkflowStateFilter) {{
  workflowStates(first: {PAGE}, after: $after, filter: $filter) {{
    {_PAGE} nodes {{ id name type team {{ key name visibility }} }}
  }}
  projectStatuses(first: 100) {{ nodes {{ id name type }} }}
}}"""

DOCUMENTS = {"rights": RIGHTS, "teams": TEAMS, "counts": COUNTS, "states": STATES}
COST = {RIGHTS: 3, TEAMS: 352, COUNTS: 1180, STATES: 782}
"""Linear's points for each, by the formula of `queries`."""


class _Team(Struct, frozen=True, rename="camel"):
    key: str
    name: str
    visibility: str = "public"
    issue_count: int = 0


class _Rights(Struct, frozen=True):
    teams: Nodes[Named]


class _Teams(Struct, frozen=True):
    teams: Nodes[_Team]


class _Counts(Struct, frozen=True):
    teams: Nodes[_Team]
    issues: Nodes[Named]
    projects: Nodes[Named]
    initiatives: Nodes[Named]


class _TeamState(Struct, frozen=True):
    id: str
    name: str
    type: str
    team: _Team


class _States(Struct, frozen=True, rename="camel"):
    workflow_states: Nodes[_TeamState]
    project_statuses: Nodes[State]


class Explorer:
    """Looks at one workspace."""

    def __init__(self, settings: LinearSettings, context: Context) -> None:
        self._settings = settings
        self._context = context

    async def grants(self) -> AsyncIterator[Grant]:
        """Read, the teams that the key covers, and Write, which only a write would tell. One
        request."""
        try:
            answer = await ask(self._context, RIGHTS, {}, cost=COST[RIGHTS])
        except MissingScope:
            reads, teams = False, None
        else:
            reads, teams = True, bool(answer.decode(Data[_Rights]).data.teams.nodes)
        yield Grant("Read", "read", reads, "issues, projects, initiatives", READ_HINT)
        yield Grant("Team access", "read", teams, "which teams' work is seen", TEAM_HINT)
        yield Grant("Write", "write", None, "links on issues and projects", WRITE_HINT)

    async def choices(self) -> Sequence[Choice]:
        """The teams that the key sees, by name."""
        found: list[_Team] = []
        after: str | None = None
        while True:
            answer = await ask(self._context, TEAMS, {"after": after}, cost=COST[TEAMS])
            page = answer.decode(Data[_Teams]).data.teams
            found += page.nodes
            after = page.page_info.end_cursor
            if not page.page_info.has_next_page or not after or not page.nodes:
                break
        return [
            Choice(team.key, team.name, _issues(team.issue_count), team.visibility != "public")
            for team in sorted(found, key=lambda one: (one.name.casefold(), one.key))
        ]

    async def first_read(self) -> FirstRead:
        """Issues as the teams count them, or at least as many as one page shows where projects or
        labels narrow the scope. One request."""
        filters = Scope(self._settings, self._context.instance).filters(None, narrow=True)
        teams = {"key": {"in": list(self._settings.teams)}} if self._settings.teams else None
        variables = {
            "teams": teams,
            "issues": filters.get("issues"),
            "projects": filters.get("projects"),
        }
        answer = await ask(self._context, COUNTS, variables, cost=COST[COUNTS])
        found = answer.decode(Data[_Counts]).data
        listed = (found.projects, found.initiatives)
        more = any(each.page_info.has_next_page for each in listed)
        issues = len(found.issues.nodes)
        if found.issues.page_info.has_next_page:
            if self._settings.projects or self._settings.labels:
                more = True
            else:
                issues = max(issues, sum(team.issue_count for team in found.teams.nodes))
                more = more or found.teams.page_info.has_next_page
        projects, initiatives = (len(each.nodes) for each in listed)
        requests = _requests(issues, max(projects, initiatives))
        return FirstRead(issues + projects + initiatives, requests, requests * PAGE_S, more)

    async def status_words(self) -> Sequence[StatusWord]:
        """Workflow states of the teams in scope, statuses of projects, and of initiatives."""
        teams = list(self._settings.teams)
        filter_ = {"team": {"key": {"in": teams}}} if teams else None
        words: list[StatusWord] = []
        after: str | None = None
        while True:
            variables = {"after": after, "filter": filter_}
            answer = await ask(self._context, STATES, variables, cost=COST[STATES])
            found = answer.decode(Data[_States]).data
            page = found.workflow_states
            words += (
                self._word(state.id, state.name, ISSUE_TYPES, state.type, _named(state.team))
                for state in page.nodes
            )
            after = page.page_info.end_cursor
            if not page.page_info.has_next_page or not after or not page.nodes:
                break
        words += (
            self._word(status.id, status.name, PROJECT_TYPES, status.type, "projects")
            for status in found.project_statuses.nodes
        )
        words += (
            self._word(name, name, INITIATIVE_STATUSES, name, "initiatives")
            for name in INITIATIVE_STATUSES
        )
        return words

    def _word(
        self, id_: str, name: str, types: Mapping[str, Category], type_: str, where: str
    ) -> StatusWord:
        own = types.get(type_, Category.unknown)
        mapped = self._settings.statuses
        counts_as = mapped.get(id_) or mapped.get(name) or own
        return StatusWord(id=id_, name=name, category=own, counts_as=counts_as, where=(where,))


def _named(team: _Team) -> str:
    """A team's name; of a private one its key only."""
    return team.name if team.visibility == "public" else team.key


def _issues(count: int) -> str:
    return "1 issue" if count == 1 else f"{count:,} issues"


def _requests(issues: int, containers: int) -> int:
    """Pages of a first read: projects and initiatives go along with the first issues, and what
    changed meanwhile is asked for once more."""
    pages = 1
    left = issues - FIRST.issues
    while (containers := containers - FIRST.projects) > 0:
        pages += 1
        left -= FIRST.issues
    pages += ceil(max(0, left) / ONLY_ISSUES.issues)
    return pages + (pages > 1)
