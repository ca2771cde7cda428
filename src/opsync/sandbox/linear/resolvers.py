"""How each field of the schema is answered from the workspace.

Most fields are attributes of the objects (`attribute`); what needs code is a listing, a look-up
by id, or one of the few fields that depend on the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeAlias

from graphql import GraphQLResolveInfo

from opsync.sandbox.linear.filters import Filter, compile_filter, order_key, snake
from opsync.sandbox.linear.objects import (
    Attachment,
    EntityExternalLink,
    Issue,
    IssueRelation,
    Node,
    Project,
    ProjectUpdate,
    Team,
    WorkflowState,
)
from opsync.sandbox.linear.refusals import invalid_input, not_found
from opsync.sandbox.linear.state import Truth

MAX_PAGE = 250
"""Rows in a page at most; asking for more is refused."""
DEFAULT_PAGE = 50

Resolver: TypeAlias = Callable[..., Any]
"""What graphql-core calls: (source, info, **arguments) -> the field's value."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One budget as `rateLimitStatus` shows it. `period_ms` and `reset_ms` in milliseconds."""

    type: str
    requested_amount: float
    allowed_amount: float
    period: float
    remaining_amount: float
    reset: float


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request sees: the workspace, less what its credential may not see."""

    truth: Truth
    denied: frozenset[str]
    limits: Callable[[], Sequence[Limit]]

    def sees(self, node: Node) -> bool:
        """False for a denied object, and for what belongs to denied ones only."""
        if not self.denied:
            return True
        if node.id in self.denied or (isinstance(node, Team) and node.key in self.denied):
            return False
        if isinstance(node, Project) and node.teams:
            return any(self.sees(team) for team in node.teams)
        return all(self.sees(owner) for owner in _owners(node))


def _owners(node: Node) -> list[Node]:
    """What must be visible for `node` to be visible."""
    if isinstance(node, Issue | WorkflowState):
        return [node.team]
    if isinstance(node, Attachment):
        return [node.issue]
    if isinstance(node, IssueRelation):
        return [node.issue, node.related_issue]
    if isinstance(node, EntityExternalLink):
        return [owner for owner in (node.project, node.initiative) if owner is not None]
    return [node.project] if isinstance(node, ProjectUpdate) else []


Info: TypeAlias = "GraphQLResolveInfo[Caller]"
"""What graphql-core tells a resolver about its field."""


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Where a page stands in its listing; the cursors are the ids of its ends."""

    has_next_page: bool = False
    has_previous_page: bool = False
    start_cursor: str | None = None
    end_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A row with its cursor."""

    cursor: str
    node: Node


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing."""

    nodes: Sequence[Node]
    page_info: PageInfo

    @property
    def edges(self) -> list[Edge]:
        return [Edge(cursor=node.id, node=node) for node in self.nodes]


EMPTY = Page((), PageInfo())


@lru_cache(maxsize=65_536)
def written_time(at: datetime) -> str:
    """A DateTime as Linear writes it: UTC, milliseconds, Z."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def written(value: object) -> object:
    """A value in the form that goes over the wire."""
    if type(value) is datetime:
        return written_time(value)
    if type(value) is date:
        return value.isoformat()
    return value


def attribute(source: object, info: Info, **_arguments: object) -> object:
    """The default: the attribute that is named like the field."""
    value = getattr(source, snake(info.field_name))
    if isinstance(value, Node):
        caller: Caller = info.context
        if not caller.sees(value):
            return None
    return written(value)


def page(
    caller: Caller,
    rows: Iterable[Node],
    *,
    filter: Filter | None = None,  # noqa: A002 - the schema's name of the argument
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    includeArchived: bool | None = None,  # noqa: N803 - the schema's name
    orderBy: str | None = None,  # noqa: N803 - the schema's name
    **_rest: object,
) -> Page:
    """One page of `rows`, newest first. A cursor holds its row's place as the row is now."""
    for name, size in (("first", first), ("last", last)):
        if size is not None and not 0 < size <= MAX_PAGE:
            raise invalid_input(f"{name} must be between 1 and {MAX_PAGE}")
    if first is not None and last is not None:
        raise invalid_input("first and last cannot be combined")
    kept = [each for each in rows if includeArchived or each.archived_at is None]
    if filter and kept:
        fits = compile_filter(filter, caller.truth.now())
        kept = [each for each in kept if fits(each)]
    if caller.denied:
        kept = [each for each in kept if caller.sees(each)]
    if not kept:
        return EMPTY
    key = order_key(orderBy)
    if len(kept) > 1:
        kept.sort(key=key, reverse=True)
    start, end = 0, len(kept)
    if after is not None:
        place = key(_place(caller, after))
        start = next((i for i, each in enumerate(kept) if key(each) < place), end)
    if before is not None:
        place = key(_place(caller, before))
        end = next((i for i, each in enumerate(kept) if key(each) <= place), end)
    if last is not None:
        low, high = max(start, end - last), end
    else:
        low, high = start, min(end, start + (first or DEFAULT_PAGE))
    nodes = kept[low:high]
    if not nodes:
        return Page((), PageInfo(has_previous_page=low > 0))
    return Page(
        nodes,
        PageInfo(
            has_next_page=high < len(kept),
            has_previous_page=low > 0,
            start_cursor=nodes[0].id,
            end_cursor=nodes[-1].id,
        ),
    )


