"""Where opsync keeps what it saw, what it wants, what it wrote and what it did.

`Store` is the whole of it; `hold` makes one process its holder. Importing this package loads
SQLAlchemy, so commands that need no store must not.
"""

from opsync.store.base import Inline, inline
from opsync.store.copying import Copied, Restored, back_up, restore
from opsync.store.database import upgrade
from opsync.store.lock import Holder, hold, is_held_elsewhere
from opsync.store.migrations import HEAD
from opsync.store.runs import NEXT
from opsync.store.store import Store, Untouched
from opsync.store.types import (
    BEST,
    EVERY,
    METRICS,
    Alike,
    Arrived,
    AsideCount,
    BatchCounts,
    CursorState,
    FailedWrite,
    HistoryRow,
    InstanceRun,
    JournalRow,
    Lately,
    Measured,
    OneSided,
    OpenParts,
    Prepared,
    Quarantined,
    RunRow,
    SetAside,
    Tally,
    TargetInputs,
    Tree,
    TrendPoint,
    Unread,
    Vanished,
    WalkResult,
)

__all__ = [
    "BEST",
    "EVERY",
    "HEAD",
    "METRICS",
    "NEXT",
    "Alike",
    "Arrived",
    "AsideCount",
    "BatchCounts",
    "Copied",
    "CursorState",
    "FailedWrite",
    "HistoryRow",
    "Holder",
    "Inline",
    "InstanceRun",
    "JournalRow",
    "Lately",
    "Measured",
    "OneSided",
    "OpenParts",
    "Prepared",
    "Quarantined",
    "Restored",
    "RunRow",
    "SetAside",
    "Store",
    "Tally",
    "TargetInputs",
    "Tree",
    "TrendPoint",
    "Unread",
    "Untouched",
    "Vanished",
    "WalkResult",
    "back_up",
    "hold",
    "inline",
    "is_held_elsewhere",
    "restore",
    "upgrade",
]
