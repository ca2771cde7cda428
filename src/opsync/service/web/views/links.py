"""Links that look as if they belonged together, and what was decided about others. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from msgspec import Struct

from opsync.engine.belonging import Suggested
from opsync.engine.catalog import Item
from opsync.engine.phrases import percent, plural, shown
from opsync.model import PairDecision, Ref
from opsync.service.web.seen import seen
from opsync.service.web.views.signs import Badge
from opsync.service.web.views.values import Named, moment, named

MOST = 200
"""So many of each sort are listed."""

_KINDS = {"member": "counts in it", "same": "the same work", "related": "linked only"}
_VERDICTS = {
    "accepted": Badge("✓", "accepted", "good"),
    "rejected": Badge("✕", "rejected", "calm"),
}


class Pair(Struct, frozen=True, kw_only=True):
    """A suggestion."""

    id: str
    one: Named
    two: Named
    kind: str
    score: str
    reasons: tuple[str, ...]


class Decision(Struct, frozen=True, kw_only=True):
    """What somebody decided about a pair. `seen` is the digest of what its button takes back."""

    one_ref: str
    two_ref: str
    seen: str
    one: Named
    two: Named
    kind: str
    verdict: Badge
    by: str
    at: str
    note: str


class LinksPage(Struct, frozen=True, kw_only=True):
    """The page; the counts are of all, listed or not."""

    sentence: str
    pairs: tuple[Pair, ...]
    open: int
    decisions: tuple[Decision, ...]
    decided: int


def links(
    found: Sequence[Suggested],
    count: int,
    decisions: Sequence[PairDecision],
    items: Mapping[Ref, Item],
    zone: tzinfo,
) -> LinksPage:
    """The page. `count` is how many are suggested; the latest decisions come first."""
    latest = sorted(decisions, key=lambda one: one.at, reverse=True)
    head = "No link waits for review"
    if count:
        looks = "looks as if it" if count == 1 else "look as if they"
        head = f"{plural(count, 'pair')} {looks} belonged together"
    return LinksPage(
        sentence=head,
        pairs=tuple(_pair(one) for one in found[:MOST]),
        open=count,
        decisions=tuple(_decision(one, items, zone) for one in latest[:MOST]),
        decided=len(decisions),
    )


def _pair(one: Suggested) -> Pair:
    return Pair(
        id=one.id,
        one=named(one.one),
        two=named(one.two),
        kind=_KINDS[one.kind],
        score=percent(one.score),
        reasons=tuple(shown(said, 200) for said in one.reasons),
    )


def _decision(one: PairDecision, items: Mapping[Ref, Item], zone: tzinfo) -> Decision:
    return Decision(
        one_ref=str(one.one),
        two_ref=str(one.two),
        seen=seen([one]),
        one=named(items[one.one]),
        two=named(items[one.two]),
        kind=_KINDS[one.kind],
        verdict=_VERDICTS[one.verdict],
        by=shown(one.by, 60),
        at=moment(one.at, zone),
        note=shown(one.note, 200),
    )
