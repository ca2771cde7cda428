"""A disk without room ends a run with exit 5 and a clear word; with room, the next repairs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from opsync.errors import StoreError
from opsync.store import database
from tests.crash.served import Served
from tests.crash.standing import Standing, Tools, standing
from tests.support.processes import MAIN, Ended
from tests.support.world import World


def what_stands(world: World) -> Standing:
    return standing(Tools(world.jira, world.linear, world.notion, world.source))


@pytest.mark.parametrize(
    "missing", [1, *(pytest.param(one, marks=pytest.mark.slow) for one in (2, 3, 5, 12))]
)
async def test_a_store_that_is_full_at_some_point_ends_the_pass_and_the_next_repairs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: int
) -> None:
    """F47: `missing` is how many pages of 4 KiB the store lacks: the fewer, the later it ends."""
    (tmp_path / "undisturbed").mkdir()
    undisturbed = World(tmp_path / "undisturbed")
    await undisturbed.sync()
    room = undisturbed.store_path.stat().st_size // 4096 - missing
    world = World(tmp_path)
    with monkeypatch.context() as small:
        pragmas = (*database.PRAGMAS, f"PRAGMA max_page_count={room}")
        small.setattr(database, "PRAGMAS", pragmas)
        with pytest.raises(StoreError) as full:
            await world.sync()
    assert full.value.exit_code == 5
    assert full.value.message == f"The store {world.store_path} is full."
    assert full.value.hint == "Free space on its disk and run again."

    await world.sync()
    assert what_stands(world) == what_stands(undisturbed)
    assert what_stands(world).doubled == []
    await world.silent()


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 16, 200])
def test_a_process_that_finds_no_room_ends_with_exit_5(
    served: Served, wanted: Standing, room: int
) -> None:
    """F47: `room` is the largest file that it may make, in KiB: none at all, or some rows."""
    ended = run_with_room(served, room * 1024)

    assert ended.code == 5, ended
    assert ended.err.startswith("error: ")
    assert str(served.store) in ended.err
    assert "Traceback" not in ended.err
    served.check_repair(wanted)


def run_with_room(served: Served, most: int) -> Ended:
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}));"
    done = subprocess.run(
        [sys.executable, "-P", "-c", limit + MAIN, *map(str, served.sync)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
