"""How long the store keeps what only history asks for, and what became of it."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

UNDO_WITHIN = timedelta(days=30)
"""What was written within so long can always be undone: nothing of it is ever pruned."""

THIN_AFTER = timedelta(days=400)
"""Numbers of delivery summaries that are older are kept once a day."""


class Keep(Struct, frozen=True, kw_only=True):
    """How long writes stay in the journal, items that are gone in the store, and runs in their
    list."""

    journal: timedelta = timedelta(days=400)
    gone: timedelta = timedelta(days=90)
    runs: timedelta = timedelta(days=30)


class Pruned(Struct, frozen=True, kw_only=True):
    """How many rows were pruned: writes in the journal, items that are gone, runs, and numbers of
    delivery summaries."""

    journal: int = 0
    gone: int = 0
    runs: int = 0
    history: int = 0
