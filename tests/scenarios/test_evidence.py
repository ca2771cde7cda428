"""What opsync wrote is never evidence: links live and die with what people wrote."""

from __future__ import annotations

import pytest

from opsync.model import Ref
from tests.support.world import (
    World,
    jira_url,
    linear_project_url,
    linear_url,
    troubles,
)


async def test_a_mention_that_is_removed_takes_the_links_on_both_sides_along(
    settled: World,
) -> None:
    """Trouble 23"""
    assert len(settled.remote_links("PAY-3")) == 1
    assert len(settled.attachments("GRO-3")) == 1
    settled.linear.edit("GRO-3", description="Waits for nobody")
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert settled.remote_links("PAY-3") == []
    assert settled.attachments("GRO-3") == []
    assert report.links == 3, "the page's pairs stay"
    await settled.silent()


async def test_an_initiative_that_names_nothing_any_more_is_cleared_everywhere(
    settled: World,
) -> None:
    settled.notion.edit_page(settled.loyalty, "Tracked in", None)
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert settled.loyalty.text("Delivery").startswith("No linked work")
    assert settled.loyalty.text("Work") == ""
    assert settled.remote_links("MOB-1") == []
    await settled.silent()


async def test_one_of_two_containers_that_is_no_longer_named_is_cleared(settled: World) -> None:
    settled.notion.edit_page(settled.checkout, "Tracked in", jira_url("PAY-1"))
    await settled.sync()
    assert settled.checkout.text("Delivery").startswith("1 of 3 done")
    assert settled.checkout.text("Work") == "PAY-1 Checkout core 1/3"
    assert settled.project_links() == []
    assert len(settled.remote_links("PAY-1")) == 1
    await settled.silent()


async def test_a_mention_in_jira_that_is_removed_clears_both_sides_too(settled: World) -> None:
    settled.jira.edit("PAY-4", description=f"See {linear_url('GRO-2')}")
    await settled.sync()
    assert [title for title, _ in settled.attachments("GRO-2")] == ["PAY-4 Refund flow"]
    assert [x["title"] for x in settled.remote_links("PAY-4")] == ["GRO-2 Pay button"]
    settled.jira.edit("PAY-4", description="Nothing to see")
    await settled.sync()
    assert settled.attachments("GRO-2") == []
    assert settled.remote_links("PAY-4") == []
    await settled.silent()


async def test_a_lost_store_is_built_again_without_a_write_and_without_a_duplicate(
    settled: World,
) -> None:
    """I11"""
    before = standing(settled)
    settled.lose_store()
    written = settled.written()
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert settled.written() == written
    assert report.links == 4
    assert standing(settled) == before
    await settled.silent()


def standing(world: World) -> dict[str, object]:
    """All that stands at the places that opsync writes."""
    return {
        "jira": {key: world.remote_links(key) for key in ("PAY-1", "PAY-3", "MOB-1")},
        "linear": [world.attachments("GRO-3"), world.project_links()],
        "notion": [dict(world.checkout.cells), dict(world.loyalty.cells)],
        "columns": sorted(p.name for p in world.source.schema.properties.values()),
    }


async def test_after_a_lost_store_old_links_are_not_mentions(settled: World) -> None:
    settled.linear.edit("GRO-3", description="Waits for nobody")
    settled.notion.edit_page(settled.checkout, "Tracked in", None)
    settled.notion.edit_page(settled.loyalty, "Tracked in", None)
    settled.lose_store()
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert report.links == 0
    assert settled.checkout.text("Delivery").startswith("No linked work")
    await settled.silent()


async def test_after_a_lost_store_a_column_in_which_a_person_wrote_is_known_by_its_description(
    settled: World,
) -> None:
    """Else what stands in its other rows would count as what people name."""
    settled.notion.edit_page(settled.loyalty, "Work", "we say: nearly there")
    settled.notion.edit_page(settled.checkout, "Tracked in", None)
    settled.lose_store()
    await settled.sync()
    assert settled.checkout.text("Delivery").startswith("No linked work")
    assert settled.loyalty.text("Work") == "we say: nearly there"
    assert "Work (opsync)" not in [p.name for p in settled.source.schema.properties.values()]


async def test_after_a_lost_store_a_change_updates_what_stands_and_adds_nothing(
    settled: World,
) -> None:
    settled.lose_store()
    settled.jira.set_status("PAY-4", "Done")
    settled.jira.edit("PAY-3", summary="Tokenise all cards")
    await settled.sync()
    assert settled.project_links()[0][0].endswith("3/5")
    assert len(settled.project_links()) == 1
    assert settled.attachments("GRO-3") == [("PAY-3 Tokenise all cards", jira_url("PAY-3"))]
    assert [x["summary"] for x in settled.remote_links("PAY-1")] == ["3/5 done"]
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")
    await settled.silent()


@pytest.mark.sampled
@pytest.mark.parametrize("bump", [True, False])
async def test_what_opsync_wrote_is_read_again_as_an_unchanged_record(
    world: World, bump: bool
) -> None:
    """Trouble 1, I7: whether or not the vendor counts a new link as an edit of the issue."""
    world.jira.remote_links_bump_updated = bump
    world.linear.attachments_bump_issue = bump
    await world.sync()
    report = await world.silent()
    assert [i.changed for i in report.instances] == [0, 0, 0]
    assert report.records > 0, "the overlap is read again"


