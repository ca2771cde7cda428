"""F49: a plugin that raises, hangs, blocks, leaks or meddles costs its own connection only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from opsync.errors import TemporaryError
from opsync.http import stillness
from opsync.http.stillness import each, watched
from opsync_linear import Linear
from tests.support.world import World, of, troubles


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs is left after half a second instead of ten minutes."""
    monkeypatch.setattr(stillness, "STILL_S", 0.5)


async def hang(*_: Any) -> Any:
    """Wait for what never comes."""
    await asyncio.Event().wait()


async def hang_amid(*_: Any) -> AsyncIterator[Any]:
    """The same, where several answers are wanted."""
    await asyncio.Event().wait()
    yield


async def others_go_on(world: World) -> None:
    """Jira and Notion are brought up to date in a pass in which Linear is left alone."""
    world.jira.edit("MOB-3", summary="Points screens")
    world.jira.poke_move("MOB-3", "done")
    report = await world.sync()
    assert of(report, "linear").trouble
    assert {of(report, one).trouble for one in ("jira-main", "notion")} == {""}, troubles(report)
    assert world.loyalty.text("Delivery").startswith("2 of 2 done")


async def heals(world: World) -> None:
    """Without the fault, three passes bring everything about, and the next has nothing to do."""
    for _ in range(3):
        world.clock.advance(3600)
        await world.sync()
    await world.silent()


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("step", "does"), [("feeds", hang), ("pull", hang_amid)])
async def test_one_that_hangs_while_it_reads_is_left_and_the_others_go_on(
    settled: World, monkeypatch: pytest.MonkeyPatch, step: str, does: Any
) -> None:
    """Trouble 24, F49"""
    with monkeypatch.context() as chaos:
        chaos.setattr(Linear, step, does)
        begun = time.monotonic()
        await others_go_on(settled)
        assert time.monotonic() - begun < 30
    await heals(settled)


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("step", "does"), [("observe", hang), ("apply", hang_amid)])
async def test_one_that_hangs_while_it_writes_is_left_and_its_writes_are_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str, does: Any
) -> None:
    """F49"""
    with monkeypatch.context() as chaos:
        chaos.setattr(Linear, step, does)
        report = await world.sync()
        assert "did nothing for" in of(report, "linear").message
        assert {of(report, one).trouble for one in ("jira-main", "notion")} == {""}
        assert world.loyalty.text("Delivery").startswith("1 of 2 done")
    await heals(world)
    assert len(world.attachments("GRO-3")) == 1


@pytest.mark.slow
async def test_one_that_blocks_everything_for_a_while_fails_nothing(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F49"""
    feeds = Linear.feeds

    async def block(self: Linear) -> Any:
        time.sleep(0.5)  # noqa: ASYNC251 - that is the fault
        return await feeds(self)

    monkeypatch.setattr(Linear, "feeds", block)
    await settled.silent()


async def test_one_that_leaves_tasks_behind_fails_nothing(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F49"""
    feeds = Linear.feeds
    left: list[asyncio.Task[Any]] = []

    async def leak(self: Linear) -> Any:
        left.append(asyncio.create_task(asyncio.sleep(3600)))
        return await feeds(self)

    monkeypatch.setattr(Linear, "feeds", leak)
    await settled.silent()
    assert [task.done() for task in left] == [False]
    left[0].cancel()


async def test_one_that_meddles_with_what_it_was_given_is_stopped_by_the_values_themselves(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F49: what the core hands out cannot be changed, so that meddling is an error of its own."""
    observe = Linear.observe

    async def meddle(self: Linear, target: Any) -> Any:
        target.title = "mine"
        return await observe(self, target)

    with monkeypatch.context() as chaos:
        chaos.setattr(Linear, "observe", meddle)
        report = await world.sync()
        messages = [outcome.message for _, outcome in report.outcomes if outcome.message]
        assert messages
        assert all("immutable" in message for message in messages)
        assert world.loyalty.text("Delivery").startswith("1 of 2 done")
    await heals(world)


MEDDLER = """
from opsync import hookimpl


@hookimpl
def pass_finished(report):
    report.alarms.clear()
    report.instances[0].trouble = ""
    report.instances.clear()
    report.plan.changes.clear()
    report.applied_mode = False
"""


async def test_one_that_meddles_with_the_report_of_a_pass_silences_nothing(world: World) -> None:
    """F49: it is told in a report of its own."""
    folder = world.folder / "plugins"
    folder.mkdir()
    (folder / "meddler.py").write_text(MEDDLER)
    world.raw["plugins_dir"] = str(folder)
    world.raw["instances"]["jira-main"]["token_expires"] = "2020-01-01"
    report = await world.sync()
    assert [one.kind for one in report.alarms] == ["token"]
    assert (len(report.instances), report.applied_mode, report.exit_code) == (3, True, 1)
    assert report.plan.changes


class Asking:
    """As much of a client as a watch looks at."""

    asked = 0
    under_way = 0


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
async def test_what_waits_for_its_vendor_does_not_hang() -> None:
    """F49: a request has bounds of its own; what goes on asking may take as long as it likes."""
    client: Any = Asking()
    async with watched(client, "eng"):
        client.under_way = 1
        await asyncio.sleep(1.2)
        client.under_way = 0
        client.asked += 1
        await asyncio.sleep(0.1)


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
async def test_what_hangs_amid_its_answers_keeps_those_before() -> None:
    """F49: and a step that hung is told as one whose outcome nobody knows."""
    closed = False

    async def steps() -> AsyncIterator[int]:
        nonlocal closed
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed = True

    client: Any = Asking()
    watching = each(steps(), lambda: watched(client, "eng"))
    assert await anext(watching) == 1
    with pytest.raises(TemporaryError, match="eng: its connector did nothing") as caught:
        await anext(watching)
    assert closed
    assert caught.value.sent


@pytest.mark.usefixtures("impatient")
async def test_a_timeout_of_the_connectors_own_stays_its_own() -> None:
    """F49"""
    client: Any = Asking()
    with pytest.raises(TimeoutError, match="mine"):
        async with watched(client, "eng"):
            raise TimeoutError("mine")
