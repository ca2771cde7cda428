"""What init writes is what every command reads, whatever was answered."""

from __future__ import annotations

import tomllib

import pytest

from opsync.cli.init.answers import (
    Answers,
    JiraAnswers,
    LinearAnswers,
    NotionAnswers,
    Source,
    Word,
)
from opsync.cli.init.text import block_of, placeholders, render
from opsync.config import build

DATABASE = "https://www.notion.so/harbor/0123456789abcdef0123456789abcdef?v=1"
JIRA = JiraAnswers("https://harbor.example", "a@b.example")
NOTION = NotionAnswers((Source(DATABASE),))


@pytest.mark.parametrize(
    ("answers", "instance", "kind"),
    [
        (Answers(jira=JIRA), "jira-main", "epic"),
        (Answers(jira=JIRA, linear=LinearAnswers()), "linear", "project"),
        (Answers(jira=JIRA, notion=NOTION), "notion", "initiative"),
    ],
)
def test_without_a_roadmap_in_notion_linear_projects_or_jira_epics_are_rolled_up(
    answers: Answers, instance: str, kind: str
) -> None:
    found = build(placeholders(tomllib.loads(render(answers)))).rules[0].roots

    assert (found.instance, found.kind) == (instance, kind)


def test_whatever_is_answered_stays_text_in_the_file() -> None:
    hostile = 'x"\n[instances.evil]\nconnector = "jira"\x7f\\'
    words = (Word(hostile), Word(hostile, "statuses"))

    raw = tomllib.loads(
        render(
            Answers(
                jira=JiraAnswers(
                    hostile, hostile, (hostile,), canceled=words, suspects=words, api=hostile
                ),
                linear=LinearAnswers(there=(hostile,), suspects=words[1:]),
                notion=NotionAnswers(
                    (
                        Source(
                            hostile,
                            hostile,
                            status=hostile,
                            links=(hostile,),
                            columns={"delivery": hostile},
                        ),
                    )
                ),
                tracked_in=(hostile,),
                time_zone=hostile,
                secrets_dir=hostile,
            )
        )
    )

    assert set(raw["instances"]) == {"jira-main", "linear", "notion"}
    assert raw["instances"]["jira-main"]["site"] == hostile
    assert raw["instances"]["jira-main"]["resolutions"] == {hostile: "canceled"}
    assert raw["instances"]["linear"] == {"connector": "linear", "statuses": {}}
    (source,) = raw["instances"]["notion"]["data_sources"]
    assert (source["name"], source["columns"]["delivery"]) == (hostile, hostile)
    assert raw["rollup"][0]["properties"] == [hostile]


def test_the_block_that_is_tried_is_the_one_that_is_written() -> None:
    raw = tomllib.loads(render(Answers(jira=JIRA, notion=NOTION, secrets_dir="secrets")))

    assert raw["instances"] == {"jira-main": block_of(JIRA), "notion": block_of(NOTION)}
