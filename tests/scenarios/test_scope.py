"""What leaves the scope of a connection is noticed, taken back elsewhere, and forgotten."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.world import World, jira_url, linear_url, of, troubles


def narrow_jira(world: World) -> None:
    for key in ("PAY-2", "PAY-3", "PAY-4"):
        world.jira.edit(key, labels=["roadmap"])
    world.raw["instances"]["jira-main"]["labels"] = ["roadmap"]


def narrow_linear(world: World) -> None:
    for key in ("GRO-1", "GRO-2", "GRO-3"):
        world.linear.edit(key, labels=["roadmap"])
    world.raw["instances"]["linear"]["labels"] = ["roadmap"]


async def test_an_epic_without_the_label_still_leads_to_the_work_that_has_it(world: World) -> None:
    narrow_jira(world)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    assert world.loyalty.text("Delivery") == "0 of 1 done"  # MOB-1 alone: its stories have none
    await world.silent()


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("narrow", "leave"),
    [
        (narrow_jira, lambda world: world.jira.edit("PAY-3", labels=[])),
        (narrow_linear, lambda world: world.linear.edit("GRO-3", labels=[])),
    ],
    ids=["jira", "linear"],
)
async def test_a_link_with_what_left_the_scope_is_taken_back(
    world: World, narrow: Callable[[World], None], leave: Callable[[World], None]
) -> None:
    narrow(world)
    await world.sync()
    await world.silent()
    assert [url for _, url in world.attachments("GRO-3")] == [jira_url("PAY-3")]
    assert [link["url"] for link in world.remote_links("PAY-3")] == [linear_url("GRO-3/card-form")]
    leave(world)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    stands = len(world.attachments("GRO-3")), len(world.remote_links("PAY-3"))
    assert 0 in stands, "the side that is still in scope names it no more"
    await world.silent()


async def test_what_was_never_in_scope_is_not_stored(world: World) -> None:
    narrow_jira(world)
    await world.sync()
    world.jira.add_issue("PAY", "Rotate the vault keys", parent="PAY-1")
    await world.sync()
    async with world.session() as session:
        assert await session.store.find("Rotate the vault keys") == []
        assert await session.store.find("PAY-5") == []


async def test_what_left_the_scope_keeps_its_key_and_nothing_that_it_said(world: World) -> None:
    narrow_jira(world)
    await world.sync()
    world.jira.edit("PAY-4", labels=[])
    await world.sync()
    record = await world.record("PAY-4")
    assert (record.tombstone, record.title, record.labels) == ("out of scope", "", ())
    assert world.checkout.text("Delivery").startswith("2 of 4 done")
    world.jira.edit("PAY-4", labels=["roadmap"])
    await world.sync()
    assert (await world.record("PAY-4")).tombstone == ""
    assert world.checkout.text("Delivery").startswith("2 of 5 done")


async def test_an_initiative_that_left_the_scope_is_rolled_up_no_more(world: World) -> None:
    world.notion.state.data_sources[world.source.id].schema.add(
        "Quarter", {"select": {"options": [{"name": "Q3"}, {"name": "Q4"}]}}
    )
    for page in (world.checkout, world.loyalty):
        world.notion.edit_page(page, "Quarter", "Q4")
    world.raw["instances"]["notion"]["data_sources"][0]["where"] = {"Quarter": ["Q4"]}
    await world.sync()
    assert len(world.remote_links("MOB-1")) == 1
    world.clock.advance(120)
    world.notion.edit_page(world.loyalty, "Quarter", "Q3")
    world.clock.advance(240)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    async with world.session() as session:
        assert len(await session.store.rollups()) == 1
    assert world.remote_links("MOB-1") == []
    await world.silent()


async def test_another_scope_is_read_anew(settled: World) -> None:
    settled.raw["instances"]["linear"]["projects"] = ["Checkout web"]
    report = await settled.sync()
    assert of(report, "linear").missing == 1  # GRO-3 is in no project
    await settled.silent()
