"""Reading what stands on an issue, a project or an initiative, by id."""

from __future__ import annotations

from msgspec import Struct

from opsync import Context, Ref
from opsync_linear import queries
from opsync_linear.dialect import ask
from opsync_linear.wire import Attachment, Data, ExternalLink, Nodes

LISTED = 250
"""Links or attachments of one object that are looked at."""


class _Issue(Struct, frozen=True):
    attachments: Nodes[Attachment]


class _Project(Struct, frozen=True, rename="camel"):
    external_links: Nodes[ExternalLink]


class _Initiative(Struct, frozen=True):
    links: Nodes[ExternalLink]


class _Found(Struct, frozen=True):
    issues: Nodes[_Issue] = Nodes()
    projects: Nodes[_Project] = Nodes()
    initiatives: Nodes[_Initiative] = Nodes()


async def attachments_of(context: Context, issue: Ref) -> tuple[Attachment, ...] | None:
    """The attachments of an issue; None if it is gone or hidden."""
    variables = {"filter": queries.by_id([issue.id]), "listed": LISTED}
    answer = await ask(context, queries.ATTACHMENTS_OF, variables, cost=5 + 1.5 * LISTED)
    rows = answer.decode(Data[_Found]).data.issues.nodes
    return rows[0].attachments.nodes if rows else None


async def links_of(context: Context, target: Ref) -> tuple[ExternalLink, ...] | None:
    """The links of a project or an initiative; None if it is gone or hidden."""
    variables = {"filter": queries.by_id([target.id]), "listed": LISTED}
    query = queries.LINKS_OF_PROJECT if target.stream == "project" else queries.LINKS_OF_INITIATIVE
    answer = await ask(context, query, variables, cost=5 + 1.3 * LISTED)
    found = answer.decode(Data[_Found]).data
    for project in found.projects.nodes:
        return project.external_links.nodes
    for initiative in found.initiatives.nodes:
        return initiative.links.nodes
    return None


async def is_shown(context: Context, target: Ref) -> bool:
    """Whether an issue, project or initiative is there, and not hidden from the token."""
    standing = attachments_of if target.stream == "issue" else links_of
    return await standing(context, target) is not None
