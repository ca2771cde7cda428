"""A small analytics tool without HTTP, its connector, and the company with it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from opsync import (
    Batch,
    Change,
    Connector,
    ConnectorSettings,
    Content,
    Counts,
    Feed,
    Item,
    Kind,
    Measurable,
    Metric,
    MetricKind,
    Note,
    Outcome,
    OutcomeKind,
    Readable,
    Reading,
    Record,
    Ref,
    ReleaseContent,
    Seen,
    Span,
    Surface,
    Value,
    Verb,
    Writable,
    nearest,
)
from opsync.sandbox.usage import Behaviour, History
from tests.support.world import World

SITE = "https://meter.example"

DROP_IN = """\
from opsync import hookimpl
from tests.support.meter import Gauge, Meter

@hookimpl
def register_connectors():
    return [Meter, Gauge]
"""


@dataclass
class MeterTool:
    """What the tool holds, and what it was asked.

    `before` is told of each request, and may raise in the tool's place. `spoil` changes readings.
    """

    now: Callable[[], datetime]
    history: History = field(init=False)
    flags: dict[str, str] = field(default_factory=dict)
    """Keys by id."""
    insights: dict[str, str] = field(default_factory=dict)
    """Names by id. Each shows the value 10 every day."""
    insight_days: int | None = None
    """So many of the last days are all that an insight shows."""
    notes: dict[str, Note] = field(default_factory=dict)
    project: str = "1"
    zone: str = "UTC"
    requests: list[str] = field(default_factory=list)
    queries: list[tuple[tuple[Metric, ...], Span, tuple[Span, ...]]] = field(default_factory=list)
    before: Callable[[str], None] = lambda request: None
    spoil: Callable[[Reading], Iterable[Reading]] = lambda reading: (reading,)

    def __post_init__(self) -> None:
        self.history = History(self.now)

    def request(self, what: str) -> None:
        """One request arrives."""
        self.requests.append(what)
        self.before(what)

    def asked(self, what: str) -> int:
        """How many requests of this sort there were, from the last `forget` on."""
        return sum(1 for one in self.requests if one == what)

    def forget(self) -> None:
        """Count requests from here on."""
        self.requests.clear()
        self.queries.clear()


TOOLS: dict[str, MeterTool] = {}
"""The tools that there are, by what the settings call them."""


class MeterSettings(ConnectorSettings):
    """`[instances.NAME]` of a meter."""

    tool: str
    """Which one."""


class Meter(Connector[MeterSettings], Readable, Writable, Measurable):
    """Reads and annotates a `MeterTool`."""

    name = "meter"
    title = "Meter"
    settings_type = MeterSettings
    surfaces = (
        Surface("annotation", "release", frozenset({Kind.product}), ("text",), "Annotation"),
    )

    @property
    def tool(self) -> MeterTool:
        """The tool."""
        return TOOLS[self.settings.tool]

    async def feeds(self) -> Sequence[Feed]:
        return [
            Feed("project", ("project",), snapshot=True),
            Feed("flags", ("flag",), snapshot=True, named="flag:"),
        ]

    async def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        if feed.name == "project":
            yield Batch([Item("project", self.tool.project, "Harbor app")])
            return
        self.tool.request("flags")
        yield Batch([Item("flag", id_, key) for id_, key in self.tool.flags.items()])

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        assert isinstance(raw, str)
        if stream == "project":
            ref = Ref(self.context.instance, stream, self.tool.project)
            return [Record(ref=ref, kind=Kind.product, title=raw, url=SITE)]
        [id_] = [one for one, key in self.tool.flags.items() if key == raw]
        return [self._metric("flag", id_, raw)]

    def _metric(self, stream: str, id_: str, title: str) -> Record:
        ref, url = Ref(self.context.instance, stream, id_), f"{SITE}/{stream}s/{id_}"
        aliases = (f"{stream}:{id_}",)
        return Record(ref=ref, kind=Kind.metric, title=title, url=url, aliases=aliases)

    def recognize(self, url: str) -> str | None:
        found = re.fullmatch(rf"{SITE}/(flag|insight)s/(\w+)", url)
        return f"{found[1]}:{found[2]}" if found else None

    async def resolve(self, aliases: Sequence[str]) -> Mapping[str, Ref | Record]:
        found: dict[str, Ref | Record] = {}
        for alias in aliases:
            stream, _, id_ = alias.partition(":")
            if stream == "insight":
                self.tool.request("insight")
                if id_ in self.tool.insights:
                    found[alias] = self._metric(stream, id_, self.tool.insights[id_])
        return found

    async def zone(self) -> str:
        return self.tool.zone

    def metric_of(self, record: Record) -> tuple[MetricKind, str] | None:
        match record.ref.stream:
            case "flag":
                return MetricKind.flag, record.title
            case "insight":
                return MetricKind.insight, record.ref.id
        return None

    async def measure(
        self, metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
    ) -> AsyncIterator[Reading]:
        self.tool.queries.append((tuple(metrics), days, tuple(windows)))
        self.tool.request("query")
        for metric in metrics:
            for reading in self.tool.spoil(self._read(metric, days, windows)):
                yield reading

    def _read(self, metric: Metric, days: Span, windows: Sequence[Span]) -> Reading:
        history, kind, name = self.tool.history, metric.kind.value, metric.name
        if metric.kind is MetricKind.insight:
            if name not in self.tool.insights:
                return Reading(metric=metric, trouble="unknown", nearest=tuple(self.tool.insights))
            shown = Span.ending(days.last, min(days.days, self.tool.insight_days or days.days))
            values = dict.fromkeys(shown.dates(), 10.0)
            title = self.tool.insights[name]
            return Reading(metric=metric, span=shown, days=values, title=title)
        has = {"event": history.events, "flag": history.flags}[kind]
        if not has:
            return Reading(metric=metric, trouble="empty")
        if name not in has:
            return Reading(metric=metric, trouble="unknown", nearest=nearest(name, has))

        def value(day: date) -> float:
            if metric.counts is Counts.events:
                return float(history.times(kind, name, day))
            return float(len(history.users(kind, name, day)))

        return Reading(
            metric=metric,
            span=days,
            days={day: number for day in days.dates() if (number := value(day))},
            windows={w: float(len(history.users_in(kind, name, w.dates()))) for w in windows},
        )

    def render(self, surface: str, target: Record, content: Content) -> Value:
        assert isinstance(content, ReleaseContent)
        assert content.release.on is not None
        return Note(content.release.on.isoformat(), content.text).value

    def address(self, surface: str, value: Value) -> str:
        return Note.of(value).marker

    async def observe(self, target: Record) -> Sequence[Seen]:
        self.tool.request("notes")
        return [
            Seen.of(
                "annotation",
                note.value,
                address=note.marker,
                remote_id=id_,
                ours=True,
            )
            for id_, note in self.tool.notes.items()
            if note.marker
        ]

    async def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        for change in changes:
            yield self._write(change)

    def _write(self, change: Change) -> Outcome:
        notes, id_ = self.tool.notes, change.remote_id
        if change.verb is Verb.remove:
            self.tool.request("remove")
            notes.pop(id_, None)
            return Outcome(change=change.id, kind=OutcomeKind.removed)
        note = Note.of(change.desired)
        self.tool.request("write")
        kind = OutcomeKind.updated
        if id_ not in notes:
            kind = OutcomeKind.created
            same = [one for one, there in notes.items() if there.marker == note.marker]
            id_ = same[0] if same else str(len(self.tool.requests) + 1000 * len(notes))
        notes[id_] = note
        return Outcome(change=change.id, kind=kind, applied=note.value, remote_id=id_)


class Gauge(Meter):
    """Measures events only, and has no place for annotations."""

    name = "gauge"
    title = "Gauge"
    surfaces = ()
    metric_nouns = {MetricKind.event: "event"}  # noqa: RUF012


def add_meter(world: World, instance: str = "meter", connector: str = "meter") -> MeterTool:
    """Give the company an analytics tool, and its roadmap the columns for it."""
    key = _key(world, instance)
    tool = TOOLS[key] = MeterTool(world.clock.now)
    folder = world.folder / "plugins"
    folder.mkdir(exist_ok=True)
    (folder / "meter.py").write_text(DROP_IN, encoding="utf-8")
    world.raw["plugins_dir"] = str(folder)
    world.fixed_files = True
    world.raw["instances"][instance] = {"connector": connector, "tool": key}
    schema = world.notion.state.data_sources[world.source.id].schema
    for name, type_ in (("Flag", "rich_text"), ("Event", "rich_text"), ("Released", "date")):
        if schema.find(name) is None:
            schema.add(name, {type_: {}})
    return tool


def tool_of(world: World, instance: str) -> MeterTool:
    """The tool that `add_meter` gave it."""
    return TOOLS[_key(world, instance)]


def _key(world: World, instance: str) -> str:
    return f"{world.folder}:{instance}"


def measures(world: World, *metrics: Mapping[str, Any], **more: Any) -> None:
    """Have the roadmap's rule measure so."""
    blocks = [{"instance": "meter", **metric} for metric in metrics]
    world.raw["rollup"][0] |= {"metric": blocks, **more}


def used(per_day: int, *, released: date | None = None, after: int | None = None) -> Behaviour:
    """So many users a day, after a release so many."""
    return Behaviour(per_day, released=released, after=after)


def days_ago(world: World, days: int) -> date:
    """A date before today, by the clock of the company."""
    return world.clock.now().date() - timedelta(days=days)
