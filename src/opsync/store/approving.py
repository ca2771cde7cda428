"""Plans that are kept, and what people approved."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from opsync.model import Approval, Approved, KeptPlan
from opsync.store.base import Part
from opsync.store.codec import decode_inputs, encode_json, to_text, to_time
from opsync.store.schema import approvals, plans

KEPT = 50
"""So many plans that people were told of are kept, and so many others; older ones are forgotten."""

_decode = msgspec.json.Decoder(KeptPlan).decode

_TAKE_AWAY = delete(approvals).where(approvals.c.scope == bindparam("of"))
_APPROVE = approvals.insert()


class Approving(Part):
    """Keeping plans and approvals. Approvals are short transactions beside a running pass."""

    async def put_plan(self, plan: KeptPlan, *, told: bool = True, anew: bool = True) -> int:
        """Keep a plan, and forget the oldest of those that people were `told` of, or of those that
        they were not: neither pushes out the others. Returns the number under which it is kept:
        its own, or, unless it is to be kept `anew`, that of the newest if it is the same."""

        def work(connection: Connection) -> int:
            before = None if anew else _newest(connection)
            if before is not None and before.same(plan):
                if told:
                    known = update(plans).where(plans.c.number == before.number)
                    connection.execute(known.values(told=1))
                return before.number
            values = {"at": to_text(plan.at), "body": encode_json(plan), "told": int(told)}
            connection.execute(
                upsert(plans)
                .values(number=plan.number, **values)
                .on_conflict_do_update(index_elements=["number"], set_=values)
            )
            alike = plans.c.told == int(told)
            newest = select(plans.c.number).where(alike).order_by(plans.c.number.desc())
            old = plans.c.number.not_in(newest.limit(KEPT))
            connection.execute(delete(plans).where(alike, old))
            return plan.number

        return await self._write(work)

    async def kept_plan(self, number: int) -> KeptPlan | None:
        """The plan of this number; None where none is kept."""
        query = select(plans.c.body).where(plans.c.number == number)
        return await self._read(lambda c: _decoded(c.scalar(query)))

    async def newest_plan(self, *, told: bool = False) -> KeptPlan | None:
        """The newest plan, or the newest that people were `told` of; None where none is kept."""
        return await self._read(lambda c: _newest(c, told=told))

    async def approve(self, given: Sequence[Approval]) -> None:
        """Keep these approvals, all or none. A slot has one: that of the latest value."""
        if not given:
            return

        def work(connection: Connection) -> None:
            put_approvals(connection, given)

        await self._write(work)

    async def disapprove(self, scope: str) -> bool:
        """Take an approval back; False where there is none."""
        query = delete(approvals).where(approvals.c.scope == scope)
        return await self._write(lambda c: c.execute(query).rowcount > 0)

    async def lapse(self, values: Sequence[tuple[str, str]]) -> None:
        """Forget the approvals of these values, each with its slot, that something else has taken
        the place of. What somebody approved there meanwhile stays."""
        if values:
            gone = [{"at": scope, "gone": desired_hash} for scope, desired_hash in values]
            query = delete(approvals).where(
                approvals.c.scope == bindparam("at"), approvals.c.desired_hash == bindparam("gone")
            )
            await self._write(lambda c: c.execute(query, gone))

    async def withdraw(self, given: Sequence[Approval], before: Sequence[Approval]) -> None:
        """Take these approvals back, as far as nothing came in their place meanwhile, and have in
        theirs what was approved `before` them."""

        def work(connection: Connection) -> None:
            gone = {
                one.scope
                for one in given
                if connection.execute(
                    delete(approvals).where(
                        approvals.c.scope == one.scope,
                        approvals.c.desired_hash == one.desired_hash,
                        approvals.c.by == one.by,
                        approvals.c.at == to_text(one.at),
                    )
                ).rowcount
            }
            put_approvals(connection, [one for one in before if one.scope in gone])

        if given:
            await self._write(work)

    async def approvals(self) -> list[Approval]:
        """All approvals, by what they are for."""
        query = select(approvals).order_by(approvals.c.scope)
        return await self._read(
            lambda c: [
                Approval(
                    scope=row.scope,
                    desired_hash=row.desired_hash,
                    by=row.by,
                    at=to_time(row.at),
                    plan=row.plan,
                    inputs=decode_inputs(row.inputs),
                )
                for row in c.execute(query)
            ]
        )

    async def approved(self) -> Approved:
        """What may be written although its rule only proposes it."""
        found = await self.approvals()
        return Approved(
            frozenset((one.scope, one.desired_hash) for one in found if one.desired_hash),
            frozenset(one.scope for one in found if not one.desired_hash),
        )


def _newest(connection: Connection, *, told: bool = False) -> KeptPlan | None:
    query = select(plans.c.body).order_by(plans.c.number.desc()).limit(1)
    return _decoded(connection.scalar(query.where(plans.c.told == 1) if told else query))


def _decoded(body: bytes | None) -> KeptPlan | None:
    return None if body is None else _decode(body)


def put_approvals(connection: Connection, given: Sequence[Approval]) -> None:
    """Keep these approvals, each in the place of what its slot or rule had."""
    for one in given:
        connection.execute(_TAKE_AWAY, {"of": one.scope})
        connection.execute(
            _APPROVE,
            {
                "scope": one.scope,
                "desired_hash": one.desired_hash,
                "by": one.by,
                "at": to_text(one.at),
                "plan": one.plan,
                "inputs": encode_json(one.inputs),
            },
        )
