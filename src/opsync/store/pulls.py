"""What a pull stores: records with their names and mentions, what was set aside, and cursors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

import msgspec
from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as upsert

from opsync.model import OUT_OF_SCOPE, Record
from opsync.model.aside import wait_after
from opsync.store.base import Part
from opsync.store.codec import (
    chunks,
    decode_record,
    encode_body,
    marked,
    maybe_text,
    maybe_time,
    to_text,
)
from opsync.store.runs import mark
from opsync.store.schema import cursors, parents, quarantine
from opsync.store.setaside import retried
from opsync.store.types import BatchCounts, CursorState, Prepared, SetAside

# Plain SQL where every record passes: a compiled Core insert costs twice as much a row.
_RECORD = """
INSERT INTO records (ref, instance, stream, kind, category, key, title, space, tombstone,
    hash, seen_hash, changed_in, seen_changed_in, feed, owner, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (ref) DO UPDATE SET kind = excluded.kind, category = excluded.category,
    key = excluded.key, title = excluded.title, space = excluded.space,
    tombstone = excluded.tombstone, hash = excluded.hash, seen_hash = excluded.seen_hash,
    changed_in = excluded.changed_in, seen_changed_in = excluded.seen_changed_in,
    feed = excluded.feed, owner = excluded.owner, body = excluded.body
"""
_ALIAS = """
INSERT INTO aliases (alias, instance, ref) VALUES (?, ?, ?)
ON CONFLICT (alias, instance) DO UPDATE SET ref = excluded.ref WHERE ref <> excluded.ref
"""
# What is gone keeps its names unless somebody else has them by now.
_GONE_ALIAS = "INSERT OR IGNORE INTO aliases (alias, instance, ref) VALUES (?, ?, ?)"
_MENTION = """
INSERT INTO mentions (source, alias, instance, field, property, text, part)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
# A name that a tool does not tell any more stays; an address is forgotten with it.
_PERSON = """
INSERT INTO people (instance, id, name, email, active) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (instance, id) DO UPDATE
SET name = CASE WHEN excluded.name = '' THEN name ELSE excluded.name END,
    email = excluded.email, active = excluded.active
WHERE (name, email, active) <> (excluded.name, excluded.email, excluded.active)
"""
_STORED = """
SELECT ref, hash, seen_hash, tombstone, feed, changed_in, seen_changed_in
FROM records WHERE ref IN (*)
"""
_BODIES = "SELECT ref, body FROM records WHERE ref IN (*)"
# Asked many times in each run: to build a statement costs more than to carry it out.
_CURSORS = select(cursors).order_by(cursors.c.instance, cursors.c.feed)
_CURSORS_OF = _CURSORS.where(cursors.c.instance == bindparam("of"))
_ANY_ASIDE = select(quarantine.c.ref).limit(1)
_PARENT = "INSERT OR IGNORE INTO parents (child, parent) VALUES (?, ?)"


class Pulls(Part):
    """Storing what was read."""

    async def cursors(self, instance: str | None = None) -> list[CursorState]:
        """Where the feeds resume, of one instance or of all."""
        return await self._read(lambda c: _cursors(c, instance))

    async def put_batch(
        self,
        run: int,
        instance: str,
        feed: str,
        records: Sequence[Prepared],
        aside: Sequence[SetAside],
        *,
        advance_to: datetime | None,
        retried: bool = False,
        since: datetime | None = None,
        seen_to: datetime | None = None,
    ) -> BatchCounts:
        """Store one batch and, in the same transaction, advance the feed's cursor. `retried` says
        that it was set aside before and is tried again; what was visible before `since` is stored,
        and what is as old as `seen_to` was there when that was read.

        A record is written only if its hash, its seen hash, its tombstone or its feed differs
        from what is stored, and one that is out of scope only if it is stored. The cursor never
        goes back.
        """
        at = self._clock.now()
        return await self._write(
            lambda c: _put_batch(
                c, at, run, instance, feed, records, aside, advance_to, retried, since, seen_to
            )
        )

    async def finish_feed(
        self, run: int, instance: str, feed: str, *, high: datetime | None, at: datetime
    ) -> None:
        """The feed was read to its end: advance its cursor to `high`, forget its failures."""
        await self._write(
            lambda c: _set_cursor(
                c, run, instance, feed, high, completed_at=to_text(at), failed_at=None, error=""
            )
        )

    async def fail_feed(
        self, run: int, instance: str, feed: str, *, error: str, at: datetime
    ) -> None:
        """The feed could not be read to its end; the first failure's time is kept."""

        def work(connection: Connection) -> None:
            first = connection.scalar(
                select(cursors.c.failed_at).where(
                    cursors.c.instance == instance, cursors.c.feed == feed
                )
            )
            _set_cursor(
                connection,
                run,
                instance,
                feed,
                None,
                failed_at=first or to_text(at),
                error=error,
            )

        await self._write(work)


def _cursors(connection: Connection, instance: str | None) -> list[CursorState]:
    found = connection.execute(
        _CURSORS if instance is None else _CURSORS_OF, {} if instance is None else {"of": instance}
    )
    return [
        CursorState(
            instance=row.instance,
            feed=row.feed,
            high=maybe_time(row.high),
            completed_at=maybe_time(row.completed_at),
            failed_since=maybe_time(row.failed_at),
            error=row.error,
        )
        for row in found
    ]


def _set_cursor(
    connection: Connection,
    run: int,
    instance: str,
    feed: str,
    high: datetime | None,
    **values: str | None,
) -> None:
    of = mark(connection, run)
    first = {"instance": instance, "feed": feed, "high": maybe_text(high), "last_run": of}
    connection.execute(_moved(tuple(values)), first | {"error": ""} | values)
    if high is not None:
        connection.exec_driver_sql(
            "UPDATE cursors SET high = ? WHERE instance = ? AND feed = ?"
            " AND (high IS NULL OR high < ?)",
            (to_text(high), instance, feed, to_text(high)),
        )


@cache
def _moved(names: tuple[str, ...]) -> Insert:
    """Insert a cursor; of one that is there, only the columns of these names are replaced."""
    new = upsert(cursors)
    changes = {name: new.excluded[name] for name in ("last_run", *names)}
    return new.on_conflict_do_update(index_elements=["instance", "feed"], set_=changes)


def _put_batch(
    connection: Connection,
    at: datetime,
    run: int,
    instance: str,
    feed: str,
    records: Sequence[Prepared],
    aside: Sequence[SetAside],
    advance_to: datetime | None,
    again: bool,
    since: datetime | None,
    seen_to: datetime | None,
) -> BatchCounts:
    latest = {str(one.record.ref): one for one in records}
    known = _known(connection, list(latest))
    latest |= _still_private(connection, latest, known)
    rows: list[tuple[str | int | bytes, ...]] = []
    names: list[tuple[str, Record]] = []
    stale: list[str] = []
    of = mark(connection, run)
    for text, (record, hash_, seen_hash) in latest.items():
        changed_in = seen_changed_in = of
        if (old := known.get(text)) is not None:
            same = old[0] == hash_ and old[2] == record.tombstone
            same_seen = old[1] == seen_hash
            if same and same_seen and old[3] == feed:
                continue
            if same:
                changed_in = old[4]
            else:
                stale.append(text)
                names.append((text, record))
            if same_seen:
                seen_changed_in = old[5]
        elif record.tombstone == OUT_OF_SCOPE:
            continue
        else:
            names.append((text, record))
        ref = record.ref
        rows.append(
            (
                text,
                ref.instance,
                ref.stream,
                record.kind.value,
                record.category.value,
                record.key,
                record.title,
                record.space,
                record.tombstone,
                hash_,
                seen_hash,
                changed_in,
                seen_changed_in,
                feed,
                record.owner.id if record.owner else "",
                encode_body(msgspec.structs.replace(record, texts=()) if record.texts else record),
            )
        )
    faded = _faded(connection, stale, latest)
    shown = 0 if since is None else _shown(latest, known, since)
    late = 0 if seen_to is None else _late(latest, known, seen_to)
    if rows:
        connection.exec_driver_sql(_RECORD, rows)
    _put_names(connection, names, stale)
    _put_people(connection, names)
    _put_aside(connection, at, feed, list(latest), aside)
    if again:
        retried(connection, {_ref(one): one.reason for one in aside}, at)
    if advance_to is not None:
        _set_cursor(connection, run, instance, feed, advance_to)
    return BatchCounts(len(records), len(names), len(records) - len(names), faded, shown, late)


def _faded(connection: Connection, changed: list[str], latest: Mapping[str, Prepared]) -> int:
    """How many of these, which changed, are below nothing any more: a person took them out, or
    what they were below is hidden, which their own times of change do not tell."""
    orphans = [text for text in changed if not latest[text].record.parents]
    found = 0
    for part in chunks(orphans):
        rows = select(parents.c.child).where(parents.c.child.in_(part)).distinct()
        found += len(connection.execute(rows).all())
    return found


_Known = tuple[str, str, str, str, int, int]


def _shown(latest: Mapping[str, Prepared], known: Mapping[str, _Known], since: datetime) -> int:
    """How many of these were not visible although they were there: gone by what is stored, or not
    stored and older than `since`."""
    found = 0
    for text, (record, _, _) in latest.items():
        if record.tombstone:
            continue
        if text in known:
            found += known[text][2] not in ("", OUT_OF_SCOPE)
        else:
            found += record.created_at is not None and record.created_at < since
    return found


def _late(latest: Mapping[str, Prepared], known: Mapping[str, _Known], seen_to: datetime) -> int:
    """How many of these came now although they are no newer than what was read to."""
    new = (record for text, (record, _, _) in latest.items() if text not in known)
    return sum(one.created_at is not None and one.created_at <= seen_to for one in new)


def _still_private(
    connection: Connection, latest: Mapping[str, Prepared], known: Mapping[str, _Known]
) -> dict[str, Prepared]:
    """What left the scope and was private stays so: it does not tell any more who says that."""
    left = [
        text
        for text, (record, _, _) in latest.items()
        if record.tombstone == OUT_OF_SCOPE and not record.private and text in known
    ]
    found: dict[str, Prepared] = {}
    for part in chunks(left):
        for text, body in connection.exec_driver_sql(marked(_BODIES, part), tuple(part)):
            if decode_record(body).private:
                one = latest[text]
                record = msgspec.structs.replace(one.record, private=True)
                found[text] = one._replace(record=record)
    return found


def _known(connection: Connection, refs: list[str]) -> dict[str, _Known]:
    known: dict[str, _Known] = {}
    for part in chunks(refs):
        for ref, *old in connection.exec_driver_sql(marked(_STORED, part), tuple(part)):
            known[ref] = (old[0], old[1], old[2], old[3], old[4], old[5])
    return known


def _put_names(connection: Connection, changed: list[tuple[str, Record]], stale: list[str]) -> None:
    """Replace what the changed records name and are part of; add the names they go by."""
    if stale:
        old = [(text,) for text in stale]
        connection.exec_driver_sql("DELETE FROM mentions WHERE source = ?", old)
        connection.exec_driver_sql("DELETE FROM parents WHERE child = ?", old)
    living = [
        (alias, record.ref.instance, text)
        for text, record in changed
        if not record.tombstone
        for alias in record.aliases
    ]
    if living:
        connection.exec_driver_sql(_ALIAS, living)
    gone = [
        (alias, record.ref.instance, text)
        for text, record in changed
        if record.tombstone
        for alias in record.aliases
    ]
    if gone:
        connection.exec_driver_sql(_GONE_ALIAS, gone)
    mentions = [
        (text, one.alias, one.instance, one.field, int(one.property), one.text, one.part)
        for text, record in changed
        for one in record.mentions
    ]
    if mentions:
        connection.exec_driver_sql(_MENTION, mentions)
    parents = [(text, str(parent)) for text, record in changed for parent in record.parents]
    if parents:
        connection.exec_driver_sql(_PARENT, parents)


def _put_people(connection: Connection, changed: list[tuple[str, Record]]) -> None:
    """Keep who owns what changed, as their tools know them."""
    owners = {(one.ref.instance, one.owner.id): one.owner for _, one in changed if one.owner}
    rows = [
        (instance, id_, who.name, who.email, int(who.active))
        for (instance, id_), who in owners.items()
        if id_
    ]
    if rows:
        connection.exec_driver_sql(_PERSON, rows)


def _put_aside(
    connection: Connection, at: datetime, feed: str, read: list[str], aside: Sequence[SetAside]
) -> None:
    """Keep what could not be read, and forget what has been read well by now."""
    if read and connection.scalar(_ANY_ASIDE) is not None:
        for part in chunks(read):
            connection.execute(delete(quarantine).where(quarantine.c.ref.in_(part)))
    now = to_text(at)
    rows = [
        {
            "ref": _ref(one),
            "reason": one.reason,
            "since": now,
            "last_at": now,
            "feed": feed,
            "next_try_at": to_text(at + wait_after(0)),
        }
        for one in aside
    ]
    if rows:
        new = upsert(quarantine)
        connection.execute(
            new.on_conflict_do_update(
                index_elements=["ref"],
                set_={name: new.excluded[name] for name in ("reason", "last_at", "feed")},
            ),
            rows,
        )


def _ref(one: SetAside) -> str:
    return f"{one.instance}:{one.stream}:{one.id}"
