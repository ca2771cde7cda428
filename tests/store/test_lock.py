"""One process holds a store; another is told who it is."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from opsync.errors import StoreError, StoreHeld
from opsync.store import hold, is_held_elsewhere
from opsync.store.lock import lock_path

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

HOLDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from opsync.store.lock import hold
with hold(Path(sys.argv[1]), "opsync serve", datetime(2026, 3, 2, 8, 30, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_held_store_names_its_holder_and_is_free_once_that_was_killed(path: Path) -> None:
    """I19"""
    with another_process(path) as process:
        with pytest.raises(StoreHeld) as caught, hold(path, "opsync sync", NOW):
            pytest.fail("held twice")
        assert caught.value.exit_code == 4
        assert f"process {process.pid} on {os.uname().nodename}" in str(caught.value)
        assert "`opsync serve`" in str(caught.value)
        assert "since 2026-03-02 08:30 UTC" in str(caught.value)
    with hold(path, "opsync sync", NOW) as holder:
        assert holder.pid == os.getpid()


def test_who_may_be_at_it_is_told_without_a_lock(path: Path) -> None:
    assert not is_held_elsewhere(path), "nobody ever held it"
    with hold(path, "opsync sync", NOW) as own:
        assert not is_held_elsewhere(path), "this process is no other one"
    with another_process(path) as process:
        assert is_held_elsewhere(path)
        with pytest.raises(StoreHeld), hold(path, "opsync sync", NOW):
            pytest.fail("held twice")
    process.wait()
    assert not is_held_elsewhere(path), "it is dead"
    there = msgspec.structs.replace(own, host="another-machine")
    lock_path(path).write_bytes(msgspec.json.encode(there))
    assert is_held_elsewhere(path), "nobody can say here whether it lives"
    lock_path(path).write_text("half a na")
    assert not is_held_elsewhere(path)


def test_a_store_can_be_held_again_after_the_block(path: Path) -> None:
    for _ in range(2):
        with hold(path, "opsync sync", NOW):
            assert lock_path(path).exists()


def test_a_process_does_not_hold_a_store_twice(path: Path) -> None:
    with (
        hold(path, "opsync sync", NOW),
        pytest.raises(StoreHeld, match="opsync sync"),
        hold(path, "opsync apply", NOW),
    ):
        pytest.fail("held twice")


def test_a_holder_that_has_not_written_its_name_yet_is_still_a_holder(path: Path) -> None:
    with (
        hold(path, "opsync sync", NOW),
        lock_path(path).open("w"),
        pytest.raises(StoreHeld, match="held by another opsync"),
        hold(path, "opsync apply", NOW),
    ):
        pytest.fail("held twice")


def test_an_error_in_the_block_frees_the_store(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(path, "opsync sync", NOW):
        _ = 1 // 0
    with hold(path, "opsync sync", NOW):
        pass


def test_a_lock_that_cannot_be_made_is_told_with_what_mends_its_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StoreError, match=r"opsync\.db\.lock cannot be opened: ") as told,
        hold(tmp_path / "file" / "opsync.db", "opsync sync", NOW),
    ):
        pytest.fail("held")
    assert "folder writable" in told.value.hint


def test_a_disk_that_has_no_locks_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    with (
        pytest.raises(StoreError, match="cannot be locked") as told,
        hold(path, "opsync sync", NOW),
    ):
        pytest.fail("held")
    assert "local" in told.value.hint
