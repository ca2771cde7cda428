"""Records that move, are renamed, arrive late, or share a name: links follow, or dissolve."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.world import World, jira_url, linear_project_url, linear_url, troubles


async def test_a_jira_issue_that_moved_to_another_project_keeps_its_links(settled: World) -> None:
    """Trouble 9"""
    (before,) = settled.remote_links("PAY-3")
    moved = settled.jira.move_issue("PAY-3", "MOB")
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert settled.attachments("GRO-3") == [(f"{moved.key} Tokenise cards", jira_url(moved.key))]
    assert [x["id"] for x in settled.remote_links(moved.key)] == [before["id"]]
    await settled.silent()


async def test_a_linear_issue_that_moved_to_another_team_keeps_its_links(settled: World) -> None:
    """Trouble 9"""
    settled.linear.add_team("WEB", "Web")
    settled.linear.move_issue("GRO-3", "WEB")
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    (link,) = settled.remote_links("PAY-3")
    assert link["title"] == "WEB-1 Card form"
    assert "WEB-1" in link["url"]
    assert len(settled.attachments("WEB-1")) == 1
    await settled.silent()


async def test_an_epic_that_moved_stays_the_work_of_its_initiative(settled: World) -> None:
    moved = settled.jira.move_issue("MOB-1", "PAY")
    await settled.sync()
    assert settled.loyalty.text("Delivery").startswith("1 of 2 done")
    assert settled.loyalty.text("Work") == f"{moved.key} Loyalty core 1/2"
    await settled.silent()


async def test_a_page_that_names_a_former_key_reaches_the_issue_that_moved_before_the_first_pass(
    world: World,
) -> None:
    world.jira.add_issue("PAY", "Partner API", issue_type="Epic", key="PAY-88")
    world.jira.add_issue("PAY", "Scopes", parent="PAY-88", status="Done")
    world.jira.add_issue("PAY", "Quotas", parent="PAY-88")
    world.jira.move_issue("PAY-88", "MOB", "MOB-41")
    page = world.page("Partner API", jira_url("PAY-88"))
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert page.text("Delivery").startswith("1 of 2 done")
    assert page.text("Work") == "MOB-41 Partner API 1/2"
    assert [x["title"] for x in world.remote_links("MOB-41")] == ["Roadmap: Partner API"]
    await world.silent()


@pytest.mark.sampled
@pytest.mark.parametrize("full", [False, True], ids=["as it changes", "with all"])
async def test_an_issue_that_moved_while_it_was_hidden_is_found_by_its_former_key_once_it_is_shown(
    world: World, full: bool
) -> None:
    """Its page was read while nobody could say what it names."""
    world.clock.advance(3_600)
    world.jira.poke_edit("MOB-3", "title", "The latest change")
    world.jira.faults.deny = {str(world.jira.issue("MOB-1").id)}
    await world.sync()
    assert "1 linked but not readable" in world.loyalty.text("Delivery")
    world.clock.advance(3_600)
    world.jira.move_issue("MOB-1", "PAY")
    world.jira.faults.deny = set()
    await world.sync(full=full)
    assert world.loyalty.text("Work").startswith("PAY-5 Loyalty core")
    world.clock.advance(90_000)
    await world.sync()
    assert world.loyalty.text("Delivery") == "1 of 2 done"
    await world.silent()


@pytest.mark.sampled
@pytest.mark.parametrize("edited", [False, True], ids=["by a census", "as it changes"])
async def test_so_is_one_that_moved_before_anything_was_read(world: World, edited: bool) -> None:
    """As where a store is lost, of a project that nobody may see just then."""
    world.jira.move_issue("MOB-1", "PAY")
    world.clock.advance(3_600)
    world.jira.faults.deny = {str(world.jira.issue("MOB-1").id)}
    await world.sync()
    assert "1 linked but not readable" in world.loyalty.text("Delivery")
    world.jira.faults.deny = set()
    if edited:
        world.jira.edit("MOB-1", labels=["growth"])
    world.clock.advance(90_000)
    await world.sync()
    assert world.loyalty.text("Work").startswith("PAY-5 Loyalty core")
    world.clock.advance(90_000)
    await world.sync()
    assert world.loyalty.text("Delivery") == "1 of 2 done"
    await world.silent()


async def test_a_former_identifier_of_linear_is_found_too(world: World) -> None:
    world.linear.add_team("WEB", "Web")
    world.linear.move_issue("GRO-3", "WEB")
    world.linear.edit("WEB-1", description="")
    world.jira.edit("PAY-4", description=f"See {linear_url('GRO-3')}")
    await world.sync()
    assert [x["title"] for x in world.remote_links("PAY-4")] == ["WEB-1 Card form"]
    await world.silent()


async def test_a_record_that_arrives_late_completes_what_named_it(settled: World) -> None:
    page = settled.page("Gift cards", jira_url("MOB-50"))
    settled.linear.edit("GRO-2", description=f"Needs {jira_url('MOB-50')}")
    await settled.sync()
    assert settled.attachments("GRO-2") == []
    assert "1 linked but not readable" in page.text("Delivery")
    settled.jira.add_issue("MOB", "Gift cards core", key="MOB-50", status="Done")
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert [title for title, _ in settled.attachments("GRO-2")] == ["MOB-50 Gift cards core"]
    assert page.text("Delivery").startswith("1 of 1 done")
    await settled.silent()


async def test_an_issue_that_jiras_index_shows_late_is_not_lost(settled: World) -> None:
    """Trouble 12, I8: a change that the search shows only after the next one has been read."""
    settled.jira.search_lag = timedelta(seconds=90)
    settled.jira.set_status("PAY-4", "Done")
    await settled.sync()
    settled.jira.set_status("MOB-3", "Done")
    for _ in range(3):
        await settled.sync()
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")
    assert settled.loyalty.text("Delivery").startswith("2 of 2 done")
    settled.clock.advance(600)
    await settled.silent()


async def test_a_bare_key_links_while_exactly_one_record_has_it(settled: World) -> None:
    settled.notion.edit_page(settled.loyalty, "Tracked in", "MOB-1 and SHIP-1")
    ships = settled.add_second_jira()
    ships.add_issue("SHIP", "Ship it", status="Done")
    await settled.sync()
    assert settled.loyalty.text("Delivery").startswith("2 of 3 done")
    await settled.silent()


async def test_a_second_record_with_the_same_bare_key_dissolves_the_link_on_both_sides(
    settled: World,
) -> None:
    settled.linear.edit("GRO-2", description="Waits for PAY-4")
    await settled.sync()
    assert len(settled.remote_links("PAY-4")) == 1
    assert len(settled.attachments("GRO-2")) == 1
    ships = settled.add_second_jira()
    ships.add_project("PAY", "Payments of ships")
    ships.add_issue("PAY", "Another one", key="PAY-4")
    ships.add_issue("PAY", "One more", key="PAY-5")
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert settled.remote_links("PAY-4") == []
    assert settled.attachments("GRO-2") == []
    assert len(settled.attachments("GRO-3")) == 1, "an address is no bare key"
    await settled.silent()
    ships.delete_issue("PAY-4")
    await settled.sync(full=True)
    assert len(settled.remote_links("PAY-4")) == 1
    await settled.silent()


async def test_words_that_look_like_keys_make_no_link(world: World) -> None:
    world.notion.edit_page(
        world.loyalty, "Tracked in", "UTF-8, ISO-8601, pay-3, PAY-9999, XPAY-3Y, A PAY-3-b"
    )
    await world.sync()
    assert world.loyalty.text("Delivery").startswith("No linked work")
    await world.silent()


async def test_two_jiras_each_keep_their_own_links(settled: World) -> None:
    ships = settled.add_second_jira()
    ships.add_issue(
        "SHIP", "Hull", description=f"See {linear_url('GRO-2')} and {jira_url('PAY-4')}"
    )
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert [title for title, _ in settled.attachments("GRO-2")] == ["SHIP-1 Hull"]
    assert [x["title"] for x in settled.remote_links("PAY-4")] == ["SHIP-1 Hull"]
    issue = ships.issue("SHIP-1")
    titles = {link.object["title"] for link in ships.remote_links[issue.id].values()}
    assert titles == {"GRO-2 Pay button", "PAY-4 Refund flow"}
    await settled.silent()


async def test_one_dead_jira_of_two_leaves_the_other_to_work(settled: World) -> None:
    """Trouble 24"""
    ships = settled.add_second_jira()
    ships.add_issue("SHIP", "Hull")
    ships.faults.refuse_token = True
    settled.jira.set_status("PAY-4", "Done")
    report = await settled.sync()
    assert report.exit_code == 3
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")


async def test_a_linear_project_that_was_renamed_keeps_its_place_in_the_summary(
    settled: World,
) -> None:
    settled.linear.edit_project("Checkout web", name="Checkout on the web")
    await settled.sync()
    assert "Checkout on the web (Linear) 1/2" in settled.checkout.text("Work")
    assert len(settled.project_links("Checkout on the web")) == 1
    await settled.silent()


async def test_a_trashed_linear_issue_is_gone_from_numbers_and_links(settled: World) -> None:
    settled.linear.trash_issue("GRO-2")
    settled.linear.trash_issue("GRO-3")
    await settled.sync()
    assert settled.checkout.text("Delivery").startswith("2 of 4 done")
    assert settled.remote_links("PAY-3") == []
    await settled.silent()


async def test_an_archived_linear_issue_stays_counted(settled: World) -> None:
    settled.linear.archive_issue("GRO-1")
    await settled.sync()
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")
    await settled.silent()


async def test_a_project_named_by_address_and_by_its_page_makes_one_pair(world: World) -> None:
    project = world.linear.project("Checkout web")
    world.linear.edit_project(project, description=f"Plan: {world.checkout.url}")
    world.jira.edit("PAY-4", description=linear_project_url(project.slug_id))
    await world.sync()
    assert len([x for x in world.project_links() if x[1] == world.checkout.url]) == 1
    assert len(world.remote_links("PAY-4")) == 1
    await world.silent()
