"""Reading Linear: issues, projects and initiatives together, newest change first.

Listings come newest first and cannot be turned round, so what changes during a walk jumps to its
front: the latest time on the first page is how far the walk reaches, and it counts only once the
walk has completed.

A blocker that is finished is no change of the issue that it blocked, so a run that asks what
changed also reads again what changed blockers block. Lists below an object that are longer than
asked for are read in full by id. Not seen by asking what changed: attachments and links that were
deleted, links that were edited, states and teams that were renamed. A full read shows them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence, Set
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from opsync import (
    Answer,
    BadAnswer,
    Batch,
    Context,
    Item,
    SignInError,
    ahead,
)
from opsync_linear import queries
from opsync_linear.decode import decode
from opsync_linear.dialect import KEYS, TooComplex, ask
from opsync_linear.long import LongOnes
from opsync_linear.queries import NOTHING_SOUGHT, ROOTS, Sizes, Sought
from opsync_linear.scope import Scope, outside, project_filter
from opsync_linear.settings import LinearSettings
from opsync_linear.wire import (
    Data,
    Initiative,
    Issue,
    Organization,
    PageInfo,
    Project,
    Tails,
    Work,
)

SHARE = "page_share"
"""Kept: which part of the usual page Linear accepted, where it found the query too complex."""
WORKSPACE = "workspace"
"""Kept: the workspace's name in URLs."""
REACH = "reach"
"""Kept: the latest change that the last complete walk saw."""

SMALLEST_SHARE = 1 / 64
SAME_CURSOR = 2
"""So often a cursor may come again: its row may jump to the front once. More is a loop."""
_STREAMS = {"issues": "issue", "projects": "project", "initiatives": "initiative"}

T = TypeVar("T", Issue, Project, Initiative)


