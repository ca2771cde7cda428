"""What was taken back, and what was left and why, as it may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from opsync.config import Config
from opsync.engine.catalog import Item
from opsync.engine.lookup import Lookup
from opsync.engine.taken import LeftSlot, TakenBack
from opsync.engine.veil import Veil
from opsync.errors import ConfigError
from opsync.model import WRITTEN, Change, Slot, Value
from opsync.store import Store

_WHY = {
    "edited": "edited by a person; keeps theirs",
    "removed": "removed by a person; stays removed",
    "given up": "left to people as it stands",
    "as before": "it stands as it did before",
    "gone": "its item is gone",
    "not configured": "its connection is not configured any more",
    "paused": "writes are paused (opsync pause --off)",
    "vetoed": "a plugin objects",
    "unread": "it could not be read",
    "failed": "the write failed",
}


class Taken(Struct, frozen=True, kw_only=True):
    """One value that was, or would be, taken back: it stood as `wrote`, and stands as `value`."""

    tool: str
    place: str
    item: Item
    about: Item
    rule: str
    wrote: Value
    value: Value


class LeftAlone(Struct, frozen=True, kw_only=True):
    """One that was left as it stands; `fate` is a word for programs."""

    tool: str
    place: str
    item: Item
    about: Item
    rule: str
    wrote: Value
    fate: str
    why: str


class ShownColumn(Struct, frozen=True, kw_only=True):
    """A column of opsync's that went along, or would; "made again" for what was put back into it,
    or "left", and why. `column` is "" where the columns of a connection could not be looked at."""

    tool: str
    column: str
    fate: Literal["removed", "made again", "left"]
    why: str = ""


class ShownBack(Struct, frozen=True, kw_only=True):
    """The whole of it. `run` is the run that did it, None where it was only looked at."""

    run: int | None
    done: tuple[Taken, ...]
    left: tuple[LeftAlone, ...]
    columns: tuple[ShownColumn, ...] = ()


def insist(found: ShownBack) -> ShownBack:
    """`found`; ConfigError where nothing was put back, since all was left as it stands."""
    if found.left and not found.done:
        raise ConfigError(
            f"nothing was put back: {found.left[0].why}",
            hint="What stands there now is left alone.",
        )
    return found


async def shown_back(config: Config, store: Store, found: TakenBack) -> ShownBack:
    """`found` with the names that people know, and nothing of private work."""
    shower = _Shower(config, store)
    changes = [change for change, outcome in found.done if outcome.kind in WRITTEN] + found.would
    await shower.learn([*(c.slot for c in changes), *(one.slot for one in found.left)])
    return ShownBack(
        run=found.run or None,
        done=tuple([await shower.taken(change) for change in changes]),
        left=tuple([await shower.left(one) for one in found.left]),
        columns=tuple(await shower.columns(found)),
    )


class _Shower:
    def __init__(self, config: Config, store: Store) -> None:
        self._look = Lookup(config, store)
        self._veil = Veil(self._look)

    async def learn(self, slots: Sequence[Slot]) -> None:
        await self._look.learn({ref for slot in slots for ref in (slot.target, slot.other)})

    async def columns(self, found: TakenBack) -> list[ShownColumn]:
        tool = self._look.catalog.tool
        gone = [
            ShownColumn(tool=tool(instance), column=column.name, fate="removed")
            for instance, column in found.columns
        ]
        made = [
            ShownColumn(tool=tool(instance), column=column.name, fate="made again")
            for instance, column in found.made
        ]
        left = [
            ShownColumn(
                tool=tool(one.instance),
                column=one.name,
                fate="left",
                why=await self._veil.text(one.why),
            )
            for one in found.columns_left
        ]
        return [*gone, *made, *left]

    async def taken(self, change: Change) -> Taken:
        slot = change.slot
        return Taken(
            tool=self._look.catalog.tool(slot.target.instance),
            place=self._look.catalog.place(slot.target.instance, slot.surface),
            item=await self._look.item(slot.target),
            about=await self._look.item(slot.other),
            rule=slot.rule,
            wrote=await self._veil.value(slot, change.before),
            value=await self._veil.value(slot, change.desired),
        )

    async def left(self, one: LeftSlot) -> LeftAlone:
        slot = one.slot
        why = _WHY.get(one.left.why, "")
        if one.left.why == "written since":
            why = "a run that was interrupted wrote there: opsync sync, then again"
            if one.left.run:
                why = f"run {one.left.run} wrote there since: undo that first"
        if one.message:
            why = f"{why}: {await self._veil.text(one.message)}"
        return LeftAlone(
            tool=self._look.catalog.tool(slot.target.instance),
            place=self._look.catalog.place(slot.target.instance, slot.surface),
            item=await self._look.item(slot.target),
            about=await self._look.item(slot.other),
            rule=slot.rule,
            wrote=await self._veil.value(slot, one.back.wrote),
            fate=one.left.why,
            why=why,
        )
