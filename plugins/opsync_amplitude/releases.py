"""What opsync writes in Amplitude: one annotation a released initiative.

https://amplitude.com/docs/apis/analytics/chart-annotations: an annotation has a label, which charts
show, and details, which hold the whole text with its link and marker. A category of their own tells
opsync's from people's, besides the marker. All are seen with one request.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from msgspec import Struct

from opsync import (
    Change,
    Client,
    Kind,
    Note,
    NotFound,
    Outcome,
    OutcomeKind,
    RefusedError,
    ReleaseContent,
    Seen,
    Surface,
    Value,
    marker_in,
)
from opsync_amplitude.dialect import COST
from opsync_amplitude.kept import Kept
from opsync_amplitude.settings import AmplitudeSettings

ANNOTATION = "annotation"
SURFACES = (
    Surface(
        ANNOTATION,
        "release",
        frozenset({Kind.product}),
        ("label", "details", "start", "category"),
        title="Annotation",
    ),
)
PATH = "/api/3/annotations"
CATEGORIES = "/api/3/annotation-categories"
MAX_LABEL = 100
"""Characters of a label. Amplitude names no limit; more would not fit on a chart."""
NOON = time(12)
"""When the project's zone is not known, noon in UTC falls on the right day nearly everywhere."""

_URL = re.compile(r"https?://\S+")


class Category(Struct, frozen=True):
    """A category; some answers call its name `category`."""

    id: int | str | None = None
    name: str | None = None
    category: str | None = None

    @property
    def title(self) -> str:
        return self.name or self.category or ""


class Annotation(Struct, frozen=True):
    """An annotation as Amplitude shows it. Without a chart it is on all charts of the project."""

    id: int | str
    start: str = ""
    label: str | None = None
    details: str | None = None
    category: Category | None = None
    end: str | None = None
    chart_id: str | None = None


class One(Struct, frozen=True):
    data: Annotation


class Many(Struct, frozen=True):
    data: list[Annotation] = []


def label_of(text: str) -> str:
    """What charts show of a text: neither its link nor its marker."""
    bare = " ".join(_URL.sub(" ", text.removesuffix(marker_in(text))).split()).rstrip(" :–—-")
    bare = bare or " ".join(text.split())
    return bare if len(bare) <= MAX_LABEL else f"{bare[: MAX_LABEL - 1].rstrip()}…"


def render(content: ReleaseContent) -> Value:
    """The canonical value: the day, and the text with its marker."""
    if content.release.on is None:
        return None
    return Note(content.release.on.isoformat(), content.text).value


def is_ours(annotation: Annotation, category: str) -> bool:
    """Whether opsync made it: it is in opsync's category, and its details end with a marker."""
    named = annotation.category.title if annotation.category else ""
    return named == category and bool(marker_in(annotation.details or ""))


def start_of(day: date, zone: str) -> str:
    """The moment at which a day begins in the project's zone."""
    if zone:
        return datetime.combine(day, time(), ZoneInfo(zone)).isoformat()
    return datetime.combine(day, NOON, UTC).isoformat()


def canonical(annotation: Annotation, zone: str) -> Value:
    """An annotation as values are compared. A label that is not the text's own, because a person
    gave it another one, is shown before it."""
    details, label = annotation.details or "", (annotation.label or "").strip()
    own = label_of(details)
    shortened = label.rstrip("…. ")
    usual = label == own or (bool(shortened) and own.startswith(shortened))
    text = details if usual else f"{label} | {details}"
    return Note(_day(annotation.start, zone), text).value


def _day(start: str, zone: str) -> str:
    """The day of a moment in the project's zone; the text itself where it is no moment."""
    try:
        at = datetime.fromisoformat(start)
    except ValueError:
        return start
    if at.tzinfo is None:
        return at.date().isoformat()
    return at.astimezone(ZoneInfo(zone) if zone else UTC).date().isoformat()


