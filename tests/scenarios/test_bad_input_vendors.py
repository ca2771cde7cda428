"""Bad input, the rows of the vendors' refusals: dead tokens, missing scopes, and bad weather.

What holds in each: the other instances finish, nothing counts as gone, what rests on the
instance keeps its value, and once it answers again at most three passes bring all up to date.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from opsync.sandbox.vendor import Faults, Vendor
from tests.support.world import HOSTS, World, of, troubles

INSTANCES = ("jira-main", "linear", "notion")

CLICKS = {
    "jira-main": "id.atlassian.com → Security → API tokens",
    "linear": "Security & access",
    "notion": "notion.so/profile/integrations → opsync → Configuration",
}
"""Part of the way to a new token, which a refused one is answered with."""

SCOPES = {"jira-main": "the permission Link issues", "linear": "Write", "notion": "content"}


async def heals(world: World) -> None:
    """Within three passes everything is as it should be, and the next one is silent."""
    for _ in range(3):
        await world.sync()
    await world.silent()


def finish_the_refund_flow(world: World) -> None:
    """A person works on in all three tools."""
    world.jira.set_status("PAY-4", "Done")
    world.linear.set_state("GRO-2", "Done")


def forget_requests(world: World) -> None:
    for vendor in world.vendors.values():
        vendor.exchanges.clear()


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_a_dead_token_is_named_with_the_click_and_the_others_finish(
    settled: World, instance: str
) -> None:
    """Trouble 15"""
    settled.vendors[instance].faults.refuse_token = True
    settled.jira.set_status("MOB-3", "Done")
    settled.linear.edit("GRO-3", title="Card form v2")
    report = await settled.sync()
    assert report.exit_code == 3
    refused = of(report, instance)
    assert refused.trouble == "sign-in"
    assert CLICKS[instance] in refused.hint
    assert instance in refused.message + refused.hint or of(report, instance).tool in (
        refused.message
    )
    for other in set(INSTANCES) - {instance}:
        assert of(report, other).complete, troubles(report)
        assert of(report, other).read > 0 or other == "notion"


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_with_a_dead_token_nothing_counts_as_gone_and_nothing_is_published(
    settled: World, instance: str
) -> None:
    async with settled.session() as session:
        before = await session.store.counts()
    settled.vendors[instance].faults.refuse_token = True
    finish_the_refund_flow(settled)
    report = await settled.sync(full=True)
    assert report.exit_code == 3
    assert [i.missing for i in report.instances] == [0, 0, 0]
    async with settled.session() as session:
        after = await session.store.counts()
    assert {**after, "pending": 0} == {**before, "pending": 0}
    assert settled.checkout.text("Delivery") == "2 of 5 done · Payments 1/3, Growth 1/2"
    assert settled.project_links()[0][0] == "Roadmap: One-tap checkout · 2/5"


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_after_a_dead_token_was_replaced_three_passes_bring_all_up_to_date(
    settled: World, instance: str
) -> None:
    settled.vendors[instance].faults.refuse_token = True
    finish_the_refund_flow(settled)
    await settled.sync()
    settled.vendors[instance].faults.refuse_token = False
    await heals(settled)
    assert settled.checkout.text("Delivery").startswith("4 of 5 done")
    assert settled.project_links()[0][0].endswith("4/5")


async def test_a_dead_jira_token_that_is_answered_200_without_issues_is_a_refused_sign_in(
    settled: World,
) -> None:
    """Enhanced search answers a dead token with 200 and an empty list."""
    settled.jira.faults.refuse_token = True
    forget_requests(settled)
    report = await settled.sync(full=True)
    searches = [e for e in settled.jira.exchanges if e.path.endswith("/search/jql")]
    assert {e.status for e in settled.jira.exchanges} <= {200, 401}
    assert all(json.loads(e.answer_body)["issues"] == [] for e in searches)
    assert of(report, "jira-main").trouble == "sign-in"
    assert of(report, "jira-main").missing == 0


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_a_token_that_is_dead_from_the_first_pass_leaves_the_others_to_finish(
    world: World, instance: str
) -> None:
    world.vendors[instance].faults.refuse_token = True
    report = await world.sync()
    assert report.exit_code == 3
    assert [i.instance for i in report.instances if not i.trouble] == [
        name for name in INSTANCES if name != instance
    ]
    world.vendors[instance].faults.refuse_token = False
    await heals(world)
    assert world.checkout.text("Delivery").startswith("2 of 5 done")


@pytest.mark.slow
@pytest.mark.parametrize("instance", INSTANCES)
async def test_a_missing_scope_to_write_is_named_with_the_click_and_the_others_are_written(
    world: World, instance: str
) -> None:
    world.vendors[instance].faults.read_only = True
    report = await world.sync()
    told = [o.message for c, o in report.outcomes if c.slot.target.instance == instance]
    told += [of(report, instance).message, of(report, instance).hint]
    assert any(SCOPES[instance] in each for each in told), told
    assert report.exit_code in (1, 3)
    written = {c.slot.target.instance for c, o in report.outcomes if o.kind == "created"}
    assert written == set(INSTANCES) - {instance}
    world.vendors[instance].faults.read_only = False
    world.clock.advance(24 * 3600)
    await heals(world)


@pytest.mark.parametrize("instance", ["linear", "notion"])
async def test_a_missing_scope_to_write_ends_with_exit_code_3(world: World, instance: str) -> None:
    world.vendors[instance].faults.read_only = True
    report = await world.sync()
    assert report.exit_code == 3, troubles(report)


async def test_a_jira_token_without_the_scope_to_write_ends_with_exit_code_3(
    world: World,
) -> None:
    """Atlassian's gateway answers 401 for a scope that is missing."""

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and request.url.path.endswith("/remotelink"):
            body = {"code": 401, "message": "Unauthorized; scope does not match"}
            return httpx.Response(401, json=body)
        return None

    world.net.before[HOSTS["jira-main"]] = refuse
    report = await world.sync()
    assert report.exit_code == 3
    assert "write:jira-work" in of(report, "jira-main").hint
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    assert len(world.attachments("GRO-3")) == 1
    world.net.before.clear()
    await heals(world)
    assert len(world.remote_links("PAY-3")) == 1


