"""What the steps of a pass share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from opsync.current import Opened, Pass
from opsync.model import Record, Ref, value_hash
from opsync.model.rules import RollupRule
from opsync.stages.pull import CORE, is_core_key
from opsync.store import Store

CHUNK = 200
"""So many targets, or sources of mentions, are worked on at a time: memory stays bounded."""

RESTRAINT = CORE + "restraint"
"""Kept of an instance's client: what the next pass has to hold back of."""

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


async def keep(store: Store, name: str, opened: Opened) -> None:
    """Store what the connector wants to remember, and what its client holds back of, if either
    changed."""
    kept = await store.kept(name)
    restraint = opened.client.restraint
    if kept.get(RESTRAINT) != restraint:
        await store.put_kept(name, {RESTRAINT: restraint})
    before = {k: v for k, v in kept.items() if not is_core_key(k)}
    after = {k: v for k, v in opened.connector.context.kept.items() if not is_core_key(k)}
    if after != before:
        await store.put_kept(name, {**dict.fromkeys(before), **after})


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
