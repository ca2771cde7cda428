"""By what a store is told from every other one, kept with the values that passes keep."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from opsync.store.base import Part
from opsync.store.schema import kept

_decode = msgspec.json.Decoder(str).decode


class Identity(Part):
    """Telling which store it is."""

    async def store_id(self) -> str:
        """The id that this store, and every copy of it, has from its making."""
        query = select(kept.c.value).where(kept.c.instance == "", kept.c.key == "store:id")
        return await self._read(lambda c: _decode(c.execute(query).scalar_one()))
