"""Which items belong together, by whose word, and which ones look as if they did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from opsync.engine.catalog import Item
from opsync.engine.lookup import Lookup
from opsync.engine.veil import REASON, Veil
from opsync.inert import inert_text
from opsync.model import Evidence, Link, PairDecision, Ref, Suggestion
from opsync.model.pair import ACCEPTED


class Named(Struct, frozen=True):
    """Where one item names another: refs, the field, and the words."""

    source: str
    target: str
    field: str
    text: str


class Decided(Struct, frozen=True):
    """What somebody decided about a pair."""

    kind: str
    verdict: str
    by: str
    at: datetime
    note: str


class Pair(Struct, frozen=True, kw_only=True):
    """Two items that belong together. `why` tells it in sentences, `decision` whether a person
    accepted it, `why_not` what keeps an accepted pair from counting ("": nothing)."""

    one: Item
    two: Item
    evidence: tuple[Named, ...]
    decision: Decided | None
    why: tuple[str, ...]
    why_not: str


class Suggested(Struct, frozen=True, kw_only=True):
    """Two items that look as if they belonged together; nothing counts before it is accepted."""

    id: str
    one: Item
    two: Item
    kind: str
    score: float
    reasons: tuple[str, ...]


async def pairs(look: Lookup, ref: Ref | None, limit: int) -> list[Pair]:
    """All pairs, or those of one record: first what was accepted and is no link (yet)."""
    accepted = {
        frozenset((one.one, one.two)): one
        for one in await look.store.decisions(ref)
        if one.accepted
    }
    if ref is None:
        links = await look.store.links_page(limit=limit)
        # What is beyond the limit is a link all the same.
        waiting = [one for one in accepted.values() if not await _linked(look, one)]
    else:
        links = await look.store.links_of(ref)
        linked = {frozenset((link.one, link.two)) for link in links}
        waiting = [one for pair, one in accepted.items() if pair not in linked]
    found = [await _unlinked(look, one) for one in waiting]
    found += [await _pair(look, x, accepted.get(frozenset((x.one, x.two)))) for x in links]
    return found[:limit]


async def suggested(look: Lookup, found: Sequence[Suggestion]) -> list[Suggested]:
    """Suggestions as they may be shown: what speaks for private work may quote it."""
    shown = []
    veil = Veil(look)
    for one in found:
        ends = [await look.record(ref) for ref in (one.one, one.two)]
        items = [await look.item(ref) for ref in (one.one, one.two)]
        hidden = any(record is not None and look.catalog.withholds(record) for record in ends)
        reasons = (REASON,) if hidden else [await veil.text(said) for said in one.reasons]
        shown.append(
            Suggested(
                id=one.id,
                one=items[0],
                two=items[1],
                kind=one.kind,
                score=one.score,
                reasons=tuple(reasons),
            )
        )
    return shown


def decided(decision: PairDecision | None) -> Decided | None:
    """A decision without its pair."""
    if decision is None:
        return None
    return Decided(decision.kind, decision.verdict, decision.by, decision.at, decision.note)


async def _linked(look: Lookup, decision: PairDecision) -> bool:
    return any(
        link.other(decision.one) == decision.two for link in await look.store.links_of(decision.one)
    )


async def _pair(look: Lookup, link: Link, decision: PairDecision | None) -> Pair:
    veil = Veil(look)
    why = [await _sentence(look, evidence) for evidence in link.evidence]
    if decision is not None:
        why.append(look.decided(decision))
    return Pair(
        one=await look.item(link.one),
        two=await look.item(link.two),
        evidence=tuple([await _named(veil, one) for one in link.evidence]),
        decision=decided(decision),
        why=tuple(dict.fromkeys(why)),
        why_not="",
    )


async def _named(veil: Veil, one: Evidence) -> Named:
    return Named(str(one.source), str(one.target), one.field, await veil.text(one.text))


async def _sentence(look: Lookup, evidence: Evidence) -> str:
    if evidence.field == ACCEPTED:
        return await look.accepted(evidence.source, evidence.target)
    source = await look.item(evidence.source)
    return f'named in "{inert_text(evidence.field, 40)}" of {source.key or source.label}'


async def _unlinked(look: Lookup, decision: PairDecision) -> Pair:
    absent = [why for ref in (decision.one, decision.two) if (why := await look.absent(ref))]
    return Pair(
        one=await look.remembered(decision.one, decision.one_name),
        two=await look.remembered(decision.two, decision.two_name),
        evidence=(),
        decision=decided(decision),
        why=(look.decided(decision),),
        why_not=absent[0] if absent else "the next sync links it",
    )
