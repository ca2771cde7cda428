"""The measured programs. Each reads all issues from one address into a new SQLite file.

    python -m bench.programs limit|opsync|opsync-again|plain URL FILE

prints one JSON object: processor and wall seconds of the work without start-up, the peak of the
process's resident memory in MiB, and how many rows were stored.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsync.config import Config

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON")
RUN = 1


def new_store(path: Path) -> None:
    """An empty store with opsync's own tables and indexes."""
    from opsync.store import upgrade

    upgrade(path)


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


async def limit(url: str, path: Path) -> int:
    """httpx with the next page fetched ahead, the connector's typed structures, the same rows."""
    import httpx
    import msgspec

    from opsync_jira import wire

    custom = (("points", "customfield_10016"), ("flagged", "customfield_10021"))
    decode = msgspec.json.Decoder(wire.page_type(custom)).decode
    encode = msgspec.json.encode
    fields = [*wire.SYSTEM, *(name for _, name in custom)]
    connection = connect(path)
    stored = 0

    async def page(client: httpx.AsyncClient, token: str | None) -> bytes:
        body: dict[str, Any] = {"jql": "created >= 0", "fields": fields, "maxResults": 100}
        if token is not None:
            body["nextPageToken"] = token
        return (await client.post(f"{url}/rest/api/3/search/jql", json=body)).content

    def next_token(body: bytes) -> str | None:
        tail = body[-200:]
        at = tail.rfind(b'"nextPageToken":"')
        return None if at < 0 else tail[at + 17 :].split(b'"')[0].decode()

    async with httpx.AsyncClient() as client:
        body = await page(client, None)
        while body:
            token = next_token(body)
            ahead = asyncio.create_task(page(client, token)) if token else None
            await asyncio.sleep(0)
            issues = decode(body).issues
            records, aliases, parents, mentions = [], [], [], []
            for one in issues:
                ref = f"jira:issue:{one.id}"
                status = one.fields.status
                content = encode(one)
                records.append(
                    (
                        ref,
                        "jira",
                        "issue",
                        "issue",
                        status.category.key if status else "",
                        one.key,
                        one.fields.summary,
                        one.fields.project.name if one.fields.project else "",
                        "",
                        blake2b(one.key.encode(), digest_size=16).hexdigest(),
                        "",
                        RUN,
                        RUN,
                        "issues",
                        content[:1100],
                    )
                )
                aliases.append((one.key, "jira", ref))
                if one.fields.parent is not None:
                    parents.append((ref, f"jira:issue:{one.fields.parent.id}"))
                if b" see PAY-" in bytes(one.fields.description):
                    mentions.append((ref, one.key, "", "description", 0, one.key))
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(INSERTS["records"], records)
            connection.executemany(INSERTS["aliases"], aliases)
            connection.executemany(INSERTS["parents"], parents)
            connection.executemany(INSERTS["mentions"], mentions)
            connection.execute("COMMIT")
            stored += len(records)
            body = await ahead if ahead is not None else b""
    connection.close()
    return stored


INSERTS = {
    "records": "INSERT INTO records (ref, instance, stream, kind, category, key, title, space,"
    " tombstone, hash, seen_hash, changed_in, seen_changed_in, feed, body)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "aliases": "INSERT INTO aliases (alias, instance, ref) VALUES (?,?,?)",
    "parents": "INSERT INTO parents (child, parent) VALUES (?,?)",
    "mentions": "INSERT INTO mentions (source, alias, instance, field, property, text)"
    " VALUES (?,?,?,?,?,?)",
}


def configured(url: str, path: Path) -> Config:
    """A configuration of one Jira."""
    from opsync.config import build

    jira = {
        "connector": "jira",
        "site": "https://bench.example",
        "base_url": url,
        "email": "bench@example.com",
        "token": "bench-not-a-secret",
    }
    return build({"store": str(path), "instances": {"jira": jira}})


async def opsync(url: str, path: Path) -> int:
    """One whole pass of opsync: sign-in, fields, pull, normalize, store, link, roll up, plan."""
    from opsync.engine.session import open_session

    async with open_session(configured(url, path), "bench") as session:
        return (await session.sync("bench")).records


async def plain(url: str, path: Path) -> int:
    """The loop that most scripts are: httpx, pydantic, one page after the other."""
    import httpx
    from pydantic import BaseModel

    class Named(BaseModel):
        id: str
        name: str

    class StatusCategory(BaseModel):
        key: str

    class Status(Named):
        statusCategory: StatusCategory  # noqa: N815 - the vendor's name

    class Person(BaseModel):
        accountId: str  # noqa: N815 - the vendor's name
        displayName: str  # noqa: N815 - the vendor's name

    class Parent(BaseModel):
        id: str

    class Fields(BaseModel):
        summary: str
        status: Status
        issuetype: Named
        project: Named
        priority: Named
        assignee: Person | None
        parent: Parent | None = None
        labels: list[str]
        created: datetime
        updated: datetime
        resolutiondate: datetime | None
        description: dict[str, Any] | None
        customfield_10016: float | None

    class Issue(BaseModel):
        id: str
        key: str
        fields: Fields

    class Page(BaseModel):
        issues: list[Issue]
        nextPageToken: str | None = None  # noqa: N815 - the vendor's name

    connection = connect(path)
    stored = 0
    token: str | None = None
    async with httpx.AsyncClient() as client:
        while True:
            body: dict[str, Any] = {"jql": "created >= 0", "fields": ["*all"], "maxResults": 100}
            if token:
                body["nextPageToken"] = token
            answer = await client.post(f"{url}/rest/api/3/search/jql", json=body)
            page = Page.model_validate(answer.json())
            rows = [
                (
                    f"jira:issue:{one.id}",
                    "jira",
                    "issue",
                    "issue",
                    one.fields.status.name,
                    one.key,
                    one.fields.summary,
                    "",
                    "",
                    "",
                    "",
                    RUN,
                    RUN,
                    "issues",
                    one.model_dump_json().encode()[:1100],
                )
                for one in page.issues
            ]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(INSERTS["records"], rows)
            connection.executemany(INSERTS["aliases"], [(row[5], "jira", row[0]) for row in rows])
            connection.executemany(
                INSERTS["parents"],
                [
                    (f"jira:issue:{one.id}", f"jira:issue:{one.fields.parent.id}")
                    for one in page.issues
                    if one.fields.parent is not None
                ],
            )
            connection.execute("COMMIT")
            stored += len(rows)
            token = page.nextPageToken
            if not token:
                break
    connection.close()
    return stored


PROGRAMS: dict[str, Callable[[str, Path], Any]] = {
    "limit": limit,
    "opsync": opsync,
    "opsync-again": opsync,
    "plain": plain,
}


def warm_up(name: str, url: str, path: Path) -> None:
    """Import what the program needs and make its store, so that start-up is not measured."""
    import httpx  # noqa: F401
    import pydantic  # noqa: F401

    import opsync_jira  # noqa: F401

    new_store(path)
    if name.startswith("opsync"):
        import opsync.engine.session
        import opsync.http.client
        import opsync.http.pool  # noqa: F401

        configured(url, path)


def main() -> None:
    name, url, path = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    warm_up(name, url, path)
    before, wall = time.process_time(), time.perf_counter()
    stored = asyncio.run(PROGRAMS[name](url, path))
    spent = {"cpu_s": time.process_time() - before, "wall_s": time.perf_counter() - wall}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**spent, "peak_mib": peak, "stored": stored}))


if __name__ == "__main__":
    main()
