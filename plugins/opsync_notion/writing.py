"""Writes opsync's own columns: all that changes on one page in one request.

Update page: https://developers.notion.com/reference/patch-page, update data source:
https://developers.notion.com/reference/update-a-data-source. Values are absolute, so that both
may be sent twice without harm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote

import msgspec

from opsync import (
    Answer,
    Change,
    Context,
    MadeColumn,
    NotFound,
    Outcome,
    OutcomeKind,
    Record,
    RefusedError,
    Seen,
    Verb,
)
from opsync_notion import surfaces
from opsync_notion.columns import by_hand, called, to_make
from opsync_notion.dialect import request_id
from opsync_notion.ids import dashed
from opsync_notion.memory import OwnColumn
from opsync_notion.normalize import DATA_SOURCE, seen_in
from opsync_notion.settings import DataSource
from opsync_notion.tables import Ready, Tables, configured_name, free_name
from opsync_notion.texts import plain
from opsync_notion.wire import Cell, Page

REFUSED_FOR_S = 300.0
"""How long a data source whose schema may not be changed is not asked again."""

_DONE = {
    Verb.create: OutcomeKind.created,
    Verb.update: OutcomeKind.updated,
    Verb.remove: OutcomeKind.removed,
}
_REMOVED_BY_PERSON = (
    "The column was removed by a person. To have it again, restore it in Notion, or give it "
    "another name in the configuration."
)
_WHOSE = (
    "The column in its place may be opsync's or people's, and is not written: opsync doctor says "
    "what to do."
)


class Writer:
    """Writes the own columns of one instance's pages."""

    def __init__(self, tables: Tables, context: Context) -> None:
        self._tables = tables
        self._http = context.http
        self._clock = context.runtime.clock
        self._words = context.words
        self._refused: dict[str, tuple[float, str]] = {}
        self._made: list[MadeColumn] = []

    async def write(self, target: Record, changes: Sequence[Change]) -> list[Outcome]:
        """Write the changes of one page. SignInError and TemporaryError are raised."""
        source, block = await self._home(target)
        if source is None or block is None:
            return _all(changes, OutcomeKind.failed, "The page is in no configured data source.")
        if not block.write:
            return _all(
                changes,
                OutcomeKind.skipped,
                "Writing is switched off for this data source (write = false).",
                retryable=False,
            )
        wanted = [c.slot.surface for c in changes if c.verb is not Verb.remove]
        interrupted = any(c.interrupted for c in changes if c.slot.surface in wanted)
        ready = await self._ready(source, block, wanted, interrupted=interrupted)
        outcomes: list[Outcome] = []
        sent: list[Change] = []
        for change in changes:
            key = change.slot.surface
            if key in ready.ids:
                sent.append(change)
            elif change.verb is Verb.remove:
                outcomes.append(Outcome(change=change.id, kind=OutcomeKind.removed))
            elif key in ready.gone:
                outcomes.append(_gone(change))
            elif key in ready.unsure:
                outcomes += _all([change], OutcomeKind.failed, _WHOSE)
            else:
                why = ready.refused or f"Notion has no place {key!r}."
                outcomes += _all([change], OutcomeKind.failed, why)
        if sent:
            outcomes += await self._send(source, block, target, sent, ready.ids)
        made, self._made = tuple(self._made), []
        if made and outcomes:
            outcomes[0] = msgspec.structs.replace(outcomes[0], made=made)
        return outcomes

    async def observe(self, target: Record) -> list[Seen]:
        """What stands in the own columns of one page now."""
        source, block = await self._home(target)
        if source is None or block is None:
            return []
        view = await self._tables.view(source, fresh=False)
        try:
            cells = await self._cells(target, view.own)
        except NotFound:
            raise
        except RefusedError:
            # A column of ours is gone, which the schema that is kept does not know yet.
            view = await self._tables.view(source, fresh=True)
            cells = await self._cells(target, view.own)
        return list(seen_in(cells, view))

    async def _cells(self, target: Record, own: Mapping[str, str]) -> dict[str, Cell]:
        if not own:
            return {}
        answer = await self._http.read(
            "GET", f"/v1/pages/{target.ref.id}", params=_only(own.values())
        )
        return _by_id(answer)

    async def _home(self, target: Record) -> tuple[str | None, DataSource | None]:
        """The data source that a page is in, as its record says, else as Notion does."""
        source = target.extra.get(DATA_SOURCE)
        if source is None:
            answer = await self._http.read("GET", f"/v1/pages/{target.ref.id}")
            parent = answer.decode(Page).parent
            if parent is None or not parent.data_source_id:
                return None, None
            source = dashed(parent.data_source_id)
        block = self._tables.block_of(source)
        if block is None:
            for configured in self._tables.settings.data_sources:
                await self._tables.resolve(configured)
            block = self._tables.block_of(source)
        return source, block

    # Columns --------------------------------------------------------------------------------

    async def _ready(
        self, source: str, block: DataSource, wanted: Sequence[str], *, interrupted: bool
    ) -> Ready:
        """The own columns, made where they are missing: all at once, by one schema update.

        `interrupted`: an earlier one may have made them, and was not heard of again.
        """
        ready = self._tables.ready(source, block)
        if ready.known.issuperset(wanted):
            return ready
        async with self._tables.lock(source):
            ready = self._tables.ready(source, block)
            if ready.known.issuperset(wanted):
                return ready
            until, why = self._refused.get(source, (0.0, ""))
            if self._clock.monotonic() < until:
                return replace(ready, refused=why)
            try:
                await self._make(source, block, wanted, interrupted=interrupted)
            except RefusedError as error:
                why = by_hand(block, error, self._words, wanted)
                self._refused[source] = (self._clock.monotonic() + REFUSED_FOR_S, why)
                return replace(ready, refused=why)
            return self._tables.ready(source, block)

    async def _make(
        self, source: str, block: DataSource, wanted: Collection[str], *, interrupted: bool
    ) -> None:
        schema = await self._tables.schema(source)
        await self._tables.adopt(schema, block, interrupted=interrupted)
        ready = self._tables.ready(source, block)
        missing = [key for key in to_make(wanted) if key not in ready.known]
        if not missing:
            return
        taken = {name.casefold() for name in schema.properties}
        names = {key: free_name(block, key, taken) for key in missing}
        answer = await self._http.write(
            "PATCH",
            f"/v1/data_sources/{source}",
            json={
                "properties": {names[key]: surfaces.definition(key, self._words) for key in missing}
            },
            keyed=True,
        )
        learned = self._tables.learn(answer)
        made, within = learned.properties, called(block, plain(learned.title))
        self._made += [
            MadeColumn(source, made[name].id, key, name, within)
            for key, name in names.items()
            if name in made
        ]
        self._tables.memory.add_columns(
            source,
            {
                key: OwnColumn(made[name].id, configured_name(block, key))
                for key, name in names.items()
                if name in made
            },
        )

    # Pages ----------------------------------------------------------------------------------

    async def _send(
        self,
        source: str,
        block: DataSource,
        target: Record,
        changes: Sequence[Change],
        ids: Mapping[str, str],
    ) -> list[Outcome]:
        try:
            answer = await self._patch(target, changes, ids)
        except NotFound as error:
            why = f"The page is gone, or no longer shared with the connection. {error.hint}"
            return _all(changes, OutcomeKind.failed, why)
        except RefusedError as error:
            return await self._after_refusal(source, block, target, changes, error)
        return self._outcomes(answer, changes, ids)

    async def _patch(
        self, target: Record, changes: Sequence[Change], ids: Mapping[str, str]
    ) -> Answer:
        cells = {
            ids[c.slot.surface]: surfaces.encode(
                c.slot.surface, None if c.verb is Verb.remove else c.desired
            )
            for c in changes
        }
        return await self._http.write(
            "PATCH",
            f"/v1/pages/{target.ref.id}",
            params=_only(cells),
            json={"properties": cells},
            keyed=True,
        )

    async def _after_refusal(
        self,
        source: str,
        block: DataSource,
        target: Record,
        changes: Sequence[Change],
        error: RefusedError,
    ) -> list[Outcome]:
        """A refusal is for all of a request, though one cell may have caused it: leave out the
        columns that are gone, and write the others one by one."""
        await self._tables.schema(source)
        ready = self._tables.ready(source, block)
        outcomes: list[Outcome] = []
        left: list[Change] = []
        for change in changes:
            if change.slot.surface in ready.ids:
                left.append(change)
            elif change.verb is Verb.remove:
                outcomes.append(Outcome(change=change.id, kind=OutcomeKind.removed))
            else:
                outcomes.append(_gone(change))
        if len(changes) == 1:
            return outcomes or _refused(changes, error)
        for change in left:
            try:
                answer = await self._patch(target, [change], ready.ids)
            except RefusedError as again:
                outcomes += _refused([change], again)
            else:
                outcomes += self._outcomes(answer, [change], ready.ids)
        return outcomes

    def _outcomes(
        self, answer: Answer, changes: Sequence[Change], ids: Mapping[str, str]
    ) -> list[Outcome]:
        page = answer.decode(Page)
        if page.last_edited_by is not None:
            self._tables.memory.bot = page.last_edited_by.id
        cells = {cell.id: cell for cell in (page.properties or {}).values()}
        outcomes = []
        for change in changes:
            key = change.slot.surface
            cell = cells.get(ids[key])
            if cell is None:
                why = "Notion did not answer what it wrote."
                outcomes += _all([change], OutcomeKind.failed, why)
                continue
            outcomes.append(
                Outcome(
                    change=change.id,
                    kind=_DONE[change.verb],
                    applied=surfaces.canonical(key, cell, self._words),
                    remote_id=ids[key],
                    request_id=request_id(answer),
                )
            )
        return outcomes


def _only(column_ids: Iterable[str]) -> list[tuple[str, str]]:
    """Limits an answer to some columns. Their ids come percent-encoded and go out decoded once."""
    return [("filter_properties", unquote(column_id)) for column_id in column_ids]


def _by_id(answer: Answer) -> dict[str, Cell]:
    return {cell.id: cell for cell in (answer.decode(Page).properties or {}).values()}


def _refused(changes: Iterable[Change], error: RefusedError) -> list[Outcome]:
    """What Notion finds wrong with a value, it finds wrong a minute later too."""
    retryable = error.status != 400
    return _all(changes, OutcomeKind.failed, str(error), retryable=retryable)


def _all(
    changes: Iterable[Change], kind: OutcomeKind, message: str, *, retryable: bool = True
) -> list[Outcome]:
    return [Outcome(change=c.id, kind=kind, message=message, retryable=retryable) for c in changes]


def _gone(change: Change) -> Outcome:
    return Outcome(
        change=change.id,
        kind=OutcomeKind.conflicted,
        message=_REMOVED_BY_PERSON,
        retryable=False,
    )
