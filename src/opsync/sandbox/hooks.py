"""Webhooks of a simulated vendor: who is told of a change, and how often a delivery is tried.

A change only notes what to tell; whoever delivers takes what is due and says what was answered, so
that a world on virtual time and a server on real time deliver alike. What is told is made when it
is sent: it shows the thing as it is then.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from opsync.sandbox.vendor import Faults

MOST = 20_000
"""Deliveries that wait at once; what comes on top is lost, as at a vendor in trouble."""
REORDERED_S = 2.0
"""How far deliveries are thrown about where their order is at fault."""
FORGED_KEY = "whoever-forges-has-another-key"


@dataclass
class Hook:
    """One webhook. `events` are the vendor's own names, `extra` what else it has there."""

    id: str
    url: str
    secret: str
    events: tuple[str, ...]
    name: str = ""
    enabled: bool = True
    delivered: int = 0
    failed: int = 0
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Post:
    """One delivery on its way: what goes over the wire is made by `Hooks.dress`."""

    hook: Hook
    id: str
    event: str
    payload: Callable[[], Mapping[str, Any]]
    due: datetime
    attempt: int = 1
    forged: bool = False


@dataclass(frozen=True, slots=True)
class Habits:
    """How a vendor delivers.

    `arrived` says which statuses it takes for a success and `again` which failures it tries again
    (None: no answer), after each of `delays_s`. `disables`: a webhook whose delivery failed for
    good is switched off.
    """

    arrived: Callable[[int], bool]
    again: Callable[[int | None], bool]
    delays_s: tuple[tuple[float, float], ...]
    timeout_s: float
    disables: bool = False


Dress = Callable[[Post, Mapping[str, Any], str, datetime], tuple[dict[str, str], bytes]]
"""Makes headers and body of a delivery: what is told, with which secret, and when."""


@dataclass
class Hooks:
    """The webhooks of one vendor, and what waits to be delivered. Its owner holds the lock."""

    now: Callable[[], datetime]
    faults: Callable[[], Faults]
    habits: Habits
    dress_with: Dress
    seed: int = 20_261_122
    registered: dict[str, Hook] = field(default_factory=dict)
    waiting: list[Post] = field(default_factory=list)
    woken: Callable[[], None] = lambda: None
    lost: int = 0

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)  # noqa: S311 - repeatable, protects nothing

    def new_id(self) -> str:
        """A UUID; the same sequence of calls gives the same ones."""
        return str(UUID(int=self._rng.getrandbits(128), version=4))

    def tell(
        self,
        event: str,
        payload: Callable[[], Mapping[str, Any]],
        wanted: Callable[[Hook], bool] = lambda hook: True,
    ) -> None:
        """Have an event delivered to each webhook that is on and wants it."""
        for hook in list(self.registered.values()):
            if hook.enabled and event in hook.events and wanted(hook):
                self._enqueue(hook, event, payload)

    def _enqueue(self, hook: Hook, event: str, payload: Callable[[], Mapping[str, Any]]) -> None:
        faults = self.faults()
        if self._hits(faults.webhooks_lost) or len(self.waiting) >= MOST:
            self.lost += 1
            return
        late_s = float(faults.webhooks_late_s)
        if faults.webhooks_reordered:
            late_s += self._rng.uniform(0, REORDERED_S)
        due = self.now() + timedelta(seconds=late_s)
        post = Post(hook, self.new_id(), event, payload, due)
        self.waiting.append(post)
        if self._hits(faults.webhooks_twice):
            self.waiting += [Post(hook, post.id, event, payload, due) for _ in range(2)]
        if self._hits(faults.webhooks_forged):
            self.waiting.append(Post(hook, self.new_id(), event, payload, due, forged=True))
        self.woken()

    def _hits(self, percent: int) -> bool:
        return percent > 0 and self._rng.uniform(0, 100) < percent

    def take(self) -> list[Post]:
        """What is due, the first due first. Whoever takes it tells of each with `answered`."""
        now = self.now()
        due = sorted((post for post in self.waiting if post.due <= now), key=lambda p: p.due)
        self.waiting = [post for post in self.waiting if post.due > now]
        return [post for post in due if post.hook.enabled]

    def dress(self, post: Post) -> tuple[dict[str, str], bytes]:
        """Headers and body of a delivery, as they go out now."""
        secret = FORGED_KEY if post.forged else post.hook.secret
        return self.dress_with(post, post.payload(), secret, self.now())

    def answered(self, post: Post, status: int | None) -> None:
        """Note how a delivery was answered (None: not at all): it is done, or comes again."""
        hook, habits = post.hook, self.habits
        if status is not None and habits.arrived(status):
            hook.delivered += 1
            return
        if post.forged:
            return
        hook.failed += 1
        if habits.again(status) and post.attempt <= len(habits.delays_s):
            delay = self._rng.uniform(*habits.delays_s[post.attempt - 1])
            post.attempt += 1
            post.due = self.now() + timedelta(seconds=delay)
            self.waiting.append(post)
        elif habits.disables:
            hook.enabled = False

    def remove(self, hook_id: str) -> bool:
        """Take a webhook away; what it still had to deliver is dropped. False: there was none."""
        found = self.registered.pop(hook_id, None)
        self.waiting = [post for post in self.waiting if post.hook is not found]
        return found is not None

    def summary(self) -> list[dict[str, object]]:
        """The webhooks as people who look at the sandbox see them; no secret is in it."""
        return [
            {
                "id": hook.id,
                "url": hook.url,
                "name": hook.name,
                "enabled": hook.enabled,
                "delivered": hook.delivered,
                "failed": hook.failed,
            }
            for hook in self.registered.values()
        ]


def statuses(*ranges: Iterable[int]) -> Callable[[int | None], bool]:
    """Whether a status is one of these; no answer at all is one of them too."""
    known = frozenset(status for each in ranges for status in each)
    return lambda status: status is None or status in known
