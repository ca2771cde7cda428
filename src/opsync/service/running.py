"""The running service: reads each instance in its turn, decides for all, writes to each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from typing import Any

import structlog

from opsync.engine.fingerprint import modes_as
from opsync.engine.session import Session
from opsync.errors import ConfigError, OpsyncError, StoreError
from opsync.model import Ref
from opsync.report import PassReport
from opsync.service.deciding import Round, decide_round, write_round
from opsync.service.hands import Hands
from opsync.service.nudges import NoSignals, Nudges, Signals
from opsync.service.reading import BY_ITSELF, Command, Inbox, Turn, take_turn
from opsync.service.reminding import Reminders
from opsync.service.schedule import Schedule, spans

_log = structlog.get_logger(__name__)

AGAIN_S = 5.0
"""After the store failed, it is tried again so often."""
PATIENCE_S = 30.0
"""So long a command waits for instances that are in use; the others it does without them."""

Told = Callable[[PassReport], None]


class Service:
    """Keeps everything in step until it is told to stop.

    Three kinds of tasks: one an instance, which reads it when it is due or something may have
    changed; one that decides, whenever something was read, approved, let go of, or is due again;
    and one a round that writes. All wait for each other by `hands` alone, so that what is slow
    holds up itself.
    """

    def __init__(self, session: Session, *, debounce_s: float = 0.5, jitter: float = 0.1) -> None:
        self.session = session
        self.debounce_s = debounce_s
        self.hands = Hands(session.config.instances)
        self.nudges = Nudges(session.config.instances)
        self.schedule = Schedule(session.runtime, jitter)
        self.deciding = asyncio.Lock()
        """Held while something is decided; and by a person's command that has all to itself."""
        self.asked = asyncio.Lock()
        """Held by a person's command from its beginning to its end; taken before `deciding`."""
        self.besides = asyncio.Lock()
        """Held by others that work with this session, which stays meanwhile; taken first."""
        self.trouble: dict[str, str] = {}
        """What keeps the service itself from working, by kind, in words."""
        self.told: list[Told] = []
        """Who is told of each pass that is over."""
        self.signals: Signals = NoSignals()
        """Who keeps the change signals that came until they were looked at."""
        self._reminders = Reminders()
        self._inbox = Inbox()
        self._unsettled = asyncio.Event()
        self._forced = True
        self._decided_on: date | None = None
        self._missed: set[str] = set()
        """The instances that the last round could not have, because others worked with them."""
        self._writing: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._commands: set[asyncio.Task[Any]] = set()
        self._ending = False
        self._over = False
        """It was told to stop, and begins no more, whatever was under way then."""

    # --- From start to stop

    def start(self) -> None:
        """Begin: everything is read at once, and decided once, whatever it brings."""
        self.schedule.begin(spans(self.session.config))
        self.decide_again()
        self._tasks = [
            asyncio.create_task(self._tend(name), name=f"read {name}")
            for name in self.session.config.instances
        ]
        self._tasks.append(asyncio.create_task(self._settle_for_ever(), name="decide"))
        read = partial(self.nudge, whole=True)
        reminding = self._reminders.for_ever(self.session, self.decide_again, read)
        self._tasks.append(asyncio.create_task(reminding, name="remind"))

    @property
    def writing(self) -> bool:
        """Whether a round is being written."""
        return bool(self._writing)

    @property
    def stopping(self) -> bool:
        """Whether nothing more is begun."""
        return self._ending

    async def stop(self, drain_s: float = 10.0) -> bool:
        """Begin nothing more, give up what is being read, and let what is being written end within
        so many seconds; returns whether it did. What was not done is done after the next start."""
        self._over = True
        return await self._halt(drain_s)

    async def _halt(self, drain_s: float) -> bool:
        self._ending = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        under_way: set[asyncio.Task[Any]] = {*self._writing, *self._commands}
        if not under_way:
            return True
        _, late = await asyncio.wait(under_way, timeout=drain_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return not late

    async def use(self, session: Session, settle: Callable[[], Awaitable[None]]) -> None:
        """Go on with another configuration over the same store, once nobody works any more.
        `settle` is called before anything begins again. What was to be looked at still is.

        Raises ConfigError where it was told to stop meanwhile."""
        async with self.besides, self.asked, self.deciding:
            await self._halt(PATIENCE_S)
            if self._over:
                raise _stopped()
            names = session.config.instances
            self.session = session
            self.hands.settle(names)
            self.nudges.settle(names)
            self._inbox = Inbox()
            self.trouble.clear()
            try:
                await settle()
            except StoreError as error:
                # It is in force all the same, and settled again with the next chores.
                _log.error("store.failed", error=str(error))
            finally:
                if not self._over:
                    self._ending = False
                    self.start()
            if self._over:
                raise _stopped()

    # --- What others ask for

    def nudge(self, instance: str, refs: Iterable[Ref] = (), *, whole: bool = False) -> None:
        """Something may have changed there: it is looked at soon."""
        self.nudges.tell(instance, refs, whole=whole)

    def decide_again(self) -> None:
        """A person decided something, or what waited for a time is due: plan again soon."""
        self._forced = True
        self._unsettled.set()

    @asynccontextmanager
    async def commanded(self) -> AsyncIterator[None]:
        """A block for a person's command, one at a time: the configuration stays meanwhile."""
        async with self.asked:
            if self._over:
                raise OpsyncError("the service is stopping", hint="Try again once it runs anew.")
            mine = asyncio.current_task()
            assert mine is not None
            self._commands.add(mine)
            try:
                yield
            finally:
                self._commands.discard(mine)
                self.decide_again()

    @asynccontextmanager
    async def alone(self, command: str) -> AsyncIterator[frozenset[str]]:
        """A block in which nothing else is decided, for a person's command, with the instances that
        nobody else works with meanwhile. While it waits for one that is slow, it holds none."""
        async with self.commanded():
            configured = self.session.config.instances.keys()
            free = configured - await self.hands.in_use(configured, PATIENCE_S)
            async with self.deciding:
                names = await self.hands.take_all(command, PATIENCE_S, free)
                try:
                    yield names
                finally:
                    for name in names:
                        self.hands.release(name)

    async def written(self) -> None:
        """Wait until all rounds that write are closed."""
        await asyncio.gather(*self._writing, return_exceptions=True)

    # --- The tasks

    async def _tend(self, name: str) -> None:
        while not self._ending:
            await self._wait_for_turn(name)
            try:
                await self._turn(name)
                self.trouble.pop("store", None)
            except StoreError as error:
                await self._store_failed(error)
            except OpsyncError as error:
                self.schedule.took(name, str(error))
                _log.error("read.failed", instance=name, error=str(error))
            except Exception as error:  # noqa: BLE001 - one instance's fault is not the others'
                self.schedule.took(name, f"{type(error).__name__}: {error}")
                _log.error("read.failed", instance=name, exc_info=error)

    async def _wait_for_turn(self, name: str) -> None:
        """Until it is due, or something may have changed and no more of it comes for a moment."""
        nudged = asyncio.ensure_future(self.nudges.wait(name))
        try:
            await asyncio.wait({nudged}, timeout=self.schedule.wait_s(name))
        finally:
            nudged.cancel()
        if not self.nudges.waiting[name]:
            return
        if self.schedule.wait_s(name) > 0:
            await self.session.runtime.clock.sleep(self.debounce_s)

    async def _turn(self, name: str) -> None:
        await self.hands.take(name, "read")
        try:
            due = self.schedule.wait_s(name) == 0.0
            self.signals.taken(name)
            nudge = told = self.nudges.take(name)
            if due:
                nudge = nudge.also((), whole=True)
            try:
                turn = await take_turn(self.session, name, nudge)
            except (StoreError, asyncio.CancelledError):
                # It was not looked at: the next turn does. After any other failure all is read.
                self.nudges.tell(name, told.refs, whole=told.whole)
                raise
        finally:
            self.hands.release(name)
        self._forced |= turn.brought or bool(self.schedule.turns[name].trouble)
        trouble = turn.report.message if turn.report.trouble else ""
        alone = due and told.is_empty and self.schedule.is_steady(name)
        if nudge.whole or trouble:
            self.schedule.took(name, trouble)
        if not trouble:
            self.signals.was_read(name, untold=alone and turn.report.changed > 0)
        self._inbox.put(turn)
        self._unsettled.set()

    async def _settle_for_ever(self) -> None:
        while not self._ending:
            await self._unsettled.wait()
            self._unsettled.clear()
            try:
                await self._settle()
                self.trouble.pop("store", None)
            except StoreError as error:
                await self._store_failed(error)
                self._unsettled.set()
            except Exception as error:  # noqa: BLE001 - the service outlives what it meets
                self.trouble["decide"] = f"{type(error).__name__}: {error}"
                _log.error("decide.failed", exc_info=error)
                await self.session.runtime.clock.sleep(AGAIN_S)
                self._unsettled.set()
            else:
                self.trouble.pop("decide", None)

    async def _settle(self) -> None:
        async with self.deciding:
            turns = self._inbox.take()
            try:
                if not await self._is_due():
                    return
                found = await self.decide(self.session, BY_ITSELF, turns, self._take_free)
            except BaseException:
                self._forced = True
                for turn in turns.values():
                    self._inbox.turns.setdefault(turn.report.instance, turn)
                raise
        writing = asyncio.create_task(self._write(found), name=f"write {found.this.run}")
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)

    async def decide(
        self,
        session: Session,
        command: Command,
        turns: Mapping[str, Turn],
        take: Callable[[], Awaitable[frozenset[str]]],
    ) -> Round:
        """Decide, with the instances that it can `take`. The caller has `deciding`, and writes."""

        async def taking() -> frozenset[str]:
            mine = await take()
            # Not only once all is decided: an earlier round may leave one of them meanwhile.
            self._missed = session.config.instances.keys() - mine
            return mine

        found = await decide_round(
            session, command, turns, self.hands, taking, lambda: self._ending
        )
        for name in found.this.to_ask:
            self.nudge(name, whole=True)
        return found

    async def _take_free(self) -> frozenset[str]:
        return self.hands.take_free("written")

    async def _is_due(self) -> bool:
        """Whether there is anything to decide: what nobody would hear of is no run."""
        now = self.session.runtime.clock.now()
        today = now.astimezone(self.session.config.zone).date()
        forced, self._forced = self._forced or today != self._decided_on, False
        self._decided_on = today
        modes = modes_as(self.session.config)
        return forced or await self.session.store.is_restless(now, modes)

    async def _write(self, found: Round) -> None:
        try:
            report = await self.write(found)
        except StoreError as error:
            # The run is not settled: what it left undone is planned again.
            await self._store_failed(error)
            self._unsettled.set()
            return
        except Exception as error:  # noqa: BLE001 - as above
            self.trouble["write"] = f"{type(error).__name__}: {error}"
            _log.error("write.failed", run=found.this.run, exc_info=error)
            return
        self.trouble.pop("write", None)
        self.say(report)

    async def write(self, found: Round) -> PassReport:
        """Write what was decided."""
        return await write_round(found, self.hands, partial(self._leave, found))

    def _leave(self, found: Round, name: str) -> None:
        found.leave(name, self.hands)
        if name in self._missed:
            # What was decided meanwhile could not be planned for it. Only then: what this round
            # itself left undone, because writes are paused say, would be left at once again.
            self._unsettled.set()

    # --- Small things

    def say(self, report: PassReport) -> None:
        """Tell whoever wants to know of a pass that is over."""
        self._reminders.learn(report)
        for told in self.told:
            told(report)

    async def _store_failed(self, error: StoreError) -> None:
        self.trouble["store"] = str(error)
        _log.error("store.failed", error=str(error))
        await self.session.runtime.clock.sleep(AGAIN_S)


def _stopped() -> ConfigError:
    return ConfigError(
        "the service is being stopped", hint="It reads its configuration when it starts again."
    )
