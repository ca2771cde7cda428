"""The queries, and how many rows each may ask for.

Linear charges for what is asked for, not for what exists: a property 0.1, an object 1, a listing
its `first` times its children, and refuses a query above 10,000
(linear.app/developers/rate-limiting). `cost_of_work` is that sum for the query below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from math import ceil

ROOTS = ("issues", "projects", "initiatives", "attachments")
"""The listings of one walk. `attachments` brings the issues whose attachments changed: a change of
an attachment need not count as a change of its issue."""

ISSUE_FIELDS = """
fragment IssueFields on Issue {
  id identifier title url description priority estimate dueDate
  createdAt updatedAt startedAt completedAt archivedAt trashed previousIdentifiers
  state { id name type }
  team { id key name visibility }
  assignee { id displayName email active }
  parent { id }
  project { id }
  syncedWith { ...SyncedFields }
  labels(first: $labels) { nodes { name } pageInfo { hasNextPage } }
  attachments(first: $attached) {
    nodes { id url title subtitle metadata } pageInfo { hasNextPage }
  }
  inverseRelations(first: $relations) {
    nodes { type issue { trashed state { type } } } pageInfo { hasNextPage }
  }
  relations(first: $relations) @include(if: $blocking) {
    nodes { type relatedIssue { id } } pageInfo { hasNextPage }
  }
}
"""

SYNCED_FIELDS = """
fragment SyncedFields on ExternalEntityInfo {
  service metadata { ... on ExternalEntityInfoJiraMetadata { issueKey } }
}
"""
"""What Linear's own sync keeps alike. It tells a sync from a link, which `sourceType` does not: an
attachment of the source "jira" may as well be an issue that a person linked."""

LINK_FIELDS = "nodes { id url label } pageInfo { hasNextPage }"

PROJECT_FIELDS = f"""
fragment ProjectFields on Project {{
  id name url slugId description content targetDate
  createdAt updatedAt startedAt completedAt archivedAt trashed
  status {{ id name type }}
  lead {{ id displayName email active }}
  syncedWith {{ ...SyncedFields }}
  teams(first: $related) {{ nodes {{ id key name visibility }} pageInfo {{ hasNextPage }} }}
  initiatives(first: $related) {{ nodes {{ id }} pageInfo {{ hasNextPage }} }}
  externalLinks(first: $links) {{ {LINK_FIELDS} }}
}}
"""

INITIATIVE_FIELDS = f"""
fragment InitiativeFields on Initiative {{
  id name url slugId status description content targetDate
  createdAt updatedAt startedAt completedAt archivedAt trashed visibility
  owner {{ id displayName email active }}
  parentInitiative {{ id }}
  links(first: $links) {{ {LINK_FIELDS} }}
}}
"""

_PAGE = "pageInfo { hasNextPage endCursor }"


def _root(name: str, rows: str) -> str:
    title = name.capitalize()
    return f"""
  {name}(
    first: $first{title}, after: $after{title}, filter: $filter{title},
    includeArchived: true, orderBy: updatedAt
  ) @include(if: $with{title}) {{ {_PAGE} nodes {{ {rows} }} }}"""


def _root_variables(name: str, kind: str) -> str:
    title = name.capitalize()
    return (
        f"  $first{title}: Int!, $after{title}: String, $filter{title}: {kind}Filter, "
        f"$with{title}: Boolean!,\n"
    )


WORK = f"""query Work(
{_root_variables("issues", "Issue")}{_root_variables("projects", "Project")}\
{_root_variables("initiatives", "Initiative")}{_root_variables("attachments", "Attachment")}\
  $labels: Int!, $attached: Int!, $relations: Int!, $blocking: Boolean!,
  $related: Int!, $links: Int!, $firstTeams: Int!, $filterTeams: TeamFilter, $withTeams: Boolean!,
  $firstScope: Int!, $filterScope: ProjectFilter, $withScope: Boolean!
) {{
  organization {{ urlKey }}
  teams(first: $firstTeams, filter: $filterTeams, includeArchived: true)
    @include(if: $withTeams) {{ nodes {{ key }} }}
  scope: projects(first: $firstScope, filter: $filterScope, includeArchived: true)
    @include(if: $withScope) {{ nodes {{ id name slugId }} }}\
{_root("issues", "...IssueFields")}\
{_root("projects", "...ProjectFields")}\
{_root("initiatives", "...InitiativeFields")}\
{_root("attachments", "updatedAt issue { ...IssueFields }")}
}}
{SYNCED_FIELDS}{ISSUE_FIELDS}{PROJECT_FIELDS}{INITIATIVE_FIELDS}"""
"""One page of everything. A listing that has ended is left out of the following pages. `teams` and
`scope` are teams and projects of the settings, as far as they exist: only the first page asks for
them."""


def _ids_of(name: str) -> str:
    title = name.capitalize()
    return f"""
  {name}(
    first: {MOST_ROWS}, after: $after{title}, filter: $filter{title}, includeArchived: true
  ) @include(if: $with{title}) {{ {_PAGE} nodes {{ id trashed }} }}"""


MOST_ROWS = 250
IDS = f"""query Ids(
  $afterIssues: String, $filterIssues: IssueFilter, $withIssues: Boolean!,
  $afterProjects: String, $filterProjects: ProjectFilter, $withProjects: Boolean!,
  $afterInitiatives: String, $filterInitiatives: InitiativeFilter, $withInitiatives: Boolean!
) {{{_ids_of("issues")}{_ids_of("projects")}{_ids_of("initiatives")}
}}"""
"""Ids alone, the latest made first: that order holds still while people work."""

TEAMS = """query Teams($first: Int!, $filter: TeamFilter) {
  teams(first: $first, filter: $filter, includeArchived: true) { nodes { key } }
}"""
"""Which teams the key sees."""

SAME_NAME = 5
"""Projects that may share a configured name."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Teams and projects of the settings that are looked for along with a page."""

    teams: Sequence[str] = ()
    projects: Sequence[str] = ()
    projects_filter: Mapping[str, object] = field(default_factory=dict)

    @property
    def project_rows(self) -> int:
        """How many projects are asked for."""
        return min(MOST_ROWS, SAME_NAME * len(self.projects))


