"""Telling opsync's own things in Linear from people's, also after the store was lost.

An attachment carries opsync's mark in its metadata. External links and project updates have no
room for one, but Linear lets the client choose their id ("in UUID v4 format"): opsync derives it
from the slot, and its second half from its first, which no other id does by chance (1 in 2^62).
The same slot always gives the same id, so that a repeated create fails instead of doubling.
"""

from __future__ import annotations

import uuid
from hashlib import blake2b

from opsync import Slot

LINK = "link"
EXTERNAL = "external_link"
ROLLUP = "rollup"
UPDATE = "update"
MARKED_BY_ID = (EXTERNAL, ROLLUP, UPDATE)


def _tail(head: bytes, surface: str) -> bytes:
    tail = bytearray(blake2b(head, digest_size=8, key=b"opsync " + surface.encode()).digest())
    tail[0] = tail[0] & 0x3F | 0x80  # RFC 9562: the variant
    return bytes(tail)


def own_id(slot: Slot, *, salt: str = "") -> str:
    """The id of what opsync makes for a slot. Another `salt` gives another one."""
    head = bytearray(blake2b(f"{slot}|{salt}".encode(), digest_size=8).digest())
    head[6] = head[6] & 0x0F | 0x40  # RFC 9562: version 4
    return str(uuid.UUID(bytes=bytes(head) + _tail(bytes(head), slot.surface)))


def own_surface(id_: str) -> str:
    """The surface that an id was made for; "" for an id that opsync did not make."""
    try:
        raw = uuid.UUID(id_).bytes
    except ValueError:
        return ""
    for surface in MARKED_BY_ID:
        if raw[8:] == _tail(raw[:8], surface):
            return surface
    return ""
