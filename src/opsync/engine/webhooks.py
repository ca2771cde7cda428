"""Setting change signals up, seeing whether they come, and renewing what would end.

What is known of them is kept in the store, without a secret: the keys are below. The secrets are
in `engine.hooksecrets`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from opsync.config import Config, Instance
from opsync.contract.connector import Connector
from opsync.contract.settings import WebhookSettings
from opsync.contract.webhooks import ManagesWebhooks, Registered, WebhookSource
from opsync.engine.hooksecrets import HookSecrets
from opsync.errors import ConfigError, OpsyncError, RefusedError, SignInError
from opsync.hookfacts import EXPIRES_SOON, KNOWN, UNTOLD, HookFacts, Untold
from opsync.http import check_base_url
from opsync.model import Value
from opsync.problems import env_name
from opsync.steps.shared import OWN
from opsync.store import Store
from opsync.watch import Alarm, hook_alarms

PATH = "/hooks/"
"""Where the service takes change signals, with the connection's name behind it."""

ARMED = "webhooks:armed:"
"""Kept, with a connection's name behind it: until when its tool's own secret is waited for."""
TOLD = "webhooks:told:"
"""Kept: when that secret came."""
LAST = "webhooks:last:"
"""Kept: when the last delivery came that was taken."""

WAITS = timedelta(minutes=15)
"""So long a tool's own secret is taken after somebody asked for it."""

SignedBy = Literal["opsync", "people", ""]


@dataclass(frozen=True, slots=True)
class Setup:
    """What is known of one connection's change signals.

    `url` is where they are to come; "" while that is not configured. `signed_by` says whose
    secret counts. `steps` are for a person, where there is something to click; `token` is what came
    from the tool at `told_at`, signed nothing yet, and is to be pasted there. `error` says why its
    tool could not be asked.
    """

    connection: str
    title: str
    url: str
    manages: bool
    registered: tuple[Registered, ...] = ()
    signed_by: SignedBy = ""
    last: datetime | None = None
    waits_until: datetime | None = None
    steps: tuple[str, ...] = ()
    token: str = field(default="", repr=False)
    told_at: datetime | None = None
    untold: Untold = field(default_factory=Untold)
    error: OpsyncError | None = None

    @property
    def own(self) -> tuple[Registered, ...]:
        """Those that opsync made for this connection."""
        return tuple(one for one in self.registered if one.own)


def public_url(config: Config, given: str = "") -> str:
    """Where tools reach the service, without a slash at its end; "" where nothing says so.

    Raises ConfigError for an address that no tool could send to.
    """
    url = (given or config.general.service.public_url).strip().rstrip("/")
    if url:
        check_base_url(url)
    return url


