"""Troubles of tools like this, as they show in what is written; docs/troubles.md has them all."""

from __future__ import annotations

import pytest

from tests.support.world import World, jira_url, linear_url, of, troubles

HOUR_S = 3600
RING = {"GRO-3": "PAY-3", "PAY-3": "GRO-2", "GRO-2": "PAY-4", "PAY-4": "GRO-3"}
"""Who names whom: the last leads to the first again."""


async def ring(world: World) -> None:
    """Work of two tools that names each other all the way round, written and at rest."""
    for one, other in RING.items():
        if one.startswith("PAY"):
            world.jira.edit(one, description=f"See {linear_url(other)}")
        else:
            world.linear.edit(one, description=f"See {jira_url(other)}")
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    world.clock.advance(2 * HOUR_S)
    await world.silent()


@pytest.mark.slow
@pytest.mark.parametrize("bump", [True, False])
async def test_no_write_of_opsyncs_is_the_reason_for_another(world: World, bump: bool) -> None:
    """Trouble 1, I7, F42: also round a ring of links, where a link counts as an edit of its issue.

    Each edit by a person costs at most one write for each link of what they edited, and none after.
    """
    world.jira.remote_links_bump_updated = bump
    world.linear.attachments_bump_issue = bump
    await ring(world)
    for turn in range(3):
        for key in RING:
            edges = sum(key in pair for pair in RING.items())
            assert edges == 2
            before = sum(world.written().values())
            if key.startswith("PAY"):
                world.jira.edit(key, summary=f"{key} in its version {turn}")
            else:
                world.linear.edit(key, title=f"{key} in its version {turn}")
            report = await world.sync()
            assert 0 < report.applied <= edges
            assert sum(world.written().values()) - before <= edges
            for _ in range(2):
                world.clock.advance(2 * HOUR_S)
                await world.silent()


@pytest.mark.slow
async def test_a_link_that_nobody_names_any_more_goes_and_no_second_one_is_ever_made(
    settled: World,
) -> None:
    """Trouble 23: one link a pair, by an id of its own, whatever is renamed, moved or forgotten."""
    (first,) = settled.remote_links("PAY-3")
    settled.linear.edit("GRO-3", title="Card form, renamed")
    await settled.sync()
    settled.clock.advance(2 * HOUR_S)
    settled.linear.add_team("WEB", "Web")
    settled.linear.move_issue("GRO-3", "WEB")
    await settled.sync()
    settled.lose_store()
    await settled.sync()
    await settled.sync(full=True)
    (link,) = settled.remote_links("PAY-3")
    assert (link["id"], link["globalId"]) == (first["id"], first["globalId"])
    assert link["title"] == "WEB-1 Card form, renamed"
    settled.linear.edit("WEB-1", description="")
    await settled.sync()
    assert settled.remote_links("PAY-3") == []


@pytest.mark.slow
async def test_one_source_that_fails_takes_nothing_from_the_others(settled: World) -> None:
    """Trouble 24: what is absent from a read that failed is not gone, and the others go on."""
    settled.linear.start_outage()
    settled.jira.set_status("MOB-3", "Done")
    for _ in range(3):
        report = await settled.sync(full=True)
        assert report.exit_code == 1
        assert of(report, "jira-main").complete
        assert of(report, "notion").complete
        assert [one.missing for one in report.instances] == [0, 0, 0]
    assert settled.loyalty.text("Delivery").startswith("2 of 2 done")
    assert settled.checkout.text("Delivery").startswith("2 of 5 done"), "what rests on it stays"
    assert len(settled.remote_links("PAY-3")) == 1
    settled.linear.end_outage()
    settled.clock.advance(HOUR_S)
    assert (await settled.sync()).exit_code == 0
    await settled.silent()
