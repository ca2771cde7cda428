"""What changes a summary besides the records: what is set aside, time, an archive, a fault."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from opsync.errors import PluginError
from opsync_notion import Notion
from tests.support.world import HOSTS, World, jira_url, of, spoiler


def _unreadable(issue: dict[str, Any]) -> None:
    if "fields" in issue:
        issue["fields"]["summary"] = {"not": "a text"}


async def test_a_member_set_aside_by_itself_is_taken_out_and_put_back(settled: World) -> None:
    settled.clock.advance(3600)
    settled.jira.edit("PAY-4", summary="Refund flow")
    settled.net.spoil[HOSTS["jira-main"]] = spoiler("PAY-4", _unreadable)
    await settled.sync()
    assert "1 linked but not readable" in settled.checkout.text("Delivery")
    settled.net.spoil.clear()
    await settled.sync(full=True)
    assert "not readable" not in settled.checkout.text("Delivery")
    await settled.silent()


async def test_an_archived_page_is_left_as_it_is(settled: World) -> None:
    before = settled.loyalty.text("Work")
    settled.loyalty.archived = True
    settled.jira.edit("MOB-1", summary="Loyalty heart")
    await settled.sync(full=True)
    await settled.silent()
    assert settled.loyalty.text("Work") == before


async def test_a_fault_in_a_connectors_layout_costs_one_place_and_is_told(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = Notion.render

    def faulty(self: Notion, surface: str, target: Any, content: Any) -> Any:
        if target.title == "Loyalty":
            raise KeyError("layout")
        return render(self, surface, target, content)

    monkeypatch.setattr(Notion, "render", faulty)
    settled.jira.set_status("MOB-3", "Done")
    settled.jira.set_status("PAY-4", "Done")
    report = await settled.sync()
    assert of(report, "notion").trouble == "plugin"
    assert "KeyError" in of(report, "notion").message
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")
    monkeypatch.undo()
    await settled.sync()
    assert settled.loyalty.text("Delivery").startswith("2 of 2 done")
    await settled.silent()


async def test_a_former_key_is_asked_for_when_its_tool_is_back(settled: World) -> None:
    settled.jira.add_project("NEW", "New home")
    settled.jira.move_issue("MOB-1", "NEW")
    await settled.sync(full=True)
    settled.lose_store()
    settled.jira.faults.outage = True
    await settled.sync()
    settled.jira.faults.outage = False
    settled.clock.advance(3600)
    await settled.sync()
    assert "of 2 done" in settled.loyalty.text("Delivery")
    assert jira_url("MOB-1") in settled.loyalty.text("Tracked in")


async def test_work_that_is_all_new_is_looked_at_again_when_some_of_it_is_not(
    world: World,
) -> None:
    world.clock.advance(3 * 24 * 3600)
    world.jira.add_issue("MOB", "Points shop", parent="MOB-1")
    await world.sync()
    assert "scope" not in world.loyalty.text("Delivery")
    world.clock.advance(6 * 24 * 3600)
    await world.sync()
    assert "scope +1" in world.loyalty.text("Delivery")
    world.clock.advance(6 * 24 * 3600)
    await world.sync()
    assert "scope" not in world.loyalty.text("Delivery")


async def test_a_bare_key_of_a_tool_that_was_never_read_waits_for_it(world: World) -> None:
    bare = world.page("Card entry", "GRO-3")
    world.linear.faults.outage = True
    report = await world.sync()
    assert "Card entry" in report.stale
    assert bare.text("Delivery") == ""
    assert world.loyalty.text("Delivery") != ""
    world.linear.faults.outage = False
    world.clock.advance(3600)
    await world.sync()
    assert "of 1 done" in bare.text("Delivery")


async def test_a_link_that_a_person_removed_is_forgotten_once_nobody_asks_for_it(
    settled: World,
) -> None:
    issue = settled.jira.issue("PAY-3")
    for link in list(settled.jira.remote_links[issue.id].values()):
        settled.jira.remove_remote_link(issue.id, link.id)
    settled.linear.edit("GRO-3", title="Card form, wide")
    await settled.sync()
    assert len(await settled.entries(held=True)) == 1
    settled.linear.edit("GRO-3", description="")
    await settled.sync()
    assert await settled.entries(held=True) == []
    assert settled.remote_links("PAY-3") == []
    assert settled.attachments("GRO-3") == []
    await settled.silent()


class Killed(BaseException):
    """The process ends here."""


def _kill(request: httpx.Request) -> httpx.Response:
    raise Killed


async def test_an_instance_whose_read_was_cut_off_is_not_published_from_until_it_is_read(
    settled: World,
) -> None:
    """I18"""
    settled.jira.set_status("PAY-4", "Done")
    settled.net.before[HOSTS["linear"]] = _kill
    with pytest.raises(Killed):
        await settled.sync()
    settled.net.before.clear()
    report = await settled.sync(only=frozenset({"jira-main", "notion"}))
    assert report.stale == ["One-tap checkout"]
    assert report.exit_code == 0
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")
    await settled.sync()
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")
    await settled.silent()


@pytest.mark.sampled
@pytest.mark.parametrize("fault", [SystemExit(3), KeyError("feeds")])
async def test_a_connector_that_breaks_while_it_reads_harms_no_other(
    settled: World, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    """I14, F49"""

    async def feeds(self: Notion) -> Any:
        raise fault

    monkeypatch.setattr(Notion, "feeds", feeds)
    settled.jira.edit("PAY-3", summary="Tokenise all cards")
    report = await settled.sync()
    assert of(report, "notion").trouble == "plugin"
    assert settled.attachments("GRO-3")[0][0] == "PAY-3 Tokenise all cards"
    monkeypatch.undo()
    settled.clock.advance(3600)
    await settled.sync()
    await settled.silent()


async def test_a_connector_that_cannot_be_built_is_a_start_up_error(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Notion, settings: Any, context: Any) -> None:
        raise ValueError("no such thing")

    monkeypatch.setattr(Notion, "__init__", broken)
    with pytest.raises(PluginError, match="notion: its connector cannot start: ValueError"):
        await settled.sync()


async def test_what_a_plugin_objects_to_is_not_written_beside_what_it_lets_pass(
    world: World,
) -> None:
    """PAY-1 gets its roadmap link, and is looked at and planned again before that."""
    folder = world.folder / "plugins"
    folder.mkdir()
    (folder / "no_links.py").write_text(
        """
from opsync import hookimpl


@hookimpl
def veto_change(change):
    return "not on epics" if change.slot.rule == "links" else None
"""
    )
    world.raw["plugins_dir"] = str(folder)
    world.linear.edit("GRO-3", description=f"Waits for {jira_url('PAY-1')}")

    report = await world.sync()

    assert [one["title"] for one in world.remote_links("PAY-1")] == ["Roadmap: One-tap checkout"]
    vetoed = [one.target for one in report.plan.held if one.kind == "vetoed"]
    assert vetoed == ["PAY-1 Checkout core", "GRO-3 Card form"]
