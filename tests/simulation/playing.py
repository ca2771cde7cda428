"""Play many episodes, on several processes, and tell what came of them."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from opsync.store import database
from tests.simulation.episode import Episode
from tests.simulation.served import ServedEpisode
from tests.simulation.tally import Tally, Totals
from tests.support.quick import be_quick

_MEMORY = Path("/dev/shm")
_AT_ONCE = 5


@dataclass(frozen=True)
class Failure:
    """An episode in which a promise was broken."""

    seed: int
    what: str
    served: bool = False

    def __str__(self) -> str:
        again = replay(self.seed, served=self.served)
        return f"seed {self.seed}: {self.what}\nreplay it: {again}"


def replay(seed: int, *, served: bool = False) -> str:
    """The command that plays a seed again."""
    return f"python -m tests.simulation {'--service ' if served else ''}{seed}"


def play(seed: int, told: list[str] | None = None, *, served: bool = False) -> Tally | Failure:
    """One episode, in a folder of its own, `served` one with the service. `told` is filled with
    what happens in it."""
    made = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
    kind = ServedEpisode if served else Episode
    episode = kind(seed, made, [] if told is None else told)
    try:
        return episode.play()
    except Exception as error:  # noqa: BLE001 - whatever breaks is told with its seed
        return Failure(seed, f"{type(error).__name__}: {error}", served)
    finally:
        shutil.rmtree(made)


def play_all(
    seeds: Sequence[int],
    *,
    workers: int = 1,
    served: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Totals, list[Failure]]:
    """All of these, on so many processes."""
    totals, failed = Totals(served=served), []
    began = time.monotonic()
    for number, one in enumerate(_each(seeds, workers, served), 1):
        if isinstance(one, Failure):
            failed.append(one)
            say(str(one))
        else:
            totals.add(one)
        if number % 500 == 0:
            say(f"{number:,} of {len(seeds):,} seeds, {time.monotonic() - began:.0f} s")
    return totals, failed


def _each(seeds: Sequence[int], workers: int, served: bool) -> Iterator[Tally | Failure]:
    parts = [seeds[at : at + _AT_ONCE] for at in range(0, len(seeds), _AT_ONCE)]
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawned, initializer=be_quick) as pool:
        for part in pool.map(partial(_play_part, served=served), parts):
            yield from part


def _play_part(seeds: Sequence[int], *, served: bool) -> list[Tally | Failure]:
    with quiet(), quick_stores():
        played = [play(seed, served=served) for seed in seeds]
    gc.collect()
    return played


@contextmanager
def quiet() -> Iterator[None]:
    """Without a line for each thing that goes wrong: much does."""
    before = structlog.get_config()
    nothing = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=nothing)
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def quick_stores() -> Iterator[None]:
    """New stores as copies of an empty one: the revisions take longer than an episode's run."""
    make = database._touch
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        make(path)
        database.upgrade(path)
        empty = path.read_bytes()

    def copy(path: Path) -> None:
        make(path)
        path.write_bytes(empty)

    database._touch = copy
    try:
        yield
    finally:
        database._touch = make


def commit() -> str:
    """The commit that is checked out, for reports."""
    asked = ["git", "rev-parse", "--short", "HEAD"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "no commit"