class Reader:
    """One walk over all that changed."""

    def __init__(self, settings: LinearSettings, context: Context, since: datetime | None) -> None:
        self._settings = settings
        self._context = context
        self._poll = since is not None
        self._roots = frozenset(ROOTS if self._poll else ROOTS[:3])
        self._scope = Scope(settings, context.instance)
        self._filters = self._scope.filters(since, narrow=since is None)
        self._reach = _reach(context.kept)
        self._long = LongOnes(context.kept, settings.overlap_s)
        self._later: dict[str, set[str]] = {stream: set() for stream in _STREAMS.values()}
        self._cut = False
        """Whether the last answer by id left some of them out."""
        self._sent: set[str] = set()
        """Ids of the issues that this poll has handed out."""

    async def batches(self) -> AsyncIterator[Batch]:
        """All pages, then what has to be read again by id."""
        high: datetime | None = None
        pages = 0
        async for batch in self._walk(self._filters, small=self._poll):
            high = high or batch.high
            pages += 1
            yield batch
        if not self._poll and pages > 1 and high is not None:
            # What changed during a long first read jumped over pages that were still to come.
            later = self._scope.filters(high, compared="gt", narrow=True)
            async for batch in self._walk(later, small=True):
                yield msgspec.structs.replace(batch, high=None)
        while (again := self._next_group()) is not None:
            yield await self._read_again(*again)
        if high is not None:
            self._context.kept[REACH] = high.isoformat()
            self._long.keep(high)

    async def _walk(
        self, filters: Mapping[str, Mapping[str, object]], *, small: bool
    ) -> AsyncIterator[Batch]:
        """The pages of all listings as batches; the first one says how far the walk reaches."""
        first = True
        async with aclosing(ahead(self._pages(filters, small=small))) as pages:
            async for answer in pages:
                work, broken = decode(answer)
                items = [*self._items(work), *broken]
                # Pages without any row go on to the core, which ends a listing of nothing else.
                if first or items or _is_empty(work):
                    yield Batch(items, high=_latest(work, answer.server_now) if first else None)
                first = False
                while (again := self._full_group()) is not None:
                    yield await self._read_again(*again)

    async def _pages(
        self, filters: Mapping[str, Mapping[str, object]], *, small: bool
    ) -> AsyncIterator[Answer]:
        """Each page as it came; only its end is looked at, so that the next can be asked for.

        `small` is for a walk that will hardly find more than a page.
        """
        open_roots: Set[str] = self._roots
        after: dict[str, str | None] = {}
        known: Counter[tuple[str, str]] = Counter()
        first = True
        while open_roots:
            sizes = queries.sizes_of_page(poll=small, first=first, roots=open_roots)
            answer = await self._work(
                sizes,
                open_roots,
                filters=filters,
                after=after,
                sought=self._sought() if first else NOTHING_SOUGHT,
            )
            tails = answer.decode(Data[Tails]).data
            self._learn(tails.organization)
            if tails.teams is not None:
                self._scope.check_teams({team.key for team in tails.teams.nodes})
            if tails.scope is not None:
                self._scope.check_projects(tails.scope.nodes)
            ends = {root: _end(tails, root) for root in open_roots}
            open_roots = {root for root, end in ends.items() if end.has_next_page}
            for root in open_roots:
                cursor = ends[root].end_cursor or ""
                known[root, cursor] += 1
                if not cursor or known[root, cursor] > SAME_CURSOR:
                    raise BadAnswer(
                        f"Linear's list of {root} does not end: it repeats its cursor.",
                        hint="The next pass begins again.",
                    )
                after[root] = cursor
            yield answer
            first = False

    async def _work(
        self,
        sizes: Sizes,
        roots: Set[str],
        *,
        filters: Mapping[str, Mapping[str, object]],
        after: Mapping[str, str | None],
        sought: Sought = NOTHING_SOUGHT,
    ) -> Answer:
        """One page; a smaller one where Linear finds the query too complex."""
        kept = self._context.kept
        while True:
            held = kept.get(SHARE)
            share = float(held) if isinstance(held, int | float) and 0 < held <= 1 else 1.0
            scaled = sizes.scaled(share, self._settings.page_size)
            try:
                return await ask(
                    self._context,
                    queries.WORK,
                    queries.variables(
                        scaled,
                        roots,
                        filters=filters,
                        after=after,
                        blocking=self._poll,
                        sought=sought,
                    ),
                    cost=queries.cost_of_work(scaled, roots, blocking=self._poll, sought=sought),
                )
            except TooComplex:
                if share <= SMALLEST_SHARE:
                    raise
                kept[SHARE] = share / 2

    def _learn(self, organization: Organization | None) -> None:
        if organization is None:
            return
        asked, own = self._settings.workspace, organization.url_key
        if asked and asked.lower() != own.lower():
            raise SignInError(
                f"The key of {self._context.instance} belongs to the workspace {own!r}, and its "
                f"setting `workspace` says {asked!r}.",
                hint=f'Set workspace = "{own}", or create a key in {asked!r}: {KEYS}.',
            )
        self._context.kept[WORKSPACE] = organization.url_key

    def _sought(self) -> Sought:
        projects = self._settings.projects
        return Sought(self._settings.teams, projects, project_filter(projects))

    def _items(self, work: Work) -> Iterable[Item]:
        """The rows of a page, each once; those with cut lists are noted to be read again."""
        for issue in work.issues.nodes:
            yield from self._issue(issue)
        for attached in work.attachments.nodes:
            fresh = self._reach is None or attached.updated_at > self._reach
            yield from self._issue(attached.issue, fresh=fresh)
        for project in work.projects.nodes:
            yield from self._item("project", project)
        for initiative in work.initiatives.nodes:
            yield from self._item("initiative", initiative)

    def _issue(self, issue: Issue, *, fresh: bool = False) -> Iterable[Item]:
        if issue.id in self._sent:
            return
        if self._poll:
            self._note_blocked(issue)
        yield from self._item("issue", issue, fresh=fresh)

    def _item(
        self, stream: str, raw: Issue | Project | Initiative, *, fresh: bool = False
    ) -> Iterable[Item]:
        """The object, if its lists are whole. `fresh`: attachments changed since it was read."""
        if not self._scope.has(raw):
            if self._poll:
                yield Item(stream, raw.id, outside(raw))
            return
        if raw.cut:
            if fresh or not (self._poll and self._long.stands(raw)):
                self._later[stream].add(raw.id)
            return
        if self._poll and stream == "issue":
            self._sent.add(raw.id)
        yield Item(stream, raw.id, raw)

    def _note_blocked(self, issue: Issue) -> None:
        """Have the issues read again that an issue blocks which changed since the last walk."""
        if self._reach is None or issue.updated_at > self._reach:
            blocked = [r.related_issue.id for r in issue.relations.nodes if r.type == "blocks"]
            self._later["issue"].update(blocked)

    def _full_group(self) -> tuple[str, list[str]] | None:
        """A group that is as large as one request may be, so that few ids are held."""
        for stream, ids in self._later.items():
            if len(ids) >= group_size(stream):
                return self._next_group()
        return None

    def _next_group(self) -> tuple[str, list[str]] | None:
        self._later["issue"] -= self._sent
        for stream, ids in sorted(self._later.items(), key=lambda each: -len(each[1])):
            if ids:
                group = sorted(ids)[: group_size(stream)]
                ids.difference_update(group)
                return stream, group
        return None

    async def look_up(self, stream: str, ids: Sequence[str]) -> list[Item]:
        """Objects by id, at most `group_size` of them; also what is not in scope, which says so.

        What is not among them is not there: a page that Linear, or the settings, made smaller than
        the question is asked for again in halves.
        """
        batch = await self._read_again(stream, ids, self._sought())
        if not self._cut:
            return list(batch.items)
        half = len(ids) // 2
        if not half:
            raise BadAnswer(f"Linear answers more than one {stream} of one id.")
        found = await self.look_up(stream, ids[:half])
        return found + await self.look_up(stream, ids[half:])

    async def _read_again(
        self, stream: str, ids: Sequence[str], sought: Sought = NOTHING_SOUGHT
    ) -> Batch:
        """Objects by id with their whole lists, as far as Linear gives them in one go."""
        root = next(root for root, name in _STREAMS.items() if name == stream)
        answer = await self._work(
            queries.LONG, {root}, filters={root: queries.by_id(ids)}, after={}, sought=sought
        )
        tails = answer.decode(Data[Tails]).data
        self._cut = _end(tails, root).has_next_page
        if sought.projects:
            self._scope.check_projects(tails.scope.nodes if tails.scope is not None else ())
        work, broken = decode(answer)
        rows: Sequence[Issue | Project | Initiative] = getattr(work, root).nodes
        wanted = [raw for raw in rows if self._scope.has(raw)]
        self._long.read(wanted)
        for raw in wanted:
            if self._poll and isinstance(raw, Issue):
                self._note_blocked(raw)  # all that it blocks, of which the page showed some
        found = [Item(stream, raw.id, raw) for raw in wanted]
        if self._poll:
            others = (raw for raw in rows if not self._scope.has(raw))
            found += [Item(stream, raw.id, outside(raw)) for raw in others]
            self._sent.update(ids)
        return Batch([*found, *broken])


