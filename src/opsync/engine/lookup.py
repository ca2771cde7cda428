"""What explanations look up in a store: records, how they may be shown, and why they are named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from opsync.config import Config
from opsync.engine.catalog import Catalog, Item
from opsync.inert import inert_text
from opsync.model import Evidence, Kind, Mention, Record, Ref, Role
from opsync.model.rules import RollupRule
from opsync.stages.normalize import ELSEWHERE
from opsync.store import Store

ROLES = {
    Role.leaf: "counted",
    Role.container: "holds others",
    Role.canceled: "canceled",
    Role.twin: "the same work",
}
"""What a member is to a delivery summary."""

NEVER = (Kind.document, Kind.metric, Kind.person)
"""Kinds that no delivery summary counts."""


def detail(record: Record) -> str:
    """Why a part of an item is not counted, where its team has it so."""
    return f"sub-tasks of {inert_text(record.team, 60)} do not count by themselves"


class Lookup:
    """One store, seen as the configuration lets it be shown. A record is read once."""

    def __init__(self, config: Config, store: Store) -> None:
        self.store = store
        self.catalog = Catalog(config)
        self.rules: Mapping[str, RollupRule] = {rule.name: rule for rule in config.rules}
        self.zone = config.zone
        self._instances = config.instances.keys()
        self._known: dict[Ref, Record | None] = {}

    def configured(self, ref: Ref) -> bool:
        """Whether its connection is still configured."""
        return ref.instance in self._instances

    async def record(self, ref: Ref) -> Record | None:
        """The record, or None if it was never read."""
        if ref not in self._known:
            self._known[ref] = await self.store.record(ref)
        return self._known[ref]

    async def learn(self, refs: Iterable[Ref]) -> None:
        """Read these at once, so that asking for each costs nothing."""
        wanted = [ref for ref in refs if ref not in self._known]
        found = await self.store.records_of(wanted) if wanted else {}
        self._known.update({ref: found.get(ref) for ref in wanted})

    async def item(self, ref: Ref) -> Item:
        """The same as it may be shown."""
        record = await self.record(ref)
        return self.catalog.item(record) if record is not None else self.catalog.unread(ref)

    async def sentence(self, evidence: Evidence, seen_from: Ref) -> str:
        """Why two items are linked, told at one of them."""
        if evidence.source == seen_from:
            return f'this names it in "{evidence.field}"'
        source = await self.item(evidence.source)
        return f'named in "{evidence.field}" of {source.label}'


def unresolved(mention: Mention, candidates: int, names: Sequence[str] = ()) -> str:
    """Why a name leads to no item."""
    if candidates:
        said = f": {', '.join(names)}" if names else ""
        return f"{candidates} items have this name{said}"
    if mention.instance == ELSEWHERE:
        return "an address in a system that is not configured"
    if mention.instance:
        return f"nothing with this address was read from {mention.instance}"
    return "no item has this key"
