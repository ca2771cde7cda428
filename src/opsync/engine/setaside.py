"""What is set aside, as people see it: why, since when, and when it is tried again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from opsync.config import Config
from opsync.contract.census import Census
from opsync.engine.catalog import Item
from opsync.engine.lookup import Lookup
from opsync.engine.veil import Veil
from opsync.errors import ConfigError
from opsync.folding import caseless
from opsync.model import Ref, Slot
from opsync.store import Store


class Aside(Struct, frozen=True, kw_only=True):
    """One item that could not be read ("read"), or a value that could not be written ("write").

    `place` is where the value should stand, "" for an item. `since` is None where an older opsync
    set it aside. `refused` says that the tool refused the value itself, and not only for the
    moment. `next_try` is when it is tried again at the earliest, None where the next run does.
    `by_itself` is false for an item of a tool that cannot give a single one: it is read again when
    it changes, and when everything is.
    """

    what: Literal["read", "write"]
    tool: str
    connection: str
    item: Item
    about: Item | None
    place: str
    reason: str
    since: datetime | None
    tries: int
    next_try: datetime | None
    refused: bool
    by_itself: bool


class Found(Struct, frozen=True):
    """What is set aside, each with what names it in the store."""

    shown: Aside
    key: Ref | Slot


async def set_aside(config: Config, store: Store, now: datetime) -> list[Found]:
    """All that is set aside: items first, each kind the oldest first."""
    look = Lookup(config, store)
    veil = Veil(look)
    items, writes = await store.quarantine(), await store.failed_writes()
    slots = [one.entry.slot for one in writes]
    await look.learn(
        {one.ref for one in items} | {ref for slot in slots for ref in (slot.target, slot.other)}
    )
    found = []
    for one in items:
        item = await look.item(one.ref)
        due = one.next_try_at
        found.append(
            Found(
                Aside(
                    what="read",
                    tool=item.tool,
                    connection=one.ref.instance,
                    item=item,
                    about=None,
                    place="",
                    reason=await veil.aside(one.ref, one.reason),
                    since=one.since,
                    tries=one.tries,
                    next_try=due if due is not None and due > now else None,
                    refused=False,
                    by_itself=_by_itself(config, one.ref.instance),
                ),
                one.ref,
            )
        )
    for write in writes:
        slot, entry = write.entry.slot, write.entry
        due = entry.next_try_at
        item = await look.item(slot.target)
        found.append(
            Found(
                Aside(
                    what="write",
                    tool=item.tool,
                    connection=slot.target.instance,
                    item=item,
                    about=await look.item(slot.other),
                    place=look.catalog.place(slot.target.instance, slot.surface),
                    reason=await veil.text(entry.message),
                    since=write.since,
                    tries=max(entry.attempts - 1, 0),
                    next_try=due if due is not None and due > now else None,
                    refused=write.refused,
                    by_itself=True,
                ),
                slot,
            )
        )
    return found


def named(found: Sequence[Found], text: str) -> list[Found]:
    """Those that a person means: by key, address or id, else by a piece of the title. Raises
    ConfigError when nothing of that name is set aside."""
    wanted = caseless(text.strip())
    exact = [one for one in found if wanted in _names(one.shown)]
    near = exact or [one for one in found if wanted and wanted in caseless(one.shown.item.label)]
    if not near:
        raise ConfigError(
            f'nothing that is set aside is called "{text}"', hint="What there is: opsync aside"
        )
    return near


def _names(one: Aside) -> set[str]:
    ref = Ref.parse(one.item.ref)
    return {caseless(name) for name in (one.item.ref, ref.id, one.item.key, one.item.url) if name}


def _by_itself(config: Config, instance: str) -> bool:
    """Whether the instance's tool can give one item by its id."""
    configured = config.instances.get(instance)
    class_ = config.plugins.connectors.get(configured.connector) if configured else None
    return class_ is not None and issubclass(class_, Census)
