"""Adoption in whole passes: what is read when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from opsync.model import Metric, MetricKind, Span
from opsync.store import Store
from opsync.store.database import Database
from tests.support.measured import DAY_S, Measured
from tests.support.meter import SITE, days_ago, measures, used
from tests.support.world import troubles

# What is read when -----------------------------------------------------------------------------


async def test_it_is_in_the_rollup_and_a_second_pass_reads_and_writes_nothing(
    measured: Measured,
) -> None:
    world, tool = measured.world, measured.tool
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    found = await measured.adoption()
    assert found.metric == Metric("meter", MetricKind.flag, "one-tap")
    assert found.window == Span(days_ago(world, 28), days_ago(world, 1))
    assert found.effect is not None
    assert (found.effect.weeks, found.effect.before, found.effect.after) == (2, 24, 38)
    assert found.users is not None
    assert tool.requests == ["query"]
    tool.forget()
    await world.silent()
    assert tool.requests == []


async def test_once_a_day_the_last_three_days_are_read_again(measured: Measured) -> None:
    world, tool = measured.world, measured.tool
    tool.history.late = (0.5, 0.25)
    await world.sync()
    late = await measured.adoption()
    tool.forget()
    tool.history.late = ()
    world.clock.advance(DAY_S)
    await world.sync()
    [(_, days, _)] = tool.queries
    assert days == Span(days_ago(world, 4), days_ago(world, 1))
    now = await measured.adoption()
    assert late.window is not None
    assert now.window is not None
    assert now.window.last == late.window.last + timedelta(days=1)
    assert now.effect is not None
    assert (now.effect.before, now.effect.after) == (24, 38)
    tool.forget()
    await world.silent()
    assert tool.requests == []


async def test_two_rules_and_two_initiatives_with_one_metric_read_it_once(
    measured: Measured,
) -> None:
    world, tool = measured.world, measured.tool
    world.notion.edit_page(world.loyalty, "Flag", "one-tap")
    [rule] = world.raw["rollup"]
    block = {"instance": "meter", "flag": "one-tap", "weeks": 1}
    world.raw["rollup"].append({**rule, "name": "second", "metric": [block], "write_to": []})
    await world.sync()
    [(metrics, _, windows)] = tool.queries
    assert metrics == (Metric("meter", MetricKind.flag, "one-tap"),)
    assert [window.days for window in windows] == [28, 7]
    async with world.session() as session:
        found = {(one.rule, one.root): one.adoption[0] for one in await session.store.rollups()}
    assert len(found) == 4
    assert {one.window.days for one in found.values() if one.window} == {28, 7}
    assert all(one.users is not None for one in found.values())


async def test_all_metrics_are_asked_for_at_once(measured: Measured) -> None:
    world, tool = measured.world, measured.tool
    tool.history.events["payout"] = used(10)
    tool.insights["abc"] = "Payouts a day"
    measures(world, {"flag_from": "Flag"}, {"event": "payout"}, {"insight": "abc", "weeks": 2})
    await world.sync()
    assert tool.requests == ["query"]
    found = (await world.rollup(world.checkout)).adoption
    assert [one.metric.name for one in found] == ["one-tap", "payout", "abc"]
    assert found[2].title == "Payouts a day"
    assert [one.metric.name for one in (await world.rollup(world.loyalty)).adoption] == [
        "payout",
        "abc",
    ]


async def test_an_insight_that_shows_ten_days_is_asked_for_once_a_day(measured: Measured) -> None:
    world, tool = measured.world, measured.tool
    tool.insights["abc"], tool.insight_days = "Payouts a day", 10
    measures(world, {"insight": "abc"})
    await world.sync()
    found = await measured.adoption()
    assert found.window == Span(days_ago(world, 7), days_ago(world, 1))
    tool.forget()
    await world.silent()
    assert tool.requests == []
    world.clock.advance(DAY_S)
    await world.sync()
    assert tool.requests == ["query"]


async def test_a_release_further_back_than_what_is_known_has_all_read(measured: Measured) -> None:
    world, tool = measured.world, measured.tool
    await world.sync()
    tool.forget()
    world.notion.edit_page(world.checkout, "Released", days_ago(world, 100).isoformat())
    await world.sync()
    [(_, days, _)] = tool.queries
    assert days == Span(days_ago(world, 128), days_ago(world, 1))


async def test_longer_windows_of_a_changed_rule_are_read(measured: Measured) -> None:
    world, tool = measured.world, measured.tool
    measures(world, {"flag_from": "Flag", "weeks": 1}, released="")
    await world.sync()
    tool.forget()
    measures(world, {"flag_from": "Flag", "weeks": 4}, released="")
    await world.sync()
    assert [query[1].days for query in tool.queries] == [56]
    found = await measured.adoption()
    assert found.window is not None
    assert found.window.days == 28


async def test_a_metric_that_is_dropped_is_forgotten_and_read_anew_when_it_is_back(
    measured: Measured,
) -> None:
    world, tool = measured.world, measured.tool
    await world.sync()
    world.notion.edit_page(world.checkout, "Flag", "")
    await world.sync()
    assert (await world.rollup(world.checkout)).adoption == ()
    async with world.session() as session:
        assert await session.store.measured() == {}
        assert [c for c in await session.store.cursors() if c.feed == "opsync:metrics"] == []
    tool.forget()
    world.notion.edit_page(world.checkout, "Flag", "one-tap")
    await world.sync()
    assert [query[1].days for query in tool.queries] == [56]
    assert (await measured.adoption()).measured


async def test_an_instance_that_is_not_configured_any_more_is_forgotten(
    measured: Measured,
) -> None:
    world = measured.world
    await world.sync()
    del world.raw["instances"]["meter"]
    world.raw["rollup"][0] |= {"metric": [], "announce_in": []}
    await world.sync()
    assert (await world.rollup(world.checkout)).adoption == ()
    async with world.session() as session:
        assert await session.store.measured() == {}
    await world.silent()


async def test_a_service_that_was_down_for_months_reads_what_is_needed(measured: Measured) -> None:
    world, tool = measured.world, measured.tool
    await world.sync()
    tool.forget()
    world.clock.advance(120 * DAY_S)
    await world.sync()
    [(_, days, _)] = tool.queries
    assert days.last == days_ago(world, 1)
    found = await measured.adoption()
    assert found.effect is not None
    assert (found.effect.weeks, found.effect.before, found.effect.after) == (4, 24, 38)


async def test_a_plan_measures_too(measured: Measured) -> None:
    await measured.world.sync(write=False)
    assert measured.tool.requests == ["query"]
    assert (await measured.adoption()).measured


async def test_a_pass_over_other_instances_measures_nothing(measured: Measured) -> None:
    world, tool = measured.world, measured.tool
    await world.sync()
    tool.forget()
    world.clock.advance(3 * DAY_S)
    await world.sync(only=frozenset({"notion"}))
    assert tool.requests == []
    found = await measured.adoption()
    assert found.measured
    assert found.stale


# Days and zones --------------------------------------------------------------------------------


async def test_the_last_day_is_that_of_the_projects_zone(measured: Measured) -> None:
    world, tool = measured.world, measured.tool
    tool.zone = "Pacific/Kiritimati"  # Fourteen hours ahead: there the next day has begun.
    world.clock.advance(2 * 3_600)
    await world.sync()
    assert tool.queries[0][1].last == world.clock.now().date()


async def test_another_zone_has_all_days_read_anew(measured: Measured) -> None:
    world, tool = measured.world, measured.tool
    await world.sync()
    tool.forget()
    tool.zone = "America/Los_Angeles"
    await world.sync()
    assert [query[1].days for query in tool.queries] == [56]
    tool.forget()
    await world.silent()
    assert tool.requests == []


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Europe", "../etc/passwd", "x" * 500])
async def test_a_zone_that_is_none_is_told_and_the_configured_one_holds(
    measured: Measured, zone: str
) -> None:
    measured.tool.zone = zone
    report = await measured.world.sync()
    [warning] = report.warnings
    assert "is no time zone" in warning
    assert (await measured.adoption()).measured


async def test_a_zone_that_cannot_be_asked_for_is_the_last_one(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, tool = measured.world, measured.tool
    tool.zone = "Pacific/Kiritimati"
    await world.sync()

    async def fail(connector: object) -> str:
        raise RuntimeError("a fault of the plugin")

    monkeypatch.setattr("tests.support.meter.Meter.zone", fail)
    tool.forget()
    world.clock.advance(DAY_S + 3_600)
    report = await world.sync()
    assert report.exit_code == 0
    there = world.clock.now() + timedelta(hours=14)
    assert [query[1].last for query in tool.queries] == [there.date() - timedelta(days=1)]


# Where the metric is from ----------------------------------------------------------------------


async def test_a_property_may_hold_the_address_of_what_stands_for_a_metric(
    measured: Measured,
) -> None:
    world, tool = measured.world, measured.tool
    tool.insights["abc"] = "Payouts a day"
    world.notion.edit_page(world.checkout, "Flag", f"{SITE}/flags/12")
    world.notion.edit_page(world.loyalty, "Flag", f"{SITE}/insights/abc")
    report = await world.sync()
    assert report.remarks == []
    assert (await measured.adoption()).metric.name == "one-tap"
    found = await measured.adoption(world.loyalty)
    assert (found.metric.kind, found.metric.name) == (MetricKind.insight, "abc")


@pytest.mark.parametrize(
    "text", ["", "https://elsewhere.example/flags/12", f"{SITE}/flags/404", f"{SITE}/cohorts/1"]
)
async def test_where_a_property_leads_to_no_metric_none_is_measured(
    measured: Measured, text: str
) -> None:
    world, tool = measured.world, measured.tool
    world.notion.edit_page(world.checkout, "Flag", text)
    await world.sync()
    assert (await world.rollup(world.checkout)).adoption == ()
    assert "query" not in tool.requests


async def test_a_plugin_that_fails_to_tell_what_a_record_measures_costs_that_alone(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = measured.world
    world.notion.edit_page(world.checkout, "Flag", f"{SITE}/flags/12")

    def fail(connector: object, record: object) -> None:
        raise LookupError("a fault of the plugin")

    monkeypatch.setattr("tests.support.meter.Meter.metric_of", fail)
    await world.sync()
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    assert (await world.rollup(world.checkout)).adoption == ()


async def test_a_day_that_was_planned_is_the_release_when_it_has_come(measured: Measured) -> None:
    world = measured.world
    world.notion.edit_page(world.checkout, "Released", days_ago(world, -2).isoformat())
    await world.sync()
    rollup = await world.rollup(world.checkout)
    assert rollup.released is not None
    assert rollup.released.how == "unknown"
    assert rollup.revisit_on == days_ago(world, -2)
    world.clock.advance(2 * DAY_S)
    await world.sync()
    rollup = await world.rollup(world.checkout)
    assert rollup.released is not None
    assert (rollup.released.on, rollup.released.how) == (days_ago(world, 0), "property")


# What it costs ---------------------------------------------------------------------------------


async def test_a_pass_with_nothing_due_writes_one_cursor_more_than_without_metrics(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, writes = measured.world, []
    real = Database.write

    def counted(database: Database, work: Callable[[Any], Any]) -> Any:
        writes.append(work)
        return real(database, work)

    async def count() -> int:
        await world.sync()
        await world.sync()
        writes.clear()
        await world.silent()
        return len(writes)

    monkeypatch.setattr(Database, "write", counted)
    with_metrics = await count()
    del world.raw["rollup"][0]["metric"]
    assert with_metrics == await count() + 1


async def test_roots_are_looked_for_once_a_rule(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, looked = measured.world, []
    real = Store.roots

    async def counted(store: Store, *, instance: str, **options: Any) -> Any:
        looked.append(instance)
        return await real(store, instance=instance, **options)

    monkeypatch.setattr(Store, "roots", counted)
    await world.sync()
    assert sorted(looked) == ["meter", "notion"]
