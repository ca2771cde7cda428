"""`opsync demo`: five scenes with real numbers, and nothing left behind unless asked for."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from opsync.cli import demo_scenes
from opsync.cli.called import called
from opsync.cli.demo import PassFailed, _Teller, demand
from opsync.cli.demo_scenes import LINES, Scene
from opsync.cli.root import run
from opsync.model import Change, Outcome, OutcomeKind, Ref, Slot, Verb
from opsync.report import InstanceReport, PassReport
from opsync.sandbox import launch
from opsync.sandbox.client import SandboxClient
from opsync.sandbox.harbor import EXPECTED

JIRA = Ref("jira-main", "issue", "1")
DOWN = InstanceReport("linear", "Linear", trouble="incomplete", message="Linear could not answer")
SIGNED_OUT = InstanceReport(
    "linear", "Linear", trouble="sign-in", message="Linear refused the token."
)
WRITING = InstanceReport("linear", "Linear", write_requests=1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass(frozen=True)
class Shown:
    """What a demo printed, how long it took, and what was in its folders afterwards."""

    text: str
    seconds: float
    left: set[str]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """One demo, run as people run it."""
    mine, temp = tmp_path_factory.mktemp("mine"), tmp_path_factory.mktemp("temp")
    (mine / "opsync.toml").write_text("mine")
    printed = StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        patch.setattr("tempfile.tempdir", str(temp))
        patch.chdir(mine)
        started = time.monotonic()
        assert run(["demo"]) == 0
    assert (mine / "opsync.toml").read_text() == "mine"
    left = {path.name for folder in (mine, temp) for path in folder.iterdir()}
    return Shown(printed.getvalue(), time.monotonic() - started, left)


@pytest.fixture
def told(shown: Shown) -> str:
    return shown.text


def scenes(told: str) -> dict[str, list[str]]:
    """The scenes' lines, by their sentence."""
    found: dict[str, list[str]] = {}
    for block in told.split("\n\n"):
        head, *lines = block.splitlines()
        if re.match(r"\d  ", head):
            found[head] = lines
    return found


def test_it_has_five_scenes_of_one_sentence_and_at_most_eight_lines(told: str) -> None:
    found = scenes(told)

    assert [head[0] for head in found] == list("12345")
    assert all(head.endswith(".") for head in found)
    assert max(len(lines) for lines in found.values()) <= LINES == 8


def test_the_first_scene_names_exactly_what_contradicts(told: str) -> None:
    first, lines = next(iter(scenes(told).items()))

    wrong = {title for title, count in EXPECTED.items() if count.disagrees}
    assert first.startswith("1  Three of 12 initiatives")
    assert {title for title in EXPECTED if any(title in line for line in lines)} == wrong


def test_the_page_is_shown_as_the_tool_has_it_before_and_after(told: str) -> None:
    lines = list(scenes(told).values())[2]

    assert re.search(r"Status +On track +On track$", lines[1])
    assert re.search(r"Delivery +– +12 of 20 done · 3 blocked · Payments 8/12", lines[2])
    assert re.search(r"Delivery % +– +60 %$", lines[3])
    assert re.search(r"Delivery health +– +At risk$", lines[4])


def test_the_second_run_writes_nothing_and_says_so(told: str) -> None:
    assert any(head.startswith("4") and "0 writes" in head for head in scenes(told))


@pytest.mark.slow
def test_the_last_scene_follows_one_closed_issue_to_the_page(told: str) -> None:
    head, lines = list(scenes(told).items())[4]

    assert "Ana closes PAY-118" in head
    assert "3 writes" in head
    assert lines[0].strip() == "Jira: PAY-118 Tokenise cards moved from In Progress to Done."
    assert re.search(r"Run 3 done in .* · 6 reads, 3 writes$", lines[1])
    assert re.search(r'run 3, .*, updated: "12 of 20 done.* → "13 of 20 done', lines[-1])


def test_headings_fit_on_every_terminal(told: str) -> None:
    assert max(len(head) for head in scenes(told)) <= 80


