"""Decisions: what people say about a pair of records, whatever their tools say."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from opsync.model.record import Mention, Ref

PairKind = Literal["member", "same", "related"]
"""What two records are to each other: the second counts in the first, which is an initiative; both
are one piece of work; or they are linked, and neither counts in the other."""

Verdict = Literal["accepted", "rejected"]

Novelty = Literal["new", "changed", "known"]
"""What a decision is beside what was decided before."""

ACCEPTED = "accepted link"
"""The field under which an accepted pair stands among those in which people name records."""


class PairDecision(Struct, frozen=True, kw_only=True):
    """What somebody decided about a pair. For a member, `one` is the initiative.

    `one_name` and `two_name` are what the records were called then, as far as they may be shown.
    """

    one: Ref
    two: Ref
    kind: PairKind
    verdict: Verdict
    by: str
    at: datetime
    note: str = ""
    one_name: str = ""
    two_name: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the pair counts."""
        return self.verdict == "accepted"

    def other(self, end: Ref) -> Ref:
        """The other end."""
        return self.two if end == self.one else self.one


def in_order(decision: PairDecision) -> PairDecision:
    """The one form in which a pair is kept: only an initiative has a side of its own."""
    if decision.kind == "member" or decision.one < decision.two:
        return decision
    return replace(
        decision,
        one=decision.two,
        two=decision.one,
        one_name=decision.two_name,
        two_name=decision.one_name,
    )


def novelty(old: PairDecision | None, new: PairDecision) -> Novelty:
    """What `new` changes. Who decides the same again, and when, is no change; nor is no note."""
    if old is None:
        return "new"
    before, after = ((d.one, d.two, d.kind, d.verdict) for d in (old, in_order(new)))
    return "known" if before == after and new.note in ("", old.note) else "changed"


def mention_of(two: Ref, kind: PairKind) -> Mention:
    """An accepted pair as its first end names the second: a member as in a property."""
    return Mention(
        alias=str(two),
        instance=two.instance,
        field=ACCEPTED,
        property=kind == "member",
        part="mirror" if kind == "same" else "",
    )
