"""Bad input: a token that sees half. What is missing is named, and the numbers say so."""

from __future__ import annotations

import json

import pytest

from opsync.cli.root import run
from opsync.engine.explain import Explainer
from opsync.engine.overview import overview
from opsync.model import Health
from tests.support.world import World, jira_url, linear_project_url, of, troubles


def half(world: World) -> World:
    """The token of Jira sees no PAY, that of Linear no Growth: all that "One-tap checkout" names.
    "Loyalty" names a visible epic and an issue of PAY."""
    world.jira.faults.deny = {"PAY"}
    world.linear.faults.deny = {"GRO"}
    world.notion.edit_page(world.loyalty, "Tracked in", f"{jira_url('MOB-1')} {jira_url('PAY-4')}")
    return world


async def test_numbers_say_that_some_is_not_counted_and_name_it(world: World) -> None:
    half(world)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    loyalty, checkout = await world.rollup(world.loyalty), await world.rollup(world.checkout)
    assert (loyalty.done, loyalty.total, loyalty.partial) == (1, 2, True)
    assert loyalty.missing == (jira_url("PAY-4"),)
    slug = world.linear.project("Checkout web").slug_id
    assert set(checkout.missing) == {jira_url("PAY-1"), linear_project_url(slug)}
    assert (checkout.health, checkout.reason) == (
        Health.no_linked_work,
        "2 linked, none of it readable",
    )


async def test_status_and_explain_carry_what_is_missing(world: World) -> None:
    await half(world).sync()
    async with world.session() as session:
        config, store = session.config, session.store
        seen = await overview(config, store, world.clock.now())
        by_title = {one.title: one.missing for one in seen.initiatives}
        assert by_title["Loyalty"] == (jira_url("PAY-4"),)
        explainer = Explainer(config, store)
        (record,) = await explainer.find("Loyalty")
        explained = await explainer.explain(record)
    (summary,) = explained.summaries
    assert summary.missing == (jira_url("PAY-4"),)
    left_out = {one.what: one.why for one in summary.left_out}
    assert left_out[jira_url("PAY-4")] == "nothing with this address was read from jira-main"


def test_the_screens_say_some_not_counted(
    on_command_line: World,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    half(on_command_line)

    def shown(*command: str) -> str:
        capfd.readouterr()
        assert run(command) == 0
        return capfd.readouterr().out

    shown("sync")
    status = shown("status")
    assert "some not counted: 2 not readable" in status
    assert "some not counted: 1 not readable" in status
    explained = shown("explain", "Loyalty")
    assert "some not counted: 1 not readable" in explained
    assert jira_url("PAY-4") in explained
    found = json.loads(shown("status", "--json"))
    missing = {one["title"]: one["missing"] for one in found["initiatives"]}
    assert missing["Loyalty"] == [jira_url("PAY-4")]


async def test_a_configured_project_that_is_hidden_is_named_and_nothing_is_published(
    settled: World,
) -> None:
    settled.raw["instances"]["jira-main"]["projects"] = ["PAY", "MOB"]
    settled.jira.faults.deny = {"MOB"}
    settled.jira.set_status("PAY-4", "Done")
    report = await settled.sync()
    told = of(report, "jira-main")
    assert told.trouble == "incomplete"
    assert "'MOB'" in told.message
    assert told.missing == 0
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")


async def test_a_configured_team_that_is_hidden_is_named(settled: World) -> None:
    settled.raw["instances"]["linear"]["teams"] = ["GRO"]
    settled.linear.faults.deny = {"GRO"}
    report = await settled.sync()
    assert "there is no team GRO, or it is hidden" in of(report, "linear").message
    assert of(report, "linear").missing == 0


async def test_a_configured_data_source_that_is_hidden_is_named_and_the_other_is_read(
    world: World,
) -> None:
    plans = world.notion.add_database("Plans", properties={"Tracked in": {"rich_text": {}}})
    world.notion.add_page(plans.data_source, {"Name": "Refunds", "Tracked in": jira_url("PAY-4")})
    sources = [{"id": world.source.id, "name": "Roadmap"}, {"id": plans.data_source.id}]
    world.raw["instances"]["notion"]["data_sources"] = sources
    world.notion.faults.deny = {world.source.id}
    report = await world.sync()
    told = of(report, "notion")
    assert told.trouble == "incomplete"
    assert "Roadmap" in told.message
    assert told.read == 1


async def test_what_becomes_visible_is_counted_in_the_next_full_read(world: World) -> None:
    await half(world).sync()
    world.jira.faults.deny = set()
    world.linear.faults.deny = set()
    await world.sync(full=True)
    await world.silent()
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    assert (await world.rollup(world.checkout)).missing == ()


async def test_private_work_that_cannot_be_read_is_not_named(settled: World) -> None:
    settled.jira.edit("PAY-4", security="Staff", summary="Rotate the vault keys")
    await settled.sync()

    def spoil(content: dict[str, object]) -> None:
        for issue in content.get("issues", []):  # type: ignore[attr-defined]  # JSON
            if issue.get("key") == "PAY-4":
                issue["fields"]["labels"] = "no list"

    settled.net.spoil["harbor.atlassian.net"] = spoil
    settled.jira.edit("PAY-4", priority="High")
    await settled.sync()
    assert (await settled.rollup(settled.checkout)).missing == ("a private item",)
