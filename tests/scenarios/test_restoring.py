"""A copy of the store put back: what was written since is taken up, and not written twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opsync.model.ledger import HoldKind
from opsync.store import back_up, restore
from tests.support.world import World


def copy_of(world: World, folder: Path) -> Path:
    file = folder / "copy.db"
    back_up(world.store_path, file)
    return file


def standing(world: World) -> dict[str, Any]:
    """All that opsync may have written anywhere."""
    columns = [one.name for one in world.source.schema.properties.values()]
    return {
        "pages": [
            [page.text(name) for name in columns] for page in (world.checkout, world.loyalty)
        ],
        "jira": [world.remote_links(key) for key in ("PAY-1", "PAY-3", "MOB-1")],
        "attachments": [world.attachments(key) for key in ("GRO-1", "GRO-3")],
        "projects": world.project_links(),
    }


async def taken_up(world: World) -> None:
    """A run finds what stands and writes nothing; the next one has nothing to do."""
    before = world.written()
    report = await world.sync()
    assert {outcome.kind for _, outcome in report.outcomes} <= {"unchanged"}
    assert world.written() == before
    assert (report.conflicts, report.exit_code) == (0, 0)
    await world.silent()


async def test_values_written_since_the_copy_are_taken_up_and_not_doubled(
    world: World, tmp_path: Path
) -> None:
    """I7"""
    world.jira.set_status("PAY-2", "To Do")
    await world.sync()
    copy = copy_of(world, tmp_path)
    # Since then a value changed, and a link and an initiative with all their values came.
    world.jira.set_status("PAY-2", "Done")
    world.page("SSO", "MOB-3")
    second = await world.sync()
    assert second.applied > 3
    found = standing(world)

    restore(world.store_path, copy, world.clock.now())

    await taken_up(world)
    assert standing(world) == found
    # They are opsync's again: it keeps them up.
    world.jira.set_status("PAY-3", "Done")
    await world.sync()
    assert world.checkout.text("Delivery").startswith("3 of 5 done")
    await world.silent(full=True)


async def test_a_copy_from_before_the_first_write_takes_everything_up(
    world: World, tmp_path: Path
) -> None:
    await world.sync(write=False)
    copy = copy_of(world, tmp_path)
    first = await world.sync()
    assert first.applied > 10
    found = standing(world)

    restore(world.store_path, copy, world.clock.now())

    await taken_up(world)
    assert standing(world) == found


async def test_what_people_edited_since_the_copy_stays_theirs(world: World, tmp_path: Path) -> None:
    await world.sync()
    copy = copy_of(world, tmp_path)
    world.notion.edit_page(world.checkout, "Delivery", "Ask Dana")
    await world.sync()

    restore(world.store_path, copy, world.clock.now())

    for _ in range(2):
        report = await world.sync()
        assert report.applied == 0
        assert world.checkout.text("Delivery") == "Ask Dana"
    held = await world.entries(held=HoldKind.conflict)
    assert held or report.conflicts == 1


async def test_what_moved_since_the_copy_and_again_before_the_run_is_held_and_told(
    world: World, tmp_path: Path
) -> None:
    """The copy has "2 of 5", opsync wrote "3 of 5", "4 of 5" should stand: that the text between
    was opsync's own, no store knows any more. It is held as a person's would be, and settles."""
    await world.sync()
    copy = copy_of(world, tmp_path)
    world.jira.set_status("PAY-3", "Done")
    await world.sync()
    restore(world.store_path, copy, world.clock.now())
    world.jira.set_status("PAY-4", "Done")

    report = await world.sync()

    assert world.checkout.text("Delivery").startswith("3 of 5 done")
    assert report.conflicts >= 1
    assert report.exit_code == 1
