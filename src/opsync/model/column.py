"""Columns that opsync made in a tool to hold its values, and how the journal names them."""

from __future__ import annotations

from opsync.model.change import Change, MadeColumn, Outcome, OutcomeKind, Slot, Verb
from opsync.model.ledger import change_id
from opsync.model.record import Ref

COLUMN = "column"
"""The stream under which the journal has columns."""


def column_slot(instance: str, column: MadeColumn) -> Slot:
    """The place that a column is in the journal: of no rule, and about itself."""
    ref = Ref(instance, COLUMN, f"{column.table}/{column.id}")
    return Slot(ref, column.surface, "", ref)


def is_column(slot: Slot) -> bool:
    """Whether a place in the journal is a column, and not a value in one."""
    return slot.target.stream == COLUMN and slot.rule == ""


def column_change(
    run: int, instance: str, column: MadeColumn, *, made: bool, why: str
) -> tuple[Change, Outcome]:
    """That a column is made or removed, with the outcome when it was."""
    slot = column_slot(instance, column)
    change = Change(
        id=change_id(run, slot),
        slot=slot,
        verb=Verb.create if made else Verb.remove,
        desired=column.title if made else None,
        before=None if made else column.title,
        remote_id=column.id,
        reason=why,
    )
    kind = OutcomeKind.created if made else OutcomeKind.removed
    return change, Outcome(change=change.id, kind=kind, applied=change.desired)
