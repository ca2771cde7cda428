"""Payloads that real servers produced are read without an exception, where they are at hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.plugins.jira.conftest import settings

from opsync import Answer, Category, sounds_like
from opsync_jira import wire
from opsync_jira.fields import choose
from opsync_jira.normalize import Normalizer
from opsync_jira.pages import batch_of, read_page
from opsync_jira.surfaces import canonical, seen


def rows(folder: Path, name: str) -> Iterator[Any]:
    with (folder / "jira-devlake" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(line for line in file if line.strip()):
            yield json.loads(row["data"])


def server(folder: Path, name: str) -> bytes:
    return (folder / "jira-go-jira" / "mock-data" / f"{name}.json").read_bytes()


def as_type(payload: object, type_: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(payload), type=type_)


def test_cloud_statuses_get_a_category_each(data_dir: Path) -> None:
    normalizer = Normalizer("jira-main", settings())
    statuses = [as_type(row, wire.Status) for row in rows(data_dir, "status")]

    categories = {normalizer.status(status, None).category for status in statuses}  # type: ignore[union-attr]

    assert len(statuses) == 53
    assert categories >= {Category.todo, Category.in_progress, Category.done}
    assert Category.unknown not in categories


def test_cloud_issues_made_of_recorded_parts_become_records(data_dir: Path) -> None:
    statuses, types = list(rows(data_dir, "status")), list(rows(data_dir, "issue_types"))
    projects, users = list(rows(data_dir, "projects")), list(rows(data_dir, "users"))
    issues = [
        {
            "id": str(number),
            "key": f"AB-{number}",
            "fields": {
                "summary": status["name"],
                "status": status,
                "issuetype": types[number % len(types)],
                "project": projects[number % len(projects)],
                "assignee": users[number % len(users)],
                "updated": "2022-07-16T06:27:15.411+0000",
            },
        }
        for number, status in enumerate(statuses)
    ]
    answer = Answer(200, {}, msgspec.json.encode({"issues": issues}))

    items, _ = read_page(answer, wire.page_type(()))
    normalizer = Normalizer("jira-main", settings())
    records = [normalizer.record(item.raw) for item in items]  # type: ignore[arg-type]

    assert [record.title for record in records] == [status["name"] for status in statuses]
    assert {record.space for record in records} == {project["name"] for project in projects}
    assert all(record.owner and record.owner.id for record in records)


def test_cloud_users_decode(data_dir: Path) -> None:
    users = [as_type(row, wire.User) for row in rows(data_dir, "users")]

    assert users
    assert all(user.account_id for user in users)


def test_remote_links_of_others_are_seen_as_theirs(data_dir: Path) -> None:
    links = [as_type(row, wire.RemoteLink) for row in rows(data_dir, "remotelinks")]
    links += msgspec.json.decode(server(data_dir, "remote_links"), type=list[wire.RemoteLink])

    found = [seen(link) for link in links]

    assert len(found) >= 153
    assert not any(one.ours for one in found)
    assert all(one.address.startswith("http") for one in found)
    assert [one.plain() for one in found] == [canonical(link) for link in links]


def test_server_issues_become_records(data_dir: Path) -> None:
    answer = Answer(200, {}, server(data_dir, "issues_in_sprint"))

    items, total = read_page(answer, wire.page_type((("epic", "customfield_10008"),)))
    normalizer = Normalizer("dc", settings(deployment="datacenter"))
    records = [normalizer.record(item.raw) for item in items]  # type: ignore[arg-type]

    assert total == 10
    assert len(records) == len(items) > 0
    assert all(record.status and record.space and record.owner for record in records)
    assert batch_of(items, resumable=True, not_after=datetime.max.replace(tzinfo=UTC)).high == max(
        record.updated_at for record in records if record.updated_at
    )


@pytest.mark.parametrize("name", ["all_statuses", "all_resolutions", "all_priorities"])
def test_server_metadata_decode(data_dir: Path, name: str) -> None:
    found = msgspec.json.decode(server(data_dir, name), type=list[wire.Named])

    assert found
    assert all(one.id and one.name for one in found)


def test_server_fields_are_searched_for_estimates_and_epics(data_dir: Path) -> None:
    listed = msgspec.json.decode(server(data_dir, "all_fields"), type=list[wire.Field])

    chosen = dict(choose(listed, settings(deployment="datacenter")))

    assert set(chosen) <= set(wire.CUSTOM)
    assert set(chosen.values()) <= {field.id for field in listed}


def test_server_resolutions_that_look_canceled_are_found(data_dir: Path) -> None:
    listed = msgspec.json.decode(server(data_dir, "all_resolutions"), type=list[wire.Named])

    names = {one.name for one in listed if sounds_like(one.name) is Category.canceled}

    assert "Won't Fix" in names
    assert "Fixed" not in names


def test_server_projects_and_link_types_decode(data_dir: Path) -> None:
    projects = msgspec.json.decode(server(data_dir, "all_projects"), type=list[wire.Project])
    types = msgspec.json.decode(server(data_dir, "all_issuelinktypes"), type=list[wire.Named])

    assert projects
    assert all(project.key and project.name for project in projects)
    assert any(one.name == "Blocked" for one in types)


def test_cloud_fields_are_searched_for_estimates_and_flags(data_dir: Path) -> None:
    listed = [as_type(row, wire.Field) for row in rows(data_dir, "issue_fields")]

    chosen = dict(choose(listed, settings()))

    assert any(field.schema and field.schema.custom for field in listed)
    assert set(chosen) <= set(wire.CUSTOM)
    assert set(chosen.values()) <= {field.id for field in listed}
