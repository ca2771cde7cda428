"""How much an initiative is used, and what its release changed: pure, from days of values.

A change is told, never a cause: other things happen in the same weeks.
"""

from opsync.adoption.measuring import (
    EARLY_DAYS,
    EARLY_USERS,
    LOOK_BACK_DAYS,
    STALE_DAYS,
    adoption_of,
    needed,
)
from opsync.adoption.releasing import Sighting, planned_on, release_of, sighted

__all__ = [
    "EARLY_DAYS",
    "EARLY_USERS",
    "LOOK_BACK_DAYS",
    "STALE_DAYS",
    "Sighting",
    "adoption_of",
    "needed",
    "planned_on",
    "release_of",
    "sighted",
]
