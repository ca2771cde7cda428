"""Bad input about mirrors: it is told, and no work is hidden by it."""

from __future__ import annotations

import pytest

from opsync.engine.explain import Explainer
from opsync.engine.twinned import lost_mirrors, twin_groups
from tests.support.world import World, jira_url


async def notes_of(world: World, key: str) -> tuple[str, ...]:
    async with world.session("explain") as session:
        explainer = Explainer(session.config, session.store)
        [record] = await explainer.find(key)
        return (await explainer.explain(record, world.clock.now())).notes


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("original", "shown"),
    [
        ("PAY-9999", "PAY-9999"),
        (f"[PAY-9999]({jira_url('PAY-9999')})", jira_url("PAY-9999")),
        ("https://else.atlassian.net/browse/PAY-3", "https://else.atlassian.net/browse/PAY-3"),
    ],
    ids=["key", "address", "a site that is not configured"],
)
async def test_a_mirror_footer_that_points_nowhere_is_told_and_its_item_counts_by_itself(
    world: World, original: str, shown: str
) -> None:
    footer = f"Mirrored from {original} by Tandem Sync."
    copy = world.linear.add_issue("GRO", "Lost copy", project="Checkout web", description=footer)
    report = await world.sync()
    assert report.exit_code == 0
    rollup = await world.rollup(world.checkout)
    assert (rollup.done, rollup.total) == (2, 6)
    assert await notes_of(world, copy.identifier) == (
        f"{copy.identifier} says that it mirrors {shown}, which was not read: it counts by itself.",
    )
    async with world.session("look") as session:
        assert await twin_groups(session.config, session.store) == []
        [lost] = await lost_mirrors(session.config, session.store)
    assert (lost.item.key, lost.original) == (copy.identifier, shown)
    await world.silent()


async def test_an_original_that_is_read_later_makes_one_thing_of_it(world: World) -> None:
    footer = "Mirrored from PAY-9 by Tandem Sync."
    world.linear.add_issue("GRO", "Early copy", project="Checkout web", description=footer)
    await world.sync()
    world.jira.add_issue("PAY", "Late original", key="PAY-9", parent="PAY-1")
    await world.sync()
    rollup = await world.rollup(world.checkout)
    assert (rollup.done, rollup.total) == (2, 6), "one of the two"
    async with world.session("look") as session:
        assert await lost_mirrors(session.config, session.store) == []


async def test_an_original_that_is_deleted_leaves_its_copy_to_count(world: World) -> None:
    footer = "Mirrored from PAY-4 by Tandem Sync."
    world.linear.add_issue("GRO", "Refund flow", project="Checkout web", description=footer)
    await world.sync()
    assert (await world.rollup(world.checkout)).total == 5
    world.jira.delete_issue("PAY-4")
    await world.sync(full=True)
    assert (await world.rollup(world.checkout)).total == 5, "the copy instead"
    async with world.session("look") as session:
        [lost] = await lost_mirrors(session.config, session.store)
    assert lost.original == "PAY-4"


async def test_a_key_that_two_tools_have_names_no_original(world: World) -> None:
    ships = world.add_second_jira()
    ships.add_project("PAY", "Other payments")
    ships.add_issue("PAY", "Somebody else's", key="PAY-3")
    footer = "Mirrored from PAY-3 by Tandem Sync."
    copy = world.linear.add_issue("GRO", "Whose copy", project="Checkout web", description=footer)
    await world.sync()
    assert (await world.rollup(world.checkout)).total == 6
    [note] = await notes_of(world, copy.identifier)
    assert note.endswith("mirrors PAY-3, and 2 items have this key: it counts by itself.")


async def test_copies_that_name_each_other_as_original_are_one_thing(world: World) -> None:
    copy = world.linear.add_issue(
        "GRO", "Round", project="Checkout web", description="Synced from PAY-3"
    )
    world.jira.edit("PAY-3", description=f"Synced from {copy.identifier}")
    await world.sync()
    assert (await world.rollup(world.checkout)).total == 5
    async with world.session("look") as session:
        [group] = await twin_groups(session.config, session.store)
    assert group.counted.key == "PAY-3", "of the connection that is configured first"