@pytest.mark.slow
def test_what_stands_below_a_command_line_is_what_the_command_prints(
    kept: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = list(scenes(kept).values())[4]
    at = next(i for i, line in enumerate(lines) if line.strip().startswith("$ "))
    _, *words = shlex.split(lines[at].strip().removeprefix("$ "), comments=True)

    assert run([*words, "--config", str(folder / "opsync-demo" / "opsync.toml")]) == 0

    printed = capsys.readouterr().out.splitlines()
    assert [line.removeprefix("   ") for line in lines[at + 1 :]] == [
        line for line in printed if f"   {line}" in lines
    ]


def report(**parts: Any) -> PassReport:
    """A pass that wrote one value, but for `parts`."""
    change = Change(
        id="1", slot=Slot(JIRA, "link", "links", JIRA), verb=Verb.create, desired="PAY-1"
    )
    written = (change, Outcome(change="1", kind=OutcomeKind.created))
    whole: dict[str, Any] = {"rollups": len(EXPECTED), "outcomes": [written]}
    return PassReport(run=1, command="demo", **(whole | parts))


def test_a_whole_pass_is_taken() -> None:
    demand(report(), writes=True)
    demand(report(outcomes=[]), writes=False)


@pytest.mark.parametrize(
    ("parts", "writes", "code", "why"),
    [
        ({"instances": [DOWN]}, True, 1, "linear: Linear could not answer"),
        ({"instances": [SIGNED_OUT]}, True, 3, "linear: Linear refused the token."),
        ({"rollups": 11}, True, 1, "11 of 12 initiatives"),
        ({"outcomes": []}, True, 1, "nothing was written"),
        ({"instances": [WRITING], "outcomes": []}, False, 1, "although nothing had changed"),
    ],
)
def test_a_pass_that_went_wrong_stops_the_demo_with_its_exit_code(
    parts: dict[str, Any], writes: bool, code: int, why: str
) -> None:
    with pytest.raises(PassFailed, match="the demo stops") as caught:
        demand(report(**parts), writes=writes)

    assert why in caught.value.message
    assert caught.value.exit_code == code


@pytest.mark.slow
def test_a_refused_sign_in_is_named_instead_of_telling_empty_scenes(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(launch.TOKENS, "linear", "lin_api_dead")

    assert run(["demo"]) == 3

    told, error = capsys.readouterr()
    assert not re.search(r"^\d  ", told, re.MULTILINE)
    assert "the demo stops" in error
    assert "Linear refused the token." in error
    assert "Personal API keys" in error
    assert run(["demo", "--json"]) == 3
    assert [one["failed"] for one in json.loads(capsys.readouterr().out)["passes"]] == [0]


def test_it_says_what_is_not_as_in_reality_and_how_to_go_on(told: str) -> None:
    assert "ten times the vendors' limits" in told
    assert "limiter stays on" in told
    assert f"  {called()} demo --keep" in told
    assert f"Now yours: {called()} init" in told


def test_what_it_suggests_can_be_typed_as_it_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, other = folder / ".venv" / "bin" / "opsync", folder / "other" / "opsync"
    for one in (script, other):
        one.parent.mkdir(parents=True)
        one.touch(mode=0o755)
    monkeypatch.setattr("sys.argv", [".venv/bin/opsync", "demo"])

    monkeypatch.setenv("PATH", str(folder / "none"))
    assert called() == ".venv/bin/opsync"
    monkeypatch.setenv("PATH", str(other.parent))
    assert called() == ".venv/bin/opsync"
    monkeypatch.setenv("PATH", str(script.parent))
    assert called() == "opsync"


def test_on_a_narrow_terminal_long_lines_are_cut_or_continued_below_their_column(
    capsys: pytest.CaptureFixture[str],
) -> None:
    teller = _Teller()
    teller._width = 60
    words = "twelve of twenty are done " * 4

    teller(Scene("Cut.", (f"{'Delivery':18}{words}",)))
    teller(Scene("Continued.", (f"{'Delivery':18}{words}",), hanging=18))

    head, cut, _, _, *continued = capsys.readouterr().out.rstrip().splitlines()
    assert "1  Cut." in head
    assert (len(cut), cut[-1]) == (60, "…")
    assert " ".join(" ".join(continued).split()) == f"Delivery {words.strip()}"
    assert {len(line) - len(line.lstrip()) for line in continued[1:]} == {21}
    assert all(len(line) <= 60 for line in continued)


def test_it_leaves_nothing_behind_and_touches_nothing_of_yours(shown: Shown) -> None:
    assert shown.left == {"opsync.toml"}


def test_it_takes_less_than_twenty_seconds(shown: Shown) -> None:
    assert shown.seconds < 20


@pytest.mark.slow
def test_its_json_is_the_two_passes_and_nothing_else(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Settings of one's own reach neither the demo's store nor its sign-ins.
    monkeypatch.setenv("OPSYNC_STORE", str(folder / "mine.db"))
    monkeypatch.setenv("OPSYNC_LINEAR__TOKEN", "mine")

    assert run(["demo", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["passes"]
    first, second = found["passes"]
    assert (
        set(first)
        == set(second)
        == {
            *("records", "links", "rollups", "planned", "applied", "failed", "quarantined"),
            *("read_requests", "write_requests", "seconds"),
        }
    )
    assert all(first[name] > 0 for name in ("records", "links", "rollups", "planned", "applied"))
    assert (first["failed"], first["quarantined"], first["rollups"]) == (0, 0, len(EXPECTED))
    assert (second["planned"], second["applied"], second["write_requests"]) == (0, 0, 0)
    assert os.environ["OPSYNC_LINEAR__TOKEN"] == "mine"
    assert not (folder / "mine.db").exists()


def test_a_folder_with_something_in_it_is_never_used_for_keeping(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "opsync-demo").mkdir()
    (folder / "opsync-demo" / "precious").touch()

    assert run(["demo", "--keep"]) == 2

    assert "not empty" in capsys.readouterr().err
    assert [path.name for path in (folder / "opsync-demo").iterdir()] == ["precious"]


@pytest.mark.parametrize("failing", ["mkdir", "open"])
def test_a_folder_that_may_not_be_written_is_told_with_what_to_do(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    failing: str,
) -> None:
    def denied(path: Path, *how: Any, **more: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as broken:
        broken.setattr(Path, failing, denied)
        assert run(["demo", "--keep"]) == 2

    assert capsys.readouterr().err.splitlines() == [
        "error: cannot keep a demo in opsync-demo: Permission denied",
        "  Keep it in a folder that is writable, with --dir.",
    ]
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_a_kept_demo_that_fails_leaves_neither_files_nor_a_sandbox(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[launch.Apart] = []

    def start(**options: Any) -> launch.Apart:
        started.append(start_apart(**options))
        return started[-1]

    start_apart = launch.start_apart
    monkeypatch.setattr(launch, "start_apart", start)
    monkeypatch.setattr(demo_scenes, "SHOWN", "A page that is not there")

    assert run(["demo", "--keep"]) == 2

    assert "no page 'A page that is not there'" in capsys.readouterr().err
    assert list(folder.iterdir()) == []
    assert [one.process.poll() for one in started] == [0]


@pytest.fixture
def kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[str]:
    """What a kept demo printed; its sandbox is ended afterwards."""
    assert run(["demo", "--keep"]) == 0
    assert [path.name for path in folder.iterdir()] == ["opsync-demo"]
    told = capsys.readouterr().out
    match = re.search(r"kill (\d+)", told)
    assert match is not None
    pid = int(match[1])
    yield told
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


@pytest.mark.slow
def test_a_kept_demo_is_a_world_that_the_other_commands_work_on(
    kept: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = folder / "opsync-demo" / "opsync.toml"
    assert f"export OPSYNC_CONFIG={config}" in kept
    match = re.search(r"goes on at (\S+);", kept)
    assert match is not None

    assert run(["sandbox", "move", "PAY-118", "todo", "--url", match[1]]) == 0
    assert run(["sync", "--config", str(config)]) == 0

    with SandboxClient(match[1]) as client:
        assert client.page("One-tap checkout")["Delivery"].startswith("12 of 20 done")
    assert "moved" in capsys.readouterr().out


@pytest.mark.slow
def test_a_kept_demo_ends_when_it_is_told(kept: str) -> None:
    match = re.search(r"kill (\d+)", kept)
    assert match is not None

    os.kill(int(match[1]), signal.SIGTERM)

    _, status = os.waitpid(int(match[1]), 0)
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.5, 1.0, 1.5])
def test_a_demo_that_is_terminated_tidies_up(folder: Path, after_s: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", "from opsync.cli import main; main()", "demo"],
        env=os.environ | {"TMPDIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(after_s)
    process.terminate()
    _, told = process.communicate(timeout=20)

    assert "Traceback" not in told
    assert list(folder.iterdir()) == []