class Annotations:
    """opsync's annotations of one project."""

    def __init__(self, settings: AmplitudeSettings, http: Client, kept: Kept) -> None:
        self._settings = settings
        self._http = http
        self._kept = kept
        self._standing: dict[str, Annotation] | None = None
        """Those that were just seen, by marker; None where nobody looked since the last write."""

    async def observe(self) -> Sequence[Seen]:
        """All annotations that opsync made. One request."""
        own = await self._look()
        return [
            Seen.of(
                ANNOTATION,
                canonical(one, self._settings.time_zone),
                address=marker_in(one.details or ""),
                remote_id=str(one.id),
                ours=True,
            )
            for one in own
        ]

    async def apply(self, changes: Sequence[Change]) -> AsyncIterator[Outcome]:
        """Write the changes one after the other. A refusal is the outcome of its change; what
        concerns the whole instance is raised."""
        try:
            for change in changes:
                yield await self._outcome_of(change)
        finally:
            self._standing = None

    async def _outcome_of(self, change: Change) -> Outcome:
        try:
            return await self._one(change)
        except RefusedError as error:
            return Outcome(
                change=change.id,
                kind=OutcomeKind.failed,
                message=str(error),
                retryable=error.status in {403, 404, 409},
            )

    async def _look(self) -> list[Annotation]:
        asked = {"category": self._settings.category}
        try:
            answer = await self._http.read("GET", PATH, params=asked, lane=COST)
            listed = answer.decode(Many).data
        except NotFound:
            # There is no such category yet.
            listed = []
        own = [one for one in listed if is_ours(one, self._settings.category)]
        self._standing = {}
        for one in own:
            self._standing.setdefault(marker_in(one.details or ""), one)
        return own

    async def _found(self, marker: str, *, again: bool = False) -> Annotation | None:
        """opsync's annotation with this marker."""
        if self._standing is None or again:
            await self._look()
        return (self._standing or {}).get(marker) if marker else None

    async def _one(self, change: Change) -> Outcome:
        if change.desired is None:
            return await self._remove(change)
        marker = Note.of(change.desired).marker
        if change.remote_id:
            try:
                return await self._put(change, change.remote_id)
            except NotFound:
                standing = await self._found(marker, again=True)
        else:
            standing = await self._found(marker)
        if standing is not None:
            return await self._put(change, str(standing.id), standing)
        return await self._create(change)

    async def _create(self, change: Change) -> Outcome:
        await self._have_category()
        body = self._body(change.desired) | {"category": self._settings.category}
        try:
            answer = await self._http.write("POST", PATH, keyed=False, json=body, lane=COST)
        except NotFound:
            # Somebody removed the category.
            await self._have_category(again=True)
            answer = await self._http.write("POST", PATH, keyed=False, json=body, lane=COST)
        made = answer.decode(One).data
        if self._standing is not None:
            self._standing[marker_in(made.details or "")] = made
        return self._outcome(change, OutcomeKind.created, made)

    async def _put(self, change: Change, id_: str, standing: Annotation | None = None) -> Outcome:
        """Change what differs from what stands there."""
        zone = self._settings.time_zone
        before = Note.of(change.before if standing is None else canonical(standing, zone))
        desired = Note.of(change.desired)
        body = self._body(change.desired)
        if before.on == desired.on:
            del body["start"]
        if before.text == desired.text:
            del body["label"], body["details"]
        if standing is not None and not body:
            return self._outcome(change, OutcomeKind.updated, standing)
        body = body or self._body(change.desired)
        answer = await self._http.write("PUT", f"{PATH}/{id_}", keyed=True, json=body, lane=COST)
        return self._outcome(change, OutcomeKind.updated, answer.decode(One).data)

    async def _remove(self, change: Change) -> Outcome:
        """Remove what opsync made: by its id, else what has its marker."""
        if not change.remote_id or not await self._gone(change.remote_id):
            marker = Note.of(change.before).marker
            standing = await self._found(marker, again=bool(change.remote_id))
            if standing is not None:
                await self._gone(str(standing.id))
        return Outcome(change=change.id, kind=OutcomeKind.removed)

    async def _gone(self, id_: str) -> bool:
        """Delete one; False where it was not there."""
        try:
            await self._http.write("DELETE", f"{PATH}/{id_}", keyed=True, lane=COST)
        except NotFound:
            return False
        return True

    def _body(self, desired: Value) -> dict[str, object]:
        note = Note.of(desired)
        return {
            "label": label_of(note.text),
            "details": note.text,
            "start": start_of(date.fromisoformat(note.on), self._settings.time_zone),
        }

    def _outcome(self, change: Change, kind: OutcomeKind, made: Annotation) -> Outcome:
        return Outcome(
            change=change.id,
            kind=kind,
            applied=canonical(made, self._settings.time_zone),
            remote_id=str(made.id),
        )

    async def _have_category(self, *, again: bool = False) -> None:
        """Make opsync's category, unless it is known to be there."""
        name = self._settings.category
        if self._kept.category == name and not again:
            return
        try:
            await self._http.write(
                "POST", CATEGORIES, keyed=True, json={"category": name}, lane=COST
            )
        except RefusedError as error:
            if error.status != 409:
                raise
        self._kept.note_category(name)
