"""Links that are not written anywhere: accepted pairs count and are written as if people had named
them, and are taken back exactly."""

from __future__ import annotations

import httpx
import pytest

from opsync.engine.belonging import pairs
from opsync.engine.explain import Explainer
from opsync.engine.lookup import Lookup
from opsync.model import PairDecision, PairKind, Ref, Verdict
from opsync.model.pair import ACCEPTED
from opsync.store import Store
from tests.scenarios.test_evidence import standing
from tests.support.world import (
    World,
    jira_url,
    of,
    troubles,
)


async def decide(
    world: World, one: Ref, two: Ref, kind: PairKind = "member", verdict: Verdict = "accepted"
) -> None:
    """What `opsync links` does: beside whatever runs, without holding the store."""
    store = Store.open(world.store_path, clock=world.clock, create=False)
    decision = PairDecision(
        one=one, two=two, kind=kind, verdict=verdict, by="ana", at=world.clock.now()
    )
    await store.decide([decision])
    await store.close()


async def ref(world: World, name: str) -> Ref:
    return (await world.record(name)).ref


@pytest.fixture
async def roadmap(world: World) -> World:
    """With the page "Referral programme", which names nothing, and MOB-9, which nobody names."""
    world.jira.add_issue("MOB", "Referral program", issue_type="Epic", key="MOB-9")
    world.jira.add_issue("MOB", "Invite a friend", parent="MOB-9", status="Done", key="MOB-10")
    world.jira.add_issue("MOB", "Reward screen", parent="MOB-9", key="MOB-11")
    world.page("Referral programme", "")
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    return world


def delivery(world: World, title: str = "Referral programme") -> str:
    return world.notion.page(title).text("Delivery")


async def test_an_accepted_member_counts_and_is_written_on_both_sides(roadmap: World) -> None:
    assert delivery(roadmap).startswith("No linked work")
    await decide(roadmap, await ref(roadmap, "Referral programme"), await ref(roadmap, "MOB-9"))
    report = await roadmap.sync()
    assert report.exit_code == 0, troubles(report)
    assert delivery(roadmap).startswith("1 of 2 done")
    assert [x["title"] for x in roadmap.remote_links("MOB-9")] == ["Roadmap: Referral programme"]
    await roadmap.silent()


async def test_nothing_is_read_for_it_but_what_every_run_reads(roadmap: World) -> None:
    await decide(roadmap, await ref(roadmap, "Referral programme"), await ref(roadmap, "MOB-9"))
    report = await roadmap.sync()
    assert [i.changed for i in report.instances] == [0, 0, 0]
    assert delivery(roadmap).startswith("1 of 2 done")


async def test_what_is_taken_back_leaves_everything_as_it_was(roadmap: World) -> None:
    before = standing(roadmap)
    page, epic = await ref(roadmap, "Referral programme"), await ref(roadmap, "MOB-9")
    await decide(roadmap, page, epic)
    await roadmap.sync()
    await decide(roadmap, page, epic, verdict="rejected")
    report = await roadmap.sync()
    assert report.exit_code == 0, troubles(report)
    assert standing(roadmap) == before
    assert delivery(roadmap).startswith("No linked work")
    assert roadmap.remote_links("MOB-9") == []
    await roadmap.silent()


async def test_an_accepted_member_counts_where_the_rule_lists_properties(roadmap: World) -> None:
    roadmap.raw["rollup"][0]["properties"] = ["Tracked in"]
    await decide(roadmap, await ref(roadmap, "Referral programme"), await ref(roadmap, "MOB-9"))
    report = await roadmap.sync()
    assert report.warnings == []
    assert delivery(roadmap).startswith("1 of 2 done")
    assert delivery(roadmap, "Loyalty").startswith("1 of 2 done")


async def test_an_accepted_member_hides_no_property_that_is_misspelt(roadmap: World) -> None:
    """Following the rule would turn every other initiative into one without work."""
    roadmap.raw["rollup"][0]["properties"] = ["Trackd in"]
    await decide(roadmap, await ref(roadmap, "Referral programme"), await ref(roadmap, "MOB-9"))
    report = await roadmap.sync()
    (warning,) = report.warnings
    assert '"Trackd in"; they do in "Tracked in"' in warning
    assert delivery(roadmap, "Loyalty").startswith("1 of 2 done")


