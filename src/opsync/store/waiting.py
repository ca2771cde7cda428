"""Which slots wait for a person's word, so that no run has to look at them before it is said."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, and_, bindparam, select, update

from opsync.model import Slot
from opsync.model.waiting import Waiting
from opsync.store.codec import chunks, key_of, texts
from opsync.store.schema import ledger

WAITS = """(waits <> '' AND under = :modes || ' ' || coalesce(
    (SELECT desired_hash FROM approvals
     WHERE scope = target || '|' || surface || '|' || ledger.rule || '|' || other), '')
    || ' ' || EXISTS (SELECT 1 FROM approvals WHERE scope = ledger.rule))"""
"""Whether people have said nothing else since, as `opsync.model.waiting.word` puts it."""

_KEY = (ledger.c.target, ledger.c.surface, ledger.c.rule, ledger.c.other)
_MARKED = select(*_KEY, ledger.c.waits, ledger.c.under).where(
    ledger.c.target.in_(bindparam("targets")), ledger.c.waits != ""
)
_MARK = (
    update(ledger)
    .where(and_(*(column == bindparam(f"at_{column.name}") for column in _KEY)))
    .values(waits=bindparam("for"), under=bindparam("word"))
)


def put_waits(connection: Connection, waits: Mapping[Slot, Waiting | None]) -> None:
    """Mark these slots with what they wait for, None for nothing. One that is marked so already is
    left as it is: a silent run writes nothing."""
    marked: dict[tuple[str, ...], tuple[str, str]] = {}
    for part in chunks(texts({slot.target for slot in waits})):
        for row in connection.execute(_MARKED, {"targets": part}):
            marked[tuple(row[:4])] = row.waits, row.under
    news = []
    for slot, one in waits.items():
        what, under = ("", "") if one is None else (one.what.value, one.under)
        key = key_of(slot)
        if marked.get(key, ("", "")) != (what, under):
            at = {f"at_{column.name}": part for column, part in zip(_KEY, key, strict=True)}
            news.append(at | {"for": what, "word": under})
    if news:
        connection.execute(_MARK, news)