def hook_url(base: str, name: str) -> str:
    """Where a connection's change signals come; "" without a base."""
    return f"{base}{PATH}{name}" if base else ""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The change signals of one connection. `base` is where tools reach the service."""

    instance: Instance
    connector: Connector[Any]
    store: Store
    hooks: HookSecrets
    base: str

    @property
    def name(self) -> str:
        return self.instance.name

    @property
    def source(self) -> WebhookSource:
        """The connector, as what sends signals. Raises ConfigError where it cannot."""
        if not isinstance(self.connector, WebhookSource):
            raise ConfigError(
                f"{self.name}: {self.connector.title} sends no change signals",
                hint="It is read as often as its setting `every` says.",
            )
        return self.connector

    @property
    def manager(self) -> ManagesWebhooks | None:
        """What sets webhooks up; None where people do."""
        found = self.connector
        return found if isinstance(found, ManagesWebhooks) and found.manages else None

    async def look(self, now: datetime) -> Setup:
        """What there is. That the tool cannot be asked is told, not raised."""
        setup = await self._setup(now)
        if self.manager is None:
            done = setup.signed_by and not setup.token and not setup.waits_until
            return setup if done else self._to_click(setup)
        try:
            return replace(setup, registered=tuple(await self.manager.webhooks()))
        except OpsyncError as error:
            return self._to_click(replace(setup, error=error))

    async def register(self, now: datetime) -> Setup:
        """Set them up, or up to date; where only people can, say what to click."""
        self._need_url()
        if self.source.says_hello:
            return await self._listen(now)
        if self.manager is None:
            return self._to_click(await self._setup(now))
        given, made = _configured(self.instance), False
        if not given:
            kept = self.hooks.load().get(self.name)
            made = kept is None
            given = self.hooks.rotate(self.name) if kept is None else kept.secret
        await self._tell(given, made=made)
        return await self.look(now)

    async def rotate(self, now: datetime) -> Setup:
        """Have signals signed with a new secret; the one before counts for a day more."""
        self._need_url()
        if self.source.says_hello:
            return await self._listen(now)
        variable = env_name(self.name, "webhook_secret")
        if self.manager is None or _configured(self.instance):
            raise ConfigError(
                f"{self.name}: its secret is one that people made",
                hint=f"Set {variable}_BEFORE to the one that counts now and {variable} to a new "
                f"one, then enter that in {self.connector.title}.",
            )
        await self._tell(self.hooks.rotate(self.name), made=True)
        return await self.look(now)

    async def remove(self) -> int:
        """Take away what opsync made, and forget its secret. How many there were."""
        own: list[Registered] = []
        manager = self.manager
        if manager is not None:
            own = [one for one in await manager.webhooks() if one.own]
            for one in own:
                await manager.remove(one.id)
        self.hooks.forget(self.name)
        keys = (ARMED, TOLD, LAST, KNOWN, UNTOLD)
        await self.store.put_kept(OWN, {key + self.name: None for key in keys})
        return len(own)

    async def _tell(self, secret: str, *, made: bool) -> None:
        manager = self.manager
        assert manager is not None
        try:
            await manager.register(hook_url(self.base, self.name), secret)
        except (RefusedError, SignInError):
            # It is certain that the tool did not take it: the one before stays in force.
            if made:
                self.hooks.take_back(self.name)
            raise
        await self.store.put_kept(OWN, {key + self.name: None for key in (KNOWN, UNTOLD)})

    async def _listen(self, now: datetime) -> Setup:
        """Wait for the tool's own secret. One that came and signed nothing yet is dropped: it may
        be somebody else's. One that did sign counts until the next does."""
        self.hooks.drop_told(self.name)
        await arm(self.store, self.name, now)
        return self._to_click(await self._setup(now))

    async def _setup(self, now: datetime) -> Setup:
        kept = await self.store.kept(OWN)
        known = self.hooks.load().get(self.name)
        until = _time(kept.get(ARMED + self.name))
        signed_by: SignedBy = "people" if _configured(self.instance) else ""
        if not signed_by and known is not None and known.secret:
            signed_by = "opsync"
        return Setup(
            connection=self.name,
            title=self.connector.title,
            url=hook_url(self.base, self.name),
            manages=self.manager is not None,
            signed_by=signed_by,
            last=_time(kept.get(LAST + self.name)),
            waits_until=until if until is not None and now < until else None,
            token="" if known is None else known.told,
            told_at=_time(kept.get(TOLD + self.name)),
            untold=Untold.of(kept.get(UNTOLD + self.name)),
        )

    def _to_click(self, setup: Setup) -> Setup:
        url = setup.url or f"(public_url of [service]){PATH}{self.name}"
        return replace(setup, steps=tuple(self.source.steps(url)))

    def _need_url(self) -> None:
        if not self.base:
            raise ConfigError(
                "where tools reach opsync is not configured",
                hint="Set public_url in [service], or give --url https://opsync.your-company.com.",
            )


async def arm(store: Store, name: str, now: datetime) -> None:
    """Take the secret that the tool of a connection sends, for `WAITS` from now."""
    until = (now + WAITS).isoformat()
    await store.put_kept(OWN, {ARMED + name: until, TOLD + name: None})


async def is_armed(store: Store, name: str, now: datetime) -> bool:
    """Whether somebody waits for the secret of a connection's tool."""
    until = _time((await store.kept(OWN)).get(ARMED + name))
    return until is not None and now < until