async def test_where_nobody_uses_any_property_accepted_members_count(world: World) -> None:
    """The first day: nothing is linked yet."""
    world.raw["rollup"][0]["properties"] = ["Tracked in"]
    for page in (world.checkout, world.loyalty):
        world.notion.edit_page(page, "Tracked in", None)
    await world.sync()
    await decide(world, await ref(world, "Loyalty"), await ref(world, "MOB-1"))
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert world.loyalty.text("Delivery").startswith("1 of 2 done")


async def test_what_is_below_an_accepted_member_moves_the_number(roadmap: World) -> None:
    await decide(roadmap, await ref(roadmap, "Referral programme"), await ref(roadmap, "MOB-9"))
    await roadmap.sync()
    roadmap.jira.set_status("MOB-11", "Done")
    await roadmap.sync()
    assert delivery(roadmap).startswith("2 of 2 done")


async def test_accepted_as_related_is_linked_and_counted_nowhere(roadmap: World) -> None:
    before = delivery(roadmap), delivery(roadmap, "Loyalty")
    await decide(roadmap, await ref(roadmap, "GRO-2"), await ref(roadmap, "PAY-4"), "related")
    await decide(roadmap, await ref(roadmap, "Loyalty"), await ref(roadmap, "MOB-9"), "related")
    await roadmap.sync()
    assert (delivery(roadmap), delivery(roadmap, "Loyalty")) == before
    assert [title for title, _ in roadmap.attachments("GRO-2")] == ["PAY-4 Refund flow"]
    assert [x["title"] for x in roadmap.remote_links("PAY-4")] == ["GRO-2 Pay button"]
    assert [x["title"] for x in roadmap.remote_links("MOB-9")] == ["Roadmap: Loyalty"]
    await roadmap.silent()


async def test_accepted_as_the_same_work_is_linked_with_the_mark_of_a_mirror(
    roadmap: World,
) -> None:
    one, two = await ref(roadmap, "PAY-4"), await ref(roadmap, "GRO-2")
    await decide(roadmap, one, two, "same")
    await roadmap.sync()
    async with roadmap.session() as session:
        (link,) = await session.store.links_of(one)
    assert [(e.field, e.part) for e in link.evidence] == [(ACCEPTED, "mirror")]
    assert [title for title, _ in roadmap.attachments("GRO-2")] == ["PAY-4 Refund flow"]
    await roadmap.silent()


async def test_two_items_of_one_tool_are_linked_when_a_person_says_so(roadmap: World) -> None:
    await decide(roadmap, await ref(roadmap, "PAY-2"), await ref(roadmap, "MOB-2"), "related")
    await roadmap.sync()
    assert [x["title"] for x in roadmap.remote_links("PAY-2")] == ["MOB-2 Points ledger"]
    assert [x["title"] for x in roadmap.remote_links("MOB-2")] == ["PAY-2 Vault cards"]
    await roadmap.silent()


@pytest.mark.slow
async def test_what_people_name_too_is_one_link_that_outlives_the_decision(roadmap: World) -> None:
    before = standing(roadmap)
    await decide(roadmap, await ref(roadmap, "GRO-3"), await ref(roadmap, "PAY-3"), "related")
    await roadmap.silent()
    issue = await ref(roadmap, "GRO-3")
    async with roadmap.session() as session:
        (link,) = await session.store.links_of(issue)
    assert len(link.evidence) == 2
    roadmap.linear.edit("GRO-3", description="Waits for nobody")
    await roadmap.sync()
    assert standing(roadmap) == before
    roadmap.linear.edit("GRO-3", description=f"Waits for {jira_url('PAY-3')}")
    await roadmap.sync()
    await decide(
        roadmap, await ref(roadmap, "GRO-3"), await ref(roadmap, "PAY-3"), "related", "rejected"
    )
    await roadmap.silent()
    assert standing(roadmap) == before


async def test_a_rejected_pair_that_people_name_later_counts(roadmap: World) -> None:
    page, epic = await ref(roadmap, "Referral programme"), await ref(roadmap, "MOB-9")
    await decide(roadmap, page, epic, verdict="rejected")
    await roadmap.silent()
    referral = roadmap.notion.page("Referral programme")
    roadmap.notion.edit_page(referral, "Tracked in", jira_url("MOB-9"))
    await roadmap.sync()
    assert delivery(roadmap).startswith("1 of 2 done")


