"""What explanations look up in a store: records, how they may be shown, and why they are named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from opsync.config import Config
from opsync.engine.approvals import Approvals
from opsync.engine.catalog import Catalog, Item, noun_of
from opsync.engine.owners import Owners
from opsync.inert import inert_text
from opsync.model import Evidence, Kind, Mention, PairDecision, Record, Ref, Role, gone_as
from opsync.model.pair import ACCEPTED
from opsync.model.rules import RollupRule
from opsync.stages.normalize import ELSEWHERE
from opsync.store import Store
from opsync.wording import day

ROLES = {
    Role.leaf: "counted",
    Role.container: "holds others",
    Role.canceled: "canceled",
    Role.twin: "the same work",
}
"""What a member is to a delivery summary."""

_ACCEPTED_AS = {
    "member": ACCEPTED,
    "same": "accepted as the same work",
    "related": "accepted as related",
}

NEVER = (Kind.document, Kind.metric, Kind.product, Kind.person)
"""Kinds that no delivery summary counts."""


def called(item: Item) -> str:
    """What people call such an item, with its article: "a flag", "an analytics project"."""
    noun = noun_of(item)
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


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
        self.rewrite_pause = timedelta(minutes=config.limits.rewrite_pause_minutes)
        self._config = config
        self._instances = frozenset(config.instances)
        self._owners: Owners | None = None
        self._approvals: Approvals | None = None
        self._known: dict[Ref, Record | None] = {}
        self._products: frozenset[Ref] | None = None

    def configured(self, ref: Ref) -> bool:
        """Whether its connection is still configured."""
        return ref.instance in self._instances

    async def owners(self) -> Owners:
        """Whose items are, told as one person across tools."""
        if self._owners is None:
            self._owners = await Owners.of(self._config, self.store, self.catalog)
        return self._owners

    async def approvals(self) -> Approvals:
        """Which approvals are in force."""
        if self._approvals is None:
            self._approvals = Approvals(self._config, await self.store.approvals())
        return self._approvals

    async def record(self, ref: Ref) -> Record | None:
        """The record, or None if it was never read."""
        if ref not in self._known:
            self._known[ref] = await self.store.record(ref)
        return self._known[ref]

    async def products(self) -> frozenset[Ref]:
        """The projects of analytics tools, in which releases are told."""
        if self._products is None:
            found = [ref for name in self.catalog.analytics for ref in await self._product(name)]
            self._products = frozenset(found)
        return self._products

    async def _product(self, instance: str) -> list[Ref]:
        found = await self.store.roots(
            instance=instance, kind=Kind.product, space=None, stream=None
        )
        return [one.ref for one in found]

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
        if evidence.field == ACCEPTED:
            return await self.accepted(evidence.source, evidence.target)
        if evidence.source == seen_from:
            return f'this names it in "{evidence.field}"'
        source = await self.item(evidence.source)
        return f'named in "{evidence.field}" of {source.label}'

    async def accepted(self, one: Ref, two: Ref) -> str:
        """That a person accepted a pair: "accepted link (ana, 26 Nov 2026)"."""
        decision = await self.store.decision(one, two)
        if decision is None or not decision.accepted:
            return f"{ACCEPTED}, taken back since"
        return self.decided(decision)

    def decided(self, decision: PairDecision) -> str:
        """The same of a decision."""
        return f"{_ACCEPTED_AS[decision.kind]} ({decision.by}, {self.day(decision.at)})"

    def day(self, at: datetime) -> str:
        """The day of a time, in the configured zone: "26 Nov 2026"."""
        local = at.astimezone(self.zone).date()
        return f"{day(local)} {local.year}"

    async def absent(self, ref: Ref) -> str:
        """Why a record cannot count, whoever names it; "" for one that can."""
        record = await self.record(ref)
        if ref.instance not in self._instances:
            return f"{ref.instance} is not configured any more"
        if record is None:
            return "never read"
        if not record.tombstone:
            return ""
        since = (await self.store.gone_since([ref])).get(ref)
        return f"gone{f' since {self.day(since)}' if since else ''}: {gone_as(record.tombstone)}"

    async def out_of_reach(self, ref: Ref) -> str:
        """Why nothing can be written on a record by now; "" where something can."""
        record = await self.record(ref)
        if (why := await self.absent(ref)) or record is None or not record.archived:
            return why
        return f"archived in {self.catalog.tool(ref.instance)}"

    async def kept(self, one: Ref, two: Ref) -> tuple[str, str]:
        """What an accepted pair's absent end is called, and why it does not count."""
        decision = await self.store.decision(one, two)
        name = decision.two_name if decision is not None and decision.two == two else ""
        label = (await self.remembered(two, name)).label
        return label, f"{await self.accepted(one, two)}, not counted: {await self.absent(two)}"

    async def remembered(self, ref: Ref, name: str) -> Item:
        """A record that may be gone, by the name that it had."""
        record = await self.record(ref)
        item = await self.item(ref)
        if name and (record is None or not (record.title or record.private)):
            return replace(item, label=name)
        return item


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
