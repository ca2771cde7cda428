"""The release surface: an annotation on the whole project for each initiative that was shipped.

https://posthog.com/docs/api/annotations. One of opsync's own is on the project, was made by a
program, and ends with a marker, "[opsync:3f2a91c0]"; a person's is none, whatever it says.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from opsync import (
    Answer,
    Change,
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
    Verb,
    marker_in,
    same,
)
from opsync_posthog.dialect import LISTS
from opsync_posthog.project import Project, decoded
from opsync_posthog.wire import AnnotationRow

SURFACE = "annotation"
SURFACES = (
    Surface(
        SURFACE,
        "release",
        frozenset({Kind.product}),
        ("content", "date_marker", "scope", "creation_type", "deleted"),
        title="Annotation",
    ),
)

CONTENT_MAX = 400
"""Characters of an annotation. PostHog Cloud takes 8,192, older installations no more than this."""
NOON = time(12)
"""Noon in UTC is on the same day nearly everywhere: for where it is not known when a day begins."""
PAGE = 1000
REMEMBERED = 200
"""So many removed annotations are remembered, to be restored where they come back."""

_BEGIN = "[opsync:"
_REMOVED = "removed"
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f]+")


def render(content: ReleaseContent) -> Value:
    """The day and the text; None where the day is not known."""
    if content.release.on is None:
        return None
    text = _UNPRINTABLE.sub(" ", content.text).strip()
    over = len(text) - CONTENT_MAX
    title = _UNPRINTABLE.sub(" ", content.root.title).strip()
    if over > 0 and title and len(title) > over + 1:
        text = text.replace(title, title[: -over - 1].rstrip() + "…", 1)
        over = len(text) - CONTENT_MAX
    if over > 0:
        room = CONTENT_MAX - len(content.marker) - 2
        text = f"{text[:room].rstrip()}… {content.marker}"
    return Note(content.release.on.isoformat(), text).value


def is_ours(row: AnnotationRow) -> bool:
    """Whether opsync made an annotation."""
    made_here = row.creation_type == "GIT" and row.scope == "project"
    return made_here and bool(marker_in(row.content or ""))


class Annotations:
    """Reads and writes the annotations of one project.

    What is written is first looked up among opsync's own, by id and by marker, so that one that a
    person took over or deleted is never touched.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._path = f"{project.api}annotations/"
        self._listed: list[AnnotationRow] | None = None

    async def observe(self) -> list[Seen]:
        """All that are opsync's own. One request."""
        self._listed = await self._own()
        zone = await self._zone()
        return [
            Seen.of(
                SURFACE,
                _canonical(row, zone),
                address=marker_in(row.content or ""),
                remote_id=str(row.id),
                ours=True,
            )
            for row in self._listed
        ]

    async def apply(self, changes: Sequence[Change]) -> AsyncGenerator[Outcome, None]:
        """Write the changes one after the other, by the list that was observed just before, else by
        a new one."""
        own = self._listed if self._listed is not None else await self._own()
        self._listed = None
        zone = await self._zone()
        for change in changes:
            try:
                if change.verb is Verb.remove:
                    outcome = await self._remove(change, own)
                else:
                    outcome = await self._put(change, own, zone)
            except RefusedError as error:
                outcome = Outcome(
                    change=change.id,
                    kind=OutcomeKind.failed,
                    message=str(error),
                    retryable=error.status != 400,
                )
            yield outcome

    async def _put(
        self, change: Change, own: Sequence[AnnotationRow], zone: ZoneInfo | None
    ) -> Outcome:
        marker = Note.of(change.desired).marker
        body = _body(change.desired, zone)
        for row in _those(own, change.remote_id, marker):
            if same(_canonical(row, zone), change.desired):
                return Outcome(
                    change=change.id,
                    kind=OutcomeKind.unchanged,
                    applied=change.desired,
                    remote_id=str(row.id),
                )
            try:
                answer = await self._patch(row.id, body)
            except NotFound:
                continue
            return _done(change, OutcomeKind.updated, answer, zone)
        removed = self._removed()
        if marker in removed:
            self._remember({one: id_ for one, id_ in removed.items() if one != marker})
            try:
                answer = await self._patch(removed[marker], {**body, "deleted": False})
            except NotFound:
                pass
            else:
                return _done(change, OutcomeKind.created, answer, zone)
        answer = await self._project.http.write(
            "POST", self._path, json=body, keyed=False, lane=LISTS
        )
        return _done(change, OutcomeKind.created, answer, zone)

    async def _remove(self, change: Change, own: Sequence[AnnotationRow]) -> Outcome:
        """Mark as deleted; PostHog knows no other way. An annotation that is gone is removed."""
        for row in _those(own, change.remote_id, Note.of(change.before).marker):
            try:
                await self._patch(row.id, {"deleted": True})
            except NotFound:
                continue
            self._remember({**self._removed(), marker_in(row.content or ""): row.id})
        return Outcome(change=change.id, kind=OutcomeKind.removed, remote_id=change.remote_id)

    async def _patch(self, id_: int, body: Mapping[str, object]) -> Answer:
        return await self._project.http.write(
            "PATCH", f"{self._path}{id_}/", json=body, keyed=True, lane=LISTS
        )

    async def _own(self) -> list[AnnotationRow]:
        found: list[AnnotationRow] = []
        params = {"search": _BEGIN, "scope": "project", "limit": str(PAGE)}
        async for rows in self._project.rows("annotations/", **params):
            for raw in rows:
                row = decoded(raw, AnnotationRow)
                if is_ours(row) and not row.deleted:
                    found.append(row)
        return sorted(found, key=lambda row: row.id)

    async def _zone(self) -> ZoneInfo | None:
        """The zone in which a day begins; None where it is not known."""
        try:
            return ZoneInfo(await self._project.zone())
        except (ZoneInfoNotFoundError, ValueError):
            return None

    def _removed(self) -> dict[str, int]:
        """The ids of annotations that opsync removed, by marker."""
        try:
            return msgspec.convert(self._project.context.kept.get(_REMOVED) or {}, dict[str, int])
        except msgspec.ValidationError:
            return {}

    def _remember(self, removed: Mapping[str, int]) -> None:
        kept = dict(list(removed.items())[-REMEMBERED:])
        self._project.context.kept[_REMOVED] = cast("Value", kept or None)


