"""How many items are alike."""

from __future__ import annotations

from opsync.model import Category, Kind, Status
from opsync.store import Alike, Store
from tests.store.build import put, record

DONE = Status("6", "Done", Category.done)


async def test_living_items_of_one_instance_are_counted_by_what_makes_them_alike(
    store: Store,
) -> None:
    alike = {"status": DONE, "space": "Payments", "space_key": "PAY", "team": "Core"}
    await put(
        store,
        1,
        record("jira:1", **alike),
        record("jira:2", **alike, title="Another", labels=("x",)),
        record("jira:3", **alike, private=True),
        record("jira:4", **alike, extra={"resolution": "Won't Do"}),
        record("jira:5", **alike, tombstone="deleted"),
        record("jira:6"),
    )
    await put(store, 1, record("jira-two:7", **alike))
    assert await store.tallies("jira") == [
        (Alike(Kind.issue, DONE, "", "Payments", "PAY", "Core", False), 2),
        (Alike(Kind.issue, None, "", "", "", "", False), 1),
        (Alike(Kind.issue, DONE, "", "Payments", "PAY", "Core", True), 1),
        (Alike(Kind.issue, DONE, "Won't Do", "Payments", "PAY", "Core", False), 1),
    ]
    assert await store.tallies("notion") == []
