"""The running service: each instance in its turn, one decision for all, each written by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from opsync.service import running
from opsync.service.nudges import NoSignals
from opsync.service.reading import BY_ITSELF
from opsync.service.running import Service
from tests.service.virtual import Virtual


@pytest.fixture
def virtual(tmp_path: Path) -> Virtual:
    return Virtual(tmp_path)


def test_at_first_everything_is_read_and_written(virtual: Virtual) -> None:
    async def story(service: Service) -> None:
        await asyncio.sleep(60)

    virtual.play(story)
    assert virtual.world.remote_links("PAY-1")
    assert virtual.world.project_links()


def test_what_a_person_changes_is_written_everywhere_within_an_interval(virtual: Virtual) -> None:
    world = virtual.world

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        world.jira.edit("PAY-3", status="Done")
        await asyncio.sleep(150)

    virtual.play(story)
    assert "3/5" in world.remote_links("PAY-1")[0]["summary"], world.remote_links("PAY-1")


@pytest.mark.slow
def test_while_nothing_changes_nothing_is_written_and_no_run_is_noted(virtual: Virtual) -> None:
    world = virtual.world
    runs: list[int] = []

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        before = world.written()
        runs.append((await service.session.store.last_runs(1))[0].seq)
        await asyncio.sleep(3600)
        runs.append((await service.session.store.last_runs(1))[0].seq)
        assert world.written() == before

    virtual.play(story)
    assert runs[0] == runs[1]


class Heard(NoSignals):
    """Which reads found what no signal told."""

    def __init__(self) -> None:
        self.reads: list[tuple[str, bool]] = []

    def was_read(self, instance: str, *, untold: bool = False) -> None:
        self.reads.append((instance, untold))

    def untold(self) -> list[str]:
        """Those since it was asked last."""
        found, self.reads = [name for name, untold in self.reads if untold], []
        return found


@pytest.mark.slow
def test_what_a_read_finds_that_no_signal_told_is_told_apart(virtual: Virtual) -> None:
    world, heard = virtual.world, Heard()

    async def story(service: Service) -> None:
        service.signals = heard
        await asyncio.sleep(600)
        assert heard.untold() == [], "at first all is new, and what opsync wrote is none"
        world.jira.edit("PAY-3", status="Done")
        await asyncio.sleep(150)
        assert heard.untold() == ["jira-main"]
        world.jira.edit("PAY-3", status="To Do")
        service.nudge("jira-main", whole=True)
        await asyncio.sleep(150)
        assert heard.untold() == [], "it was told"
        service.schedule.turns["jira-main"].trouble = "Jira answered 503."
        world.jira.edit("PAY-3", status="Done")
        await asyncio.sleep(150)
        assert heard.untold() == [], "nothing could be heard meanwhile"

    virtual.play(story)


def test_what_is_left_while_the_next_round_decides_is_planned_after_it(
    virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier round writes Jira when the next one begins to decide, and no more when it has
    decided: what could not be planned for Jira waits for no other read."""
    looked = []

    async def story(service: Service) -> None:
        await asyncio.sleep(60)
        earlier = cast("Any", SimpleNamespace(leave=lambda *_: None))

        async def long(*args: Any) -> Any:
            take: Callable[[], Awaitable[frozenset[str]]] = args[4]
            await take()
            service._leave(earlier, "jira-main")
            return SimpleNamespace(this=SimpleNamespace(to_ask=(), mine=frozenset({"linear"})))

        async def but_jira() -> frozenset[str]:
            return frozenset(service.session.config.instances) - {"jira-main"}

        monkeypatch.setattr(running, "decide_round", long)
        looked.append(service._unsettled.is_set())
        await service.decide(service.session, BY_ITSELF, {}, but_jira)
        looked.append(service._unsettled.is_set())
        monkeypatch.undo()

    virtual.play(story)
    assert looked == [False, True]