def _place(caller: Caller, cursor: str) -> Node:
    node = caller.truth.nodes.get(cursor) or caller.truth.buried.get(cursor)
    if node is None:
        raise invalid_input(f"Cursor {cursor!r} is not valid")
    return node


def listing(rows: Callable[[Truth], Iterable[Node]]) -> Resolver:
    """A listing at the root of the schema."""

    def resolve(_source: object, info: Info, **arguments: Any) -> Page:
        caller: Caller = info.context
        return page(caller, rows(caller.truth), **arguments)

    return resolve


def below(name: str) -> Resolver:
    """A listing below an object: the list that it holds under that attribute."""

    def resolve(source: object, info: Info, **arguments: Any) -> Page:
        rows: Sequence[Node] = getattr(source, name)
        return page(info.context, rows, **arguments) if rows else EMPTY

    return resolve


def by_id(what: str, table: Callable[[Truth], Mapping[str, Node]]) -> Resolver:
    """A look-up by id; an issue is found by its identifier too."""

    def resolve(_source: object, info: Info, **arguments: Any) -> Node:
        caller: Caller = info.context
        named = str(arguments["id"])
        node = table(caller.truth).get(named)
        if node is None and what == "Issue":
            node = caller.truth.aliases.get(named.upper())
        if node is None or not caller.sees(node):
            raise not_found(what)
        return node

    return resolve


def _for_url(_source: object, info: Info, **arguments: Any) -> Page:
    caller: Caller = info.context
    url = arguments.pop("url")
    rows = [each for each in caller.truth.attachments.values() if each.url == url]
    return page(caller, rows, **arguments)


def _of_team(kind: str) -> Resolver:
    def resolve(source: Any, info: Info, **arguments: Any) -> Page:
        caller: Caller = info.context
        if kind == "issues":
            rows: list[Node] = [e for e in caller.truth.issues.values() if e.team is source]
        else:
            rows = [e for e in caller.truth.projects.values() if source in e.teams]
        return page(caller, rows, **arguments)

    return resolve


def _issue_count(source: Any, info: Info, **arguments: Any) -> int:
    caller: Caller = info.context
    archived = bool(arguments.get("includeArchived"))
    return sum(
        1
        for each in caller.truth.issues.values()
        if each.team is source and (archived or each.archived_at is None)
    )


@dataclass(frozen=True, slots=True)
class _RateLimitStatus:
    identifier: str
    kind: str
    limits: Sequence[Limit]


def _rate_limit_status(_source: object, info: Info) -> _RateLimitStatus:
    caller: Caller = info.context
    return _RateLimitStatus(caller.truth.viewer.id, "apiKey", caller.limits())


FIELDS: dict[str, dict[str, Resolver]] = {
    "Query": {
        "attachment": by_id("Attachment", lambda truth: truth.attachments),
        "attachments": listing(lambda truth: truth.attachments.values()),
        "attachmentsForURL": _for_url,
        "entityExternalLink": by_id("EntityExternalLink", lambda truth: truth.external_links),
        "initiative": by_id("Initiative", lambda truth: truth.initiatives),
        "initiatives": listing(lambda truth: truth.initiatives.values()),
        "issue": by_id("Issue", lambda truth: truth.issues),
        "issueLabels": listing(lambda truth: truth.labels.values()),
        "issues": listing(lambda truth: truth.issues.values()),
        "organization": lambda _source, info: info.context.truth.organization,
        "project": by_id("Project", lambda truth: truth.projects),
        "projectStatuses": listing(lambda truth: truth.project_statuses.values()),
        "projectUpdate": by_id("ProjectUpdate", lambda truth: truth.project_updates),
        "projectUpdates": listing(lambda truth: truth.project_updates.values()),
        "projects": listing(lambda truth: truth.projects.values()),
        "rateLimitStatus": _rate_limit_status,
        "team": by_id("Team", lambda truth: truth.teams),
        "teams": listing(lambda truth: truth.teams.values()),
        "user": by_id("User", lambda truth: truth.users),
        "users": listing(lambda truth: truth.users.values()),
        "viewer": lambda _source, info: info.context.truth.viewer,
        "workflowStates": listing(lambda truth: truth.states.values()),
    },
    "Organization": {
        "createdIssueCount": lambda _source, info: len(info.context.truth.issues),
        "projectStatuses": lambda _source, info: list(info.context.truth.project_statuses.values()),
        "teams": listing(lambda truth: truth.teams.values()),
        "userCount": lambda _source, info: len(info.context.truth.users),
        "users": listing(lambda truth: truth.users.values()),
    },
    "Team": {
        "issueCount": _issue_count,
        "issues": _of_team("issues"),
        "projects": _of_team("projects"),
        "states": below("states"),
    },
    "Issue": {
        name: below(snake(name))
        for name in ("attachments", "children", "inverseRelations", "labels", "relations")
    },
    "Project": {
        name: below(snake(name))
        for name in ("externalLinks", "initiatives", "issues", "projectUpdates", "teams")
    },
    "Initiative": {name: below(snake(name)) for name in ("links", "projects", "subInitiatives")},
}
