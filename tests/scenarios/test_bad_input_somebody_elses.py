"""Bad input: a column, an attachment or a link that somebody else made. Never written, and told."""

from __future__ import annotations

import pytest

from tests.support.world import World, jira_url, linear_project_url, linear_url, troubles


def person_column(world: World, name: str, kind: str, value: object) -> None:
    """A column of that name which a person made and filled in on one page."""
    world.source.schema.add(name, {kind: {}})
    world.notion.edit_page(world.checkout, name, value)


def columns(world: World) -> set[str]:
    return {prop.name for prop in world.source.schema.properties.values()}


@pytest.mark.sampled
@pytest.mark.parametrize("text", ["Ask Ben about this", "Delivery by truck", "2 of 5"])
async def test_a_column_called_delivery_that_a_person_made_is_never_written(
    world: World, text: str
) -> None:
    person_column(world, "Delivery", "rich_text", text)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert world.checkout.text("Delivery") == text
    assert world.loyalty.text("Delivery") == ""
    assert world.checkout.text("Delivery (opsync)").startswith("2 of 5 done")
    await world.silent()
    world.jira.set_status("PAY-4", "Done")
    await world.sync()
    assert world.checkout.text("Delivery") == text
    assert world.checkout.text("Delivery (opsync)").startswith("3 of 5 done")


async def test_a_column_of_a_person_without_any_value_is_not_taken_either(world: World) -> None:
    world.source.schema.add("Delivery", {"rich_text": {}})
    await world.sync()
    assert world.checkout.text("Delivery") == ""
    assert world.checkout.text("Delivery (opsync)").startswith("2 of 5 done")


async def test_a_column_of_a_person_is_told_by_doctor(world: World) -> None:
    person_column(world, "Delivery", "rich_text", "Ask Ben about this")
    async with world.session("doctor") as session:
        checks = [c async for _, c in session.doctor(frozenset({"notion"}))]
    told = [c.message for c in checks if "(opsync)" in c.message]
    assert told == ['A person has a column "Delivery"; opsync\'s will be "Delivery (opsync)".']


async def test_every_own_column_yields_to_one_of_a_person(world: World) -> None:
    """I5"""
    for name, kind, value in (
        ("Delivery", "rich_text", "x"),
        ("Delivery %", "number", 7),
        ("Delivery health", "select", "Great"),
        ("Work", "rich_text", "y"),
        ("Delivery changed", "date", "2020-01-01"),
    ):
        person_column(world, name, kind, value)
    cells = dict(world.checkout.cells)
    await world.sync()
    assert {raw: world.checkout.cells[raw] for raw in cells} == cells
    assert {name for name in columns(world) if name.endswith("(opsync)")} == {
        "Delivery (opsync)",
        "Delivery % (opsync)",
        "Delivery health (opsync)",
        "Work (opsync)",
        "Delivery changed (opsync)",
    }
    await world.silent()


def linked_by_hand(world: World) -> None:
    """A person has linked PAY-3 on GRO-3, before opsync came."""
    world.linear.attach(world.linear.issue("GRO-3"), "Ben's note", jira_url("PAY-3"))


async def test_a_linear_attachment_of_a_person_with_the_same_url_is_left_alone(
    world: World,
) -> None:
    linked_by_hand(world)
    report = await world.sync()
    assert world.attachments("GRO-3") == [("Ben's note", jira_url("PAY-3"))]
    assert len(world.remote_links("PAY-3")) == 1
    held = {h.entry.slot.target.instance: h for h in report.plan.held}
    assert held["linear"].kind == "skipped"
    assert held["linear"].why == "already linked by somebody else"
    assert report.exit_code == 0, troubles(report)
    await world.silent()


async def test_a_linear_attachment_is_written_once_the_persons_own_is_gone(world: World) -> None:
    linked_by_hand(world)
    await world.sync()
    world.linear.detach(world.linear.issue("GRO-3").attachments[0])
    world.linear.edit("GRO-3", description=f"Waits for {jira_url('PAY-3')}!")
    await world.sync()
    await world.sync()
    assert world.attachments("GRO-3") == [("PAY-3 Tokenise cards", jira_url("PAY-3"))]
    await world.silent()


def remote_link_by_hand(world: World, key: str, url: str) -> None:
    issue = world.jira.issue(key)
    world.jira.put_remote_link(issue.id, {"object": {"url": url, "title": "Ben's link"}})


async def test_a_jira_remote_link_of_a_person_with_the_same_url_is_left_alone(
    world: World,
) -> None:
    """Trouble 23"""
    remote_link_by_hand(world, "PAY-3", f"{linear_url('GRO-3')}/card-form")
    report = await world.sync()
    assert [link["title"] for link in world.remote_links("PAY-3")] == ["Ben's link"]
    held = {h.entry.slot.target.instance: h for h in report.plan.held}
    assert (held["jira-main"].kind, held["jira-main"].why) == (
        "skipped",
        "already linked by somebody else",
    )
    assert report.exit_code == 0, troubles(report)
    await world.silent()


async def test_a_jira_remote_link_of_a_person_elsewhere_is_left_alone_and_ours_added(
    world: World,
) -> None:
    remote_link_by_hand(world, "PAY-3", "https://wiki.example/design")
    await world.sync()
    assert [link["title"] for link in world.remote_links("PAY-3")] == [
        "Ben's link",
        "GRO-3 Card form",
    ]
    await world.silent()


def linked_on_project(world: World, label: str, url: str) -> None:
    world.linear.add_external_link(world.linear.project("Checkout web"), label, url)


async def test_a_linear_project_link_of_a_person_with_the_same_url_is_left_alone(
    world: World,
) -> None:
    project = world.linear.project("Checkout web")
    world.jira.edit("PAY-4", description=f"See {linear_project_url(project.slug_id)}")
    linked_on_project(world, "Ben's refunds", jira_url("PAY-4"))
    report = await world.sync()
    assert [link for link in world.project_links() if link[1] == jira_url("PAY-4")] == [
        ("Ben's refunds", jira_url("PAY-4"))
    ]
    assert len(world.remote_links("PAY-4")) == 1
    (held,) = report.plan.held
    assert (held.kind, held.why) == ("skipped", "already linked by somebody else")
    assert held.entry.slot.target.instance == "linear"
    await world.silent()


async def test_a_persons_link_to_the_roadmap_page_stays_beside_the_summary(world: World) -> None:
    """A link without numbers is no delivery summary: ours stands beside it."""
    linked_on_project(world, "Our roadmap page", world.checkout.url)
    remote_link_by_hand(world, "PAY-1", world.checkout.url)
    await world.sync()
    assert world.project_links() == [
        ("Our roadmap page", world.checkout.url),
        ("Roadmap: One-tap checkout · 2/5", world.checkout.url),
    ]
    world.jira.set_status("PAY-4", "Done")
    await world.sync()
    assert world.project_links() == [
        ("Our roadmap page", world.checkout.url),
        ("Roadmap: One-tap checkout · 3/5", world.checkout.url),
    ]
    assert [link["title"] for link in world.remote_links("PAY-1")] == [
        "Ben's link",
        "Roadmap: One-tap checkout",
    ]
    await world.silent()
