"""Values: what stands, or should stand, at a place that opsync may write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"
else:
    Value = Any  # msgspec reads annotations at run time, and knows no type that holds itself
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


def seen_hash(seen: Sequence[Seen], *, complete: bool) -> str:
    """A digest of what stands at a record's places; "" where nothing is known of them."""
    if not seen and not complete:
        return ""
    return value_hash((seen, complete))


def seen_after(
    seen: Sequence[Seen], surface: str, value: Value, *, address: str, remote_id: str
) -> tuple[Seen, ...]:
    """What stands there after `value` was written (None: removed) at one place of `surface`."""
    before = next(
        (one for one in seen if one.surface == surface and one.remote_id == remote_id), None
    )
    if before is None:
        if value is None:
            return tuple(seen)
        new = Seen.of(surface, value, address=address, remote_id=remote_id, ours=bool(address))
        return (*seen, new)
    if value is None and before.address:
        return tuple(one for one in seen if one is not before)
    new = Seen.of(surface, value, address=address, remote_id=remote_id, ours=before.ours)
    return tuple(new if one is before else one for one in seen)
