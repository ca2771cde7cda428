"""What the service shows and hears over HTTP: pages, health, metrics, and change signals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_network

from opsync.blocks.service import ServiceBlock
from opsync.config import Config
from opsync.contract.webhooks import Signal
from opsync.engine.hooksecrets import HookSecrets
from opsync.engine.undoing import is_change, is_run, undo, writes_of
from opsync.engine.undone import ShownBack, insist, shown_back
from opsync.engine.untold import alarms
from opsync.engine.webhooks import hook_facts, last_delivery, note_untold, untold_reads
from opsync.errors import ConfigError, StoreError
from opsync.hookfacts import HookFacts, Untold
from opsync.redact import Redactor
from opsync.runtime import Clock, new_secret
from opsync.service.desk import Budget, Signals, SignalsState, Standing
from opsync.service.health import Troubles, health_routes, reasons_of
from opsync.service.hooks.counting import Counters
from opsync.service.hooks.doors import Doors
from opsync.service.hooks.memory import Memory
from opsync.service.hooks.receiver import Door, beside, receiver
from opsync.service.metrics import Metrics, metrics_route
from opsync.service.running import Service
from opsync.service.server import Address, serving
from opsync.service.standing import Standing as Numbers
from opsync.service.standing import standing_of
from opsync.service.web.app import dashboard
from opsync.service.web.guarded import Guarded
from opsync.store import Store
from opsync.watch import Alarm

SCARCE = 0.9
"""A limit of which more is left is not shown."""


class Surface:
    """One service's HTTP side. It is the desk of its pages, and what health and metrics ask.

    `refused` is why the configuration could not be read again, "" where it was; `app` is all that
    is served.
    """

    def __init__(
        self, service: Service, metrics: Metrics, redactor: Redactor, *, local: str
    ) -> None:
        self.service = service
        self.metrics = metrics
        self.refused = ""
        self.address: Address | None = None
        self.hooks_address: Address | None = None
        self.memory = Memory(service.session.store)
        self.counters = Counters()
        self._redactor = redactor
        self._proxies: list[IPv4Network | IPv6Network] = []
        """Whom the receiver believes for whom they send; the same list for good."""
        self._secrets = HookSecrets(service.session.config.store, self.clock)
        self.doors = Doors(service.session, self._secrets)
        self._heard: dict[str, datetime | None] = {}
        self._facts: dict[str, HookFacts] = {}
        self._untold: dict[str, Untold] = {}
        self.app: Guarded = dashboard(
            self,
            secret=new_secret(),
            local=local,
            more=[*health_routes(self), metrics_route(metrics, self)],
        )
        service.told.append(metrics.passed)
        service.signals = self.memory

    # --- What pages ask for (opsync.service.desk.Desk)

    @property
    def config(self) -> Config:
        """The configuration that is in force."""
        return self.service.session.config

    @property
    def store(self) -> Store:
        """The open store."""
        return self.service.session.store

    @property
    def clock(self) -> Clock:
        """The service's clock."""
        return self.service.session.runtime.clock

    async def changed(self) -> None:
        """Something was decided: plan again soon."""
        self.service.decide_again()

    async def undo(self, what: str, by: str) -> ShownBack:
        """Put back what stood before a run or a change. ConfigError where nothing is put back."""
        if is_run(what):
            rows = await writes_of(self.store, run=int(what))
        elif is_change(what):
            rows = await writes_of(self.store, change=what)
        else:
            raise ConfigError(f'"{what}" is no run and no change', hint="See: opsync journal")
        if not rows:
            raise ConfigError(f"{what} wrote nothing", hint="What was written: opsync journal")
        of = f"run {what}" if is_run(what) else f"change {what}"
        command = f"opsync undo {what}"
        async with self.service.alone(command) as mine:
            if (
                missing := {row.slot.target.instance for row in rows}
                & self.config.instances.keys() - mine
            ):
                raise ConfigError(
                    f"{', '.join(sorted(missing))}: in use just now", hint="Try again in a minute."
                )
            session = self.service.session
            found = await undo(session, rows, why=f"undo of {of}", by=by, command=command)
            return insist(await shown_back(self.config, self.store, found))

    async def read_now(self, instance: str) -> None:
        """Have a connection read soon."""
        if instance not in self.config.instances:
            raise ConfigError(f'no connection "{instance}"')
        self.service.schedule.hasten(instance)
        self.service.nudge(instance, whole=True)

    def state(self) -> Mapping[str, Standing]:
        """What the schedule knows of each connection."""
        doing = self.service.hands.doing
        found = {}
        for name, turns in self.service.schedule.turns.items():
            reading = doing.get(name) == "read"
            found[name] = Standing(
                reading=reading,
                next_read_at=None if reading else turns.due_at,
                failing=turns.trouble,
                signals=self._signals(name),
                budgets=self._budgets(name),
            )
        return found

    def _signals(self, name: str) -> Signals | None:
        door = self.doors.open.get(name)
        if door is None:
            return None
        ends = self._facts.get(name, HookFacts()).expires_at
        return Signals(
            state=self._signals_state(name, door),
            last_at=self._heard.get(name),
            expires_at=ends,
            untold=self._untold.get(name, Untold()).reads,
        )

    def _signals_state(self, name: str, door: Door) -> SignalsState:
        facts = self._facts.get(name, HookFacts())
        if facts.expires_at is not None and facts.expires_at <= self.now():
            return "expired"
        if facts.off or facts.gone or self._unreadable():
            return "off"
        secrets = door.secrets()
        if not secrets:
            return "off"
        if secrets == [self._secrets.told(name).encode()]:
            return "unverified"
        return "silent" if self._untold.get(name, Untold()).silent(self.now()) else "on"

    def _unreadable(self) -> str:
        """Why the secrets of change signals cannot be read, "" where they can. All else goes on."""
        try:
            self._secrets.load()
        except StoreError as error:
            return str(error)
        return ""

    def _budgets(self, name: str) -> tuple[Budget, ...]:
        client = self.service.session.clients.get(name)
        if client is None:
            return ()
        now = self.clock.now()
        return tuple(
            Budget(name=one.name, left=one.left, full_at=now + one.full_in)
            for one in client.budgets
            if one.left < SCARCE
        )

    # --- What health and metrics ask for

    def now(self) -> datetime:
        """The time."""
        return self.clock.now()

    def troubles(self) -> Troubles:
        """What is wrong besides the connections."""
        trouble = self.service.trouble
        failed = tuple(info.name for info in self.config.plugins.infos if info.state == "failed")
        store = next((trouble[one] for one in ("store", "decide", "write") if one in trouble), "")
        store = store or self._unreadable()
        return Troubles(reload=self.refused, store=self._redactor.clean(store), plugins=failed)

    async def answers(self) -> None:
        """Have the store answer something."""
        await self.store.kept("")

    async def alarms(self) -> Sequence[Alarm]:
        """What is wrong with connections, tokens, owners, and what could not be sent."""
        return await alarms(self.config, self.store, self.now())

    async def standing(self) -> Numbers:
        """The service in numbers."""
        counted: dict[str, int] = {}
        for end, _, number in self.counters.rows():
            counted[end] = counted.get(end, 0) + number
        red = reasons_of(await self.alarms(), self.now()) or self.troubles() != Troubles()
        return await standing_of(
            self.config,
            self.store,
            self.now(),
            ready=not red,
            queued=sum(self.service.nudges.waiting.values()),
            deliveries=counted,
            webhooks={name: at for name, one in self._facts.items() if (at := one.expires_at)},
        )

    # --- Change signals

    async def settle(self) -> None:
        """Go by the configuration that is in force now."""
        config = self.config
        self.app.settle(config.general.service)
        self._proxies[:] = map(ip_network, config.general.service.access.proxy_from)
        self.metrics.configured({n: i.connector for n, i in config.instances.items()})
        for text in () if self._unreadable() else self._secrets.texts():
            self._redactor.add(text)
        await self.doors.settle(self.service.session)
        await self.look_at_signals()

    async def look_at_signals(self) -> None:
        """Note what was found without them, and learn what was noted of change signals, also by
        commands beside the service."""
        untold = self.memory.take_untold()
        for name, door in self.doors.open.items():
            if name in untold and self._signals_state(name, door) in ("on", "silent"):
                await note_untold(self.store, name, self.now())
            self._untold[name] = await untold_reads(self.store, name)
            self._heard[name] = await last_delivery(self.store, name)
            self._facts[name] = await hook_facts(self.store, name)

    def hear(self, name: str, signal: Signal) -> None:
        """Something may have changed."""
        self._heard[name] = self.now()
        self._untold.pop(name, None)
        self.service.nudge(name, signal.refs, whole=signal.whole)

    @asynccontextmanager
    async def open(self, settings: ServiceBlock, drain_s: float) -> AsyncIterator[None]:
        """Serve while the block lasts."""
        await self.settle()
        hooks = receiver(
            self.doors.open,
            self.memory,
            self.counters,
            self.clock,
            self.hear,
            proxies=self._proxies,
        )
        apart = settings.webhooks_address
        slow = partial(self.counters.count, "slow", "")
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.doors.close)
            stack.push_async_callback(self.memory.close)
            if apart is not None:
                self.hooks_address = await stack.enter_async_context(
                    serving(hooks, apart.host, apart.port, on_slow=slow, drain_s=drain_s)
                )
            app = self.app if apart is not None else beside(hooks, self.app)
            here = settings.address
            self.address = await stack.enter_async_context(
                serving(app, here.host, here.port, on_slow=slow, drain_s=drain_s)
            )
            stack.push_async_callback(self.app.pages.state.listening.close)
            await self.memory.resume(self.doors.open.keys(), self.hear)
            yield
