"""What is told where nothing could be measured, and what becomes of a pass that dies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from opsync.errors import RateLimited, SignInError, TemporaryError
from opsync.model import MetricKind, Reading, Span
from opsync.store import Store
from tests.crash.mortal import Died
from tests.support.measured import DAY_S, Measured
from tests.support.meter import SITE, days_ago, measures, used
from tests.support.world import World, jira_url, of

# Trouble ---------------------------------------------------------------------------------------


FAULTS: dict[str, Callable[[], BaseException]] = {
    "down": lambda: TemporaryError("Meter is down"),
    "a spent budget": lambda: RateLimited("60 an hour", retry_after_s=900),
    "a refused sign-in": lambda: SignInError("no right to query"),
    "a fault of the plugin": lambda: ZeroDivisionError("division by zero"),
}


@pytest.mark.sampled
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_measuring_holds_nothing_else_back(measured: Measured, fault: str) -> None:
    """Not delivery numbers, though the initiative names a flag of it, nor the annotation."""
    world, tool = measured.world, measured.tool
    measures(world, {"flag_from": "Flag"}, released="Released", announce_in=["meter"])
    world.notion.edit_page(world.checkout, "Flag", f"{SITE}/flags/12")
    await world.sync()
    measured.raises(FAULTS[fault](), "query")
    world.clock.advance(DAY_S)
    world.jira.poke_move("PAY-3", "done")
    world.notion.edit_page(world.checkout, "Released", days_ago(world, 18).isoformat())

    report = await world.sync()

    assert report.stale == []
    assert world.checkout.text("Delivery").startswith("3 of 5 done")
    assert [note.on for note in tool.notes.values()] == [days_ago(world, 18).isoformat()]
    assert of(report, "meter").trouble
    assert report.exit_code == (3 if fault == "a refused sign-in" else 1)
    assert not of(report, "notion").trouble


@pytest.mark.sampled
@pytest.mark.parametrize("first", [False, True], ids=["after a good read", "in the first pass"])
async def test_a_tool_that_is_down_holds_no_delivery_numbers_back(
    measured: Measured, first: bool
) -> None:
    world = measured.world
    world.notion.edit_page(world.checkout, "Flag", f"{SITE}/flags/12")
    if not first:
        await world.sync()
    measured.raises(TemporaryError("Meter is down"), "flags", "query", "insight")
    world.jira.poke_move("PAY-3", "done")
    world.clock.advance(DAY_S)
    report = await world.sync()
    assert report.stale == []
    assert of(report, "meter").trouble == "incomplete"
    assert world.checkout.text("Delivery").startswith("3 of 5 done")
    rollup = await world.rollup(world.checkout)
    assert rollup.missing == ()
    measured.mend()
    await world.sync()
    assert (await measured.adoption()).measured
    await world.silent()


async def test_the_last_values_stay_and_become_stale_with_their_date(measured: Measured) -> None:
    world = measured.world
    await world.sync()
    before = await measured.adoption()
    measured.raises(TemporaryError("Meter is down"), "query")
    world.clock.advance(DAY_S)
    await world.sync()
    assert await measured.adoption() == before
    world.clock.advance(DAY_S)
    await world.sync()
    assert await measured.adoption() == replace(before, stale=True)
    measured.mend()
    await world.sync()
    found = await measured.adoption()
    assert not found.stale
    assert found.window is not None
    assert found.window.last == days_ago(world, 1)


async def test_a_spent_budget_is_told_until_it_is_over_and_not_asked_again(
    measured: Measured,
) -> None:
    world, tool = measured.world, measured.tool
    measured.raises(RateLimited("60 an hour", retry_after_s=3_000), "query")
    await world.sync()
    measured.mend()
    tool.forget()
    report = await world.sync()
    assert tool.requests == []
    assert (of(report, "meter").message, report.exit_code) == ("60 an hour", 1)
    world.clock.advance(3_000)
    report = await world.sync()
    assert tool.requests == ["query"]
    assert report.exit_code == 0


async def test_an_earlier_trouble_is_told_where_the_tool_is_not_asked(measured: Measured) -> None:
    world = measured.world
    measured.raises(TemporaryError("Meter is down"), "query")
    await world.sync()
    report = await world.sync(only=frozenset({"notion"}))
    assert of(report, "meter").message == "Meter is down"
    assert report.stale == []


async def test_a_tool_that_refuses_the_sign_in_is_not_asked_for_numbers(
    measured: Measured,
) -> None:
    world, tool = measured.world, measured.tool
    world.notion.edit_page(world.checkout, "Flag", f"{SITE}/flags/12")
    measured.raises(SignInError("refused"), "flags")
    report = await world.sync()
    assert report.exit_code == 3
    assert tool.requests == ["flags"]


# What is told ----------------------------------------------------------------------------------


@pytest.mark.slow
async def test_an_unknown_name_is_told_once_a_read_with_the_nearest(measured: Measured) -> None:
    world, tool = measured.world, measured.tool
    world.notion.edit_page(world.checkout, "Flag", "one-tapp")
    report = await world.sync()
    [warning] = report.unmeasured
    assert warning == (
        'rule "roadmap": Meter has no flag "one-tapp", as "One-tap checkout" names it; '
        "the nearest: one-tap"
    )
    assert report.exit_code == 0, "it is the rule's matter, and no failed pass"
    assert (await measured.adoption()).nearest == ("one-tap",)
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    await world.silent()
    world.clock.advance(3_600)
    tool.history.flags["one-tapp"] = used(10)
    report = await world.sync()
    assert report.unmeasured == []
    await world.sync()
    assert (await measured.adoption()).measured, "its older days follow in the next pass"


async def test_a_refused_query_is_told_with_the_vendors_text(measured: Measured) -> None:
    world, tool = measured.world, measured.tool
    tool.history.events["payout"] = used(10)
    measures(world, {"event": "payout"}, {"flag_from": "Flag"})
    tool.spoil = lambda one: [
        replace(one, trouble="refused", message="Unsupported\nproperty: \u202eamount")
        if one.metric.name == "payout"
        else one
    ]
    report = await world.sync()
    assert report.unmeasured == [
        'rule "roadmap": Meter refuses event "payout": Unsupported property: amount'
    ]
    assert not any(one.trouble for one in report.instances)
    [first, second] = (await world.rollup(world.checkout)).adoption
    assert (first.metric.name, first.measured) == ("one-tap", True)
    assert (second.trouble, second.measured) == ("refused", False)


async def test_a_project_without_data_is_told_once_for_all(measured: Measured) -> None:
    world, tool = measured.world, measured.tool
    tool.history.flags.clear()
    measures(world, {"flag_from": "Flag"}, {"event": "payout"}, {"event": "refund"})
    report = await world.sync()
    assert report.unmeasured == ['rule "roadmap": Meter (meter) has no data yet']
    assert {one.trouble for one in (await world.rollup(world.checkout)).adoption} == {"empty"}


async def test_many_initiatives_with_one_wrong_name_are_counted(measured: Measured) -> None:
    world = measured.world
    for number in range(4):
        page = world.page(f"Plan {number}", jira_url("PAY-4"))
        world.notion.edit_page(page, "Flag", "no-such")
    report = await world.sync()
    [warning] = report.unmeasured
    assert "and 2 more name it" in warning
    assert warning.count("Plan") == 2


@pytest.mark.sampled
@pytest.mark.parametrize("expose", ["nothing", "key", "title"])
async def test_what_a_private_initiative_measures_is_told_nobody(
    measured: Measured, expose: str
) -> None:
    world = measured.world
    schema = world.notion.state.data_sources[world.source.id].schema
    schema.add("Secret", {"checkbox": {}})
    block = world.raw["instances"]["notion"]
    block["data_sources"][0]["private_column"] = "Secret"
    block["expose"] = expose
    page = world.page("Obsidian plan", jira_url("PAY-4"))
    world.notion.edit_page(page, "Secret", True)
    world.notion.edit_page(page, "Flag", "carnelian-launch")
    report = await world.sync()
    [warning] = report.unmeasured
    assert warning == 'rule "roadmap": Meter has no such flag as a private item names'
    measured.tool.spoil = lambda one: [
        replace(one, trouble="refused", message=f"no {one.metric.name}")
        if one.metric.name == "carnelian-launch"
        else one
    ]
    world.clock.advance(3_600)
    report = await world.sync()
    assert report.unmeasured == ['rule "roadmap": Meter refuses the flag as a private item names']


# Whatever it dies at ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "method",
    ["put_readings", "finish_feed", "put_sightings", "touch_roots", "put_rollups", "put_kept"],
)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_at_any_write_it_loses_and_doubles_nothing(
    measured: Measured, monkeypatch: pytest.MonkeyPatch, method: str, after: bool
) -> None:
    world = measured.world
    await world.sync()
    world.clock.advance(DAY_S)
    world.notion.edit_page(world.loyalty, "Status", "Done")
    world.notion.edit_page(world.loyalty, "Flag", "one-tap")
    with monkeypatch.context() as patch:
        _die_at(patch, method, after)
        with pytest.raises(Died):
            await world.sync()
    await world.sync()
    found = await measured.adoption(), await measured.adoption(world.loyalty)
    days = await _days(world)
    await world.silent()
    # As in a company that nothing disturbed.
    assert {one.window for one in found} == {Span(days_ago(world, 28), days_ago(world, 1))}
    assert {one.per_day for one in found} == {found[0].per_day}
    rollup = await world.rollup(world.loyalty)
    assert rollup.released is not None
    assert (rollup.released.on, rollup.released.how) == (days_ago(world, 0), "saw")
    history = measured.tool.history
    assert days == {day: len(history.users("flag", "one-tap", day)) for day in days}
    assert len(days) == 57


def _die_at(patch: pytest.MonkeyPatch, method: str, after: bool) -> None:
    real = getattr(Store, method)

    async def dying(store: Store, *args: Any, **options: Any) -> Any:
        if method == "finish_feed" and "opsync:metrics" not in args:
            return await real(store, *args, **options)
        if method == "put_kept" and "opsync:looked-at" not in args[1]:
            return await real(store, *args, **options)
        if after:
            await real(store, *args, **options)
        raise Died

    patch.setattr(Store, method, dying)


async def _days(world: World) -> dict[date, float]:
    async with world.session() as session:
        [days] = (await session.store.metric_days(await session.store.measured())).values()
    return days


async def test_part_of_the_readings_before_a_kill_is_read_again(measured: Measured) -> None:
    world, tool = measured.world, measured.tool
    tool.history.events["payout"] = used(10)
    measures(world, {"flag_from": "Flag"}, {"event": "payout"})

    def die(reading: Reading) -> list[Reading]:
        if reading.metric.kind is MetricKind.flag:
            raise Died
        return [reading]

    tool.spoil = die
    with pytest.raises(Died):
        await world.sync()
    tool.spoil = lambda one: [one]
    tool.forget()
    await world.sync()
    assert [len(query[0]) for query in tool.queries] == [2]
    assert all(one.measured for one in (await world.rollup(world.checkout)).adoption)
