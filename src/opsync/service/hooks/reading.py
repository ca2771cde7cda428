"""Reading bodies that anybody may send: bounded each, and all together."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from starlette.requests import Request

SMALL = 64 * 1024
"""Bytes; most deliveries are smaller. A body that grows over it …"""
LARGE_AT_ONCE = 16
"""… is one of so many at once, so that many large ones do not add up. Others wait."""


class Bodies:
    """Reads bodies of at most `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def read(self, request: Request) -> bytes | None:
        """The raw body; None as soon as it is too large, or says that it will be."""
        said = request.headers.get("content-length", "")
        if said.isdecimal() and int(said) > self._most:
            return None
        parts: list[bytes] = []
        size = 0
        async with AsyncExitStack() as room:
            async for part in request.stream():
                large = size > SMALL
                size += len(part)
                if size > self._most:
                    return None
                parts.append(part)
                if size > SMALL and not large:
                    await room.enter_async_context(self._large)
        return b"".join(parts)
