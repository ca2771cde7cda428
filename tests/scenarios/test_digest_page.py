"""docs/digest.md shows what Harbor's week really is told as.

After an intended change, record it again:

    RECORD_DIGEST=1 python -m pytest -n0 tests/scenarios/test_digest_page.py
"""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from opsync.engine.digest import week
from opsync.engine.digestwords import LINES, as_markdown, told
from opsync.sandbox.harbor import build_harbor
from tests.support.clock import FakeClock
from tests.support.company import Company

PAGE = Path(__file__).resolve().parents[2] / "docs" / "digest.md"
_BLOCK = re.compile(r"(<!-- recorded -->\n)(.*?)(^<!-- end -->$)", re.MULTILINE | re.DOTALL)
_DAYS_S = 4 * 86_400


async def harbors_week(folder: Path) -> str:
    """Four days at Harbor: work is done and added, a date moves, and one date passes."""
    clock = FakeClock(datetime(2026, 11, 19, 12, tzinfo=UTC))
    harbor = build_harbor(now=clock.now)
    company = Company.of(harbor, folder, clock)
    await company.sync()
    clock.advance(_DAYS_S)
    harbor.jira.poke_move("PAY-118", "done")
    for title in ("Receipts by mail", "Refunds in parts"):
        harbor.jira.add_issue("PAY", title, parent="PAY-100", status="To Do")
    harbor.notion.edit_page(harbor.pages["Partner API"], "Due", date(2027, 1, 15))
    await company.sync()
    async with company.session() as session:
        found = await week(session.config, session.store, clock.now())
        return as_markdown(told(found, session.config.zone))


@pytest.mark.slow
async def test_the_page_shows_the_week_as_it_is_told(tmp_path: Path) -> None:
    text = await harbors_week(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("RECORD_DIGEST"):
        page = _BLOCK.sub(lambda block: f"{block[1]}{text}\n{block[3]}", page)
        PAGE.write_text(page, encoding="utf-8")
    shown = _BLOCK.search(page)
    assert shown is not None
    assert shown[2] == f"{text}\n", "record the page again"
    assert len(text.splitlines()) <= LINES
