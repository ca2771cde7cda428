"""Jira Cloud and Data Center: reads issues, writes remote issue links."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, ClassVar

from opsync import (
    Absent,
    Batch,
    Census,
    Change,
    Check,
    Choice,
    Connector,
    Content,
    Context,
    Delivery,
    Diagnosable,
    Explorable,
    Feed,
    FirstRead,
    Grant,
    Item,
    LinkContent,
    ManagesWebhooks,
    Outcome,
    Policy,
    Readable,
    Record,
    RecordError,
    Ref,
    RefusedError,
    Registered,
    RollupContent,
    Seen,
    Signal,
    StatusWord,
    Surface,
    Value,
    WebhookSource,
    Writable,
    hookimpl,
)
from opsync_jira import aliases, checks, surfaces, webhooks, wire
from opsync_jira.census import Whereabouts, fields_of
from opsync_jira.datacenter import DataCenterReader
from opsync_jira.dialect import Api, Dialect
from opsync_jira.explore import Explorer
from opsync_jira.fields import custom_fields
from opsync_jira.normalize import STREAM, Normalizer
from opsync_jira.pull import CloudReader
from opsync_jira.remote import with_remote_links
from opsync_jira.rights import secret_variable
from opsync_jira.scope import Outside, container_types, narrowed
from opsync_jira.settings import JiraSettings

__all__ = ["Jira", "JiraSettings", "register_connectors"]


class Jira(
    Connector[JiraSettings],
    Readable,
    Census,
    Writable,
    WebhookSource,
    ManagesWebhooks,
    Diagnosable,
    Explorable,
):
    """Jira Cloud by REST v3, Jira Data Center by REST v2."""

    name = "jira"
    title = "Jira"
    tells_who_left = True
    settings_type = JiraSettings
    surfaces: ClassVar[tuple[Surface, ...]] = surfaces.SURFACES
    batch = 1
    parallel = 6

    def __init__(self, settings: JiraSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._api = Api(context.http, settings.cloud)
        self._normalizer = Normalizer(context.instance, settings)
        self._explorer = Explorer(self._api, settings, context, self._normalizer)
        self._webhooks = webhooks.Webhooks(settings, context)
        self.lists_ids = settings.cloud
        self.manages = settings.cloud and not settings.gateway

    @classmethod
    def policy(cls, instance: str, settings: JiraSettings) -> Policy:
        """Jira's address, sign-in, limits and error dialect."""
        return Dialect(instance, settings).policy()

    async def feeds(self) -> Sequence[Feed]:
        """One: all issues are read with one query."""
        return (Feed("issues", (STREAM,), title="issues"),)

    async def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        """Read issues, after the one request that tells whether the token is alive."""
        settings = self.settings
        await self._api.read("GET", "myself")
        reader = await self._reader()
        if isinstance(reader, CloudReader) and since is None:
            walk = reader.everything()
        else:
            walk = reader.changed(since)
        async with aclosing(walk):
            async for batch in walk:
                batch = narrowed(batch, settings)
                yield await with_remote_links(self._api, batch, settings)

    async def _reader(self) -> CloudReader | DataCenterReader:
        settings, context = self.settings, self.context
        now = context.runtime.clock.now()
        custom = await custom_fields(self._api, settings, context.kept, now)
        containers = await container_types(self._api, settings, context.kept, now)
        if not settings.cloud:
            return DataCenterReader(self._api, settings, custom, containers)
        return CloudReader(self._api, settings, custom, context.kept, containers)

    async def listing(self, feed: Feed) -> AsyncIterator[Sequence[Ref]]:
        """The ids of all issues in scope."""
        now = self.context.runtime.clock.now()
        containers = await container_types(self._api, self.settings, self.context.kept, now)
        async with aclosing((await self._whereabouts()).listing(containers)) as pages:
            async for refs in pages:
                yield refs

    async def look_up(
        self, feed: Feed, refs: Sequence[Ref], known: Mapping[Ref, Record], *, listed: bool
    ) -> Sequence[Item | Absent]:
        """What became of issues: 100 a request, and one for their projects. Data Center does not
        tell why one is absent: there they are searched for by id, at most a page of them."""
        refs = [ref for ref in refs if ref.id.isdecimal()]
        if not refs:
            return []
        found: Sequence[Item | Absent]
        reader = await self._reader()
        if isinstance(reader, DataCenterReader):
            found = await _some(reader, [ref.id for ref in refs])
        else:
            found = await (await self._whereabouts()).look_up(refs, known, listed=listed)
        items = [one for one in found if isinstance(one, Item)]
        batch = narrowed(Batch(items), self.settings)
        batch = await with_remote_links(self._api, batch, self.settings)
        return [*batch.items, *(one for one in found if isinstance(one, Absent))]

    async def _whereabouts(self) -> Whereabouts:
        settings, context = self.settings, self.context
        now = context.runtime.clock.now()
        custom = await custom_fields(self._api, settings, context.kept, now)
        page_type = wire.page_type(custom)
        return Whereabouts(self._api, settings, fields_of(custom), page_type, context.instance)

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        """One record an issue."""
        if isinstance(raw, Outside):
            return (self._normalizer.outside(raw),)
        if not isinstance(raw, wire.Issue):
            raise RecordError(f"Jira has no records of {stream!r} like this.")
        return (self._normalizer.record(raw),)

    def recognize(self, url: str) -> str | None:
        """The key of the issue that a URL of this site leads to."""
        return self._normalizer.recognize(url)

    async def resolve(self, aliases_: Sequence[str]) -> Mapping[str, Ref]:
        """The issues that have, or once had, these keys."""
        found = await aliases.find(self._api, aliases_)
        return {key: Ref(self.context.instance, STREAM, id_) for key, id_ in found.items()}

    def render(self, surface: str, target: Record, content: Content) -> Value:
        """The remote link that should stand on `target`; None if it would lead nowhere."""
        if isinstance(content, LinkContent):
            return surfaces.render_link(self.settings.site, content)
        return surfaces.render_rollup(content) if isinstance(content, RollupContent) else None

    def address(self, surface: str, value: Value) -> str:
        """The URL that a remote link leads to."""
        return str(value["url"]) if isinstance(value, Mapping) else ""

    async def observe(self, target: Record) -> Sequence[Seen]:
        """All remote links of an issue, ours and others'."""
        return await surfaces.observe(self._api, target.ref.id)

    async def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        """Write the remote links of one issue, one after the other."""
        async for outcome in surfaces.apply(self._api, changes):
            yield outcome

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> Delivery:
        """The delivery, if it is signed."""
        return webhooks.verify(headers, body, secrets)

    def affected(self, headers: Mapping[str, str], body: bytes) -> Signal:
        """The issues that an event is about."""
        return webhooks.affected(self.context.instance, body)

    def steps(self, url: str) -> Sequence[str]:
        """What an administrator clicks."""
        return webhooks.steps(url, secret_variable(self.context.instance))

    async def webhooks(self) -> Sequence[Registered]:
        """The webhooks that administrators see, in Jira Cloud at its own address."""
        return await self._webhooks.all()

    async def register(self, url: str, secret: str) -> Sequence[Registered]:
        """Make one, or change the one that opsync made before."""
        return await self._webhooks.register(url, secret)

    async def remove(self, id: str) -> None:  # noqa: A002 - the word of the contract
        """Delete one."""
        await self._webhooks.remove(id)

    async def doctor(self) -> AsyncIterator[Check]:
        """Sign-in, address, projects, permissions, fields, link types, canceled work."""
        async for check in checks.check_all(self._api, self.settings, self.context.instance):
            yield check

    async def grants(self) -> AsyncIterator[Grant]:
        """The token's scopes, and what its account may do."""
        async for grant in self._explorer.grants():
            yield grant

    async def choices(self) -> Sequence[Choice]:
        """The projects that the account sees."""
        return await self._explorer.choices()

    async def first_read(self) -> FirstRead:
        """Jira's own count, and what reading so many issues takes."""
        return await self._explorer.first_read()

    async def status_words(self) -> Sequence[StatusWord]:
        """Statuses and resolutions."""
        return await self._explorer.status_words()


async def _some(reader: DataCenterReader, ids: Sequence[str]) -> list[Item]:
    """Issues by id, in one search; one by one where one of them is missing, for which Jira refuses
    the whole."""
    try:
        return await reader.some(ids)
    except RefusedError as error:
        if error.status != 400:
            raise
    if len(ids) == 1:
        return []
    return [item for id_ in ids for item in await _some(reader, [id_])]


@hookimpl
def register_connectors() -> Iterable[type[Connector[Any]]]:
    """What this plugin brings."""
    return (Jira,)
