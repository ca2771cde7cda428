"""Nudges: what may have changed, folded. A storm of signals is a few reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from opsync.model import Ref

MOST = 250
"""Beyond so many items of one instance, what changed is read instead of looking up each."""


class Nudge(Struct, frozen=True):
    """What may have changed in an instance. `whole`: whatever changed is to be read."""

    refs: frozenset[Ref] = frozenset()
    whole: bool = False

    def also(self, refs: Iterable[Ref], *, whole: bool) -> Nudge:
        """This one and another together."""
        both = self.refs.union(refs)
        if whole or self.whole or len(both) > MOST:
            return Nudge(whole=True)
        return Nudge(both)

    @property
    def is_empty(self) -> bool:
        """Whether it names nothing."""
        return not self.refs and not self.whole


class Nudges:
    """By instance what is to be looked at. Bounded, whatever comes."""

    def __init__(self, names: Iterable[str]) -> None:
        self._found = dict.fromkeys(names, Nudge())
        self._events = {name: asyncio.Event() for name in self._found}

    def settle(self, names: Iterable[str]) -> None:
        """Be of these instances from now on; what is to be looked at there still is."""
        self._found = {name: self._found.get(name, Nudge()) for name in names}
        self._events = {name: self._events.get(name, asyncio.Event()) for name in self._found}

    def tell(self, name: str, refs: Iterable[Ref] = (), *, whole: bool = False) -> None:
        """Something may have changed. An instance that is not configured any more is left out."""
        if name not in self._found:
            return
        self._found[name] = self._found[name].also(refs, whole=whole)
        if not self._found[name].is_empty:
            self._events[name].set()

    def take(self, name: str) -> Nudge:
        """What is to be looked at by now; it counts as dealt with."""
        found, self._found[name] = self._found[name], Nudge()
        self._events[name].clear()
        return found

    async def wait(self, name: str) -> None:
        """Until there is something."""
        await self._events[name].wait()

    @property
    def waiting(self) -> dict[str, int]:
        """By instance how many items are to be looked at; where all that changed is, one."""
        return {name: 1 if one.whole else len(one.refs) for name, one in self._found.items()}


class Signals(Protocol):
    """Keeps what change signals named until it was looked at, also over a kill."""

    def taken(self, instance: str) -> None:
        """A read begins, and looks at all that was told so far."""
        ...

    def was_read(self, instance: str, *, untold: bool = False) -> None:
        """The read that began last came to a good end. `untold`: it was one of those that come by
        themselves, and found changes of which no signal had told."""
        ...


class NoSignals:
    """Keeps none: a signal that came before the end is lost with it."""

    def taken(self, instance: str) -> None:
        """There is nothing to keep."""

    def was_read(self, instance: str, *, untold: bool = False) -> None:
        """There is nothing to keep."""
