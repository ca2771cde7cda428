"""Who sends deliveries that are refused: a flood of forgeries is turned away at the door."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from ipaddress import IPv6Address
from typing import TypeVar

from starlette.types import Scope

from opsync.runtime import Clock
from opsync.service.web.peers import Network, address_of, peer_of, values, within

_T = TypeVar("_T")

REFUSALS = 30
"""An address may have so many deliveries refused at once …"""
REFUSALS_A_SECOND = 0.5
"""… and so many for good, before it is turned away unheard."""
PROVEN_S = 24 * 3600.0
"""How long an address is heard whatever else comes from it, after a delivery that was right.

Behind a proxy that is not named in the configuration all deliveries come from one address:
somebody's forgeries must not shut the tool out with them. Nobody can be proven without a secret.
"""
ADDRESSES = 4_096
"""So many addresses are remembered, of each kind; beyond them the longest silent is forgotten."""


class Sources:
    """A bucket of refusals for each address. Only refused deliveries count."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refused: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By address how many refusals are in its bucket, and when that was."""
        self._proven: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """0 when a delivery from there is heard; else for how many seconds none is."""
        key = _key(address)
        now = self._clock.monotonic()
        if now - self._proven.get(key, -math.inf) <= PROVEN_S:
            return 0.0
        return max(0.0, (self._level(key, now) - REFUSALS + 1) / REFUSALS_A_SECOND)

    def refused(self, address: str) -> None:
        """A delivery from there was refused."""
        key = _key(address)
        now = self._clock.monotonic()
        _put(self._refused, key, (self._level(key, now) + 1, now))

    def accepted(self, address: str) -> None:
        """A delivery from there was right, and is no repetition."""
        _put(self._proven, _key(address), self._clock.monotonic())

    def _level(self, key: str, now: float) -> float:
        level, at = self._refused.get(key, (0.0, now))
        return max(0.0, level - (now - at) * REFUSALS_A_SECOND)


def _put(kept: OrderedDict[str, _T], key: str, value: _T) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > ADDRESSES:
        kept.popitem(last=False)


def source_of(scope: Scope, proxies: Sequence[Network]) -> str:
    """Who sends a request: who is at the other end of the connection, or, if that is one of the
    proxies, whom it names. "" where there is no address."""
    found = peer_of(scope)
    if within(found, proxies):
        named = b",".join(values(scope, b"x-forwarded-for")).decode("latin-1").split(",")
        # Each proxy adds whom it heard at the end; what stands before may be anybody's word.
        for text in reversed(named):
            if (address := address_of(text.strip())) is None:
                break
            found = address
            if not within(address, proxies):
                break
    return "" if found is None else str(found)


def _key(address: str) -> str:
    """An address, or the network of one customer: with IPv6 whoever has one has 2^64."""
    found = address_of(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Address(int(found) >> 64 << 64))
    return address[:64] if found is None else str(found)
