"""A session: the configured instances and the store, open for one command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opsync.config import Config, Instance
from opsync.contract.connector import Connector, Context
from opsync.contract.examining import Check, Diagnosable
from opsync.current import Opened, Pass, Used
from opsync.engine.alerting import tell, tell_alive
from opsync.engine.approving import kept_plan
from opsync.engine.fingerprint import derives_as, modes_as, reads_as
from opsync.engine.lookup import Lookup
from opsync.engine.untold import untold
from opsync.engine.veil import Veil
from opsync.errors import ConfigError, OpsyncError, PluginError, SignInError
from opsync.http import Client, Policy, Pool
from opsync.languages import OwnWords
from opsync.model import Limits, Slot, Value
from opsync.model.rules import Mode
from opsync.observing import UNOBSERVED, Observer
from opsync.pipeline import run_pass
from opsync.plugins import Plugins
from opsync.report import PassReport
from opsync.runtime import Runtime
from opsync.stages.pulling import Progress, silent
from opsync.steps.shared import RESTRAINT, tell_settled
from opsync.store import NEXT, Store, hold
from opsync.wording import day

if TYPE_CHECKING:
    import httpx

    from opsync.redact import Redactor

NO_HOST = "https://none.invalid"
"""The address of instances whose connector needs no HTTP: a name that never resolves."""


@dataclass
class Session:
    """What a command works with while it is open."""

    config: Config
    store: Store
    runtime: Runtime
    pool: Pool
    clients: dict[str, Client] = field(default_factory=dict)
    """By instance the client that all passes of this session share."""

    async def sync(
        self,
        command: str,
        *,
        only: frozenset[str] = frozenset(),
        full: bool = False,
        write: bool = True,
        chosen: Mapping[Slot, str] | None = None,
        limits: Limits | None = None,
        keeps_plan: bool = True,
        progress: Progress = silent,
    ) -> PassReport:
        """Run one pass. `only` limits what is pulled, `write=False` stops after the plan, and of
        `chosen` (slots with the digest of a value each) nothing else is written. `limits` are
        those of this pass instead of the configured ones.

        What it leaves unwritten is kept as a plan, if it `keeps_plan`. After one that may write,
        what is wrong is told where the configuration says.
        """
        this = await self.open_pass(command, only=only, full=full, write=write)
        this.chosen, this.limits, this.progress = chosen, limits, progress
        this.run = this.report.run = await self.store.begin_run(command)
        try:
            await run_pass(this)
        finally:
            self.store.give_up_run(this.run)
        return await self.close_pass(this.report, keeps_plan=keeps_plan and chosen is None)

    async def open_pass(
        self, command: str, *, only: frozenset[str], full: bool = False, write: bool = True
    ) -> Pass:
        """A pass over the configured instances that has not begun. Raises ConfigError: there are
        none, or none of that name."""
        wanted(self.config, only)
        return Pass(
            config=self.config,
            store=self.store,
            clock=self.runtime.clock,
            instances=await self.open_all(),
            run=NEXT,
            report=PassReport(
                run=NEXT,
                command=command,
                applied_mode=write,
                only_observed=self.config.forced is Mode.observe,
                oversteps=self.config.oversteps,
            ),
            only=only,
            full=full,
            write=write,
            reads_as=reads_as(self.config),
            derives_as=derives_as(self.config),
            modes=modes_as(self.config),
        )

    async def open_all(self) -> dict[str, Opened]:
        """Every configured instance, with what it keeps by now."""
        return {
            name: await open_instance(instance, self)
            for name, instance in self.config.instances.items()
        }

    async def close_pass(
        self, done: PassReport, *, keeps_plan: bool = True, told: bool = True
    ) -> PassReport:
        """The report of a pass that is over, as far as it may be shown. What the pass left
        unwritten is kept as a plan, if it `keeps_plan`, for a person who is `told` of it or not,
        and what is wrong is told where the configuration says.

        The plan has the pass's number, but where it may write and leaves the same unwritten as the
        newest plan: then it is that one, and people who were told of it can carry it out still."""
        shown = await Veil(Lookup(self.config, self.store)).report(done)
        if keeps_plan and (not done.applied_mode or shown.plan.proposed):
            plan = kept_plan(done, shown, self.runtime.clock.now())
            anew = not done.applied_mode
            shown.kept_as = await self.store.put_plan(plan, told=told, anew=anew)
        if done.applied_mode:
            shown.untold += await self._tell(shown)
        return shown

    async def _tell(self, done: PassReport) -> list[str]:
        """Tell what is wrong, and that all is well; returns why that could not be told."""
        alerts, in_vain = self.config.general.alerts, []
        if alerts.webhook is not None:
            alarms = [*done.alarms, *await untold(self.config, self.store)]
            in_vain.append(await tell(alerts, self.store, self.pool, self.runtime.clock, alarms))
        if done.exit_code == 0:
            in_vain.append(await tell_alive(alerts, self.pool))
        return [why for why in in_vain if why]

    async def doctor(self, only: frozenset[str] = frozenset()) -> AsyncIterator[tuple[str, Check]]:
        """Each connection's own checks, one after the other."""
        for name, instance in self.config.instances.items():
            if only and name not in only:
                continue
            try:
                opened = await open_instance(instance, self)
                if not isinstance(opened.connector, Diagnosable):
                    yield name, Check("Checks", "ok", "This connector has none of its own.")
                    continue
                async for check in opened.connector.doctor():
                    yield name, await self._proved(name, check)
            except OpsyncError as error:
                title = "Sign-in" if isinstance(error, SignInError) else "Connection"
                yield name, Check.failed(title, error)

    async def _proved(self, name: str, check: Check) -> Check:
        """A finding, with what earlier writes tell where it could not say."""
        at = await self.store.wrote_last(name) if check.unproved else None
        if at is None:
            return check
        last = day(at.astimezone(self.config.zone).date())
        return Check(check.title, "ok", f"May read, and wrote last on {last}.")


