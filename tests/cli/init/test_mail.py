"""The mail to who may make the connections: ready to send, and nothing else happens."""

from __future__ import annotations

import pytest

from opsync.cli.init.table import ANALYTICS
from tests.cli.init.conftest import Init


def test_a_notion_owner_is_told_what_why_and_where_to_click(init: Init) -> None:
    said = init.alone("--ask-admin", "--notion", "Roadmap 2027")

    assert said.code == 0
    assert said.text.startswith("Subject: ")
    for words in (
        "opsync",
        "What it will do",
        "What it will not do",
        "Read content and Update content",
        'Open the database "Roadmap 2027" in Notion → •••',
        "Connections → opsync",
        "not by mail",
    ):
        assert words in said.text
    assert list(init.folder.iterdir()) == []
    assert all(len(line) <= 100 for line in said.text.splitlines())


def test_without_a_tool_it_is_the_mail_about_notion(init: Init) -> None:
    said = init.alone("--ask-admin")

    assert said.text.count("Subject: ") == 1
    assert "the roadmap's database in Notion" in said.text


def test_each_tool_that_is_named_gets_a_mail(init: Init) -> None:
    said = init.alone(
        *("--ask-admin", "--linear", "--jira", "harbor.atlassian.net", "--jira-project", "PAY"),
    )

    assert said.text.count("Subject: ") == 2
    assert "https://harbor.atlassian.net" in said.text
    assert "PAY" in said.text
    assert "Settings → Administration → API" in said.text


def test_a_file_that_is_there_is_no_reason_to_refuse(init: Init) -> None:
    (init.folder / "opsync.toml").write_text("precious")

    assert init.alone("--ask-admin").code == 0
    assert (init.folder / "opsync.toml").read_text() == "precious"


@pytest.mark.parametrize("tool", [one.name for one in ANALYTICS])
@pytest.mark.parametrize("language", ["en", "de"])
def test_each_analytics_tool_has_a_mail(init: Init, tool: str, language: str) -> None:
    project = ("--analytics-project", "12345")
    said = init.alone("--ask-admin", "--language", language, "--analytics", tool, *project)

    title = next(one.title for one in ANALYTICS if one.name == tool)
    assert said.code == 0, said.text
    assert said.text.count("opsync“" if language == "de" else "Subject: ") == 1
    assert f" {title} " in said.text.splitlines()[0]
    assert "12345" in said.text
    assert "{" not in said.text
    assert "→" in said.text
    assert list(init.folder.iterdir()) == []
    assert all(len(line) <= 100 for line in said.text.splitlines())


def test_the_mail_about_analytics_says_who_may_and_what_is_never_read(init: Init) -> None:
    said = init.alone("--ask-admin", "--linear", "--analytics", "https://eu.mixpanel.com/project/9")

    assert said.text.count("Subject: ") == 2
    assert "only owners and admins may make" in said.text
    assert "never who the users were" in said.text
    assert "Projects: project 9" in said.text


@pytest.mark.parametrize("tool", [("--jira", "x.atlassian.net"), ("--linear",), ()])
def test_the_mail_is_there_in_german(init: Init, tool: tuple[str, ...]) -> None:
    said = init.alone("--ask-admin", "--language", "de", *tool)

    assert said.text.startswith("Betreff: ")
    assert "Was es nicht tut" in said.text
    assert "Subject" not in said.text
    assert all(len(line) <= 100 for line in said.text.splitlines())
