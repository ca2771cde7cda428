"""Values: what stands, or should stand, at a place that opsync may write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TypeAlias

import msgspec
from msgspec import Struct

Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"
"""What stands at a place, as JSON. None means that nothing stands there."""

NOTHING = msgspec.Raw(b"null")


def value_hash(value: object) -> str:
    """A digest (32 hexadecimal characters) of a value, equal for equal values."""
    return blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=16).hexdigest()


def same(one: object, other: object) -> bool:
    """Whether two values are the same once written as JSON."""
    return one == other or value_hash(one) == value_hash(other)


class Seen(Struct, frozen=True):
    """Something that stands at a place opsync may write, as the vendor shows it.

    `address` is what the vendor keys it by (a URL, a globalId; "" where the target has one such
    place only), `value` its canonical form as JSON, `remote_id` the vendor's id.
    `ours` is True when it carries opsync's own marker.
    """

    surface: str
    address: str = ""
    value: msgspec.Raw = NOTHING
    remote_id: str = ""
    ours: bool = False

    @classmethod
    def of(
        cls,
        surface: str,
        value: Value,
        *,
        address: str = "",
        remote_id: str = "",
        ours: bool = False,
    ) -> Seen:
        """Build one from a plain value; None says that the place is there and empty."""
        return cls(surface, address, msgspec.Raw(msgspec.json.encode(value)), remote_id, ours)

    def plain(self) -> Value:
        """The value as JSON."""
        decoded: Value = msgspec.json.decode(self.value)
        return decoded
