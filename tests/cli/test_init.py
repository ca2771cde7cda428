"""`opsync init`: answers to a configuration, without a secret and without surprises."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from opsync.cli.init_text import (
    Answers,
    JiraAnswers,
    LinearAnswers,
    NotionAnswers,
    placeholders,
    render,
)
from opsync.cli.root import run
from opsync.config import build, read
from opsync.model.rules import Mode
from opsync.sandbox.launch import harbor

DATABASE = "https://www.notion.so/harbor/0123456789abcdef0123456789abcdef?v=1"
JIRA = ("--jira", "https://harbor.example", "--jira-email", "ana@harbor.example")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and none of the machine's own settings."""
    for name in list(os.environ):
        if name.startswith("OPSYNC_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OPSYNC_SECRETS_DIR", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with harbor() as url:
        yield url


def written(folder: Path, name: str = "opsync.toml") -> dict[str, object]:
    return tomllib.loads((folder / name).read_text(encoding="utf-8"))


def test_everything_can_be_told_by_options(folder: Path) -> None:
    code = run(
        [
            *("init", "--mode", "apply", "--out", "mine.toml", "--time-zone", "Europe/Berlin"),
            *(*JIRA, "--jira-project", "PAY", "--jira-project", "MOB"),
            *("--jira-canceled", "Won't Do", "--jira-api", "https://api.atlassian.com/ex/jira/1"),
            *("--linear", "--linear-team", "GRO", "--notion", DATABASE),
            *("--tracked-in", "Tracked in"),
        ]
    )

    assert code == 0
    config = build(placeholders(written(folder, "mine.toml")))
    jira = config.instances["jira-main"].settings.model_dump(mode="json")
    assert jira["projects"] == ["PAY", "MOB"]
    assert jira["resolutions"] == {"Won't Do": "canceled"}
    assert jira["base_url"] == "https://api.atlassian.com/ex/jira/1"
    assert config.instances["linear"].settings.model_dump()["teams"] == ("GRO",)
    assert config.instances["notion"].settings.model_dump()["data_sources"][0]["id"] == DATABASE
    assert (config.rules[0].mode, config.links.mode) == (Mode.apply, Mode.apply)
    assert config.rules[0].properties == ("Tracked in",)
    assert config.general.time_zone == "Europe/Berlin"


def test_it_observes_unless_told_otherwise(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "--linear"]) == 0

    config = build(placeholders(written(folder)))
    assert (config.rules[0].mode, config.links.mode) == (Mode.observe, Mode.observe)
    assert "writes nothing" in capsys.readouterr().out


def test_the_file_holds_no_token_and_the_variables_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSYNC_LINEAR__TOKEN", "lin_api_secret")

    assert run(["init", "--no-check", *JIRA, "--linear", "--notion", DATABASE]) == 0

    told = capsys.readouterr().out
    text = (folder / "opsync.toml").read_text(encoding="utf-8")
    assert "export OPSYNC_JIRA_MAIN__TOKEN=" in told
    assert "export OPSYNC_NOTION__TOKEN=" in told
    assert "export OPSYNC_LINEAR__TOKEN=" not in told
    assert "lin_api_secret" not in told + text
    assert all("token" not in block for block in tomllib.loads(text)["instances"].values())


def test_it_ends_with_the_next_steps_for_the_file_it_wrote(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["init", "--linear", "--out", "mine.toml"])

    told = capsys.readouterr().out
    assert "opsync doctor --config mine.toml" in told
    assert "opsync sync --config mine.toml" in told


