"""Lists the project's annotations, and writes opsync's own.

An annotation's day cannot be changed: one that moves is made anew, and then the old one goes. In
this order a crash in between leaves two for a while and never none; the next run finds the new one
by its marker and day, makes no third, and removes the old one.
https://docs.mixpanel.com/reference/patch-annotation
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from opsync import (
    Answer,
    Change,
    Context,
    Note,
    NotFound,
    Outcome,
    OutcomeKind,
    RefusedError,
    Seen,
    TemporaryError,
    Value,
    Verb,
    marker_in,
)
from opsync_mixpanel import surfaces
from opsync_mixpanel.dialect import APP
from opsync_mixpanel.settings import MixpanelSettings
from opsync_mixpanel.wire import Annotation, Listed, One

_DONE = {
    Verb.create: OutcomeKind.created,
    Verb.update: OutcomeKind.updated,
    Verb.remove: OutcomeKind.removed,
}


class Annotations:
    """The annotations of one project. What `observe` listed serves the next `apply`."""

    def __init__(self, settings: MixpanelSettings, context: Context) -> None:
        self._http = context.http
        self._path = f"/api/app/projects/{settings.project}/annotations"
        self._standing: list[Annotation] | None = None

    async def listed(self) -> list[Annotation]:
        """All annotations of the project, the oldest first. One request."""
        params = {"fromDate": surfaces.FIRST.isoformat(), "toDate": surfaces.LAST.isoformat()}
        answer = await self._http.read("GET", self._path, params=params, lane=APP)
        return sorted(
            answer.decode(Listed).results, key=lambda one: (len(str(one.id)), str(one.id))
        )

    async def observe(self) -> Sequence[Seen]:
        """Every annotation that is ours. One request."""
        self._standing = await self.listed()
        return [
            Seen.of(
                surfaces.ANNOTATION,
                canonical(one),
                address=marker_in(one.text),
                remote_id=str(one.id),
                ours=True,
            )
            for one in self._standing
            if marker_in(one.text)
        ]

    async def apply(self, changes: Sequence[Change]) -> AsyncIterator[Outcome]:
        """Write the changes one after the other.

        A refusal is its change's outcome. An answer that was lost leaves the outcome of its change
        unknown and ends the call.
        """
        standing, self._standing = self._standing, None
        if standing is None:
            standing = await self.listed()
        for change in changes:
            try:
                yield await self._write(change, standing)
            except RefusedError as error:
                yield Outcome(
                    change=change.id,
                    kind=OutcomeKind.failed,
                    message=str(error),
                    retryable=error.status != 400,
                )
            except TemporaryError as error:
                if error.sent:
                    yield Outcome(
                        change=change.id,
                        kind=OutcomeKind.failed,
                        message=str(error),
                        unknown=True,
                    )
                raise

    async def _write(self, change: Change, standing: list[Annotation]) -> Outcome:
        """Make one change so, and `standing` what stands after it."""
        marker = Note.of(change.before if change.desired is None else change.desired).marker
        ours = [one for one in standing if str(one.id) == change.remote_id]
        ours += [one for one in standing if one not in ours and _is(one, marker)]
        made: Annotation | None = None
        if change.desired is not None:
            made = await self._stands(change.desired, ours, standing)
        for one in ours:
            if made is not None and (one.id == made.id or not _replaces(made, one, change)):
                continue
            await self._delete(one, standing)
        return Outcome(
            change=change.id,
            kind=_DONE[change.verb],
            applied=None if made is None else canonical(made),
            remote_id="" if made is None else str(made.id),
        )

    async def _stands(
        self, desired: Value, ours: Sequence[Annotation], standing: list[Annotation]
    ) -> Annotation:
        """The annotation that shows `desired`: one that stands, an edited one, or a new one."""
        note = Note.of(desired)
        for one in ours:
            if canonical(one) == desired:
                return one
        for one in ours:
            if one.on == note.on:
                edited = await self._edit(one, note.text)
                standing.remove(one)
                if edited is not None:
                    standing.append(edited)
                    return edited
        answer = await self._http.write(
            "POST",
            self._path,
            keyed=False,
            json={"date": f"{note.on} 00:00:00", "description": note.text},
            lane=APP,
        )
        made = _one(answer)
        standing.append(made)
        return made

    async def _edit(self, one: Annotation, text: str) -> Annotation | None:
        """Give an annotation another text; None where it is gone."""
        try:
            answer = await self._http.write(
                "PATCH",
                f"{self._path}/{one.id}",
                keyed=True,
                json={"description": text},
                lane=APP,
            )
        except NotFound:
            return None
        return _one(answer)

    async def _delete(self, one: Annotation, standing: list[Annotation]) -> None:
        with suppress(NotFound):  # somebody was faster, or an answer was lost
            await self._http.write("DELETE", f"{self._path}/{one.id}", keyed=True, lane=APP)
        if one in standing:
            standing.remove(one)


def canonical(one: Annotation) -> Value:
    """What an annotation shows, as `surfaces.render` would have said it."""
    return Note(one.on, " ".join(one.text.split())).value


def _is(one: Annotation, marker: str) -> bool:
    return bool(marker) and marker_in(one.text) == marker


def _replaces(made: Annotation, old: Annotation, change: Change) -> bool:
    """Whether `made` stands in the place of `old`: of what this slot wrote, or of one by the same
    author. A copy that somebody else made of ours stays."""
    return str(old.id) == change.remote_id or old.author == made.author


def _one(answer: Answer) -> Annotation:
    return answer.decode(One).results
