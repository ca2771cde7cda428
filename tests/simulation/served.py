"""One seed's story with the service: most of the processes of an episode are `opsync serve`, with
change signals, commands, decisions, reloads, stops and a store that fails."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from typing import Any, ClassVar

from opsync.engine.approving import approvals_of
from opsync.engine.fingerprint import config_digest, modes_as
from opsync.engine.session import open_session
from opsync.engine.taken import TakenBack
from opsync.engine.undoing import undo
from opsync.errors import ConfigError, OpsyncError, StoreError
from opsync.model import WRITTEN, OutcomeKind
from opsync.report import PassReport
from opsync.runtime import Runtime
from opsync.service.asks import AskReload, AskSync, Failed, Reloaded, Synced
from tests.simulation.commands import WHO
from tests.simulation.company import Touch, owned
from tests.simulation.deliveries import SECRET, Courier, Habit, register
from tests.simulation.episode import DAY_S, EVERYTHING, VENDORS, Episode, asks_leave
from tests.simulation.faults import shrink
from tests.simulation.loop import Died, SeededLoop
from tests.simulation.promises import PROJECTS, check_always, place_of, wrong
from tests.simulation.serving import Serve, Served, Story

SPANS_S = ((1.0, 20.0), (20.0, 200.0), (200.0, 900.0))
EVERY = ("2m", "5m", "10m")
HEAL_EVERY = "30m"
CONVERGES_S = 6.5 * 3600
LOOKED_S = 1800.0
QUIET_S = 2.2 * 3600


class ServedEpisode(Episode):
    """Everything of one seed, with the service."""

    rounds: ClassVar[tuple[int, int]] = (3, 5)

    def __post_init__(self) -> None:
        super().__post_init__()
        real = self.twins.real
        self._set_every(self.rng.choice(EVERY))
        for given in real.raw["instances"].values():
            given["webhook_secret"] = SECRET
        register(real)
        drawn = self._draw()
        self.courier = Courier(real, self.time, drawn, self._fired, Habit.drawn(drawn))
        self.served_steps = 3_000
        self.serves = True
        self.lifts: list[Callable[[], None]] = []
        self.paused: set[str] = set()
        self.reports: list[PassReport] = []

    def _set_every(self, every: str) -> None:
        raw = self.twins.real.raw
        instances = {name: {**one, "every": every} for name, one in raw["instances"].items()}
        self.twins.real.raw = {**raw, "instances": instances}

    # Processes

    def _spoil(self) -> Callable[[], None]:
        self.serves = self.rng.random() < 0.75
        return (lambda: None) if self.serves else super()._spoil()

    def _command(self) -> None:
        if self.serves:
            self._serve_a_while()
        else:
            super()._command()

    def _serve_a_while(self) -> None:
        """One process that serves, until its story ends or it dies."""
        rng = self.rng
        dies_at = None
        if rng.random() < 0.35:
            dies_at = rng.randint(1, int(self.served_steps * 1.1))
        mark = len(self.line.log)
        size = rng.choice((1, 2, 3, 1000))
        self.line.shrink = shrink(size) if size < 1000 else (lambda _v, _r, body: body)
        result = self._serve(self._live, dies_at=dies_at)
        self._lift()
        self._window(mark)
        if isinstance(result, Died):
            self.tally.crashes += 1
            self._fired("F45")
            self.courier.refused()
            self._late_arrivals()
            self.time.now += rng.uniform(5, 300)

    def _serve(self, story: Story, *, dies_at: int | None = None) -> object:
        serve = Serve(self.twins.real, self.line, self.clock, self.rng.random())
        serve.read_config = self._read_config
        self.reports = []
        serve.sockets.undo = self._take_back
        with serve.sockets.in_place():
            result = self._process(
                "serve",
                partial(serve, partial(self._told_by, story), self.courier.work),
                dies_at=dies_at,
            )
        self.tally.checks += 3
        assert serve.breaches() == [], "two at once: " + "\n  ".join(serve.breaches())
        assert self.courier.wrongs == [], "\n  ".join(self.courier.wrongs)
        if not isinstance(result, Died):
            assert not any(not one.reads for one in self.line.under_way.values())
            self._tell(f"served: {len(self.reports)} runs, {self.courier.sent} deliveries so far")
        return result

    async def _told_by(self, story: Story, served: Served) -> None:
        served.service.told.append(self._hear)
        await story(served)
        await self._note_what_it_knows(served)

    def _hear(self, report: PassReport) -> None:
        self.reports.append(report)
        self._check_report(report)
        self.last_written = report.run if report.applied else self.last_written

    async def _note_what_it_knows(self, served: Served) -> None:
        """After a lost store it knows its own again once it read and wrote everything."""
        turns = served.service.schedule.turns.values()
        if not self.reports or any(one.trouble or one.read_at is None for one in turns):
            return
        last = self.reports[-1]
        whole = not last.failed and not any(one.trouble for one in last.instances)
        waits = self.proposes and last.plan.proposed
        if whole and last.applied_mode and not waits and not await self._is_restless(served):
            self.knows_its_own = True

    async def _is_restless(self, served: Served) -> bool:
        try:
            modes = modes_as(served.service.session.config)
            return await served.service.session.store.is_restless(self.clock.now(), modes)
        except StoreError:
            return True

    def _read_config(self) -> object:
        if self.refuses:
            raise ConfigError("the file is wrong", hint="mend it")
        return self.twins.real.config()

    refuses = False

    # What happens while it serves

    async def _live(self, served: Served) -> None:
        """Some hours at most of people at work and things going wrong."""
        rng = self.rng
        acts: tuple[tuple[Callable[[Served], Awaitable[None]], int], ...] = (
            (self._work, 10),
            (self._touch, 4),
            (self._storm, 3),
            (self._arm, 5),
            (self._last, 2),
            (self._calm, 2),
            (self._reload, 3),
            (self._ask_sync, 3),
            (self._approve, 4 if self.proposes else 0),
            (self._pause, 2),
            (self._fail_store, 2),
            (self._undo_there, 2),
            (self._read_now, 1),
        )
        names, weights = [act for act, _ in acts], [weight for _, weight in acts]
        if rng.random() < 0.5:
            await asyncio.sleep(rng.uniform(0, 60))
        for _ in range(rng.randint(4, 14)):
            await rng.choices(names, weights)[0](served)
            await asyncio.sleep(rng.uniform(*rng.choices(SPANS_S, (4, 4, 2))[0]))
        if rng.random() < 0.5:
            self._lift()
            await asyncio.sleep(rng.uniform(60, 900))

    async def _work(self, served: Served) -> None:
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            self._work_beside()

    async def _touch(self, served: Served) -> None:
        self._hand_beside()

    async def _storm(self, served: Served) -> None:
        """Many changes at once, or one after the other without a pause."""
        self._fired("F43 burst")
        for _ in range(self.rng.randint(10, 30)):
            self.people.move_something()
            if self.rng.random() < 0.5:
                await asyncio.sleep(self.rng.uniform(0, 1))

    async def _arm(self, served: Served) -> None:
        for _ in range(self.rng.randint(1, 3)):
            one = self.weather.arm(self.rng, VENDORS)
            self._tell(f"armed:  {one.fault.number} at {one.vendor} after {one.wait}")

    async def _last(self, served: Served) -> None:
        if not self.lifts:
            self.lifts.append(self._condition(self.rng))

    async def _calm(self, served: Served) -> None:
        self._lift()

    def _lift(self) -> None:
        for lift in self.lifts:
            lift()
        self.lifts.clear()
        self.weather.clear()

    async def _reload(self, served: Served) -> None:
        """The configuration is read again: it means the same, or it is wrong."""
        self.refuses = self.rng.random() < 0.3
        if not self.refuses:
            self._set_every(self.rng.choice(EVERY))
        by_signal = self.rng.random() < 0.3
        self._fired("reload")
        self._tell(f"reload: {'refused' if self.refuses else 'the same'}")
        if by_signal:
            served.process.reload_soon()
            await asyncio.sleep(self.rng.uniform(0, 5))
            if self.refuses:
                await asyncio.sleep(60)
        else:
            answer = await served.ask(AskReload())
            assert isinstance(answer, Failed if self.refuses else Reloaded), answer
        self.refuses = False

    async def _ask_sync(self, served: Served) -> None:
        """`opsync sync` or `plan` beside the service, sometimes while it is reloaded."""
        config = served.service.session.config
        allow = EVERYTHING if self.rng.random() < 0.3 else {}
        what = AskSync(
            command="opsync sync",
            config=config_digest(config),
            full=self.rng.random() < 0.2,
            write=self.rng.random() < 0.8,
            limits=config.limits.raised(**allow),
        )
        if self.rng.random() < 0.2:
            self._fired("reload")
            served.process.reload_soon()
        answer = await served.ask(what)
        self._tell(f"asked:  sync {type(answer).__name__}")
        assert isinstance(answer, Synced) or self.store_fails, answer

    store_fails = False

    async def _approve(self, served: Served) -> None:
        """A person approves what is proposed, but for what would replace a person's text."""
        try:
            await self._approve_all(served)
        except StoreError:
            return

    async def _approve_all(self, served: Served) -> None:
        store = served.service.session.store
        plan = await store.newest_plan()
        if plan is None:
            return
        changes = [one for one in plan.changes if not one.over_edit]
        await store.approve([*approvals_of(changes, plan.number, by=WHO, at=self.clock.now())])
        self._tell(f"people: approve {len(changes)}")
        await served.process.surface.changed()

    async def _pause(self, served: Served) -> None:
        """A person pauses a connection for a while: nothing is begun there meanwhile."""
        service, name = served.service, self.rng.choice(VENDORS)
        if name in self.paused:
            return
        self.paused.add(name)
        try:
            await service.session.store.pause(name, by=WHO, at=self.clock.now())
            writes = service.hands.doing.get(name, "read") != "read"
            before = self.line.writes.get(name, 0)
            await asyncio.sleep(self.rng.uniform(10, 600))
            if not writes:
                assert self.line.writes.get(name, 0) == before, f"{name} was written while paused"
            await service.session.store.unpause(name)
        except StoreError:
            return
        await served.process.surface.changed()
        self.paused.discard(name)
        self._fired("pause")

    async def _fail_store(self, served: Served) -> None:
        """The disk is full for a while: nothing can be noted, or nothing read either."""
        store = served.service.session.store
        database, both = store._database, self.rng.random() < 0.4

        def fails(work: object) -> object:
            raise StoreError("The store is full.", hint="Free space on its disk.")

        self._fired("F47")
        self._tell("the store fails")
        self.store_fails = True
        database.write = fails  # type: ignore[method-assign, assignment]
        if both:
            database.read = fails  # type: ignore[method-assign, assignment]
        try:
            await asyncio.sleep(self.rng.uniform(0.5, 120))
        finally:
            self.store_fails = False
            del database.write
            if both:
                del database.read

    async def _read_now(self, served: Served) -> None:
        await served.process.surface.read_now(self.rng.choice(VENDORS))

    async def _undo_there(self, served: Served) -> None:
        """A person takes back what a run wrote, on a page of the service."""
        number, self.last_written = self.last_written, None
        if number is None or self.lifts:
            return
        self.weather.clear()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SeededLoop)
        loop.outlive()  # what a dead one had put back would be nobody's word
        calm, self.line.calm = self.line.calm, True
        try:
            await served.process.surface.undo(str(number), WHO)
        except OpsyncError as error:
            self._tell(f"undo of #{number}: {error}")
        finally:
            self.line.calm = calm

    async def _take_back(self, *given: Any, **options: Any) -> TakenBack:
        """Undo, and take note of what it put back: it stays so."""
        real = self.twins.real
        before = owned(real)
        found = await undo(*given, **options)
        after = owned(real)
        kinds = {*WRITTEN, OutcomeKind.unchanged}
        places = {place_of(real, change) for change, outcome in found.done if outcome.kind in kinds}
        places |= {
            place for place in before.keys() | after.keys() if before.get(place) != after.get(place)
        }
        self._tell(f"undo: {len(places)} put back")
        self._fired("undo")
        for place in sorted(places):
            was = before.get(place, "")
            self.twins.touched[place] = Touch(after.get(place), self.time.now, was, undone=True)
            self.twins.blind.discard(place)
            if place[1] in PROJECTS:
                self.twins.blind.add(place)
        return found

    # In the end

    def _heal(self) -> None:
        """Everything works again: within its own intervals the service has all as it should be."""
        self._resume_all()
        if self.rng.random() < 0.3:
            super()._heal()
            self._check_signals()
            return
        self._tell("heal, served")
        self.line.calm = True
        self.line.shrink = lambda _v, _r, body: body
        self.courier.habit = Habit()
        self.time.now += 1.1 * DAY_S + abs(self.clock.wrong_by_s) + self.clock.behind_s
        self._set_every(HEAL_EVERY)
        wanted = self._wanted()
        left: list[str] = ["nothing was looked at"]

        async def heal(served: Served) -> None:
            nonlocal left
            began = self.time.now
            while left and self.time.now - began < CONVERGES_S:
                await asyncio.sleep(LOOKED_S)
                await self._do_what_it_asks(served)
                left = wrong(self.twins, wanted, self.people.disturbed_at)
            self.tally.healed_in = 1 + int((self.time.now - began) // 3600)
            if left:
                return
            await asyncio.sleep(QUIET_S)
            before = dict(self.line.writes)
            await asyncio.sleep(QUIET_S)
            assert self.line.writes == before, "with nothing new it sent writes"

        self._serve(heal)
        assert not left, "not as it should be after hours of service: " + "\n  ".join(left)
        self.tally.checks += 2 + check_always(self.twins)
        self._rest()
        self._check_signals()

    async def _do_what_it_asks(self, served: Served) -> None:
        if any(map(asks_leave, self.reports)):
            self.reports.clear()
            config = served.service.session.config
            limits = config.limits.raised(**EVERYTHING)
            what = AskSync(command="sync", config=config_digest(config), limits=limits)
            answer = await served.ask(what)
            assert isinstance(answer, Synced), answer
        if self.proposes:
            await self._approve_all(served)
        await asyncio.sleep(120)

    def _resume_all(self) -> None:
        async def resume() -> None:
            runtime = Runtime(clock=self.clock, rng=random.Random(0))
            async with open_session(
                self.twins.real.config(), "pause", runtime=runtime, transport=self.line
            ) as session:
                for name in sorted(self.paused):
                    await session.store.unpause(name)

        self._process("resume", resume)
        self.paused.clear()

    def _check_signals(self) -> None:
        """What was answered as arrived was looked at, also where the process died after it."""
        self.tally.checks += 2
        reads = {name: [0.0] for name in VENDORS}
        for one in self.line.log:
            if one.reads:
                reads[one.vendor].append(one.at)
        late = [(at, name) for at, name in self.courier.accepted if max(reads[name]) < at]
        assert late == [], f"nothing was read after these were answered: {late}"
        with closing(sqlite3.connect(self.twins.real.store_path)) as connection:
            query = "SELECT count(*) FROM deliveries WHERE done = 0"
            left = connection.execute(query).fetchone()[0]
        assert left == 0 or not self.served_to_the_end, f"{left} signals were never looked at"

    served_to_the_end = False
