"""Troubles of tools like this, as they show in what is read; docs/troubles.md has them all."""

from __future__ import annotations

from datetime import timedelta

from tests.support.world import World, jira_url, linear_url, troubles

DAY_S = 86_400


async def test_what_another_integration_does_with_opsyncs_own_account_is_read(
    settled: World,
) -> None:
    """Trouble 2, I7: who made a change decides nothing; only opsync's own places are left out.

    In Notion as the very bot that opsync writes as, in Linear with the very token.
    """
    settled.notion.edit_page(
        settled.loyalty,
        "Tracked in",
        f"{jira_url('MOB-1')} {jira_url('PAY-4')}",
        by=settled.notion.bot,
    )
    settled.linear.attach(
        settled.linear.issue("GRO-2"), "From a script", jira_url("PAY-2"), by_api=True
    )
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert settled.loyalty.text("Delivery").startswith("1 of 3 done")
    assert [link["title"] for link in settled.remote_links("PAY-2")] == ["GRO-2 Pay button"]
    await settled.silent()


async def test_what_changed_is_read_without_any_registration_at_a_tool(world: World) -> None:
    """Trouble 4: nothing is registered, so nothing runs out, is lost, or is there twice."""
    await world.sync()
    for turn, status in enumerate(("Doing", "Done", "To Do", "Done")):
        world.clock.advance(40 * DAY_S)
        world.jira.set_status("PAY-4", status)
        world.notion.edit_page(world.loyalty, "Name", f"Loyalty {turn}")
        report = await world.sync()
        assert report.exit_code == 0, troubles(report)
        done = 3 if status == "Done" else 2
        assert world.checkout.text("Delivery").startswith(f"{done} of 5 done")
        assert [link["title"] for link in world.remote_links("MOB-1")] == [
            f"Roadmap: Loyalty {turn}"
        ]
    asked = [
        f"{one.path} {one.request_body.decode()}".lower()
        for vendor in world.vendors.values()
        for one in vendor.exchanges
    ]
    assert len(asked) > 20
    assert [one for one in asked if "webhook" in one or "subscription" in one] == []


async def test_one_run_after_days_without_any_catches_up_with_all_that_happened(
    settled: World,
) -> None:
    """Trouble 5: what was created, moved, renamed, edited and deleted while nobody ran opsync."""
    settled.jira.set_status("PAY-3", "Done")
    settled.clock.advance(2 * DAY_S)
    settled.jira.add_issue("PAY", "Receipts", parent="PAY-1", status="Done")
    settled.linear.edit("GRO-2", title="Pay button, again")
    settled.clock.advance(3 * DAY_S)
    moved = settled.jira.move_issue("PAY-2", "MOB")
    settled.jira.delete_issue("MOB-3")
    settled.linear.edit("GRO-2", description=f"Needs {jira_url(moved.key)}")
    settled.clock.advance(4 * DAY_S)
    settled.page("Receipts by mail", f"{jira_url('PAY-5')} {linear_url('GRO-3')}")

    report = await settled.sync()

    assert report.exit_code == 0, troubles(report)
    assert settled.checkout.text("Delivery").startswith("4 of 6 done")
    assert settled.loyalty.text("Delivery").startswith("1 of 1 done")
    assert [x["title"] for x in settled.remote_links(moved.key)] == ["GRO-2 Pay button, again"]
    await settled.silent()
    before = settled.written()
    settled.lose_store()
    await settled.sync()
    assert settled.written() == before, "a first read of everything finds nothing to write"


async def test_changes_within_the_minute_that_was_read_last_are_neither_missed_nor_repeated(
    settled: World,
) -> None:
    """Trouble 13: a tool that tells its times by the minute is asked for that minute again."""
    settled.raw["instances"]["notion"]["overlap_s"] = 0
    settled.clock.advance(65 - settled.clock.now().second)
    settled.notion.edit_page(settled.checkout, "Name", "One-tap checkout, first")
    settled.clock.advance(-60 + 5)  # a run lets a minute pass first: it reads 5 seconds later
    await settled.sync()
    before = settled.clock.now()
    assert before - settled.checkout.updated < timedelta(minutes=1)
    settled.clock.advance(10)
    settled.notion.edit_page(settled.checkout, "Name", "One-tap checkout, second")
    assert settled.clock.now() - before < timedelta(minutes=1)
    assert settled.clock.now().minute == before.minute
    settled.clock.advance(2 * 3600)
    await settled.sync()
    assert [link["title"] for link in settled.remote_links("PAY-1")] == [
        "Roadmap: One-tap checkout, second"
    ]
    await settled.silent()
