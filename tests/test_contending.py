"""One owner a field: what two rules or two connections would both write is refused (F41)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsync.config import Config, build
from opsync.errors import ConfigError
from tests.support.meter import DROP_IN

NOTION_ID = "1f2e3d4c5b6a79881f2e3d4c5b6a7988"


@pytest.fixture
def raw(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "meter.py").write_text(DROP_IN, encoding="utf-8")
    return {
        "plugins_dir": str(tmp_path),
        "instances": {
            "linear": {"connector": "linear", "token": "lin_api_fake"},
            "meter": {"connector": "meter", "tool": "x"},
        },
        "rollup": [{"name": "roadmap", "roots": {"instance": "linear"}}],
    }


def problems(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        build(raw)
    return list(caught.value.problems)


def two_rules(raw: dict[str, Any], one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    roots = {"instance": "linear"}
    raw["rollup"] = [
        {"name": "roadmap", **one, "roots": {**roots, **one.get("roots", {})}},
        {"name": "board", **two, "roots": {**roots, **two.get("roots", {})}},
    ]
    return raw


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({}, {}),
        ({}, {"mode": "observe"}),
        ({"roots": {"kind": "initiative"}}, {}),
        ({"roots": {"space": "Growth"}}, {"roots": {"kind": "project"}}),
        (
            {"roots": {"where": {"Quarter": ["Q4"]}}},
            {"roots": {"where": {"Quarter": ["Q4", "Q1"]}}},
        ),
        ({"roots": {"where": {"Quarter": ["Q4"]}}}, {"roots": {"where": {"Team": ["Web"]}}}),
        ({"write_to": ["root"]}, {}),
    ],
)
def test_two_rules_that_may_write_one_place_are_refused(
    raw: dict[str, Any], one: dict[str, Any], two: dict[str, Any]
) -> None:
    [line] = problems(two_rules(raw, one, two))
    assert line.startswith('rollup.board.write_to: rules "roadmap" and "board" would both write')
    assert "on the same initiatives" in line
    assert 'take "root" out of write_to of one of them' in line


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"roots": {"kind": "initiative"}}, {"roots": {"kind": "project"}}),
        ({"roots": {"space": "Growth"}}, {"roots": {"space": "Security"}}),
        ({"roots": {"where": {"Quarter": ["Q4"]}}}, {"roots": {"where": {"Quarter": ["Q1"]}}}),
        ({"write_to": ["root"]}, {"write_to": ["containers"]}),
        ({"write_to": []}, {}),
    ],
)
def test_rules_that_write_apart_are_taken(
    raw: dict[str, Any], one: dict[str, Any], two: dict[str, Any]
) -> None:
    assert len(build(two_rules(raw, one, two)).rules) == 2


def test_one_release_is_announced_by_one_rule(raw: dict[str, Any]) -> None:
    both = {"announce_in": ["meter"]}
    [line] = problems(two_rules(raw, both, both | {"write_to": []}))
    assert line.startswith(
        'rollup.board.announce_in: rules "roadmap" and "board" would both announce the releases '
        'of the same initiatives in "meter"'
    )


def jira(site: str, *projects: str) -> dict[str, Any]:
    block = {"connector": "jira", "site": site, "email": "a@b.example", "token": "t"}
    return block | ({"projects": list(projects)} if projects else {})


def linear(token: str, *teams: str, workspace: str = "") -> dict[str, Any]:
    return {"connector": "linear", "token": token, "teams": list(teams), "workspace": workspace}


def notion(id_: str, **more: Any) -> dict[str, Any]:
    return {"connector": "notion", "token": "ntn_x", "data_sources": [{"id": id_, **more}]}


SITE = "https://harbor.atlassian.net"


@pytest.mark.parametrize(
    ("one", "two", "place"),
    [
        (jira(SITE), jira("https://HARBOR.atlassian.net/"), SITE),
        (jira(SITE), jira(SITE, "PAY"), f"PAY of {SITE}"),
        (jira(SITE, "PAY", "MOB"), jira(SITE, "mob"), f"MOB of {SITE}"),
        (linear("lin_1"), linear("lin_1", "GRO"), "GRO of the workspace of their token"),
        (
            linear("lin_1", workspace="harbor"),
            linear("lin_2", workspace="Harbor"),
            "linear.app/harbor",
        ),
        (linear("lin_1"), linear("lin_2"), "a workspace that is not named"),
        (linear("lin_1"), linear("lin_2", workspace="harbor"), "a workspace that is not named"),
        (
            linear("lin_1", "GRO"),
            linear("lin_2", workspace="harbor"),
            "GRO of a workspace that is not",
        ),
        (linear("lin_1", "GRO"), linear("lin_2", "gro"), "GRO of a workspace that is not"),
        (notion(NOTION_ID), notion(f"https://notion.so/x-{NOTION_ID}?v=1"), "the data source"),
    ],
)
def test_two_connections_that_write_one_place_are_refused(
    raw: dict[str, Any], one: dict[str, Any], two: dict[str, Any], place: str
) -> None:
    raw |= {"instances": {"one": one, "two": two}, "rollup": []}
    [line] = problems(raw)
    assert line.startswith(f'instances.two: would write the same as "one": {place}')
    assert "keep one of them, or part them by" in line


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (jira(SITE), jira("https://ships.atlassian.net")),
        (jira(SITE, "PAY"), jira(SITE, "MOB")),
        (jira(SITE, "PAY"), jira(SITE, "PAYROLL")),
        (linear("lin_1", workspace="harbor"), linear("lin_2", workspace="ships")),
        (linear("lin_1", "GRO"), linear("lin_2", "SEC")),
        (linear("lin_1", "GRO"), linear("lin_2", "SEC", workspace="harbor")),
        (linear("lin_1", "GRO"), linear("lin_1", "SEC")),
        (notion(NOTION_ID), notion(NOTION_ID, write=False)),
        (notion(NOTION_ID), notion(NOTION_ID[::-1])),
    ],
)
def test_connections_that_write_apart_are_taken(
    raw: dict[str, Any], one: dict[str, Any], two: dict[str, Any]
) -> None:
    raw |= {"instances": {"one": one, "two": two}, "rollup": []}
    assert len(build(raw).instances) == 2


POSTHOG = {"connector": "posthog", "project": "12", "token": "phx_x"}
AMPLITUDE = {"connector": "amplitude", "project": "12", "api_key": "a", "secret_key": "s"}
MIXPANEL = {"connector": "mixpanel", "project": 12, "username": "u", "secret": "s"}


def announcing(raw: dict[str, Any], block: dict[str, Any], *names: str, **other: Any) -> Config:
    raw["instances"] |= {"one": block, "two": block | other}
    raw["rollup"][0]["announce_in"] = list(names)
    return build(raw)


@pytest.mark.parametrize("block", [POSTHOG, AMPLITUDE, MIXPANEL])
def test_one_analytics_project_is_announced_in_by_one_name(
    raw: dict[str, Any], block: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError) as caught:
        announcing(raw, block, "one", "two")
    [line] = caught.value.problems
    assert line.startswith('instances.two: is "one" by another name (project 12 at https://')
    assert "Take one of them out of announce_in" in line


@pytest.mark.parametrize("block", [POSTHOG, AMPLITUDE, MIXPANEL])
def test_it_may_be_read_by_two_names_and_two_projects_may_be_told(
    raw: dict[str, Any], block: dict[str, Any]
) -> None:
    assert len(announcing(raw, block, "one").instances) == 4
    assert len(announcing(raw, block, "one", "two", project=13).instances) == 4


def test_rules_teams_and_people_are_named_by_their_names() -> None:
    found = problems(
        {
            "instances": {"linear": linear("lin_1")},
            "rollup": [
                {"name": "roadmap", "mode": "aply", "roots": {"instance": "linear"}},
                {"mode": "apply", "roots": {"instance": "linear"}},
            ],
            "team": [{"name": "Payments & Co", "scope": [{"instance": "linear"}], "colour": "red"}],
        }
    )
    where = [line.partition(":")[0] for line in found]
    assert "rollup.roadmap.mode" in where
    assert "rollup.1.name" in where, "it has none"
    assert 'team."Payments & Co".colour' in where


def test_of_two_of_one_name_the_number_tells() -> None:
    rule = {"name": "roadmap", "roots": {"instance": "linear"}}
    found = problems({"instances": {"linear": linear("lin_1")}, "rollup": [rule, rule]})
    assert found == ['rollup.1.name: "roadmap" is taken']
