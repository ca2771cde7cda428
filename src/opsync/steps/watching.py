"""Watch: what the store knows of each connection's health, and what a pass notes for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import structlog

from opsync.config import Config, Instance
from opsync.contract.connector import Readable
from opsync.current import Pass
from opsync.hookfacts import KNOWN, UNTOLD, HookFacts, Untold
from opsync.model import WRITTEN, Value
from opsync.stages.pull import EXPECTED, is_core_key
from opsync.steps.cutshort import cut_short
from opsync.steps.shared import OWN, UNFIT
from opsync.store import METRICS, AsideCount, CursorState, Store
from opsync.watch import Alarm, AsideFacts, Facts, FeedFacts, ShortWalk, Unfit, alarms

_log = structlog.get_logger(__name__)

NOTICED = "watch:noticed"
"""By connection when a pass first met it."""
SIGNED_OUT = "watch:signed-out"
"""By connection since when its sign-in is refused."""
WRITE_REFUSED = "watch:write-refused"
"""By connection since when its sign-in is refused where something is written."""
REFUSED = "watch:refused"
"""By connection the feeds that its tool refuses to give, and since when."""


async def watch(this: Pass) -> None:
    """Note what only a pass knows, and what is wrong after it."""
    kept = await this.store.kept(OWN)
    now = this.clock.now().isoformat()
    noticed, signed_out = _table(kept.get(NOTICED)), _table(kept.get(SIGNED_OUT))
    after = {name: noticed.get(name, now) for name in this.instances}
    refused: dict[str, Value] = {}
    for report in this.report.instances:
        name = report.instance
        if report.trouble == "sign-in":
            refused[name] = signed_out.get(name, now)
        elif not report.pulled and report.trouble and name in signed_out:
            refused[name] = signed_out[name]
    found = {
        WRITE_REFUSED: await _write_refused(this, _table(kept.get(WRITE_REFUSED)), now),
        REFUSED: _refused(this, _table(kept.get(REFUSED)), now),
        UNFIT: _unfit(this, _table(kept.get(UNFIT)), now),
    }
    changed: dict[str, Value] = {
        key: value for key, value in found.items() if value != _table(kept.get(key))
    }
    if after != noticed:
        changed[NOTICED] = after
    if refused != signed_out:
        changed[SIGNED_OUT] = refused
    if changed:
        await this.store.put_kept(OWN, changed)
    this.report.alarms = [*await watched(this.config, this.store, this.clock.now())]


async def _write_refused(this: Pass, before: Mapping[str, Value], now: str) -> dict[str, Value]:
    """It lasts until something is written there, or nothing waits there any more."""
    after = {
        one.instance: before.get(one.instance, now)
        for one in this.report.instances
        if one.write_refused
    }
    lasting = before.keys() - after.keys()
    if lasting:
        wrote = {
            change.slot.target.instance
            for change, outcome in this.report.outcomes
            if outcome.kind in WRITTEN
        }
        waiting = {one.entry.slot.target.instance for one in await this.store.failed_writes()}
        after |= {name: before[name] for name in lasting if name in waiting - wrote}
    return after


def _refused(this: Pass, before: Mapping[str, Value], now: str) -> dict[str, Value]:
    """What was not read in this pass is refused as it was."""
    after: dict[str, Value] = {}
    for one in this.report.instances:
        earlier = _table(before.get(one.instance))
        found = earlier if not one.pulled else {n: earlier.get(n, now) for n in one.refused}
        if found:
            after[one.instance] = found
    return after


def _unfit(this: Pass, before: Mapping[str, Value], now: str) -> dict[str, Value]:
    """It is logged when it begins and when it ends, and not in each pass between."""
    after: dict[str, Value] = {}
    for name, why in this.unfit.items():
        if name not in before:
            _log.warning("configuration.unfit", about=name, why=why)
        after[name] = {"why": why, "since": _table(before.get(name)).get("since", now)}
    for name in before.keys() - after.keys():
        _log.info("configuration.fits", about=name)
    return after


async def watched(config: Config, store: Store, now: datetime) -> tuple[Alarm, ...]:
    """All that is wrong by what the store knows. Asks no tool."""
    facts = await facts_of(config, store)
    left = [one for one in await store.owners_left() if one.ref.instance in config.instances]
    today = now.astimezone(config.zone).date()
    unfit = _still_unfit((await store.kept(OWN)).get(UNFIT))
    found = alarms(facts, now, today, owners_left=len(left), unfit=unfit)
    return (*await cut_short(store), *found)


def _still_unfit(kept: Value) -> list[Unfit]:
    """The rules and teams that the last pass found to be wrong."""
    found = []
    for name, said in _table(kept).items():
        why, since = _table(said).get("why"), _time(_table(said).get("since"))
        if isinstance(why, str) and since is not None:
            found.append(Unfit(name, why, since))
    return found


async def facts_of(config: Config, store: Store) -> list[Facts]:
    """What the store knows of each configured connection."""
    kept = await store.kept(OWN)
    noticed, signed_out = _table(kept.get(NOTICED)), _table(kept.get(SIGNED_OUT))
    write_refused, refused = _table(kept.get(WRITE_REFUSED)), _table(kept.get(REFUSED))
    aside = await store.aside_counts()
    cursors = await store.cursors()
    return [
        _facts(
            config,
            instance,
            [one for one in cursors if one.instance == name],
            await store.kept(name),
            _time(noticed.get(name)),
            _time(signed_out.get(name)),
            _time(write_refused.get(name)),
            _table(refused.get(name)),
            aside.get(name, AsideCount()),
            HookFacts.of(kept.get(KNOWN + name)),
            Untold.of(kept.get(UNTOLD + name)),
        )
        for name, instance in config.instances.items()
    ]


def _facts(
    config: Config,
    instance: Instance,
    cursors: Iterable[CursorState],
    kept: Mapping[str, Value],
    noticed_at: datetime | None,
    signed_out_since: datetime | None,
    write_refused_since: datetime | None,
    refused: Mapping[str, Value],
    aside: AsideCount,
    webhooks: HookFacts,
    untold: Untold,
) -> Facts:
    feeds = {one.feed: _feed(one) for one in cursors}
    measured = feeds.pop(METRICS, None)
    settings, general = instance.settings, config.general.watch
    class_ = config.plugins.connectors.get(instance.connector)
    readable = class_ is not None and issubclass(class_, Readable)
    return Facts(
        connection=instance.name,
        feeds=tuple(one for name, one in feeds.items() if not is_core_key(name)),
        measured=measured,
        fresh_within=settings.fresh_within or general.fresh_within,
        measured_within=general.measured_within,
        # What cannot be read is never out of date.
        noticed_at=noticed_at if readable else None,
        signed_out_since=signed_out_since,
        write_refused_since=write_refused_since,
        refused=tuple(
            (name, since) for name, at in sorted(refused.items()) if (since := _time(at))
        ),
        aside=AsideFacts(
            items=aside.items,
            writes=aside.writes,
            since=aside.since,
            within=general.set_aside_within,
            most=general.set_aside_most,
        ),
        short=tuple(_short(kept)),
        token_expires=settings.token_expires,
        webhooks=webhooks,
        untold=untold,
    )


def _feed(one: CursorState) -> FeedFacts:
    return FeedFacts(
        name=one.feed,
        read_at=one.completed_at,
        failing_since=one.failed_since,
        error=one.error,
    )


def _short(kept: Mapping[str, Value]) -> Iterable[ShortWalk]:
    begin = EXPECTED.format("")
    for key, said in kept.items():
        if not key.startswith(begin) or not isinstance(said, dict):
            continue
        expected, read, at = said.get("expected"), said.get("read"), _time(said.get("at"))
        if not isinstance(expected, int) or not isinstance(read, int) or at is None:
            continue
        if read < expected:
            yield ShortWalk(key.removeprefix(begin), expected, read, at)


def _table(found: Value) -> dict[str, Value]:
    return dict(found) if isinstance(found, Mapping) else {}


def _time(found: Value) -> datetime | None:
    return datetime.fromisoformat(found) if isinstance(found, str) else None
