"""The annotations of the application API. https://docs.mixpanel.com/reference/annotations-api"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from opsync.sandbox.mixpanel.state import Annotation, Refusal

if TYPE_CHECKING:
    from opsync.sandbox.mixpanel.project import MixpanelProject

Json = dict[str, object]
Params = Mapping[str, str]


def listed(project: MixpanelProject, params: Params) -> object:
    """All annotations from `fromDate` to `toDate`, both included."""
    first, last = _day(params, "fromDate", date.min), _day(params, "toDate", date.max)
    return _ok(
        [
            shape(project, one)
            for one in project.annotations.values()
            if first <= date.fromisoformat(one.date[:10]) <= last and not project.denies(one.id)
        ]
    )


def got(project: MixpanelProject, number: int) -> object:
    """One annotation."""
    return _ok(shape(project, _known(project, number)))


def created(project: MixpanelProject, body: Json) -> object:
    """A new annotation, by the service account."""
    _only(body, "date", "description", "tags")
    at = body.get("date")
    if not isinstance(at, str) or not _is_time(at):
        raise Refusal(400, "date must be in the format YYYY-MM-DD HH:mm:ss")
    made = Annotation(
        project.new_id(), at, _text(body), project.account, _tags(project, body.get("tags", []))
    )
    project.annotations[made.id] = made
    return _ok(shape(project, made))


def patched(project: MixpanelProject, number: int, body: Json) -> object:
    """The annotation with another description or other tags. Its date stays."""
    one = _known(project, number)
    _only(body, "description", "tags")
    if "description" in body:
        one.description = _text(body)
    if "tags" in body:
        one.tags = _tags(project, body["tags"])
    return _ok(shape(project, one))


def deleted(project: MixpanelProject, number: int) -> object:
    """The id of what was there."""
    del project.annotations[_known(project, number).id]
    return _ok({"id": number})


def tags(project: MixpanelProject) -> object:
    """All tags: a bare array, unlike everything else."""
    return [_tag(project, number) for number in project.tags]


def tag_created(project: MixpanelProject, body: Json) -> object:
    """A new tag."""
    _only(body, "name")
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise Refusal(400, "name is required")
    number = project.new_id()
    project.tags[number] = name
    return _tag(project, number)


def shape(project: MixpanelProject, one: Annotation) -> Json:
    """An annotation as it is answered."""
    return {
        "id": one.id,
        "date": one.date,
        "description": one.description,
        "user": {
            "id": one.author.id,
            "first_name": one.author.first_name,
            "last_name": one.author.last_name,
        },
        "tags": [{"id": number, "name": project.tags[number]} for number in one.tags],
    }


def _ok(results: object) -> Json:
    return {"status": "ok", "results": results}


def _tag(project: MixpanelProject, number: int) -> Json:
    used = any(number in one.tags for one in project.annotations.values())
    return {
        "id": number,
        "name": project.tags[number],
        "project_id": project.project_id,
        "has_annotations": used,
    }


def _known(project: MixpanelProject, number: int) -> Annotation:
    one = project.annotations.get(number)
    if one is None or project.denies(number):
        raise Refusal(404, f"annotation {number} not found")
    return one


def _only(body: Json, *names: str) -> None:
    for name in body:
        if name not in names:
            raise Refusal(400, f"{name} cannot be set")


def _text(body: Json) -> str:
    text = body.get("description")
    if not isinstance(text, str) or not text.strip():
        raise Refusal(400, "description is required")
    return text


def _tags(project: MixpanelProject, given: object) -> list[int]:
    if not isinstance(given, list) or not all(number in project.tags for number in given):
        raise Refusal(400, "tags must be ids of existing tags")
    return list(given)


def _day(params: Params, name: str, default: date) -> date:
    if name not in params:
        return default
    try:
        return date.fromisoformat(params[name])
    except ValueError:
        raise Refusal(400, f"{name} must be in the format yyyy-mm-dd") from None


def _is_time(text: str) -> bool:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").strftime("%Y-%m-%d %H:%M:%S") == text  # noqa: DTZ007 -- the vendor's times name no zone
    except ValueError:
        return False
