"""Plans that are kept, and approvals of what is in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from opsync.model.change import Change, Slot, Verb
from opsync.model.ledger import digest, plain, stored
from opsync.model.rules import Mode
from opsync.model.value import Value


class KeptChange(Struct, frozen=True, kw_only=True):
    """One change of a kept plan: what it would write, and what people call its place.

    `mode` is that of its rule, or `propose` where `over_edit` says that it would replace what a
    person wrote; `inputs` maps each input's ref to the version it had. `group` is the initiative,
    or the target's label. `before` is as it may be shown: where what stands there names private
    work, `over` is the digest by which an approval names the change all the same.
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
    over_edit: bool = False
    over: str = ""

    @classmethod
    def of(
        cls,
        change: Change,
        mode: Mode,
        *,
        stands: Value,
        tool: str,
        place: str,
        target: str,
        group: str,
    ) -> KeptChange:
        """Keep a change as it may be shown, planned over what `stands` there."""
        hidden = change.over_edit and stands != change.before
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
            over_edit=change.over_edit,
            over=edit_hash(stored(change.desired), stored(stands)) if hidden else "",
        )

    @property
    def desired_hash(self) -> str:
        """The digest by which approvals name the value, however a file lays it out."""
        return digest(stored(plain(self.desired)))

    @property
    def approves(self) -> str:
        """The digest by which an approval of this change names it."""
        if self.over:
            return self.over
        value = stored(plain(self.desired))
        return edit_hash(value, stored(plain(self.before))) if self.over_edit else digest(value)


def edit_hash(desired: bytes, theirs: bytes) -> str:
    """The digest by which an approval names a value that may replace what a person wrote: that
    text, and no other one.

    It is made without a key: whoever has it and all of the text but a short piece, such as the key
    of an item, finds the piece by trying. So one of a text that may not be shown stays in the
    store, which has the text itself.
    """
    return digest(b" over ".join((bytes(desired), bytes(theirs))))


class KeptColumn(Struct, frozen=True):
    """A column that the changes of a plan need and that the first of them makes: in which tool and
    table, and what it is called there."""

    instance: str
    tool: str
    within: str
    name: str


class KeptPlan(Struct, frozen=True, kw_only=True):
    """A plan under its number, which is that of the run that made it."""

    number: int
    at: datetime
    command: str
    changes: tuple[KeptChange, ...]
    columns: tuple[KeptColumn, ...] = ()

    def shown(self) -> KeptPlan:
        """The plan as it may leave the store."""
        return replace(self, changes=tuple(replace(one, over="") for one in self.changes))

    def completed(self, kept: KeptPlan | None) -> KeptPlan:
        """One that comes back, with what stayed in the store, whose plan of its number is
        `kept`."""
        if kept is None or kept.at != self.at:
            return self
        stayed = {(one.slot, one.desired_hash): one.over for one in kept.changes}
        return replace(
            self,
            changes=tuple(
                replace(one, over=stayed.get((one.slot, one.desired_hash), ""))
                for one in self.changes
            ),
        )

    def same(self, other: KeptPlan) -> bool:
        """Whether both would write the same values, over the same words of people, and make the
        same columns for them."""
        return _writes(self) == _writes(other) and set(self.columns) == set(other.columns)


def _writes(plan: KeptPlan) -> set[tuple[Slot, Verb, Mode, str]]:
    return {(one.slot, one.verb, one.mode, one.approves) for one in plan.changes}


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

    def lapsed(self, asked_for: Mapping[str, Collection[str]]) -> list[tuple[str, str]]:
        """The slots whose approval is for another value than what is asked for by now, each with
        that value's digest: should it come back, it waits again."""
        return sorted(
            (scope, value)
            for scope, value in self.values
            if scope in asked_for and value not in asked_for[scope]
        )

    def covers_edit(self, slot: Slot, desired: bytes, theirs: bytes) -> bool:
        """Whether this value may replace what a person wrote there. The approval of a rule is no
        word about what people write."""
        return (str(slot), edit_hash(desired, theirs)) in self.values
