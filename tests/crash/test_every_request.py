"""A pass that dies at any one request, before or after the vendor carried it out, is repaired by
the next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from tests.crash.mortal import MortalWorld, When
from tests.crash.standing import Standing

Stage = Literal["first", "later"]
"""The pass that dies is the first ever, or one after people went on working."""


async def prepared(folder: Path, stage: Stage) -> MortalWorld:
    """A company just before the pass that dies."""
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs on this loop
    world = MortalWorld(folder)
    if stage == "later":
        await world.sync()
        world.edit()
    return world


@dataclass(frozen=True)
class Undisturbed:
    """The same pass when nothing goes wrong: how many requests it makes, and what stands then."""

    requests: int
    standing: Standing


async def undisturbed(folder: Path, stage: Stage) -> Undisturbed:
    world = await prepared(folder / "undisturbed", stage)
    requests = await world.die(None)
    found = Undisturbed(requests, world.what_stands())
    assert found.standing.doubled == []
    assert found.requests > 10
    return found


async def die_and_check(
    folder: Path, stage: Stage, chosen: int, when: When, usual: Undisturbed
) -> None:
    world = await prepared(folder / f"{chosen}-{when}", stage)
    await world.die(chosen, when)
    try:
        await world.check_repair(usual.standing)
    except AssertionError as error:
        error.add_note(f"it died {when} request {chosen} of {usual.requests}")
        raise


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["first", "later"])
async def test_a_pass_that_dies_at_a_request_is_repaired_by_the_next(
    tmp_path: Path, stage: Stage
) -> None:
    """F45"""
    usual = await undisturbed(tmp_path, stage)
    for chosen in range(usual.requests, 0, -6):
        await die_and_check(tmp_path, stage, chosen, "after" if chosen % 2 else "before", usual)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("stage", ["first", "later"])
async def test_a_pass_that_dies_at_any_request_is_repaired_by_the_next(
    tmp_path: Path, stage: Stage, when: When
) -> None:
    """I10, F45"""
    usual = await undisturbed(tmp_path, stage)
    for chosen in range(1, usual.requests + 1):
        await die_and_check(tmp_path, stage, chosen, when, usual)
