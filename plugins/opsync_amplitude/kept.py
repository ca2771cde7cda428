"""What an instance keeps from pass to pass. All of it can be learned again."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping

from opsync import Value

MAX_FLAGS = 500
"""So many flags are remembered as ones that the project has."""


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