def group_size(stream: str) -> int:
    """How many objects one request may read by id."""
    return queries.LONG.issues if stream == "issue" else queries.LONG.projects


def _end(tails: Tails, root: str) -> PageInfo:
    tail = getattr(tails, root)
    if tail is None:
        raise BadAnswer(f"Linear's answer has no {root}.")
    info: PageInfo = tail.page_info
    return info


def _is_empty(work: Work) -> bool:
    return not any(getattr(work, root).nodes for root in ROOTS)


def _latest(work: Work, now: datetime) -> datetime | None:
    """The latest change on a page, but never later than `now`, Linear's own clock in seconds.

    A cursor in the future would miss all that changes until then.
    """
    rows = (work.issues, work.projects, work.initiatives, work.attachments)
    latest = max((row.updated_at for each in rows for row in each.nodes), default=None)
    return None if latest is None else min(latest, now + timedelta(seconds=1))


def _reach(kept: Mapping[str, Any]) -> datetime | None:
    held = kept.get(REACH)
    try:
        return datetime.fromisoformat(held) if isinstance(held, str) else None
    except ValueError:
        return None


def learned(kept: Mapping[str, Any]) -> str:
    """The workspace's name in URLs as the API told it; "" before the first answer."""
    name = kept.get(WORKSPACE)
    return name if isinstance(name, str) else ""
