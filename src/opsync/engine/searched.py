"""When suggestions were searched for last, and whether it is time to search again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from opsync.config import Config
from opsync.contract.connector import Readable
from opsync.stages.pull import is_core_key, is_half_read
from opsync.steps.shared import OWN
from opsync.store import CursorState, Store

EVERY = timedelta(days=1)
"""At most so often what changed is searched."""
WAITED_FOR = timedelta(hours=1)
"""A connection that fails for longer holds the search among the others up no more."""
SEARCHED = "suggestions:searched"


class Searched(Struct, frozen=True):
    """One search: when, after which run, and over which rules and wholly read feeds."""

    at: datetime
    run: int
    over: tuple[str, ...]


async def searching(config: Config, store: Store, now: datetime) -> Searched:
    """The search that begins now."""
    runs = await store.last_runs(1)
    over = _over(config, await store.cursors())
    return Searched(now, runs[0].seq if runs else 0, tuple(sorted(over)))


async def keep(store: Store, one: Searched) -> None:
    """This search came to its end."""
    await store.put_kept(OWN, {SEARCHED: msgspec.to_builtins(one)})


async def is_due(config: Config, store: Store, now: datetime) -> bool:
    """Whether to search by itself: after all was read to its end for the first time, as soon as a
    rule or a feed is there that was not, and otherwise a day after the last search, if items have
    changed since."""
    cursors = await store.cursors()
    if not await _all_read(config, store, cursors, now):
        return False
    found = (await store.kept(OWN)).get(SEARCHED)
    if found is None:
        return True
    last = msgspec.convert(found, Searched)
    if _over(config, cursors) - set(last.over):
        return True
    if timedelta() <= now - last.at < EVERY:
        return False
    return await store.has_changed_since(last.run)


async def _all_read(
    config: Config, store: Store, cursors: Sequence[CursorState], now: datetime
) -> bool:
    classes = config.plugins.connectors
    for name, instance in config.instances.items():
        own = [one for one in cursors if one.instance == name]
        fails = any(one.failed_since and now - one.failed_since > WAITED_FOR for one in own)
        if fails or not issubclass(classes[instance.connector], Readable):
            continue
        if await is_half_read(store, name) or not all(one.completed_at for one in _feeds(own)):
            return False
    return True


def _over(config: Config, cursors: Iterable[CursorState]) -> set[str]:
    rules = {f"rule {rule.name}" for rule in config.rules}
    read = (one for one in _feeds(cursors) if one.completed_at and one.instance in config.instances)
    return rules | {f"{one.instance}/{one.feed}" for one in read}


def _feeds(cursors: Iterable[CursorState]) -> list[CursorState]:
    """Those of feeds: where a sign-in failed, it is no feed's failure."""
    return [one for one in cursors if one.feed and not is_core_key(one.feed)]