def _those(own: Sequence[AnnotationRow], remote_id: str, marker: str) -> list[AnnotationRow]:
    """The annotations that a change is about, the one that was written last first."""
    found = [row for row in own if str(row.id) == remote_id]
    return found + [
        row for row in own if row not in found and marker and marker_in(row.content or "") == marker
    ]


def _body(desired: Value, zone: ZoneInfo | None) -> dict[str, object]:
    """An annotation on the whole project; without a scope PostHog would hide it in one insight."""
    note = Note.of(desired)
    day = date.fromisoformat(note.on)
    start = datetime.combine(day, time(), zone) if zone else datetime.combine(day, NOON, UTC)
    return {
        "content": note.text,
        "date_marker": start.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "scope": "project",
        "creation_type": "GIT",
    }


def _canonical(row: AnnotationRow, zone: ZoneInfo | None) -> Value:
    at = moment(row.date_marker)
    on = "" if at is None else at.astimezone(zone or UTC).date().isoformat()
    return Note(on, row.content or "").value


def moment(text: str | None) -> datetime | None:
    """A moment as PostHog writes it; None for what is none."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _done(change: Change, kind: OutcomeKind, answer: Answer, zone: ZoneInfo | None) -> Outcome:
    row = answer.decode(AnnotationRow)
    return Outcome(
        change=change.id, kind=kind, applied=_canonical(row, zone), remote_id=str(row.id)
    )
