"""What the steps of a pass share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from opsync.current import Opened
from opsync.model import Ref, value_hash
from opsync.stages.pull import is_core_key
from opsync.store import Store

CHUNK = 200
"""So many targets, or sources of mentions, are worked on at a time: memory stays bounded."""

OWN = ""
"""The instance under whose name the pass itself keeps values."""
DERIVED_AS = "derived-as"
ASIDE = "set-aside"


async def at_once(tasks: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run them at once and wait for all: none is cancelled because another one failed."""
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def keep(store: Store, name: str, opened: Opened) -> None:
    """Store what the connector wants to remember, if it changed."""
    before = {k: v for k, v in (await store.kept(name)).items() if not is_core_key(k)}
    after = {k: v for k, v in opened.connector.context.kept.items() if not is_core_key(k)}
    if after != before:
        await store.put_kept(name, {**dict.fromkeys(before), **after})


async def aside_digest(store: Store) -> str:
    """A digest of which records are set aside."""
    return value_hash(sorted(map(str, await store.aside_refs())))


def chunks(refs: Sequence[Ref]) -> Iterable[Sequence[Ref]]:
    """Cut `refs` into pieces of `CHUNK`."""
    for at in range(0, len(refs), CHUNK):
        yield refs[at : at + CHUNK]
