"""Objects that Linear's servers produced become records without an exception."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from opsync.model import Record
from opsync_linear.normalize import normalize
from opsync_linear.wire import Issue, Project
from tests.plugins.linear.conftest import settings


def _issue(data: dict[str, Any], url: str) -> Issue:
    """A webhook's issue in the shape of the API: it has no key of its own and lists its labels."""
    team = {"visibility": "public", **data["team"]}
    shaped = data | {
        "identifier": f"{team['key']}-{data['number']}",
        "url": url,
        "team": team,
        "labels": {"nodes": data.get("labels", [])},
    }
    shaped.pop("parent", None)
    return msgspec.json.decode(json.dumps(shaped), type=Issue)


def _project(data: dict[str, Any], url: str) -> Project:
    """A webhook's project in the shape of the API: its status used to be one word."""
    state = data.get("state", "backlog")
    shaped = data | {"url": url, "status": {"id": state, "name": state, "type": state}}
    return msgspec.json.decode(json.dumps(shaped), type=Project)


def _records(folder: Path) -> list[Record]:
    found: list[Record] = []
    for file in sorted(folder.glob("*.json")):
        event = json.loads(file.read_text("utf-8"))
        if event.get("type") not in ("Issue", "Project") or "data" not in event:
            continue
        shape = _issue if event["type"] == "Issue" else _project
        raw = shape(event["data"], event.get("url", ""))
        found += normalize("linear", settings(), event["type"].lower(), raw)
    return found


def test_recorded_issues_and_projects_become_records(data_dir: Path) -> None:
    folder = data_dir / "linear-webhooks"
    if not folder.is_dir():
        pytest.skip("linear-webhooks absent")

    records = _records(folder)

    assert len(records) > 5
    assert all(record.title and record.updated_at for record in records)
    assert {record.kind for record in records} == {"issue", "project"}
