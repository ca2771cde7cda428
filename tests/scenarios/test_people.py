"""One person across tools: who is matched, who is left apart, and what reports call an owner."""

from __future__ import annotations

import tomllib

import pytest

from opsync.disagreements import DisagreementKind
from opsync.engine import explain as explaining
from opsync.engine import overview as viewing
from opsync.engine.disagreeing import Found
from opsync.engine.explained import Explanation
from opsync.engine.look import gather as look
from opsync.engine.peopled import Everybody, gather
from opsync.sandbox.jira import User as JiraUser
from tests.support.world import World, linear_project_url


async def everybody(world: World, *, read: bool = True) -> Everybody:
    """What `opsync people` shows, after all was read."""
    if read:
        await world.sync(full=True)
    async with world.session() as session:
        return await gather(session.config, session.store)


async def explained(world: World, text: str) -> Explanation:
    async with world.session() as session:
        explainer = explaining.Explainer(session.config, session.store)
        (record,) = await explainer.find(text)
        return await explainer.explain(record, world.clock.now())


async def left(world: World) -> list[Found]:
    """Owners who left, as `look` tells them after all was read anew."""
    await world.sync(full=True)
    async with world.session() as session:
        found = await look(session.config, session.store, world.clock.now())
    return [one for one in found.disagreements if one.kind is DisagreementKind.owner_left]


async def owner_of(world: World, title: str) -> str:
    """The owner of an initiative, as `status --json` has it."""
    async with world.session() as session:
        found = await viewing.overview(session.config, session.store, world.clock.now())
    return next(one.owner for one in found.initiatives if one.title == title)


def jira_owner(world: World, name: str, email: str | None, *keys: str) -> JiraUser:
    user = world.jira.add_user(name, email)
    for key in keys:
        world.jira.edit(key, assignee=user)
    return user


def linear_owner(world: World, name: str, email: str, *issues: str) -> None:
    """Linear shows people by the name before their address's @."""
    user = world.linear.add_user(name, email)
    for identifier in issues:
        world.linear.edit(identifier, assignee=user)


def page_owner(world: World, name: str, email: str) -> None:
    """The page "One-tap checkout" gets an owner."""
    world.source.schema.add("Owner", {"people": {}})
    world.notion.edit_page(world.checkout, "Owner", [world.notion.add_user(name, email)])


def names(found: Everybody) -> dict[str, tuple[list[str], int]]:
    """By person the tools they are in, and how much they own."""
    return {
        one.name: ([account.instance for account in one.accounts], one.open) for one in found.people
    }


async def test_one_address_in_two_tools_is_one_person(world: World) -> None:
    jira_owner(world, "Mara Voss", "mara@harbor.example", "PAY-2", "PAY-3", "PAY-4")
    linear_owner(world, "mara", "Mara@harbor.example", "GRO-1", "GRO-2")
    found = await everybody(world)
    # PAY-2 and GRO-1 are done.
    assert names(found) == {"Mara Voss": (["jira-main", "linear"], 3)}
    (mara,) = found.people
    assert [(one.name, one.open, one.active) for one in mara.accounts] == [
        ("Mara Voss", 2, True),
        ("mara", 1, True),
    ]
    assert {one.matched_by for one in mara.accounts} == {("address",)}
    assert found.doubts == ()


async def test_different_addresses_are_left_apart_until_the_configuration_says_so(
    world: World,
) -> None:
    jira_owner(world, "Mara Voss", "mara@harbor.example", "PAY-3")
    linear_owner(world, "Mara Voss", "mara.voss@ships.example", "GRO-2")
    found = await everybody(world)
    assert [one.open for one in found.people] == [1, 1]
    (doubt,) = found.doubts
    assert doubt.why == (
        "Mara Voss has different addresses: mara.voss@ships.example and mara@harbor.example"
    )
    assert [(one.instance, one.open) for one in doubt.accounts] == [("jira-main", 1), ("linear", 1)]
    assert all(line.startswith("# ") for line in doubt.paste.splitlines())

    world.raw |= tomllib.loads(doubt.paste.replace("# ", ""))
    found = await everybody(world, read=False)
    assert names(found) == {"Mara Voss": (["jira-main", "linear"], 2)}
    assert found.doubts == ()


async def test_a_single_name_is_in_doubt_and_joins_nobody(world: World) -> None:
    jira_owner(world, "Mara Voss", None, "PAY-3")
    linear_owner(world, "mara", "mara@harbor.example", "GRO-2")
    found = await everybody(world)
    assert len(found.people) == 2
    assert [one.kind for one in found.doubts] == ["no counterpart, but a name like it"]
    assert not found.doubts[0].sure


async def test_what_is_one_piece_of_work_in_two_tools_is_owned_once(world: World) -> None:
    jira_owner(world, "Mara Voss", "mara@harbor.example", "PAY-3", "PAY-4")
    footer = "Mirrored from PAY-3 by Shuttle"
    world.linear.edit("GRO-3", description=footer)
    linear_owner(world, "mara", "mara@harbor.example", "GRO-3")
    (mara,) = (await everybody(world)).people
    assert ([one.open for one in mara.accounts], mara.open) == ([2, 1], 2)