def test_an_existing_file_is_replaced_only_if_forced(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "opsync.toml").write_text("precious")

    assert run(["init", "--linear"]) == 2
    assert (folder / "opsync.toml").read_text() == "precious"
    assert "--force" in capsys.readouterr().err

    assert run(["init", "--linear", "--force"]) == 0
    assert "linear" in written(folder)["instances"]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "nothing to connect"),
        (("--jira", "https://harbor.example"), "--jira-email is missing"),
        (("--jira", "https://x/browse/PAY-1", "--jira-email", "ana"), "address of one issue"),
        (("--jira", "https://x/browse/PAY-1", "--jira-email", "ana"), '"ana": is no email address'),
        (("--notion", "roadmap"), "instances.notion.data_sources.0.id: is no Notion id"),
        (("--linear", "--time-zone", "Nowhere"), "time_zone"),
        (("--sandbox", "http://127.0.0.1:9", "--linear"), "leave out the others"),
        (("--sandbox", "http://127.0.0.1:9"), "no sandbox answers at http://127.0.0.1:9"),
        (("--linear", "--out", "none/opsync.toml"), "cannot write none/opsync.toml"),
    ],
)
def test_answers_that_make_no_configuration_write_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], why: str
) -> None:
    assert run(["init", *options]) == 2

    assert why in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_on_a_terminal_it_asks_for_what_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jira = (True, "harbor.example", "ana@harbor.example", "pay, mob", "Won't Do")
    linear, notion = (False,), (True, DATABASE, "Tracked in")
    answers = iter((*jira, *linear, *notion))
    monkeypatch.setattr(click, "prompt", lambda *_, **__: next(answers))
    monkeypatch.setattr(click, "confirm", lambda *_, **__: next(answers))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)

    assert run(["init"]) == 0

    config = build(placeholders(written(folder)))
    block = config.instances["jira-main"].settings.model_dump(mode="json")
    assert (block["site"], block["email"]) == ("https://harbor.example", "ana@harbor.example")
    assert (block["projects"], block["resolutions"]) == (["PAY", "MOB"], {"Won't Do": "canceled"})
    assert set(config.instances) == {"jira-main", "notion"}
    assert config.rules[0].properties == ("Tracked in",)


def test_a_jira_address_may_be_copied_from_the_browser(folder: Path) -> None:
    page = "harbor.atlassian.net/jira/your-work?atlOrigin=1"

    assert run(["init", "--jira", page, "--jira-email", "ana@harbor.example"]) == 0

    config = build(placeholders(written(folder)))
    assert config.instances["jira-main"].settings.model_dump()["site"] == (
        "https://harbor.atlassian.net"
    )


def test_a_data_center_needs_no_email(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "--jira", "https://jira.example/jira", "--jira-datacenter"]) == 0

    config = build(placeholders(written(folder)))
    settings = config.instances["jira-main"].settings.model_dump()
    assert (settings["site"], settings["deployment"]) == ("https://jira.example/jira", "datacenter")
    assert "Personal access tokens" in capsys.readouterr().out


def test_without_a_roadmap_in_notion_linear_projects_or_jira_epics_are_rolled_up() -> None:
    jira = JiraAnswers("https://harbor.example", "a@b.example")

    def roots(answers: Answers) -> tuple[str, str | None]:
        found = build(placeholders(tomllib.loads(render(answers)))).rules[0].roots
        return found.instance, found.kind

    assert roots(Answers(jira=jira)) == ("jira-main", "epic")
    assert roots(Answers(jira=jira, linear=LinearAnswers())) == ("linear", "project")
    assert roots(Answers(jira=jira, notion=NotionAnswers((DATABASE,)))) == ("notion", "initiative")


def test_whatever_is_answered_stays_text_in_the_file() -> None:
    hostile = 'x"\n[instances.evil]\nconnector = "jira"\x7f\\'

    raw = tomllib.loads(
        render(
            Answers(
                jira=JiraAnswers(hostile, hostile, projects=(hostile,), canceled=(hostile,)),
                notion=NotionAnswers((hostile,), names=(hostile,)),
                tracked_in=(hostile,),
            )
        )
    )

    assert set(raw["instances"]) == {"jira-main", "notion"}
    assert raw["instances"]["jira-main"]["site"] == hostile
    assert raw["instances"]["jira-main"]["resolutions"] == {hostile: "canceled"}
    assert raw["rollup"][0]["properties"] == [hostile]


def test_a_configuration_for_a_running_sandbox_needs_nothing_else(
    folder: Path, sandbox: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "--sandbox", sandbox, "--mode", "apply"]) == 0

    config = read(folder / "opsync.toml")
    told = capsys.readouterr().out
    assert set(config.instances) == {"jira-main", "linear", "notion"}
    assert {config.instances[n].settings.model_dump()["base_url"] for n in config.instances} == {
        f"{sandbox}/{vendor}" for vendor in ("jira", "linear", "notion")
    }
    assert "open nothing else" in told
    for name in config.instances:
        assert f"{name}: works" in told


def test_a_token_at_hand_is_tried_and_the_click_that_mends_it_is_told(
    folder: Path,
    sandbox: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPSYNC_JIRA_MAIN__TOKEN", "dead-token")

    code = run(["init", *JIRA, "--jira-api", f"{sandbox}/jira", "--linear"])

    told = capsys.readouterr().out
    assert code == 0
    assert "jira-main: does not work yet" in told
    assert "    ✗ Sign-in: Jira refused the token of jira-main." in told
    assert "API tokens" in told
    assert "linear: " not in told
    assert "dead-token" not in told
    assert [path.name for path in folder.iterdir()] == ["opsync.toml"]
