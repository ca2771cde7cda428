"""The doors of the configured connections: which stand open, and by which secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from opsync.config import Instance
from opsync.contract.webhooks import WebhookSource
from opsync.engine.hooksecrets import HookSecrets
from opsync.engine.session import Session, open_instance
from opsync.engine.webhooks import is_armed, note_delivery, sources_of, take_token
from opsync.errors import OpsyncError, StoreError
from opsync.log import get_logger
from opsync.service.hooks.receiver import Door

NOTED_S = 60.0
"""When a connection's last delivery came is kept so often at most."""


class Doors:
    """One for each connection whose tool can send change signals.

    Secrets are looked up for each delivery, so that a change of them counts at once.
    """

    def __init__(self, session: Session, secrets: HookSecrets) -> None:
        self.open: dict[str, Door] = {}
        """By connection; the same object for good, so that a receiver may keep it."""
        self._session = session
        self._secrets = secrets
        self._noted: dict[str, float] = {}
        self._noting: set[asyncio.Task[None]] = set()

    async def settle(self, session: Session | None = None) -> None:
        """Go by the configuration of this session, and by what connectors know by now: at the
        start, after a reload, and after passes, in which connectors learn who they are."""
        self._session = session or self._session
        found: dict[str, Door] = {}
        for instance in sources_of(self._session.config):
            try:
                opened = await open_instance(instance, self._session)
            except OpsyncError as error:
                # What a tool is told to be missing it does not send again: a door that stood open
                # stays so.
                if (before := self.open.get(instance.name)) is not None:
                    found[instance.name] = before
                get_logger().error("door.not_made", instance=instance.name, why=str(error))
                continue
            if isinstance(opened.connector, WebhookSource):
                found[instance.name] = self._door(instance, opened.connector)
        for name in self.open.keys() - found.keys():
            del self.open[name]
        self.open.update(found)

    async def close(self) -> None:
        """Wait for what is being kept."""
        await asyncio.gather(*self._noting)

    def _door(self, instance: Instance, source: WebhookSource) -> Door:
        name = instance.name
        return Door(
            source=source,
            secrets=partial(self._secrets.secrets_of, instance),
            armed=self._armed(name) if source.says_hello else _never,
            keep_token=partial(self._keep, name),
            took=partial(self._took, name),
            unproven=partial(self._secrets.told, name) if source.says_hello else str,
            proved=partial(self._prove, name),
        )

    def _armed(self, name: str) -> Callable[[], Awaitable[bool]]:
        async def armed() -> bool:
            session = self._session
            return await is_armed(session.store, name, session.runtime.clock.now())

        return armed

    async def _keep(self, name: str, token: str) -> None:
        session = self._session
        session.pool.redactor.add(token)
        now = session.runtime.clock.now()
        await take_token(session.store, self._secrets, name, token, now)

    def _prove(self, name: str, token: str) -> None:
        try:
            self._secrets.prove(name, token)
        except StoreError as error:
            # It is taken all the same, and the next delivery that it signs tells it again.
            get_logger().warning("token.not_kept", instance=name, why=str(error))

    def _took(self, name: str) -> None:
        now = self._session.runtime.clock.monotonic()
        if now - self._noted.get(name, -NOTED_S) < NOTED_S:
            return
        self._noted[name] = now
        task = asyncio.create_task(self._note(name), name=f"note delivery {name}")
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _note(self, name: str) -> None:
        session = self._session
        try:
            await note_delivery(session.store, name, session.runtime.clock.now())
        except StoreError:
            del self._noted[name]  # the next one tells it


async def _never() -> bool:
    return False