async def test_reports_call_an_owner_by_one_name_and_keep_the_tools_own_beside(
    world: World,
) -> None:
    page_owner(world, "M. Voss", "mara@harbor.example")
    jira_owner(world, "Mara Voss", "mara@harbor.example", "PAY-3")
    world.raw["person"] = [{"name": "Mara V.", "known_as": ["mara@harbor.example"]}]
    await world.sync()
    assert await owner_of(world, "One-tap checkout") == "Mara V."
    owner = (await explained(world, "PAY-3")).owner
    assert owner is not None
    assert owner.name == "Mara V."
    assert [(one.tool, one.name) for one in owner.accounts] == [
        ("Jira", "Mara Voss"),
        ("Notion", "M. Voss"),
    ]


async def test_an_owner_who_matches_nobody_keeps_the_name_of_the_tool(world: World) -> None:
    page_owner(world, "mara", "mara@ships.example")
    jira_owner(world, "Mara Voss", "mara@harbor.example", "PAY-3")
    world.raw["person"] = [{"name": "Zoe", "known_as": ["zoe@harbor.example"]}]
    await world.sync()
    assert await owner_of(world, "One-tap checkout") == "mara"
    assert await owner_of(world, "Loyalty") == ""
    assert (await explained(world, "PAY-4")).owner is None
    await world.silent()
    owner = (await explained(world, "PAY-3")).owner
    assert owner is not None
    assert owner.name == "Mara Voss"


async def test_an_owner_who_left_is_told_by_their_one_name(world: World) -> None:
    gone = jira_owner(world, "mvoss", "mara@harbor.example", "PAY-1")
    assert await left(world) == []
    world.jira.deactivate(gone)
    world.raw["person"] = [{"name": "Mara Voss", "known_as": ["mara@harbor.example"]}]
    (one,) = await left(world)
    assert one.item is not None
    assert (one.item.key, one.says) == ("PAY-1", "owner Mara Voss")
    assert (one.measured, one.weight) == ("that account is closed", 48)
    assert [found.says for found in (await explained(world, "PAY-1")).disagreements] == [one.says]


async def test_who_left_one_tool_and_is_in_another_is_told_so_and_weighs_less(
    world: World,
) -> None:
    world.jira.deactivate(jira_owner(world, "Mara Voss", "mara@harbor.example", "PAY-1"))
    linear_owner(world, "mara", "mara@harbor.example", "GRO-2")
    (one,) = await left(world)
    assert (one.says, one.measured) == ("owner Mara Voss", "left Jira, still in Linear")
    assert one.weight == 33
    world.linear.user("mara").active = False
    (one,) = await left(world)
    assert (one.measured, one.weight) == ("that account is closed", 48)


async def test_a_tool_that_does_not_tell_who_left_is_no_sign_that_somebody_is_there(
    world: World,
) -> None:
    page_owner(world, "Mara Voss", "mara@harbor.example")
    world.jira.deactivate(jira_owner(world, "Mara Voss", "mara@harbor.example", "PAY-1"))
    (one,) = await left(world)
    assert (one.measured, one.weight) == ("that account is closed", 48)
    (mara,) = (await everybody(world)).people
    assert mara.left
    assert [(one.tool, one.active) for one in mara.accounts] == [("Jira", False), ("Notion", None)]


async def test_two_accounts_in_one_tool_are_told_apart(world: World) -> None:
    world.jira.deactivate(jira_owner(world, "Mara Voss", "mara@harbor.example", "PAY-1"))
    jira_owner(world, "Mara Voss", "mara@harbor.example", "PAY-3")
    (one,) = await left(world)
    assert one.measured == "that account is closed, another one of theirs in Jira is open"


async def test_in_doubt_nobody_is_still_there(world: World) -> None:
    world.jira.deactivate(jira_owner(world, "Mara Voss", "mara@harbor.example", "PAY-1"))
    linear_owner(world, "Mara Voss", "mara.voss@ships.example", "GRO-2")
    (one,) = await left(world)
    assert one.measured == "that account is closed"


@pytest.mark.sampled
@pytest.mark.parametrize("expose", ["nothing", "key", "title"])
async def test_who_owns_private_work_is_counted_and_told_with_no_item(
    world: World, expose: str
) -> None:
    world.linear.add_team("SEC", "Blue team", private=True)
    who = world.linear.add_user("Mara Voss", "mara@harbor.example")
    project = world.linear.add_project("Vault", teams=["SEC"], lead=who, status="started")
    world.linear.add_issue("SEC", "Rotate the vault keys", assignee=who, project=project)
    world.notion.edit_page(world.loyalty, "Tracked in", linear_project_url(project.slug_id))
    world.raw["instances"]["linear"]["expose"] = expose
    found = await everybody(world)
    assert names(found) == {"mara": (["linear"], 2)}

    who.active = False
    jira_owner(world, "Mara Voss", "mara@harbor.example", "PAY-3")
    (one,) = await left(world)
    assert (one.says, one.measured) == ("has an owner", "that account is closed")
    async with world.session() as session:
        explainer = explaining.Explainer(session.config, session.store)
        for text in ("SEC-1", project.url):
            for record in await explainer.find(text):
                assert record.owner is not None
                told = await explainer.explain(record, world.clock.now())
                assert told.owner is None
                assert "Mara" not in repr(told)


async def test_nobody_of_a_tool_that_is_configured_no_more_is_listed(world: World) -> None:
    jira_owner(world, "Mara Voss", "mara@harbor.example", "PAY-3")
    linear_owner(world, "mara", "mara@harbor.example", "GRO-2")
    await world.sync()
    del world.raw["instances"]["linear"]
    assert names(await everybody(world, read=False)) == {"Mara Voss": (["jira-main"], 1)}
