"""The one model that every system's records are normalized into: frozen values, no behaviour of
any vendor. Built on the standard library and msgspec only."""

from opsync.model.change import Change, Outcome, OutcomeKind, Slot, Verb
from opsync.model.content import Card, LinkContent, RollupContent, WorkItem
from opsync.model.link import Evidence, Link
from opsync.model.pair import Novelty, PairDecision, PairKind, Verdict
from opsync.model.record import (
    Category,
    Kind,
    Mention,
    Part,
    Person,
    Record,
    Ref,
    Status,
    Text,
)
from opsync.model.rollup import Container, Health, Member, Role, Rollup, Space
from opsync.model.suggestion import Suggestion
from opsync.model.value import Seen, Value, same, seen_after, seen_hash, value_hash

__all__ = [
    "Card",
    "Category",
    "Change",
    "Container",
    "Evidence",
    "Health",
    "Kind",
    "Link",
    "LinkContent",
    "Member",
    "Mention",
    "Novelty",
    "Outcome",
    "OutcomeKind",
    "PairDecision",
    "PairKind",
    "Part",
    "Person",
    "Record",
    "Ref",
    "Role",
    "Rollup",
    "RollupContent",
    "Seen",
    "Slot",
    "Space",
    "Status",
    "Suggestion",
    "Text",
    "Value",
    "Verb",
    "Verdict",
    "WorkItem",
    "same",
    "seen_after",
    "seen_hash",
    "value_hash",
]
