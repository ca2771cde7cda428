"""`/healthz` and `/readyz`: whether the service is alive, and whether it can do its work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from opsync.errors import OpsyncError
from opsync.inert import inert_text
from opsync.service.web.access import sees_details
from opsync.service.web.routes import Open
from opsync.watch import Alarm

ANSWERS_WITHIN_S = 2.0
"""The store's thread answers within so long while the service is ready."""
HANGS_S = 60.0
"""Where it has not answered for so long, it hangs. Another process that locks the store for a while
is no reason to be started again."""

BUSY = f"the store did not answer within {ANSWERS_WITHIN_S:.0f} s"
HANGS = f"the store did not answer for {HANGS_S:.0f} s"

PEOPLES = frozenset({"set aside", "owners", "configuration", "interrupted"})
"""The alarms that wait for a person, while opsync goes on with all the rest. They are told, and
keep the service ready."""


@dataclass(frozen=True, slots=True)
class Troubles:
    """What only the running service knows to be wrong, each in a sentence; "" and () where nothing
    is: why the last reload was refused, why the store cannot be used, and which plugins failed."""

    reload: str = ""
    store: str = ""
    plugins: tuple[str, ...] = ()


class Reasons(NamedTuple):
    """What is wrong, in plain words: what keeps the service from some of its work, and what waits
    for a person besides."""

    unready: list[str]
    peoples: list[str]


class Vitals(Protocol):
    """What the service tells of itself."""

    def now(self) -> datetime:
        """The time."""
        ...

    def troubles(self) -> Troubles:
        """What is wrong besides the connections."""
        ...

    async def answers(self) -> None:
        """Have the store answer something. StoreError where it cannot be read."""
        ...

    async def alarms(self) -> Sequence[Alarm]:
        """What is wrong with connections, as `opsync status` shows it."""
        ...


class Health:
    """Answers for one service."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals
        self._asked: asyncio.Task[None] | None = None
        self._asked_at = 0.0

    async def is_alive(self) -> bool:
        """Whether the store's thread does not hang; that this runs says that the loop turns."""
        if await self.answers():
            return True
        return asyncio.get_running_loop().time() - self._asked_at < HANGS_S

    async def answers(self) -> bool:
        """Whether the store's thread answers soon."""
        # One question at a time: probes must not queue up behind a thread that hangs.
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self._ask())
            self._asked_at = asyncio.get_running_loop().time()
        done, _ = await asyncio.wait({self._asked}, timeout=ANSWERS_WITHIN_S)
        return bool(done)

    async def _ask(self) -> None:
        # An error is an answer too: what is wrong is for `reasons`.
        with suppress(OpsyncError):
            await self._vitals.answers()

    async def reasons(self) -> Reasons:
        """Why the service cannot do all of its work, and what a person has to see to."""
        if not await self.answers():
            return Reasons([BUSY], [])
        troubles = self._vitals.troubles()
        try:
            alarms = await asyncio.wait_for(self._vitals.alarms(), ANSWERS_WITHIN_S)
        except OpsyncError as error:
            return Reasons(list(dict.fromkeys([*_told(troubles), error.message])), [])
        except TimeoutError:
            return Reasons([*_told(troubles), BUSY], [])
        now = self._vitals.now()
        return Reasons([*_told(troubles), *reasons_of(alarms, now)], waits_of(alarms, now))


def reasons_of(alarms: Iterable[Alarm], now: datetime) -> list[str]:
    """What is red, but for what waits for a person: "linear was not read for 3 h"."""
    return [_reason(one, now) for one in alarms if one.state == "fail" and one.kind not in PEOPLES]


def waits_of(alarms: Iterable[Alarm], now: datetime) -> list[str]:
    """What is red and waits for a person."""
    return [_reason(one, now) for one in alarms if one.state == "fail" and one.kind in PEOPLES]


def _told(troubles: Troubles) -> list[str]:
    found = []
    if troubles.store:
        found.append(inert_text(troubles.store, 300))
    if troubles.reload:
        found.append(f"a new configuration was refused: {inert_text(troubles.reload, 300)}")
    found += [f"the plugin {inert_text(name, 60)} failed" for name in troubles.plugins]
    return found


def _reason(one: Alarm, now: datetime) -> str:
    lasting = f" for {_span((now - one.since).total_seconds())}" if one.since is not None else ""
    match one.kind:
        case "out of date":
            return f"{one.connection} was not read{lasting}"
        case "not measured":
            return f"{one.connection} was not measured{lasting}"
        case "signed out":
            return f"{one.connection} refuses the sign-in{lasting}"
        case "configuration" | "interrupted":
            return f"{inert_text(one.what, 500)};{lasting}".rstrip(";")
        case _:
            return f"{one.connection}: {inert_text(one.what, 200)}{lasting}"


def _span(seconds: float) -> str:
    minutes = int(max(0.0, seconds)) // 60
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"


def health_routes(vitals: Vitals) -> list[Open]:
    """`GET /healthz` and `GET /readyz`: 200 where all is well, else 503.

    Both answer whoever asks with the status alone; why is told to people who signed in, and on this
    machine.
    """
    health = Health(vitals)

    async def healthz(request: Request) -> Response:
        alive = await health.is_alive()
        found: dict[str, object] = {"alive": alive}
        if not alive and sees_details(request):
            found["reasons"] = [HANGS]
        return _answer(found, well=alive)

    async def readyz(request: Request) -> Response:
        reasons = await health.reasons()
        ready = not reasons.unready
        found: dict[str, object] = {"ready": ready}
        if sees_details(request):
            found["reasons"] = [*reasons.unready, *reasons.peoples]
        return _answer(found, well=ready)

    return [
        Open("/healthz", healthz, name="healthz"),
        Open("/readyz", readyz, name="readyz"),
    ]


def _answer(found: dict[str, object], *, well: bool) -> Response:
    return JSONResponse(
        found, status_code=200 if well else 503, headers={"cache-control": "no-store"}
    )
