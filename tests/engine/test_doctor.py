"""What a connection's own checks cannot say, and what opsync did there does."""

from __future__ import annotations

from opsync.contract.examining import Check
from tests.support.world import World


async def permissions(world: World) -> dict[str, Check]:
    async with world.session() as session:
        found = [(name, check) async for name, check in session.doctor()]
    return {name: check for name, check in found if check.title == "Permissions"}


async def test_whether_it_may_write_is_told_by_what_it_wrote(world: World) -> None:
    await world.sync(write=False)
    before = await permissions(world)
    assert {before[name].state for name in ("linear", "notion")} == {"warn"}
    assert before["linear"].hint

    await world.sync()
    for name in ("linear", "notion"):
        after = (await permissions(world))[name]
        assert (after.state, after.hint) == ("ok", "")
        assert after.message == "May read, and wrote last on 2 Mar."
