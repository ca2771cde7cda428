"""How many records are alike: by status, by space and by how they ended."""

from __future__ import annotations

from collections import Counter

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from opsync.model import Kind, Status
from opsync.store.base import Part
from opsync.store.schema import records
from opsync.store.types import Alike


class _Facts(Struct):
    """What a stored record is counted by."""

    kind: Kind
    status: Status | None = None
    space: str = ""
    space_key: str = ""
    team: str = ""
    private: bool = False
    extra: dict[str, str] = {}


_decode = msgspec.json.Decoder(_Facts).decode
_RESOLUTION = "resolution"


class Tallies(Part):
    """Counting over all that was read. Costs a look at each record."""

    async def tallies(self, instance: str) -> list[tuple[Alike, int]]:
        """The living records of an instance by what makes them alike, the most frequent first."""

        def work(connection: Connection) -> list[tuple[Alike, int]]:
            query = select(records.c.body).where(
                records.c.ref > f"{instance}:",
                records.c.ref < f"{instance};",
                records.c.tombstone == "",
            )
            counts: Counter[Alike] = Counter()
            for (body,) in connection.execute(query):
                one = _decode(body)
                ended = one.extra.get(_RESOLUTION, "")
                alike = Alike(
                    one.kind,
                    one.status,
                    ended,
                    one.space,
                    one.space_key,
                    one.team,
                    one.private,
                )
                counts[alike] += 1
            return sorted(counts.items(), key=lambda each: (-each[1], each[0].space))

        return await self._read(work)
