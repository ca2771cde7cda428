"""State that no longer fits the tools can be repaired, and keeps nothing from being written."""

from __future__ import annotations

import msgspec

from opsync.model.ledger import HoldKind
from tests.scenarios.test_letting_go import ours
from tests.scenarios.test_undoing import own_columns, standing
from tests.support.world import World


def take_all_away(world: World) -> None:
    """As when the tools are set back to a day before opsync came."""
    for links in world.jira.remote_links.values():
        links.clear()
    for key in ("GRO-1", "GRO-2", "GRO-3"):
        world.linear.issue(key).attachments.clear()
    for link in list(world.linear.project("Checkout web").external_links):
        world.linear.remove_external_link(link)
    for name in own_columns(world):
        world.notion.remove_property(world.source, name)


async def test_tools_that_were_set_back_are_filled_again_by_starting_with_no_store(
    settled: World,
) -> None:
    """Trouble 32"""
    take_all_away(settled)
    await settled.sync(full=True)
    assert own_columns(settled) == [], "it is taken for what people did, and told"
    assert [e for e in await settled.entries() if e.hold and e.hold.kind is HoldKind.removed]

    settled.lose_store()
    report = await settled.sync()

    assert report.exit_code == 0
    assert all(standing(settled)["jira"])
    assert settled.project_links()
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")
    await settled.silent(full=True)


async def test_where_ids_lead_nowhere_ours_takes_up_what_stands_and_doubles_nothing(
    settled: World,
) -> None:
    """Trouble 32"""
    async with settled.session() as session:
        stale = [
            msgspec.structs.replace(one, remote_id=f"{one.remote_id}0")
            for one in await session.store.entries()
            if one.remote_id and one.slot.target.instance != "notion"
        ]
        await session.store.settle(stale)
    assert len(stale) > 3
    count = len(settled.remote_links("PAY-1")), len(settled.project_links())
    settled.jira.set_status("PAY-3", "Done")
    settled.linear.edit("GRO-2", title="Pay button, again")
    for _ in range(3):
        await settled.sync(full=True)
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")
    for name in ("Checkout web", "GRO-3", "PAY-1", "PAY-3"):
        await ours(settled, name)
    await settled.sync()
    [label] = [label for label, _ in settled.project_links()]
    assert "3/5" in label
    assert (len(settled.remote_links("PAY-1")), len(settled.project_links())) == count
    await settled.silent()
