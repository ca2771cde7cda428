"""Change signals on their way from the vendors to the service: signed, and then lost, doubled,
late, out of order, forged, replayed, slow or too large, as the seed has it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from opsync.sandbox.hooks import Hook, Hooks, Post
from opsync.sandbox.linear.webhooks import KINDS, Webhook
from opsync.sandbox.notion.webhooks import EVENTS as NOTION_EVENTS
from opsync_jira.webhooks import EVENTS as JIRA_EVENTS
from tests.simulation.company import Company
from tests.simulation.loop import Time

SECRET = "signs-what-the-vendors-tell"
"""Of all webhooks here."""
FIRST, LAST = 0.02, 0.3
"""Seconds that a delivery is on its way, as a rule."""
KEPT = 30
"""So many deliveries are remembered, for whoever replays them."""
TOO_LARGE = 1024 * 1024 + 1
LATE_S = (600.0, 6 * 3600.0)
STRANGER, TOOL = "198.51.100.66", "192.0.2.7"


def register(company: Company) -> None:
    """Have every vendor tell the service of what changes, as people would set it up."""
    jira, linear, notion = company.jira.hooks, company.linear.hooks, company.notion.hooks
    assert jira is not None
    assert linear is not None
    assert notion is not None
    hook = Hook("jira-hook", _url("jira-main"), SECRET, JIRA_EVENTS, "opsync")
    jira.registered[hook.id] = hook
    hook = Hook("notion-hook", _url("notion"), SECRET, NOTION_EVENTS, "opsync")
    notion.registered[hook.id] = hook
    kinds = list(KINDS.values())
    hook = Hook("linear-hook", _url("linear"), SECRET, tuple(kinds), "opsync")
    linear.registered[hook.id] = hook
    at = company.clock.now()
    company.linear.webhooks[hook.id] = Webhook(
        id=hook.id,
        created_at=at,
        updated_at=at,
        hook=hook,
        creator=company.linear.viewer,
        resource_types=kinds,
        all_public_teams=True,
        team=None,
    )


def _url(name: str) -> str:
    return f"https://opsync.harbor.example/hooks/{name}"


@dataclass
class Wire:
    """What goes out for one delivery."""

    name: str
    headers: Mapping[str, str]
    body: bytes
    source: str = TOOL


@dataclass
class Habit:
    """How often each thing goes wrong with a delivery, of one."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    disordered: float = 0.0
    forged: float = 0.0
    replayed: float = 0.0
    bad: float = 0.0

    @classmethod
    def drawn(cls, rng: random.Random) -> Habit:
        """Those of one episode: sometimes all is well, sometimes hardly anything."""
        if rng.random() < 0.15:
            return cls()
        most = rng.choice((0.1, 0.25, 0.5))
        return cls(*(rng.uniform(0, most) if rng.random() < 0.7 else 0.0 for _ in range(7)))


