"""What the steps of a pass share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
from msgspec import Struct

from opsync.contract.connector import MakesColumns
from opsync.current import Opened, Pass
from opsync.model import MadeColumn, Record, Ref, Value, value_hash
from opsync.model.rules import RollupRule
from opsync.stages.pull import CORE, is_core_key
from opsync.store import Store

CHUNK = 200
"""So many targets, or sources of mentions, are worked on at a time: memory stays bounded."""

RESTRAINT = CORE + "restraint"
"""Kept of an instance's client: what the next pass has to hold back of."""

COLUMN = CORE + "column:"
"""Kept of an instance for each decision about a column that people removed, by when it was made,
until its connector keeps it. Whoever decides need not hold the instance, and writes nothing else
there: who works with it meanwhile knows nothing of it yet, and keeps what it knew over it."""

OWN = ""
"""The instance under whose name the pass itself keeps values."""
DERIVED_AS = "derived-as"
ASIDE = "set-aside"
UNFIT = "watch:unfit"
"""The rules and teams that do not fit what was read: by what they are called why, and since when.
Each pass that comes to its end puts what it found itself in its place."""


async def at_once(tasks: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run them at once and wait for all: none is cancelled because another one failed."""
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


class Settled(Struct, frozen=True):
    """A decision about a column that people removed: made again by the next write into it, or,
    `for_good`, never."""

    column: MadeColumn
    for_good: bool

    def kept(self, at: datetime) -> Mapping[str, Value]:
        """As it is kept for the instance."""
        key = f"{COLUMN}{at.isoformat()} {self.column.table} {self.column.surface}"
        return {key: cast("Value", msgspec.to_builtins(self))}


def tell_settled(opened: Opened, kept: Mapping[str, Value]) -> None:
    """Tell the connector what was decided about its columns and it does not keep yet."""
    connector = opened.connector
    if not isinstance(connector, MakesColumns):
        return
    for key in sorted(kept):
        if key.startswith(COLUMN) and key not in opened.settled:
            one = msgspec.convert(kept[key], Settled)
            connector.forget_column(one.column, for_good=one.for_good)
            opened.settled.add(key)


async def keep(store: Store, name: str, opened: Opened) -> None:
    """Store what the connector wants to remember, and what its client holds back of, if either
    changed. The decisions that it was told of are among what it remembers."""
    kept = await store.kept(name)
    restraint = opened.client.restraint
    if kept.get(RESTRAINT) != restraint:
        await store.put_kept(name, {RESTRAINT: restraint})
    before = {k: v for k, v in kept.items() if not is_core_key(k)}
    after = {k: v for k, v in opened.connector.context.kept.items() if not is_core_key(k)}
    told = opened.settled & kept.keys()
    if after != before or told:
        await store.put_kept(name, {**dict.fromkeys([*before, *told]), **after})


async def keep_all(this: Pass) -> None:
    """The same for every instance of the pass that it has not left to another."""
    for name, opened in this.instances.items():
        if this.is_mine(name) and opened.after is None:
            await keep(this.store, name, opened)


async def aside_digest(store: Store) -> str:
    """A digest of which records are set aside."""
    return value_hash(sorted(map(str, await store.aside_refs())))


async def roots_in(this: Pass, rule: RollupRule) -> list[Record]:
    """The records that a rule rolls up, looked for once in a pass."""
    if rule.name not in this.roots:
        this.roots[rule.name] = await roots_of(this.store, rule)
    return this.roots[rule.name]


async def roots_of(store: Store, rule: RollupRule) -> list[Record]:
    """The records that a rule rolls up."""
    wanted = rule.roots
    found = await store.roots(
        instance=wanted.instance, kind=wanted.kind, space=wanted.space or None, stream=None
    )
    return [
        record
        for record in found
        if all(record.extra.get(name) in values for name, values in wanted.where.items())
    ]


def called(this: Pass, root: Record) -> str:
    """A root's title, as far as it may be shown."""
    shown = this.setting({}).card(root)
    return shown.title or shown.label


def chunks(refs: Sequence[Ref]) -> Iterable[Sequence[Ref]]:
    """Cut `refs` into pieces of `CHUNK`."""
    for at in range(0, len(refs), CHUNK):
        yield refs[at : at + CHUNK]