NOTHING_SOUGHT = Sought()


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows of each listing, and of the lists below a row, one request asks for."""

    issues: int = 0
    projects: int = 0
    initiatives: int = 0
    attachments: int = 0
    labels: int = 5
    attached: int = 4
    relations: int = 3
    related: int = 5
    links: int = 10

    def scaled(self, share: float, page_size: int) -> Sizes:
        """At most `page_size` rows, and only `share` of those meant."""

        def rows(meant: int) -> int:
            return max(1, min(page_size, int(meant * share))) if meant else 0

        return replace(
            self,
            issues=rows(self.issues),
            projects=rows(self.projects),
            initiatives=rows(self.initiatives),
            attachments=rows(self.attachments),
        )


POLL = Sizes(issues=50, projects=50, initiatives=50, attachments=50, attached=10)
"""The first page of a run that asks what changed: cheap, and long lists at once."""
FIRST = Sizes(issues=190, projects=50, initiatives=50, attachments=50)
"""The first page of a first read."""
ONLY_ISSUES = Sizes(issues=250)
"""All further pages, once the few projects and initiatives are through."""
LONG = Sizes(
    issues=20,
    projects=10,
    initiatives=10,
    labels=50,
    attached=100,
    relations=50,
    related=100,
    links=200,
)
"""Objects with lists longer than those, read again by id."""


def sizes_of_page(*, poll: bool, first: bool, roots: Set[str]) -> Sizes:
    """What to ask for in the next request of a walk over the listings that have not ended."""
    if first and poll:
        return POLL
    if roots == {"issues"}:
        return replace(ONLY_ISSUES, issues=225) if poll else ONLY_ISSUES
    return replace(FIRST, issues=100) if poll else FIRST


def variables(
    sizes: Sizes,
    roots: Set[str],
    *,
    filters: Mapping[str, Mapping[str, object]],
    after: Mapping[str, str | None],
    blocking: bool,
    sought: Sought = NOTHING_SOUGHT,
) -> dict[str, object]:
    """The variables of `WORK` for one page of the listings `roots`, with what is `sought`."""
    asked: dict[str, object] = {
        "labels": sizes.labels,
        "attached": sizes.attached,
        "relations": sizes.relations,
        "blocking": blocking,
        "related": sizes.related,
        "links": sizes.links,
        "firstTeams": max(1, len(sought.teams)),
        "filterTeams": {"key": {"in": list(sought.teams)}},
        "withTeams": bool(sought.teams),
        "firstScope": max(1, sought.project_rows),
        "filterScope": sought.projects_filter,
        "withScope": bool(sought.projects),
    }
    for root in ROOTS:
        title = root.capitalize()
        asked[f"first{title}"] = max(1, getattr(sizes, root))
        asked[f"after{title}"] = after.get(root)
        asked[f"filter{title}"] = filters.get(root)
        asked[f"with{title}"] = root in roots
    return asked


def variables_of_ids(
    roots: Set[str],
    *,
    filters: Mapping[str, Mapping[str, object]],
    after: Mapping[str, str],
) -> dict[str, object]:
    """The variables of `IDS` for one page of the listings `roots`."""
    asked: dict[str, object] = {}
    for root in ROOTS[:3]:
        title = root.capitalize()
        asked[f"after{title}"] = after.get(root)
        asked[f"filter{title}"] = filters.get(root)
        asked[f"with{title}"] = root in roots
    return asked


def cost_of_ids(roots: Set[str]) -> int:
    """What one page of ids costs, in Linear's points."""
    return ceil(len(roots) * (1.2 + MOST_ROWS * 1.2))


