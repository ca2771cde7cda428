"""Sends deliveries over raw sockets, many connections at once, and measures the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from opsync.service.server import Address


@dataclass(frozen=True)
class Sent:
    """How a burst went: the statuses, how long each answer took, and all together."""

    statuses: list[int]
    seconds: list[float]
    wall_s: float

    def quantile(self, share: float) -> float:
        """So many answers took at most so long."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """One delivery as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "host: opsync", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def burst(address: Address, requests: Sequence[bytes], connections: int) -> Sent:
    """Send all as fast as they are answered, spread over the connections."""
    statuses: list[int] = []
    seconds: list[float] = []
    rest = iter(requests)

    async def one() -> None:
        reader, writer = await asyncio.open_connection(*address)
        for data in rest:
            began = time.perf_counter()
            writer.write(data)
            head = await reader.readuntil(b"\r\n\r\n")
            seconds.append(time.perf_counter() - began)
            statuses.append(int(head[9:12]))
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return Sent(statuses, seconds, time.perf_counter() - began)