async def test_a_write_that_bumps_the_issue_hides_no_later_edit(world: World) -> None:
    world.jira.remote_links_bump_updated = True
    await world.sync()
    world.jira.set_status("PAY-3", "Done")
    await world.sync()
    assert world.checkout.text("Delivery").startswith("3 of 5 done")
    await world.silent()


async def test_a_mention_on_both_sides_makes_one_pair_written_once_on_each(world: World) -> None:
    world.jira.edit("PAY-3", description=f"Needs {linear_url('GRO-3')}, see GRO-3")
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert len(world.remote_links("PAY-3")) == 1
    assert len(world.attachments("GRO-3")) == 1
    jira = (await world.record("PAY-3")).ref
    async with world.session() as session:
        (pair,) = await session.store.links_of(jira)
    assert {e.source.instance for e in pair.evidence} == {"jira-main", "linear"}
    await world.silent()


async def test_of_two_mentions_one_may_go_and_the_pair_stays(world: World) -> None:
    world.jira.edit("PAY-3", description=f"Needs {linear_url('GRO-3')}")
    await world.sync()
    before = standing(world)
    world.jira.edit("PAY-3", description="Needs nothing")
    await world.sync()
    assert standing(world) == before
    await world.silent()


async def test_a_copy_of_opsyncs_own_text_by_a_person_is_a_mention(settled: World) -> None:
    """What counts is who wrote it and where, not how it reads."""
    settled.linear.edit("GRO-2", description=f"PAY-4 Refund flow {jira_url('PAY-4')}")
    await settled.sync()
    assert [x["title"] for x in settled.remote_links("PAY-4")] == ["GRO-2 Pay button"]
    await settled.silent()


async def test_what_a_member_names_is_linked_but_not_counted(settled: World) -> None:
    settled.jira.edit("PAY-4", description=f"Depends on {linear_url('GRO-3')}")
    await settled.sync()
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")
    assert [title for title, _ in settled.attachments("GRO-3")] == [
        "PAY-3 Tokenise cards",
        "PAY-4 Refund flow",
    ]
    await settled.silent()


async def test_a_record_that_names_the_initiative_is_linked_but_not_counted(
    settled: World,
) -> None:
    settled.jira.edit("MOB-3", description=f"For {settled.checkout.url}")
    await settled.sync()
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")
    assert [x["title"] for x in settled.remote_links("MOB-3")] == ["Roadmap: One-tap checkout"]
    await settled.silent()


async def test_each_leaf_is_counted_once_whatever_the_paths(world: World) -> None:
    """The page names the epic, one of its stories, and again the epic."""
    project = linear_project_url(world.linear.project("Checkout web").slug_id)
    text = f"{jira_url('PAY-1')} {jira_url('PAY-3')} PAY-1 {project} {linear_url('GRO-1')}"
    world.notion.edit_page(world.checkout, "Tracked in", text)
    await world.sync()
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    await world.silent()


async def test_a_record_of_two_initiatives_counts_in_each(world: World) -> None:
    world.notion.edit_page(world.loyalty, "Tracked in", f"MOB-1 {jira_url('PAY-1')}")
    await world.sync()
    assert world.loyalty.text("Delivery").startswith("2 of 5 done")
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    assert sorted(x["title"] for x in world.remote_links("PAY-1")) == [
        "Roadmap: Loyalty",
        "Roadmap: One-tap checkout",
    ]
    await world.silent()


async def test_an_epic_without_children_is_a_leaf_and_a_canceled_one_counts_nowhere(
    world: World,
) -> None:
    world.raw["instances"]["jira-main"]["resolutions"] = {"Won't Do": "canceled"}
    world.jira.add_issue("MOB", "Empty epic", issue_type="Epic", key="MOB-9")
    world.notion.edit_page(world.loyalty, "Tracked in", f"{jira_url('MOB-1')} MOB-9")
    world.jira.set_status("MOB-3", "Done", resolution="Won't Do")
    await world.sync()
    assert world.loyalty.text("Delivery") == "1 of 2 done · 1 canceled, not counted"
    await world.silent()


async def test_a_cycle_of_parents_is_harmless(world: World) -> None:
    world.linear.add_issue("GRO", "One")
    world.linear.add_issue("GRO", "Two", parent="GRO-4")
    world.linear.edit("GRO-4", parent="GRO-5")
    world.notion.edit_page(world.loyalty, "Tracked in", linear_url("GRO-4"))
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert world.loyalty.text("Delivery").startswith("No linked work")
    await world.silent()


async def test_a_page_that_a_person_copied_gets_numbers_of_its_own(settled: World) -> None:
    """Notion copies opsync's values along with the page."""
    copy = settled.page("Loyalty abroad", jira_url("MOB-1"))
    copy.cells.update({k: v for k, v in settled.checkout.cells.items() if k not in copy.cells})
    assert copy.text("Delivery").startswith("2 of 5 done")
    await settled.sync()
    assert copy.text("Delivery").startswith("1 of 2 done")
    assert copy.text("Work") == "MOB-1 Loyalty core 1/2"
    await settled.silent()


async def test_the_ledger_knows_every_place_that_was_written(settled: World) -> None:
    entries = await settled.entries()
    assert all(bytes(e.applied) == bytes(e.desired) for e in entries)
    page = Ref("notion", "page", settled.checkout.id)
    assert {e.slot.surface for e in entries if e.slot.target == page} == {
        "delivery",
        "delivery_pct",
        "delivery_health",
        "work",
        "delivery_changed",
    }
