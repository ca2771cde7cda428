"""For every test: its folder in memory, quickly made stores, and where specs and payloads are."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import ParamSpec, TypeVar
from zlib import crc32

import pytest

from opsync.store import database, store
from opsync.store.base import inline
from tests.support.quick import look_less, tell_what_is_absent

P = ParamSpec("P")
T = TypeVar("T")

_MEMORY = Path("/dev/shm")
_ROOM = 2 * 1024**3
"""Bytes; several times what all tests together leave in their folders."""
_OURS = {"OPSYNC_SPECS_DIR", "OPSYNC_DATA_DIR", "OPSYNC_REPORT_FILE"}
_ROOT = Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    """Put the tests' folders into memory where there is room: a store on a disk waits for it at
    each commit. What must outlive a kill does so there too."""
    tell_what_is_absent()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # So starts what a shell runs in the background, and each process that tests start.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while tests are collected, and never among what they are."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        look_less()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Choose among the cases of what is sampled, and begin with what is given the most time: it
    would be waited for in the end."""
    _sample(items)
    yield
    items.sort(key=_time_given, reverse=True)


def _time_given(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return 0.0 if marker is None else float(marker.args[0])


def _sample(items: list[pytest.Item]) -> None:
    """Of the cases of each test that is `sampled`, call all but one slow. Which one stays follows
    from the test's name, so that among many tests each tool and each fault has its turn."""
    alike: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sampled"):
            alike[item.nodeid.partition("[")[0]].append(item)
    for name, cases in alike.items():
        stays = sorted(case.nodeid for case in cases)[crc32(name.encode()) % len(cases)]
        for case in cases:
            if case.nodeid != stays:
                case.add_marker("slow")


@pytest.fixture(scope="session")
def _make_by_revisions() -> Callable[[Path], None]:
    """What makes an empty file, which the revisions then make a store of."""
    return database._touch


@pytest.fixture(scope="session", autouse=True)
def _stores_are_copied(
    _make_by_revisions: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Start each new store from a copy of an empty one, which the revisions make once."""

    @cache
    def empty() -> bytes:
        path = tmp_path_factory.mktemp("empty") / "opsync.db"
        _make_by_revisions(path)
        database.upgrade(path)
        return path.read_bytes()

    def copy(path: Path) -> None:
        _make_by_revisions(path)
        path.write_bytes(empty())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_touch", copy)
        yield


class _CallersThread(Executor):
    """Carries out each transaction at once, and lets others go on before its answer is there."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return inline.submit(fn, *args, **kwargs)


@pytest.fixture(scope="session", autouse=True)
def _stores_have_no_threads() -> Iterator[None]:
    """Spare the stores of this process their threads: to go there and back took a seventh of all
    time. Whole processes, as other tests start them, have theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "ThreadPoolExecutor", lambda *_, **__: _CallersThread())
        yield


@pytest.fixture
def stores_have_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each store its thread, as opsync does outside the tests."""
    monkeypatch.setattr(store, "ThreadPoolExecutor", ThreadPoolExecutor)


@pytest.fixture
def stores_by_revisions(
    monkeypatch: pytest.MonkeyPatch, _make_by_revisions: Callable[[Path], None]
) -> None:
    """Make each new store as opsync does outside the tests."""
    monkeypatch.setattr(database, "_touch", _make_by_revisions)


def _folder(variable: str, name: str) -> Path:
    path = Path(os.environ.get(variable) or _ROOT.parent / "shared" / name)
    if not path.is_dir():
        pytest.skip(f"{name} absent: set {variable} to their folder")
    return path


@pytest.fixture(scope="session")
def specs_dir() -> Path:
    """The folder of the vendors' machine-readable specs; skips without it."""
    return _folder("OPSYNC_SPECS_DIR", "specs")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of payloads that vendors' servers produced; skips without it."""
    return _folder("OPSYNC_DATA_DIR", "data")


@pytest.fixture(autouse=True)
def _nothing_of_the_callers_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith("OPSYNC_") and name not in _OURS:
            monkeypatch.delenv(name)
