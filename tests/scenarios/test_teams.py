"""Teams that work differently in the same tools: whole passes, from what people do to what is
written."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from opsync.engine.checkup import examine_teams
from opsync.engine.explain import Explainer
from opsync.model import Category
from tests.support.world import (
    World,
    jira_url,
    linear_project_url,
    linear_url,
    of,
    page_url,
)

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "teams.md").read_text(encoding="utf-8")


def team(name: str, *spaces: str, instance: str = "jira-main", **given: Any) -> dict[str, Any]:
    scope: dict[str, Any] = {"instance": instance}
    if spaces:
        scope["spaces"] = list(spaces)
    return {"name": name, "scope": [scope], **given}


async def test_a_team_that_estimates_in_hours_is_summed_in_hours(world: World) -> None:
    world.jira.edit("MOB-2", hours=6.0, points=99)
    world.jira.edit("MOB-3", hours=1.5)
    world.raw["team"] = [team("Apps", "mob", estimate="hours")]
    await world.sync()
    loyalty = await world.rollup(world.loyalty)
    assert (loyalty.estimate_done, loyalty.estimate_total) == (6.0, 7.5)
    assert loyalty.estimate_unit == "hours"


async def test_points_and_hours_of_two_teams_make_no_sum(world: World) -> None:
    world.jira.edit("PAY-2", points=5)
    world.jira.edit("MOB-2", hours=6.0)
    world.raw["team"] = [team("Apps", "MOB", estimate="hours")]
    both = world.page("Both", f"{jira_url('PAY-2')} {jira_url('MOB-2')}")
    await world.sync()
    rollup = await world.rollup(both)
    assert (rollup.estimated, rollup.estimate_total, rollup.done) == (2, None, 2)


@pytest.mark.slow
async def test_a_team_without_sub_tasks_counts_the_item_that_they_are_part_of(
    world: World,
) -> None:
    for title in ("Draw", "Build"):
        world.jira.add_issue("MOB", title, issue_type="Sub-task", parent="MOB-3", status="Done")
    await world.sync()
    assert world.loyalty.text("Delivery").startswith("3 of 3 done")
    world.raw["team"] = [team("Apps", "MOB", subtasks=False)]
    await world.sync()
    assert world.loyalty.text("Delivery").startswith("1 of 2 done")
    world.raw["team"] = []
    await world.sync()
    assert world.loyalty.text("Delivery").startswith("3 of 3 done")
    await world.silent()


async def test_sub_issues_of_a_linear_team_may_be_details_too(world: World) -> None:
    world.linear.add_issue("GRO", "Labels", parent="GRO-2", project="Checkout web", state="Done")
    await world.sync()
    assert (await world.rollup(world.checkout)).total == 5
    assert (await world.rollup(world.checkout)).done == 3
    world.raw["team"] = [team("Growth team", "Growth", instance="linear", subtasks=False)]
    await world.sync()
    rollup = await world.rollup(world.checkout)
    assert (rollup.done, rollup.total) == (2, 5)
    assert [one.name for one in rollup.spaces] == ["Payments", "Growth team"]


async def test_labels_say_what_is_blocked_where_the_team_says_so(world: World) -> None:
    world.jira.edit("MOB-3", labels=("Blockiert",))
    world.jira.edit("MOB-2", labels=("blockiert",))
    world.jira.edit("PAY-3", labels=("blockiert",), flagged=True)
    world.raw["team"] = [team("Apps", "MOB", blocked=["label"], blocked_labels=["blockiert"])]
    await world.sync()
    assert "1 blocked" in world.loyalty.text("Delivery")
    assert (await world.rollup(world.checkout)).blocked == 1
    world.jira.edit("MOB-3", labels=(), flagged=True)
    await world.sync()
    assert "blocked" not in world.loyalty.text("Delivery")


async def test_a_german_team_counts_as_the_page_about_teams_says(world: World) -> None:
    world.jira.add_status("Zurückgestellt", "indeterminate")
    world.jira.add_status("Verworfen", "done")
    world.jira.edit("MOB-3", labels=("Blockiert",), points=8)
    world.jira.add_issue("MOB", "Entwurf", issue_type="Sub-task", parent="MOB-3", status="Done")
    world.jira.add_issue("MOB", "Prämien", parent="MOB-1", status="Verworfen")
    world.jira.add_issue("MOB", "Partnerkarten", parent="MOB-1", status="Zurückgestellt")
    [block, *_] = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    await world.sync()
    assert world.loyalty.text("Delivery").startswith("3 of 4 done")
    assert "`3 of 4 done`" in PAGE

    world.raw |= tomllib.loads(block)
    await world.sync()

    [promised] = re.findall(r"With the block it is\n`(.*)`", PAGE)
    assert world.loyalty.text("Delivery").startswith(promised)
    assert (await world.rollup(world.loyalty)).estimated == 0
    assert (await world.record("MOB-6")).category is Category.backlog


async def test_a_team_is_private_in_every_tool_where_it_works(world: World) -> None:
    world.linear.edit("GRO-3", description=f"Waits for {jira_url('PAY-3')}")
    private = team("Payments", "PAY", private=True)
    private["scope"].append({"instance": "linear", "spaces": ["GRO"]})
    world.raw["team"] = [private]
    await world.sync()
    everything = str(world.remote_links("PAY-3")) + str(world.attachments("GRO-3"))
    everything += world.checkout.text("Delivery") + world.checkout.text("Work")
    assert (await world.rollup(world.checkout)).private == 5
    for secret in ("Tokenise", "Card form", "Cart page", "Checkout core", "PAY-1", "GRO-1"):
        assert secret not in everything


@pytest.mark.sampled
@pytest.mark.parametrize("expose", ["nothing", "key"])
async def test_the_address_of_a_private_teams_work_has_no_title_in_it(
    world: World, expose: str
) -> None:
    world.linear.add_project("Vault rotation", teams=["GRO"])
    slug = world.linear.project("Vault rotation").slug_id
    named = f"{linear_url('GRO-1/cart-page')} {linear_project_url(slug)}"
    world.notion.edit_page(world.loyalty, "Tracked in", named)
    world.raw["team"] = [team("Growth team", "GRO", instance="linear", private=True)]
    world.raw["instances"]["linear"]["expose"] = expose
    await world.sync()
    sent = b"".join(
        each.request_body
        for name in ("jira-main", "notion")
        for each in world.vendors[name].exchanges
        if not each.reads
    ).decode()
    for title in ("cart-page", "card-form", "vault-rotation", "checkout-web"):
        assert title not in sent
    assert ("/issue/GRO-3" in sent) == (expose == "key")
    await world.silent()


async def test_the_address_of_a_private_teams_page_has_no_title_in_it(world: World) -> None:
    world.notion.edit_page(world.loyalty, "Tracked in", jira_url("MOB-1"))
    world.raw["team"] = [team("Leadership", instance="notion", private=True)]
    world.raw["instances"]["notion"]["expose"] = "key"
    await world.sync()
    [link] = world.remote_links("MOB-1")
    assert link["url"] == f"https://app.notion.com/p/{world.loyalty.id.replace('-', '')}"
    assert link["title"] == "Private item"


async def test_work_of_a_private_team_stays_private_when_it_leaves_the_scope(
    world: World,
) -> None:
    world.jira.edit("PAY-4", labels=["roadmap"])
    world.linear.edit("GRO-3", labels=["roadmap"])
    for name in ("jira-main", "linear"):
        world.raw["instances"][name]["labels"] = ["roadmap"]
    private = team("Payments", "payments", private=True)
    private["scope"].append({"instance": "linear", "spaces": ["Growth"]})
    world.raw["team"] = [private]
    await world.sync()
    world.jira.edit("PAY-4", labels=[])
    world.linear.edit("GRO-3", labels=[])
    await world.sync()
    for key in ("PAY-4", "GRO-3"):
        record = await world.record(key)
        assert (record.tombstone, record.private) == ("out of scope", True)


async def test_the_first_of_two_teams_that_overlap_counts(world: World) -> None:
    world.jira.edit("PAY-3", labels=("core",))
    core = team("Core")
    core["scope"][0]["labels"] = ["core"]
    world.raw["team"] = [core, team("Payments team", "PAY")]
    await world.sync()
    assert [(await world.record(f"PAY-{n}")).team for n in (2, 3)] == ["Payments team", "Core"]
    world.raw["team"].reverse()
    await world.sync()
    assert (await world.record("PAY-3")).team == "Payments team"


async def test_a_changed_team_is_read_again_where_it_works_and_nowhere_else(
    settled: World,
) -> None:
    settled.clock.advance(3600)
    settled.jira.edit("PAY-4", labels=("late",))
    settled.linear.edit("GRO-3", priority=2)
    await settled.sync()
    settled.raw["team"] = [team("Apps", "MOB", subtasks=False)]
    report = await settled.sync()
    assert [of(report, name).read for name in ("jira-main", "linear")] == [7, 1]
    assert [of(report, name).changed for name in ("jira-main", "linear")] == [3, 0]
    assert [of(report, name).missing for name in ("jira-main", "linear")] == [0, 0]
    settled.raw["team"][0]["scope"].append({"instance": "linear"})
    report = await settled.sync()
    assert [of(report, name).read for name in ("jira-main", "linear")] == [1, 4]
    await settled.silent()


async def test_a_team_that_is_taken_out_leaves_nothing_behind(settled: World) -> None:
    before = settled.checkout.text("Delivery"), settled.loyalty.text("Delivery")
    settled.raw["team"] = [team("Apps", estimate="none")]
    await settled.sync()
    assert "Apps" in settled.checkout.text("Delivery")
    settled.raw["team"] = []
    await settled.sync()
    assert (settled.checkout.text("Delivery"), settled.loyalty.text("Delivery")) == before
    assert (await settled.record("MOB-2")).team == ""
    await settled.silent()


async def test_a_team_changed_while_its_tool_is_not_read_is_taken_up_later(
    settled: World,
) -> None:
    settled.raw["team"] = [team("Apps", "MOB", subtasks=False)]
    await settled.sync(only=frozenset({"notion"}))
    assert (await settled.record("MOB-2")).team == ""
    await settled.sync()
    assert (await settled.record("MOB-2")).team == "Apps"


async def test_a_space_that_no_item_is_in_is_told_in_every_pass_until_it_is_mended(
    settled: World,
) -> None:
    settled.raw["team"] = [team("Apps", "MOBX", "Payments")]
    told = "team Apps: no item of jira-main is in MOBX; there are MOB, PAY"
    first, second = await settled.sync(), await settled.sync()
    assert (first.warnings, first.exit_code) == ([told], 1)
    assert second.warnings == [told]
    settled.raw["team"] = [team("Apps", "MOB", "Payments")]
    assert (await settled.sync()).warnings == []
    await settled.silent()


async def test_the_first_item_of_a_space_ends_the_warning(settled: World) -> None:
    settled.jira.add_project("NEW", "Newcomers")
    settled.raw["team"] = [team("Newcomers", "NEW")]
    assert len((await settled.sync()).warnings) == 1
    settled.jira.add_issue("NEW", "First")
    assert (await settled.sync()).warnings == []


async def test_spaces_of_a_tool_that_cannot_be_read_are_not_called_unknown(world: World) -> None:
    world.raw["team"] = [team("Apps", "MOBX")]
    report = await world.sync(only=frozenset({"notion", "linear"}))
    assert report.warnings == []
    assert len((await world.sync()).warnings) == 1


async def test_a_detail_is_linked_like_any_other_item(world: World) -> None:
    world.jira.add_issue("MOB", "Draw", issue_type="Sub-task", parent="MOB-3")
    world.linear.edit("GRO-3", description=f"See {jira_url('MOB-4')}")
    world.raw["team"] = [team("Apps", "MOB", subtasks=False)]
    await world.sync()
    assert linear_url("GRO-3") in str(world.remote_links("MOB-4"))
    assert world.loyalty.text("Delivery").startswith("1 of 2 done")


async def test_why_a_detail_is_not_counted_is_explained(world: World) -> None:
    world.jira.add_issue("MOB", "Draw", issue_type="Sub-task", parent="MOB-3")
    world.raw["team"] = [team("Apps", "MOB", subtasks=False)]
    page = world.page("Drawings", jira_url("MOB-4"))
    await world.sync()
    async with world.session() as session:
        explainer = Explainer(world.config(), session.store)
        [item] = await explainer.find("MOB-4")
        [root] = await explainer.find(page_url(page))
        told = (await explainer.explain(item, world.clock.now())).notes
        left_out = (await explainer.explain(root, world.clock.now())).summaries[0].left_out
    assert told == ("MOB-4 is not counted: sub-tasks of Apps do not count by themselves.",)
    assert [(one.what, one.why) for one in left_out] == [
        ("MOB-4 Draw", "sub-tasks of Apps do not count by themselves")
    ]


async def test_the_doctor_tells_what_a_team_has(world: World) -> None:
    world.raw["team"] = [
        team("Apps", "MOB"),
        team("Apps again", "Mobile"),
        team("Lost", "MOBX"),
        team("Growth", instance="linear"),
    ]
    async with world.session() as session:
        before = await examine_teams(world.config(), session.store)
    assert {(one.items, one.read, one.unmatched) for one in before} == {(0, False, ())}
    await world.sync()
    async with world.session() as session:
        found = await examine_teams(world.config(), session.store)
    assert [(one.team, one.items) for one in found] == [
        ("Apps", 3),
        ("Apps again", 0),
        ("Lost", 0),
        ("Growth", 4),
    ]
    assert found[1].unmatched == ()
    assert found[2].unmatched == ("team Lost: no item of jira-main is in MOBX; there are MOB, PAY",)
