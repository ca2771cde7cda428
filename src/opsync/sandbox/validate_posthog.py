"""Checks logged PostHog exchanges against PostHog's own OpenAPI document.

For tests and the project's checks where the document is present, as `opsync.sandbox.validate` is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from opsync.sandbox.validate import Report
from opsync.sandbox.vendor import Exchange

Json = Any  # a node of the document, of any shape

_METHODS = ("get", "post", "patch", "put", "delete")
_CONTENT_MAX = 8192
"""Characters of an annotation since 2026; the document still has the former 400."""

# What PostHog takes besides, as its own pages and its server's code have it.
_PARAMETERS = {
    "/api/projects/{project_id}/annotations/": ("scope", "date_from", "date_to"),
    "/api/projects/{project_id}/event_definitions/": ("limit", "offset", "search"),
    "/api/projects/{project_id}/insights/": ("filters_override", "saved", "search"),
}
_UNLISTED = {
    (
        "GET",
        "/api/personal_api_keys/@current/",
    ): "the document is trimmed; a key may ask for itself",
    ("GET", "/api/projects/"): "the document is trimmed; projects are documented",
    ("GET", "/api/projects/{project_id}/"): "the document is trimmed; projects are documented",
}


def validate_posthog(exchanges: Iterable[Exchange], spec_path: Path) -> Report:
    """Check PostHog exchanges against the OpenAPI document at `spec_path`.

    Requests: path, method, query parameters, body. Answers: the schema of their status. Fields
    that only answers have are not asked of requests, and those that the document calls texts
    although they hold what was computed are not looked into.
    """
    from opsync.sandbox.openapi import load

    report = Report()
    spec = load(spec_path, _amend)
    for exchange in exchanges:
        spec.check(exchange, exchange.path, report, _UNLISTED)
    return report


def _amend(document: Json) -> None:
    for path, names in _PARAMETERS.items():
        node = document["paths"].get(path, {}).get("get")
        if node is None:
            continue
        parameters = node.setdefault("parameters", [])
        known = {parameter["name"] for parameter in parameters}
        parameters += [
            {"name": name, "in": "query", "schema": {"type": "string"}}
            for name in names
            if name not in known
        ]
    for operations in document["paths"].values():
        for method in _METHODS:
            if method in operations:
                _amend_operation(operations[method])


def _amend_operation(operation: Json) -> None:
    asked = list(_objects(operation.get("requestBody", {})))
    answered = list(_objects(operation.get("responses", {})))
    for schema in asked:
        properties = schema["properties"]
        required = [
            name for name in schema.pop("required", ()) if not _read_only(properties.get(name, {}))
        ]
        if required:
            schema["required"] = required
    for schema in answered:
        for name, one in schema["properties"].items():
            if _read_only(one) and one.get("type") == "string" and "format" not in one:
                schema["properties"][name] = {}
    for schema in (*asked, *answered):
        content = schema["properties"].get("content", {})
        if "maxLength" in content:
            content["maxLength"] = _CONTENT_MAX


def _read_only(schema: Json) -> bool:
    return bool(schema.get("readOnly"))


def _objects(node: Json) -> Iterator[Json]:
    """Every schema of an object with properties, wherever it is in a node."""
    if isinstance(node, dict):
        if node.get("type") == "object" and isinstance(node.get("properties"), dict):
            yield node
        for part in node.values():
            yield from _objects(part)
    elif isinstance(node, list):
        for part in node:
            yield from _objects(part)
