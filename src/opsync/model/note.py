"""What an annotation of opsync's shows, and the marker by which it is found again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b

from msgspec import Struct

from opsync.model.record import Ref
from opsync.model.value import Value

_MARKER = re.compile(r" (\[opsync:[0-9a-f]{8}\])\Z")


def marker_of(root: Ref) -> str:
    """ "[opsync:3f2a91c0]": the same for a root whatever it is called, and for no other."""
    return f"[opsync:{blake2b(str(root).encode(), digest_size=4).hexdigest()}]"


def marker_in(text: str) -> str:
    """The marker at the very end of a text, behind what it is about; "" for a person's, wherever it
    holds one."""
    found = _MARKER.search(text)
    return found[1] if found else ""


class Note(Struct, frozen=True):
    """An annotation: its day, "2026-11-02", and its text.

    Its canonical value, {"on": …, "text": …}, is the same in all analytics tools.
    """

    on: str
    text: str

    @classmethod
    def of(cls, value: Value) -> Note:
        """The note of a canonical value; an empty one where there is none."""
        parts = value if isinstance(value, Mapping) else {}
        on, text = (parts.get(name) for name in ("on", "text"))
        return cls(on if isinstance(on, str) else "", text if isinstance(text, str) else "")

    @property
    def value(self) -> Value:
        """Its canonical value."""
        return {"on": self.on, "text": self.text}

    @property
    def marker(self) -> str:
        """The marker with which its text ends; "" for a person's."""
        return marker_in(self.text)
