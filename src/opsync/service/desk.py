"""What the dashboard's pages stand on: the store to look at, and the service to ask for more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from opsync.config import Config
from opsync.engine.undone import ShownBack
from opsync.runtime import Clock
from opsync.store import Store

SignalsState = Literal["on", "off", "unverified", "silent", "expired"]


class Signals(Struct, frozen=True, kw_only=True):
    """Change signals from one tool. "unverified": what came as its secret signed nothing yet.
    "silent": so many `untold` reads found changes that ought to have been told, and none came."""

    state: SignalsState
    last_at: datetime | None = None
    expires_at: datetime | None = None
    untold: int = 0


class Budget(Struct, frozen=True, kw_only=True):
    """How much of a tool's request limit is left: `left` of 1; full again at `full_at`."""

    name: str
    left: float
    full_at: datetime | None = None


class Standing(Struct, frozen=True, kw_only=True):
    """What the schedule knows of one connection. `next_read_at` is None while it is read, and
    where nothing reads it by itself; `failing` is why its last read failed, "" where it did not.
    """

    reading: bool = False
    next_read_at: datetime | None = None
    failing: str = ""
    signals: Signals | None = None
    budgets: tuple[Budget, ...] = ()


class Desk(Protocol):
    """The running service, as far as a page may use it.

    Pages look things up in the store by themselves, and write what a person decides there as the
    command line does; then they say so by `changed`.
    """

    @property
    def config(self) -> Config:
        """The configuration that is in force."""
        ...

    @property
    def refused(self) -> str:
        """Why the configuration could not be read again, "" where it could."""
        ...

    @property
    def store(self) -> Store:
        """The open store."""
        ...

    @property
    def clock(self) -> Clock:
        """The service's clock."""
        ...

    async def changed(self) -> None:
        """Tell that something was decided: it is planned again soon. Returns at once."""
        ...

    async def undo(self, what: str, by: str) -> ShownBack:
        """Put back what stood before a run (its number) or a change (its id), and return what came
        of it. Raises OpsyncError where nothing is put back: there is no such thing, writes are
        paused, a connection that it is about is in use, or all of it is left as it stands."""
        ...

    async def read_now(self, instance: str) -> None:
        """Have a connection read soon, whatever its interval says. Returns at once. Raises
        ConfigError where there is none of this name."""
        ...

    def state(self) -> Mapping[str, Standing]:
        """What the schedule knows of each connection, by name."""
        ...
