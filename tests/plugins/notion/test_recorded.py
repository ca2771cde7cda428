"""What Notion's own servers answered is read without an exception."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from opsync import Answer, OpsyncError
from opsync_notion.dialect import classify
from opsync_notion.normalize import normalize
from opsync_notion.pull import Row
from opsync_notion.queries import Broken, decode_rows
from opsync_notion.schema import compact, view
from opsync_notion.settings import DataSource
from opsync_notion.wire import DatabaseObject, DataSourceObject, Markdown, Me, Page, QueryAnswer

SOURCE = "1f0f6a1c-bbbb-4000-8000-000000000002"


@pytest.fixture(scope="module")
def exchanges(data_dir: Path) -> list[tuple[str, int, bytes]]:
    """Path, status and body of every recorded answer with a body."""
    return list(_exchanges(data_dir / "notion-sdk-py" / "tests" / "cassettes"))


def _exchanges(folder: Path) -> Iterator[tuple[str, int, bytes]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(folder.glob("*.yaml")):
        for one in yaml.load(path.read_text(), Loader=loader)["interactions"]:  # safe loaders only
            body = one["response"]["body"].get("string") or ""
            raw = body.encode() if isinstance(body, str) else body
            if raw.strip().startswith(b"{"):
                yield one["request"]["uri"], one["response"]["status"]["code"], raw


def _objects(value: Any, kind: str) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("object") == kind:
            yield value
        for inner in value.values():
            yield from _objects(inner, kind)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner, kind)


def test_every_page_becomes_a_record(exchanges: list[tuple[str, int, bytes]]) -> None:
    titles = []
    for _, status, body in exchanges:
        pages = [p for p in _objects(json.loads(body), "page") if "properties" in p]
        if status != 200 or not pages:
            continue
        for row in decode_rows(msgspec.Raw(json.dumps(pages).encode())):
            assert isinstance(row, Page), row
            table = compact(DataSourceObject(SOURCE))
            seen = view(table, DataSource(id=SOURCE), {}, {}, "")
            record = normalize("notion", Row(row, seen))
            titles.append(record.title)
            assert record.created_at is not None
    assert len(titles) > 50
    assert any(titles)


def test_every_schema_and_database_is_understood(
    exchanges: list[tuple[str, int, bytes]],
) -> None:
    sources = databases = 0
    for _, status, body in exchanges:
        payload = json.loads(body)
        if status != 200:
            continue
        for found in _objects(payload, "data_source"):
            sources += 1
            table = compact(msgspec.convert(found, DataSourceObject))
            assert len(table.columns) == len(found["properties"])
        for found in _objects(payload, "database"):
            databases += 1
            assert msgspec.convert(found, DatabaseObject).id
    assert sources > 10
    assert databases > 10


def test_query_user_and_markdown_answers_are_understood(
    exchanges: list[tuple[str, int, bytes]],
) -> None:
    counts = {"query": 0, "me": 0, "markdown": 0}
    for uri, status, body in exchanges:
        path = uri.partition("?")[0]
        if status != 200:
            continue
        if path.endswith("/query") and "data_sources" in path:
            counts["query"] += 1
            found = msgspec.json.decode(body, type=QueryAnswer)
            assert not any(isinstance(row, Broken) for row in decode_rows(found.results))
        elif path.endswith("/users/me"):
            counts["me"] += 1
            assert msgspec.json.decode(body, type=Me).id
        elif path.endswith("/markdown") and json.loads(body)["object"] == "page_markdown":
            counts["markdown"] += 1
            msgspec.json.decode(body, type=Markdown)
    assert all(counts.values()), counts


def test_every_error_is_classified(exchanges: list[tuple[str, int, bytes]]) -> None:
    errors = [
        classify(Answer(status, {"content-type": "application/json"}, body, uri, "Notion"))
        for uri, status, body in exchanges
        if status >= 400
    ]
    assert len(errors) > 5
    assert all(isinstance(error, OpsyncError) for error in errors)
