"""What is set aside: items that could not be read and changes that could not be written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, func, or_, select, text, update

from opsync.model import Ref, Slot
from opsync.model.aside import wait_after
from opsync.store.base import Part
from opsync.store.codec import chunks, maybe_time, texts, to_ref, to_text, to_time
from opsync.store.ledger import to_entry
from opsync.store.schema import ledger, quarantine
from opsync.store.types import AsideCount, FailedWrite, Quarantined

_FAILING = """((pending = 1 AND hold IS NULL AND outcome = 'failed')
    OR (outcome = 'conflicted' AND attempts > 0))"""
"""What could not be written, also over what a person wrote, which stands there still."""
_FAILED = text(_FAILING)

_COUNTS = text(f"""
SELECT instance, sum(item) AS items, sum(write) AS writes, min(since) AS since FROM (
    SELECT substr(ref, 1, instr(ref, ':') - 1) AS instance, 1 AS item, 0 AS write, since
    FROM quarantine
    UNION ALL SELECT instance, 0, 1, failed_at FROM ledger
    WHERE {_FAILING})
GROUP BY instance
""")  # noqa: S608 - made of constants

_WRITES_NEXT = text("""
SELECT min(at) FROM (
    SELECT min(next_try_at) AS at FROM ledger
    WHERE pending = 1 AND next_try_at > :since AND (intent IS NOT NULL OR hold IS NULL)
    UNION ALL SELECT min(next_try_at) FROM ledger
    WHERE outcome = 'conflicted' AND next_try_at > :since)
""")
_ITEMS_NEXT = text("""
SELECT substr(ref, 1, instr(ref, ':') - 1) AS instance, min(next_try_at) AS at
FROM quarantine WHERE next_try_at > :since GROUP BY 1
""")

_DUE = (
    select(quarantine)
    .where(
        func.substr(quarantine.c.ref, 1, bindparam("length")) == bindparam("of"),
        or_(quarantine.c.next_try_at.is_(None), quarantine.c.next_try_at <= bindparam("now")),
    )
    .order_by(quarantine.c.next_try_at, quarantine.c.ref)
    .limit(bindparam("limit"))
)


class SettingAside(Part):
    """Looking at what is set aside, and having it tried again."""

    async def quarantine(self) -> list[Quarantined]:
        """The items that could not be read, oldest first."""
        query = select(quarantine).order_by(quarantine.c.since, quarantine.c.ref)
        return await self._read(lambda c: [_to_aside(row) for row in c.execute(query).mappings()])

    async def aside_due(self, instance: str, now: datetime, limit: int) -> list[Quarantined]:
        """The items of an instance that may be tried again by now, the longest due first."""
        of = f"{instance}:"
        values = {"of": of, "length": len(of), "now": to_text(now), "limit": limit}
        return await self._read(
            lambda c: [_to_aside(row) for row in c.execute(_DUE, values).mappings()]
        )

    async def failed_writes(self) -> list[FailedWrite]:
        """The values that could not be written and wait, the longest failing first."""
        query = (
            select(ledger).where(_FAILED).order_by(ledger.c.failed_at, *ledger.primary_key.columns)
        )
        return await self._read(
            lambda c: [
                FailedWrite(to_entry(row), maybe_time(row["failed_at"]), not row["retry"])
                for row in c.execute(query).mappings()
            ]
        )

    async def aside_counts(self) -> dict[str, AsideCount]:
        """By instance what is set aside."""
        return await self._read(
            lambda c: {
                row.instance: AsideCount(row.items, row.writes, maybe_time(row.since))
                for row in c.execute(_COUNTS)
            }
        )

    async def due_next(self, since: datetime) -> tuple[datetime | None, dict[str, datetime]]:
        """What is tried again first after `since`: the time of a write, None where there is none,
        and by instance that of an item that could not be read."""
        values = {"since": to_text(since)}

        def work(connection: Connection) -> tuple[datetime | None, dict[str, datetime]]:
            writes = maybe_time(connection.scalar(_WRITES_NEXT, values))
            items = connection.execute(_ITEMS_NEXT, values)
            return writes, {row.instance: to_time(row.at) for row in items}

        return await self._read(work)

    async def asked_in_vain(self, reasons: Mapping[Ref, str], at: datetime) -> None:
        """These were asked for in vain: they stay set aside, each for this reason."""
        if reasons:
            await self._write(
                lambda c: retried(c, {str(ref): why for ref, why in reasons.items()}, at)
            )

    async def try_now(self, items: Sequence[Ref], writes: Collection[Slot]) -> None:
        """Have these tried again by the next run, whenever they would have been."""

        def work(connection: Connection) -> None:
            for part in chunks(texts(items)):
                connection.execute(
                    update(quarantine).where(quarantine.c.ref.in_(part)).values(next_try_at=None)
                )
            for slot in writes:
                connection.execute(
                    update(ledger)
                    .where(
                        ledger.c.target == str(slot.target),
                        ledger.c.surface == slot.surface,
                        ledger.c.rule == slot.rule,
                        ledger.c.other == str(slot.other),
                        _FAILED,
                    )
                    .values(next_try_at=None)
                )

        await self._write(work)


def retried(connection: Connection, reasons: dict[str, str], at: datetime) -> None:
    """Note that these were tried again in vain, and when they will be next."""
    for part in chunks(list(reasons)):
        query = select(quarantine.c.ref, quarantine.c.tries).where(quarantine.c.ref.in_(part))
        for ref, tries in connection.execute(query).all():
            connection.execute(
                update(quarantine)
                .where(quarantine.c.ref == ref)
                .values(
                    reason=reasons[ref],
                    tries=tries + 1,
                    last_at=to_text(at),
                    next_try_at=to_text(at + wait_after(tries + 1)),
                )
            )


def _to_aside(row: RowMapping) -> Quarantined:
    return Quarantined(
        ref=to_ref(row["ref"]),
        reason=row["reason"],
        since=to_time(row["since"]),
        last_at=to_time(row["last_at"]),
        feed=row["feed"],
        tries=row["tries"],
        next_try_at=maybe_time(row["next_try_at"]),
    )
