"""`opsync db backup`, `restore` and `prune`."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsync.store import hold
from tests.cli.conftest import Company


def later(company: Company, days: int) -> None:
    """Make of all that is in the store something that happened so many days earlier."""
    with closing(sqlite3.connect(company.folder / "opsync.db")) as connection:
        for table, column in (("journal", "at"), ("runs", "started_at")):
            for row, at in connection.execute(f"SELECT seq, {column} FROM {table}").fetchall():
                earlier = datetime.fromisoformat(at) - timedelta(days=days)
                text = earlier.isoformat(timespec="microseconds")
                sql = f"UPDATE {table} SET {column} = ? WHERE seq = ?"
                connection.execute(sql, (text, row))
        connection.commit()


def copy_of(company: Company) -> Path:
    file = company.folder / "copy.db"
    assert company.opsync("db", "backup", str(file)).code == 0
    return file


def test_a_copy_is_made_and_told_with_its_size(synced: Company) -> None:
    file = synced.folder / "copy.db"
    result = synced.opsync("db", "backup", str(file))
    assert result.code == 0
    assert result.out.startswith(f"{file} is a copy of {synced.folder / 'opsync.db'}: ")
    assert result.out.endswith("KiB, read through and sound\n")


def test_a_copy_that_is_there_is_not_overwritten(synced: Company) -> None:
    file = copy_of(synced)
    result = synced.opsync("db", "backup", str(file))
    assert result.code == 2
    assert "is there already" in result.err
    assert "--force" in result.err
    assert synced.opsync("db", "backup", str(file), "--force").code == 0


def test_a_copy_is_made_while_another_opsync_holds_the_store(synced: Company) -> None:
    with hold(synced.folder / "opsync.db", "opsync serve", datetime.now(UTC)):
        copy_of(synced)


def test_a_restored_store_is_used_by_the_next_run_which_says_what_it_does(
    synced: Company,
) -> None:
    file = copy_of(synced)
    synced.move("PAY-118", "done")
    assert synced.opsync("sync").code == 0
    before = synced.read("roadmap")

    result = synced.opsync("db", "restore", str(file))

    assert result.code == 0
    replaced = next(synced.folder.glob("opsync.db.replaced-*"))
    assert str(replaced) in result.out
    assert "opsync plan" in result.out
    report = synced.opsync("sync", "--json").json["pass"]
    assert (report["applied"], report["failed"]) == (0, 0)
    assert synced.read("roadmap")["written"] == before["written"]


@pytest.mark.parametrize("command", [("restore", "copy.db"), ("prune",)])
def test_a_store_that_another_opsync_holds_is_neither_replaced_nor_pruned(
    synced: Company, command: tuple[str, ...]
) -> None:
    file = copy_of(synced)
    args = [str(file) if one == "copy.db" else one for one in command]
    with hold(synced.folder / "opsync.db", "opsync serve", datetime.now(UTC)):
        result = synced.opsync("db", *args)
        assert result.code == 4
        assert "`opsync serve`" in result.err
        assert synced.opsync("db", "prune", "--dry-run").code == 0


def test_what_is_no_copy_is_refused(synced: Company) -> None:
    assert synced.opsync("db", "restore", str(synced.folder / "nothing.db")).code == 2
    result = synced.opsync("db", "restore", str(synced.folder / "opsync.toml"))
    assert result.code == 5
    assert "is no opsync store" in result.err


def test_young_stores_have_nothing_to_prune(synced: Company) -> None:
    result = synced.opsync("db", "prune")
    assert (result.code, result.out) == (0, "nothing is old enough to be pruned\n")


@pytest.mark.slow
def test_what_is_old_is_counted_and_then_pruned(synced: Company) -> None:
    for _ in range(3):
        for category in ("done", "todo"):
            synced.move("PAY-118", category)
            assert synced.opsync("sync").code == 0
    later(synced, 401)
    result = synced.opsync("db", "prune", "--dry-run")
    assert "5 old writes   of the journal\n" in result.out
    assert "--dry-run" in result.out
    assert synced.opsync("db", "prune", "--json", "--dry-run").json["pruned"]["journal"] == 5

    result = synced.opsync("db", "prune")

    assert "5 old writes   of the journal\n" in result.out
    assert synced.opsync("db", "prune").out == "nothing is old enough to be pruned\n"
    assert synced.opsync("db", "check").code == 0
    assert synced.opsync("sync", "--full", "--json").json["pass"]["applied"] == 0
    # What stood before the first write is put back, though the ones between are gone.
    undone = synced.opsync("undo", "One-tap checkout")
    assert undone.code == 0, undone.out
    assert synced.read("roadmap")["written"]["checkout"] == {}


def test_as_much_is_kept_as_is_asked_for(synced: Company) -> None:
    for category in ("done", "todo"):
        synced.move("PAY-118", category)
        assert synced.opsync("sync").code == 0
    later(synced, 50)
    assert synced.opsync("db", "prune", "--dry-run").out.startswith("nothing is old enough")
    result = synced.opsync("db", "prune", "--keep-journal", "45d", "--json")
    assert result.json["pruned"]["journal"] == 1


@pytest.mark.parametrize("span", ["29d", "1h", "soon", "0d"])
def test_a_span_in_which_not_everything_could_be_undone_is_refused(
    synced: Company, span: str
) -> None:
    result = synced.opsync("db", "prune", "--keep-journal", span)
    assert result.code == 2
    assert "--keep-journal: write" in result.err
    synced.configure(more=f'retention = {{ journal = "{span}" }}\n')
    result = synced.opsync("db", "prune")
    assert result.code == 2
    assert "retention.journal" in result.err


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_job_on_an_empty_disk_brings_its_store_along(company: Company, tmp_path: Path) -> None:
    """What docs/operations.md says that a CI job does, on a new disk each time."""
    root = Path(__file__).resolve().parents[2]
    page = (root / "docs/operations.md").read_text(encoding="utf-8")
    (job,) = re.findall(r"```sh\n(test ! -e kept.*?)```", page, re.DOTALL)
    kept = tmp_path / "kept"
    kept.mkdir()
    codes, asked = [], []
    for number in range(3):
        disk = tmp_path / f"disk-{number}"
        disk.mkdir()
        for name in ("opsync.toml", "plugins"):
            source = company.folder / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, disk / name)  # type: ignore[operator] # both take two paths
        (disk / "kept").symlink_to(kept)
        if number == 1:
            company.fail("work", "sign-in")  # a run that ends with 3 keeps its store too
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", job],
            cwd=disk,
            env={"PATH": path, "PYTHONPATH": str(root), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        codes.append(done.returncode)
        asked.append((kept / "opsync.db").stat().st_mode & 0o777)
        company.fail("work", "")
        if number == 0:
            written = company.read("roadmap")["written"]
    assert codes == [0, 3, 0]
    assert asked == [0o600] * 3
    assert company.read("roadmap")["written"] == written
    with closing(sqlite3.connect(kept / "opsync.db")) as connection:
        runs = connection.execute("SELECT count(*) FROM runs").fetchone()
    assert runs == (3,)
