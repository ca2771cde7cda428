"""Who acts: the name that goes into approvals, and what they may do."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Role(StrEnum):
    """What somebody may do: look, or also decide."""

    read = "read"
    approve = "approve"

    def covers(self, needed: Role) -> bool:
        """Whether whoever has this role may do what needs `needed`."""
        return self is Role.approve or needed is Role.read


class Actor(Struct, frozen=True):
    """Somebody who is signed in. `name` can be shown, and goes into what they decide as `by`."""

    name: str
    role: Role

    @property
    def decides(self) -> bool:
        """Whether they may approve, take back, pause."""
        return self.role is Role.approve
