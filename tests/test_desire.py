"""What should stand in an analytics project, and what is told of a private initiative."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

import pytest

from opsync.contract.connector import Context
from opsync.desire import Setting, content_of, desire
from opsync.model import (
    Adoption,
    Health,
    Kind,
    Metric,
    MetricKind,
    Record,
    Ref,
    Release,
    Rollup,
    Span,
)
from opsync.model.rules import LinkSettings, Mode, RollupRule, Roots
from tests.support.build import record
from tests.support.meter import Meter, MeterSettings

PROJECT = Ref("meter", "project", "1")
DAY = date(2026, 11, 3)
TARGET = Record(ref=PROJECT, kind=Kind.product, title="Harbor app")
METRIC = Metric("meter", MetricKind.event, "moonstone-launch")


def meter() -> Meter:
    settings = MeterSettings(connector="meter", tool="none")
    return Meter(settings, Context("meter", cast("Any", None), cast("Any", None)))


def setting(expose: str = "nothing", **modes: Mode) -> Setting:
    rules = {
        name: RollupRule(name=name, roots=Roots(instance="notion"), mode=mode)
        for name, mode in (modes or {"roadmap": Mode.apply}).items()
    }
    tools = {"notion": "Notion", "meter": "Meter"}
    return Setting(tools, {"notion": expose}, rules, LinkSettings(), DAY)


def rollup(rule: str = "roadmap", root: str = "1", **values: Any) -> Rollup:
    given: dict[str, Any] = {
        "counts": {},
        "done": 1,
        "total": 2,
        "health": Health.on_track,
        "released": Release(DAY, "completed"),
        "announced_in": (PROJECT,),
    }
    return Rollup(rule=rule, root=Ref("notion", "page", root), **(given | values))


def page(id_: str = "1", **values: Any) -> Record:
    return record(id_, "done", instance="notion", **values)


def wants(*rollups: tuple[Rollup, Record], of: Setting | None = None) -> list[Any]:
    return desire(TARGET, [], {}, rollups, meter(), of or setting())


def test_a_release_is_told_once_with_its_day_and_why() -> None:
    [want] = wants((rollup(), page()))
    assert want.slot.target == PROJECT
    assert (want.slot.surface, want.slot.rule) == ("annotation", "roadmap")
    assert want.value["on"] == "2026-11-03"
    assert want.value["text"].startswith("Shipped: Title 1 https://notion.example/1")
    assert want.reason == "its own status is done; the day is that of its completion"
    assert want.writes


def test_each_initiative_is_told_by_the_first_rule_that_has_it() -> None:
    both = setting(plans=Mode.observe, roadmap=Mode.apply)
    found = wants(
        (rollup("plans", announced_in=()), page()),
        (rollup("roadmap"), page()),
        (rollup("roadmap", "2"), page("2")),
        of=both,
    )
    assert [(want.slot.rule, want.slot.other.id) for want in found] == [
        ("roadmap", "1"),
        ("roadmap", "2"),
    ]


@pytest.mark.parametrize(
    "one",
    [
        rollup(released=None, announced_in=()),
        rollup(released=Release(None, "unknown")),
        rollup(announced_in=(Ref("other", "project", "1"),)),
        rollup("gone"),
    ],
    ids=["not shipped", "nobody knows when", "told elsewhere", "of a rule that is gone"],
)
def test_what_is_not_to_be_told_here_is_not(one: Rollup) -> None:
    assert wants((one, page())) == []


def test_a_private_initiative_is_told_as_far_as_it_is_exposed() -> None:
    private = page(private=True, key="PLAN-1")
    assert wants((rollup(), private), of=setting("nothing")) == []
    [want] = wants((rollup(), private), of=setting("key"))
    assert want.value["text"].startswith("Shipped: PLAN-1 ")
    [want] = wants((rollup(), private), of=setting("title"))
    assert want.value["text"].startswith("Shipped: Title 1 ")


def test_a_project_that_is_gone_wants_nothing() -> None:
    gone = Record(ref=PROJECT, kind=Kind.product, title="", tombstone="missing")
    assert desire(gone, [], {}, [(rollup(), page())], meter(), setting()) == []


@pytest.mark.parametrize("expose", ["nothing", "key", "title"])
@pytest.mark.parametrize("at_root", [True, False])
@pytest.mark.parametrize("private", [True, False])
def test_what_a_private_initiative_measures_is_told_on_its_own_page_only(
    expose: str, at_root: bool, private: bool
) -> None:
    unknown = Adoption(metric=METRIC, trouble="unknown", nearest=("moonstone",))
    content = content_of(
        rollup(adoption=(unknown,)), page(private=private), {}, setting(expose), at_root=at_root
    )
    assert ("moonstone" in content.adoption) is (at_root or not private)
    assert bool(content.rollup.adoption) is (at_root or not private)


def test_numbers_of_a_private_initiative_are_told_like_its_other_numbers() -> None:
    window = Span(date(2026, 10, 6), DAY)
    measured = Adoption(metric=METRIC, window=window, per_day=38.0)
    one = rollup(adoption=(measured,), released=None)
    content = content_of(one, page(private=True), {}, setting("key"), at_root=False)
    assert content.adoption
    assert "moonstone" not in content.adoption
