"""What rules measure and where they announce must be there and be able to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsync.config import build
from opsync.errors import ConfigError
from opsync.model import Counts, MetricKind
from opsync.model.rules import MetricRule
from opsync.plugins import load
from tests.support.meter import DROP_IN


@pytest.fixture
def raw(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "meter.py").write_text(DROP_IN, encoding="utf-8")
    return {
        "plugins_dir": str(tmp_path),
        "instances": {
            "linear": {"connector": "linear", "token": "lin_api_fake"},
            "meter": {"connector": "meter", "tool": "x"},
            "gauge": {"connector": "gauge", "tool": "x"},
        },
        "rollup": [{"name": "roadmap", "roots": {"instance": "linear"}}],
    }


def problems(raw: dict[str, Any], **rule: Any) -> list[str]:
    raw["rollup"][0] |= rule
    with pytest.raises(ConfigError) as caught:
        build(raw)
    return list(caught.value.problems)


def metric(raw: dict[str, Any], **block: Any) -> list[str]:
    return problems(raw, metric=[{"instance": "meter", "event": "payout"}, block])


BY_WHAT = "takes exactly one of event, flag, insight, event_from, flag_from, insight_from"


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        (
            {"instance": "metre", "event": "x"},
            'rollup.roadmap.metric.1.instance: no instance "metre"; did you mean "meter"?',
        ),
        ({"instance": "zzz", "event": "x"}, 'rollup.roadmap.metric.1.instance: no instance "zzz"'),
        (
            {"instance": "linear", "event": "x"},
            "rollup.roadmap.metric.1.instance: Linear measures nothing; one that can: meter, gauge",
        ),
        (
            {"instance": "gauge", "flag": "x"},
            (
                "rollup.roadmap.metric.1.flag: Gauge has no flags; "
                "use one of: event, each also as …_from"
            ),
        ),
        (
            {"instance": "gauge", "insight_from": "Chart"},
            (
                "rollup.roadmap.metric.1.insight_from: Gauge has no insights, charts or reports; "
                "use one of: event, each also as …_from"
            ),
        ),
        (
            {"instance": "meter", "event": "payout", "weeks": 2},
            "rollup.roadmap.metric.1: measures the same as metric.0",
        ),
        ({"instance": "meter"}, f"rollup.roadmap.metric.1: {BY_WHAT}; none given"),
        ({"instance": "meter", "event": " "}, f"rollup.roadmap.metric.1: {BY_WHAT}; none given"),
        (
            {"instance": "meter", "event": "x", "flag_from": "Flag"},
            f"rollup.roadmap.metric.1: {BY_WHAT}; 2 given",
        ),
        (
            {"instance": "meter", "evnt": "x", "event": "x"},
            'rollup.roadmap.metric.1.evnt: unknown key; did you mean "event"?',
        ),
        (
            {"instance": "meter", "event": "x", "weeks": 5},
            "rollup.roadmap.metric.1.weeks: input should be less than or equal to 4",
        ),
        (
            {"instance": "meter", "event": "x", "counts": "people"},
            "rollup.roadmap.metric.1.counts: input should be 'users' or 'events'",
        ),
        ({"event": "x"}, "rollup.roadmap.metric.1.instance: missing"),
    ],
)
def test_a_wrong_metric_is_one_line_with_what_is_right(
    raw: dict[str, Any], block: dict[str, Any], problem: str
) -> None:
    assert metric(raw, **block) == [problem]


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["metre"], 'rollup.roadmap.announce_in.0: no instance "metre"; did you mean "meter"?'),
        (
            ["meter", "linear"],
            (
                "rollup.roadmap.announce_in.1: Linear has no place in which releases are told; "
                "one that has: meter"
            ),
        ),
        (
            ["gauge"],
            (
                "rollup.roadmap.announce_in.0: Gauge has no place in which releases are told; "
                "one that has: meter"
            ),
        ),
        (["meter", "meter"], 'rollup.roadmap.announce_in.1: "meter" is listed twice'),
    ],
)
def test_a_wrong_place_for_releases_is_one_line_with_what_is_right(
    raw: dict[str, Any], names: list[str], problem: str
) -> None:
    assert problems(raw, announce_in=names) == [problem]


def test_a_connection_that_is_wrong_itself_is_told_once(raw: dict[str, Any]) -> None:
    raw["instances"]["meter"] = {"connector": "metr"}
    blocks = [{"instance": "meter", "event": "x"}]
    [problem] = problems(raw, metric=blocks, announce_in=["meter"])
    assert problem.startswith('instances.meter.connector: unknown connector "metr"')


def test_where_no_connection_can_none_is_named(raw: dict[str, Any]) -> None:
    del raw["instances"]["meter"], raw["instances"]["gauge"]
    found = problems(raw, metric=[{"instance": "linear", "event": "x"}], announce_in=["linear"])
    assert found == [
        "rollup.roadmap.metric.0.instance: Linear measures nothing",
        "rollup.roadmap.announce_in.0: Linear has no place in which releases are told",
    ]


def test_what_is_right_is_a_rule(raw: dict[str, Any]) -> None:
    raw["rollup"][0] |= {
        "metric": [
            {"instance": "meter", "flag_from": " Flag ", "counts": "events", "weeks": 2},
            {"instance": "meter", "insight": "abc", "counts": "events"},
            {"instance": "meter", "event": "payout"},
            {"instance": "meter", "event": "payout", "counts": "events"},
            {"instance": "gauge", "event": "payout"},
        ],
        "released": "Released",
        "announce_in": ["meter"],
    }
    [rule] = build(raw).rules
    assert rule.metrics[:2] == (
        MetricRule(
            instance="meter",
            kind=MetricKind.flag,
            property="Flag",
            counts=Counts.events,
            weeks=2,
        ),
        # An insight has a unit of its own.
        MetricRule(instance="meter", kind=MetricKind.insight, name="abc", counts=Counts.users),
    )
    assert len(rule.metrics) == 5
    assert (rule.released, rule.announce_in) == ("Released", ("meter",))


def test_that_it_measures_is_told_of_a_plugin(raw: dict[str, Any]) -> None:
    infos = load(wanted=(), plugins_dir=Path(raw["plugins_dir"])).infos
    [info] = [one for one in infos if one.name == "meter"]
    assert info.capabilities == ("reads", "writes", "measures")


def test_what_measures_and_reads_no_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(
        """\
