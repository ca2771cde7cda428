"""Where no store is yet, or one was lost: what works without, and one text for what does not."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.cli.conftest import Company

HINT = (
    "  The first `opsync sync` makes it. If it was there before, put its backup back: "
    "`opsync db restore FILE`."
)
NEEDING = [
    "undo",
    "undo 12 --dry-run",
    "resolve one-tap --theirs",
    "release --all --remove",
    "release --all --keep",
    "aside retry",
    "aside",
    "digest",
    "digest --to slack",
    "pause --off",
    "owned",
    "journal",
    "records",
    "rollups",
    "explain one-tap",
    "apply",
    "apply 12",
    "apply --rule roadmap",
    "plan --offline",
    "statuses --offline",
    "links list",
    "links suggest",
    "links accept 3f2a1bc0",
    "links export",
    "db check",
    "db prune",
    "db backup kept.db",
]
LOOKING = [
    "status",
    "look --offline",
    "people",
    "config check",
    "doctor",
    "statuses",
    "webhooks list",
]


@pytest.mark.parametrize("call", NEEDING)
def test_what_needs_a_store_says_where_there_is_none_and_makes_none(
    company: Company, call: str
) -> None:
    company.configure(mode="propose")
    path = company.folder / "opsync.db"
    result = company.opsync(*call.split())
    assert (result.code, result.out) == (5, "")
    assert result.err.splitlines() == [f"error: There is no store at {path}.", HINT]
    assert not path.exists()


@pytest.mark.parametrize("call", ["sync", "plan", "sync --dry-run", "look"])
def test_what_is_refused_before_it_begins_makes_none(company: Company, call: str) -> None:
    path = company.folder / "opsync.toml"
    if call != "look":
        refused = company.opsync(*call.split(), "--only", "nowhere")
        assert (refused.code, 'no connection "nowhere"' in refused.err) == (2, True)
    path.write_text('time_zone = "UTC"\n')
    result = company.opsync(*call.split())
    assert (result.code, "no connection is configured" in result.err) == (2, True)
    assert not list(company.folder.glob("opsync.db*"))


@pytest.mark.parametrize("call", LOOKING)
def test_what_only_looks_works_without_a_store_and_makes_none(company: Company, call: str) -> None:
    result = company.opsync(*call.split())
    assert result.code == 0, result.out + result.err
    assert not list(company.folder.glob("opsync.db*"))


@pytest.mark.parametrize(
    "call", ["plan", "sync", "look", "status", "doctor", "pause", "undo", "serve", "db check"]
)
def test_a_store_that_is_named_and_not_there_is_not_started_anew(
    company: Company, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (company.folder / "here").mkdir()
    monkeypatch.chdir(company.folder / "here")
    path = company.folder / "here" / "bad.db"
    result = company.opsync(*call.split(), "--store", "bad.db")
    assert (result.code, result.out) == (5, "")
    error, hint = result.err.splitlines()
    assert error == f"error: There is no store at {path}."
    assert hint.startswith("  `--store` names one that is there, from the current folder on.")
    assert hint.endswith(f"Make a new one with: `opsync db upgrade --store {path}`.")
    assert not list(company.folder.rglob("*.db*"))


def test_a_named_store_is_made_or_put_back_on_purpose(
    synced: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    (synced.folder / "here").mkdir()
    monkeypatch.chdir(synced.folder / "here")
    assert synced.opsync("db", "upgrade", "--store", "new.db").code == 0
    assert synced.opsync("status", "--store", "new.db").lines[0] == "no sync yet: opsync sync"
    assert synced.opsync("db", "backup", "kept.db").code == 0
    assert synced.opsync("db", "restore", "kept.db", "--store", "back.db").code == 0
    assert synced.opsync("owned", "--store", "back.db").lines == synced.opsync("owned").lines
    assert {one.name for one in (synced.folder / "here").glob("*.db")} == {
        "new.db",
        "kept.db",
        "back.db",
    }


def test_doctor_says_that_there_is_no_store_yet(company: Company) -> None:
    lines = company.opsync("doctor").lines
    at = lines.index(f"  ! File: There is no store at {company.folder / 'opsync.db'}.")
    assert lines[at + 1] == f"    {HINT}"
    assert "  ✓ roadmap: Nothing was read from roadmap yet." in lines


def test_doctor_leaves_an_older_store_as_it_is(synced: Company) -> None:
    with closing(sqlite3.connect(synced.folder / "opsync.db", isolation_level=None)) as file:
        file.execute("UPDATE alembic_version SET version_num = '0001'")
        result = synced.opsync("doctor")
        assert (result.code, "is of an older opsync" in result.out) == (5, True)
        assert file.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


def test_a_pause_before_the_first_run_is_obeyed_by_it(company: Company) -> None:
    path = company.folder / "opsync.db"
    result = company.opsync("pause")
    assert result.code == 0, result.err
    assert result.lines[1:] == [
        f"There was no store yet: {path} was made, and keeps the pause.",
        "If one was lost, pause again once its backup is put back: opsync db restore FILE",
    ]
    assert "no sync yet: opsync sync" in company.opsync("status").lines
    synced = company.opsync("sync")
    assert "Paused      all writes: opsync pause --off" in synced.lines
    assert not any("written" in company.read(name) for name in ("roadmap", "work"))
    assert len(company.opsync("pause").lines) == 1
    company.opsync("pause", "--off")
    company.opsync("sync")
    assert all("written" in company.read(name) for name in ("roadmap", "work"))
