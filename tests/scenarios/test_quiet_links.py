"""A link on an issue, where people read along, is not rewritten more than once an hour."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from opsync.cli.explainvalues import print_values
from opsync.engine.explain import Explainer
from tests.support.world import World, jira_url, of, troubles


def subtitles(world: World, identifier: str = "GRO-3") -> list[str]:
    return [each.subtitle or "" for each in world.linear.issue(identifier).attachments]


async def move(world: World, status: str) -> None:
    world.jira.set_status("PAY-3", status)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)


async def test_the_first_change_is_told_at_once_and_the_next_ones_together(settled: World) -> None:
    await move(settled, "Done")
    first = subtitles(settled)
    assert len(first) == 1
    assert "done" in first[0].lower()
    for status in ("Doing", "To Do"):
        await move(settled, status)
        assert subtitles(settled) == first, "it waits"
    before = settled.written()["linear"]

    settled.clock.advance(3600)
    report = await settled.sync()

    assert settled.written()["linear"] == before + 1, "several changes are one write"
    assert "to do" in subtitles(settled)[0].lower()
    assert of(report, "linear").trouble == ""
    await settled.silent()


async def test_what_waits_is_told_with_until_when(settled: World) -> None:
    await move(settled, "Done")
    at = settled.clock.now()
    settled.jira.set_status("PAY-3", "Doing")

    for _ in range(2):
        report = await settled.sync()
        waiting = [one for one in report.plan.held if one.kind == "waiting"]
        assert {one.target for one in waiting} == {"GRO-3 Card form"}
        hour = f"{(at.hour + 1) % 24:02}:{at.minute:02}"
        assert waiting[0].why.startswith(f"waits until {hour} UTC: ")
        assert report.exit_code == 0


async def test_an_explanation_tells_it_until_then(
    settled: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await move(settled, "Done")
    until = settled.clock.now() + timedelta(hours=1)
    await move(settled, "Doing")

    async def told() -> str:
        now = settled.clock.now()
        async with settled.session() as session:
            explainer = Explainer(session.config, session.store)
            [record] = await explainer.find("GRO-3")
            found = await explainer.explain(record, now)
        [rests] = {one.rests_until for one in found.values} - {None}
        assert rests is not None
        assert abs(rests - until) < timedelta(minutes=1)
        print_values(found, found.values, now, UTC)
        return " ".join(capsys.readouterr().out.split())

    said = f"waits until {until:%H:%M} UTC: links of an issue are not rewritten more often"
    assert said in await told()
    settled.clock.advance(3600)
    assert said not in await told()


async def test_a_change_that_is_taken_back_within_the_hour_is_never_written(
    settled: World,
) -> None:
    await move(settled, "Done")
    await move(settled, "Doing")
    await move(settled, "Done")
    settled.clock.advance(3600)
    await settled.silent()


async def test_summaries_on_pages_and_epics_are_not_held_back(settled: World) -> None:
    for status, done in (("Done", 3), ("Doing", 2), ("Done", 3)):
        await move(settled, status)
        assert settled.checkout.text("Delivery").startswith(f"{done} of 5 done")
        [summary] = [
            one["summary"]
            for one in settled.remote_links("PAY-1")
            if ":rollup:" in str(one["globalId"])
        ]
        assert f"{done}/5" in str(summary)


async def test_a_place_that_is_read_before_each_write_is_held_back_too(settled: World) -> None:
    """A remote link is looked at just before it is written, and planned again then."""
    settled.linear.set_state("GRO-3", "Done")
    await settled.sync()
    first = settled.remote_links("PAY-3")
    settled.linear.set_state("GRO-3", "Todo")
    settled.linear.add_issue("GRO", "Card icons", description=jira_url("PAY-3"))
    await settled.sync()
    links = settled.remote_links("PAY-3")
    assert len(links) == len(first) + 1, "the new one is written"
    assert first[0] in links, "the other one waits"
    settled.clock.advance(3600)
    await settled.sync()
    assert first[0] not in settled.remote_links("PAY-3")
    await settled.silent()


async def test_a_link_that_nothing_wants_any_more_goes_at_once(settled: World) -> None:
    await move(settled, "Done")
    settled.linear.edit("GRO-3", description="")
    await settled.sync()
    assert settled.attachments("GRO-3") == []


async def test_the_pause_is_a_setting(settled: World) -> None:
    settled.raw["limits"] = {"rewrite_pause_minutes": 0}
    for status in ("Done", "Doing", "Done"):
        await move(settled, status)
    assert "done" in subtitles(settled)[0].lower()
    await settled.silent()
