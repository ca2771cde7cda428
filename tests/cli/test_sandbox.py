"""`opsync sandbox`: a company over real HTTP, served, poked, and kept in step by a sync."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from opsync.cli import sandbox as command
from opsync.cli.root import run
from opsync.cli.sandbox_answers import write_config
from opsync.config import read
from opsync.sandbox import client, launch
from opsync.sandbox.client import SandboxClient
from opsync.sandbox.harbor import build_harbor

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A sandbox in this process."""
    with launch.harbor() as address:
        yield address


def out(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.strip()


def test_the_accounts_it_tells_are_those_of_harbor() -> None:
    world = build_harbor()

    assert launch.TOKENS["notion"] == world.notion.token
    assert launch.TOKENS["linear"] == world.linear.token
    assert world.jira.caller.email == launch.JIRA_EMAIL
    assert world.jira.base_url == launch.JIRA_SITE
    assert set(launch.JIRA_PROJECTS) == set(world.jira.projects)
    assert set(launch.JIRA_CANCELED) <= set(world.jira.resolutions)


def test_all_parts_agree_where_a_sandbox_is_by_default() -> None:
    from opsync.cli import demo
    from opsync.cli.init import command as init

    assert command.PORT == launch.PORT
    assert command.URL == client.URL == init.SANDBOX_URL == demo.SANDBOX_URL


def test_move_says_in_one_sentence_what_happened(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sandbox", "move", "PAY-119", "done", "--url", url]) == 0

    assert out(capsys).startswith("Jira: PAY-119 ")
    assert run(["sandbox", "move", "GRO-44", "in_progress", "--url", url]) == 0
    assert out(capsys).startswith("Linear: GRO-44 ")


def test_edit_sets_a_field_and_empties_it(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sandbox", "edit", "Churn survey", "Flag", "churn", "--url", url]) == 2
    assert "name it by key" in capsys.readouterr().err

    assert run(["sandbox", "edit", "Referral programme", "Flag", "refer", "--url", url]) == 0
    assert out(capsys) == "Notion: Ana Reyes set Flag of Referral programme to 'refer'."
    with SandboxClient(url) as poke:
        assert poke.page("Referral programme")["Flag"] == "refer"

    assert run(["sandbox", "edit", "Referral programme", "Flag", "", "--url", url]) == 0
    with SandboxClient(url) as poke:
        assert poke.page("Referral programme")["Flag"] == ""


def test_an_outage_begins_and_ends(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sandbox", "outage", "linear", "--url", url]) == 0
    assert "answers 503" in out(capsys)
    assert run(["sandbox", "state", "--url", url]) == 0
    assert "fault: outage" in out(capsys)

    assert run(["sandbox", "outage", "linear", "--off", "--url", url]) == 0
    assert run(["sandbox", "state", "--json", "--url", url]) == 0
    state = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert state["vendors"]["linear"]["faults"]["outage"] is False
    assert state["vendors"]["jira"]["counts"]["issues"] > 200


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("move", "NOPE-1", "done"), "no vendor knows 'NOPE-1'"),
        (("move", "PAY-118", "flying"), "flying"),
        (("edit", "PAY-118", "colour", "red"), "colour"),
        (("outage", "slack"), "'slack' is not one of"),
        (("outage", "jira", "--off", "--for", "3"), "exclude each other"),
    ],
)
def test_a_poke_that_makes_no_sense_is_refused(
    url: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    assert run(["sandbox", *words, "--url", url]) == 2

    assert why in capsys.readouterr().err


@pytest.mark.parametrize("words", [("move", "PAY-118", "done"), ("state",)])
def test_without_a_running_sandbox_it_says_how_to_start_one(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert run(["sandbox", *words, "--url", NOBODY]) == 2

    told = capsys.readouterr().err
    assert f"no sandbox answers at {NOBODY}" in told
    assert "opsync sandbox" in told


def test_a_web_page_is_not_taken_for_a_sandbox(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sandbox", "state", "--url", f"{url}/elsewhere"]) == 2

    assert "no sandbox answers" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    port = url.rpartition(":")[2]

    assert run(["sandbox", "--port", port]) == 2

    assert f"cannot serve on port {port}" in capsys.readouterr().err


def test_a_configuration_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "opsync.toml"
    mine.write_text("mine")

    assert run(["sandbox", "--config-out", str(mine)]) == 2

    assert mine.read_text() == "mine"
    assert "exists" in capsys.readouterr().err


def opsync(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, in `folder`, without settings of the machine's."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("OPSYNC_")}
    return subprocess.run(
        [*OPSYNC, *words],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


OPSYNC = (sys.executable, "-P", "-c", "from opsync.cli import main; main()")


def synced(folder: Path) -> dict[str, int]:
    """Run a sync and return its counts."""
    done = opsync(folder, "sync", "--json")
    assert done.returncode == 0, done.stderr
    counts: dict[str, int] = json.loads(done.stdout)["pass"]
    return counts


class Served:
    """`opsync sandbox` in a process of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        # Another worker may take the usual port at the same moment.
        self.port = launch.free_port(0)
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [*OPSYNC, "sandbox", "--port", str(self.port), *words],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.told = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told += line
            if line.startswith("Ctrl-C"):
                return
        self.process.communicate(timeout=10)
        raise AssertionError(self.told)

    def end(self, how: signal.Signals) -> tuple[int, str]:
        """Its exit code and its last words."""
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=10)
        return self.process.returncode, rest


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = Served(tmp_path)
    yield server
    if server.process.poll() is None:
        server.end(signal.SIGTERM)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end_and_ends_cleanly(
    tmp_path: Path, how: signal.Signals
) -> None:
    server = Served(tmp_path, "--config-out", "made.toml")

    began = time.monotonic()
    code, rest = server.end(how)

    assert (code, "Traceback" in rest) == (0, False)
    assert time.monotonic() - began < 5
    assert f"{server.url}/jira" in server.told
    assert "fake" in server.told
    assert set(read(tmp_path / "made.toml").instances) == {
        "jira-main",
        "linear",
        "notion",
        "posthog",
    }


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_change_in_the_sandbox_reaches_the_notion_page_with_one_more_sync(
    served: Served, tmp_path: Path
) -> None:
    made = opsync(tmp_path, "init", "--mode", "apply", "--sandbox", served.url)
    assert made.returncode == 0, made.stderr

    first = synced(tmp_path)
    assert (first["planned"] > 0, first["failed"]) == (True, 0)
    assert first["applied"] == first["planned"]
    second = synced(tmp_path)
    assert (second["planned"], second["write_requests"]) == (0, 0)

    moved = opsync(tmp_path, "sandbox", "move", "PAY-118", "done", "--url", served.url)
    assert "PAY-118" in moved.stdout
    with SandboxClient(served.url) as look:
        before = {name: one["write_requests"] for name, one in look.state().items()}
        third = synced(tmp_path)
        after = {name: one["write_requests"] for name, one in look.state().items()}
        page = look.page("One-tap checkout")

    assert page["Delivery"].startswith("13 of 20 done")
    assert page["Delivery %"] == "65 %"
    assert (third["failed"], third["applied"]) == (0, third["planned"])
    # One write at each place concerned: the page, the epic, and Linear's issue with its project.
    assert {name: after[name] - before[name] for name in after if after[name] > before[name]} == {
        "jira": 1,
        "linear": 1,
        "notion": 1,
    }

    explained = opsync(tmp_path, "explain", "One-tap checkout", "Delivery")
    assert explained.returncode == 0, explained.stderr
    told = explained.stdout
    assert "rule roadmap" in told
    assert "20 counted" in told
    assert "PAY-100 Checkout core" in told
    assert "inputs     jira-main" in told
    assert re.search(r'run 4, .*"12 of 20 done.* → "13 of 20 done', told)


@pytest.mark.slow
def test_a_new_configuration_shows_and_writes_nothing_before_it_may(
    served: Served, tmp_path: Path
) -> None:
    assert opsync(tmp_path, "init", "--sandbox", served.url).returncode == 0

    done = opsync(tmp_path, "sync")

    assert done.returncode == 0
    assert re.search(r"^\d+ changes wait: opsync apply \d+$", done.stdout, re.MULTILINE)
    with SandboxClient(served.url) as look:
        assert [one["write_requests"] for one in look.state().values()] == [0] * 6
    assert opsync(tmp_path, "apply").returncode == 0
    again = opsync(tmp_path, "sync")
    assert "nothing: all is as it should be" in again.stdout


def test_its_configuration_is_never_out_of_date_since_nothing_runs_it(tmp_path: Path) -> None:
    path = tmp_path / "opsync.toml"
    write_config(path, NOBODY, "0123456789abcdef0123456789abcdef")
    watch = read(path).general.watch
    assert min(watch.fresh_within, watch.measured_within) >= timedelta(days=365)
