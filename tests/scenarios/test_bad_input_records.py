"""Bad input: records that cannot be read, and listings that are suddenly empty."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import HOSTS, World, of, spoiler, troubles

INSTANCES = ("jira-main", "linear", "notion")


def break_one(world: World, instance: str) -> str:
    """Give one record a used field of the wrong type. Returns the record's key or title."""

    def jira(issue: dict[str, Any]) -> None:
        if "fields" in issue:
            issue["fields"]["summary"] = {"not": "a text"}

    def linear(node: dict[str, Any]) -> None:
        node["title"] = ["not", "a", "text"]

    def notion(page: dict[str, Any]) -> None:
        if "Tracked in" in page.get("properties", {}):
            page["properties"]["Tracked in"]["rich_text"] = "not a list"

    name, spoil = {
        "jira-main": ("PAY-4", jira),
        "linear": ("GRO-2", linear),
        "notion": (world.loyalty.id, notion),
    }[instance]
    world.net.spoil[HOSTS[instance]] = spoiler(name, spoil)
    return {"jira-main": "PAY-4", "linear": "GRO-2", "notion": "Loyalty"}[instance]


def edit_all(world: World, title: str) -> None:
    """People touch every record that `break_one` may break, and one more of each tool."""
    for key in ("PAY-4", "MOB-3"):
        world.jira.edit(key, summary=f"{title} {key}")
    for identifier in ("GRO-2", "GRO-3"):
        world.linear.edit(identifier, title=f"{title} {identifier}")
    for page in (world.loyalty, world.checkout):
        world.notion.edit_page(page, "Due", "2026-10-01")


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_a_record_that_cannot_be_read_is_set_aside_with_its_reason_and_the_others_go_on(
    settled: World, instance: str
) -> None:
    edit_all(settled, "Renamed")
    break_one(settled, instance)
    report = await settled.sync()
    assert of(report, instance).set_aside == 1
    assert of(report, instance).trouble == "", troubles(report)
    assert report.exit_code == 1
    async with settled.session() as session:
        (aside,) = await session.store.quarantine()
    assert aside.ref.instance == instance
    assert aside.reason
    assert (await settled.record("MOB-3")).title == "Renamed MOB-3"
    assert (await settled.record("GRO-3")).title == "Renamed GRO-3"


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_a_record_set_aside_comes_back_when_it_is_mended(
    settled: World, instance: str
) -> None:
    edit_all(settled, "Renamed")
    broken = break_one(settled, instance)
    await settled.sync()
    settled.net.spoil.clear()
    settled.clock.advance(3600)
    edit_all(settled, "Mended")
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    async with settled.session() as session:
        assert await session.store.quarantine() == []
    found = await settled.record(broken)
    assert found.title in (f"Mended {broken}", "Loyalty")
    await settled.silent()


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_a_record_set_aside_comes_back_in_a_full_read_without_an_edit(
    settled: World, instance: str
) -> None:
    edit_all(settled, "Renamed")
    break_one(settled, instance)
    await settled.sync()
    settled.net.spoil.clear()
    settled.clock.advance(3600)
    report = await settled.sync(full=True)
    assert report.exit_code == 0, troubles(report)
    await settled.silent()


async def test_a_member_that_is_set_aside_is_named_as_not_readable_in_the_summary(
    settled: World,
) -> None:
    edit_all(settled, "Renamed")
    break_one(settled, "jira-main")
    await settled.sync()
    assert "1 linked but not readable" in settled.checkout.text("Delivery")
    assert (await settled.rollup(settled.checkout)).missing == ("PAY-4",)
    assert "not readable" not in settled.loyalty.text("Delivery")


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_a_record_that_is_broken_from_the_first_read_costs_only_itself(
    world: World, instance: str
) -> None:
    break_one(world, instance)
    report = await world.sync()
    assert report.exit_code == 1
    assert of(report, instance).set_aside == 1
    assert of(report, instance).trouble == "", troubles(report)
    assert "done" in world.checkout.text("Delivery")
    before = world.written()
    again = await world.sync()
    assert (again.planned, world.written()) == (0, before)


async def test_a_page_that_cannot_be_read_keeps_what_was_written_on_it(settled: World) -> None:
    text = settled.loyalty.text("Delivery")
    edit_all(settled, "Renamed")
    break_one(settled, "notion")
    await settled.sync()
    assert settled.loyalty.text("Delivery") == text
    assert len(settled.remote_links("MOB-1")) == 1


def hide_everything(world: World, instance: str) -> None:
    """The credential sees nothing any more, and the vendor says so with an empty list."""
    vendor = world.vendors[instance]
    if instance == "jira-main":
        vendor.faults.deny = {str(number) for number in world.jira.issues}
    elif instance == "linear":
        vendor.faults.deny = {*world.linear.issues, *world.linear.projects}
    else:
        vendor.faults.deny = {world.checkout.id, world.loyalty.id}


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_an_empty_listing_after_a_full_one_stops_the_plan_of_its_instance_and_says_so(
    settled: World, instance: str
) -> None:
    async with settled.session() as session:
        before = await session.store.counts()
    hide_everything(settled, instance)
    settled.jira.set_status("PAY-4", "Done")
    written = settled.written()
    report = await settled.sync(full=True)
    stopped = of(report, instance)
    assert stopped.trouble == "stopped", troubles(report)
    assert "answered nothing" in stopped.message
    assert "nothing is counted as gone" in stopped.message
    assert stopped.hint
    assert stopped.missing == 0, "what is not counted as gone is not told as gone"
    assert report.exit_code == 1
    async with settled.session() as session:
        after = await session.store.counts()
    records = {name: count for name, count in before.items() if name.startswith("records.")}
    assert {name: after[name] for name in records} == records, "something counts as gone"
    assert settled.written()[instance] == written[instance]
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_after_an_empty_listing_nothing_is_written_until_the_instance_answers_again(
    settled: World, instance: str
) -> None:
    hide_everything(settled, instance)
    await settled.sync(full=True)
    settled.jira.set_status("PAY-4", "Done")
    written = settled.written()[instance]
    report = await settled.sync()
    assert of(report, instance).trouble == "stopped", "a pass later it is believed"
    assert settled.written()[instance] == written
    settled.vendors[instance].faults.deny = set()
    settled.clock.advance(3600)
    for _ in range(3):
        await settled.sync()
    await settled.silent()
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")


async def test_a_listing_that_lost_most_of_its_records_stops_too(settled: World) -> None:
    for number in range(30):
        settled.jira.add_issue("MOB", f"Chore {number}")
    await settled.sync()
    settled.jira.faults.deny = {
        str(issue.id) for issue in settled.jira.issues.values() if "Chore" in issue.summary
    }
    report = await settled.sync(full=True)
    assert of(report, "jira-main").trouble == "stopped"
    assert "30 of 37" in of(report, "jira-main").message


async def test_one_record_that_vanished_is_gone_without_further_ado(settled: World) -> None:
    settled.jira.delete_issue("PAY-4")
    report = await settled.sync(full=True)
    assert of(report, "jira-main").missing == 1
    assert settled.checkout.text("Delivery").startswith("2 of 4 done")
    await settled.silent()
