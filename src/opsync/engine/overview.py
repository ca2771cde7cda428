"""How everything stands, from the store alone: what `opsync status` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct

from opsync.config import Config
from opsync.engine.catalog import Catalog
from opsync.engine.freshness import failing_since, read_at
from opsync.model import Category, Health, Record, Rollup
from opsync.stages.rollup import percent_of
from opsync.store import CursorState, RunRow, Store

URGENCY = (
    Health.off_track,
    Health.at_risk,
    Health.on_track,
    Health.not_started,
    Health.paused,
    Health.done,
    Health.no_linked_work,
)
"""The order of initiatives on a screen: what needs somebody comes first."""

FINE = frozenset({"on track", "ontrack", "ok", "good", "green", "healthy"})
"""People's status names that say that all is well."""


class Initiative(Struct, frozen=True, kw_only=True):
    """One delivery summary. `done` of `total` leave canceled ones out; `percent` is 0 to 1, None
    where nothing counts. `says` is people's own status in `tool`; `disagrees` that it says
    otherwise than the numbers."""

    ref: str
    rule: str
    title: str
    tool: str
    url: str
    done: int
    total: int
    canceled: int
    blocked: int
    private: int
    percent: float | None
    health: Health
    reason: str
    due_on: date | None
    done_since: date | None
    scope_added: int
    missing: tuple[str, ...]
    instances: tuple[str, ...]
    says: str
    disagrees: bool


class Connection(Struct, frozen=True, kw_only=True):
    """One connection. `read_at` is the last time it was read to the end, None if never;
    `failing_since` the first failure after that, with its `error`."""

    instance: str
    tool: str
    state: str
    """ "ok", "incomplete" or "never read"."""
    read_at: datetime | None
    failing_since: datetime | None
    error: str
    items: int


class LastRun(Struct, frozen=True, kw_only=True):
    """The last run; `outcome` is "" while it lasts."""

    run: int
    command: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str


class Overview(Struct, frozen=True, kw_only=True):
    """Everything on one screen. `waiting` counts values by why they wait (`changes`, `failed`,
    `edited`, `removed`, `held`), what is `set_aside`, and links that are `suggested`."""

    at: datetime
    healthy: bool
    run: LastRun | None
    initiatives: tuple[Initiative, ...]
    connections: tuple[Connection, ...]
    waiting: Mapping[str, int]


async def overview(config: Config, store: Store, now: datetime) -> Overview:
    """Gather it. Asks no tool."""
    catalog = Catalog(config)
    counts = await store.counts()
    connections = _connections(config, catalog, await store.cursors(), counts)
    initiatives = []
    for rollup in await store.rollups():
        root = await store.record(rollup.root)
        if root is not None:
            initiatives.append(_initiative(rollup, root, catalog))
    initiatives.sort(key=_urgency)
    runs = await store.last_runs(1)
    waiting = {
        **await store.waiting(),
        "set_aside": counts.get("quarantine", 0),
        "suggested": await store.suggested(),
    }
    return Overview(
        at=now,
        healthy=bool(runs) and all(one.state == "ok" for one in connections),
        run=_run(runs[0]) if runs else None,
        initiatives=tuple(initiatives),
        connections=connections,
        waiting={why: count for why, count in sorted(waiting.items()) if count},
    )


def unread(config: Config, now: datetime) -> Overview:
    """The same before the first run, when there is no store."""
    return Overview(
        at=now,
        healthy=False,
        run=None,
        initiatives=(),
        connections=_connections(config, Catalog(config), (), {}),
        waiting={},
    )


def _urgency(one: Initiative) -> tuple[bool, bool, int, str]:
    """What is late comes first, then what people should hear of."""
    late = one.health in (Health.off_track, Health.at_risk)
    return not late, not one.disagrees, URGENCY.index(one.health), one.title.casefold()


def _run(row: RunRow) -> LastRun:
    return LastRun(
        run=row.seq,
        command=row.command,
        started_at=row.started_at,
        finished_at=row.finished_at,
        outcome=row.outcome,
    )


def _connections(
    config: Config, catalog: Catalog, cursors: Sequence[CursorState], counts: Mapping[str, int]
) -> tuple[Connection, ...]:
    found = []
    for name in config.instances:
        feeds = [one for one in cursors if one.instance == name]
        failing = [one for one in feeds if one.failed_since is not None]
        read = [one for one in feeds if one.completed_at is not None]
        complete = len(read) == len([one for one in feeds if one.feed])
        state = "incomplete" if failing else "ok" if read and complete else "never read"
        found.append(
            Connection(
                instance=name,
                tool=catalog.tool(name),
                state=state,
                read_at=read_at(feeds),
                failing_since=failing_since(feeds),
                error=failing[0].error if failing else "",
                items=sum(n for key, n in counts.items() if key.startswith(f"records.{name}.")),
            )
        )
    return tuple(found)


def _initiative(rollup: Rollup, root: Record, catalog: Catalog) -> Initiative:
    item = catalog.item(root)
    return Initiative(
        ref=item.ref,
        rule=rollup.rule,
        title=item.label,
        tool=item.tool,
        url=item.url,
        done=rollup.done,
        total=rollup.total,
        canceled=rollup.canceled,
        blocked=rollup.blocked,
        private=rollup.private,
        percent=percent_of(rollup),
        health=rollup.health,
        reason=rollup.reason,
        due_on=rollup.due_on,
        done_since=rollup.done_since,
        scope_added=rollup.scope_added,
        missing=rollup.missing,
        instances=rollup.instances,
        says=item.status,
        disagrees=disagrees(root, rollup),
    )


def disagrees(root: Record, rollup: Rollup) -> bool:
    """Whether people's own status plainly says otherwise than the numbers.

    It does when one says done and the other does not, or when people say that all is well
    (`FINE`) of what is at risk or off track. Everything else is left to people.
    """
    if root.status is None or rollup.health is Health.no_linked_work:
        return False
    if rollup.health is Health.done:
        return root.category not in (Category.done, Category.canceled)
    if root.category is Category.done:
        return True
    late = rollup.health in (Health.at_risk, Health.off_track)
    return late and root.status.name.strip().casefold() in FINE
