"""Deliveries in groups: one transaction for many, one effect each, and none lost by a kill."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from opsync.contract.webhooks import Signal
from opsync.errors import RecordError, StoreError, TemporaryError
from opsync.model import Ref
from opsync.runtime import SystemClock
from opsync.service.hooks import memory as module
from opsync.service.hooks.memory import REFS, Memory
from opsync.store import Arrived, Store


def named(*ids: object, instance: str = "tool", whole: bool = False) -> Signal:
    return Signal(tuple(Ref(instance, "issue", str(one)) for one in ids), whole)


class Ear:
    """Hears what is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Signal]] = []

    def __call__(self, instance: str, signal: Signal) -> None:
        self.heard.append((instance, signal))

    def ids(self) -> list[str]:
        return [ref.id for _, signal in self.heard for ref in signal.refs]


class Gate:
    """Holds a store's transactions back until it is opened; knows how large each was."""

    def __init__(self, store: Store, patch: pytest.MonkeyPatch) -> None:
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.sizes: list[int] = []
        self._put = store.put_deliveries
        patch.setattr(store, "put_deliveries", self.put)

    async def put(self, batch: Sequence[Arrived]) -> list[int]:
        self.sizes.append(len(batch))
        self.begun.set()
        await self.open.wait()
        return await self._put(batch)


