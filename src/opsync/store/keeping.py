"""Small values that are kept of an instance: its connector's, and those of the passes."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select

from opsync.model import Value
from opsync.store.base import Part
from opsync.store.codec import encode_json
from opsync.store.schema import kept

_KEPT = select(kept.c.key, kept.c.value).where(kept.c.instance == bindparam("of"))
_KEPT = _KEPT.order_by(kept.c.key)
_FORGET = delete(kept).where(kept.c.instance == bindparam("of"), kept.c.key == bindparam("by"))
_KEEP = insert(kept)


def put_kept(connection: Connection, instance: str, values: Mapping[str, Value]) -> None:
    """Keep these values, of which there are some, for the instance; None forgets a key."""
    rows = [
        {"instance": instance, "key": key, "value": encode_json(value)}
        for key, value in values.items()
        if value is not None
    ]
    connection.execute(_FORGET, [{"of": instance, "by": key} for key in values])
    if rows:
        connection.execute(_KEEP, rows)


class Keeping(Part):
    """Keeping values by instance and key."""

    async def kept(self, instance: str) -> dict[str, Value]:
        """What is kept of the instance."""
        return await self._read(
            lambda c: {
                key: msgspec.json.decode(value)
                for key, value in c.execute(_KEPT, {"of": instance}).all()
            }
        )

    async def put_kept(self, instance: str, values: Mapping[str, Value]) -> None:
        """Keep these values for the instance; other keys stay, and None forgets a key."""
        if values:
            await self._write(lambda c: put_kept(c, instance, values))
