"""Project updates: posted only if asked for, when the health changes, at most one a day.

A project update notifies the project's followers and sets its health, so the first value is
noted and not posted, and a second change on the same day edits that day's update. Which value was
noted is kept per slot; each update carries an id of opsync's own and a mark in its body, by which
it is found again.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from opsync import Change, Context, Outcome, OutcomeKind, Ref, RollupContent, Seen, Value
from opsync_linear.batch import UPDATE_CREATE, UPDATE_UPDATE, Op
from opsync_linear.dialect import ask
from opsync_linear.marks import UPDATE, own_id, own_surface
from opsync_linear.values import HEALTH, one_line, part
from opsync_linear.wire import Data
from opsync_linear.writes import Update

LAST = """query Last($project: String!) {
  project(id: $project) { lastUpdate { id health body } }
}"""
KEPT = "updates"
"""Kept: per project what was noted or posted last: {health, title, url, id, day}."""
NOTED = "noted"
"""The remote id of a value that was noted and not posted."""
MARK = "[opsync]"
_ESCAPED = {ord(c): f"\\{c}" for c in "\\[]()*_`<>|~!@#"}
"""What has a meaning in Markdown; an at sign would name somebody, who is told of it."""
_IN_URL = str.maketrans({"(": "%28", ")": "%29", "<": "%3C", ">": "%3E"})
_HEALTHS = {word: health for health, word in HEALTH.items()}


class _Project(Struct, frozen=True, rename="camel"):
    last_update: Update | None = None


class _Answer(Struct, frozen=True):
    project: _Project


def render(content: RollupContent) -> Value:
    """The health in Linear's word; None where Linear has none for it."""
    health = HEALTH.get(content.health)
    if health is None or not content.root.url.startswith(("https://", "http://")):
        return None
    return {"health": health, "title": one_line(content.title), "url": content.root.url}


def _notes(context: Context) -> dict[str, Value]:
    held = context.kept.get(KEPT)
    return dict(held) if isinstance(held, Mapping) else {}


def _value(note: Value) -> dict[str, Value]:
    return {name: part(note, name) for name in ("health", "title", "url")}


async def observe(context: Context, project: Ref) -> list[Seen]:
    """What opsync noted or posted last; the health of a later update is somebody else's word."""
    answer = await ask(context, LAST, {"project": project.id}, cost=5)
    last = answer.decode(Data[_Answer]).data.project.last_update
    note = _notes(context).get(project.id)
    if note is None:
        if last is None or not (own_surface(last.id) == UPDATE or MARK in last.body):
            return []
        found: Value = {"health": last.health, "title": "", "url": ""}
        return [Seen.of(UPDATE, found, remote_id=last.id, ours=True)]
    posted, value = part(note, "id"), _value(note)
    if posted and last is not None:
        value["health"] = last.health
    return [Seen.of(UPDATE, value, remote_id=posted or NOTED, ours=True)]


def plan(context: Context, change: Change) -> list[Op] | Outcome:
    """The post, or the outcome where none is due."""
    project, desired = change.slot.target.id, change.desired
    if desired is None:
        _forget(context, project)
        return Outcome(
            change=change.id, kind=OutcomeKind.removed, message="Posted updates stay as they are."
        )
    note = _notes(context).get(project)
    known = part(note, "health") or part(change.before, "health")
    if not known or known == part(desired, "health"):
        posted = part(note, "id") or change.remote_id
        _keep(context, project, desired, "" if posted == NOTED else posted, part(note, "day"))
        return Outcome(
            change=change.id,
            kind=OutcomeKind.unchanged,
            applied=desired,
            remote_id=posted or NOTED,
            message="Noted; an update is posted when the health changes.",
        )
    today = _today(context)
    given = {"body": _body(context, desired), "health": part(desired, "health")}
    posted = part(note, "id")
    if posted and part(note, "day") == today:
        return [Op(change.id, UPDATE_UPDATE, {"id": posted, "input": given})]
    id_ = own_id(change.slot, salt=today)
    return [
        Op(
            change.id,
            UPDATE_CREATE,
            {"input": {"id": id_, "projectId": project, **given}},
            instead=Op(change.id, UPDATE_UPDATE, {"id": id_, "input": given}),
        )
    ]


def note(context: Context, change: Change, written: Outcome) -> Outcome:
    """Keep what was posted; its canonical form is the value, the body only words it."""
    if written.kind not in (OutcomeKind.created, OutcomeKind.updated):
        return written
    _keep(context, change.slot.target.id, change.desired, written.remote_id, _today(context))
    return msgspec.structs.replace(written, applied=change.desired)


def _body(context: Context, value: Value) -> str:
    # The address of a person's profile names them as well, unless it is no address any more.
    title = part(value, "title").translate(_ESCAPED).replace("://", "\\://")
    word = context.words.health_inline[_HEALTHS[part(value, "health")]]
    link = f"[{title}]({part(value, 'url').translate(_IN_URL)})"
    return f"{context.words.text('project_update', link=link, health=word)}\n\n{MARK}"


def _keep(context: Context, project: str, value: Value, id_: str, day: str) -> None:
    context.kept[KEPT] = {
        **_notes(context),
        project: {**_value(value), "id": id_, "day": day},
    }


def _forget(context: Context, project: str) -> None:
    notes = _notes(context)
    if notes.pop(project, None) is not None:
        context.kept[KEPT] = notes


def _today(context: Context) -> str:
    return context.runtime.clock.now().date().isoformat()
