"""Values to columns and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from sys import intern
from typing import TypeVar

import msgspec

from opsync.model import Record, Ref, Rollup, Slot
from opsync.model.ledger import Hold

T = TypeVar("T")

CHUNK = 500
"""Most values in one IN list: below every SQLite build's limit of bound parameters (999)."""

encode_json = msgspec.json.Encoder(order="deterministic").encode
encode_body = msgspec.json.Encoder().encode
decode_record = msgspec.json.Decoder(Record).decode
decode_rollup = msgspec.json.Decoder(Rollup).decode
decode_words = msgspec.json.Decoder(tuple[str, ...]).decode
decode_inputs = msgspec.json.Decoder(dict[str, str]).decode
decode_hold = msgspec.json.Decoder(Hold).decode
decode_counts = msgspec.json.Decoder(dict[str, int | float]).decode


def to_ref(text: str) -> Ref:
    """A stored ref; the few names that all refs share are kept once in memory."""
    instance, stream, id_ = text.split(":", 2)
    return Ref(intern(instance), intern(stream), id_)


def to_text(at: datetime) -> str:
    """A time as the store keeps it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def maybe_text(at: datetime | None) -> str | None:
    """A time as the store keeps it, or None."""
    return None if at is None else to_text(at)


def to_time(text: str) -> datetime:
    """The inverse of `to_text`."""
    return datetime.fromisoformat(text)


def maybe_time(text: str | None) -> datetime | None:
    """The inverse of `maybe_text`."""
    return None if text is None else datetime.fromisoformat(text)


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Cut `values` into lists of at most `size`."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def texts(refs: Iterable[Ref]) -> list[str]:
    """Refs as stored, each once, in their order."""
    return list(dict.fromkeys(map(str, refs)))


def key_of(slot: Slot) -> tuple[str, ...]:
    """A slot as the key of its row."""
    return str(slot.target), slot.surface, slot.rule, str(slot.other)


def marked(sql: str, values: Sequence[object]) -> str:
    """`sql` with `(*)` replaced by as many question marks as there are values."""
    return sql.replace("(*)", f"({','.join('?' * len(values))})")
