"""Bad input: settings. Exit 2, one line each with key, why and what is right; no secret shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsync.cli.root import run
from tests.support.world import CANARY, JIRA_SITE

JIRA = f"""
[instances.jira-main]
connector = "jira"
site = "{JIRA_SITE}"
email = "ana@harbor.example"
token = "{CANARY}"
"""
LINEAR = f"""
[instances.linear]
connector = "linear"
token = "{CANARY}"
"""
NOTION = f"""
[instances.notion]
connector = "notion"
token = "{CANARY}"
data_sources = [{{ id = "00000000-0000-4000-8000-000000000001" }}]
"""

CASES = {
    "an unknown key": (
        LINEAR + 'tokne = "x"',
        ("instances.linear.tokne: unknown key", 'did you mean "token"'),
    ),
    "an unknown key at the top": (
        f'time_zon = "UTC"\n{LINEAR}',
        ("time_zon: unknown key", 'did you mean "time_zone"'),
    ),
    "an unknown key of a rule": (
        LINEAR + '[[rollup]]\nname = "r"\nmod = "apply"\nroots = { instance = "linear" }',
        ("rollup.r.mod: unknown key", 'did you mean "mode"'),
    ),
    "an unknown key in a data source": (
        NOTION.replace("id =", 'knd = "issue", id ='),
        ("instances.notion.data_sources.0.knd: unknown key", 'did you mean "kind"'),
    ),
    "an unknown connector": (
        LINEAR.replace('"linear"', '"lniear"'),
        ('instances.linear.connector: unknown connector "lniear"', 'did you mean "linear"'),
    ),
    "no connector": (
        LINEAR.replace('connector = "linear"\n', ""),
        (
            "instances.linear.connector: missing",
            "amplitude, jira, linear, mixpanel, notion, posthog",
        ),
    ),
    "a missing token of Linear": (
        LINEAR.replace(f'token = "{CANARY}"', ""),
        ("instances.linear.token: missing", "OPSYNC_LINEAR__TOKEN"),
    ),
    "a missing token of Jira": (
        JIRA.replace(f'token = "{CANARY}"', ""),
        ("instances.jira-main.token: missing", "OPSYNC_JIRA_MAIN__TOKEN"),
    ),
    "a missing token of Notion": (
        NOTION.replace(f'token = "{CANARY}"', ""),
        ("instances.notion.token: missing", "OPSYNC_NOTION__TOKEN"),
    ),
    "a missing site": (
        JIRA.replace(f'site = "{JIRA_SITE}"', ""),
        ("instances.jira-main.site: missing",),
    ),
    "a site that is no address": (
        JIRA.replace(JIRA_SITE, "harbor"),
        ("instances.jira-main.site: must be an address like https://",),
    ),
    "a site with a secret in it": (
        JIRA.replace("https://", f"https://ana:{CANARY}@"),
        ("instances.jira-main.site: must be an address without user",),
    ),
    "no email for Jira Cloud": (
        JIRA.replace('email = "ana@harbor.example"', ""),
        ("instances.jira-main", "email is needed"),
    ),
    "an id that is none": (
        NOTION.replace("00000000-0000-4000-8000-000000000001", CANARY),
        ("instances.notion.data_sources.0.id: is no Notion id", "copy its link"),
    ),
    "no data source": (
        NOTION.replace(NOTION[NOTION.index("data_sources") :], "data_sources = []"),
        ("instances.notion.data_sources",),
    ),
    "a wrong category": (
        LINEAR + 'statuses = { Doing = "busy" }',
        ("instances.linear.statuses.Doing", "in_progress"),
    ),
    "a wrong mode": (
        f'[links]\nmode = "aply"\n{LINEAR}',
        ("links.mode", "'observe', 'propose' or 'apply'"),
    ),
    "a wrong zone": (
        f'time_zone = "Europe/Berlim"\n{LINEAR}',
        ("time_zone", 'did you mean "Europe/Berlin"'),
    ),
    "roots of an instance that is none": (
        LINEAR + '[[rollup]]\nname = "r"\nroots = { instance = "linaer" }',
        ('rollup.r.roots.instance: no instance "linaer"', 'did you mean "linear"'),
    ),
    "a number out of its bounds": (
        LINEAR + "page_size = 100000",
        ("instances.linear.page_size", "250"),
    ),
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OPSYNC_LINEAR__TOKEN", "OPSYNC_JIRA_MAIN__TOKEN", "OPSYNC_NOTION__TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("toml", "told"), CASES.values(), ids=CASES)
def test_a_wrong_or_missing_setting_ends_with_exit_2_and_one_line(
    toml: str, told: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "opsync.toml").write_text(toml, encoding="utf-8")
    assert run(["sync"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    for part in told:
        assert part in lines[0]
    assert CANARY not in err


def test_what_is_no_toml_ends_with_exit_2_and_the_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "opsync.toml").write_text("[instances", encoding="utf-8")
    assert run(["sync"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    error, hint = err.splitlines()
    assert error.startswith(f"error: {tmp_path / 'opsync.toml'}: not valid TOML: ")
    assert "opsync config check" in hint


def test_several_wrong_settings_are_told_at_once_one_line_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = LINEAR + 'tokne = "x"\n' + JIRA.replace(JIRA_SITE, "harbor") + NOTION + 'a = "b"\n'
    (tmp_path / "opsync.toml").write_text(toml, encoding="utf-8")
    assert run(["sync"]) == 2
    err = capsys.readouterr().err
    assert [line.split(":")[1].strip() for line in err.splitlines()] == [
        "instances.linear.tokne",
        "instances.jira-main.site",
        "instances.notion.a",
    ]
    assert CANARY not in err


def test_an_unknown_variable_is_told_and_its_value_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSYNC_LINEAR__TOKNE", CANARY)
    (tmp_path / "opsync.toml").write_text(LINEAR, encoding="utf-8")
    assert run(["sync"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: OPSYNC_LINEAR__TOKNE: unknown environment variable")
    assert "OPSYNC_LINEAR__TOKEN" in err
    assert CANARY not in err


def test_without_a_configuration_the_next_step_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["sync"]) == 2
    assert "opsync init" in capsys.readouterr().err


def test_an_unknown_connection_is_told_with_those_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "opsync.toml").write_text(LINEAR, encoding="utf-8")
    assert run(["sync", "--only", "linaer"]) == 2
    err = capsys.readouterr().err
    assert 'no connection "linaer"' in err
    assert "linear" in err


def test_an_unknown_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sync", "--fulll"]) == 2
    assert "--full" in capsys.readouterr().err
