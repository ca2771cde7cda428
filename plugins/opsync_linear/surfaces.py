"""What opsync may write in Linear: links on issues, links and rollups on projects and initiatives.

Attachments are upserts on (issue, url), and reading an issue shows them. External links are no
upserts, so a create carries an id of its own; a change of theirs is no change of the project, so
they are read before each write.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

from opsync import (
    Change,
    Content,
    Context,
    Edits,
    Kind,
    LinkContent,
    NotFound,
    OpsyncError,
    Outcome,
    OutcomeKind,
    Record,
    RollupContent,
    Seen,
    Surface,
    Value,
)
from opsync_linear import updates, values
from opsync_linear.batch import Done, Op, run
from opsync_linear.marks import EXTERNAL, LINK, ROLLUP, UPDATE
from opsync_linear.settings import LinearSettings
from opsync_linear.standing import LISTED, attachments_of, is_shown, links_of
from opsync_linear.writes import REMOVED, outcome, plan, replaces

_CONTAINERS = frozenset({Kind.project, Kind.initiative})

SURFACES = (
    Surface(LINK, "link", frozenset({Kind.issue}), ("attachments",), title="Link", pulled=True),
    Surface(EXTERNAL, "link", _CONTAINERS, ("externalLinks", "links"), title="Link"),
    Surface(
        ROLLUP,
        "rollup",
        _CONTAINERS,
        ("externalLinks", "links"),
        title="Roadmap link",
        edits=Edits.propose,
    ),
    Surface(
        UPDATE,
        "rollup",
        frozenset({Kind.project}),
        ("projectUpdates",),
        title="Project update",
        notifies=True,
    ),
)
ALIASES = 50
"""Mutations in one request at most: about 110 points, far from every known limit."""
HIDDEN = "Linear: what it is on is gone, or hidden from this token."


def render(
    settings: LinearSettings,
    surface: str,
    target: Record,
    content: Content,
) -> Value:
    """The canonical value for a place; None where nothing should stand there."""
    if surface == LINK and isinstance(content, LinkContent):
        return values.of_link(content)
    if surface == EXTERNAL and isinstance(content, LinkContent):
        return values.of_label(content.card.url, content.title)
    if surface == ROLLUP and isinstance(content, RollupContent):
        return values.of_rollup(content)
    if surface == UPDATE and isinstance(content, RollupContent) and settings.project_updates:
        return updates.render(content)
    return None


def address(surface: str, value: Value) -> str:
    """Links and rollups are told apart by their URL; of updates a project has one."""
    return "" if surface == UPDATE else values.part(value, "url")


async def observe(settings: LinearSettings, context: Context, target: Record) -> Sequence[Seen]:
    """What stands on one issue, project or initiative. NotFound when it is gone or hidden."""
    if target.ref.stream == "issue":
        attachments = await attachments_of(context, target.ref)
        if attachments is None:
            raise NotFound(f"Linear: {target.key} is gone, or hidden from this token.")
        return [values.seen_attachment(each) for each in attachments]
    links = await links_of(context, target.ref)
    if links is None:
        raise NotFound(f"Linear: {target.title!r} is gone, or hidden from this token.")
    seen = [values.seen_external_link(each) for each in links]
    if settings.project_updates and target.kind == Kind.project:
        seen += await updates.observe(context, target.ref)
    return seen


async def apply(context: Context, changes: Sequence[Change]) -> AsyncIterator[Outcome]:
    """Write the changes of up to a batch of targets in as few requests as possible."""
    planned: dict[str, list[Op]] = {}
    for change in changes:
        found = updates.plan(context, change) if _posts(change) else plan(change)
        if isinstance(found, Outcome):
            yield found
        elif replaces(change) and await _is_taken_away(context, change):
            yield Outcome(change=change.id, kind=OutcomeKind.conflicted, message=REMOVED)
        else:
            planned[change.id] = found
    by_id = {change.id: change for change in changes}
    for group in _groups(planned):
        done: list[Done] = []
        stopped: OpsyncError | None = None
        try:
            await run(context, group, done)
        except OpsyncError as error:
            stopped = error
        results: dict[str, list[Done]] = {op.change: [] for op in group}
        for one in done:
            results[one.op.change].append(one)
        # Those that ask for more come last: what is known of the others is told whatever happens.
        for id_, came in sorted(results.items(), key=lambda each: any(d.missing for d in each[1])):
            if stopped is not None and not came:
                continue
            written = outcome(by_id[id_], planned[id_], came)
            target = by_id[id_].slot.target
            if any(done.missing for done in came) and not await is_shown(context, target):
                # What is hidden along with what it is on stands there still.
                written = Outcome(change=id_, kind=OutcomeKind.failed, message=HIDDEN)
            if _posts(by_id[id_]):
                written = updates.note(context, by_id[id_], written)
            yield written
        if stopped is not None:
            raise stopped


async def _is_taken_away(context: Context, change: Change) -> bool:
    """Whether the attachment that a new one is to replace is not there any more."""
    standing = await attachments_of(context, change.slot.target)
    if standing is None or len(standing) >= LISTED:
        return False
    return all(one.id != change.remote_id for one in standing)


def _posts(change: Change) -> bool:
    return change.slot.surface == UPDATE


def _groups(planned: Mapping[str, Sequence[Op]]) -> Iterator[list[Op]]:
    """The ops in requests of at most `ALIASES`, those of one change together."""
    group: list[Op] = []
    for ops in planned.values():
        if group and len(group) + len(ops) > ALIASES:
            yield group
            group = []
        group += ops
    if group:
        yield group
