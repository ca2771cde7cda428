"""The command line as a whole: what it loads, how errors end it, and that it leaks nothing."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from opsync.cli.around import Around
from opsync.cli.root import GROUPS, root, run
from tests.cli.conftest import Company

HEAVY = (
    "sqlalchemy",
    "httpx",
    "rich",
    "structlog",
    "pydantic",
    "msgspec",
    "opsync_jira",
    "opsync_linear",
    "opsync_notion",
)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_none_of_what_passes_need(option: str) -> None:
    script = (
        "import sys\n"
        "from opsync.cli import main\n"
        "try:\n    main([sys.argv[1]])\n"
        "except SystemExit as end:\n    assert end.code == 0, end.code\n"
        f"print('loaded:', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, option], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_every_command_in_the_help_can_be_called() -> None:
    context = click.Context(root)
    for commands in GROUPS.values():
        for name in commands:
            command = root.get_command(context, name)
            assert command is not None
            assert command.name == name


@pytest.mark.parametrize(
    ("variable", "shown"),
    [
        ("OPSYNC_SECRETS_DIR", True),
        ("OPSYNC_LINEAR__TOKEN_EXPIRES", True),
        ("OPSYNC_SERVICE__WEBHOOKS_LISTEN", True),
        ("OPSYNC_LINEAR__TOKEN", False),
        ("opsync_alerts__webhook", False),
        ("OPSYNC_JIRA__WEBHOOK_SECRET_BEFORE", False),
    ],
)
def test_a_folder_a_day_and_an_address_are_no_secrets(
    variable: str, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "/srv/what-stands-there")

    said = Around().clean("it is in /srv/what-stands-there")

    assert said == ("it is in /srv/what-stands-there" if shown else "it is in ***")


def test_a_missing_token_is_told_with_the_folder_it_may_be_in(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = company.folder / "kept-apart"
    folder.mkdir()
    (folder / "opsync_linear__webhook_secret").write_text("canary-of-a-webhook-secret")
    monkeypatch.setenv("OPSYNC_SECRETS_DIR", str(folder))
    file = company.folder / "opsync.toml"
    file.write_text('[instances.linear]\nconnector = "linear"\n')

    result = company.opsync("config", "check")

    assert result.code == 2
    assert f"keep it in a file of this name in {folder}" in result.err + result.out
    assert "canary" not in result.err + result.out


def test_help_groups_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    assert out.index("Start:") < out.index("Daily:") < out.index("Build:")
    assert "70 unexpected error" in out
    assert "130 stopped" in out


@pytest.mark.parametrize("command", [name for names in GROUPS.values() for name in names])
def test_help_uses_the_words_of_people(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    out = capsys.readouterr().out.lower()
    for word in ("cursor", "upsert", "ledger", "quarantine", "tombstone", "drift", "reconcile"):
        assert word not in out.replace('"quarantined"', "")


def test_a_wrong_command_is_refused_with_the_nearest_right_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["sycn"]) == 2
    assert "Did you mean 'sync'?" in capsys.readouterr().err


def test_a_missing_configuration_says_how_to_make_one(company: Company) -> None:
    result = company.bare("status", "--config", str(company.folder / "none.toml"))
    assert result.code == 2
    assert "opsync init" in result.err
    assert len(result.err.splitlines()) == 2


def test_every_problem_of_the_configuration_is_one_line_without_a_secret(company: Company) -> None:
    company.configure(more='stoer = "x"\n')
    result = company.opsync("status")
    assert result.code == 2
    path = company.folder / "opsync.toml"
    told = f'error: stoer: unknown key in {path}; did you mean "store"?'
    assert result.err.splitlines() == [told]
    assert "s3cr3t" not in result.out + result.err


def test_an_unexpected_error_ends_with_70_and_hides_secrets(
    synced: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*args: object) -> None:
        raise RuntimeError("with s3cr3t-t0k3n\x1b[31m in it")

    monkeypatch.setattr("opsync.cli.status.overview", broken)
    result = synced.opsync("status")
    assert result.code == 70
    assert "RuntimeError: with ***[31m in it" in result.err
    assert "s3cr3t" not in result.err
    assert "\x1b" not in result.err
    assert "Traceback" not in result.err


def test_opsync_traceback_shows_where_an_unexpected_error_came_from(
    synced: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*args: object) -> None:
        raise RuntimeError("s3cr3t-t0k3n")

    monkeypatch.setattr("opsync.cli.status.overview", broken)
    monkeypatch.setenv("OPSYNC_TRACEBACK", "1")
    result = synced.opsync("status")
    assert "Traceback" in result.err
    assert "s3cr3t" not in result.err


@pytest.mark.slow
def test_a_reader_that_goes_away_ends_nothing_with_a_traceback(synced: Company) -> None:
    script = "from opsync.cli import main; main()"
    config = str(synced.folder / "opsync.toml")
    command = [sys.executable, "-c", script, "records", "--config", config]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="."
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait() == 0
    assert err == ""


def test_a_store_that_is_newer_than_the_program_ends_with_5(synced: Company) -> None:
    import sqlite3

    with sqlite3.connect(synced.folder / "opsync.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    result = synced.opsync("status")
    assert result.code == 5
    assert "newer opsync" in result.err


def test_log_debug_tells_more_on_standard_error(synced: Company) -> None:
    synced.fail("work", "down")
    quiet = synced.opsync("sync")
    loud = synced.opsync("sync", "--log", "warning")
    assert quiet.err == ""
    assert "pull.failed" in loud.err
