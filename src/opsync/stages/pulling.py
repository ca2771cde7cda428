"""What reading an instance works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from opsync.contract.connector import Feed
from opsync.http.stillness import Watch, unwatched
from opsync.runtime import Clock
from opsync.stages.normalize import Known
from opsync.store import Store

ASK_AGAIN = "opsync:ask-again"
"""Kept for an instance of which all names that lead nowhere are to be asked for again."""


class Progress(Protocol):
    """Is told how far reading has come."""

    def __call__(self, instance: str, read: int, expected: int | None) -> None: ...


def silent(instance: str, read: int, expected: int | None) -> None:
    """Progress that nobody looks at."""


@dataclass
class PullContext:
    """What pulling one instance needs besides the connector.

    `fingerprint` is a digest of the instance's settings, `naming` one of all else that decides
    what its records are: what its texts name, and what its teams mean. `clean` takes the
    process's secrets out of a text. A census is due `census_every`; `allowed` is how many records
    may vanish at once because a person said so. `requests` tells how many were sent so far.
    `watch` ends a step of the connector that hangs.
    """

    store: Store
    clock: Clock
    run: int
    overlap_s: int
    fingerprint: str
    known: Known = field(default_factory=Known)
    naming: str = ""
    full: bool = False
    progress: Progress = silent
    clean: Callable[[str], str] = str
    census_every: timedelta = timedelta(hours=24)
    allowed: int = 0
    requests: Callable[[], int] = int
    watch: Watch = unwatched
    feeds: dict[str, Feed] = field(default_factory=dict)
    """All feeds by name, once they are known."""
    named: list[Feed] = field(default_factory=list)
    """The feeds that `pull` leaves to `pull_named`."""
    faded: set[str] = field(default_factory=set)
    """The feeds of which something came that is below nothing any more."""
