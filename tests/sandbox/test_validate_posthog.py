"""The check against PostHog's document finds what is wrong, and takes what is newer than it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opsync.sandbox.validate_posthog import validate_posthog
from opsync.sandbox.vendor import Exchange

PATH = "/api/projects/1/annotations/"
NOTE: dict[str, Any] = {
    "type": "object",
    "required": ["id", "updated_at"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "content": {"type": "string", "maxLength": 400},
        "updated_at": {"type": "string", "format": "date-time", "readOnly": True},
        "result": {"type": "string", "readOnly": True},
        "scope": {"enum": ["project", "dashboard_item"]},
    },
}
JSON = {"content": {"application/json": {"schema": NOTE}}}


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "posthog.json"
    operations = {
        "get": {"parameters": [], "responses": {"200": JSON}},
        "post": {"requestBody": JSON, "responses": {"201": JSON}},
    }
    whole = {
        "openapi": "3.0.3",
        "info": {"title": "A little PostHog", "version": "1"},
        "paths": {"/api/projects/{project_id}/annotations/": operations},
    }
    path.write_text(json.dumps(whole))
    return path


def post(body: dict[str, Any], **answer: Any) -> Exchange:
    told = json.dumps({"id": 1, "updated_at": "2026-11-22T00:00:00Z", **answer}).encode()
    return Exchange("POST", PATH, "", json.dumps(body).encode(), 201, told, reads=False)


def test_fields_of_answers_are_not_asked_of_requests_and_computed_ones_are_free(
    document: Path,
) -> None:
    report = validate_posthog([post({"content": "x" * 8192}, result=[1])], document)
    assert (report.requests, report.answers, report.problems) == (1, 1, [])


def test_what_the_server_takes_besides_is_taken(document: Path) -> None:
    note = json.dumps({"id": 1, "updated_at": ""}).encode()
    listed = Exchange("GET", PATH, "scope=project&search=x", b"", 200, note, reads=True)
    report = validate_posthog([listed], document)
    assert [problem for problem in report.problems if "scope" in problem] == []
    assert [problem for problem in report.problems if "search" in problem] != []


@pytest.mark.parametrize(
    ("exchange", "says"),
    [
        (post({"content": "x" * 8193}), "request content"),
        (post({"content": 5}), "not of type 'string'"),
        (post({"scope": "world"}), "not one of"),
        (post({}, id="one"), "not of type 'integer'"),
        (Exchange("GET", PATH, "colour=red", b"", 200, b"{}", True), "colour"),
        (Exchange("GET", "/api/projects/1/nowhere/", "", b"", 200, b"{}", True), "no such"),
    ],
)
def test_what_does_not_fit_is_a_problem(document: Path, exchange: Exchange, says: str) -> None:
    report = validate_posthog([exchange], document)
    assert says in " ".join(report.problems)


def test_what_the_document_leaves_out_is_skipped(document: Path) -> None:
    paths = ("/api/projects/", "/api/projects/1/", "/api/personal_api_keys/@current/")
    report = validate_posthog(
        [Exchange("GET", p, "", b"", 200, b"{}", True) for p in paths], document
    )
    assert report.problems == []
    assert sum(report.skipped.values()) == 3
