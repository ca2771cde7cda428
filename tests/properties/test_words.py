"""One place that people write into, give up, take back, undo and release, in any order.

Their text goes from there by their own hand, by a run after they let opsync have the place, or by
the undo of the very undo that gave it back; and by nothing else. Whatever happened, a release of
everything takes opsync's value away and leaves theirs.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from opsync.engine.owning import keep_released, owned_entries, remove_released, resolve, unsettled
from opsync.engine.undoing import undo, writes_of
from opsync.model.ledger import Entry, plain
from opsync.model.rules import HELD_FOR
from tests.scenarios.test_edits import carry_out
from tests.scenarios.test_taking_back_interrupted import RELEASE
from tests.support.world import World

NAME = "One-tap checkout"
COLUMN = "Delivery"
STEPS = 12


class Words:
    """The cell "Delivery" of one page, and all that can be said about it."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.world = World(folder)
        self.log: list[str] = []
        """What happened, for whoever reads of a failure."""
        self.written = 0
        """How many texts people wrote there: each is another one."""
        self.given_up = ""
        """The text that opsync's value may replace, as somebody said."""
        self.kept = self.done = False
        """Whether what opsync wrote was left to people."""
        self.runs: list[int] = []
        self.run(self.world.sync())
        self.ref = self.run(self.world.record(NAME)).ref
        self.runs.append(self.run(self.last_run()))

    def end(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

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

    def a_person_writes(self, seen: bool, given_up: bool) -> None:
        if COLUMN not in self.columns():
            return
        self.written += 1
        self.world.notion.edit_page(self.world.checkout, COLUMN, f"Ben: {self.written}")
        if seen or given_up:
            self.stays(self.world.sync())
        if given_up:
            self.they_let_opsync_have_it()

    def they_let_opsync_have_it(self) -> None:
        row = self.run(self.row())
        if row is not None and unsettled(row) and is_theirs(self.cell()):
            stands = plain(row.applied if row.observed is None else row.observed)
            self.stays(self.settle(row, "ours"))
            self.given_up = str(stands)

    def they_have_it_back(self) -> None:
        """They let opsync have it, a run writes, and that is undone."""
        if COLUMN in self.columns():
            self.a_person_writes(seen=True, given_up=True)
            self.a_pass(full=False, lost=False, moved=True)
            self.a_run_is_undone(1)

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

    def a_pass(self, full: bool, lost: bool, moved: bool) -> None:
        """Work moved before it, or not, and answers may be lost."""
        if moved:
            self.done = not self.done
            self.world.jira.set_status("PAY-3", "Done" if self.done else "To Do")
        self.world.notion.faults.lose_next_writes = 9 if lost else 0
        self.world.clock.advance(7 * 3600)
        self.stays(self.world.sync(full=full), but_for=self.given_up)
        self.world.notion.faults.lose_next_writes = 0
        self.runs.append(self.run(self.last_run()))

    def it_is_approved_a_week_later(self) -> None:
        self.world.clock.advance(HELD_FOR.total_seconds())
        self.stays(self.world.sync(), but_for=self.given_up)
        row = self.run(self.row())
        approved = "" if row is None or row.observed is None else str(plain(row.observed))
        if self.run(carry_out_newest(self.world, but_for=approved, stays=self.cell)):
            self.given_up = ""
        self.runs.append(self.run(self.last_run()))

    def a_run_is_undone(self, which: int) -> None:
        run = self.runs[-min(which, len(self.runs))]
        self.stays(self.undo(run=run), but_for=self.run(self.put_back_by(run)))
        self.runs.append(self.run(self.last_run()))

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


def step(words: Words, chance: random.Random) -> None:
    """Do something."""
    what = chance.choice(WHAT)
    options = {
        "a_person_writes": {"seen": chance.random() < 0.7, "given_up": chance.random() < 0.5},
        "a_pass": {
            "full": chance.random() < 0.2,
            "lost": chance.random() < 0.2,
            "moved": chance.random() < 0.5,
        },
        "a_run_is_undone": {"which": chance.choice((1, 1, 1, 2, 3, 4, 9))},
        "everything_is_released": {"keep": chance.random() < 0.3},
    }.get(what, {})
    words.log.append(f"{what} {options or ''}")
    getattr(words, what)(**options)


WHAT = (
    *("a_person_writes", "a_pass", "a_run_is_undone") * 2,
    "they_let_opsync_have_it",
    "they_have_it_back",
    "it_stays_as_it_is",
    "it_is_approved_a_week_later",
    "all_on_the_page_is_undone",
    "everything_is_released",
    "the_store_is_lost",
)


def play(seed: int, folder: Path) -> None:
    words, chance = Words(folder), random.Random(seed)
    try:
        for _ in range(STEPS):
            step(words, chance)
        words.a_release_leaves_theirs_alone()
    except AssertionError as error:
        error.add_note("\n".join(words.log))
        raise
    finally:
        words.end()


def test_a_text_of_theirs_goes_by_their_word_alone(tmp_path: Path) -> None:
    """I6"""
    play(0, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 21))
def test_however_often_it_is_given_up_and_taken_back_it_goes_by_their_word_alone(
    tmp_path: Path, seed: int
) -> None:
    """I6"""
    play(seed, tmp_path)
