"""What the simulated PostHog does with annotations. All run with the project's lock held.

https://posthog.com/docs/api/annotations
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from opsync.sandbox.posthog.call import Call, paged
from opsync.sandbox.posthog.problems import invalid, not_allowed, unknown
from opsync.sandbox.posthog.shapes import Answer, annotation_shape
from opsync.sandbox.posthog.state import SCOPES, Annotation

CONTENT_MAX = 8192
PAGE = 1000


def list_annotations(call: Call) -> Answer:
    """Those that are not deleted, the latest day first."""
    terms = re.split(r"[\s,]+", call.params.get("search", "").replace("\x00", "").casefold())
    found = [
        one
        for one in call.project.state.annotations.values()
        if not one.deleted
        and not call.project.denies(one.id)
        and all(term in (one.content or "").casefold() for term in terms)
        and call.params.get("scope", one.scope) == one.scope
    ]
    never = datetime.min.replace(tzinfo=UTC)
    found.sort(key=lambda one: (one.date_marker or never, one.id), reverse=True)
    return paged(call, [annotation_shape(one) for one in found], PAGE)


def annotation(call: Call) -> Answer:
    return annotation_shape(_annotation(call, deleted_too=False))


def add_annotation(call: Call) -> Answer:
    project = call.project
    now = project.now()
    made = Annotation(project.state.new_id("annotation"), None, None, now, now, project.account)
    _change(made, call.body)
    project.state.annotations[made.id] = made
    return annotation_shape(made)


def change_annotation(call: Call) -> Answer:
    found = _annotation(call, deleted_too=True)
    _change(found, call.body)
    found.updated_at = call.project.now()
    return annotation_shape(found)


def delete_annotation(call: Call) -> Answer:
    raise not_allowed("DELETE")


def _annotation(call: Call, *, deleted_too: bool) -> Annotation:
    raw = call.ids[-1]
    found = call.project.state.annotations.get(int(raw)) if raw.isdecimal() else None
    if found is None or call.project.denies(found.id) or (found.deleted and not deleted_too):
        raise unknown()
    return found


def _change(annotation: Annotation, body: dict[str, object]) -> None:
    """Set the fields that a request may set, all or none of them."""
    content, marker = body.get("content"), body.get("date_marker")
    if isinstance(content, str) and len(content) > CONTENT_MAX:
        detail = f"Ensure this field has no more than {CONTENT_MAX} characters."
        raise invalid(detail, attr="content", code="max_length")
    if not isinstance(content, str | None):
        raise invalid("Not a valid string.", attr="content", code="invalid")
    at = _moment(marker) if marker is not None else None
    scope = body.get("scope", annotation.scope)
    if scope not in SCOPES:
        raise invalid(f'"{scope}" is not a valid choice.', attr="scope", code="invalid_choice")
    created_by = body.get("creation_type", annotation.creation_type)
    if created_by not in ("USR", "GIT"):
        detail = f'"{created_by}" is not a valid choice.'
        raise invalid(detail, attr="creation_type", code="invalid_choice")
    deleted = body.get("deleted", annotation.deleted)
    if not isinstance(deleted, bool):
        raise invalid("Must be a valid boolean.", attr="deleted", code="invalid")
    if "content" in body:
        annotation.content = content
    if "date_marker" in body:
        annotation.date_marker = at
    annotation.scope = scope
    annotation.creation_type = "GIT" if created_by == "GIT" else "USR"
    annotation.deleted = deleted


def _moment(raw: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(raw))
    except ValueError:
        detail = "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm..."
        raise invalid(detail, attr="date_marker", code="invalid") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
