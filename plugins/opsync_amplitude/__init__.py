"""The Amplitude connector: use by day in, releases out as annotations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
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
    ReleaseContent,
    Seen,
    Span,
    StatusWord,
    Surface,
    Value,
    Writable,
    hookimpl,
)
from opsync_amplitude import checks, dialect, explore, normalize, pull, releases
from opsync_amplitude.kept import Kept
from opsync_amplitude.measuring import Measurer
from opsync_amplitude.releases import Annotations
from opsync_amplitude.settings import AmplitudeSettings

__all__ = ["Amplitude", "AmplitudeSettings", "register_connectors"]


class Amplitude(
    Connector[AmplitudeSettings], Readable, Writable, Measurable, Diagnosable, Explorable
):
    """One Amplitude project."""

    name: ClassVar[str] = "amplitude"
    title: ClassVar[str] = "Amplitude"
    settings_type: ClassVar[type[AmplitudeSettings]] = AmplitudeSettings
    every = timedelta(hours=1)
    surfaces: ClassVar[tuple[Surface, ...]] = releases.SURFACES
    parallel: ClassVar[int] = 1
    metric_nouns: ClassVar[Mapping[MetricKind, str]] = {
        MetricKind.event: "event",
        MetricKind.flag: "flag",
        MetricKind.insight: "chart",
    }

    def __init__(self, settings: AmplitudeSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._kept = Kept(context.kept)
        self._annotations = Annotations(settings, context.http, self._kept)
        self._measurer = Measurer(settings, context.http, self._kept)

    @classmethod
    def policy(cls, instance: str, settings: AmplitudeSettings) -> Policy:
        """How to speak HTTP with Amplitude."""
        return dialect.policy(instance, settings)

    async def feeds(self) -> Sequence[Feed]:
        """The project, and what is listed while somebody links to it."""
        return pull.feeds(self.settings)

    async def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        """All that a feed has: none of Amplitude's lists tells what changed."""
        batches = pull.pull(self.settings, self.context.http, self._kept, feed)
        async with aclosing(batches):
            async for batch in batches:
                yield batch

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        """The record of the project, a flag, an experiment or a person's annotation."""
        return normalize.normalize(self.context.instance, self.settings, stream, raw)

    def recognize(self, url: str) -> str | None:
        """Flags, experiments, charts and annotations of this region and project."""
        return normalize.recognize(self.settings, url)

    async def resolve(self, aliases: Sequence[str]) -> Mapping[str, Ref | Record]:
        """Charts, which Amplitude lists nowhere, made from their address. No request."""
        found = {
            alias: normalize.from_address(self.context.instance, self.settings, alias)
            for alias in aliases
        }
        return {alias: record for alias, record in found.items() if record is not None}

    def render(self, surface: str, target: Record, content: Content) -> Value:
        """The day and the text of a release."""
        return releases.render(content) if isinstance(content, ReleaseContent) else None

    def address(self, surface: str, value: Value) -> str:
        """The marker with which an annotation's text ends."""
        return Note.of(value).marker

    async def observe(self, target: Record) -> Sequence[Seen]:
        """The annotations that opsync made."""
        return await self._annotations.observe()

    def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        """Create, move and remove annotations."""
        return self._annotations.apply(changes)

    async def zone(self) -> str:
        """As the settings say: Amplitude does not tell it. No request."""
        return self.settings.time_zone

    async def measure(
        self, metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
    ) -> AsyncIterator[Reading]:
        """One request for two events of one counting, one for all flags of one, one a chart."""
        readings = self._measurer.measure(metrics, days, windows)
        async with aclosing(readings):
            async for reading in readings:
                yield reading

    def metric_of(self, record: Record) -> tuple[MetricKind, str] | None:
        """A flag or an experiment by its flag's key, a chart by its id."""
        return normalize.metric_of(record)

    def doctor(self) -> AsyncIterator[Check]:
        """Examine keys, events and time zone. Writes nothing."""
        return checks.examine(self.settings, self.context.http)

    def grants(self) -> AsyncIterator[Grant]:
        """What the keys may do."""
        return explore.grants(self.settings, self.context.http)

    async def choices(self) -> Sequence[Choice]:
        """The project of the key pair."""
        return explore.choices(self.settings)

    async def first_read(self) -> FirstRead:
        """One request."""
        return explore.first_read()

    async def status_words(self) -> Sequence[StatusWord]:
        """None: nothing in Amplitude has a status."""
        return ()


@hookimpl
def register_connectors() -> list[type[Amplitude]]:
    """The connector of this plugin."""
    return [Amplitude]
