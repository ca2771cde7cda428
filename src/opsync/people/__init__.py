"""People across tools: which accounts are one person, and where that is in doubt. Pure.

Accounts are one person by their address, because the configuration says so, or because they have
the same full name and nothing speaks against it. Where something does, they stay apart and are
listed: a person is never made of two by a guess.
"""

from opsync.people.matching import People
from opsync.people.values import Doubt, DoubtKind, Identity, Way

__all__ = ["Doubt", "DoubtKind", "Identity", "People", "Way"]
