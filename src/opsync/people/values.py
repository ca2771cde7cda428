"""What a person across tools is, and what is left in doubt. Pure."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from opsync.model import Account
from opsync.model.rules import PersonRule


class Way(StrEnum):
    """What made an account one with others."""

    rule = "[[person]]"
    address = "address"
    name = "name"


class Identity(Struct, frozen=True):
    """One person, with all accounts that are known to be theirs, sorted."""

    name: str
    accounts: tuple[Account, ...]

    @property
    def left(self) -> bool:
        """Whether an account of theirs was closed, and none is known to be open."""
        states = {one.active for one in self.accounts}
        return False in states and True not in states

    @property
    def open_in(self) -> tuple[str, ...]:
        """The instances that say that an account of theirs is open, sorted."""
        return tuple(sorted({one.instance for one in self.accounts if one.active}))


class DoubtKind(StrEnum):
    """Why accounts were not made one person, or may have to be."""

    two_addresses = "one name, different addresses"
    twice = "one name, twice in one tool"
    near_name = "no counterpart, but a name like it"
    nobody = "known as nobody"
    claimed = "claimed by two"


class Doubt(Struct, frozen=True):
    """Something for a person to look at; `accounts` are those concerned, sorted.

    `blocks` would settle it, if they are true: what the configuration would say, in place of its
    block of the person `instead` ("": besides all others). `sure` says that hardly anything speaks
    against them. There are none where the block is only to be taken out.
    """

    kind: DoubtKind
    accounts: tuple[Account, ...]
    why: str
    blocks: tuple[PersonRule, ...] = ()
    instead: str = ""
    sure: bool = False
