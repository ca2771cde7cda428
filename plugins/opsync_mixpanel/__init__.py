"""Mixpanel: use by day in, releases out as annotations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

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
    Seen,
    Span,
    StatusWord,
    Surface,
    Value,
    Writable,
    hookimpl,
)
from opsync_mixpanel import addresses, checks, dialect, explore, records, surfaces
from opsync_mixpanel.annotations import Annotations
from opsync_mixpanel.measuring import Measurer
from opsync_mixpanel.settings import MixpanelSettings

__all__ = ["Mixpanel", "MixpanelSettings", "register_connectors"]


class Mixpanel(
    Connector[MixpanelSettings], Readable, Writable, Measurable, Diagnosable, Explorable
):
    """One Mixpanel project."""

    name: ClassVar[str] = "mixpanel"
    title: ClassVar[str] = "Mixpanel"
    settings_type: ClassVar[type[MixpanelSettings]] = MixpanelSettings
    every = timedelta(hours=1)
    surfaces: ClassVar[tuple[Surface, ...]] = surfaces.SURFACES
    batch: ClassVar[int] = 1
    parallel: ClassVar[int] = 1
    metric_nouns: ClassVar[Mapping[MetricKind, str]] = {
        MetricKind.event: "event",
        MetricKind.flag: "flag",
        MetricKind.insight: "report",
    }

    def __init__(self, settings: MixpanelSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._measurer = Measurer(settings, context)
        self._annotations = Annotations(settings, context)

    @classmethod
    def policy(cls, instance: str, settings: MixpanelSettings) -> Policy:
        """How to speak HTTP with Mixpanel."""
        return dialect.policy(instance, settings)

    async def feeds(self) -> Sequence[Feed]:
        """The project, and people's annotations, which are listed only while one is named."""
        return (
            Feed(records.PROJECT, (records.PROJECT,), snapshot=True, title="project"),
            Feed(
                "annotations",
                (addresses.ANNOTATION,),
                snapshot=True,
                title="annotations",
                named=f"{addresses.ANNOTATION}:",
            ),
        )

    async def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        """The project without a request, annotations with one."""
        if feed.name == records.PROJECT:
            yield Batch([records.own_item(self.settings)])
        else:
            yield Batch(records.items_of(await self._annotations.listed()))

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        """The record of the project or of one annotation."""
        return (records.normalize(self.context.instance, self.settings, stream, raw),)

    def recognize(self, url: str) -> str | None:
        """Reports, boards, flags, experiments and annotations of this region and project only."""
        return addresses.alias(url, self.settings.pages, self.settings.project)

    async def resolve(self, aliases: Sequence[str]) -> Mapping[str, Ref | Record]:
        """Records of what is known by its address only. No request."""
        found = {
            one: records.by_address(self.context.instance, self.settings, one) for one in aliases
        }
        return {alias: record for alias, record in found.items() if record is not None}

    def render(self, surface: str, target: Record, content: Content) -> Value:
        """A release as an annotation of the project."""
        return surfaces.render(content) if surface == surfaces.ANNOTATION else None

    def address(self, surface: str, value: Value) -> str:
        """The release's marker."""
        return Note.of(value).marker

    async def observe(self, target: Record) -> Sequence[Seen]:
        """opsync's own annotations. One request."""
        return await self._annotations.observe()

    def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        """One request an annotation; two where its day moves."""
        return self._annotations.apply(changes)

    async def zone(self) -> str:
        """As the settings say: Mixpanel does not tell it."""
        return self.settings.time_zone

    def measure(
        self, metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
    ) -> AsyncIterator[Reading]:
        """Numbers by day. Unique users of whole windows would take queries of their own."""
        return self._measurer.measure(metrics, days)

    def metric_of(self, record: Record) -> tuple[MetricKind, str] | None:
        """A report's id."""
        return records.metric_of(record)

    def doctor(self) -> AsyncIterator[Check]:
        """Examine the service account with one query and one other request. Writes nothing."""
        return checks.examine(self.settings, self._measurer, self._annotations)

    def grants(self) -> AsyncIterator[Grant]:
        """Which roles the service account has."""
        return explore.grants(self._measurer, self._annotations)

    async def choices(self) -> Sequence[Choice]:
        """The one project."""
        return explore.choices(self.settings)

    async def first_read(self) -> FirstRead:
        """One record, without a request."""
        return explore.first_read()

    async def status_words(self) -> Sequence[StatusWord]:
        """None: analytics has no statuses."""
        return ()


@hookimpl
def register_connectors() -> list[type[Mixpanel]]:
    """The connector of this plugin."""
    return [Mixpanel]
