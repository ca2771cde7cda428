"""Failed sign-ins: counted by where they come from, slowed, told, and forgotten after a while."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

from opsync.log import get_logger
from opsync.runtime import Clock
from opsync.service.web.peers import Address

FREE = 3
"""So many may fail without a wait: people mistype."""
FIRST_S, LONGEST_S = 0.25, 4.0
"""How long the next one waits, doubled each time up to the longest."""
FORGET_S = 900.0
"""Who made no mistake for so long begins anew."""
REMEMBERED = 4096
"""The most places that are remembered; the one that was quiet longest is forgotten first."""
WAITING_HERE, WAITING = 4, 64
"""So many answers may wait at once for one place, and for all."""


@dataclass(slots=True)
class _Place:
    failed: int = 0
    last: float = 0.0
    waiting: int = 0


class Attempts:
    """What failed lately, in bounded memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._places: OrderedDict[str, _Place] = OrderedDict()
        self._waiting = 0
        self.failed = 0
        """All that failed since the start."""
        self.turned_away = 0
        """All that were not even looked at, because too many others waited."""

    def __len__(self) -> int:
        return len(self._places)

    def full(self, peer: Address | None) -> bool:
        """Whether too many wait already: then no credential is looked at, or trying many at once
        would be faster than one after the other."""
        place = self._places.get(_key(peer))
        here = place.waiting if place is not None else 0
        full = here >= WAITING_HERE or self._waiting >= WAITING
        self.turned_away += full
        return full

    async def fail(self, peer: Address | None) -> None:
        """Count one more, tell of it, and let time pass."""
        self.failed += 1
        place = self._place(_key(peer))
        place.failed += 1
        place.last = self._clock.monotonic()
        if place.failed & (place.failed - 1) == 0:  # 1, 2, 4, 8 …: no flood of lines
            get_logger().warning("signin.failed", address=str(peer or ""), times=place.failed)
        if place.failed <= FREE:
            return
        place.waiting += 1
        self._waiting += 1
        try:
            await self._clock.sleep(min(LONGEST_S, FIRST_S * 2 ** (place.failed - FREE - 1)))
        finally:
            place.waiting -= 1
            self._waiting -= 1

    def _place(self, key: str) -> _Place:
        """What is known of a place, as the one that was heard of last."""
        now = self._clock.monotonic()
        found = self._places.pop(key, None)
        if found is None or (now - found.last > FORGET_S and not found.waiting):
            found = _Place()
        self._places[key] = found
        while len(self._places) > REMEMBERED:
            self._places.popitem(last=False)
        return found


def _key(peer: Address | None) -> str:
    """An address, or the network of one in IPv6, where whoever has one has very many."""
    if isinstance(peer, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((peer, 64), strict=False))
    return str(peer or "")
