"""One place that people write into, give up, take back, undo and release, in any order.

Their text goes from there by their own hand, by a run after they let opsync have the place, or by
the undo of the very undo that gave it back; and by nothing else. Whatever happened, a release of
everything takes opsync's value away and leaves theirs.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from opsync.engine.owning import keep_released, owned_entries, remove_released, resolve, unsettled
from opsync.engine.undoing import undo, writes_of
from opsync.model.ledger import Entry, plain
from opsync.model.rules import HELD_FOR
from tests.scenarios.test_edits import carry_out
from tests.scenarios.test_taking_back_interrupted import RELEASE
from tests.support.world import World

NAME = "One-tap checkout"
COLUMN = "Delivery"


class Words(RuleBasedStateMachine):
    """The cell "Delivery" of one page, and all that can be said about it."""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory(prefix="opsync-words-")
        self.world = World(Path(self.folder.name))
        self.written = 0
        """How many texts people wrote there: each is another one."""
        self.given_up = ""
        """The text that opsync's value may replace, as somebody said."""
        self.kept = False
        """Whether what opsync wrote was left to people."""
        self.runs: list[int] = []
        self.run(self.world.sync())
        self.ref = self.run(self.world.record(NAME)).ref
        self.runs.append(self.run(self.last_run()))

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        try:
            if hasattr(self, "ref"):
                self.a_release_leaves_theirs_alone()
        finally:
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
            self.folder.cleanup()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        self.world.clock.advance(60)
        return self.loop.run_until_complete(work)

    # What stands there ---------------------------------------------------------------------

    def cell(self) -> str:
        columns = {one.name for one in self.world.source.schema.properties.values()}
        return self.world.checkout.text(COLUMN) if COLUMN in columns else ""

    def stays(self, work: Coroutine[Any, Any, Any], *, but_for: str = "") -> Any:
        """A person's text stays there whatever this does, but for this one."""
        before = self.cell()
        done = self.run(work)
        after = self.cell()
        if is_theirs(before) and before != but_for:
            assert after == before, f"{before} was lost: {after!r} stands there"
        if after != before:
            self.given_up = ""
        return done

    async def row(self) -> Entry | None:
        for one in await self.world.entries():
            if (one.slot.target, one.slot.surface) == (self.ref, "delivery"):
                return one
        return None

    async def last_run(self) -> int:
        async with self.world.session() as session:
            [last] = await session.store.last_runs(1)
            return last.seq

    # What people do and say ----------------------------------------------------------------

    @precondition(lambda self: COLUMN in self.columns())
    @rule(seen=st.booleans(), given_up=st.booleans())
    def a_person_writes(self, seen: bool, given_up: bool) -> None:
        self.written += 1
        self.world.notion.edit_page(self.world.checkout, COLUMN, f"Ben: {self.written}")
        if seen or given_up:
            self.stays(self.world.sync())
        if given_up:
            self.they_let_opsync_have_it()

    @precondition(lambda self: is_theirs(self.cell()))
    @rule()
    def they_let_opsync_have_it(self) -> None:
        row = self.run(self.row())
        if row is not None and unsettled(row):
            stands = plain(row.applied if row.observed is None else row.observed)
            self.stays(self.settle(row, "ours"))
            self.given_up = str(stands)

    @rule()
    def it_stays_as_it_is(self) -> None:
        row = self.run(self.row())
        if row is not None and unsettled(row):
            self.stays(self.settle(row, "theirs"))
            self.given_up = ""
            self.kept |= not is_theirs(self.cell())

    async def settle(self, row: Entry, side: Any) -> None:
        async with self.world.session("resolve") as session:
            at = self.world.clock.now()
            await resolve(session.config, session.store, [row], side, by="ana", at=at)

    # What opsync does ----------------------------------------------------------------------

    @rule(full=st.booleans(), lost=st.booleans(), moved=st.booleans())
    def a_pass(self, full: bool, lost: bool, moved: bool) -> None:
        """Work moved before it, or not, and answers may be lost."""
        if moved:
            done = self.world.jira.issue("PAY-3").status.name == "Done"
            self.world.jira.set_status("PAY-3", "To Do" if done else "Done")
        self.world.notion.faults.lose_next_writes = 9 if lost else 0
        self.world.clock.advance(7 * 3600)
        self.stays(self.world.sync(full=full), but_for=self.given_up)
        self.world.notion.faults.lose_next_writes = 0
        self.runs.append(self.run(self.last_run()))

    @rule()
    def it_is_approved_a_week_later(self) -> None:
        self.world.clock.advance(HELD_FOR.total_seconds())
        self.stays(self.world.sync(), but_for=self.given_up)
        row = self.run(self.row())
        approved = "" if row is None or row.observed is None else str(plain(row.observed))
        if self.run(carry_out_newest(self.world, but_for=approved, stays=self.cell)):
            self.given_up = ""
        self.runs.append(self.run(self.last_run()))

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, 9))
    def a_run_is_undone(self, which: int) -> None:
        run = self.runs[-1 - which % len(self.runs)]
        self.stays(self.undo(run=run), but_for=self.run(self.put_back_by(run)))
        self.runs.append(self.run(self.last_run()))

    @rule()
    def all_on_the_page_is_undone(self) -> None:
        self.stays(self.undo(item=self.ref))
        self.runs.append(self.run(self.last_run()))

    async def undo(self, **chosen: Any) -> None:
        async with self.world.session("undo") as session:
            rows = await writes_of(session.store, **chosen)
            command = f"opsync undo {chosen}"
            await undo(session, rows, why="undo", by="ana", command=command)

    async def put_back_by(self, run: int) -> str:
        """A person's text that this run put back: its undo may take that away again, as long as
        they have not said that it stays."""
        async with self.world.session() as session:
            rows = await session.store.journal(run=run, target=self.ref)
        row = await self.row()
        said = row is not None and row.hold is not None and not row.hold.note
        texts = [str(one.after) for one in rows if one.slot.surface == "delivery"]
        return texts[0] if texts and is_theirs(texts[0]) and not said else ""

    @rule(keep=st.booleans())
    def everything_is_released(self, keep: bool) -> None:
        before = self.run(self.row())
        self.stays(self.release(keep=keep))
        self.kept |= keep and before is not None and before.owned
        self.given_up = ""
        self.runs.append(self.run(self.last_run()))

    async def release(self, *, keep: bool) -> None:
        async with self.world.session("release") as session:
            found = await owned_entries(session.store, ceded=True)
            if keep:
                at = self.world.clock.now()
                await keep_released(session.store, found, by="ana", at=at)
                return
            await remove_released(session, found, by="ana", command=RELEASE, columns_of={"notion"})

    @rule()
    def the_store_is_lost(self) -> None:
        self.world.lose_store()
        self.given_up, self.runs = "", []
        self.stays(self.world.sync())
        self.runs.append(self.run(self.last_run()))

    def columns(self) -> set[str]:
        return {one.name for one in self.world.source.schema.properties.values()}

    def a_release_leaves_theirs_alone(self) -> None:
        self.stays(self.world.sync(), but_for=self.given_up)
        before = self.cell()
        self.stays(self.release(keep=False))
        after = self.cell()
        if is_theirs(before):
            assert after == before
        elif not self.kept:
            assert after == "", f"{after!r} was left behind"


def is_theirs(text: str) -> bool:
    """Whether a person wrote it."""
    return text.startswith("Ben: ")


async def carry_out_newest(world: World, *, but_for: str, stays: Any) -> bool:
    """Approve the newest plan and write it, if there is one; whether the text went."""
    async with world.session() as session:
        if await session.store.newest_plan() is None:
            return False
    before = stays()
    await carry_out(world)
    gone = bool(stays() != before)
    assert not (gone and is_theirs(before) and before != but_for), f"{before} was lost"
    return gone


def play(examples: int, steps: int) -> None:
    every = list(HealthCheck)
    run_state_machine_as_test(
        Words,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=True,
            suppress_health_check=every,
        ),
    )


def test_a_text_of_theirs_goes_by_their_word_alone() -> None:
    """I6"""
    play(3, 8)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_however_often_it_is_given_up_and_taken_back_it_goes_by_their_word_alone() -> None:
    """I6"""
    play(60, 14)
