"""The loop itself: the seed decides, time is virtual, death is death."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.simulation.loop import Died, Stuck, Time, run


async def _order(seen: list[str]) -> list[str]:
    async def one(name: str) -> None:
        for number in range(3):
            await asyncio.sleep(0)
            seen.append(f"{name}{number}")

    await asyncio.gather(*(one(name) for name in "abc"))
    return seen


def _run(seed: int) -> list[str]:
    result, _ = run(_order([]), Time(), random.Random(seed))
    assert isinstance(result, list)
    return result


def test_a_seed_decides_who_is_next_and_always_the_same() -> None:
    assert _run(1) == _run(1)
    assert len({tuple(_run(seed)) for seed in range(20)}) > 10


def test_time_passes_only_when_nothing_is_left_to_do() -> None:
    time = Time()

    async def main() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    result, _ = run(main(), time, random.Random(0))
    assert result == time.now == 3600


def test_a_timeout_is_virtual_too() -> None:
    async def main() -> str:
        try:
            async with asyncio.timeout(5):
                await asyncio.sleep(60)
        except TimeoutError:
            return "timed out"
        return "slept"

    assert run(main(), Time(), random.Random(0))[0] == "timed out"


def test_a_transaction_is_whole_and_takes_a_moment() -> None:
    done: list[int] = []

    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(None, done.append, 1)

    time = Time()
    run(main(), time, random.Random(0))
    assert done == [1]
    assert 0 < time.now < 0.01


@pytest.mark.parametrize("step", range(1, 12))
def test_what_dies_does_nothing_more(step: int) -> None:
    seen: list[str] = []

    async def main() -> None:
        try:
            await _order(seen)
        finally:
            await asyncio.sleep(0)
            seen.append("cleaned up")

    result, steps = run(main(), Time(), random.Random(0), dies_at=step)
    assert isinstance(result, Died)
    assert steps == step
    assert "cleaned up" not in seen


def test_waiting_for_nothing_is_told() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck):
        run(main(), Time(), random.Random(0))


def test_an_exception_that_nobody_fetched_is_told() -> None:
    async def broken() -> None:
        raise ValueError("nobody looks")

    async def main() -> None:
        task = asyncio.get_running_loop().create_task(broken())
        await asyncio.sleep(1)
        del task

    with pytest.raises(AssertionError, match="nobody looks"):
        run(main(), Time(), random.Random(0))
