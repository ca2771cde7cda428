"""The demo's world: `build_harbor` makes it, `EXPECTED` says what it must come to."""

from opsync.sandbox.harbor.expected import EXPECTED, IN_PROGRESS, WITHOUT_INITIATIVE, Count
from opsync.sandbox.harbor.world import Harbor, build_harbor

__all__ = [
    "EXPECTED",
    "IN_PROGRESS",
    "WITHOUT_INITIATIVE",
    "Count",
    "Harbor",
    "build_harbor",
]
