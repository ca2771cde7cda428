"""Work that is in several tools, because a mirror keeps it alike there or a person said so."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from opsync.config import Config
from opsync.engine.catalog import Item
from opsync.engine.lookup import Lookup, unresolved
from opsync.engine.veil import Veil
from opsync.inert import inert_text
from opsync.model import Link, Record, Ref, Sides
from opsync.model.link import FOOTER
from opsync.store import Store

NAMED = 5
"""So many others are named of those that a doubtful one is said to be."""


class TwinGroup(Struct, frozen=True, kw_only=True):
    """One piece of work, all its sides, the one that counts, and why they are taken for one."""

    items: tuple[Item, ...]
    counted: Item
    why: str


class DoubtfulGroup(Struct, frozen=True, kw_only=True):
    """Items that are said to be one piece of work and are not taken for it, and why not."""

    items: tuple[Item, ...]
    why: str


class LostMirror(Struct, frozen=True, kw_only=True):
    """An item that says that it mirrors `original`, which leads nowhere, and why."""

    item: Item
    original: str
    why: str


async def twin_groups(config: Config, store: Store) -> list[TwinGroup]:
    """All work that is in several tools and counts once."""
    return await Twinned(config, Lookup(config, store)).groups()


async def doubtful_groups(config: Config, store: Store) -> list[DoubtfulGroup]:
    """What is said to be one piece of work, and is so doubtful that each item counts by itself."""
    return await Twinned(config, Lookup(config, store)).doubtful()


async def lost_mirrors(config: Config, store: Store) -> list[LostMirror]:
    """The items whose mirror names an original that was not read: each counts by itself."""
    return await Twinned(config, Lookup(config, store)).lost()


class Twinned:
    """Tells of one piece of work in several tools."""

    def __init__(self, config: Config, look: Lookup) -> None:
        self._config = config
        self._look = look
        self._veil = Veil(look)
        self._all: list[Sides] | None = None

    async def instead(self) -> dict[Ref, Ref]:
        """Each side that does not count, with the one that does."""
        return self._config.preference.instead(await self._sides(None))

    async def groups(self, ref: Ref | None = None, most: int | None = None) -> list[TwinGroup]:
        """All groups, the first `most` of them, or the one that an item belongs to."""
        merged = [one for one in await self._sides(ref) if not one.doubt]
        return [
            TwinGroup(
                items=await self._items(one.refs),
                counted=await self._look.item(self._config.preference.counted(one)),
                why=await self._why(one),
            )
            for one in merged[:most]
        ]

    async def doubtful(self, ref: Ref | None = None) -> list[DoubtfulGroup]:
        """The same of those that are not merged."""
        return [
            DoubtfulGroup(items=await self._items(one.refs), why=one.doubt.value)
            for one in await self._sides(ref)
            if one.doubt
        ]

    async def lost(self) -> list[LostMirror]:
        """All mirrors of what was not read."""
        return [
            LostMirror(
                item=await self._look.item(ref),
                original=await self._veil.named(await self._look.record(ref), mention),
                why=unresolved(mention, 0),
            )
            for ref, mention in await self._look.store.lost_mirrors()
            if ref.instance in self._config.instances
        ]

    async def notes(self, record: Record) -> list[str]:
        """What has to be said of one item: what it mirrors, or why it counts by itself."""
        ref = record.ref
        name = _short(await self._look.item(ref))
        notes = []
        for sides in await self._sides(ref):
            items = await self._items([one for one in sides.refs if one != ref])
            others = sorted(items, key=_short)
            if sides.doubt:
                named = ", ".join(_short(one) for one in others[:NAMED])
                more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
                notes.append(
                    f"{name} is said to be the same work as {named}{more}, but "
                    f"{sides.doubt.value}: each counts by itself."
                )
                continue
            named = ", ".join(f"{_short(one)} in {one.tool}" for one in others)
            counted = _short(await self._look.item(self._config.preference.counted(sides)))
            verb = "mirrors" if ref in sides.copies or not sides.copies else "is mirrored by"
            notes.append(
                f"{name} {verb} {named} ({await self._why(sides, ref)}): one thing, counted as "
                f"{counted}."
            )
        for _, mention, candidates in await self._look.store.mentions_of([ref]):
            if mention.part == "mirror" and len(candidates) != 1:
                original = inert_text(await self._veil.named(record, mention), 100)
                why = "which was not read"
                if candidates:
                    why = f"and {len(candidates)} items have this key"
                notes.append(f"{name} says that it mirrors {original}, {why}: it counts by itself.")
        return list(dict.fromkeys(notes))

    async def _sides(self, ref: Ref | None) -> list[Sides]:
        if ref is not None:
            return [one for one in await self._look.store.twins([ref]) if ref in one.refs]
        if self._all is None:
            self._all = await self._look.store.twins()
        return self._all

    async def _items(self, refs: Sequence[Ref]) -> tuple[Item, ...]:
        return tuple([await self._look.item(ref) for ref in refs])

    async def _why(self, sides: Sides, seen_from: Ref | None = None) -> str:
        """Why these are taken for one, told at one of them or, without, of all."""
        reasons: dict[str, None] = {}
        for ref in sides.refs:
            for link in await self._look.store.links_of(ref):
                if link.one == ref and link.two in sides.refs:
                    reasons[await self._reason(link, seen_from)] = None
        return "; ".join(reasons)

    async def _reason(self, link: Link, seen_from: Ref | None) -> str:
        for one in link.evidence:
            if one.part == "mirror" and one.field == FOOTER:
                copy = await self._look.item(one.source)
                whose = "its description" if one.source == seen_from else ""
                return f"footer in {whose or f'the description of {_short(copy)}'}"
        marks = [one for one in link.evidence if one.part == "mirror"]
        if marks:
            return await self._look.sentence(marks[0], seen_from or link.one)
        return "each links to the other"


def _short(item: Item) -> str:
    return item.key or item.label
