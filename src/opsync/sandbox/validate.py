"""Checks logged exchanges against the vendors' own machine-readable specs.

Used by tests and by the project's checks when the specs are present; the validators for OpenAPI
need `jsonschema` and `openapi-schema-validator`, which only development installs have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsync.sandbox.vendor import Exchange

Json = Any  # a node of a spec, of any shape


@dataclass
class Report:
    """What was checked and what was wrong.

    `requests` and `answers` count those checked against a schema, `skipped` what was not, by
    reason; `problems` has a line each, and is empty when all is well.
    """

    requests: int = 0
    answers: int = 0
    problems: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def problem(self, exchange: Exchange, what: str) -> None:
        line = f"{exchange.method} {exchange.path} {exchange.status}: {what}"
        if line not in self.problems:
            self.problems.append(line)


# Operations that exist, but not in the specs at hand.
_JIRA_UNLISTED = {
    ("GET", "/rest/api/3/resolution"): "the spec is trimmed; GET /resolution is documented",
    ("GET", "/rest/api/3/priority"): "the spec is trimmed; GET /priority is documented",
    ("GET", "/_edge/tenant_info"): "not part of the REST API",
}
_TIMESTAMP_SORT: Json = {
    "type": "object",
    "required": ["timestamp", "direction"],
    "properties": {
        "timestamp": {"enum": ["created_time", "last_edited_time"]},
        "direction": {"enum": ["ascending", "descending"]},
    },
    "additionalProperties": False,
}


def _amend_notion(document: Json) -> None:
    """Add what Notion documents and the document at hand is too old, or too loose, to have."""
    schemas = document.get("components", {}).get("schemas", {})
    if "sortObject" in schemas:
        # https://developers.notion.com/reference/sort-data-source-entries
        schemas["sortObject"] = {"anyOf": [schemas["sortObject"], _TIMESTAMP_SORT]}
    page = document["paths"].get("/v1/pages/{page_id}", {})
    if "patch" in page:
        # Since 2026-08-12 an update's answer can be limited to some columns, as a read's can.
        names = [p.get("name") for p in page["patch"].get("parameters", [])]
        if "filter_properties" not in names:
            limited = {"name": "filter_properties", "in": "query", "schema": {"type": "string"}}
            page["patch"].setdefault("parameters", []).append(limited)


_NOTION_UNLISTED = {
    ("PATCH", "/v1/databases/{database_id}"): "left out of the spec, which serves other tools",
    ("POST", "/v1/databases"): "left out of the spec, which serves other tools",
}


def validate_jira(exchanges: Iterable[Exchange], spec_path: Path) -> Report:
    """Check Jira Cloud exchanges against the OpenAPI document at `spec_path`.

    Requests: path, method, query parameters, body. Answers: the schema of their status. Paths
    behind the gateway count as their own; REST v2 is skipped: the document is v3's. Formats are
    not checked, because Jira's own timestamps break `date-time`.
    """
    from opsync.sandbox.openapi import load

    report = Report()
    spec = load(spec_path)
    for exchange in exchanges:
        path = exchange.path
        if path.startswith("/ex/jira/"):
            path = "/" + path.split("/", 4)[4]
        if path.startswith("/rest/api/2/"):
            report.skipped["REST v2"] += 1
        elif path.startswith("/rest/webhooks/"):
            report.skipped["webhooks of administrators have no document"] += 1
        else:
            spec.check(exchange, path, report, _JIRA_UNLISTED)
    return report


def validate_notion(exchanges: Iterable[Exchange], spec_path: Path) -> Report:
    """Check Notion exchanges against the loose OpenAPI document at `spec_path`.

    Paths, methods, query parameters and bodies of requests, as far as the document has schemas;
    of answers, errors and little more.
    """
    from opsync.sandbox.openapi import load

    report = Report()
    spec = load(spec_path, _amend_notion)
    for exchange in exchanges:
        spec.check(exchange, exchange.path, report, _NOTION_UNLISTED)
    return report


def validate_linear(exchanges: Iterable[Exchange], sdl_path: Path) -> Report:
    """Check GraphQL exchanges against the schema at `sdl_path`.

    Requests: the document parses and validates, and its variables coerce. Answers: every value is
    possible for the type of the field that was selected, and every selected field is there.
    """
    from opsync.sandbox.graphql_check import check, load

    report = Report()
    schema = load(sdl_path)
    for exchange in exchanges:
        check(schema, exchange, report)
    return report