from opsync import Connector, ConnectorSettings, Measurable, hookimpl

class Probe(Connector[ConnectorSettings], Measurable):
    name = "probe"
    title = "Probe"
    settings_type = ConnectorSettings

    async def zone(self):
        return ""

    async def measure(self, metrics, days, windows):
        yield None

@hookimpl
def register_connectors():
    return [Probe]
""",
        encoding="utf-8",
    )
    [info] = [one for one in load(wanted=(), plugins_dir=tmp_path).infos if one.name == "probe"]
    assert info.state == "failed"
    assert info.why == "Probe measures, and reads no record of the project that it measures"


@pytest.mark.parametrize("block", ["digest", "health_page"])
@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("", "missing; no connection can write pages"),
        ("linear", "Linear has no pages to write"),
        ("liner", 'no instance "liner"; did you mean "linear"?'),
    ],
)
def test_a_page_is_written_by_a_connection_that_can(
    raw: dict[str, Any], block: str, named: str, said: str
) -> None:
    page = {"notion_page": "https://www.notion.so/week", "notion": named}
    raw["service"] = {block: page}
    assert problems(raw) == [f"service.{block}.notion: {said}"]


def test_the_one_connection_that_can_write_pages_need_not_be_named(raw: dict[str, Any]) -> None:
    raw["service"] = {"digest": {"notion_page": "https://www.notion.so/week"}}
    raw["instances"]["notion"] = {
        "connector": "notion",
        "token": "ntn_fake",
        "data_sources": [{"id": "0123456789abcdef0123456789abcdef"}],
    }
    assert build(raw).general.service.digest.notion == ""
