"""A store that an older opsync filled: brought to this version, nothing is lost or written anew."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from opsync.model import Ref
from opsync.model.ledger import HoldKind
from opsync.store.database import upgrade
from tests.scenarios.test_undoing import standing, three_runs, undo_run
from tests.support.world import World, jira_url

_SINCE_0002 = ("team", "estimate_unit", "estimates", "space_key", "hindrances", "subtask", "detail")
_TABLES = {
    "ledger": "SELECT * FROM ledger ORDER BY target, surface, rule, other",
    "journal": (
        "SELECT seq, run, at, change, target, surface, rule, other, verb, kind, before, desired,"
        " after, remote_id, request_id, message, reason, evidence, inputs FROM journal ORDER BY seq"
    ),
    "history": "SELECT * FROM rollup_history ORDER BY rule, root, at",
    "aliases": "SELECT * FROM aliases ORDER BY alias, instance",
    "members": "SELECT * FROM members ORDER BY rule, root, position",
    "links": "SELECT source, target FROM links ORDER BY source, target",
}


def rows(path: Path) -> dict[str, list[Any]]:
    with sqlite3.connect(path) as connection:
        found = {name: connection.execute(query).fetchall() for name, query in _TABLES.items()}
    connection.close()
    return found


def as_0001(path: Path) -> None:
    """Make of a store what revision 0001 would have kept: no table, column or field that came
    later, other digests, and evidence without its part."""
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("BEGIN")
        for table in (
            "decisions",
            "suggestions",
            "people",
            "metrics",
            "metric_days",
            "sightings",
            "plans",
            "deliveries",
        ):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP INDEX links_twin")
        for table, column in (
            ("links", "twin"),
            ("mentions", "part"),
            ("records", "owner"),
            ("touched", "relink"),
            ("approvals", "plan"),
            ("approvals", "inputs"),
            ("quarantine", "feed"),
            ("quarantine", "tries"),
            ("quarantine", "next_try_at"),
            ("ledger", "failed_at"),
            ("ledger", "waits"),
            ("ledger", "under"),
            ("ledger", "ceded"),
            ("journal", "theirs"),
            ("journal", "over"),
        ):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        for source, target, evidence in connection.execute(
            "SELECT source, target, evidence FROM links"
        ).fetchall():
            older = json.dumps([one[:3] for one in json.loads(evidence)]).encode()
            connection.execute(
                "UPDATE links SET evidence = ? WHERE source = ? AND target = ?",
                (older, source, target),
            )
        for ref, body in connection.execute("SELECT ref, body FROM records").fetchall():
            record = json.loads(body)
            for field in _SINCE_0002:
                record.pop(field, None)
            for mention in record.get("mentions", ()):
                mention.pop("part", None)
            connection.execute(
                "UPDATE records SET body = ?, hash = 'as it was' WHERE ref = ?",
                (json.dumps(record).encode(), ref),
            )
        connection.execute("UPDATE kept SET value = '\"as it was\"' WHERE key = 'derived-as'")
        connection.execute("DELETE FROM kept WHERE key = 'store:id'")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.execute("COMMIT")
    connection.close()


async def test_the_first_run_on_an_older_store_finds_all_as_it_is(settled: World) -> None:
    """F50"""
    before = rows(settled.store_path)
    as_0001(settled.store_path)
    upgrade(settled.store_path)
    await settled.silent()
    after = rows(settled.store_path)
    assert after["ledger"] == before["ledger"]
    assert after == before
    await settled.silent()


async def test_what_an_older_opsync_wrote_can_be_undone(settled: World) -> None:
    """Of its writes the journal does not say whose the value was that stood there before."""
    settled.jira.set_status("PAY-3", "Done")
    second = await settled.sync()
    before = standing(settled)
    as_0001(settled.store_path)
    upgrade(settled.store_path)
    done = await undo_run(settled, second.run)
    assert done.left == []
    assert standing(settled) != before
    assert {one.hold.kind for one in await settled.entries() if one.hold} == {HoldKind.undone}
    await three_runs(settled)


async def test_what_an_older_store_could_not_know_is_read_once_more(world: World) -> None:
    """Mirrors, owners and people come of records that no tool reports as changed."""
    world.jira.edit("PAY-3", assignee=world.jira.add_user("Ana Reyes"))
    copy = world.linear.add_issue(
        "GRO",
        "Tokenise cards",
        project="Checkout web",
        description=f"Points.\n\n---\nMirrored from {jira_url('PAY-3')} by Tandem Sync.",
    )
    await world.sync()
    before = await world.rollup(world.checkout)
    as_0001(world.store_path)
    upgrade(world.store_path)
    await world.silent()
    assert await world.rollup(world.checkout) == before
    async with world.session("look") as session:
        [sides] = await session.store.twins()
        people = await session.store.people()
    assert Ref("linear", "issue", copy.id) in sides.copies
    assert [one.name for one in people if one.instance == "jira-main"] == ["Ana Reyes"]
