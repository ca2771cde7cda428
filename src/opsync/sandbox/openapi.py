"""An OpenAPI document as a checker of logged requests and answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

from opsync.sandbox.vendor import Exchange

if TYPE_CHECKING:
    from opsync.sandbox.validate import Report

_ROOT = "urn:spec"
_METHODS = {"get", "put", "post", "delete", "patch"}
_SHOWN_PROBLEMS = 3
# Answers that a proxy or the limiter gives, whatever the operation documents.
_UNDOCUMENTED = {408, 425, 429, 500, 502, 503, 504}

Json = Any  # a node of the document, of any shape
Unlisted = Mapping[tuple[str, str], str]


class _Validator(Protocol):
    def problems(self, value: object) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class _Operation:
    method: str
    template: str
    path: re.Pattern[str]
    node: Json
    query: dict[str, Json]


@dataclass
class Spec:
    """The operations of a document; validators are made on first use and kept."""

    document: Json
    _operations: list[_Operation] = field(default_factory=list)
    _validators: dict[str, _Validator] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for template, methods in self.document["paths"].items():
            shared = methods.get("parameters", [])
            for method, node in methods.items():
                if method not in _METHODS:
                    continue
                named = [self._resolve(p) for p in [*shared, *node.get("parameters", [])]]
                query = {p["name"]: p for p in named if p["in"] == "query"}
                self._operations.append(
                    _Operation(method.upper(), template, _pattern(template), node, query)
                )
        # Fixed parts before parts with a variable, as servers match them.
        self._operations.sort(key=lambda operation: operation.template.count("{"))

    def check(self, exchange: Exchange, path: str, report: Report, unlisted: Unlisted) -> None:
        """Check one exchange whose path in the document's terms is `path`."""
        operation = self._find(exchange.method, path)
        if operation is None:
            for (method, template), reason in unlisted.items():
                if method == exchange.method and _pattern(template).fullmatch(path):
                    report.skipped[f"{method} {template}: {reason}"] += 1
                    return
            report.problem(exchange, "no such operation in the spec")
            return
        self._check_request(operation, exchange, report)
        self._check_answer(operation, exchange, report)

    def _find(self, method: str, path: str) -> _Operation | None:
        for operation in self._operations:
            if operation.method == method and operation.path.fullmatch(path):
                return operation
        return None

    def _check_request(self, operation: _Operation, exchange: Exchange, report: Report) -> None:
        report.requests += 1
        given = parse_qsl(exchange.query, keep_blank_values=True)
        for name, value in given:
            parameter = operation.query.get(name) or operation.query.get(name.removesuffix("[]"))
            if parameter is None:
                report.problem(exchange, f"unknown query parameter {name}")
            elif (wrong := _wrong_scalar(parameter.get("schema", {}), value)) is not None:
                report.problem(exchange, f"query parameter {name}: {wrong}")
        for name, parameter in operation.query.items():
            if parameter.get("required") and name not in dict(given):
                report.problem(exchange, f"query parameter {name} is missing")
        body = operation.node.get("requestBody")
        if body is None:
            if exchange.request_body:
                report.problem(exchange, "a body where none is documented")
            return
        body = self._resolve(body)
        if not exchange.request_body:
            if body.get("required"):
                report.problem(exchange, "the body is missing")
            return
        self._check_json(exchange, report, "request", exchange.request_body, body)

    def _check_answer(self, operation: _Operation, exchange: Exchange, report: Report) -> None:
        if exchange.faulted:
            report.skipped["answer made by a fault"] += 1
            return
        answers = operation.node["responses"]
        documented = answers.get(str(exchange.status)) or answers.get("default")
        if documented is None:
            if exchange.status in _UNDOCUMENTED or exchange.status >= 400:
                report.skipped[f"answer {exchange.status} is not documented there"] += 1
            else:
                report.problem(exchange, "a status that is not documented")
            return
        documented = self._resolve(documented)
        if self._schema(documented) is None:
            report.skipped[f"answer {exchange.status} has no documented body"] += 1
            return
        report.answers += 1
        self._check_json(exchange, report, "answer", exchange.answer_body, documented)

    def _check_json(
        self, exchange: Exchange, report: Report, what: str, body: bytes, holder: Json
    ) -> None:
        try:
            value = json.loads(body)
        except ValueError:
            report.problem(exchange, f"the {what} is no JSON")
            return
        schema = self._schema(holder)
        if schema is not None:
            for problem in self._validator(schema).problems(value):
                report.problem(exchange, f"{what} {problem}")

    def _schema(self, holder: Json) -> Json | None:
        content = holder.get("content") or {}
        return (content.get("application/json") or {}).get("schema")

    def _resolve(self, node: Json) -> Json:
        while "$ref" in node:
            at = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                at = at[part.replace("~1", "/").replace("~0", "~")]
            node = at
        return node

    def _validator(self, schema: Json) -> _Validator:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = _SchemaValidator(self.document, schema)
        return self._validators[key]


class _SchemaValidator:
    """Validates against one schema of the document, in the dialect of its OpenAPI version."""

    def __init__(self, document: Json, schema: Json) -> None:
        from openapi_schema_validator import OAS30Validator, OAS31Validator
        from referencing import Registry, Resource
        from referencing.jsonschema import DRAFT202012

        old = str(document["openapi"]).startswith("3.0")
        resource = Resource.from_contents(_absolute(document), DRAFT202012)
        registry: Any = Registry().with_resource(_ROOT, resource)
        dialect = OAS30Validator if old else OAS31Validator
        self._validator = dialect(_absolute(schema), registry=registry)

    def problems(self, value: object) -> list[str]:
        found = []
        for error in self._validator.iter_errors(value):
            where = "/".join(str(part) for part in error.absolute_path) or "as a whole"
            found.append(f"{where}: {error.message[:200]}")
        return found[:_SHOWN_PROBLEMS]


def _absolute(node: Json) -> Json:
    """A copy whose local references name the document."""
    if isinstance(node, dict):
        return {
            key: _ROOT + value
            if key == "$ref" and isinstance(value, str) and value.startswith("#")
            else _absolute(value)
            for key, value in node.items()
        }
    return [_absolute(part) for part in node] if isinstance(node, list) else node


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{\w+\}", template)
    return re.compile("[^/]+".join(map(re.escape, parts)))


def _wrong_scalar(schema: Json, value: str) -> str | None:
    kind = schema.get("type")
    if kind == "integer" and not re.fullmatch(r"-?\d+", value):
        return f"{value!r} is no whole number"
    if kind == "boolean" and value not in {"true", "false"}:
        return f"{value!r} is not true or false"
    if "enum" in schema and value not in map(str, schema["enum"]):
        return f"{value!r} is not one of the documented values"
    return None


def unchanged(document: Json) -> None:
    """The document as it is."""


def load(path: Path, amend: Callable[[Json], None] = unchanged) -> Spec:
    """The document at `path`, parsed once a process and version of the file.

    `amend` may add to the document what it lacks.
    """
    return _load(path, path.stat().st_mtime_ns, amend)


@lru_cache(maxsize=4)
def _load(path: Path, _version: int, amend: Callable[[Json], None]) -> Spec:
    document = json.loads(path.read_bytes())
    amend(document)
    return Spec(document)
