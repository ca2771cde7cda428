from __future__ import annotations

import pytest

from opsync import OUT_OF_SCOPE, SignInError
from opsync.model import Value
from opsync.sandbox.linear import LinearWorkspace
from opsync_linear.scope import project_filter
from tests.plugins.linear.conftest import Connect, settings
from tests.support.clock import FakeClock
from tests.support.connector import pull, read


@pytest.fixture
def workspace(clock: FakeClock) -> LinearWorkspace:
    """Two projects of one team, with an issue each, and an issue without a project."""
    made = LinearWorkspace(now=clock.now, limit_factor=10)
    made.add_team("GRO", "Growth")
    web = made.add_project("Checkout web", teams=["GRO"])
    app = made.add_project("Checkout app", teams=["GRO"])
    made.add_issue("GRO", "Cart page", project=web, labels=["roadmap"])
    made.add_issue("GRO", "Cart screen", project=app, labels=["noise"])
    made.add_issue("GRO", "Chore")
    return made


async def test_only_projects_in_scope_and_their_issues_are_read(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    web = workspace.project("Checkout web")

    for named in ("Checkout web", web.slug_id, web.id, web.url):
        assert sorted(await read(connect(workspace, projects=(named,)))) == [
            "Checkout web",
            "GRO-1",
        ]


async def test_only_issues_with_a_label_are_read_and_projects_whatever_theirs(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    found = await read(connect(workspace, labels=("roadmap",)))

    assert sorted(found) == ["Checkout app", "Checkout web", "GRO-1"]


async def test_a_project_that_is_misspelled_or_hidden_is_told_and_nothing_is_read(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    with pytest.raises(SignInError, match="no project 'Checkout wep', or it is hidden") as caught:
        await pull(connect(workspace, projects=("Checkout web", "Checkout wep")))

    assert "Team access" in caught.value.hint
    assert workspace.read_requests == 1


async def test_what_left_a_project_or_lost_its_label_is_out_of_scope(
    workspace: LinearWorkspace, clock: FakeClock, connect: Connect
) -> None:
    linear = connect(workspace, projects=("Checkout web",), labels=("roadmap",))
    await read(linear)
    clock.advance(60)
    since = clock.now()
    workspace.edit("GRO-1", project="Checkout app")
    workspace.edit("GRO-2", project="Checkout web", labels=["roadmap"])

    found = await read(linear, since)

    assert (found["GRO-1"].tombstone, found["GRO-1"].title) == (OUT_OF_SCOPE, "")
    assert (found["GRO-2"].tombstone, found["GRO-2"].title) == ("", "Cart screen")


async def test_a_label_beyond_those_that_a_page_shows_still_counts(
    workspace: LinearWorkspace, clock: FakeClock, connect: Connect
) -> None:
    many = [f"label {number}" for number in range(9)]
    linear = connect(workspace, labels=("roadmap",))
    await read(linear)
    clock.advance(60)
    since = clock.now()
    workspace.edit("GRO-3", labels=[*many, "roadmap"])
    workspace.edit("GRO-1", labels=many)

    found = await read(linear, since)

    assert found["GRO-3"].tombstone == ""
    assert found["GRO-1"].tombstone == OUT_OF_SCOPE


async def test_a_pass_without_news_stays_at_one_request(
    workspace: LinearWorkspace, clock: FakeClock, connect: Connect
) -> None:
    kept: dict[str, Value] = {}
    scope = {"projects": ("Checkout web",), "labels": ("roadmap",)}
    await read(connect(workspace, kept=kept, **scope))
    clock.advance(3600)
    before = workspace.read_requests

    await read(connect(workspace, kept=kept, **scope), clock.now())

    assert workspace.read_requests - before == 1


def test_a_name_is_never_asked_for_as_an_id() -> None:
    id_ = "9cfb482a-81e3-4154-b5b9-2c805e70a02d"

    assert project_filter(["Checkout web", id_]) == {
        "or": [
            {"name": {"in": ["Checkout web", id_]}},
            {"slugId": {"in": ["Checkout web", id_]}},
            {"id": {"in": [id_]}},
        ]
    }


def test_a_projects_link_stands_for_its_id() -> None:
    link = "https://linear.app/harbor/project/checkout-web-0a1b2c3d4e5f/overview"

    assert settings(projects=(link,)).projects == ("0a1b2c3d4e5f",)


async def test_the_address_of_private_work_does_not_hold_its_title(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_team("SEC", "Security", private=True)
    project = workspace.add_project("Rotate the vault keys", teams=["SEC"])
    workspace.add_issue("SEC", "Rotate the vault keys")

    found = await read(connect(workspace))

    assert found["SEC-1"].url == "https://linear.app/harbor/issue/SEC-1"
    assert found["Rotate the vault keys"].url == (
        f"https://linear.app/harbor/project/{project.slug_id}"
    )
    assert found["GRO-1"].url == "https://linear.app/harbor/issue/GRO-1/cart-page"