async def test_a_roadmap_that_is_no_longer_shared_is_told_with_the_click(settled: World) -> None:
    """Notion answers 404 for what is not shared with the connection."""
    settled.notion.faults.deny = {settled.source.id, settled.source.database_id}
    settled.jira.set_status("MOB-3", "Done")
    report = await settled.sync(full=True)
    told = of(report, "notion")
    assert told.trouble == "incomplete"
    assert "••• → Connections → opsync" in told.hint
    assert told.missing == 0
    assert report.exit_code == 1
    settled.notion.faults.deny = set()
    await heals(settled)
    assert settled.loyalty.text("Delivery").startswith("2 of 2 done")


def outage(vendor: Vendor) -> None:
    vendor.start_outage()


def html(vendor: Vendor) -> None:
    vendor.faults.html = True


def over_the_limit(vendor: Vendor) -> None:
    vendor.faults.rate_limit_next = 1_000


def cut(vendor: Vendor) -> None:
    vendor.faults.cut_next = 1_000


WEATHER: list[Callable[[Vendor], None]] = [outage, html, over_the_limit, cut]
named = pytest.mark.parametrize("weather", WEATHER, ids=[w.__name__ for w in WEATHER])


@pytest.mark.sampled
@named
@pytest.mark.parametrize("instance", INSTANCES)
async def test_bad_weather_is_retried_within_the_policy_then_the_pass_is_incomplete(
    settled: World, instance: str, weather: Callable[[Vendor], None]
) -> None:
    vendor = settled.vendors[instance]
    weather(vendor)
    finish_the_refund_flow(settled)
    async with settled.session() as session:
        cursor = await session.store.cursors(instance)
    before = vendor.read_requests
    report = await settled.sync()
    assert of(report, instance).trouble == "incomplete", troubles(report)
    assert of(report, instance).message
    assert 1 < vendor.read_requests - before <= 6, "tried again, but not for ever"
    assert report.exit_code == 1
    async with settled.session() as session:
        after = await session.store.cursors(instance)
    assert [c.high for c in after] == [c.high for c in cursor], "the cursor has moved"
    assert settled.checkout.text("Delivery").startswith("2 of 5 done"), "published from part"


