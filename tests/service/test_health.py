"""`/healthz` and `/readyz`: what they answer, to whom, and when nothing answers below."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from opsync.blocks.service import ServiceBlock
from opsync.errors import StoreError
from opsync.service import health as module
from opsync.service.health import BUSY, HANGS, Troubles, health_routes, reasons_of
from opsync.service.web.guarded import Guarded
from opsync.watch import Alarm
from tests.support.clock import START, FakeClock

TOKEN = "read-read-read-read-read"
HERE = ("127.0.0.1", "::1")

SINCE = START - timedelta(hours=3, minutes=20)


def alarm(kind: Any, connection: str = "linear", **values: Any) -> Alarm:
    given = {"state": "fail", "what": "is odd", "since": SINCE, "hint": ""} | values
    return Alarm(kind=kind, connection=connection, **given)


@dataclass
class Vital:
    """A service of which all can be turned."""

    found: Sequence[Alarm] = ()
    wrong: Troubles = field(default_factory=Troubles)
    raises: Exception | None = None
    hangs: bool = False
    asked: int = 0

    def now(self) -> datetime:
        return START

    def troubles(self) -> Troubles:
        return self.wrong

    async def answers(self) -> None:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.raises is not None:
            raise self.raises

    async def alarms(self) -> Sequence[Alarm]:
        if self.raises is not None:
            raise self.raises
        return self.found


async def get(
    vital: Vital,
    path: str,
    *,
    client: str = "127.0.0.1",
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    settings = {"listen": "0.0.0.0:8484", "access": {"read_token": TOKEN}}
    app = Guarded(
        health_routes(vital),
        ServiceBlock.model_validate(settings),
        clock=FakeClock(),
        secret=b"s" * 32,
        local="ana",
    )
    transport = httpx.ASGITransport(app, client=(client, 1234))
    base = "http://127.0.0.1:8484" if client in HERE else "http://10.0.0.9:8484"
    async with httpx.AsyncClient(transport=transport, base_url=base) as http:
        answer = await http.get(path, headers=headers)
    assert "no-store" in answer.headers["cache-control"]
    return answer.status_code, answer.json()


async def test_where_all_is_well_both_say_so() -> None:
    assert await get(Vital(), "/healthz") == (200, {"alive": True})
    assert await get(Vital(), "/readyz") == (200, {"ready": True, "reasons": []})


async def test_why_it_is_not_ready_is_told_in_plain_words() -> None:
    vital = Vital(
        found=[
            alarm("out of date"),
            alarm("not measured", "posthog", since=START - timedelta(days=4)),
            alarm("signed out", "jira-main", since=START - timedelta(minutes=12)),
            alarm("token", "notion", what="its token expired on 2026-03-01", since=None),
            alarm("refused", "notion", what="the tool refuses to give tasks\x1b[2J"),
        ],
        wrong=Troubles(
            reload="instances.x: unknown key",
            store="The store /data/opsync.db is full.",
            plugins=("toy",),
        ),
    )
    status, found = await get(vital, "/readyz")
    assert status == 503
    assert found == {
        "ready": False,
        "reasons": [
            "The store /data/opsync.db is full.",
            "a new configuration was refused: instances.x: unknown key",
            "the plugin toy failed",
            "linear was not read for 3 h",
            "posthog was not measured for 4 days",
            "jira-main refuses the sign-in for 12 min",
            "notion: its token expired on 2026-03-01",
            "notion: the tool refuses to give tasks [2J for 3 h",
        ],
    }


@pytest.mark.parametrize(
    "one",
    [
        alarm("token", state="warn"),
        alarm("set aside"),
        alarm("owners", "", state="warn"),
        alarm("configuration", ""),
    ],
    ids=lambda one: str(one.kind),
)
def test_what_only_waits_for_a_person_keeps_it_ready(one: Alarm) -> None:
    assert reasons_of([one], START) == []


async def test_what_is_red_and_waits_for_a_person_is_told_beside_what_keeps_it_from_work() -> None:
    waits = [
        alarm("configuration", "", what='the configuration does not fit what was read: rule "x"'),
        alarm("set aside", what="21 items could not be read, over 20", since=None),
        alarm("interrupted", "", what="opsync undo 7 was interrupted: 2 of 9 values put back"),
        alarm("owners", "", state="warn"),
    ]
    told = [
        'the configuration does not fit what was read: rule "x"; for 3 h',
        "linear: 21 items could not be read, over 20",
        "opsync undo 7 was interrupted: 2 of 9 values put back; for 3 h",
    ]
    assert await get(Vital(found=waits), "/readyz") == (200, {"ready": True, "reasons": told})
    both = Vital(found=[*waits, alarm("out of date", "notion")])
    assert await get(both, "/readyz") == (
        503,
        {"ready": False, "reasons": ["notion was not read for 3 h", *told]},
    )


@pytest.mark.parametrize(
    ("client", "headers", "told"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("10.0.0.7", {}, False),
        ("10.0.0.7", {"x-forwarded-for": "127.0.0.1"}, False),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, False),
        ("127.0.0.1", {"Host": "10.0.0.9"}, False),
        ("10.0.0.7", {"Authorization": f"Bearer {TOKEN}"}, True),
    ],
)
async def test_why_is_told_only_to_who_signed_in_and_to_this_machine(
    client: str, headers: dict[str, str], told: bool
) -> None:
    vital = Vital(found=[alarm("out of date")])
    status, found = await get(vital, "/readyz", client=client, headers=headers)
    assert status == 503
    assert found["ready"] is False
    assert ("reasons" in found) is told


async def test_a_store_that_answers_with_an_error_is_alive_and_not_ready() -> None:
    vital = Vital(raises=StoreError("The store opsync.db is full.", hint="Free space."))
    assert await get(vital, "/healthz") == (200, {"alive": True})
    status, found = await get(vital, "/readyz")
    assert (status, found["reasons"]) == (503, ["The store opsync.db is full."])


async def test_a_store_that_is_locked_for_a_while_is_no_reason_to_start_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ANSWERS_WITHIN_S", 0.01)
    assert await get(Vital(hangs=True), "/healthz") == (200, {"alive": True})
    status, found = await get(Vital(hangs=True), "/readyz")
    assert (status, found["reasons"]) == (503, [BUSY])


async def test_a_store_that_hangs_is_not_alive_and_is_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ANSWERS_WITHIN_S", 0.01)
    monkeypatch.setattr(module, "HANGS_S", 0.0)
    vital = Vital(hangs=True)
    service = module.Health(vital)
    found = await asyncio.gather(*(service.is_alive() for _ in range(20)))
    found += [await service.is_alive() for _ in range(3)]
    assert found == [False] * 23
    assert vital.asked == 1
    assert await service.reasons() == ([BUSY], [])
    status, answer = await get(Vital(hangs=True), "/healthz")
    assert (status, answer) == (503, {"alive": False, "reasons": [HANGS]})
    status, answer = await get(Vital(hangs=True), "/healthz", client="10.0.0.7")
    assert (status, answer) == (503, {"alive": False})


async def test_once_the_store_answers_again_it_is_alive_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ANSWERS_WITHIN_S", 0.01)
    monkeypatch.setattr(module, "HANGS_S", 0.0)
    gate = asyncio.Event()
    vital = Vital()

    async def answers() -> None:
        await gate.wait()

    vital.answers = answers  # type: ignore[method-assign] # one that hangs until it is let go
    service = module.Health(vital)
    assert await service.is_alive() is False
    gate.set()
    await asyncio.sleep(0.02)
    assert await service.is_alive() is True
    assert await service.reasons() == ([], [])
