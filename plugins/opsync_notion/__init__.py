"""The Notion connector: pages of data sources to records, delivery columns back onto them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime

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
    Guess,
    Item,
    MadeColumn,
    MakesColumns,
    NotFound,
    Outcome,
    OutcomeKind,
    PageBlock,
    Policy,
    Readable,
    Record,
    RecordError,
    Ref,
    RollupContent,
    Seen,
    Signal,
    StatusWord,
    Value,
    WebhookSource,
    Writable,
    WritesPages,
    hookimpl,
)
from opsync_notion import census, checks, dialect, surfaces, webhooks
from opsync_notion.columns import Columns
from opsync_notion.explore import Explorer
from opsync_notion.ids import page_of, parse_id
from opsync_notion.normalize import normalize, out_of_scope
from opsync_notion.pages import Pages
from opsync_notion.pull import STREAM, Row, pull
from opsync_notion.scope import Outside
from opsync_notion.settings import NotionSettings
from opsync_notion.tables import Tables
from opsync_notion.writing import Writer

__all__ = ["Notion", "NotionSettings", "register_connectors"]


class Notion(
    Connector[NotionSettings],
    Readable,
    Census,
    Writable,
    MakesColumns,
    WebhookSource,
    WritesPages,
    Diagnosable,
    Explorable,
):
    """One Notion workspace: its configured data sources, one feed each."""

    name = "notion"
    title = "Notion"
    settings_type = NotionSettings
    surfaces = surfaces.SURFACES
    batch = 1
    parallel = 3
    look_up_max = 50
    says_hello = True

    def __init__(self, settings: NotionSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._tables = Tables(settings, context)
        self._writer = Writer(self._tables, context)
        self._columns = Columns(self._tables, context)
        self._pages = Pages(context.http, self._tables.memory, settings.version)
        self._explorer = Explorer(self._tables)

    @classmethod
    def policy(cls, instance: str, settings: NotionSettings) -> Policy:
        """How to speak HTTP with Notion."""
        return dialect.policy(instance, settings)

    async def feeds(self) -> Sequence[Feed]:
        """One feed a data source. One that cannot be found fails when it is read, alone."""
        feeds: dict[str, Feed] = {}
        for block in self.settings.data_sources:
            try:
                ids = await self._tables.resolve(block)
            except NotFound:
                ids = (parse_id(block.id),)
            for data_source in ids:
                table = self._tables.memory.table(data_source)
                title = block.name or (table.title if table else "")
                feeds.setdefault(data_source, Feed(data_source, (STREAM,), title=title))
        return list(feeds.values())

    async def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        """Pages that changed, oldest change first; all, by creation, with the trash last."""
        async with aclosing(pull(self._tables, feed.name, since)) as batches:
            async for batch in batches:
                yield batch

    async def listing(self, feed: Feed) -> AsyncIterator[Sequence[Ref]]:
        """The ids of the pages that are in scope, archived ones included; not the trash."""
        async with aclosing(census.listing(self._tables, feed.name)) as pages:
            async for ids in pages:
                yield [Ref(self.context.instance, STREAM, id_) for id_ in ids]

    async def look_up(
        self, feed: Feed, refs: Sequence[Ref], known: Mapping[Ref, Record], *, listed: bool
    ) -> Sequence[Item | Absent]:
        """What became of pages, one request each: Notion has no other way."""
        refs = [ref for ref in refs if parse_id(ref.id)]
        found = await census.look_up(self._tables, feed.name, [ref.id for ref in refs])
        return [
            one if isinstance(one, Item) else Absent(ref, "not visible")
            for ref, one in zip(refs, found, strict=True)
        ]

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        """The record of one page."""
        if isinstance(raw, Outside):
            return (out_of_scope(self.context.instance, raw),)
        if not isinstance(raw, Row):
            raise RecordError(f"Notion: {stream!r} is no stream of pages.")
        return (normalize(self.context.instance, raw),)

    def recognize(self, url: str) -> str | None:
        """The 32-digit id of the page that a Notion URL leads to, whatever the workspace."""
        return page_of(url)

    def render(self, surface: str, target: Record, content: Content) -> Value:
        """Delivery columns stand on the root's own page only."""
        if not isinstance(content, RollupContent) or not content.at_root:
            return None
        if not self._columns.wanted(target, surface):
            return None
        return surfaces.render(surface, content)

    async def observe(self, target: Record) -> Sequence[Seen]:
        """What stands in opsync's own columns of a page."""
        return await self._writer.observe(target)

    async def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        """Write the changes of each page in one request."""
        by_target: dict[Ref, list[Change]] = {}
        for change in changes:
            by_target.setdefault(change.slot.target, []).append(change)
        for ref, group in by_target.items():
            target = targets.get(ref)
            if target is None:
                for change in group:
                    yield Outcome(
                        change=change.id, kind=OutcomeKind.failed, message=f"{ref} is not known."
                    )
                continue
            for outcome in await self._writer.write(target, group):
                yield outcome

    async def columns(self) -> Sequence[MadeColumn]:
        """opsync's own columns that stand in the data sources now."""
        return await self._columns.all()

    def missing_columns(self, target: Record, surfaces: Collection[str]) -> Sequence[MadeColumn]:
        """The columns that a first write makes."""
        return self._columns.missing(target, surfaces)

    def doubts(self) -> Sequence[str]:
        """The columns that may be people's."""
        return self._columns.doubts()

    async def held(self, column: MadeColumn) -> AsyncIterator[tuple[Ref, Value]]:
        """Every value in a column, also in the trash."""
        async with aclosing(self._columns.held(column)) as found:
            async for one in found:
                yield one

    async def remove_column(self, column: MadeColumn) -> None:
        """Remove a column from its data source."""
        await self._columns.remove(column)

    def lost_column(self, target: Record, surface: str) -> MadeColumn | None:
        """The column that people removed."""
        return self._columns.lost(target, surface)

    def forget_column(self, column: MadeColumn, *, for_good: bool = False) -> None:
        """Let it be made again, or never."""
        self._tables.memory.forget_column(
            column.table, column.surface, column.id, for_good=for_good
        )

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> Delivery:
        """The delivery, if it is signed."""
        return webhooks.verify(headers, body, secrets)

    def affected(self, headers: Mapping[str, str], body: bytes) -> Signal:
        """The page that an event is about."""
        return webhooks.affected(self._tables, self.context.instance, body)

    def handshake(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The token with which Notion says hello."""
        return webhooks.handshake(headers, body)

    def steps(self, url: str) -> Sequence[str]:
        """What the owner of the connection clicks."""
        return webhooks.steps(url)

    async def replace_page(self, page: str, part: str, blocks: Sequence[PageBlock]) -> None:
        """Keep a part of a page, below a heading of opsync's own."""
        await self._pages.replace(page, part, blocks)

    async def doctor(self) -> AsyncIterator[Check]:
        """Examine token, data sources and columns. Writes nothing."""
        async for check in checks.examine(self._tables):
            yield check

    async def grants(self) -> AsyncIterator[Grant]:
        """What the connection may do."""
        async for grant in self._explorer.grants():
            yield grant

    async def choices(self) -> Sequence[Choice]:
        """The data sources that are shared with the connection."""
        return await self._explorer.choices()

    async def guesses(self) -> Sequence[Guess]:
        """What each column is taken for."""
        return await self._explorer.guesses()

    async def first_read(self) -> FirstRead:
        """Pages, counted as far as a few requests do."""
        return await self._explorer.first_read()

    async def status_words(self) -> Sequence[StatusWord]:
        """The options of the status columns."""
        return await self._explorer.status_words()


@hookimpl
def register_connectors() -> Iterable[type[Notion]]:
    """The one connector of this plugin."""
    return [Notion]
