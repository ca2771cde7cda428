"""One moment, lived through again and again: each time in a process that begins there."""

from __future__ import annotations

import multiprocessing
import shutil
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from tests.simulation.playing import quick_stores, quiet
from tests.support.quick import be_quick

P = ParamSpec("P")
T = TypeVar("T")

_FORKED = multiprocessing.get_context("fork")
_SPAWNED = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Moment:
    """This process as it stands, and the files of a folder as they are."""

    folder: Path
    _kept: Path

    def then(self, work: Callable[[], T]) -> T:
        """What `work` comes to from here on; nothing of it is left afterwards. Raises
        AssertionError with whatever it raised."""
        here, there = _FORKED.Pipe(duplex=False)
        process = _FORKED.Process(target=_tell, args=(there, work))
        process.start()
        there.close()
        try:
            failed, found = here.recv()
        except EOFError:
            failed, found = True, "the process ended without a word"
        finally:
            process.join()
            here.close()
            shutil.rmtree(self.folder)
            shutil.copytree(self._kept, self.folder)
        if failed:
            raise AssertionError(found)
        told: T = found
        return told

    def at_each(self, steps: range, work: Callable[[int], T]) -> list[T]:
        """What `work` comes to from here on with each of these steps."""
        found = []
        for step in steps:
            try:
                found.append(self.then(partial(work, step)))
            except AssertionError as error:
                error.add_note(f"it died at step {step}")
                raise
        return found


@contextmanager
def moment(folder: Path) -> Iterator[Moment]:
    """Now. This process must have one thread, as within `alone`, and no store open."""
    kept = folder.with_name(f"{folder.name} kept")
    shutil.copytree(folder, kept)
    try:
        yield Moment(folder, kept)
    finally:
        shutil.rmtree(kept)


def _tell(there: Connection, work: Callable[[], Any]) -> None:
    try:
        there.send((False, work()))
    except BaseException:  # noqa: BLE001 - whatever it is, the process that waits is told
        there.send((True, traceback.format_exc()))


def alone(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`work` in a process of its own, which has one thread."""
    with ProcessPoolExecutor(1, mp_context=_SPAWNED, initializer=be_quick) as pool:
        return pool.submit(_quietly, work, *args, **kwargs).result()


def _quietly(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    with quiet(), quick_stores():
        return work(*args, **kwargs)
