from __future__ import annotations

import pytest

from opsync import Category, Grant, SignInError
from opsync.sandbox.linear import LinearWorkspace
from opsync_linear import Linear
from tests.plugins.linear.conftest import Connect
from tests.support.connector import pull


async def granted(linear: Linear) -> dict[str, Grant]:
    return {grant.name: grant async for grant in linear.grants()}


async def test_write_is_not_tried_and_everything_else_is_told_in_one_request(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    grants = await granted(connect(workspace))

    assert {name: (one.needed, one.held) for name, one in grants.items()} == {
        "Read": ("read", True),
        "Team access": ("read", True),
        "Write": ("write", None),
    }
    assert (workspace.read_requests, workspace.write_requests) == (1, 0)


async def test_a_key_without_read_is_told_with_the_clicks_that_give_it(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.faults.missing_scopes = {"read"}

    grants = await granted(connect(workspace))

    assert (grants["Read"].held, grants["Team access"].held) == (False, None)
    for words in ("Security & access", "Personal API keys", "Only select permissions → Read"):
        assert words in grants["Read"].hint


async def test_a_key_that_covers_no_team_is_told(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.faults.deny = {"GRO", "SEC"}

    grants = await granted(connect(workspace))

    assert (grants["Read"].held, grants["Team access"].held) == (True, False)
    assert "Team access" in grants["Team access"].hint


async def test_a_refused_key_is_an_error_and_no_grant(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.faults.refuse_token = True

    with pytest.raises(SignInError, match="Linear refused the token"):
        await granted(connect(workspace))


async def test_teams_are_to_choose_from_with_private_ones_marked(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_team("OPS", "Operations")
    workspace.add_issue("GRO", "Card form")
    workspace.faults.deny = {"OPS"}

    choices = await connect(workspace, teams=("GRO",)).choices()

    assert [(c.id, c.name, c.note, c.private) for c in choices] == [
        ("GRO", "Growth", "1 issue", False),
        ("SEC", "Security", "0 issues", True),
    ]


async def test_all_pages_of_teams_are_to_choose_from(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    for number in range(260):
        workspace.add_team(f"T{number}", f"Team {number:03}")

    assert len(await connect(workspace).choices()) == 262
    assert workspace.read_requests == 2


@pytest.mark.sampled
@pytest.mark.parametrize("issues", [3, 260, 700])
async def test_a_first_read_is_counted_by_the_teams(
    workspace: LinearWorkspace, connect: Connect, issues: int
) -> None:
    for number in range(issues):
        workspace.add_issue("GRO", f"Issue {number}")
    workspace.add_issue("SEC", "Rotate the keys")
    workspace.add_project("Checkout web", teams=["GRO"])
    linear = connect(workspace, teams=("GRO",))

    told = await linear.first_read()

    assert (told.items, told.more) == (issues + 1, False)
    before = workspace.read_requests
    await pull(linear)
    assert told.requests == workspace.read_requests - before
    assert told.seconds > 0


async def test_what_one_page_does_not_count_is_said_to_be_more(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    for number in range(260):
        workspace.add_issue("GRO", f"Issue {number}", labels=["roadmap"])
    workspace.add_issue("GRO", "Chore")

    told = await connect(workspace, labels=("roadmap",)).first_read()

    assert (told.items, told.more) == (250, True)


async def test_states_of_teams_in_scope_and_statuses_of_projects_are_told(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear = connect(workspace, teams=("SEC",), statuses={"In Review": Category.done})

    words = await linear.status_words()

    states = {word.name: word for word in words if word.where == ("SEC",)}
    assert (states["Triage"].category, states["Duplicate"].category) == (
        Category.backlog,
        Category.canceled,
    )
    review = states["In Review"]
    assert (review.category, review.counts_as) == (Category.in_progress, Category.done)
    projects = {word.name: word.category for word in words if word.where == ("projects",)}
    assert projects["Paused"] is Category.in_progress
    assert {word.where for word in words} == {("SEC",), ("projects",), ("initiatives",)}
