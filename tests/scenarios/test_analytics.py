"""What holds for every analytics tool alike: use in, releases out, and people's own left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from opsync.model import Ref
from opsync.sandbox.posthog import PostHogProject
from opsync.sandbox.validate import Report
from opsync.sandbox.validate_amplitude import validate_amplitude
from opsync.sandbox.validate_mixpanel import validate_mixpanel
from opsync.sandbox.validate_posthog import validate_posthog
from opsync.sandbox.vendor import Exchange
from tests.support.analytics import (
    EVENT,
    FLAG,
    RELEASED,
    TODAY,
    TOOLS,
    MeasuredWorld,
    Note,
    linkable,
    notes,
    queries,
    write_note,
)
from tests.support.world import of, troubles

FEWEST = {"posthog": 1, "amplitude": 2, "mixpanel": 2}
"""Requests for an event and a flag: one for all, or one for the events and one for the flags."""
CLICKS = {
    "posthog": "Personal API keys",
    "amplitude": "Organization settings → ",
    "mixpanel": "Organization Settings → Service Accounts",
}
SINCE = "38 users a day since release, 24 before (+58 %)"
WINDOW = "312 users a day, ±0 % against the 28 days before"


@pytest.fixture(params=TOOLS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> MeasuredWorld:
    return MeasuredWorld(tmp_path, tool=request.param)


def shipped(world: MeasuredWorld) -> list[Note]:
    return [note for note in notes(world.measured) if "[opsync:" in note.text]


@pytest.mark.sampled
async def test_use_is_read_in_the_fewest_requests_and_the_second_pass_asks_and_writes_nothing(
    world: MeasuredWorld,
) -> None:
    report = await world.sync()

    assert report.exit_code == 0, troubles(report)
    assert world.payouts.text("Adoption") == SINCE
    assert world.checkout.text("Adoption") == WINDOW
    assert not world.loyalty.text("Adoption")
    (note,) = shipped(world)
    assert note.on == RELEASED
    assert note.text.startswith(f"Shipped: Instant payouts {world.payouts.url} [opsync:")
    assert queries(world.measured) == FEWEST[world.tool]

    await world.silent()
    assert queries(world.measured) == FEWEST[world.tool]


@pytest.mark.slow
async def test_many_events_and_flags_take_no_more(world: MeasuredWorld) -> None:
    names = [f"event-{number}" for number in range(5)]
    world.measured.history.events.update(  # type: ignore[attr-defined]
        dict.fromkeys(names, world.measured.history.events[EVENT])  # type: ignore[attr-defined]
    )
    rule = world.raw["rollup"][0]
    rule["metric"] += [{"instance": world.tool, "event": name} for name in names]

    await world.begin()

    events = len(names) + 1
    fewest = {"posthog": 1, "amplitude": -(-events // 2) + 1, "mixpanel": 2}
    assert queries(world.measured) == fewest[world.tool]
    rollup = await world.rollup(world.loyalty)
    assert [one.per_day for one in rollup.adoption] == [312.0] * len(names)


@pytest.mark.sampled
async def test_a_day_later_everything_is_read_once_more(world: MeasuredWorld) -> None:
    await world.begin()
    before = queries(world.measured)

    await world.next_day()
    await world.sync()
    await world.silent()

    assert queries(world.measured) - before == FEWEST[world.tool]
    assert world.payouts.text("Adoption") == SINCE
    assert len(shipped(world)) == 1


@pytest.mark.sampled
async def test_what_moves_to_done_is_told_once_and_compared(world: MeasuredWorld) -> None:
    world.notion.edit_page(world.payouts, "Status", "In progress")
    await world.begin()
    assert shipped(world) == []
    assert "since release" not in world.payouts.text("Adoption")
    before = queries(world.measured)

    world.notion.edit_page(world.payouts, "Status", "Done")
    report = await world.sync()

    assert report.exit_code == 0, troubles(report)
    assert [note.on for note in shipped(world)] == [RELEASED]
    assert world.payouts.text("Adoption") == SINCE
    assert queries(world.measured) == before, "the days about the release were known"
    await world.silent()


@pytest.mark.slow
async def test_a_day_that_is_corrected_moves_the_annotation(world: MeasuredWorld) -> None:
    await world.begin()
    world.notion.edit_page(world.payouts, "Released", RELEASED - timedelta(days=2))

    report = await world.sync()

    assert report.exit_code == 0, troubles(report)
    (note,) = shipped(world)
    assert note.on == RELEASED - timedelta(days=2)
    await world.silent()


@pytest.mark.sampled
async def test_a_renamed_initiative_keeps_its_one_annotation(world: MeasuredWorld) -> None:
    await world.begin()
    (before,) = shipped(world)
    world.notion.edit_page(world.payouts, "Name", "Payouts in seconds")

    await world.sync()

    (after,) = shipped(world)
    assert after.text.startswith("Shipped: Payouts in seconds ")
    assert after.text.rpartition(" ")[2] == before.text.rpartition(" ")[2]
    await world.silent()


@pytest.mark.slow
async def test_reopened_it_is_taken_back_and_done_again_it_is_made_again(
    world: MeasuredWorld,
) -> None:
    await world.begin()
    world.notion.edit_page(world.payouts, "Status", "In progress")
    await world.sync()
    assert shipped(world) == []
    await world.silent()

    world.notion.edit_page(world.payouts, "Status", "Done")
    await world.sync()

    assert [note.on for note in shipped(world)] == [RELEASED]
    await world.silent()


@pytest.mark.slow
async def test_it_goes_with_the_initiative(world: MeasuredWorld) -> None:
    await world.begin()
    world.notion.trash(world.payouts)

    await world.sync(full=True)

    assert shipped(world) == []
    await world.silent()


@pytest.mark.sampled
async def test_without_a_day_that_of_the_first_sight_counts_and_says_so(
    world: MeasuredWorld,
) -> None:
    world.notion.edit_page(world.payouts, "Released", None)
    await world.begin()
    assert shipped(world) == [], "it was done before anybody looked: nobody knows since when"
    world.notion.edit_page(world.payouts, "Status", "In progress")
    await world.sync()
    await world.next_day()
    world.notion.edit_page(world.payouts, "Status", "Done")

    await world.sync()

    (note,) = shipped(world)
    assert note.on == TODAY + timedelta(days=1)
    assert "(first seen done 23 Nov)" in note.text
    assert world.payouts.text("Adoption") == "Too early: 0 of 7 days since release"


@pytest.mark.slow
async def test_peoples_annotations_are_never_touched_whatever_they_say(
    world: MeasuredWorld,
) -> None:
    await world.begin()
    (ours,) = shipped(world)
    marker = ours.text.rpartition(" ")[2]
    theirs = (
        Note(TODAY, f"About {marker}: a great day"),
        Note(TODAY, f"{marker[:-1]} was cut"),
        Note(TODAY - timedelta(days=3), "Price change"),
    )
    for note in theirs:
        write_note(world.measured, note.on, note.text)

    world.notion.edit_page(world.payouts, "Released", RELEASED - timedelta(days=1))
    await world.sync()
    world.notion.edit_page(world.payouts, "Status", "In progress")
    await world.sync()

    assert notes(world.measured) == sorted(theirs)


@pytest.mark.slow
async def test_what_people_did_to_an_annotation_is_seen_within_a_day(tmp_path: Path) -> None:
    world = MeasuredWorld(tmp_path)
    await world.begin()
    assert isinstance(world.measured, PostHogProject)
    (ours,) = [note for note in world.measured.notes if "[opsync:" in note.content]
    ours.content = ours.content.replace("Shipped", "Finally shipped")

    assert (await world.sync()).plan.held == []
    await world.next_day()
    report = await world.sync()

    assert [one.kind for one in report.plan.held] == ["conflict"]
    assert "Finally shipped" in ours.content
    world.measured.exchanges.clear()
    await world.sync()
    assert not [one for one in world.measured.exchanges if "annotations" in one.path]


@pytest.mark.sampled
async def test_after_a_lost_store_the_annotation_is_found_again(world: MeasuredWorld) -> None:
    await world.begin()
    before, written = notes(world.measured), world.measured.write_requests
    world.lose_store()

    report = await world.sync()

    assert report.exit_code == 0, troubles(report)
    assert notes(world.measured) == before
    assert world.measured.write_requests == written
    assert world.payouts.text("Adoption") == SINCE


@pytest.mark.sampled
async def test_an_answer_that_is_lost_doubles_nothing(world: MeasuredWorld) -> None:
    world.measured.faults.lose_next_writes = 5
    await world.sync()
    world.measured.faults.lose_next_writes = 0
    for _ in range(3):
        world.clock.advance(3600)
        await world.sync()

    assert [note.on for note in shipped(world)] == [RELEASED]
    await world.silent()


@pytest.mark.sampled
async def test_a_refused_credential_is_told_with_the_click_and_all_else_goes_on(
    world: MeasuredWorld,
) -> None:
    world.measured.faults.refuse_token = True

    report = await world.sync()

    assert report.exit_code == 3
    refused = of(report, world.tool)
    assert refused.trouble == "sign-in"
    assert CLICKS[world.tool] in refused.hint
    assert world.payouts.text("Delivery").startswith("1 of 2 done")
    columns = {column.name for column in world.source.schema.properties.values()}
    assert "Adoption" not in columns, "nothing is there to be written into it"

    world.measured.faults.refuse_token = False
    for _ in range(2):
        world.clock.advance(3600)
        await world.sync()
    assert world.payouts.text("Adoption") == SINCE
    await world.silent()


@pytest.mark.slow
async def test_while_it_cannot_be_read_the_numbers_stay_and_say_of_which_day_they_are(
    world: MeasuredWorld,
) -> None:
    await world.begin()
    world.measured.faults.outage = True
    world.jira.set_status("MOB-3", "Done")
    await world.next_day()
    report = await world.sync()
    assert of(report, world.tool).trouble == "incomplete"
    assert world.payouts.text("Delivery").startswith("2 of 2 done"), "delivery goes on"
    assert world.payouts.text("Adoption") == SINCE

    await world.next_day()
    await world.sync()
    assert world.payouts.text("Adoption") == f"{SINCE} · as of 21 Nov"

    world.measured.faults.outage = False
    world.clock.advance(3600)
    await world.sync()
    assert world.payouts.text("Adoption") == SINCE
    await world.silent()


@pytest.mark.sampled
async def test_a_spent_limit_keeps_the_numbers_and_doubles_nothing(world: MeasuredWorld) -> None:
    await world.begin()
    await world.next_day()
    world.measured.faults.rate_limit_next = 30
    await world.sync()
    assert world.payouts.text("Adoption") == SINCE

    world.measured.faults.rate_limit_next = 0
    world.clock.advance(7200)
    await world.sync()
    await world.silent()
    assert len(shipped(world)) == 1


@pytest.mark.sampled
async def test_bad_input_an_unknown_flag_or_event_is_told_with_the_nearest_names(
    world: MeasuredWorld,
) -> None:
    world.notion.edit_page(world.payouts, "Flag", "instant-payout")
    world.notion.edit_page(world.checkout, "Event", "checkout_payed")

    report = await world.sync()

    assert report.exit_code == 0, troubles(report)
    tool = TOOLS[world.tool]
    assert world.payouts.text("Adoption") == (
        f'Not measured: {tool} has no flag "instant-payout" · nearest: {FLAG}'
    )
    assert world.checkout.text("Adoption").endswith(f"nearest: {EVENT}")
    assert world.payouts.text("Delivery").startswith("1 of 2 done"), "the summary goes on"
    assert len(report.unmeasured) == 2
    before = queries(world.measured)
    await world.silent()
    assert queries(world.measured) == before, "it is not asked for again at once"


@pytest.mark.sampled
async def test_bad_input_a_project_without_data_is_not_told_as_zero(world: MeasuredWorld) -> None:
    world.measured.history.events.clear()  # type: ignore[attr-defined]
    world.measured.history.flags.clear()  # type: ignore[attr-defined]
    if world.tool == "amplitude":
        world.measured.held.flags.clear()  # type: ignore[attr-defined]
    if world.tool == "posthog":
        world.measured.state.flags.clear()  # type: ignore[attr-defined]

    report = await world.sync()

    assert report.exit_code == 0, troubles(report)
    assert world.checkout.text("Adoption") == f"Not measured: {TOOLS[world.tool]} has no data yet"


@pytest.mark.sampled
async def test_bad_input_a_refused_query_is_the_rules_matter_and_no_failed_pass(
    world: MeasuredWorld,
) -> None:
    path = {
        "posthog": "/query/",
        "amplitude": "/api/2/events/segmentation",
        "mixpanel": "/api/query/",
    }[world.tool]

    def refuse(request: object) -> object:
        import httpx

        assert isinstance(request, httpx.Request)
        if path not in request.url.path:
            return None
        said = "Illegal aggregation"
        body = {"type": "validation_error", "code": "illegal", "detail": said, "error": said}
        body |= {"request": "/api"} if world.tool == "mixpanel" else {}
        return httpx.Response(400, json=body)

    for host in list(world.net.hosts):
        if host.endswith(("posthog.com", "amplitude.com", "mixpanel.com")):
            world.net.before[host] = refuse  # type: ignore[assignment]

    report = await world.sync()

    assert report.exit_code == 0, troubles(report)
    told = f"Not measured: {TOOLS[world.tool]} refused the query"
    assert world.payouts.text("Adoption") == told
    assert any("Illegal aggregation" in line for line in report.unmeasured), report.unmeasured
    assert world.payouts.text("Delivery").startswith("1 of 2 done")


@pytest.mark.sampled
async def test_an_address_that_is_named_anywhere_leads_to_what_it_names(
    world: MeasuredWorld,
) -> None:
    url = linkable(world.measured, FLAG)
    world.linear.edit("GRO-3", description=f"See {url}")

    await world.sync()

    issue = await world.record("GRO-3")
    async with world.session() as session:
        links = await session.store.links_of(issue.ref)
        others = {link.other(issue.ref) for link in links}
        records = await session.store.records_of(sorted(others))
    assert [ref.instance for ref in others] == [world.tool]
    assert all(isinstance(ref, Ref) for ref in records)
    await world.silent()


@pytest.mark.sampled
async def test_a_metric_can_be_named_by_its_address(world: MeasuredWorld) -> None:
    world.notion.edit_page(world.payouts, "Flag", linkable(world.measured, FLAG))

    report = await world.sync()

    assert report.exit_code == 0, troubles(report)
    assert "38" in world.payouts.text("Adoption"), report.unmeasured
    await world.silent()


VALIDATORS: dict[str, Callable[[list[Exchange], Path], Report]] = {
    "posthog": lambda found, specs: validate_posthog(found, specs / "posthog-openapi-trimmed.json"),
    "amplitude": lambda found, specs: validate_amplitude(
        found, specs / "amplitude-openapi-handwritten.yaml"
    ),
    "mixpanel": validate_mixpanel,
}


@pytest.mark.sampled
async def test_every_request_and_every_answer_fits_the_tools_own_spec(
    world: MeasuredWorld, specs_dir: Path
) -> None:
    world.notion.edit_page(world.checkout, "Flag", "no-such-flag")
    world.linear.edit("GRO-3", description=f"See {linkable(world.measured, FLAG)}")
    await world.sync()
    world.notion.edit_page(world.payouts, "Released", RELEASED - timedelta(days=3))
    await world.sync()
    world.notion.edit_page(world.payouts, "Status", "In progress")
    await world.sync()
    async with world.session() as session:
        assert [check async for _, check in session.doctor(frozenset({world.tool}))]

    exchanges = [one for one in world.measured.exchanges if not one.faulted]
    report = VALIDATORS[world.tool](exchanges, specs_dir)

    assert report.problems == []
    assert report.requests >= 5, report.skipped
    assert report.answers >= 3, report.skipped


@pytest.mark.sampled
async def test_no_secret_is_in_what_is_stored_or_told(
    world: MeasuredWorld, caplog: pytest.LogCaptureFixture
) -> None:
    report = await world.sync()

    from tests.support.world import CANARY

    stored = world.store_path.read_bytes()
    assert CANARY.encode() not in stored
    assert CANARY not in json.dumps([report.unmeasured, report.warnings, caplog.text])
    assert isinstance(TODAY, date)
