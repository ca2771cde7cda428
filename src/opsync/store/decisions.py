"""What people decide about pairs, and the pairs that are suggested to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, text

from opsync.model import Novelty, PairDecision, Ref, Suggestion
from opsync.model.pair import in_order, novelty
from opsync.store.base import Part
from opsync.store.codec import chunks, decode_words, encode_json, texts, to_ref, to_text, to_time
from opsync.store.runs import NEXT, touch
from opsync.store.schema import decisions, records, runs, suggestions

# A pair that was decided stands in one order only, which need not be that of the suggestion.
_OPEN = """
FROM suggestions s
JOIN records a ON a.ref = s.one AND a.tombstone = ''
JOIN records b ON b.ref = s.two AND b.tombstone = ''
WHERE NOT EXISTS (SELECT 1 FROM decisions d WHERE d.one = s.one AND d.two = s.two)
  AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.one = s.two AND d.two = s.one)
  AND (:ref IS NULL OR s.one = :ref OR s.two = :ref)
"""
_LISTED = text(f"""
SELECT s.one, s.two, s.kind, s.score, s.reasons {_OPEN} ORDER BY s.score DESC, s.one, s.two
""")
_COUNTED = text(f"SELECT count(*) {_OPEN}")


class Decisions(Part):
    """Keeping decisions and suggestions.

    They are made beside a running pass: what they concern is given to a pass that begins later,
    whatever the running one still does with it.
    """

    async def decide(self, decisions: Sequence[PairDecision]) -> list[Novelty]:
        """Keep these, all or none; the latest about a pair counts. Tells what each changed."""
        if not decisions:
            return []
        return await self._write(lambda c: [_decide(c, one) for one in decisions])

    async def undecide(self, one: Ref, two: Ref) -> PairDecision | None:
        """Forget what was decided about a pair, in whatever order; returns it."""
        return await self._write(lambda c: _undecide(c, one, two))

    async def decisions(self, ref: Ref | None = None) -> list[PairDecision]:
        """All decisions, or those about one record."""
        query = select(decisions).order_by(decisions.c.one, decisions.c.two)
        if ref is not None:
            query = query.where(or_(decisions.c.one == str(ref), decisions.c.two == str(ref)))
        return await self._read(lambda c: [_decision(row) for row in c.execute(query)])

    async def decision(self, one: Ref, two: Ref) -> PairDecision | None:
        """What was decided about a pair, in whatever order."""
        return await self._read(lambda c: _find(c, one, two))

    async def put_suggestions(self, found: Sequence[Suggestion]) -> None:
        """Replace all suggestions."""
        at = to_text(self._clock.now())
        rows = [
            {
                "one": str(one.one),
                "two": str(one.two),
                "id": one.id,
                "kind": one.kind,
                "score": one.score,
                "reasons": encode_json(one.reasons),
                "at": at,
            }
            for one in found
        ]

        def work(connection: Connection) -> None:
            connection.execute(delete(suggestions))
            if rows:
                connection.execute(insert(suggestions), rows)

        await self._write(work)

    async def suggestions(self, ref: Ref | None = None) -> list[Suggestion]:
        """Pairs of living records about which nobody decided, the likeliest first; all, or those
        of one record."""
        values = {"ref": None if ref is None else str(ref)}
        return await self._read(lambda c: [_suggestion(row) for row in c.execute(_LISTED, values)])

    async def suggested(self) -> int:
        """How many there are of these."""
        return await self._read(lambda c: int(c.execute(_COUNTED, {"ref": None}).scalar_one()))

    async def suggestion(self, id_: str) -> list[Suggestion]:
        """What has this id, decided or not: hardly ever more than one."""
        query = select(suggestions).where(suggestions.c.id == id_)
        return await self._read(lambda c: [_suggestion(row) for row in c.execute(query)])

    async def gone_since(self, refs: Sequence[Ref]) -> Mapping[Ref, datetime]:
        """When those of these records that are gone were found to be."""
        return await self._read(lambda c: _gone_since(c, refs))


def _decide(connection: Connection, given: PairDecision) -> Novelty:
    new = in_order(given)
    old = _find(connection, new.one, new.two)
    what = novelty(old, new)
    if what == "known":
        return what
    _drop(connection, new.one, new.two)
    row = {
        **{name: getattr(new, name) for name in ("kind", "verdict", "by", "note")},
        **{name: getattr(new, name) for name in ("one_name", "two_name")},
        "one": str(new.one),
        "two": str(new.two),
        "at": to_text(new.at),
    }
    connection.execute(insert(decisions).values(row))
    if _matters(new) or (old is not None and _matters(old)):
        _touch_both(connection, new)
    return what


def _undecide(connection: Connection, one: Ref, two: Ref) -> PairDecision | None:
    old = _find(connection, one, two)
    if old is not None:
        _drop(connection, one, two)
        if _matters(old):
            _touch_both(connection, old)
    return old


def _matters(decision: PairDecision) -> bool:
    """Whether links or numbers may follow from it. That two are not the same work parts twins."""
    return decision.accepted or decision.kind == "same"


def _touch_both(connection: Connection, decision: PairDecision) -> None:
    # A pass that is under way may be past its links already: the next one looks at both ends.
    touch(connection, NEXT, (decision.one, decision.two), relink=True)


def _find(connection: Connection, one: Ref, two: Ref) -> PairDecision | None:
    row = connection.execute(select(decisions).where(_pair(one, two))).first()
    return None if row is None else _decision(row)


def _drop(connection: Connection, one: Ref, two: Ref) -> None:
    connection.execute(delete(decisions).where(_pair(one, two)))


def _pair(one: Ref, two: Ref) -> Any:
    first, second = str(one), str(two)
    return or_(
        and_(decisions.c.one == first, decisions.c.two == second),
        and_(decisions.c.one == second, decisions.c.two == first),
    )


def _decision(row: Row[Any]) -> PairDecision:
    return PairDecision(
        one=to_ref(row.one),
        two=to_ref(row.two),
        kind=row.kind,
        verdict=row.verdict,
        by=row.by,
        at=to_time(row.at),
        note=row.note,
        one_name=row.one_name,
        two_name=row.two_name,
    )


def _suggestion(row: Row[Any]) -> Suggestion:
    return Suggestion(
        to_ref(row.one), to_ref(row.two), row.kind, row.score, decode_words(row.reasons)
    )


def _gone_since(connection: Connection, refs: Sequence[Ref]) -> dict[Ref, datetime]:
    found: dict[Ref, datetime] = {}
    for part in chunks(texts(refs)):
        query = (
            select(records.c.ref, runs.c.started_at)
            .join(runs, runs.c.seq == records.c.changed_in)
            .where(records.c.ref.in_(part), records.c.tombstone != "")
        )
        found.update(
            {to_ref(row.ref): to_time(row.started_at) for row in connection.execute(query)}
        )
    return found
