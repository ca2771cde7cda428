"""A store with a whole portfolio in it: initiatives, their work and history, and what waits."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from opsync.config import Config, build
from opsync.model import (
    Category,
    Health,
    Kind,
    Member,
    Mention,
    Person,
    Record,
    Ref,
    Role,
    Rollup,
    Slot,
    Status,
    value_hash,
)
from opsync.model.ledger import Entry, stored
from opsync.model.rollup import Space
from opsync.runtime import Clock
from opsync.store import Prepared, Store

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
RULE = "roadmap"
ITEMS = 20
"""So many issues each initiative counts."""
TEAMS = ("Payments", "Growth", "Mobile", "Security", "Platform", "Data")
SAMPLES = 12
"""So often the numbers of each changed in six weeks."""
WORDS = [
    "one",
    "tap",
    "checkout",
    "instant",
    "payouts",
    "offline",
    "mode",
    "usage",
    "pricing",
    "partner",
    "rules",
    "export",
]


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, delay_s: float) -> None:
        raise AssertionError("nothing here waits")


def configured(path: Path) -> Config:
    """A configuration of one Jira and one roadmap in Notion, whose values wait for approval."""
    jira = {
        "connector": "jira",
        "site": "https://bench.example",
        "email": "bench@example.com",
        "token": "bench-not-a-secret",
    }
    notion = {
        "connector": "notion",
        "token": "bench-not-a-secret",
        "data_sources": [{"id": "00000000-0000-4000-8000-000000000001"}],
    }
    settings: dict[str, Any] = {
        "store": str(path),
        "instances": {"jira": jira, "notion": notion},
        "rollup": [{"name": RULE, "mode": "propose", "roots": {"instance": "notion"}}],
    }
    return build(settings)


def _kept(record: Record) -> Prepared:
    return Prepared(record, value_hash(record), value_hash(()))


def _issue(number: int, rng: random.Random) -> Record:
    category = rng.choice((Category.done, Category.in_progress, Category.todo))
    return Record(
        ref=Ref("jira", "issue", str(number)),
        kind=Kind.issue,
        key=f"PAY-{number}",
        title=" ".join(rng.sample(WORDS, 4)),
        url=f"https://bench.example/browse/PAY-{number}",
        status=Status(category.value, category.value, category),
        space="Payments",
    )


def _initiative(number: int, rng: random.Random) -> Record:
    return Record(
        ref=Ref("notion", "page", f"{number:08d}"),
        kind=Kind.initiative,
        title=f"{' '.join(rng.sample(WORDS, 3)).capitalize()} {number}",
        url=f"https://app.notion.com/p/{number:08d}",
        status=Status("s", "On track", Category.in_progress),
        owner=Person(str(number % 40), f"Owner {number % 40}"),
        mentions=(Mention(f"PAY-{number * ITEMS}", "", "Tracked in", property=True),),
    )


def _rollup(root: Record, done: int, total: int, number: int, rng: random.Random) -> Rollup:
    health = rng.choice(list(Health)[:4]) if done < total else Health.done
    doing = (total - done) // 2
    return Rollup(
        rule=RULE,
        root=root.ref,
        counts={
            Category.done: done,
            Category.in_progress: doing,
            Category.todo: total - done - doing,
        },
        done=done,
        total=total,
        blocked=number % 4,
        progress=done / total,
        health=health,
        reason="under 70 % within 14 days of due",
        due_on=date(2026, 12, 1) + timedelta(days=number % 90 - 20),
        spaces=(Space(TEAMS[number % 6], done, total), Space(TEAMS[(number + 1) % 6], 0, 0)),
        instances=("jira", "notion"),
        inputs=str(number),
    )


async def fill(path: Path, initiatives: int, seed: int = 7) -> None:
    """Make the store at `path`."""
    rng = random.Random(seed)
    clock: Clock = Still()
    store = Store.open(path, clock=clock)
    try:
        run = await store.begin_run("bench")
        roots = [_initiative(number, rng) for number in range(1, initiatives + 1)]
        for at in range(1, initiatives * ITEMS + 1, 1000):
            last = min(at + 1000, initiatives * ITEMS + 1)
            issues = [_kept(_issue(number, rng)) for number in range(at, last)]
            await store.put_batch(run, "jira", "issues", issues, [], advance_to=NOW)
        pages = [_kept(one) for one in roots]
        await store.put_batch(run, "notion", "roadmap", pages, [], advance_to=NOW)
        await _summed(store, run, roots, rng)
        await store.put_desired([entry for root in roots for entry in _waiting(root)])
        await store.finish_run(run, outcome="done", instances=[], counts={})
    finally:
        await store.close()


async def _summed(store: Store, run: int, roots: list[Record], rng: random.Random) -> None:
    for sample in range(SAMPLES):
        at = NOW - timedelta(days=42 - sample * 3.5)
        found = []
        for number, root in enumerate(roots, 1):
            done = ITEMS * (sample + number % 3) // (SAMPLES + 2)
            summed = _rollup(root, done, ITEMS, number, rng)
            first = (number - 1) * ITEMS + 1
            members = [
                Member(Ref("jira", "issue", str(each)), Role.leaf, root.ref, "Tracked in", top=True)
                for each in range(first, first + ITEMS)
            ]
            found.append((summed, members))
        await store.put_rollups(run, found, at=at)


def _waiting(root: Record) -> list[Entry]:
    """Two values of an initiative that wait for approval."""
    return [
        Entry(
            slot=Slot(root.ref, surface, RULE, root.ref),
            desired=stored(text),
            applied=stored(before),
            asked=stored(before),
            reason="At risk: under 70 % within 14 days of due",
            evidence=("12 of 20 items done", "rule roadmap"),
        )
        for surface, text, before in (
            ("delivery", "12 of 20 done · 3 blocked · Payments 8/12", "11 of 20 done · 3 blocked"),
            ("percent", "60 %", "55 %"),
        )
    ]


def bare(path: Path) -> int:
    """What no page can do without: the summaries and their initiatives, read from the file and
    decoded. Returns how many there are."""
    import sqlite3

    decode = msgspec.json.Decoder(Rollup).decode
    decode_record = msgspec.json.Decoder(Record).decode
    connection = sqlite3.connect(path)
    try:
        rollups = [decode(body) for (body,) in connection.execute("SELECT body FROM rollups")]
        roots = connection.execute(
            "SELECT body FROM records WHERE ref IN (SELECT root FROM rollups)"
        )
        found = [decode_record(body) for (body,) in roots]
        assert len(found) == len(rollups)
        return len(found)
    finally:
        connection.close()
