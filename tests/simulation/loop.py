"""An event loop that a seed decides: which of the ready callbacks is next, and when time passes.

It uses the base loop's lists of ready and of scheduled callbacks, as they are in Python 3.11 to
3.14: `tests/simulation/test_loop.py` notices if they are no more.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

STORE_S = 0.002
"""Most virtual seconds that one transaction takes."""
_UNWINDINGS = 100
"""How often a coroutine may wait once more while it is torn down."""


class Died(BaseException):
    """The process is gone: nothing in opsync can catch that."""


class Stuck(AssertionError):
    """Something is waited for that will never come, or what runs will never end."""


@dataclass
class Time:
    """Virtual seconds since the beginning, which outlive each process."""

    now: float = 0.0


class SeededLoop(asyncio.SelectorEventLoop):
    """The event loop of one simulated process.

    `dies_at` is the number of the step (a callback run) at which the process dies: what was to run
    then and later never does. `steps` counts them. Nothing here waits for the machine.
    """

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(
        self, time: Time, rng: random.Random, *, dies_at: int | None = None, most: int = 200_000
    ) -> None:
        super().__init__()
        self.steps = 0
        self.dead = False
        self._virtual = time
        self._rng = rng
        self._dies_at = dies_at
        self._most = most
        self.complaints: list[dict[str, Any]] = []
        """What asyncio would have logged: an exception that nobody fetched, say."""
        self.set_exception_handler(lambda _, context: self.complaints.append(context))

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual.now

    def _run_once(self) -> None:
        while not self._ready:
            self._jump()
        ready = self._ready
        at = self._rng.randrange(len(ready)) if len(ready) > 1 else 0
        handle = ready[at]
        del ready[at]
        if handle.cancelled():
            return
        self.steps += 1
        if self.steps == self._dies_at:
            raise Died
        if self.steps > self._most:
            raise Stuck(f"still running after {self._most} steps")
        handle._run()

    def _jump(self) -> None:
        """Let time pass until the next callback is due."""
        while self._scheduled and self._scheduled[0].cancelled():
            heapq.heappop(self._scheduled)._scheduled = False  # type: ignore[attr-defined]
        if not self._scheduled:
            raise Stuck("everything waits for something that will never come")
        self._virtual.now = max(self._virtual.now, self._scheduled[0].when())
        while self._scheduled and self._scheduled[0].when() <= self._virtual.now:
            handle = heapq.heappop(self._scheduled)
            handle._scheduled = False  # type: ignore[attr-defined]
            self._ready.append(handle)

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Carry out `func` whole, after a moment that the seed decides: a transaction."""
        if self.dead:
            raise Died
        future: asyncio.Future[T] = self.create_future()

        def run() -> None:
            if future.cancelled():
                return
            try:
                result = func(*args)
            except Exception as error:  # noqa: BLE001 - a future carries whatever was raised
                future.set_exception(error)
            else:
                future.set_result(result)

        self.call_later(self._rng.random() * STORE_S, run)
        return future

    def outlive(self) -> None:
        """What is left of the process, once its work is done, dies at no step."""
        self._dies_at = None

    def tear_down(self) -> None:
        """End the process as the kernel does: what waits never goes on. Only what is released
        without waiting, as file locks are, is released."""
        self.dead = True
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            _unwind(task.get_coro())
        self._ready.clear()
        self._scheduled.clear()
        self.complaints.clear()


def _unwind(coroutine: object) -> None:
    """Throw death into a coroutine until it waits no more."""
    if not asyncio.iscoroutine(coroutine):
        return
    for _ in range(_UNWINDINGS):
        try:
            coroutine.throw(Died())
        except BaseException:  # noqa: BLE001 - whatever it says in death is not heard
            return


def run(
    main: Coroutine[Any, Any, T],
    time: Time,
    rng: random.Random,
    *,
    dies_at: int | None = None,
    prepare: Callable[[SeededLoop], object] = lambda _: None,
) -> tuple[T | Died, int]:
    """Run one process to its end, or to its death. Returns what came of it, and its steps."""
    loop = SeededLoop(time, rng, dies_at=dies_at)
    asyncio.set_event_loop(loop)
    try:
        prepare(loop)
        task = loop.create_task(main)
        try:
            result: T | Died = loop.run_until_complete(task)
            steps = loop.steps
        except Died as died:
            loop.tear_down()
            result, steps = died, loop.steps
        except BaseException:
            loop.tear_down()
            raise
        else:
            loop.outlive()
            loop.run_until_complete(loop.shutdown_asyncgens())
            if loop.complaints:
                raise AssertionError(f"asyncio complains: {loop.complaints}")
        return result, steps
    finally:
        asyncio.set_event_loop(None)
        loop.close()
