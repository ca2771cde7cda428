"""Pauses: writes that a person stopped, of all connections or of one."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

ALL = ""
"""The name under which all connections are paused."""


class Pause(Struct, frozen=True):
    """That nothing is written through a connection (`ALL`: any), by whom and since when."""

    instance: str
    by: str
    at: datetime


class Pauses(Struct, frozen=True):
    """What is paused."""

    found: tuple[Pause, ...] = ()

    def of(self, instance: str) -> Pause | None:
        """The pause that keeps a connection from being written."""
        named = {one.instance: one for one in self.found}
        return named.get(ALL) or named.get(instance)

    @property
    def whole(self) -> Pause | None:
        """The pause of all connections."""
        return self.of(ALL)