async def test_a_decision_made_while_a_run_is_under_way_is_followed_by_the_next(
    roadmap: World,
) -> None:
    page, epic = await ref(roadmap, "Referral programme"), await ref(roadmap, "MOB-9")
    decided = 0

    # The run writes Loyalty's page when the decision is made: it links nothing any more.
    roadmap.jira.set_status("MOB-3", "Done")
    inner = roadmap.net.hosts["api.notion.com"]

    class Beside(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal decided
            if request.method == "PATCH":
                decided += 1
                await decide(roadmap, page, epic)
            return await inner.handle_async_request(request)

    roadmap.net.hosts["api.notion.com"] = Beside()
    report = await roadmap.sync()
    roadmap.net.hosts["api.notion.com"] = inner
    assert decided
    assert report.exit_code == 0, troubles(report)
    assert delivery(roadmap, "Loyalty").startswith("2 of 2 done")
    assert delivery(roadmap).startswith("No linked work")
    await roadmap.sync()
    assert delivery(roadmap).startswith("1 of 2 done")
    assert [x["title"] for x in roadmap.remote_links("MOB-9")] == ["Roadmap: Referral programme"]
    await roadmap.silent()


async def test_from_an_unreadable_tool_nothing_is_published_for_an_accepted_member(
    roadmap: World,
) -> None:
    await decide(roadmap, await ref(roadmap, "Loyalty"), await ref(roadmap, "Checkout web"))
    await roadmap.sync()
    assert delivery(roadmap, "Loyalty").startswith("2 of 4 done")
    roadmap.linear.faults.refuse_token = True
    roadmap.jira.set_status("MOB-3", "Done")
    await roadmap.sync()
    assert delivery(roadmap, "Loyalty").startswith("2 of 4 done")
    roadmap.linear.faults.refuse_token = False
    await roadmap.sync()
    assert delivery(roadmap, "Loyalty").startswith("3 of 4 done")


@pytest.mark.slow
async def test_a_connection_that_is_configured_no_more_is_left_out_and_comes_back(
    roadmap: World,
) -> None:
    await decide(roadmap, await ref(roadmap, "Loyalty"), await ref(roadmap, "GRO-3"))
    await roadmap.sync()
    assert delivery(roadmap, "Loyalty").startswith("1 of 3 done")
    linear = roadmap.raw["instances"].pop("linear")
    report = await roadmap.sync()
    assert of(report, "jira-main").complete
    assert delivery(roadmap, "Loyalty").startswith("1 of 2 done")
    async with roadmap.session() as session:
        look = Lookup(roadmap.config(), session.store)
        loyalty = next(one.one for one in await session.store.decisions())
        waiting = [one for one in await pairs(look, loyalty, 10) if one.why_not]
    assert [one.why_not for one in waiting] == ["linear is not configured any more"]
    roadmap.raw["instances"]["linear"] = linear
    await roadmap.sync()
    assert delivery(roadmap, "Loyalty").startswith("1 of 3 done")


async def test_explain_says_who_accepted_and_when(roadmap: World) -> None:
    await decide(roadmap, await ref(roadmap, "Referral programme"), await ref(roadmap, "MOB-9"))
    await roadmap.sync()
    async with roadmap.session() as session:
        explainer = Explainer(roadmap.config(), session.store)
        (page,) = await explainer.find("Referral programme")
        (issue,) = await explainer.find("MOB-11")
        now = roadmap.clock.now()
        of_page, of_issue = [await explainer.explain(one, now) for one in (page, issue)]
    (holder,) = [m for m in of_page.summaries[0].members if m.role == "holds others"]
    assert holder.why == "accepted link (ana, 2 Mar 2026)"
    assert of_page.links[0].why == ("accepted link (ana, 2 Mar 2026)",)
    (counts,) = of_issue.counts_in
    assert (counts.field, counts.why) == (ACCEPTED, "accepted link (ana, 2 Mar 2026)")


async def test_a_journal_row_names_an_accepted_link_as_its_reason(roadmap: World) -> None:
    await decide(roadmap, await ref(roadmap, "GRO-2"), await ref(roadmap, "PAY-4"), "related")
    await roadmap.sync()
    issue = await ref(roadmap, "GRO-2")
    async with roadmap.session() as session:
        rows = await session.store.journal(target=issue)
    assert [row.reason for row in rows] == ["accepted link with PAY-4 Refund flow"]