async def test_those_that_arrive_while_one_is_written_are_one_transaction(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, ear, memory = Gate(store, monkeypatch), Ear(), Memory(store)

    async def keep(number: int) -> bool:
        return await memory.keep("tool", f"id-{number}", b"%d" % number, named(number), ear)

    first = asyncio.create_task(keep(0))
    await gate.begun.wait()
    others = [asyncio.create_task(keep(number)) for number in range(1, 60)]
    await asyncio.sleep(0)
    assert ear.heard == [], "nothing is told before it is durable"
    gate.open.set()
    assert await asyncio.gather(first, *others) == [True] * 60
    assert gate.sizes == [1, 59]
    assert ear.ids() == [str(number) for number in range(60)]


async def test_one_id_among_those_that_wait_has_one_effect(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W4"""
    gate, ear, memory = Gate(store, monkeypatch), Ear(), Memory(store)
    tasks = [
        asyncio.create_task(memory.keep("tool", "same", b"body", named(1), ear)) for _ in range(100)
    ]
    await asyncio.sleep(0)
    gate.open.set()
    assert sorted(await asyncio.gather(*tasks)) == [False] * 99 + [True]
    assert ear.ids() == ["1"]


async def test_a_group_that_cannot_be_written_counts_as_not_arrived(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear, memory = Ear(), Memory(store)

    async def full(batch: object) -> list[int]:
        raise StoreError("The store is full.")

    with monkeypatch.context() as patch:
        patch.setattr(store, "put_deliveries", full)
        for found in await asyncio.gather(
            *(memory.keep("tool", str(n), b"%d" % n, named(n), ear) for n in range(3)),
            return_exceptions=True,
        ):
            assert isinstance(found, StoreError)
    assert ear.heard == []
    assert await memory.keep("tool", "1", b"1", named(1), ear)


async def test_one_that_cannot_be_told_does_not_hold_up_the_others(store: Store) -> None:
    ear, memory = Ear(), Memory(store)

    def deaf(instance: str, signal: Signal) -> None:
        raise ZeroDivisionError

    found = await asyncio.gather(
        memory.keep("tool", "1", b"1", named(1), deaf),
        memory.keep("tool", "2", b"2", named(2), ear),
        return_exceptions=True,
    )
    assert isinstance(found[0], ZeroDivisionError)
    assert found[1] is True
    assert ear.ids() == ["2"]


async def test_a_name_that_is_no_text_fails_alone(store: Store) -> None:
    ear, memory = Ear(), Memory(store)
    with pytest.raises(RecordError):
        await memory.keep("tool", "1", b"1", named("\ud800"), ear)
    assert await memory.keep("tool", "2", b"2", named(2), ear)


async def test_too_many_that_wait_are_sent_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING", 2)
    gate, ear, memory = Gate(store, monkeypatch), Ear(), Memory(store)
    tasks = [
        asyncio.create_task(memory.keep("tool", str(n), b"%d" % n, named(n), ear)) for n in range(3)
    ]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    gate.open.set()
    *others, last = await asyncio.gather(*tasks, return_exceptions=True)
    assert others == [True, True]
    assert isinstance(last, TemporaryError)


async def test_whoever_stops_waiting_takes_nothing_away(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, ear, memory = Gate(store, monkeypatch), Ear(), Memory(store)
    task = asyncio.create_task(memory.keep("tool", "1", b"1", named(1), ear))
    await gate.begun.wait()
    task.cancel()
    gate.open.set()
    await memory.close()
    assert ear.ids() == ["1"]
    assert not await memory.keep("tool", "1", b"1", named(1), ear)


async def test_what_was_read_is_not_told_at_the_next_start_and_what_came_later_is(
    store: Store,
) -> None:
    ear, memory = Ear(), Memory(store)
    await memory.keep("tool", "1", b"1", named(1), ear)
    await memory.keep("tool", "2", b"2", named(2), ear)
    memory.taken("tool")
    await memory.keep("tool", "3", b"3", named(3), ear)
    await memory.keep("other", "1", b"1", named(9, instance="other"), ear)
    memory.was_read("tool")
    memory.was_read("other")  # it had begun before anything was told
    await memory.close()

    again, next_ear = Memory(store), Ear()
    assert await again.resume({"tool", "other"}, next_ear) == 2
    assert sorted(next_ear.ids()) == ["3", "9"]
    for instance in ("tool", "other"):
        again.taken(instance)
        again.was_read(instance)
    await again.close()
    assert await Memory(store).resume({"tool", "other"}, next_ear) == 0


async def test_what_a_read_took_that_failed_is_told_until_one_came_to_its_end(
    store: Store,
) -> None:
    ear, memory = Ear(), Memory(store)
    await memory.keep("tool", "1", b"1", named(1), ear)
    memory.taken("tool")  # and it fails
    await memory.close()
    assert [one.instance for one in await store.deliveries_unread(10)] == ["tool"]
    memory.taken("tool")
    memory.was_read("tool")
    await memory.close()
    assert await store.deliveries_unread(10) == []


async def test_what_could_not_be_noted_is_noted_with_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear, memory = Ear(), Memory(store)
    await memory.keep("tool", "1", b"1", named(1), ear)
    memory.taken("tool")

    async def full(*args: object) -> int:
        raise StoreError("The store is full.")

    with monkeypatch.context() as patch:
        patch.setattr(store, "deliveries_read", full)
        memory.was_read("tool")
        await memory.close()
    await memory.keep("tool", "2", b"2", named(2), ear)
    await memory.close()
    [unread] = await store.deliveries_unread(10)
    assert [ref.id for ref in unread.refs] == ["2"]


async def test_what_arrives_while_nothing_can_be_noted_is_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear, memory = Ear(), Memory(store)
    await memory.keep("tool", "1", b"1", named(1), ear)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def full(*args: object) -> int:
        begun.set()
        await go_on.wait()
        raise StoreError("The store is full.")

    monkeypatch.setattr(store, "deliveries_read", full)
    memory.taken("tool")
    memory.was_read("tool")
    await begun.wait()
    later = asyncio.create_task(memory.keep("tool", "2", b"2", named(2), ear))
    await asyncio.sleep(0)
    go_on.set()
    assert await later


async def test_what_an_instance_that_is_gone_was_told_is_left_alone(store: Store) -> None:
    ear, memory = Ear(), Memory(store)
    await memory.keep("tool", "1", b"1", named(1), ear)
    assert await Memory(store).resume({"another"}, ear) == 0
    assert len(ear.heard) == 1


async def test_a_delivery_that_names_too_much_is_read_as_a_whole(store: Store) -> None:
    ear, memory = Ear(), Memory(store)
    await memory.keep("tool", "1", b"1", named(*range(REFS)), ear)
    await memory.keep("tool", "2", b"2", named(*range(REFS + 1)), ear)
    assert [(len(signal.refs), signal.whole) for _, signal in ear.heard] == [
        (REFS, False),
        (0, True),
    ]


@pytest.mark.parametrize("id_", ["", "x" * 201])
async def test_an_id_that_is_none_is_the_body_s(store: Store, id_: str) -> None:
    ear, memory = Ear(), Memory(store)
    assert await memory.keep("tool", id_, b"one", named(1), ear)
    assert await memory.keep("tool", id_, b"two", named(2), ear)
    assert not await memory.keep("tool", id_, b"one", named(1), ear)


DIES = """
import asyncio, os, signal, sys
from pathlib import Path
from opsync.contract.webhooks import Signal
from opsync.model import Ref
from opsync.runtime import SystemClock
from opsync.service.hooks.memory import Memory
from opsync.store import Store

async def main():
    memory = Memory(Store.open(Path(sys.argv[1]), clock=SystemClock()))
    for number in range(5):
        signal_ = Signal((Ref("tool", "issue", str(number)),))
        await memory.keep("tool", str(number), b"%d" % number, signal_, lambda *_: None)
        if number == 2:
            memory.taken("tool")
            memory.was_read("tool")
            await memory.close()
        print(number, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def killed(path: Path) -> list[bytes]:
    """What a process answered that was killed right after."""
    done = subprocess.run([sys.executable, "-c", DIES, path], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout.split()


async def test_what_was_answered_before_a_kill_is_told_after_it(tmp_path: Path) -> None:
    """F46: all that were answered are known, and those that no pass read are told once more."""
    path = tmp_path / "opsync.db"
    await _open(path).close()
    assert killed(path) == [b"0", b"1", b"2", b"3", b"4"]
    store, ear = _open(path), Ear()
    memory = Memory(store)
    await memory.resume({"tool"}, ear)
    assert ear.ids() == ["3", "4"]
    assert not await memory.keep("tool", "0", b"0", named(0), ear)
    await store.close()


def _open(path: Path) -> Store:
    return Store.open(path, clock=SystemClock())


def test_what_was_found_and_not_told_is_taken_once(store: Store) -> None:
    memory = Memory(store)
    for name, untold in (("tool", True), ("tool", True), ("other", False), ("third", True)):
        memory.taken(name)
        memory.was_read(name, untold=untold)

    assert memory.take_untold() == {"tool", "third"}
    assert memory.take_untold() == set()
