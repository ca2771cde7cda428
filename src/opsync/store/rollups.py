"""Roots, the trees below them, and their rollups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, insert, select, text
from sqlalchemy.dialects.sqlite import insert as upsert

from opsync.errors import StoreError
from opsync.model import NOT_VISIBLE, Kind, Member, Record, Ref, Role, Rollup
from opsync.store.base import Part, load, to_refs
from opsync.store.codec import (
    chunks,
    decode_record,
    decode_rollup,
    encode_json,
    texts,
    to_ref,
    to_text,
    to_time,
)
from opsync.store.links import resolve
from opsync.store.runs import latest, since, touch
from opsync.store.schema import members, parents, records, rollup_history, rollups
from opsync.store.twins import sides
from opsync.store.types import HistoryRow, Tree

# `up` is all that changed with all it is part of; `sides` all that did, or of which a link or a
# decision did, with what may be one piece of work with it.
_TOUCHED = text("""
WITH RECURSIVE up (ref) AS (
    SELECT ref FROM records WHERE changed_in >= :since
    UNION
    SELECT p.parent FROM up CROSS JOIN parents p ON p.child = up.ref),
sides (ref) AS (
    SELECT ref FROM touched WHERE run >= :since
    UNION SELECT ref FROM records WHERE changed_in >= :since
    UNION SELECT l.target FROM sides CROSS JOIN links l ON l.source = sides.ref WHERE l.twin > 0
    UNION SELECT l.source FROM sides CROSS JOIN links l ON l.target = sides.ref WHERE l.twin > 0)
SELECT ref FROM up
UNION SELECT root FROM members WHERE rule = :rule AND ref IN (SELECT ref FROM sides)
UNION SELECT root FROM members WHERE rule = :rule AND ref IN (SELECT ref FROM up)
UNION
SELECT m.source FROM up
CROSS JOIN aliases a ON a.ref = up.ref
CROSS JOIN mentions m ON m.alias = a.alias AND m.instance IN ('', a.instance)
WHERE m.property = 1
UNION SELECT d.one FROM up CROSS JOIN decisions d ON d.two = up.ref WHERE d.kind = 'member'
UNION SELECT ref FROM touched WHERE run >= :since
""")

_STOOD = text("""
SELECT h.rule, h.root, h.numbers FROM rollups r
CROSS JOIN rollup_history h ON h.rule = r.rule AND h.root = r.root AND h.at = coalesce(
    (SELECT max(at) FROM rollup_history WHERE rule = r.rule AND root = r.root AND at <= :at),
    (SELECT min(at) FROM rollup_history WHERE rule = r.rule AND root = r.root))
""")


def _of_root(table: Table) -> tuple[ColumnElement[bool], ...]:
    return table.c.rule == bindparam("of_rule"), table.c.root == bindparam("of_root")


_BODY = select(rollups.c.body).where(*_of_root(rollups))
_MEMBERS = (
    select(members.c.ref, members.c.role, members.c.via, members.c.field)
    .where(*_of_root(members))
    .order_by(members.c.position)
)
_FORGET = delete(rollups).where(*_of_root(rollups))
_FORGET_MEMBERS = delete(members).where(*_of_root(members))
_CHILDREN = (
    select(records.c.ref, records.c.body)
    .join(parents, parents.c.child == records.c.ref)
    .where(
        parents.c.parent.in_(bindparam("parents", expanding=True)),
        records.c.tombstone.in_(("", NOT_VISIBLE)),
    )
    .order_by(records.c.ref)
)
_STAND = insert(rollup_history).prefix_with("OR REPLACE")
_NEW = upsert(rollups)
_KEEP = _NEW.on_conflict_do_update(
    index_elements=["rule", "root"],
    set_={name: _NEW.excluded[name] for name in ("at", "revisit_on", "body")},
)
_MEMBER = """
INSERT INTO members (rule, root, ref, position, role, via, field) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_decode_numbers = msgspec.json.Decoder(HistoryRow).decode


