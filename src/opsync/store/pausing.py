"""Pauses, kept with the values that passes keep for themselves."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from opsync.model.pause import Pause, Pauses
from opsync.store.base import Part
from opsync.store.codec import encode_json
from opsync.store.schema import kept

_OWN = ""
_KEY = "paused:"

_PAUSES = select(kept.c.value).where(
    kept.c.instance == _OWN, kept.c.key.startswith(_KEY, autoescape=True)
)

_decode = msgspec.json.Decoder(Pause).decode


class Pausing(Part):
    """Keeping pauses. Each is a short transaction beside a running pass, which asks for them
    before each batch of writes."""

    async def pause(self, instance: str, *, by: str, at: datetime) -> None:
        """Stop all writes of an instance, or of all (`ALL`)."""
        row = {
            "instance": _OWN,
            "key": _KEY + instance,
            "value": encode_json(Pause(instance, by, at)),
        }
        statement = upsert(kept).values(row)
        changed = statement.on_conflict_do_update(
            index_elements=["instance", "key"], set_={"value": row["value"]}
        )
        await self._write(lambda c: c.execute(changed))

    async def unpause(self, instance: str) -> bool:
        """Permit them again; False where there is no such pause."""
        query = delete(kept).where(kept.c.instance == _OWN, kept.c.key == _KEY + instance)
        return await self._write(lambda c: c.execute(query).rowcount > 0)

    async def pauses(self) -> Pauses:
        """All that is paused."""
        return await self._read(
            lambda c: Pauses(tuple(_decode(value) for value in c.execute(_PAUSES).scalars()))
        )
