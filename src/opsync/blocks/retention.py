"""`[retention]`: how long the store keeps what only history asks for."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator

from opsync.blocks.base import Block
from opsync.contract.settings import Duration
from opsync.model.retention import UNDO_WITHIN, Keep


def _undoable(value: timedelta) -> timedelta:
    if value < UNDO_WITHIN:
        raise ValueError(f'write "{UNDO_WITHIN.days}d" or more: so long everything can be undone')
    return value


Long = Annotated[Duration, AfterValidator(_undoable)]
"""A span of time in which everything that was written can be undone."""


class RetentionBlock(Block):
    """`[retention]`: pruned once a day by `opsync serve`, or by `opsync db prune`. Whatever is
    needed still stays, however old it is."""

    journal: Long = timedelta(days=400)
    """How long writes stay in the journal; of each value the first and the last one stay."""

    gone: Long = timedelta(days=90)
    """How long an item is kept that is gone, and that nothing names any more."""

    runs: Long = timedelta(days=30)
    """How long runs are kept that wrote nothing."""

    def keep(self) -> Keep:
        """The same, as the store takes it."""
        return Keep(journal=self.journal, gone=self.gone, runs=self.runs)
