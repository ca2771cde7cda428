"""Where use is written: Notion's Adoption, and the links to the initiative in Jira and Linear."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from opsync.model import Counts, Member, Metric, MetricKind, Release, Rollup, Span, Usage
from opsync.stages.rollup import RollupInputs, roll_up
from opsync.steps import deriving
from tests.support.world import World

RELEASED = date(2026, 1, 10)
LAST = RELEASED + timedelta(days=20)
USED = "38 users a day since release, 24 before (+58 %)"

Use = Callable[[int], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Says how many users a day "One-tap checkout" has since its release; it had 24 before."""
    after: list[int] = []

    def measured(inputs: RollupInputs, *rest: Any) -> tuple[Rollup, list[Member]]:
        if after and inputs.root.title == "One-tap checkout":
            known = Span.ending(LAST, 56)
            days = {day: after[-1] if day > RELEASED else 24.0 for day in known.dates()}
            usage = Usage(
                metric=Metric("posthog", MetricKind.flag, "one-tap", Counts.users),
                last_day=LAST,
                weeks=4,
                known=known,
                days=days,
            )
            release = Release(RELEASED, "property")
            inputs = msgspec.structs.replace(inputs, usages=(usage,), release=release)
        return roll_up(inputs, *rest)

    monkeypatch.setattr(deriving, "roll_up", measured)
    return after.append


def derive_again(world: World) -> None:
    """Change the configuration so that all is looked at again, and nothing comes out otherwise."""
    thresholds = world.raw["rollup"][0].setdefault("thresholds", {"due_within_days": 14})
    thresholds["due_within_days"] -= 1


def standing(world: World) -> tuple[str, str, str]:
    """What the three tools say of the use of "One-tap checkout"."""
    [link] = [one for one in world.remote_links("PAY-1") if "rollup" in one["globalId"]]
    [label] = [label for label, _ in world.project_links() if label.startswith("Roadmap")]
    return world.checkout.text("Adoption"), link["summary"], label


def columns(world: World) -> list[str]:
    return [prop.name for prop in world.source.schema.properties.values()]


async def test_use_is_written_into_all_three_tools_and_once(world: World, use: Use) -> None:
    use(38)
    report = await world.sync()
    assert report.exit_code == 0
    assert standing(world) == (
        USED,
        "2/5 done · usage +58 %",
        "Roadmap: One-tap checkout · 2/5 · usage +58 %",
    )
    assert world.loyalty.text("Adoption") == ""
    derive_again(world)
    await world.silent()


async def test_where_nothing_is_measured_nothing_is_written_anew(settled: World) -> None:
    derive_again(settled)
    await settled.silent()
    assert "Adoption" not in columns(settled)
    [link] = [one for one in settled.remote_links("PAY-1") if "rollup" in one["globalId"]]
    assert link["summary"] == "2/5 done"


async def test_the_first_use_adds_its_column_and_changes_nothing_else_in_notion(
    settled: World, use: Use
) -> None:
    before = columns(settled)
    use(38)
    derive_again(settled)
    report = await settled.sync()
    assert {change.slot.surface for change, _ in report.outcomes} == {"adoption", "rollup"}
    assert columns(settled) == [*before, "Adoption"]
    derive_again(settled)
    await settled.silent()


async def test_a_new_day_writes_use_and_leaves_the_day_of_the_delivery_s_change(
    settled: World, use: Use
) -> None:
    use(38)
    derive_again(settled)
    await settled.sync()
    day = settled.checkout.cell("Delivery changed")
    settled.clock.advance(24 * 3600)
    await settled.sync()
    use(36)
    derive_again(settled)
    await settled.sync()
    assert standing(settled)[0] == "36 users a day since release, 24 before (+50 %)"
    assert settled.checkout.cell("Delivery changed") == day
    await settled.silent()


async def test_a_person_s_edit_of_adoption_wins(settled: World, use: Use) -> None:
    use(38)
    derive_again(settled)
    await settled.sync()
    settled.notion.edit_page(settled.checkout, "Adoption", "Ana: a great success")
    use(36)
    derive_again(settled)
    report = await settled.sync()
    assert settled.checkout.text("Adoption") == "Ana: a great success"
    assert [one.place for one in report.plan.held] == ["Adoption"]


async def test_use_is_no_evidence_and_does_not_change_the_page(settled: World, use: Use) -> None:
    before = await settled.record("One-tap checkout")
    use(38)
    derive_again(settled)
    await settled.sync()
    await settled.silent(full=True)
    after = await settled.record("One-tap checkout")
    assert (after.mentions, after.extra) == (before.mentions, before.extra)


async def test_after_a_lost_store_what_is_told_of_use_is_taken_up(world: World, use: Use) -> None:
    use(38)
    await world.sync()
    before = world.written()
    world.lose_store()
    report = await world.sync()
    assert report.exit_code == 0
    assert world.written() == before
    assert "Adoption (opsync)" not in columns(world)


async def test_when_nothing_is_measured_any_more_what_was_told_is_taken_back(
    world: World, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(38)
    await world.sync()
    monkeypatch.setattr(deriving, "roll_up", roll_up)
    derive_again(world)
    await world.sync()
    assert standing(world) == ("", "2/5 done", "Roadmap: One-tap checkout · 2/5")
    await world.silent()
