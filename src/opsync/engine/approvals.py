"""Which approvals are in force, and what is said of a rule by its mode and its approval."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Literal

from msgspec import Struct

from opsync.config import Config
from opsync.inert import inert_text
from opsync.model import Approval
from opsync.model.approval import edit_hash
from opsync.model.ledger import Entry, digest
from opsync.model.rules import Mode
from opsync.wording import day

_DOES = {
    Mode.apply.value: "writes",
    Mode.propose.value: "waits for approval",
    Mode.observe.value: "only observes",
}
"""What a rule does in its mode."""


class Agreed(Struct, frozen=True, kw_only=True):
    """Who approved a value, or a rule as a whole, and when. `plan` is the plan that it was approved
    with (None: with none), `inputs` are the versions that the value was computed from."""

    of: Literal["value", "rule"]
    by: str
    at: datetime
    plan: int | None
    inputs: dict[str, str]


class Approvals:
    """The approvals of one store, for the rules of one configuration."""

    def __init__(self, config: Config, found: Iterable[Approval]) -> None:
        modes = config.modes
        self._asking = frozenset(name for name, mode in modes.items() if mode is Mode.propose)
        self._found = {one.scope: one for one in found}

    def of_rule(self, name: str) -> Agreed | None:
        """The approval of all values of a rule; None where it has none, or needs none."""
        found = self._found.get(name)
        return agreed(found) if found is not None and name in self._asking else None

    def of_value(self, entry: Entry) -> Agreed | None:
        """The approval by which what should stand in a slot may be written: of that very value, or
        else of its rule."""
        found = self._found.get(str(entry.slot))
        if found is not None and approves(found, entry):
            return agreed(found)
        return self.of_rule(entry.slot.rule)


def agreed(one: Approval) -> Agreed:
    """An approval as people are told it."""
    return Agreed(
        of="value" if one.desired_hash else "rule",
        by=one.by,
        at=one.at,
        plan=one.plan or None,
        inputs=one.inputs,
    )


def approves(one: Approval, entry: Entry) -> bool:
    """Whether an approval of a slot's value is for the one that should stand there now."""
    named = {digest(entry.desired)}
    if entry.observed is not None:
        named.add(edit_hash(entry.desired, entry.observed))
    return one.desired_hash in named


def approved_by(one: Agreed, zone: tzinfo) -> str:
    """ "approved by ana on 27 Nov"."""
    return f"approved by {inert_text(one.by, 60)} on {day(one.at.astimezone(zone).date())}"


def rule_does(mode: str, approved: Agreed | None, zone: tzinfo) -> str:
    """What a rule does in its mode, and who agreed to that."""
    return _DOES.get(mode, mode) if approved is None else approved_by(approved, zone)