def by_id(ids: Sequence[str]) -> dict[str, object]:
    """The filter for objects with these ids."""
    return {"id": {"in": list(ids)}}


def cost_of_work(
    sizes: Sizes, roots: Set[str], *, blocking: bool, sought: Sought = NOTHING_SOUGHT
) -> int:
    """What one page costs, in Linear's points; `sought` is what is looked for besides."""
    page = 1.1
    synced = 2.2
    issue = 1 + 1.5 + 1.3 + 1.4 + 1.4 + 1.1 + 1.1 + synced
    issue += sizes.labels * 1.1 + sizes.attached * 1.5 + sizes.relations * 3.3 + 3 * page
    if blocking:
        issue += sizes.relations * 2.2 + page
    link = sizes.links * 1.3 + page
    project = 1 + 1.3 + 1.3 + 1.4 + synced + sizes.related * (1.4 + 1.1) + 2 * page + link
    initiative = 1 + 1.5 + 1.4 + 1.1 + link
    rows = {"issues": issue, "projects": project, "initiatives": initiative}
    rows["attachments"] = 1.1 + issue
    total: float = 1.1 + len(sought.teams) * 1.1 + sought.project_rows * 1.3
    total += sum(1.2 + getattr(sizes, root) * rows[root] for root in roots)
    return ceil(total)


def _one(root: str, kind: str, links: str, fields: str) -> str:
    return f"""query Standing($filter: {kind}Filter, $listed: Int!) {{
  {root}(first: 1, filter: $filter, includeArchived: true) {{
    nodes {{ {links}(first: $listed) {{ nodes {{ {fields} }} }} }}
  }}
}}"""


ATTACHMENTS_OF = _one("issues", "Issue", "attachments", "id url title subtitle metadata")
LINKS_OF_PROJECT = _one("projects", "Project", "externalLinks", "id url label")
LINKS_OF_INITIATIVE = _one("initiatives", "Initiative", "links", "id url label")
"""What stands on one object, asked for by id. A listing, because it tells "gone" without error."""