@dataclass
class Courier:
    """All vendors' deliveries. They outlive each process, as the vendors do."""

    company: Company
    time: Time
    rng: random.Random
    fired: Callable[[str], None]
    habit: Habit = field(default_factory=Habit)
    accepted: list[tuple[float, str]] = field(default_factory=list)
    """When a right delivery was answered as arrived, and by which connection."""
    wrongs: list[str] = field(default_factory=list)
    """What was answered as it must not be."""
    sent: int = 0
    _late: set[str] = field(default_factory=set)
    _under_way: dict[int, tuple[Hooks, Post]] = field(default_factory=dict)
    _kept: list[Wire] = field(default_factory=list)

    def hooks(self) -> Iterator[tuple[str, Hooks]]:
        """By connection, what its vendor has to tell."""
        for name, vendor in self.company.vendors.items():
            assert vendor.hooks is not None
            yield name, vendor.hooks

    def refused(self) -> None:
        """The process is gone: whoever waits for an answer gets none."""
        for hooks, post in self._under_way.values():
            hooks.answered(post, None)
        self._under_way.clear()

    def drop(self) -> None:
        """All that waits to be delivered never is."""
        for _, hooks in self.hooks():
            hooks.waiting.clear()

    async def work(self, app: Callable[[], httpx.AsyncBaseTransport | None]) -> None:
        """Deliver what is due, for as long as a process is there; `app` is None while it takes
        nothing."""
        woken = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()
        for _, hooks in self.hooks():
            hooks.woken = woken.set
            for hook in hooks.registered.values():
                hook.enabled = True  # a person looks after those that were switched off
        try:
            while True:
                woken.clear()
                for name, hooks in self.hooks():
                    for post in hooks.take():
                        self._launch(name, hooks, post, app, tasks)
                try:
                    await asyncio.wait_for(woken.wait(), self._until_next())
                except TimeoutError:
                    continue
        finally:
            for _, hooks in self.hooks():
                hooks.woken = _nobody
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _until_next(self) -> float | None:
        now = self.company.clock.now()
        due = [post.due for _, hooks in self.hooks() for post in hooks.waiting]
        return max(0.001, (min(due) - now).total_seconds()) if due else None

    def _launch(
        self,
        name: str,
        hooks: Hooks,
        post: Post,
        app: Callable[[], httpx.AsyncBaseTransport | None],
        tasks: set[asyncio.Task[None]],
    ) -> None:
        rng, habit = self.rng, self.habit
        if rng.random() < habit.lost:
            self.fired("F43 lost")
            return
        if rng.random() < habit.late and post.id not in self._late:
            self.fired("F43 late")
            self._late.add(post.id)
            post.due = self.company.clock.now() + timedelta(seconds=rng.uniform(*LATE_S))
            hooks.waiting.append(post)
            return
        wait_s = rng.uniform(FIRST, LAST)
        if rng.random() < habit.disordered:
            self.fired("F43 disordered")
            wait_s += rng.uniform(0, 20)
        self._under_way[id(post)] = (hooks, post)
        headers, body = hooks.dress(post)
        wire = Wire(name, headers, body)
        self._kept = [*self._kept[1 - KEPT :], wire]

        def begin(work: asyncio.Future[None] | object) -> None:
            task = asyncio.ensure_future(work)  # type: ignore[arg-type]
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        begin(self._deliver(name, hooks, post, wire, app, wait_s))
        if rng.random() < habit.doubled:
            self.fired("F43 doubled")
            for _ in range(rng.randint(1, 3)):
                begin(self._again(wire, app, wait_s if rng.random() < 0.5 else rng.uniform(0, 90)))
        if rng.random() < habit.replayed:
            self.fired("F44 replayed")
            begin(self._again(rng.choice(self._kept), app, rng.uniform(0, 600)))
        if rng.random() < habit.forged:
            self.fired("F44 forged")
            begin(self._forge(wire, app, wait_s))
        if rng.random() < habit.bad:
            begin(self._bad(wire, app, wait_s))

    async def _deliver(
        self,
        name: str,
        hooks: Hooks,
        post: Post,
        wire: Wire,
        app: Callable[[], httpx.AsyncBaseTransport | None],
        wait_s: float,
    ) -> None:
        await asyncio.sleep(wait_s)
        self.sent += 1
        status = await self._send(wire, app, hooks.habits.timeout_s)
        if self._under_way.pop(id(post), None) is None:
            return
        if status is not None and hooks.habits.arrived(status):
            self.accepted.append((self.time.now, name))
        hooks.answered(post, status)

    async def _again(
        self, wire: Wire, app: Callable[[], httpx.AsyncBaseTransport | None], wait_s: float
    ) -> None:
        """The same once more: known, or taken for a new one. Either way it is only a word."""
        await asyncio.sleep(wait_s)
        status = await self._send(wire, app, 30.0)
        if status is not None and status >= 500 and status != 503:
            self.wrongs.append(f"a repeated delivery was answered with {status}")

    async def _forge(
        self, wire: Wire, app: Callable[[], httpx.AsyncBaseTransport | None], wait_s: float
    ) -> None:
        """What nobody signed with the secret: another body, another signature, or none."""
        await asyncio.sleep(wait_s)
        how = self.rng.choice(("body", "signature", "none"))
        headers = dict(wire.headers)
        for key in [key for key in headers if "signature" in key.lower()]:
            if how == "none":
                del headers[key]
            elif how == "signature":
                turned = headers[key]
                headers[key] = turned[:-1] + ("0" if turned[-1] != "0" else "1")
        body = wire.body + b" " if how == "body" else wire.body
        source = STRANGER if self.rng.random() < 0.7 else TOOL
        status = await self._send(Wire(wire.name, headers, body, source), app, 30.0)
        if status not in (None, 401, 429, 503):
            self.wrongs.append(f"a forged delivery ({how}) was answered with {status}")

    async def _bad(
        self, wire: Wire, app: Callable[[], httpx.AsyncBaseTransport | None], wait_s: float
    ) -> None:
        """Too large, too slow, or for a connection that is none."""
        await asyncio.sleep(wait_s)
        how = self.rng.choice(("large", "slow", "nobody"))
        self.fired(f"F44 {how}")
        if how == "large":
            wire, wanted = Wire(wire.name, wire.headers, b"x" * TOO_LARGE, STRANGER), 413
        elif how == "slow":
            wire, wanted = Wire(wire.name, wire.headers, wire.body, STRANGER), 408
        else:
            wire, wanted = Wire("nobody", wire.headers, wire.body, STRANGER), 404
        status = await self._send(wire, app, 60.0, slow=how == "slow")
        if status not in (None, wanted, 429, 503):
            self.wrongs.append(f"a delivery that is {how} was answered with {status}")

    async def _send(
        self,
        wire: Wire,
        app: Callable[[], httpx.AsyncBaseTransport | None],
        timeout_s: float,
        *,
        slow: bool = False,
    ) -> int | None:
        transport = app()
        if transport is None:
            return None
        request = httpx.Request(
            "POST",
            _url(wire.name),
            headers={**wire.headers, "x-from": wire.source},
            content=_slowly(wire.body) if slow else wire.body,
        )
        try:
            async with asyncio.timeout(timeout_s):
                answer = await transport.handle_async_request(request)
        except (TimeoutError, httpx.TransportError):
            return None
        return answer.status_code


async def _slowly(body: bytes) -> AsyncIterator[bytes]:
    for at in range(len(body)):
        await asyncio.sleep(4.0)
        yield body[at : at + 1]


def _nobody() -> None:
    """Nobody delivers just now."""
