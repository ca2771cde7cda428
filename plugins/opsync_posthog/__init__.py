"""The PostHog connector: use by day in, releases out as annotations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

from opsync import (
    Batch,
    Change,
    Check,
    Choice,
    Connector,
    Content,
    Context,
    Diagnosable,
    Explorable,
    Feed,
    FirstRead,
    Grant,
    Measurable,
    Metric,
    MetricKind,
    Note,
    Outcome,
    Policy,
    Readable,
    Reading,
    Record,
    Ref,
    ReleaseContent,
    Seen,
    Span,
    StatusWord,
    Value,
    Writable,
    hookimpl,
)
from opsync_posthog import checks, dialect, records, releases
from opsync_posthog.explore import Explorer
from opsync_posthog.measuring import Measurer
from opsync_posthog.project import Project
from opsync_posthog.settings import PostHogSettings

__all__ = ["PostHog", "PostHogSettings", "register_connectors"]


class PostHog(Connector[PostHogSettings], Readable, Writable, Measurable, Diagnosable, Explorable):
    """One PostHog project."""

    name = "posthog"
    title = "PostHog"
    settings_type = PostHogSettings
    every = timedelta(hours=1)
    surfaces = releases.SURFACES
    batch = 1
    parallel = 1

    def __init__(self, settings: PostHogSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._project = Project(settings, context)
        self._annotations = releases.Annotations(self._project)
        self._measurer = Measurer(self._project)
        self._explorer = Explorer(self._project)

    @classmethod
    def policy(cls, instance: str, settings: PostHogSettings) -> Policy:
        """How to speak HTTP with PostHog."""
        return dialect.policy(instance, settings)

    async def feeds(self) -> Sequence[Feed]:
        """The project itself, and lists that are read while something names what they hold."""
        return records.FEEDS

    async def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        """All that a feed holds. The project costs a request a week."""
        async with aclosing(records.pull(self._project, feed.name)) as batches:
            async for batch in batches:
                yield batch

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        """The record of one row."""
        return (records.normalize(self.context.instance, self._project, stream, raw),)

    def recognize(self, url: str) -> str | None:
        """The alias of the flag, experiment, insight or annotation of this project that a URL
        leads to."""
        return records.recognize(url, self.settings.address, self.settings.project)

    def metric_of(self, record: Record) -> tuple[MetricKind, str] | None:
        """The flag of a flag or an experiment, and an insight by its short id."""
        return records.metric_of(record)

    async def zone(self) -> str:
        """The time zone in which the project's days begin."""
        return await self._project.zone()

    async def measure(
        self, metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
    ) -> AsyncIterator[Reading]:
        """All events and flags in one request, each insight in one."""
        async with aclosing(self._measurer.measure(metrics, days, windows)) as readings:
            async for reading in readings:
                yield reading

    def render(self, surface: str, target: Record, content: Content) -> Value:
        """Releases stand on the project."""
        return releases.render(content) if isinstance(content, ReleaseContent) else None

    def address(self, surface: str, value: Value) -> str:
        """The marker at the end of the text."""
        return Note.of(value).marker

    async def observe(self, target: Record) -> Sequence[Seen]:
        """opsync's own annotations, in one request."""
        return await self._annotations.observe()

    async def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        """One request an annotation that changes, after one list."""
        async with aclosing(self._annotations.apply(changes)) as outcomes:
            async for outcome in outcomes:
                yield outcome

    async def doctor(self) -> AsyncIterator[Check]:
        """Examine key, project, time zone and scopes. Writes nothing."""
        async for check in checks.examine(self._project, self._explorer):
            yield check

    async def grants(self) -> AsyncIterator[Grant]:
        """The scopes of the key."""
        async for grant in self._explorer.grants():
            yield grant

    async def choices(self) -> Sequence[Choice]:
        """The projects that the key reaches."""
        return await self._explorer.choices()

    async def first_read(self) -> FirstRead:
        """A request for the project, and one query."""
        return await self._explorer.first_read()

    async def status_words(self) -> Sequence[StatusWord]:
        """None: an analytics project has no statuses."""
        return ()


@hookimpl
def register_connectors() -> Iterable[type[PostHog]]:
    """The one connector of this plugin."""
    return [PostHog]
