"""The Linear connector: issues, projects and initiatives; attachments and external links."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from opsync import (
    Absent,
    Batch,
    Census,
    Change,
    Check,
    Choice,
    Connector,
    Content,
    Delivery,
    Diagnosable,
    Explorable,
    Feed,
    FirstRead,
    Grant,
    Item,
    ManagesWebhooks,
    Outcome,
    Policy,
    Readable,
    Record,
    Ref,
    Registered,
    Seen,
    Signal,
    StatusWord,
    Surface,
    Value,
    WebhookSource,
    Writable,
    hookimpl,
)
from opsync_linear import census, checks, dialect, explore, normalize, pull, surfaces, webhooks
from opsync_linear.settings import LinearSettings

_PAGE_URL = re.compile(
    r"https?://linear\.app/(?P<site>[^/?#]+)/"
    r"(?:issue/(?P<key>[A-Za-z][A-Za-z0-9_]*-[0-9]+)|(?:project|initiative)/(?P<slug>[^/?#&]+))"
    r"(?=[/?#&]|$)",
    re.IGNORECASE,
)


class Linear(
    Connector[LinearSettings],
    Readable,
    Census,
    Writable,
    WebhookSource,
    ManagesWebhooks,
    Diagnosable,
    Explorable,
):
    """One Linear workspace."""

    name: ClassVar[str] = "linear"
    title: ClassVar[str] = "Linear"
    tells_who_left: ClassVar[bool] = True
    settings_type: ClassVar[type[LinearSettings]] = LinearSettings
    surfaces: ClassVar[tuple[Surface, ...]] = surfaces.SURFACES
    batch: ClassVar[int] = 25
    parallel: ClassVar[int] = 2
    tolerance: ClassVar[timedelta | None] = webhooks.TOLERANCE

    @classmethod
    def policy(cls, instance: str, settings: LinearSettings) -> Policy:
        return dialect.policy(instance, settings)

    async def feeds(self) -> Sequence[Feed]:
        return [Feed("work", normalize.STREAMS, title="issues, projects, initiatives")]

    def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        return pull.Reader(self.settings, self.context, since).batches()

    def listing(self, feed: Feed) -> AsyncIterator[Sequence[Ref]]:
        return census.listing(self.settings, self.context)

    async def look_up(
        self, feed: Feed, refs: Sequence[Ref], known: Mapping[Ref, Record], *, listed: bool
    ) -> Sequence[Item | Absent]:
        now = self.context.runtime.clock.now()
        return await census.look_up(self.settings, self.context, refs, known, now)

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        return normalize.normalize(self.context.instance, self.settings, stream, raw)

    def recognize(self, url: str) -> str | None:
        """Pages of the workspace only; of any workspace until the first answer has named it."""
        match = _PAGE_URL.match(url)
        if match is None:
            return None
        own = self.settings.workspace or pull.learned(self.context.kept)
        if own and match["site"].lower() != own.lower():
            return None
        return match["key"].upper() if match["key"] else match["slug"].rpartition("-")[2]

    def render(self, surface: str, target: Record, content: Content) -> Value:
        return surfaces.render(self.settings, surface, target, content)

    def address(self, surface: str, value: Value) -> str:
        return surfaces.address(surface, value)

    async def observe(self, target: Record) -> Sequence[Seen]:
        return await surfaces.observe(self.settings, self.context, target)

    def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        return surfaces.apply(self.context, changes)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> Delivery:
        return webhooks.verify(headers, body, secrets)

    def affected(self, headers: Mapping[str, str], body: bytes) -> Signal:
        return webhooks.affected(self.context.instance, body)

    def steps(self, url: str) -> Sequence[str]:
        name = self.context.instance.upper().replace("-", "_")
        return webhooks.steps(url, f"OPSYNC_{name}__WEBHOOK_SECRET")

    async def webhooks(self) -> Sequence[Registered]:
        return await webhooks.Webhooks(self.settings, self.context).all()

    async def register(self, url: str, secret: str) -> Sequence[Registered]:
        return await webhooks.Webhooks(self.settings, self.context).register(url, secret)

    async def remove(self, id: str) -> None:  # noqa: A002 - the word of the contract
        await webhooks.Webhooks(self.settings, self.context).remove(id)

    def doctor(self) -> AsyncIterator[Check]:
        return checks.doctor(self.settings, self.context)

    def grants(self) -> AsyncIterator[Grant]:
        return explore.Explorer(self.settings, self.context).grants()

    async def choices(self) -> Sequence[Choice]:
        return await explore.Explorer(self.settings, self.context).choices()

    async def first_read(self) -> FirstRead:
        return await explore.Explorer(self.settings, self.context).first_read()

    async def status_words(self) -> Sequence[StatusWord]:
        return await explore.Explorer(self.settings, self.context).status_words()


@hookimpl
def register_connectors() -> list[type[Linear]]:
    """The connector of this plugin."""
    return [Linear]
