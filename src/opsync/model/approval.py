"""Plans that are kept, and approvals of what is in them."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from opsync.model.change import Change, Slot, Verb
from opsync.model.ledger import digest, plain, stored
from opsync.model.rules import Mode


class KeptChange(Struct, frozen=True, kw_only=True):
    """One change of a kept plan: what it would write, and what people call its place.

    `mode` is that of its rule; `inputs` maps each input's ref to the version it had. `group` is
    the initiative, or the target's label.
    """

    slot: Slot
    verb: Verb
    desired: msgspec.Raw
    before: msgspec.Raw
    mode: Mode
    reason: str = ""
    inputs: dict[str, str] = {}
    tool: str = ""
    place: str = ""
    target: str = ""
    group: str = ""

    @classmethod
    def of(
        cls, change: Change, mode: Mode, *, tool: str, place: str, target: str, group: str
    ) -> KeptChange:
        """Keep a change as it was planned."""
        return cls(
            slot=change.slot,
            verb=change.verb,
            desired=stored(change.desired),
            before=stored(change.before),
            mode=mode,
            reason=change.reason,
            inputs=change.inputs,
            tool=tool,
            place=place,
            target=target,
            group=group,
        )

    @property
    def desired_hash(self) -> str:
        """The digest by which approvals name the value, however a file lays it out."""
        return digest(stored(plain(self.desired)))


class KeptPlan(Struct, frozen=True, kw_only=True):
    """A plan under its number, which is that of the run that made it."""

    number: int
    at: datetime
    command: str
    changes: tuple[KeptChange, ...]


class Approval(Struct, frozen=True, kw_only=True):
    """That one value may be written, or all values of a rule: by whom, and when.

    `scope` is a slot's text or a rule's name; `desired_hash` is "" for a rule. It counts for that
    value only: another one waits for an approval of its own. `inputs` are the versions that it was
    computed from.
    """

    scope: str
    desired_hash: str
    by: str
    at: datetime
    plan: int = 0
    inputs: dict[str, str] = {}


class Approved(Struct, frozen=True):
    """What may be written although its rule only proposes it."""

    values: frozenset[tuple[str, str]] = frozenset()
    """Slots, each with the digest of one value."""
    rules: frozenset[str] = frozenset()

    def covers(self, slot: Slot, desired_hash: str) -> bool:
        """Whether this value may be written there."""
        return slot.rule in self.rules or (str(slot), desired_hash) in self.values
