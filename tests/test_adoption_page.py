"""docs/adoption.md is true to the program: its configurations, its texts, its names of things."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from datetime import date
from pathlib import Path

import msgspec
import pytest

from opsync.adoption import EARLY_DAYS, EARLY_USERS, STALE_DAYS
from opsync.blocks.rules import MetricBlock
from opsync.cli.init.options import Options
from opsync.cli.init.table import ANALYTICS, Analytics
from opsync.cli.init.text import placeholders
from opsync.config import build
from opsync.languages import words_of
from opsync.model import (
    Adoption,
    Early,
    Effect,
    Health,
    Metric,
    MetricKind,
    Ref,
    Release,
    Rollup,
    Span,
)
from opsync.stages.measure import MOVING_DAYS
from opsync.wording import adoption

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/adoption.md").read_text(encoding="utf-8")
CONFIGURATIONS = [
    tomllib.loads(block) for block in re.findall(r"^```toml\n(.*?)^```", PAGE, re.M | re.S)
]
ENGLISH = words_of("en")
RELEASED, LAST = date(2026, 11, 7), date(2026, 11, 25)
METRIC = Metric("posthog", MetricKind.flag, "instant-payout")
WINDOW = Adoption(metric=METRIC, window=Span.ending(LAST, 28), per_day=38)


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_whole_configuration_is_one_that_is_taken() -> None:
    whole, *_ = CONFIGURATIONS
    (rule,) = build(placeholders(whole)).rules

    assert [(one.kind.value, one.property) for one in rule.metrics] == [
        ("event", "Event"),
        ("flag", "Flag"),
    ]
    assert (rule.released, rule.announce_in) == ("Released", ("posthog",))


def test_each_metric_that_is_shown_is_one_that_is_taken() -> None:
    _, *parts = CONFIGURATIONS
    metrics = [MetricBlock(**one).rule() for part in parts for one in part["rollup"]["metric"]]

    assert [(one.name, one.counts.value, one.weeks) for one in metrics] == [
        ("signed_in", "events", 2)
    ]


def test_the_keys_of_a_metric_are_those_on_the_page() -> None:
    told = PAGE.partition("### What a metric may say")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", told)) - {"users", "events"}

    assert named == set(MetricBlock.model_fields) - {"instance"}
    assert MetricBlock(instance="posthog", flag="x").weeks == 4


def shown(one: Adoption, *, released: bool = True) -> str:
    rollup = Rollup(
        rule="roadmap",
        root=Ref("notion", "page", "1"),
        counts={},
        done=14,
        total=14,
        progress=1,
        health=Health.done,
        adoption=(one,),
        released=Release(RELEASED, "property") if released else None,
    )
    return adoption(rollup, {"posthog": "PostHog"}, today=LAST, words=ENGLISH)


def after(effect: Effect, last: date = LAST) -> str:
    window = Span.ending(last, 28)
    return shown(msgspec.structs.replace(WINDOW, effect=effect, window=window))


def test_the_texts_on_the_page_are_those_that_are_written() -> None:
    changed = Effect(weeks=2, before=24, after=38, ratio=38 / 24)
    month = Effect(weeks=4, before=24, after=38, ratio=38 / 24)
    few = Effect(weeks=1, before=24, after=1, early=Early("users since", 12, EARLY_USERS))
    rows = re.findall(r"^\| `(.+?)` \|", section("3. Read it"), re.M)

    assert rows == [
        after(changed),
        after(month, date(2026, 12, 20)),
        shown(msgspec.structs.replace(WINDOW, per_day=312, change=0.04), released=False),
        shown(WINDOW, released=False),
        after(Effect(weeks=2, before=0, after=38)),
        after(Effect(weeks=2, before=1, after=38, early=Early("users before", 14, EARLY_USERS))),
        after(Effect(weeks=0, before=24, after=38, early=Early("days", 5, EARLY_DAYS))),
        after(few, date(2026, 11, 18)),
        after(msgspec.structs.replace(few, weeks=4), date(2026, 12, 20)),
        shown(Adoption(metric=METRIC, trouble="unknown", nearest=("instant-payouts",))),
        shown(Adoption(metric=METRIC, trouble="refused")),
        shown(Adoption(metric=METRIC, trouble="empty")),
    ]
    stale = shown(
        msgspec.structs.replace(WINDOW, stale=True, window=Span.ending(date(2026, 11, 20), 28)),
        released=False,
    )
    assert f"`{stale.removeprefix('38 users a day')}`" in section("3. Read it")


def test_the_bounds_on_the_page_are_those_in_force() -> None:
    numbers = {7: "seven", 3: "three", 2: "two"}
    means = section("What the numbers mean")

    assert f"Under {numbers[EARLY_DAYS]} complete days since the release" in means
    assert f"under {EARLY_USERS} users on a side" in means
    assert f"The last {numbers[MOVING_DAYS]} days" in means
    assert f"nothing newer could be read for {numbers[STALE_DAYS]} days" in PAGE


def test_the_options_of_init_on_the_page_are_there() -> None:
    named = {one.replace("-", "_") for one in re.findall(r"(?<![\w-])--([a-z][a-z-]*)", PAGE)}

    assert {"analytics", "flag_column", "released_column"} <= named
    assert named - {"mode", "ask_admin", "full"} <= {one.name for one in fields(Options)}


@pytest.mark.parametrize("tool", ANALYTICS, ids=lambda tool: tool.name)
def test_each_analytics_tool_is_told_of_and_leads_back(tool: Analytics) -> None:
    page = (ROOT / "docs" / f"{tool.name}.md").read_text(encoding="utf-8")

    assert f"]({tool.name}.md)" in PAGE
    assert "](adoption.md)" in page


def test_the_readme_leads_there() -> None:
    assert "](docs/adoption.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
