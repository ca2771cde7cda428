"""What an instance keeps from pass to pass. All of it can be learned again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import cast

import msgspec

from opsync import Span, Value, value_hash
from opsync_amplitude.series import Part

MAX_FLAGS = 500
"""So many flags are remembered as ones that the project has."""
MAX_PARTED = 8
"""So many queries are remembered of which only a part was told."""


class Kept:
    """Typed access to the core's map for the instance. What cannot be read counts as absent."""

    def __init__(self, kept: MutableMapping[str, Value]) -> None:
        self._kept = kept

    @property
    def signed_in(self) -> bool:
        """Whether the key pair was accepted once."""
        return self._kept.get("signed_in") is True

    def note_signed_in(self) -> None:
        self._kept["signed_in"] = True

    @property
    def category(self) -> str:
        """The category of opsync's annotations that is known to be there; "" for none."""
        value = self._kept.get("category")
        return value if isinstance(value, str) else ""

    def note_category(self, name: str) -> None:
        self._kept["category"] = name

    @property
    def apart(self) -> bool:
        """Whether Amplitude's answers for two events do not tell them apart."""
        return self._kept.get("apart") is True

    def note_apart(self) -> None:
        self._kept["apart"] = True

    @property
    def flags(self) -> frozenset[str]:
        """Flags that were seen in use, so that not being used is no reason to doubt them."""
        value = self._kept.get("flags")
        names = value if isinstance(value, list | tuple) else ()
        return frozenset(one for one in names if isinstance(one, str))

    def note_flags(self, names: Iterable[str]) -> None:
        found = self.flags | set(names)
        if found != self.flags:
            self._kept["flags"] = sorted(found)[:MAX_FLAGS]

    def part(self, query: str, span: Span) -> Part | None:
        """What a query told of a span before its budget was spent."""
        try:
            return msgspec.convert(self._parts(query).get(str(span)), Part)
        except msgspec.ValidationError:
            return None

    def note_part(self, query: str, span: Span, part: Part) -> None:
        told = {**self._parts(query), str(span): msgspec.to_builtins(part)}
        self._set_parts(query, told)

    def forget_parts(self, query: str) -> None:
        self._set_parts(query, {})

    def _parts(self, query: str) -> Mapping[str, object]:
        every = self._kept.get("parts")
        told = every.get(value_hash(query)) if isinstance(every, Mapping) else None
        return told if isinstance(told, Mapping) else {}

    def _set_parts(self, query: str, told: Mapping[str, object]) -> None:
        """Keep what this query told besides that of the others, as many as the latest are."""
        every = self._kept.get("parts")
        others = dict(every) if isinstance(every, Mapping) else {}
        others.pop(value_hash(query), None)
        if told:
            others[value_hash(query)] = cast("Value", told)
        while len(others) > MAX_PARTED:
            del others[next(iter(others))]
        if others:
            self._kept["parts"] = others
        else:
            self._kept.pop("parts", None)
