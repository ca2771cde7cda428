"""One request as a connector asked for it, and how far it got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

Params = Mapping[str, str] | Sequence[tuple[str, str]]
"""What goes behind the path as a query."""


@dataclass(slots=True)
class Call:
    """One request as the connector asked for it, and how far it got."""

    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    content: bytes | None
    lane: str
    cost: float
    reads: bool
    keyed: bool
    unknown: bool = False
    """Whether one of its tries may have been carried out although no good answer came."""
    attempt: int = 0
    status: int = 0
    """Of the last answer; 0 if there was none."""
