"""How everything stands, from the store alone: what `opsync status` shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct

from opsync.config import Config
from opsync.disagreements import Disagreement, DisagreementKind
from opsync.engine.adopted import Adopted, Shipped, adopted, shipped
from opsync.engine.catalog import Catalog
from opsync.engine.disagreeing import Disagreeing
from opsync.engine.freshness import failing_since, read_at
from opsync.engine.lookup import Lookup
from opsync.engine.owners import Owners
from opsync.engine.untold import alarms
from opsync.engine.veil import Veil
from opsync.model import Category, Health, Record, Rollup
from opsync.model.pause import Pause
from opsync.model.rules import Mode, RollupRule, mode_of
from opsync.report import OVER_LIMIT
from opsync.stages.health import percent_of
from opsync.store import METRICS, CursorState, RunRow, Store
from opsync.watch import Alarm

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

RUNS = 10
"""So many of the last runs are looked through for one that planned what to write."""

LOOK = "opsync look"
"""The command that plans nothing that is to be written."""


NEWS_DAYS = 28
"""What was released within so many days, and is measured, stands among the first."""


LATE = frozenset({"out of date", "not measured", "signed out"})
"""The alarms by which what stands of a connection is not to be relied on."""


class Initiative(Struct, frozen=True, kw_only=True):
    """One delivery summary. `done` of `total` leave canceled ones out; `percent` is 0 to 1, None
    where nothing counts. `says` is people's own status in `tool`; `disagrees` that it says
    otherwise than the numbers. `owner` is the one name of whoever owns it, "" where nobody does or
    where it is private. `released` is there once its own status is done; `adoption` has what is
    measured of it, the most telling first. `teams` are those whose work it counts, most of it
    first; of private work none is named."""

    ref: str
    rule: str
    title: str
    tool: str
    url: str
    done: int
    total: int
    in_progress: int
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
    teams: tuple[str, ...]
    says: str
    disagrees: bool
    owner: str
    released: Shipped | None
    adoption: tuple[Adopted, ...]


class Connection(Struct, frozen=True, kw_only=True):
    """One connection. `read_at` is the last time it was read to the end, None if never;
    `failing_since` the first failure after that, with its `error`, which also says why its plan was
    refused. `measured_at` is the last time
    its metrics were read, or found to be as they were, None where nothing is measured in it."""

    instance: str
    tool: str
    state: str
    """ "ok", "incomplete", "out of date" (red: it was not read in time, or refuses the sign-in),
    "over limit" (it was read, and is not written) or "never read"."""
    read_at: datetime | None
    failing_since: datetime | None
    error: str
    items: int
    measured_at: datetime | None


class LastRun(Struct, frozen=True, kw_only=True):
    """The last run; `outcome` is "" while it lasts."""

    run: int
    command: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str


class Overview(Struct, frozen=True, kw_only=True):
    """Everything on one screen.

    `waiting` counts values by why they wait (`changes`, `to_approve`, `failed`, `edited`,
    `removed`, `settled`, `held`), what is `set_aside`, and links that are `suggested`. `paused` is
    what a person stopped. `disagreements` counts by kind what people say against what is measured,
    as far as it is found without looking at all work. `alarms` are what is wrong with connections,
    tokens and owners, those that are red first.
    """

    at: datetime
    healthy: bool
    run: LastRun | None
    initiatives: tuple[Initiative, ...]
    connections: tuple[Connection, ...]
    waiting: Mapping[str, int]
    paused: tuple[Pause, ...]
    disagreements: Mapping[str, int]
    alarms: tuple[Alarm, ...]


async def overview(
    config: Config, store: Store, now: datetime, *, disagreeing: Disagreeing | None = None
) -> Overview:
    """Gather it. `disagreeing` looks into the same store on the same day, where there is one
    already: what it read is not read again. Asks no tool."""
    as_of = now.astimezone(config.zone).date()
    disagreeing = disagreeing or Disagreeing(Lookup(config, store), as_of)
    look = disagreeing.look
    veil = Veil(look)
    catalog = look.catalog
    counts = await store.counts()
    rollups = await disagreeing.summed()
    owners = await look.owners()
    initiatives = [
        _initiative(
            rollup,
            root,
            look.rules.get(rollup.rule),
            catalog,
            owners,
            disagreeing.of_rollup(rollup, root),
            await veil.missing(root, rollup.missing),
        )
        for rollup, root in rollups
    ]
    news = as_of - timedelta(days=NEWS_DAYS)
    initiatives.sort(key=lambda one: _urgency(one, news))
    kinds = Counter(one.kind.value for one, _ in disagreeing.of_rollups(rollups))
    kinds[DisagreementKind.one_side.value] = len(await disagreeing.one_sided())
    kinds[DisagreementKind.owner_left.value] = len(await disagreeing.owners_left())
    runs = await store.last_runs(RUNS)
    aside = [one for name, one in (await store.aside_counts()).items() if name in config.instances]
    waiting = {
        **await store.waiting(await proposing(config, store)),
        "set_aside": sum(one.items for one in aside),
        "suggested": await store.suggested(),
    }
    wrong = await alarms(config, store, now)
    cursors = await store.cursors()
    standing = connections(config, catalog, cursors, counts, refused(runs), wrong)
    return Overview(
        at=now,
        healthy=bool(runs)
        and all(one.state == "ok" for one in standing)
        and not any(one.state == "fail" for one in wrong)
        and not aside,
        run=last_run(runs[0]) if runs else None,
        initiatives=tuple(initiatives),
        connections=standing,
        waiting={why: count for why, count in sorted(waiting.items()) if count},
        paused=(await store.pauses()).found,
        disagreements={kind: count for kind, count in sorted(kinds.items()) if count},
        alarms=wrong,
    )


async def proposing(config: Config, store: Store) -> Callable[[str], bool]:
    """Tells of a rule, configured still or not, whether each of its values waits for approval."""
    modes, approved = config.modes, (await store.approved()).rules
    return lambda rule: mode_of(rule, modes) is Mode.propose and rule not in approved


def unread(config: Config, now: datetime) -> Overview:
    """The same before the first run, when there is no store."""
    return Overview(
        at=now,
        healthy=False,
        run=None,
        initiatives=(),
        connections=connections(config, Catalog(config), (), {}),
        waiting={},
        paused=(),
        disagreements={},
        alarms=(),
    )


def _urgency(one: Initiative, news: date) -> tuple[bool, bool, bool, int, str]:
    """What is late comes first, then what people should hear of: what they say otherwise, and
    what was released since `news`."""
    late = one.health in (Health.off_track, Health.at_risk)
    on = one.released.on if one.released else None
    new = on is not None and on >= news and bool(one.adoption)
    place = URGENCY.index(one.health)
    return not late, not one.disagrees, not new, place, one.title.casefold()


def last_run(row: RunRow) -> LastRun:
    """A run as screens show it."""
    return LastRun(
        run=row.seq,
        command=row.command,
        started_at=row.started_at,
        finished_at=row.finished_at,
        outcome=row.outcome,
    )


def refused(runs: Sequence[RunRow]) -> Mapping[str, str]:
    """The instances of which the plan was refused whole, and why, by the newest of these runs
    that planned what to write and is over."""
    for row in runs:
        if row.finished_at is not None and row.command != LOOK:
            return {one.instance: one.message for one in row.instances if one.outcome == OVER_LIMIT}
    return {}


def connections(
    config: Config,
    catalog: Catalog,
    cursors: Sequence[CursorState],
    counts: Mapping[str, int],
    refused: Mapping[str, str] | None = None,
    alarms: Sequence[Alarm] = (),
) -> tuple[Connection, ...]:
    """All that are configured, with what was read of each (`counts` as the store has them), and
    why the plan of one was refused."""
    over = refused or {}
    found = []
    late = {one.connection for one in alarms if one.kind in LATE}
    for name in config.instances:
        feeds = [one for one in cursors if one.instance == name]
        failing = [one for one in feeds if one.failed_since is not None]
        failing.sort(key=lambda one: one.feed == METRICS)
        read = [one for one in feeds if one.completed_at is not None]
        complete = len(read) == len([one for one in feeds if one.feed])
        state = "incomplete" if failing else "ok" if read and complete else "never read"
        state = "out of date" if name in late else state
        if state == "ok" and name in over:
            state = OVER_LIMIT
        found.append(
            Connection(
                instance=name,
                tool=catalog.tool(name),
                state=state,
                read_at=read_at(feeds),
                failing_since=failing_since(feeds),
                error=_error(failing[0]) if failing else over.get(name, ""),
                items=sum(n for key, n in counts.items() if key.startswith(f"records.{name}.")),
                measured_at=read_at(one for one in feeds if one.feed == METRICS),
            )
        )
    return tuple(found)


def _error(failing: CursorState) -> str:
    """Why a feed failed. What was measured stays, and is told with its day."""
    return f"nothing new is measured: {failing.error}" if failing.feed == METRICS else failing.error


def _initiative(
    rollup: Rollup,
    root: Record,
    rule: RollupRule | None,
    catalog: Catalog,
    owners: Owners,
    found: Disagreement | None,
    missing: tuple[str, ...],
) -> Initiative:
    item = catalog.item(root)
    return Initiative(
        ref=item.ref,
        rule=rollup.rule,
        title=item.label,
        tool=item.tool,
        url=item.url,
        done=rollup.done,
        total=rollup.total,
        in_progress=rollup.counts.get(Category.in_progress, 0),
        canceled=rollup.canceled,
        blocked=rollup.blocked,
        private=rollup.private,
        percent=percent_of(rollup),
        health=rollup.health,
        reason=rollup.reason,
        due_on=rollup.due_on,
        done_since=rollup.done_since,
        scope_added=rollup.scope_added,
        missing=missing,
        instances=rollup.instances,
        teams=tuple(one.name for one in rollup.spaces),
        says=item.status,
        disagrees=found is not None and found.kind is DisagreementKind.status,
        owner=owners.name(root),
        released=shipped(rollup, rule),
        adoption=adopted(rollup, root, rule, catalog),
    )