class Rollups(Part):
    """Keeping rollups."""

    async def roots(
        self, *, instance: str, kind: Kind | None, space: str | None, stream: str | None
    ) -> list[Record]:
        """The living records of an instance that a rule takes as roots; None: any."""
        query = select(records.c.body).where(
            records.c.instance == instance, records.c.tombstone == ""
        )
        if kind is not None:
            query = query.where(records.c.kind == kind.value)
        if space is not None:
            query = query.where(records.c.space == space)
        if stream is not None:
            query = query.where(records.c.stream == stream)
        query = query.order_by(records.c.ref)
        return await self._read(lambda c: [decode_record(row.body) for row in c.execute(query)])

    async def roots_touched(self, run: int, rule: str, candidates: Sequence[Ref]) -> list[Ref]:
        """Those candidates whose rollup this run may have changed: their record or links did, or
        anything at or below what they name, by what they name now or counted last."""
        return await self._read(lambda c: _roots_touched(c, run, rule, candidates))

    async def rollups(self, rule: str | None = None) -> list[Rollup]:
        """The current rollups, of one rule or of all."""
        query = select(rollups.c.body).order_by(rollups.c.rule, rollups.c.root)
        if rule is not None:
            query = query.where(rollups.c.rule == rule)
        return await self._read(
            lambda c: [decode_rollup(body) for body in c.execute(query).scalars().all()]
        )

    async def rollups_due(self, rule: str, as_of: date) -> list[Ref]:
        """Roots whose rollup has to be looked at again on this date, though nothing changed."""
        query = (
            select(rollups.c.root)
            .where(rollups.c.rule == rule, rollups.c.revisit_on <= as_of.isoformat())
            .order_by(rollups.c.root)
        )
        return await self._read(lambda c: to_refs(c.execute(query).scalars()))

    async def tree(self, root: Ref) -> Tree:
        """A root with all that it may count. Raises StoreError for a ref that is not stored."""
        return await self._read(lambda c: _tree(c, root))

    async def put_rollups(
        self, run: int, rollups: Sequence[tuple[Rollup, Sequence[Member]]], *, at: datetime
    ) -> set[Ref]:
        """Keep these rollups with their members.

        Returns the places concerned: for each rollup that differs in anything (its inputs
        included: a title may have changed) the root and what it names, before and after. History
        gets a row when numbers, health or due date changed.
        """
        if not rollups:
            return set()
        return await self._write(lambda c: _put_rollups(c, run, rollups, at))

    async def drop_rollups(self, rule: str, keep: Sequence[Ref]) -> set[Ref]:
        """Forget the rule's rollups of all other roots; returns the places concerned."""
        return await self._write(lambda c: _drop(c, rule, keep))

    async def rollup_places(self, instances: Sequence[str]) -> set[Ref]:
        """The places of all rollups that rest on one of these instances."""
        wanted = frozenset(instances)
        return await self._read(lambda c: _resting_on(c, wanted))

    async def members(self, rule: str, root: Ref) -> list[Member]:
        """What a root's rollup rests on, in the order it was given."""
        return await self._read(lambda c: _members(c, rule, str(root)))

    async def memberships(self, ref: Ref) -> list[tuple[str, Ref, Member]]:
        """The rollups that a record is part of: rule, root, and how it came there."""
        query = (
            select(members)
            .where(members.c.ref == str(ref))
            .order_by(members.c.rule, members.c.root)
        )
        return await self._read(
            lambda c: [
                (
                    row.rule,
                    to_ref(row.root),
                    _member(row.root, row.ref, row.role, row.via, row.field),
                )
                for row in c.execute(query)
            ]
        )

    async def history(self, rule: str, root: Ref) -> list[HistoryRow]:
        """A rollup's numbers over time, oldest first."""
        query = (
            select(rollup_history.c.numbers)
            .where(rollup_history.c.rule == rule, rollup_history.c.root == str(root))
            .order_by(rollup_history.c.at)
        )
        return await self._read(
            lambda c: [_decode_numbers(row.numbers) for row in c.execute(query)]
        )

    async def stood(self, at: datetime) -> dict[tuple[str, Ref], HistoryRow]:
        """By rule and root the numbers of each current rollup as they stood at a time; the first
        ones of those that did not exist yet."""
        values = {"at": to_text(at)}
        return await self._read(
            lambda c: {
                (rule, to_ref(root)): _decode_numbers(numbers)
                for rule, root, numbers in c.execute(_STOOD, values).all()
            }
        )


def _roots_touched(
    connection: Connection, run: int, rule: str, candidates: Sequence[Ref]
) -> list[Ref]:
    if not candidates:
        return []
    wanted = set(map(str, candidates))
    rows = connection.execute(_TOUCHED, {"since": since(connection, run), "rule": rule})
    found = {ref for ref in rows.scalars() if ref in wanted}
    return [ref for ref in candidates if str(ref) in found]


def _tree(connection: Connection, root: Ref) -> Tree:
    record = load(connection, [root]).get(root)
    if record is None:
        raise StoreError(f"{root} is not in the store.", hint="Run `opsync sync`.")
    names = resolve(connection, [root], properties=True)
    nodes: dict[Ref, Record] = {}
    named = {ref for _, _, refs in names for ref in refs if ref != root}
    nodes.update(sorted(load(connection, named).items()))
    names = [(source, mention, _there(refs, nodes)) for source, mention, refs in names]
    frontier = [root, *nodes]
    while frontier:
        below: list[Ref] = []
        for part in chunks(texts(frontier)):
            for text_, body in connection.execute(_CHILDREN, {"parents": part}):
                ref = to_ref(text_)
                if ref != root and ref not in nodes:
                    nodes[ref] = decode_record(body)
                    below.append(ref)
        frontier = below
    named_by = tuple((mention, refs) for _, mention, refs in names)
    return Tree(record, named_by, nodes, tuple(sides(connection, {root, *nodes})))


