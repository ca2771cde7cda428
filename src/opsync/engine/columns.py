"""Columns of opsync's own: taking away those with nothing in them, and making lost ones again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsync.contract.connector import MakesColumns
from opsync.current import Opened
from opsync.engine.session import Session, open_instance
from opsync.engine.taken import LeftColumn, TakenBack
from opsync.errors import OpsyncError, SignInError
from opsync.model import WRITTEN, MadeColumn, Record, Ref, Slot, Value
from opsync.model.column import column_change, column_slot
from opsync.model.ledger import CONFLICTED, Entry, HoldKind
from opsync.steps.shared import Settled, keep
from opsync.store import EVERY


@dataclass(frozen=True, slots=True)
class _Found:
    opened: Opened
    columns: list[MadeColumn]


class Columns:
    """The columns that go along with what is taken back: those of some instances, or those that
    were `made` by what is undone. One stays in which a value is left, whoever wrote that."""

    def __init__(
        self,
        session: Session,
        why: str,
        *,
        instances: Collection[str] = (),
        made: Collection[Slot] = (),
    ) -> None:
        self._session = session
        self._why = why
        self._made = frozenset(made)
        self._instances = sorted({*instances, *(slot.target.instance for slot in made)})
        self.found: dict[str, _Found] = {}
        """By instance, those that stand there now."""

    async def find(self, found: TakenBack) -> None:
        """See which there are. An instance that cannot be asked is told in `found`."""
        for name in self._instances:
            instance = self._session.config.instances.get(name)
            if instance is None:
                continue
            opened = await open_instance(instance, self._session)
            if not isinstance(opened.connector, MakesColumns):
                continue
            try:
                columns = list(await opened.connector.columns())
            except OpsyncError as error:
                self._trouble(found, opened, "", error)
                continue
            if self._made:
                columns = [one for one in columns if column_slot(name, one) in self._made]
            if columns:
                self.found[name] = _Found(opened, columns)

    async def take(self, found: TakenBack, *, dry: bool) -> None:
        """Take away those that nothing is in, one after the other; with `dry`, see which."""
        store = self._session.store
        took: dict[tuple[Ref, str], Value] = {
            (one.slot.target, one.slot.surface): one.before
            for one in (*found.written, *found.would)
            if one.desired is None
        }
        for name, there in sorted(self.found.items()):
            for column in there.columns:
                if not dry and (await store.pauses()).of(name) is not None:
                    why = "writes are paused (opsync pause --off)"
                    found.columns_left.append(LeftColumn(name, column.name, why))
                    continue
                try:
                    why = column.needed or await self._in_it(there.opened, column, took)
                    if not why:
                        why = await self._remove(found, there.opened, column, dry=dry)
                except OpsyncError as error:
                    self._trouble(found, there.opened, column.name, error)
                    if isinstance(error, SignInError):
                        break
                    continue
                if why:
                    found.columns_left.append(LeftColumn(name, column.name, why))

    async def _in_it(
        self, opened: Opened, column: MadeColumn, took: dict[tuple[Ref, str], Value]
    ) -> str:
        """What stands in a column that is not opsync's to take away with it; "" for nothing."""
        connector = opened.connector
        assert isinstance(connector, MakesColumns)
        count = 0
        async for ref, value in connector.held(column):
            before = took.get((ref, column.surface))
            if before is not None and before == value:
                continue
            if not await self._ours(ref, column.surface, value):
                count += 1
        if not count:
            return ""
        return f"{count} {'value stays' if count == 1 else 'values stay'} in it"

    async def _ours(self, ref: Ref, surface: str, value: Value) -> bool:
        """Whether opsync wrote it on an item that is gone since: nobody else did anything there."""
        record = await self._session.store.record(ref)
        if record is not None and not record.tombstone:
            return False
        rows = [
            row
            for row in await self._session.store.journal_of([ref])
            if row.slot.surface == surface and row.kind in WRITTEN
        ]
        return bool(rows) and value is not None and rows[-1].after == value

    async def _remove(
        self, found: TakenBack, opened: Opened, column: MadeColumn, *, dry: bool
    ) -> str:
        """Why it stays; "" once it is removed. It is forgotten before: a column that goes while
        this process dies must not be taken for one that people removed."""
        connector, session = opened.connector, self._session
        assert isinstance(connector, MakesColumns)
        change, outcome = column_change(found.run, opened.name, column, made=False, why=self._why)
        objection = session.config.plugins.veto(change)
        if objection is not None:
            return f"a plugin objects: {objection}"
        if not dry:
            connector.forget_column(column)
            await keep(session.store, opened.name, opened)
            await connector.remove_column(column)
            await keep(session.store, opened.name, opened)
            at = session.runtime.clock.now()
            await session.store.finish_changes(found.run, [(change, outcome)], at)
            session.config.plugins.applied(change, outcome)
        found.columns.append((opened.name, column))
        return ""

    def _trouble(self, found: TakenBack, opened: Opened, name: str, error: OpsyncError) -> None:
        found.signed_out |= isinstance(error, SignInError)
        found.columns_left.append(LeftColumn(opened.name, name, opened.clean(error.message)))


async def with_lost_columns(
    session: Session, entries: Sequence[Entry]
) -> tuple[list[Entry], list[tuple[Opened, MadeColumn]]]:
    """These slots, the columns of theirs that people removed, and all other slots of those: a
    person who removes a column removes it everywhere."""
    by_instance: dict[str, list[Entry]] = defaultdict(list)
    for one in entries:
        by_instance[one.slot.target.instance].append(one)
    found = {one.slot: one for one in entries}
    lost: dict[MadeColumn, Opened] = {}
    for name, chosen in by_instance.items():
        instance = session.config.instances.get(name)
        if instance is None:
            continue
        opened = await open_instance(instance, session)
        connector = opened.connector
        if not isinstance(connector, MakesColumns):
            continue
        every = await session.store.entries(instance=name, limit=EVERY)
        records = await session.store.records_of(sorted({one.slot.target for one in every}))

        def of(one: Entry, makes: MakesColumns, known: dict[Ref, Record]) -> MadeColumn | None:
            record = known.get(one.slot.target)
            return None if record is None else makes.lost_column(record, one.slot.surface)

        here = {c for one in chosen if (c := of(one, connector, records)) is not None}
        lost.update(dict.fromkeys(here, opened))
        found.update(
            {
                one.slot: one
                for one in every
                if _removed(one) and of(one, connector, records) in here
            }
        )
    return list(found.values()), [(opened, column) for column, opened in sorted(lost.items())]


def _removed(entry: Entry) -> bool:
    if entry.hold is not None:
        return entry.hold.kind in (HoldKind.removed, HoldKind.theirs)
    return entry.outcome == CONFLICTED


def settled_columns(
    lost: Sequence[tuple[Opened, MadeColumn]], *, for_good: bool, at: datetime
) -> Mapping[str, Mapping[str, Value]]:
    """What is kept, by instance, to have these made again by the next write into them; or, with
    `for_good`, never."""
    found: dict[str, dict[str, Value]] = defaultdict(dict)
    for opened, column in lost:
        found[opened.name].update(Settled(column, for_good).kept(at))
    return found
