"""Rows of the journal as screens and `--json` show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from opsync.engine.catalog import Item
from opsync.engine.lookup import Lookup
from opsync.engine.veil import Veil
from opsync.model import Value, Verb
from opsync.model.column import COLUMN, is_column
from opsync.store import JournalRow


class Wrote(Struct, frozen=True, kw_only=True):
    """One write that was tried. `id` names it for `opsync undo`, `item` is what was written on,
    `about` what the value is about."""

    seq: int
    id: str
    run: int
    at: datetime
    tool: str
    place: str
    item: Item
    about: Item
    rule: str
    verb: str
    outcome: str
    before: Value
    after: Value
    reason: str
    evidence: tuple[str, ...]
    message: str
    request_id: str

    @property
    def column(self) -> str:
        """What became of a column, where it is about one itself and no value; else ""."""
        if self.item.kind != COLUMN:
            return ""
        return "column removed" if self.verb == Verb.remove else "column made"


async def wrote(look: Lookup, rows: Sequence[JournalRow]) -> list[Wrote]:
    """These rows, without what may not be shown of private work."""
    veil = Veil(look)
    await look.learn({ref for row in rows for ref in (row.slot.target, row.slot.other)})
    return [await _one(look, veil, row) for row in rows]


async def _one(look: Lookup, veil: Veil, row: JournalRow) -> Wrote:
    slot = row.slot
    item, about = [await look.item(ref) for ref in (slot.target, slot.other)]
    was, should_be = [await veil.value(slot, value) for value in (row.before, row.desired)]
    if is_column(slot):
        name = str(was if should_be is None else should_be)
        item = about = replace(item, label=name, kind=COLUMN, gone="")
    return Wrote(
        seq=row.seq,
        id=row.change,
        run=row.run,
        at=row.at,
        tool=item.tool,
        place=look.catalog.place(slot.target.instance, slot.surface),
        item=item,
        about=about,
        rule=slot.rule,
        verb=row.verb.value,
        outcome=row.kind.value,
        before=was,
        after=should_be,
        reason=await veil.reason(slot, row.reason),
        evidence=await veil.evidence(slot, row.evidence),
        message=await veil.text(row.message),
        request_id=row.request_id,
    )