def wanted(config: Config, only: frozenset[str]) -> frozenset[str]:
    """The instances of these names, all if there is none. Raises ConfigError: none is configured,
    or none of that name."""
    if not config.instances:
        raise ConfigError(
            "no connection is configured",
            hint="Add an [instances.NAME] block, or start with: opsync init",
        )
    unknown = sorted(only - config.instances.keys())
    if unknown:
        raise ConfigError(
            f'no connection "{unknown[0]}"', hint=f"Configured: {', '.join(config.instances)}."
        )
    return only or frozenset(config.instances)


@asynccontextmanager
async def open_session(
    config: Config,
    command: str,
    *,
    exclusive: bool = True,
    runtime: Runtime | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    redactor: Redactor | None = None,
    observer: Observer = UNOBSERVED,
    store: Store | None = None,
) -> AsyncIterator[Session]:
    """Open the store and what speaks to the vendors, and close both again.

    `exclusive` takes the store's lock, which passes and vendor writes need: StoreHeld if another
    process has it. `transport` replaces the network, for tests. A `store` that is given is used
    instead of the configured one, and closed like that.
    """
    runtime = runtime or Runtime()
    with ExitStack() as stack:
        if exclusive:
            stack.enter_context(hold(config.store, command, runtime.clock.now()))
        store = store or Store.open(config.store, clock=runtime.clock)
        pool = Pool(runtime, transport=transport, redactor=redactor, observer=observer)
        for secret in config.secrets:
            pool.redactor.add(secret)
        try:
            yield Session(config, store, runtime, pool)
        finally:
            await pool.aclose()
            await store.close()


async def open_instance(instance: Instance, session: Session) -> Opened:
    """Build an instance's connector with its HTTP client and what it kept from earlier passes.

    Raises PluginError when the connector cannot be built.
    """
    kept = await session.store.kept(instance.name)
    connector, client = build_connector(
        session.config.plugins,
        instance,
        session.pool,
        session.runtime,
        kept,
        OwnWords(session.config.words),
        session.clients.get(instance.name),
    )
    if instance.name not in session.clients:
        client.restrain(kept.get(RESTRAINT))
        session.clients[instance.name] = client
    opened = Opened(
        name=instance.name,
        connector=connector,
        overlap_s=instance.settings.overlap_s,
        fingerprint=instance.reads_as,
        expose=instance.settings.expose,
        client=client,
        clean=session.pool.redactor.clean,
        before=Used.of(client),
    )
    tell_settled(opened, kept)
    return opened


def build_connector(
    plugins: Plugins,
    instance: Instance,
    pool: Pool,
    runtime: Runtime,
    kept: MutableMapping[str, Value],
    words: OwnWords,
    client: Client | None = None,
) -> tuple[Connector[Any], Client]:
    """An instance's connector and its HTTP client, a new one unless one is given. Raises
    PluginError when it cannot be built."""
    class_: type[Connector[Any]] = plugins.connector(instance.connector)
    try:
        policy = class_.policy(instance.name, instance.settings) or Policy(
            instance=instance.name, vendor=class_.title, base_url=NO_HOST, headers={}, credential=""
        )
        client = client or pool.client(policy)
        context = Context(
            instance=instance.name, http=client, runtime=runtime, kept=kept, words=words
        )
        return class_(instance.settings, context), client
    except OpsyncError:
        raise
    except (Exception, SystemExit) as error:
        text = pool.redactor.clean(f"{type(error).__name__}: {error}")
        raise PluginError(f"{instance.name}: its connector cannot start: {text}") from error
