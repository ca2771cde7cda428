"""What a service measures and traces, as the layers below it see it: two small protocols.

Whoever speaks to a vendor or runs a stage tells an `Observer`; without one that costs nothing. No
title, no text of a vendor's and no secret is ever told, only names out of the configuration.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Literal, Protocol

Attribute = str | int | float | bool
"""What a span may be told."""

OTHER: Final = "{}"
"""What stands for a part of a path that may be an id or a name."""
_WORD = re.compile(r"[a-z]{2,20}([_-][a-z]{2,20}){0,3}|[a-z]{2,20}([A-Z][a-z]{1,20}){1,3}|v\d{1,2}")
_NUMBERED = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that was sent, each attempt by itself. `status` is 0 where no answer came."""

    instance: str
    kind: Literal["read", "write"]
    status: int


class Counter(Protocol):
    """Counts what goes out."""

    def sent(self, request: Sent) -> None:
        """A request was sent, and answered or not."""
        ...

    def waited(self, instance: str, seconds: float) -> None:
        """So long was waited for a limit, or before a request was tried again."""
        ...


class Span(Protocol):
    """Something that takes time, while it lasts."""

    def tell(self, name: str, value: Attribute) -> None:
        """Add what is known of it by now."""
        ...


class Tracer(Protocol):
    """Notes what took how long, and what was part of what."""

    def span(self, name: str, **told: Attribute) -> AbstractContextManager[Span]:
        """A block that is one span; what is traced within it is below it."""
        ...


class _Nobody:
    """Counts nothing and traces nothing."""

    def sent(self, request: Sent) -> None:
        """Nobody counts."""

    def waited(self, instance: str, seconds: float) -> None:
        """Nobody counts."""

    def span(self, name: str, **told: Attribute) -> AbstractContextManager[Span]:
        """Nobody looks."""
        return self

    def tell(self, name: str, value: Attribute) -> None:
        """Nobody looks."""

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *raised: object) -> None:
        """Whatever was raised goes on."""


NOBODY = _Nobody()


@dataclass(frozen=True, slots=True)
class Observer:
    """Who counts, and who traces."""

    counter: Counter = NOBODY
    tracer: Tracer = NOBODY

    def stage(self, name: str, *, run: int = 0, instance: str = "") -> AbstractContextManager[Span]:
        """A span around one stage of a pass, with what is given of its run and instance."""
        told: dict[str, Attribute] = {}
        if run:
            told["opsync.run"] = run
        if instance:
            told["opsync.instance"] = instance
        return self.tracer.span(name, **told)


UNOBSERVED = Observer()


def template(path: str) -> str:
    """A path without what may be an id, a key or a name: "/rest/api/3/issue/{}/remotelink".

    Kept are lower-case words, as vendors name their resources, and the number of an API.
    """
    parts = path.partition("?")[0].split("/")
    return "/".join(_part(part, parts[at - 1] if at else "") for at, part in enumerate(parts))


def _part(part: str, before: str) -> str:
    if not part or _WORD.fullmatch(part) or (before == "api" and _NUMBERED.fullmatch(part)):
        return part
    return OTHER
