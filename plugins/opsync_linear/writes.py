"""From a change to the mutations that make it so, and back to its outcome. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec
from msgspec import Struct

from opsync import BadAnswer, Change, Outcome, OutcomeKind, Value, Verb
from opsync_linear.batch import (
    ATTACHMENT_CREATE,
    ATTACHMENT_DELETE,
    ATTACHMENT_UPDATE,
    LINK_CREATE,
    LINK_DELETE,
    LINK_UPDATE,
    UPDATE_UPDATE,
    Done,
    Op,
)
from opsync_linear.marks import LINK, own_id
from opsync_linear.values import of_attachment, of_external_link, part
from opsync_linear.wire import Attachment, ExternalLink

REMOVED = "Somebody removed it in Linear."
HALFWAY = "Linear may have carried it out: the answer told only of another write's refusal."
_UPDATES_BY_ID = (ATTACHMENT_UPDATE, LINK_UPDATE, UPDATE_UPDATE)
_KINDS = {
    Verb.create: OutcomeKind.created,
    Verb.update: OutcomeKind.updated,
    Verb.remove: OutcomeKind.removed,
}


class Update(Struct, frozen=True):
    """A project update as it was written or read."""

    id: str
    health: str
    body: str


class Payload(Struct, frozen=True, rename="camel"):
    """What a mutation answers."""

    success: bool
    attachment: Attachment | None = None
    entity_external_link: ExternalLink | None = None
    project_update: Update | None = None


def plan(change: Change) -> list[Op] | Outcome:
    """The mutations for a link or a rollup, or the outcome where nothing is to be done."""
    on_issue = change.slot.surface == LINK
    if change.desired is None:
        if not change.remote_id:
            return Outcome(change=change.id, kind=OutcomeKind.removed)
        delete = ATTACHMENT_DELETE if on_issue else LINK_DELETE
        going = [id_ for id_ in (change.remote_id, change.left) if id_]
        return [Op(change.id, delete, {"id": id_}, missing_is_done=True) for id_ in going]
    return _attachment(change, change.desired) if on_issue else _external_link(change)


def replaces(change: Change) -> bool:
    """Whether a new attachment takes the place of one that opsync made: the URL is another one."""
    if change.slot.surface != LINK or change.desired is None or change.before is None:
        return False
    return bool(change.remote_id) and part(change.before, "url") != part(change.desired, "url")


def _attachment(change: Change, desired: Value) -> list[Op]:
    """The mutations for a link on an issue.

    What opsync made before is updated by its id, so that one that a person removed does not come
    back; a new URL is a new attachment, after which the old one goes.
    """
    shown = {
        "title": part(desired, "title"),
        "subtitle": part(desired, "subtitle"),
        "metadata": {"opsync": part(desired, "ref"), "status": part(desired, "status")},
    }
    url = part(desired, "url")
    going = [change.left] if change.left else []
    if change.remote_id and part(change.before, "url") == url:
        ops = [Op(change.id, ATTACHMENT_UPDATE, {"id": change.remote_id, "input": shown})]
    else:
        given = {"issueId": change.slot.target.id, "url": url, **shown}
        ops = [Op(change.id, ATTACHMENT_CREATE, {"input": given})]
        if replaces(change):
            going.insert(0, change.remote_id)
    delete = partial(Op, change.id, ATTACHMENT_DELETE, missing_is_done=True)
    return ops + [delete({"id": id_}) for id_ in going]


def _external_link(change: Change) -> list[Op]:
    """The mutation for a link or a rollup on a project or an initiative.

    A create carries an id that a repeat would carry too, and another one where that is used up.
    """
    given = {"url": part(change.desired, "url"), "label": part(change.desired, "label")}
    if change.remote_id and change.before is not None:
        return [Op(change.id, LINK_UPDATE, {"id": change.remote_id, "input": given})]
    owner = f"{change.slot.target.stream}Id"

    def create(id_: str, again: Op | None) -> Op:
        return Op(
            change.id,
            LINK_CREATE,
            {"input": {"id": id_, owner: change.slot.target.id, **given}},
            instead=Op(change.id, LINK_UPDATE, {"id": id_, "input": given}),
            again=again,
        )

    return [create(own_id(change.slot), create(own_id(change.slot, salt="again"), None))]


def outcome(change: Change, ops: Sequence[Op], results: Sequence[Done]) -> Outcome:
    """What came of a change: done when each of its mutations is."""
    for done in results:
        if done.refusal is None:
            continue
        if done.unknown:
            return _in_doubt(change, str(done.refusal))
        removed = done.refusal.missing and done.op.mutation in _UPDATES_BY_ID
        return Outcome(
            change=change.id,
            kind=OutcomeKind.conflicted if removed else OutcomeKind.failed,
            request_id=done.request_id,
            message=REMOVED if removed else str(done.refusal),
            retryable=done.refusal.passes,
        )
    if any(done.unknown for done in results):
        return _in_doubt(change, HALFWAY)
    if len(results) < len(ops):
        return Outcome(change=change.id, kind=OutcomeKind.failed, message="It was not carried out.")
    applied: Value = None
    remote_id, trace = "", ""
    for done in results:
        trace = trace or done.request_id
        if done.payload is None:
            continue
        payload = _payload(done)
        if not payload.success:
            return Outcome(
                change=change.id,
                kind=OutcomeKind.failed,
                request_id=trace,
                message="Linear did not carry it out, and gave no reason.",
            )
        if payload.attachment is not None:
            applied, remote_id = of_attachment(payload.attachment), payload.attachment.id
        elif payload.entity_external_link is not None:
            link = payload.entity_external_link
            applied, remote_id = of_external_link(link), link.id
        elif payload.project_update is not None:
            remote_id = payload.project_update.id
    return Outcome(
        change=change.id,
        kind=_KINDS[change.verb],
        applied=applied,
        remote_id=remote_id,
        request_id=trace,
    )


def _in_doubt(change: Change, why: str) -> Outcome:
    return Outcome(change=change.id, kind=OutcomeKind.failed, message=why, unknown=True)


def _payload(done: Done) -> Payload:
    try:
        return msgspec.json.decode(done.payload or b"", type=Payload)
    except msgspec.MsgspecError as error:
        raise BadAnswer(f"Linear's answer to {done.op.mutation.name}: {error}.") from error
