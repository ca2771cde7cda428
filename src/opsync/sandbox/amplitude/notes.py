"""Annotations and their categories.

https://amplitude.com/docs/apis/analytics/chart-annotations
"""

from __future__ import annotations

from datetime import UTC, datetime

from opsync.sandbox.amplitude.call import Answer, Call
from opsync.sandbox.amplitude.problems import Problem
from opsync.sandbox.amplitude.state import Annotation, Category

FIELDS = frozenset({"label", "start", "category", "details", "end", "chart_id"})
CLEARED = frozenset({"end", "chart_id"})
"""Fields that null clears."""


def list_categories(call: Call) -> Answer:
    """All categories, or the one that is named."""
    held = call.project.held
    name = call.params.get("category")
    if name is None:
        return {"data": [_named(one) for one in held.categories.values()]}
    found = held.category(name)
    if found is None:
        raise Problem(404, "Category not found")
    return {"data": [_named(found)]}


def create_category(call: Call) -> Answer:
    """A new category. 409 where there is one of that name."""
    name = call.body.get("category")
    if not isinstance(name, str) or not name.strip():
        raise Problem(400, "Invalid field: category")
    if call.project.held.category(name) is not None:
        raise Problem(409, "Category already exists")
    made = call.project.add_category(name)
    return {"data": {"id": made.id, "category": made.name}}


def list_annotations(call: Call) -> Answer:
    """All annotations, or those of a category, a chart, or a range of time."""
    category, chart = call.params.get("category"), call.params.get("chart_id")
    if category is not None and chart is not None:
        raise Problem(400, "Invalid request: category and chart_id do not combine")
    found = [one for one in call.project.held.annotations.values() if not _hidden(call, one.id)]
    if category is not None:
        found = [one for one in found if one.category and one.category.name == category]
    if chart is not None:
        found = [one for one in found if one.chart_id in (None, chart)]
    if "start" in call.params:
        start = call.moment(call.params["start"], "start")
        found = [one for one in found if one.start >= start]
    if "end" in call.params:
        end = call.moment(call.params["end"], "end")
        found = [one for one in found if (one.end or one.start) <= end]
    return {"data": [shape(one) for one in found]}


def get_annotation(call: Call) -> Answer:
    """One annotation."""
    return {"data": shape(_annotation(call))}


def create_annotation(call: Call) -> Answer:
    """A new annotation. Its category must exist."""
    _check(call)
    label = call.body.get("label")
    if not label:
        raise Problem(400, "Invalid field: label")
    start = call.moment(call.body.get("start"), "start")
    made = call.project.add_annotation(str(label), start)
    try:
        _set(call, made)
    except Problem:
        del call.project.held.annotations[made.id]
        raise
    return {"data": shape(made)}


def update_annotation(call: Call) -> Answer:
    """Set the fields that are given."""
    found = _annotation(call)
    _check(call)
    _set(call, found)
    return {"data": shape(found)}


def delete_annotation(call: Call) -> Answer:
    """Remove an annotation."""
    del call.project.held.annotations[_annotation(call).id]
    return {"success": True}


def shape(annotation: Annotation) -> Answer:
    """An annotation as answers show it."""
    return {
        "id": annotation.id,
        "start": _moment(annotation.start),
        "details": annotation.details,
        "category": None if annotation.category is None else _named(annotation.category),
        "end": None if annotation.end is None else _moment(annotation.end),
        "label": annotation.label,
        "chart_id": annotation.chart_id,
    }


def _named(category: Category) -> Answer:
    return {"id": category.id, "name": category.name}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _hidden(call: Call, id_: int) -> bool:
    return str(id_) in call.project.faults.deny


def _annotation(call: Call) -> Annotation:
    found = call.project.held.annotations.get(int(call.ids[0]))
    if found is None or _hidden(call, found.id):
        raise Problem(404, "Annotation not found")
    return found


def _check(call: Call) -> None:
    """Raise Problem for a field that there is not, or one of the wrong type."""
    for name, value in call.body.items():
        cleared = value is None and name in CLEARED
        if name not in FIELDS or not (isinstance(value, str) or cleared):
            raise Problem(400, f"Invalid field: {name}")


def _set(call: Call, annotation: Annotation) -> None:
    body = call.body
    category = annotation.category
    if "category" in body:
        category = call.project.held.category(str(body["category"]))
        if category is None:
            raise Problem(404, "Category not found")
    start = call.moment(body["start"], "start") if "start" in body else annotation.start
    end = annotation.end
    if "end" in body:
        end = None if body["end"] is None else call.moment(body["end"], "end")
    annotation.category, annotation.start, annotation.end = category, start, end
    if "label" in body:
        annotation.label = str(body["label"])
    if "details" in body:
        annotation.details = str(body["details"])
    if "chart_id" in body:
        annotation.chart_id = None if body["chart_id"] is None else str(body["chart_id"])
