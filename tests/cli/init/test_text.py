"""What init writes is what every command reads, whatever was answered."""

from __future__ import annotations

import tomllib

import pytest

from opsync.cli.init.answers import (
    AnalyticsAnswers,
    Answers,
    JiraAnswers,
    LinearAnswers,
    NotionAnswers,
    Source,
    Use,
    Word,
)
from opsync.cli.init.text import block_of, placeholders, render
from opsync.config import build
from opsync.model import MetricKind

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
                analytics=(
                    AnalyticsAnswers(
                        "mixpanel", hostile, hostile, "username", hostile, hostile, api=""
                    ),
                ),
                tracked_in=(hostile,),
                use=Use(tuple((kind, hostile) for kind in MetricKind), hostile),
                time_zone=hostile,
                secrets_dir=hostile,
            )
        )
    )

    assert set(raw["instances"]) == {"jira-main", "linear", "notion", "mixpanel"}
    assert raw["instances"]["mixpanel"] == {
        "project": hostile,
        "connector": "mixpanel",
        "region": hostile,
        "username": hostile,
        "time_zone": hostile,
    }
    assert raw["instances"]["jira-main"]["site"] == hostile
    assert raw["instances"]["jira-main"]["resolutions"] == {hostile: "canceled"}
    assert raw["instances"]["linear"] == {"connector": "linear", "statuses": {}}
    (source,) = raw["instances"]["notion"]["data_sources"]
    assert (source["name"], source["columns"]["delivery"]) == (hostile, hostile)
    assert raw["rollup"][0]["properties"] == [hostile]
    assert raw["rollup"][0]["released"] == hostile
    assert raw["rollup"][0]["announce_in"] == ["mixpanel"]
    assert raw["rollup"][0]["metric"] == [
        {"instance": "mixpanel", f"{kind}_from": hostile} for kind in MetricKind
    ]


def test_the_block_that_is_tried_is_the_one_that_is_written() -> None:
    raw = tomllib.loads(render(Answers(jira=JIRA, notion=NOTION, secrets_dir="secrets")))

    assert raw["instances"] == {"jira-main": block_of(JIRA), "notion": block_of(NOTION)}


def test_two_analytics_tools_are_measured_in_and_told_alike() -> None:
    """One is asked about; a second one, written by hand, has the same shape."""
    answers = Answers(
        linear=LinearAnswers(),
        analytics=(AnalyticsAnswers("posthog"), AnalyticsAnswers("amplitude", api="http://x")),
        use=Use(((MetricKind.event, "Event"),)),
    )

    raw = tomllib.loads(render(answers))

    assert [one["instance"] for one in raw["rollup"][0]["metric"]] == ["posthog", "amplitude"]
    assert raw["rollup"][0]["announce_in"] == ["posthog", "amplitude"]
    assert raw["instances"]["amplitude"] == block_of(answers.analytics[1])
    assert placeholders(raw)["instances"]["amplitude"].keys() >= {"api_key", "secret_key"}