@pytest.mark.slow
@named
@pytest.mark.parametrize("instance", INSTANCES)
async def test_after_bad_weather_three_passes_bring_all_up_to_date(
    settled: World, instance: str, weather: Callable[[Vendor], None]
) -> None:
    """I1"""
    vendor = settled.vendors[instance]
    weather(vendor)
    finish_the_refund_flow(settled)
    await settled.sync()
    vendor.faults = Faults()
    await heals(settled)
    assert settled.checkout.text("Delivery").startswith("4 of 5 done")


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_one_bad_answer_is_retried_and_nobody_notices(settled: World, instance: str) -> None:
    settled.vendors[instance].faults.rate_limit_next = 1
    finish_the_refund_flow(settled)
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert settled.checkout.text("Delivery").startswith("4 of 5 done")


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_connections_that_are_reset_make_the_pass_incomplete_and_heal(
    settled: World, instance: str
) -> None:
    tries = 0

    def reset(request: httpx.Request) -> httpx.Response | None:
        nonlocal tries
        tries += 1
        raise httpx.ReadError("connection reset by peer", request=request)

    settled.net.before[HOSTS[instance]] = reset
    finish_the_refund_flow(settled)
    report = await settled.sync()
    assert of(report, instance).trouble == "incomplete"
    assert 1 < tries <= 6
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")
    settled.net.before.clear()
    await heals(settled)
    assert settled.checkout.text("Delivery").startswith("4 of 5 done")


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_writes_whose_answer_is_lost_leave_no_duplicate(world: World, instance: str) -> None:
    """Trouble 3, I9"""
    world.vendors[instance].faults.lose_next_writes = 2
    await world.sync()
    await heals(world)
    assert len(world.remote_links("PAY-1")) == 1
    assert len(world.remote_links("PAY-3")) == 1
    assert len(world.attachments("GRO-3")) == 1
    assert len(world.project_links()) == 1
    ours = [p.name for p in world.source.schema.properties.values() if "Delivery" in p.name]
    assert sorted(ours) == ["Delivery", "Delivery %", "Delivery changed", "Delivery health"]


async def test_a_root_that_does_not_rest_on_the_unreadable_instance_goes_on(
    settled: World,
) -> None:
    settled.linear.start_outage()
    settled.jira.set_status("MOB-3", "Done")
    settled.jira.set_status("PAY-4", "Done")
    report = await settled.sync()
    assert settled.loyalty.text("Delivery").startswith("2 of 2 done")
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")
    assert report.stale == ["One-tap checkout"]


async def test_a_pass_that_failed_half_way_through_the_listing_keeps_what_it_read(
    world: World,
) -> None:
    """Trouble 11"""
    for number in range(230):
        world.jira.add_issue("PAY", f"Chore {number}", status="Done")
    pages = 0

    def fail_from_the_second_page(request: httpx.Request) -> httpx.Response | None:
        nonlocal pages
        if request.url.path.endswith("/search/jql"):
            pages += 1
            if pages > 1:
                return httpx.Response(503)
        return None

    world.net.before[HOSTS["jira-main"]] = fail_from_the_second_page
    report = await world.sync()
    assert of(report, "jira-main").trouble == "incomplete"
    world.net.before.clear()
    await heals(world)
    async with world.session() as session:
        assert (await session.store.counts())["records.jira-main.issue"] == 237


async def test_a_page_in_the_trash_takes_its_links_along_and_brings_them_back(
    settled: World,
) -> None:
    settled.notion.trash(settled.loyalty)
    await settled.sync(full=True)
    assert settled.remote_links("MOB-1") == []
    assert len(settled.remote_links("PAY-1")) == 1
    await settled.silent()
    settled.notion.restore(settled.loyalty)
    await settled.sync()
    assert [link["title"] for link in settled.remote_links("MOB-1")] == ["Roadmap: Loyalty"]
    await settled.silent()
