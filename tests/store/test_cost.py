"""A pass costs what changed, not what exists: its queries never go through all records."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import TextClause

from opsync.store import Store, links, plans, rollups


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (links._TO_LINK, {"since": 1}),
        (rollups._TOUCHED, {"since": 1, "rule": "roadmap"}),
        (links._NAMES_ANY, {"begin": "flag:", "end": "flag;", "instance": "posthog"}),
        (plans._CHANGED, {"since": 1}),
        (plans._PENDING, {"now": "2026", "most": 20, "modes": "abc"}),
        (plans._LEFT, {"modes": "abc"}),
    ],
    ids=[
        "sources_to_link",
        "roots_touched",
        "names_any",
        "targets_changed",
        "targets_pending",
        "left_waiting",
    ],
)
async def test_what_has_to_be_done_is_found_by_indexes(
    store: Store, query: TextClause, values: dict[str, Any]
) -> None:
    rows = store._database.read(
        lambda c: c.exec_driver_sql(f"EXPLAIN QUERY PLAN {query.text}", values).all()
    )
    steps = [str(row[3]) for row in rows]
    assert any("USING" in step for step in steps)
    whole = ("records", "r", "aliases", "a", "mentions", "m", "members", "links", "l", "ledger")
    whole += ("decisions", "d")
    assert [step for step in steps if step.startswith(tuple(f"SCAN {t} " for t in whole))] == []
    assert [step for step in steps if step in {f"SCAN {t}" for t in whole}] == []
