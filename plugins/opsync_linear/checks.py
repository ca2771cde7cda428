"""`opsync doctor` for Linear: one query tells nearly everything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from msgspec import Struct

from opsync import Check, Context, OpsyncError
from opsync_linear import queries
from opsync_linear.dialect import KEYS, POINTS_PER_QUERY, TEAM_HINT, WRITE_HINT, ask
from opsync_linear.queries import ROOTS
from opsync_linear.settings import LinearSettings
from opsync_linear.wire import Data, Nodes, Organization, Team

CHECK = """query Check {
  viewer { id name guest }
  organization { urlKey }
  teams(first: 250) { nodes { id key name visibility } pageInfo { hasNextPage } }
  rateLimitStatus { kind limits { type allowedAmount remainingAmount } }
}"""

_EXPOSED = {
    "nothing": "not named",
    "key": "named by their keys only",
    "title": "named by key and title",
}

LOW = 0.2
"""Below this share of a limit doctor warns: the client leaves as much to others."""


class _Viewer(Struct, frozen=True):
    id: str
    name: str
    guest: bool = False


class _Limit(Struct, frozen=True, rename="camel"):
    type: str
    allowed_amount: float
    remaining_amount: float


class _Limits(Struct, frozen=True):
    kind: str
    limits: tuple[_Limit, ...] = ()


class _Answer(Struct, frozen=True, rename="camel"):
    viewer: _Viewer
    organization: Organization
    teams: Nodes[Team]
    rate_limit_status: _Limits


async def doctor(settings: LinearSettings, context: Context) -> AsyncIterator[Check]:
    """Sign-in, workspace, teams, permissions, limits. Stops after the sign-in if that fails."""
    try:
        answer = await ask(context, CHECK, {}, cost=400)
    except OpsyncError as error:
        yield Check.failed("Sign-in", error)
        return
    found = answer.decode(Data[_Answer]).data
    guest = ", a guest: it sees only the teams it was invited to" if found.viewer.guest else ""
    yield Check("Sign-in", "ok", f"Signed in as {found.viewer.name}{guest}.")
    yield _workspace(settings, found.organization.url_key)
    for check in _teams(settings, found.teams):
        yield check
    yield Check(
        "Permissions",
        "warn",
        "May read. Whether it may write shows with the first write only.",
        hint=WRITE_HINT,
        unproved=True,
    )
    for limit in found.rate_limit_status.limits:
        yield _limit(limit)
    yield _complexity(settings)


def _workspace(settings: LinearSettings, url_key: str) -> Check:
    if settings.workspace and settings.workspace.lower() != url_key.lower():
        return Check(
            "Workspace",
            "fail",
            f'The key belongs to "{url_key}", the configuration says "{settings.workspace}".',
            hint=f'Set workspace = "{url_key}", or create a key in "{settings.workspace}": {KEYS}.',
        )
    return Check("Workspace", "ok", f"linear.app/{url_key}.")


def _teams(settings: LinearSettings, teams: Nodes[Team]) -> Iterator[Check]:
    visible = {team.key: team for team in teams.nodes}
    missing = [key for key in settings.teams if key not in visible]
    if missing and not teams.page_info.has_next_page:
        yield Check(
            "Teams",
            "fail",
            f"Not visible: {', '.join(missing)}.",
            hint=f"Use the keys in front of the issue numbers (GRO for GRO-44). {TEAM_HINT}",
        )
    else:
        read = [key for key in visible if not settings.teams or key in settings.teams]
        if read:
            yield Check("Teams", "ok", f"Reads {', '.join(sorted(read))}.")
        else:
            yield Check("Teams", "fail", "The key sees no team.", hint=TEAM_HINT)
    private = sorted(t.key for t in visible.values() if t.private)
    yield Check(
        "Private teams",
        "ok",
        f"{', '.join(private)}: counted, and elsewhere {_EXPOSED[settings.expose]}."
        if private
        else "None visible to this key.",
    )


def _limit(limit: _Limit) -> Check:
    low = limit.remaining_amount < LOW * limit.allowed_amount
    return Check(
        f"Rate limit ({limit.type})",
        "warn" if low else "ok",
        f"{limit.remaining_amount:,.0f} of {limit.allowed_amount:,.0f} left.",
        hint="All keys of one person share it; a person of its own helps." if low else "",
    )


def _complexity(settings: LinearSettings) -> Check:
    share = (queries.FIRST, frozenset(ROOTS[:3])), (queries.ONLY_ISSUES, frozenset({"issues"}))
    cost = max(
        queries.cost_of_work(sizes.scaled(1.0, settings.page_size), roots, blocking=False)
        for sizes, roots in share
    )
    return Check(
        "Query size",
        "ok" if cost <= POINTS_PER_QUERY else "warn",
        f"{cost:,} of at most {POINTS_PER_QUERY:,} points.",
        hint="" if cost <= POINTS_PER_QUERY else "Set a smaller page_size.",
    )
