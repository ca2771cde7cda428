"""What people edited is settled by a button, about what the page showed of it and nothing else."""

from __future__ import annotations

import pytest

from opsync.model.ledger import HoldKind
from tests.service.web.board.office import Visitor
from tests.support.world import World


async def edited(visitor: Visitor) -> World:
    """Somebody wrote over opsync's Delivery."""
    world = visitor.office.world
    world.notion.edit_page(world.checkout, "Delivery", "Ask Ana")
    world.jira.edit("PAY-3", status="Done")
    await world.sync()
    return world


@pytest.mark.sampled
@pytest.mark.parametrize("path", ["/plan", "/initiatives/CHECKOUT"])
async def test_an_edit_can_be_kept_or_written_over(ana: Visitor, path: str) -> None:
    world = await edited(ana)
    path = path.replace("CHECKOUT", f"notion:page:{world.checkout.id}")
    page = await ana.see(path)
    assert "Ask Ana" in page.text
    ours = next(one.name for one in page.buttons if ("side", "ours") in one.fields)

    told = await ana.click(page, ours)
    await world.sync()

    assert "1 value settled: opsync writes it with the next run if its rule may write." in told.text
    assert world.checkout.text("Delivery").startswith("3 of 5 done")


@pytest.mark.sampled
@pytest.mark.parametrize("side", ["ours", "theirs"])
@pytest.mark.parametrize("path", ["/plan", "/initiatives/CHECKOUT"])
async def test_an_edit_that_the_page_did_not_show_is_not_decided_about(
    ana: Visitor, path: str, side: str
) -> None:
    """I6"""
    world = await edited(ana)
    page = await ana.see(path.replace("CHECKOUT", f"notion:page:{world.checkout.id}"))
    assert "Ask Ana" in page.text
    button = next(one.name for one in page.buttons if ("side", side) in one.fields)
    world.notion.edit_page(world.checkout, "Delivery", "Do not ship: see incident 7")
    await world.sync()

    told = await ana.click(page, button)
    await world.sync()

    assert told.status == 409
    assert "what this page shows has changed since it was made" in told.text
    assert ana.office.noted == []
    assert world.checkout.text("Delivery") == "Do not ship: see incident 7"
    assert [one.hold.kind for one in await world.entries(held=True) if one.hold] == [
        HoldKind.conflict
    ]


async def test_what_opsync_would_write_over_an_edit_is_what_the_page_showed(ana: Visitor) -> None:
    world = await edited(ana)
    page = await ana.see("/plan")
    ours = next(one.name for one in page.buttons if ("side", "ours") in one.fields)
    world.jira.edit("PAY-4", status="Done")
    await world.sync()

    told = await ana.click(page, ours)
    await world.sync()

    assert told.status == 409
    assert world.checkout.text("Delivery") == "Ask Ana"


@pytest.mark.sampled
@pytest.mark.parametrize("path", ["/plan", "/initiatives/CHECKOUT"])
async def test_what_stands_where_a_person_decided_is_what_the_page_showed(
    ana: Visitor, path: str
) -> None:
    world = await edited(ana)
    page = await ana.see(f"/initiatives/notion:page:{world.checkout.id}")
    await ana.click(page, "Leave it as it stands")
    page = await ana.see(path.replace("CHECKOUT", f"notion:page:{world.checkout.id}"))
    world.notion.edit_page(world.checkout, "Delivery", "Do not ship: see incident 7")
    await world.sync()

    told = await ana.click(page, "Have opsync write Notion Delivery")
    await world.sync()

    assert told.status == 409
    assert world.checkout.text("Delivery") == "Do not ship: see incident 7"


async def test_a_page_that_shows_what_still_stands_decides_after_any_number_of_runs(
    ana: Visitor,
) -> None:
    world = await edited(ana)
    page = await ana.see("/plan")
    ours = next(one.name for one in page.buttons if ("side", "ours") in one.fields)
    for full in (False, True):
        world.clock.advance(3600)
        await world.sync(full=full)

    await ana.click(page, ours)
    await world.sync()

    assert world.checkout.text("Delivery").startswith("3 of 5 done")


async def test_an_edit_that_is_left_stays(ana: Visitor) -> None:
    world = await edited(ana)
    page = await ana.see(f"/initiatives/notion:page:{world.checkout.id}")

    told = await ana.click(page, "Leave it as it stands")
    await world.sync()

    assert "it stays as it stands, for good" in told.text
    assert world.checkout.text("Delivery") == "Ask Ana"
    assert [one.name for one in told.buttons] == ["Have opsync write Notion Delivery"]

    await ana.click(told, "Have opsync write Notion Delivery")
    await world.sync()
    assert world.checkout.text("Delivery").startswith("3 of 5 done")


async def test_a_column_that_somebody_removed_is_made_again_for_all(ana: Visitor) -> None:
    world = ana.office.world
    world.notion.remove_property(world.source, "Work")
    for key in ("PAY-4", "MOB-3"):
        world.jira.edit(key, status="Done")
    await world.sync()
    await world.sync(full=True)
    page = await ana.see(f"/initiatives/notion:page:{world.checkout.id}")
    assert "1 value for you to settle" in page.text

    told = await ana.click(page, "Write opsync’s value")
    await world.sync()

    assert "2 values settled" in told.text
    assert "PAY-1" in world.checkout.text("Work")
    assert "MOB-1" in world.loyalty.text("Work")


async def test_what_was_given_up_is_not_told_as_what_opsync_never_wrote(ana: Visitor) -> None:
    world = await edited(ana)
    path = f"/initiatives/notion:page:{world.checkout.id}"
    page = await ana.see(path)
    assert page.text.count("We wrote") == page.text.count("Should be") - 1, "all but the one above"
    await ana.click(page, next(b.name for b in page.buttons if ("side", "ours") in b.fields))

    page = await ana.see(path)
    assert page.text.count("We wrote") == page.text.count("Should be") - 2


async def test_a_value_that_rests_says_until_when(ana: Visitor) -> None:
    world = ana.office.world
    for status in ("Done", "To Do"):
        world.jira.edit("PAY-3", status=status)
        await world.sync()
    record = await world.record("GRO-3")
    page = await ana.see(f"/initiatives/{record.ref}")
    assert "links of an issue are not rewritten more often" in page.text
    world.clock.advance(3600)
    assert "not rewritten more often" not in (await ana.see(f"/initiatives/{record.ref}")).text
