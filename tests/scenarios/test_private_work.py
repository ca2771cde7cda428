"""Private work is counted, and neither titled nor linked elsewhere unless the instance says so."""

from __future__ import annotations

import pytest

from tests.support.world import World, jira_url, linear_url, troubles

SECRET_TITLE = "Rotate the vault keys"


def private_linear_issue(world: World) -> None:
    """SEC-1 of a private team, named by PAY-4 and by the page "Loyalty"."""
    world.linear.add_team("SEC", "Blue team", private=True)
    world.linear.add_issue("SEC", SECRET_TITLE, description=f"For {jira_url('PAY-4')}")
    world.notion.edit_page(
        world.loyalty, "Tracked in", f"{jira_url('MOB-1')} {linear_url('SEC-1')}"
    )


def private_jira_issue(world: World) -> None:
    """PAY-4 gets a security level; GRO-2 names it."""
    world.jira.edit("PAY-4", security="Staff", summary=SECRET_TITLE)
    world.linear.edit("GRO-2", description=f"Waits for {jira_url('PAY-4')}")


def sent(world: World, instance: str) -> str:
    """All that was sent to one vendor in writes."""
    bodies = [e.request_body for e in world.vendors[instance].exchanges if not e.reads]
    return b"\n".join(bodies).decode()


async def test_private_work_is_counted_and_said_so_and_named_nowhere(world: World) -> None:
    private_linear_issue(world)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert world.loyalty.text("Delivery") == "1 of 3 done · 1 in a private team, counted only"
    assert world.remote_links("PAY-4") == []
    for instance in ("jira-main", "notion"):
        for word in (SECRET_TITLE, "SEC-1", "Blue team"):
            assert word not in sent(world, instance)
    await world.silent()


async def test_expose_key_shows_the_key_and_not_the_title(world: World) -> None:
    private_linear_issue(world)
    world.raw["instances"]["linear"]["expose"] = "key"
    await world.sync()
    assert [x["title"] for x in world.remote_links("PAY-4")] == ["SEC-1"]
    for instance in ("jira-main", "notion"):
        assert SECRET_TITLE not in sent(world, instance)
        assert "Blue team" not in sent(world, instance)
    await world.silent()


async def test_expose_title_shows_key_and_title(world: World) -> None:
    private_linear_issue(world)
    world.raw["instances"]["linear"]["expose"] = "title"
    await world.sync()
    assert [x["title"] for x in world.remote_links("PAY-4")] == [f"SEC-1 {SECRET_TITLE}"]
    assert f"SEC-1 {SECRET_TITLE}" in world.loyalty.text("Work")
    await world.silent()


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("expose", "title"),
    [("nothing", None), ("key", "PAY-4"), ("title", f"PAY-4 {SECRET_TITLE}")],
)
async def test_an_issue_with_a_security_level_is_private(
    world: World, expose: str, title: str | None
) -> None:
    private_jira_issue(world)
    world.raw["instances"]["jira-main"]["expose"] = expose
    await world.sync()
    assert [t for t, _ in world.attachments("GRO-2")] == ([title] if title else [])
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    if expose != "title":
        assert SECRET_TITLE not in sent(world, "linear") + sent(world, "notion")
    await world.silent()


async def test_the_private_side_may_name_the_public_one(world: World) -> None:
    private_linear_issue(world)
    await world.sync()
    assert [t for t, _ in world.attachments("SEC-1")] == ["PAY-4 Refund flow", "Roadmap: Loyalty"]


async def test_what_becomes_private_is_taken_back_elsewhere(settled: World) -> None:
    settled.jira.edit("PAY-3", security="Staff")
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert settled.attachments("GRO-3") == []
    assert "in a private team, counted only" in settled.checkout.text("Delivery")
    await settled.silent()


async def test_what_is_exposed_no_more_is_taken_back_in_the_next_pass(world: World) -> None:
    private_linear_issue(world)
    world.raw["instances"]["linear"]["expose"] = "title"
    await world.sync()
    assert len(world.remote_links("PAY-4")) == 1
    world.raw["instances"]["linear"]["expose"] = "nothing"
    await world.sync()
    assert world.remote_links("PAY-4") == []
    assert SECRET_TITLE not in world.loyalty.text("Work")
    await world.silent()


def private_page(world: World, expose: str) -> None:
    """The initiative "One-tap checkout" is checked as private."""
    world.notion.state.data_sources[world.source.id].schema.add("Secret", {"checkbox": {}})
    world.notion.edit_page(world.checkout, "Secret", True)
    world.notion.edit_page(world.checkout, "Name", SECRET_TITLE)
    block = world.raw["instances"]["notion"]
    block["data_sources"][0]["private_column"] = "Secret"
    block["expose"] = expose


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("expose", "in_jira", "in_linear"),
    [
        ("nothing", [], []),
        ("key", ["Private item"], ["Private item · 2/5"]),
        ("title", [f"Roadmap: {SECRET_TITLE}"], [f"Roadmap: {SECRET_TITLE} · 2/5"]),
    ],
)
async def test_a_private_initiative_is_summed_up_at_home_and_named_elsewhere_as_exposed(
    world: World, expose: str, in_jira: list[str], in_linear: list[str]
) -> None:
    private_page(world, expose)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    assert [link["title"] for link in world.remote_links("PAY-1")] == in_jira
    assert [label for label, _ in world.project_links()] == in_linear
    if expose != "title":
        for instance in ("jira-main", "linear"):
            for word in (SECRET_TITLE, SECRET_TITLE.lower().replace(" ", "-")):
                assert word not in sent(world, instance)
    await world.silent()


async def test_a_private_initiative_that_becomes_public_is_named_and_taken_back_again(
    world: World,
) -> None:
    private_page(world, "nothing")
    await world.sync()
    world.clock.advance(300)
    world.notion.edit_page(world.checkout, "Secret", False)
    world.clock.advance(300)
    await world.sync()
    assert [link["title"] for link in world.remote_links("PAY-1")] == [f"Roadmap: {SECRET_TITLE}"]
    world.notion.edit_page(world.checkout, "Secret", True)
    world.clock.advance(300)
    await world.sync()
    assert world.remote_links("PAY-1") == []
    assert world.project_links() == []
    await world.silent()


async def test_an_address_that_holds_the_title_gives_nothing_away(world: World) -> None:
    private_linear_issue(world)
    world.raw["instances"]["linear"]["expose"] = "key"
    await world.sync()
    (link,) = world.remote_links("PAY-4")
    assert link["url"] == "https://linear.app/harbor/issue/SEC-1"
    assert "rotate-the-vault-keys" not in sent(world, "jira-main") + sent(world, "notion")


async def test_a_private_project_of_jira_is_private(world: World) -> None:
    world.raw["instances"]["jira-main"]["private_projects"] = ["PAY"]
    await world.sync()
    assert "3 in a private team, counted only" in world.checkout.text("Delivery")
    assert world.attachments("GRO-3") == []
    for word in ("Checkout core", "Tokenise cards"):
        assert word not in sent(world, "notion") + sent(world, "linear")
