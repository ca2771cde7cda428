"""Toy tools for adoption: an analytics tool and a roadmap, each a JSON file that a test edits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar

import msgspec

from opsync import (
    Batch,
    Change,
    Connector,
    Feed,
    Item,
    Kind,
    LinkContent,
    Measurable,
    Metric,
    MetricKind,
    Outcome,
    OutcomeKind,
    RateLimited,
    Readable,
    Reading,
    Record,
    Ref,
    ReleaseContent,
    RollupContent,
    Seen,
    Span,
    Surface,
    Value,
    Writable,
    hookimpl,
)
from tests.cli.toy import AT, Toy, ToySettings

HOST = "https://gauge.example"


class Board(Toy):
    """The toy roadmap with a place for adoption."""

    name = "board"
    title = "Board"
    surfaces = (
        *Toy.surfaces,
        Surface(
            "adoption",
            "rollup",
            frozenset({Kind.initiative}),
            ("Adoption",),
            "Adoption",
            pulled=True,
        ),
    )

    def render(self, surface: str, target: Record, content: Any) -> Value:
        if surface == "adoption":
            return content.adoption or None
        return super().render(surface, target, content)


class Gauge(Connector[ToySettings], Readable, Writable, Measurable):
    """Measures what `use` of its file says, by "flag:name" and day. `trouble` has readings without
    numbers, `written` the annotations, `calls` how often it was asked; `fail` makes it fail."""

    name = "gauge"
    title = "Gauge"
    settings_type = ToySettings
    metric_nouns: ClassVar = {MetricKind.event: "event", MetricKind.flag: "flag"}
    surfaces = (Surface("annotation", "release", frozenset({Kind.product}), (), "Annotation"),)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.settings.file.read_bytes())
        return found

    def keep(self, state: Mapping[str, Any]) -> None:
        self.settings.file.write_bytes(msgspec.json.encode(state))

    async def feeds(self) -> Sequence[Feed]:
        return [
            Feed("project", ("project",), title="the project"),
            Feed("flags", ("flag",), title="the flags", named="flag:", snapshot=True),
        ]

    async def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        state = self.state()
        rows = [{"id": "1", "name": state["project"]}] if feed.name == "project" else state["flags"]
        items = [Item(feed.streams[0], one["id"], one) for one in rows]
        yield Batch(items, high=AT, resumable=True, expected=len(items))

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        assert isinstance(raw, dict)
        yield Record(
            ref=Ref(self.context.instance, stream, raw["id"]),
            kind=Kind.product if stream == "project" else Kind.metric,
            title=raw["name"],
            url=f"{HOST}/{stream}/{raw['id']}",
            aliases=(f"{stream}:{raw['id']}",),
            extra={"key": raw.get("key", "")},
        )

    def recognize(self, url: str) -> str | None:
        head, _, id_ = url.rpartition("/")
        return f"flag:{id_}" if head == f"{HOST}/flag" else None

    def metric_of(self, record: Record) -> tuple[MetricKind, str] | None:
        return (MetricKind.flag, record.extra["key"]) if record.ref.stream == "flag" else None

    async def zone(self) -> str:
        return "UTC"

    async def measure(
        self, metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
    ) -> AsyncIterator[Reading]:
        state = self.state()
        self.keep({**state, "calls": state.get("calls", 0) + 1})
        if state.get("fail") == "limit":
            raise RateLimited("Gauge answered 429.", hint="It is spent.", retry_after_s=3600)
        for metric in metrics:
            name = f"{metric.kind}:{metric.name}"
            if name not in state["use"]:
                told = state["trouble"].get(name, {"trouble": "unknown", "nearest": ["payouts"]})
                yield Reading(metric=metric, **told)
                continue
            use = {date.fromisoformat(day): value for day, value in state["use"][name].items()}
            yield Reading(
                metric=metric,
                span=days,
                days={day: use[day] for day in days.dates() if day in use},
                windows={w: sum(use.get(d, 0) for d in w.dates()) / 2 for w in windows},
            )

    def render(
        self,
        surface: str,
        target: Record,
        content: LinkContent | RollupContent | ReleaseContent,
    ) -> Value:
        assert isinstance(content, ReleaseContent)
        return {"on": str(content.release.on), "text": content.text}

    def address(self, surface: str, value: Value) -> str:
        return str(value["text"]).rpartition(" ")[2] if isinstance(value, Mapping) else ""

    async def observe(self, target: Record) -> Sequence[Seen]:
        return [
            Seen.of("annotation", value, address=address, remote_id=address, ours=True)
            for address, value in self.state()["written"].items()
        ]

    async def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        state = self.state()
        for change in changes:
            stands = change.before if change.desired is None else change.desired
            address = self.address("annotation", stands)
            kind = OutcomeKind.removed
            if change.desired is None:
                state["written"].pop(address, None)
            else:
                kind = OutcomeKind.updated if address in state["written"] else OutcomeKind.created
                state["written"][address] = change.desired
            self.keep(state)
            yield Outcome(change=change.id, kind=kind, applied=change.desired, remote_id=address)


@hookimpl
def register_connectors() -> list[type[Connector[Any]]]:
    return [Board, Gauge]