async def take_token(
    store: Store, hooks: HookSecrets, name: str, token: str, now: datetime
) -> None:
    """Take the secret that came from a connection's tool, and wait for no other. Whether it is the
    tool's own, the first delivery shows that it signs."""
    hooks.tell(name, token)
    await store.put_kept(OWN, {ARMED + name: None, TOLD + name: now.isoformat()})


async def last_delivery(store: Store, name: str) -> datetime | None:
    """When a connection's last delivery came."""
    return _time((await store.kept(OWN)).get(LAST + name))


async def note_delivery(store: Store, name: str, at: datetime) -> None:
    """Keep when a connection's last delivery came: it is not silent."""
    await store.put_kept(OWN, {LAST + name: at.isoformat(), UNTOLD + name: None})


async def note_untold(store: Store, name: str, at: datetime) -> None:
    """Keep that a read at this time found what no signal told, unless one came meanwhile."""
    kept = await store.kept(OWN)
    last = _time(kept.get(LAST + name))
    if last is None or last < at:
        found = Untold.of(kept.get(UNTOLD + name)).another(at)
        await store.put_kept(OWN, {UNTOLD + name: found.plain()})


async def untold_reads(store: Store, name: str) -> Untold:
    """Which reads of a connection found what no signal told."""
    return Untold.of((await store.kept(OWN)).get(UNTOLD + name))


async def renew_due(found: Sequence[Webhooks], now: datetime) -> tuple[Alarm, ...]:
    """Put off the end of what expires soon, and tell what is switched off, gone, or would end.

    Nothing is switched on again: a tool that gave up had a reason. What cannot be asked now is as
    it was before. For once a day.
    """
    alarms: list[Alarm] = []
    for one in found:
        if one.manager is None:
            continue
        facts = await hook_facts(one.store, one.name)
        try:
            facts = await _examined(one, one.manager, facts, now)
            value = facts.plain() if facts != HookFacts() else None
            await one.store.put_kept(OWN, {KNOWN + one.name: value})
        except OpsyncError as error:
            if facts.expires_at is not None:
                facts = facts.failing(str(error))
        alarms += hook_alarms(one.name, facts, now)
    return tuple(alarms)


async def _examined(
    one: Webhooks, manager: ManagesWebhooks, before: HookFacts, now: datetime
) -> HookFacts:
    own = [registered for registered in await manager.webhooks() if registered.own]
    expires: datetime | None = None
    error = ""
    for registered in own:
        ends = registered.expires_at
        if ends is not None and ends - now <= EXPIRES_SOON:
            try:
                ends = (await manager.renew(registered)).expires_at
            except OpsyncError as failure:
                error = str(failure)
            if ends is not None and ends - now <= EXPIRES_SOON:
                expires = min(expires or ends, ends)
    off = any(not registered.enabled for registered in own)
    gone = not own and one.name in one.hooks.load()
    since = (before.since or now) if off or gone else None
    return HookFacts(off=off, gone=gone, since=since, expires_at=expires, error=error)


async def hook_facts(store: Store, name: str) -> HookFacts:
    """What was last seen to be wrong with a connection's webhooks."""
    return HookFacts.of((await store.kept(OWN)).get(KNOWN + name))


def _configured(instance: Instance) -> str:
    settings = instance.settings
    if not isinstance(settings, WebhookSettings) or settings.webhook_secret is None:
        return ""
    return settings.webhook_secret.get_secret_value()


def _time(found: Value) -> datetime | None:
    return datetime.fromisoformat(found) if isinstance(found, str) else None


def webhooks_of(
    config: Config, store: Store, hooks: HookSecrets, connectors: Mapping[str, Connector[Any]]
) -> list[Webhooks]:
    """The change signals of all connections that can send some, of those that are open."""
    base = public_url(config)
    return [
        Webhooks(instance, connectors[instance.name], store, hooks, base)
        for instance in sources_of(config)
        if instance.name in connectors
    ]


def sources_of(config: Config) -> list[Instance]:
    """The configured connections whose tool can send change signals."""
    classes: Mapping[str, type] = config.plugins.connectors
    return [
        instance
        for instance in config.instances.values()
        if issubclass(classes.get(instance.connector, object), WebhookSource)
    ]
