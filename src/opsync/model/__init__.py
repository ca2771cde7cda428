"""The one model that every system's records are normalized into: frozen values, no behaviour of
any vendor. Built on the standard library and msgspec only."""

from opsync.model.account import Account
from opsync.model.approval import Approval, Approved, KeptChange, KeptColumn, KeptPlan
from opsync.model.change import WRITTEN, Change, MadeColumn, Outcome, OutcomeKind, Place, Slot, Verb
from opsync.model.content import Card, Content, LinkContent, ReleaseContent, RollupContent, WorkItem
from opsync.model.daily import Unreadable, by_day, day_of, days_between, number_of
from opsync.model.limits import Excess, Limits, Measure
from opsync.model.link import Evidence, Link
from opsync.model.metric import (
    Adoption,
    Counts,
    Early,
    Effect,
    Metric,
    MetricKind,
    Reading,
    Release,
    Span,
    Usage,
)
from opsync.model.note import Note, marker_in, marker_of
from opsync.model.pair import Novelty, PairDecision, PairKind, Verdict
from opsync.model.record import (
    NOT_VISIBLE,
    OUT_OF_SCOPE,
    Category,
    Kind,
    Mention,
    Part,
    Person,
    Record,
    Ref,
    Status,
    Text,
    gone_as,
)
from opsync.model.rollup import Container, Health, Member, Role, Rollup, Space
from opsync.model.suggestion import Suggestion
from opsync.model.twin import Doubt, Preference, Sides, Twin
from opsync.model.value import Seen, Value, same, seen_after, seen_hash, value_hash
from opsync.model.working import Working

__all__ = [
    "NOT_VISIBLE",
    "OUT_OF_SCOPE",
    "WRITTEN",
    "Account",
    "Adoption",
    "Approval",
    "Approved",
    "Card",
    "Category",
    "Change",
    "Container",
    "Content",
    "Counts",
    "Doubt",
    "Early",
    "Effect",
    "Evidence",
    "Excess",
    "Health",
    "KeptChange",
    "KeptColumn",
    "KeptPlan",
    "Kind",
    "Limits",
    "Link",
    "LinkContent",
    "MadeColumn",
    "Measure",
    "Member",
    "Mention",
    "Metric",
    "MetricKind",
    "Note",
    "Novelty",
    "Outcome",
    "OutcomeKind",
    "PairDecision",
    "PairKind",
    "Part",
    "Person",
    "Place",
    "Preference",
    "Reading",
    "Record",
    "Ref",
    "Release",
    "ReleaseContent",
    "Role",
    "Rollup",
    "RollupContent",
    "Seen",
    "Sides",
    "Slot",
    "Space",
    "Span",
    "Status",
    "Suggestion",
    "Text",
    "Twin",
    "Unreadable",
    "Usage",
    "Value",
    "Verb",
    "Verdict",
    "WorkItem",
    "Working",
    "by_day",
    "day_of",
    "days_between",
    "gone_as",
    "marker_in",
    "marker_of",
    "number_of",
    "same",
    "seen_after",
    "seen_hash",
    "value_hash",
]
