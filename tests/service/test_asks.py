"""What goes over the socket beside the store arrives as it was."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from opsync.model import Ref
from opsync.model.change import Slot
from opsync.model.ledger import NOTHING, Entry
from opsync.report import HeldSlot, PassReport, PlanReport
from opsync.service.asks import Answer, AskedInVain, AskReload, Synced, ask, socket_path


def held(observed: msgspec.Raw | None, intent: msgspec.Raw | None) -> HeldSlot:
    """A value that is not written."""
    page = Ref("notion", "page", "1")
    slot = Slot(page, "delivery", "roadmap", page)
    entry = Entry(slot=slot, desired=msgspec.Raw(b'"ours"'), observed=observed, intent=intent)
    return HeldSlot(entry, "held", "Notion", "Delivery", "SSO", "SSO", "edited by a person")


@pytest.mark.parametrize("observed", [None, NOTHING, msgspec.Raw(b'"theirs"'), msgspec.Raw(b"1")])
@pytest.mark.parametrize("intent", [None, NOTHING, msgspec.Raw(b'{"url":"https://x"}')])
def test_what_a_person_wrote_arrives(
    observed: msgspec.Raw | None, intent: msgspec.Raw | None
) -> None:
    report = PassReport(3, "opsync plan", plan=PlanReport(held=[held(observed, intent)]))

    line = msgspec.json.encode(Synced.of(report))
    answer = msgspec.json.decode(line, type=Answer)

    assert isinstance(answer, Synced)
    assert answer.whole() == report
    assert report.plan.held[0].entry.observed == observed


async def answered(store: Path, line: bytes) -> None:
    """Ask a service that says this and goes away."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(line)
        writer.close()

    async with await asyncio.start_unix_server(talk, socket_path(store)):
        await ask(store, AskReload())


async def test_an_answer_of_another_version_is_not_taken_for_an_end(tmp_path: Path) -> None:
    with pytest.raises(AskedInVain, match="does not understand"):
        await answered(tmp_path / "opsync.db", b'{"type":"knitted","rows":3}\n')


@pytest.mark.parametrize("line", [b"", b'{"type":"reloaded","conn'])
async def test_a_service_that_goes_away_is_told_as_that(tmp_path: Path, line: bytes) -> None:
    with pytest.raises(AskedInVain, match="ended before it answered"):
        await answered(tmp_path / "opsync.db", line)
