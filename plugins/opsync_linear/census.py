"""What vanished from Linear: objects that were deleted for good, left the scope, or are hidden.

Linear lists the trash and the archive as well, and says which is which; what is in neither is gone,
or in a team that the key does not see any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from msgspec import Struct

from opsync import Absent, BadAnswer, Context, Item, Record, Ref
from opsync_linear import queries
from opsync_linear.dialect import ask
from opsync_linear.pull import SAME_CURSOR, Reader, group_size
from opsync_linear.scope import Scope
from opsync_linear.settings import LinearSettings
from opsync_linear.wire import Data, Nodes, TeamKey

_STREAMS = {"issues": "issue", "projects": "project", "initiatives": "initiative"}


class _Row(Struct, frozen=True):
    id: str
    trashed: bool | None = None


class _Ids(Struct, frozen=True):
    issues: Nodes[_Row] | None = None
    projects: Nodes[_Row] | None = None
    initiatives: Nodes[_Row] | None = None


class _Teams(Struct, frozen=True):
    teams: Nodes[TeamKey]


async def listing(
    settings: LinearSettings, context: Context
) -> AsyncGenerator[Sequence[Ref], None]:
    """The ids of all that is in scope and not in the trash, 250 of each kind a request."""
    filters = Scope(settings, context.instance).filters(None, narrow=True)
    open_roots = set(_STREAMS)
    after: dict[str, str] = {}
    known: Counter[tuple[str, str]] = Counter()
    while open_roots:
        answer = await ask(
            context,
            queries.IDS,
            queries.variables_of_ids(open_roots, filters=filters, after=after),
            cost=queries.cost_of_ids(open_roots),
        )
        ids = answer.decode(Data[_Ids]).data
        refs: list[Ref] = []
        for root in sorted(open_roots):
            found: Nodes[_Row] | None = getattr(ids, root)
            if found is None:
                raise BadAnswer(f"Linear's answer has no {root}.")
            refs += [
                Ref(context.instance, _STREAMS[root], row.id)
                for row in found.nodes
                if not row.trashed
            ]
            if not found.page_info.has_next_page:
                open_roots.discard(root)
                continue
            cursor = found.page_info.end_cursor or ""
            known[root, cursor] += 1
            if not cursor or known[root, cursor] >= SAME_CURSOR:
                raise BadAnswer(
                    f"Linear's list of {root} does not end: it repeats its cursor.",
                    hint="Nothing is concluded from it; the next run asks again.",
                )
            after[root] = cursor
        yield refs


async def look_up(
    settings: LinearSettings,
    context: Context,
    refs: Sequence[Ref],
    known: Mapping[Ref, Record],
    now: datetime,
) -> list[Item | Absent]:
    """What became of these objects, by id: what is in the trash or out of scope says so itself."""
    reader = Reader(settings, context, now)
    found: list[Item] = []
    ordered = sorted(refs, key=lambda ref: ref.stream)
    for stream, group in groupby(ordered, key=lambda ref: ref.stream):
        ids = [ref.id for ref in group]
        size = group_size(stream)
        for start in range(0, len(ids), size):
            found += await reader.look_up(stream, ids[start : start + size])
    there = {(item.stream, item.id) for item in found}
    absent = [ref for ref in refs if (ref.stream, ref.id) not in there and ref in known]
    teams = await _visible(context, {known[ref].space_key for ref in absent} - {""})
    return [*found, *(_absent(ref, known[ref], teams) for ref in absent)]


def _absent(ref: Ref, record: Record, teams: set[str]) -> Absent:
    """Why an object is in no listing. One without a team belongs to the whole workspace."""
    seen = record.space_key in teams if record.space_key else not record.private
    return Absent(ref, "deleted" if seen else "not visible")


async def _visible(context: Context, keys: set[str]) -> set[str]:
    """The teams among these that the key sees."""
    if not keys:
        return set()
    answer = await ask(
        context,
        queries.TEAMS,
        {"first": len(keys), "filter": {"key": {"in": sorted(keys)}}},
        cost=3 + len(keys),
    )
    return {team.key for team in answer.decode(Data[_Teams]).data.teams.nodes}
