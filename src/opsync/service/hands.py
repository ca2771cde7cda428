"""Hands: who works with which instance. One at a time each, whether it reads or writes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager


class Hands:
    """Whoever reads an instance, or writes it, holds it meanwhile; the others wait in a row."""

    def __init__(self, names: Iterable[str]) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {name: deque() for name in names}
        self._doing: dict[str, str] = {}

    def settle(self, names: Iterable[str]) -> None:
        """Be of these instances from now on. Whoever holds one, or waits for it, goes on."""
        wanted = set(names)
        for name in self._waiting.keys() - wanted - self._doing.keys():
            del self._waiting[name]
        for name in names:
            self._waiting.setdefault(name, deque())

    @property
    def doing(self) -> dict[str, str]:
        """By instance what is done with it now: "read", "written", or a command."""
        return dict(self._doing)

    async def take(self, name: str, doing: str) -> None:
        """Wait for an instance and hold it."""
        if name in self._doing:
            mine = asyncio.get_running_loop().create_future()
            self._waiting[name].append(mine)
            try:
                await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled():
                    self.release(name)
                raise
        self._doing[name] = doing

    def take_free(self, doing: str) -> frozenset[str]:
        """Hold all instances that nobody works with, and name them."""
        free = self._waiting.keys() - self._doing.keys()
        self._doing.update(dict.fromkeys(free, doing))
        return frozenset(free)

    async def take_all(
        self, doing: str, patience_s: float, among: Iterable[str] | None = None
    ) -> frozenset[str]:
        """Hold all instances, or these, as far as they are to be had within so many seconds."""
        wanted = self._waiting if among is None else among
        taking = {name: asyncio.ensure_future(self.take(name, doing)) for name in wanted}
        if not taking:
            return frozenset()
        try:
            _, late = await asyncio.wait(taking.values(), timeout=patience_s)
        except asyncio.CancelledError:
            for name, one in taking.items():
                if not one.cancel():
                    self.release(name)
            raise
        for one in late:
            one.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return frozenset(n for n, one in taking.items() if one.done() and not one.cancelled())

    async def in_use(self, names: Iterable[str], patience_s: float) -> frozenset[str]:
        """Wait until each of these was free, at most so many seconds, without holding any; names
        those that somebody worked with all the time."""

        async def one(name: str) -> None:
            await self.take(name, "taken")
            self.release(name)

        waiting = {name: asyncio.ensure_future(one(name)) for name in names}
        if not waiting:
            return frozenset()
        try:
            await asyncio.wait(waiting.values(), timeout=patience_s)
        finally:
            for each in waiting.values():
                each.cancel()
            await asyncio.gather(*waiting.values(), return_exceptions=True)
        return frozenset(name for name, each in waiting.items() if each.cancelled())

    @asynccontextmanager
    async def holding(self, names: Iterable[str]) -> AsyncIterator[None]:
        """A block in which these are written, and nobody else works with them."""
        held: list[str] = []
        try:
            for name in sorted(names):
                await self.take(name, "written")
                held.append(name)
            yield
        finally:
            for name in held:
                self.release(name)

    def release(self, name: str) -> None:
        """Hold it no more: the next in the row has it at once."""
        while self._waiting[name]:
            following = self._waiting[name].popleft()
            if not following.done():
                self._doing[name] = "taken"
                following.set_result(None)
                return
        del self._doing[name]
