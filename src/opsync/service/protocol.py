"""HTTP/1.1 as uvicorn speaks it, with an end to everybody's patience."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 5.0
"""A request's head must have come so long after its first byte, or after the connection began."""
BODY_S = 30.0
"""The end of its body must have come so long after its head. Who reads bodies may be stricter."""
LINGER_S = 2.0
"""How long the rest of a body that was answered before is still taken off the sender's hands: one
that is cut off instead may never read its answer."""
LINGER_BYTES = 8 * 1024 * 1024
STALL_S = 30.0
"""How long a client may take nothing of an answer that waits for it."""
CONNECTIONS = 256
"""At once. Beyond them a new one takes the place of the one that has said nothing the longest:
opening connections and keeping silent shuts nobody out."""
HEAD_BYTES = 16 * 1024

_LATE = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Settings(uvicorn.Config):
    """uvicorn's settings, and who hears of each head that came too slowly."""

    on_slow: Callable[[], None] | None = None
    head_s: float = HEAD_S
    body_s: float = BODY_S
    linger_s: float = LINGER_S
    stall_s: float = STALL_S
    connections: int = CONNECTIONS


class PatientProtocol(H11Protocol):
    """One connection. It ends when the client takes too long for what is its turn."""

    config: Settings
    _turn: asyncio.TimerHandle | None = None
    """Ends the connection when it rings: it is the client's turn to send."""
    _turn_of: Callable[[], None] | None = None
    _stall: asyncio.TimerHandle | None = None
    _lingered = 0
    silent_since: float | None = None
    """Since when no request is on its way; None while one is."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        self._take_turns(new=True)
        if len(self.connections) > self.config.connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_turn()
        self._end_stall()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._turn_of == self._lingered_out:
            self._lingered += len(data)
            if self._lingered > LINGER_BYTES:
                self.transport.abort()
                return
        super().data_received(data)
        self._take_turns()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._take_turns()

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self.config.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._end_stall()

    def _take_turns(self, *, new: bool = False) -> None:
        """Start or stop the client's time, by what it has to send next."""
        if self.transport.is_closing():
            self._end_turn()
        elif self.conn.their_state is h11.IDLE:
            self.silent_since = self.silent_since or self.loop.time()
            if new or self.conn.trailing_data[0]:
                self._begin_turn(self._late, self.config.head_s)
            else:
                self._end_turn()  # between two requests uvicorn's own timer runs
        elif self.conn.their_state is h11.SEND_BODY:
            self.silent_since = None
            if self.cycle.response_complete:
                self._begin_turn(self._lingered_out, self.config.linger_s)
            else:
                self._begin_turn(self._cut_off, self.config.body_s)
        else:
            self.silent_since = None
            self._end_turn()

    def _begin_turn(self, ring: Callable[[], None], after_s: float) -> None:
        if self._turn_of == ring:
            return  # each byte more does not buy more time
        self._end_turn()
        self._turn_of = ring
        self._lingered = 0
        self._turn = self.loop.call_later(after_s, ring)

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
        self._turn = self._turn_of = None

    def _end_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _late(self) -> None:
        if self.transport.is_closing():
            return
        if self.conn.trailing_data[0]:
            if self.config.on_slow is not None:
                self.config.on_slow()
            self.transport.write(_LATE)
        self.transport.close()

    def _cut_off(self) -> None:
        self.transport.abort()

    def _lingered_out(self) -> None:
        self.transport.abort()

    def _make_room(self) -> None:
        others = (one for one in self.connections if isinstance(one, PatientProtocol))
        silent = [
            one
            for one in others
            if one is not self and one.silent_since and not one.transport.is_closing()
        ]
        min(silent, key=lambda one: one.silent_since or 0.0, default=self).transport.abort()