def _there(refs: tuple[Ref, ...], nodes: Mapping[Ref, Record]) -> tuple[Ref, ...]:
    """The holders of a name. One that is not visible any more holds it where nobody else does."""
    living = tuple(ref for ref in refs if ref not in nodes or not nodes[ref].tombstone)
    return living or refs


def _put_rollups(
    connection: Connection,
    run: int,
    given: Sequence[tuple[Rollup, Sequence[Member]]],
    at: datetime,
) -> set[Ref]:
    places: set[Ref] = set()
    for rollup, new_members in given:
        rule, root = rollup.rule, str(rollup.root)
        body = encode_json(rollup)
        stored = connection.scalar(_BODY, {"of_rule": rule, "of_root": root})
        old_members = _members(connection, rule, root)
        if stored == body and old_members == list(new_members):
            continue
        old = None if stored is None else decode_rollup(stored)
        places |= _places(old, old_members) | _places(rollup, new_members)
        _keep(connection, rollup, body, at)
        if old_members != list(new_members):
            _keep_members(connection, rule, root, new_members)
        if old is None or _numbers(old, at) != _numbers(rollup, at):
            numbers = _numbers(rollup, at)
            row = {
                "rule": rule,
                "root": root,
                "at": to_text(at),
                "done": numbers.done,
                "total": numbers.total,
                "health": numbers.health.value,
                "numbers": encode_json(numbers),
            }
            connection.execute(_STAND, row)
    touch(connection, run, places)
    return places


def _keep(connection: Connection, rollup: Rollup, body: bytes, at: datetime) -> None:
    revisit_on = None if rollup.revisit_on is None else rollup.revisit_on.isoformat()
    values = {"at": to_text(at), "revisit_on": revisit_on, "body": body}
    connection.execute(_KEEP, {"rule": rollup.rule, "root": str(rollup.root), **values})


def _keep_members(connection: Connection, rule: str, root: str, new: Sequence[Member]) -> None:
    connection.execute(_FORGET_MEMBERS, {"of_rule": rule, "of_root": root})
    rows = [
        (rule, root, str(one.ref), place, one.role.value, str(one.via), one.field)
        for place, one in enumerate(new)
    ]
    if rows:
        connection.exec_driver_sql(_MEMBER, rows)


def _drop(connection: Connection, rule: str, keep: Sequence[Ref]) -> set[Ref]:
    kept = set(map(str, keep))
    query = select(rollups.c.root, rollups.c.body).where(rollups.c.rule == rule)
    places: set[Ref] = set()
    for root, body in connection.execute(query).all():
        if root in kept:
            continue
        places |= _places(decode_rollup(body), _members(connection, rule, root))
        for forget in (_FORGET, _FORGET_MEMBERS):
            connection.execute(forget, {"of_rule": rule, "of_root": root})
    touch(connection, latest(connection), places)
    return places


def _resting_on(connection: Connection, instances: frozenset[str]) -> set[Ref]:
    places: set[Ref] = set()
    for rule, root, body in connection.execute(
        select(rollups.c.rule, rollups.c.root, rollups.c.body)
    ).all():
        rollup = decode_rollup(body)
        if instances.intersection(rollup.instances):
            places |= _places(rollup, _members(connection, rule, root))
    return places


def _places(rollup: Rollup | None, counted: Sequence[Member]) -> set[Ref]:
    """Where a rollup may be written: its root, what the root names, and where its release is
    told."""
    if rollup is None:
        return set()
    direct = {one.ref for one in counted if one.via == rollup.root}
    named = (one.ref for one in rollup.containers)
    return {rollup.root, *direct, *named, *rollup.announced_in}


def _numbers(rollup: Rollup, at: datetime) -> HistoryRow:
    return HistoryRow(
        at=to_time(to_text(at)),
        done=rollup.done,
        total=rollup.total,
        canceled=rollup.canceled,
        blocked=rollup.blocked,
        progress=rollup.progress,
        estimate_done=rollup.estimate_done,
        estimate_total=rollup.estimate_total,
        health=rollup.health,
        due_on=rollup.due_on,
    )


def _members(connection: Connection, rule: str, root: str) -> list[Member]:
    found = connection.execute(_MEMBERS, {"of_rule": rule, "of_root": root})
    return [_member(root, *row) for row in found]


def _member(root: str, ref: str, role: str, via: str, field: str) -> Member:
    return Member(to_ref(ref), Role(role), to_ref(via), field, top=via == root)
