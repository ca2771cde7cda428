"""A configuration that changes changes what stands, although no record did."""

from __future__ import annotations

from dataclasses import replace

import httpx
import msgspec
import pytest

from tests.support.world import World, jira_url, of


async def test_a_stricter_threshold_is_seen_in_the_next_pass(settled: World) -> None:
    settled.raw["rollup"][0]["thresholds"] = {"due_within_days": 400}
    await settled.sync()
    assert settled.checkout.text("Delivery health") == "At risk"
    await settled.silent()


async def test_properties_that_nobody_uses_are_told_and_nothing_is_published(
    settled: World,
) -> None:
    before = settled.checkout.text("Delivery")
    settled.raw["rollup"][0]["properties"] = ["Trakced in"]
    report = await settled.sync()
    assert settled.checkout.text("Delivery") == before
    [warning] = report.warnings
    assert 'no initiative names anything in "Trakced in"; they do in "Tracked in"' in warning
    assert (report.exit_code, report.planned) == (1, 0)
    settled.raw["rollup"][0]["properties"] = ["Tracked in"]
    await settled.silent()


async def test_containers_that_are_no_longer_written_lose_their_summary(settled: World) -> None:
    settled.raw["rollup"][0]["write_to"] = ["root"]
    await settled.sync()
    assert not any("opsync:rollup" in link["globalId"] for link in settled.remote_links("PAY-1"))
    assert settled.checkout.text("Delivery") != ""
    await settled.silent()


async def test_a_rule_that_is_removed_takes_what_it_wrote_with_it(settled: World) -> None:
    """I5"""
    del settled.raw["rollup"][0]
    await settled.sync()
    assert settled.checkout.text("Delivery") == ""
    assert not any("opsync:rollup" in link["globalId"] for link in settled.remote_links("PAY-1"))
    assert (await settled.silent()).rollups == 0


async def test_a_rule_that_is_renamed_keeps_what_stands(settled: World) -> None:
    before = settled.checkout.text("Delivery")
    settled.raw["rollup"][0]["name"] = "initiatives"
    await settled.sync()
    assert settled.checkout.text("Delivery") == before
    assert len(settled.project_links()) == 1
    assert len([x for x in settled.remote_links("PAY-1") if ":rollup:" in x["globalId"]]) == 1
    assert (await settled.silent()).rollups == 2
    assert await settled.entries(held=True) == []


def told(world: World) -> tuple[list[str], list[str], str]:
    """What an initiative's rollup shows in Jira, in Linear and in Notion."""
    in_jira = [x["summary"] for x in world.remote_links("PAY-1") if ":rollup:" in x["globalId"]]
    labels = [label for label, _ in world.project_links()]
    in_linear = [label.rpartition(" ")[2] for label in labels if " · " in label]
    return in_jira, in_linear, world.checkout.text("Delivery")[:6]


@pytest.mark.slow
async def test_what_a_renamed_rule_writes_goes_where_it_wrote_under_its_former_name(
    settled: World,
) -> None:
    for key, name, done in (("PAY-3", "initiatives", 3), ("PAY-4", "back-again", 4)):
        settled.raw["rollup"][0]["name"] = name
        await settled.sync()
        settled.jira.set_status(key, "Done")
        await settled.sync()
        assert told(settled) == ([f"{done}/5 done"], [f"{done}/5"], f"{done} of 5")
    await settled.silent(full=True)
    del settled.raw["rollup"][0]
    await settled.sync()
    assert told(settled) == ([], [], ""), "nothing stays under a former name"


async def test_it_is_found_again_under_its_former_name_after_a_lost_store(settled: World) -> None:
    settled.raw["rollup"][0]["name"] = "initiatives"
    await settled.sync()
    settled.lose_store()
    settled.jira.set_status("PAY-3", "Done")
    await settled.sync()
    assert told(settled) == (["3/5 done"], ["3/5"], "3 of 5")
    await settled.silent(full=True)
    del settled.raw["rollup"][0]
    await settled.sync()
    assert told(settled) == ([], [], "")


async def test_what_observes_removes_nothing(settled: World) -> None:
    before = settled.written()
    settled.raw["links"]["mode"] = settled.raw["rollup"][0]["mode"] = "observe"
    settled.linear.edit("GRO-3", description="")
    settled.notion.edit_page(settled.loyalty, "Tracked in", "")
    report = await settled.sync()
    assert report.planned == 0
    assert report.plan.observed != []
    assert settled.written() == before
    settled.raw["rollup"] = []
    await settled.sync()
    assert settled.written() == before


async def test_an_instance_that_is_added_later_is_found_in_what_was_read_before(
    world: World,
) -> None:
    linear = world.raw["instances"].pop("linear")
    await world.sync()
    assert "3 done" in world.checkout.text("Delivery")
    world.raw["instances"]["linear"] = linear
    world.clock.advance(3600)
    await world.sync()
    assert "of 5 done" in world.checkout.text("Delivery")
    assert len(world.project_links()) == 1
    await world.silent()


async def test_an_instance_that_is_removed_is_not_counted_any_more(settled: World) -> None:
    assert "of 5 done" in settled.checkout.text("Delivery")
    del settled.raw["instances"]["linear"]
    await settled.sync()
    assert "of 3 done" in settled.checkout.text("Delivery")
    assert "1 linked but not readable" in settled.checkout.text("Delivery")
    assert settled.remote_links("PAY-3") == []
    await settled.silent()


async def test_an_instance_never_read_is_no_reason_to_publish_a_part(world: World) -> None:
    report = await world.sync(only=frozenset({"jira-main", "notion"}))
    assert "One-tap checkout" in report.stale
    assert world.checkout.text("Delivery") == ""
    assert "2 done" in world.loyalty.text("Delivery")
    await world.sync()
    assert "of 5 done" in world.checkout.text("Delivery")
    await world.silent()


async def test_another_pace_reads_nothing_anew_and_another_scope_does(settled: World) -> None:
    settled.clock.advance(3600)
    settled.linear.edit("GRO-3", priority=2)
    settled.notion.edit_page(settled.loyalty, "Name", "Loyalty card")
    settled.clock.advance(600)
    await settled.sync()
    linear, notion = (settled.raw["instances"][name] for name in ("linear", "notion"))
    linear |= {"page_size": 100, "expose": "key", "overlap_s": 60, "project_updates": True}
    notion |= {"requests_per_minute": 60, "page_size": 50}
    report = await settled.sync()
    assert [of(report, name).read for name in ("linear", "notion")] == [1, 1]  # the overlap
    linear["projects"] = ["Checkout web"]
    report = await settled.sync()
    assert [of(report, name).read for name in ("linear", "notion")] == [3, 1]


async def test_links_within_an_instance_are_made_when_they_are_asked_for(settled: World) -> None:
    settled.linear.edit("GRO-1", description="see https://linear.app/harbor/issue/GRO-2/x")
    await settled.sync()
    before = len(settled.attachments("GRO-1"))
    settled.raw["links"]["within_instance"] = True
    await settled.sync()
    assert len(settled.attachments("GRO-1")) == before + 1
    await settled.silent()


async def test_a_data_source_that_is_removed_takes_its_initiatives_with_it(settled: World) -> None:
    other = settled.notion.add_database(
        "Ideas", properties={"Name": {"title": {}}, "Tracked in": {"rich_text": {}}}
    ).data_source
    sources = settled.raw["instances"]["notion"]["data_sources"]
    sources.append({"id": other.id})
    settled.notion.add_page(other, {"Name": "Idea", "Tracked in": jira_url("MOB-1")})
    assert (await settled.sync()).rollups == 3
    sources.pop()
    report = await settled.sync()
    assert of(report, "notion").trouble == ""
    assert report.rollups == 2


async def test_a_text_that_says_unreadable_goes_when_the_tool_is_back(settled: World) -> None:
    good = settled.checkout.text("Delivery")
    settled.linear.faults.outage = True
    await settled.sync()
    settled.clock.advance(7 * 3600)
    await settled.sync()
    assert "Linear unreadable since" in settled.checkout.text("Delivery")
    settled.linear.faults.outage = False
    settled.clock.advance(3600)
    await settled.sync()
    assert settled.checkout.text("Delivery") == good
    await settled.silent()


async def test_a_failure_before_the_first_feed_is_forgotten_once_it_is_over(
    settled: World,
) -> None:
    settled.raw["instances"]["notion"]["data_sources"] = [{"id": settled.source.database_id}]
    settled.net.before["api.notion.com"] = lambda request: httpx.Response(503)
    report = await settled.sync()
    assert of(report, "notion").trouble == "incomplete"
    settled.net.before.clear()
    settled.clock.advance(3600)
    await settled.sync()
    async with settled.session() as session:
        assert [c for c in await session.store.cursors() if c.failed_since] == []


async def test_a_key_that_may_be_shown_from_now_on_names_private_work(settled: World) -> None:
    settled.jira.edit("PAY-1", security="Board only")
    await settled.sync()
    assert "PAY-1" not in settled.checkout.text("Work")
    settled.raw["instances"]["jira-main"]["expose"] = "key"
    settled.clock.advance(3600)
    await settled.sync()
    assert "PAY-1 1/3" in settled.checkout.text("Work")
    assert "Checkout core" not in settled.checkout.text("Work")
    await settled.silent()


GLOOMY = """
from opsync import Health, hookimpl

@hookimpl
def register_rollups():
    return [lambda root, rollup, as_of: {answer}]
"""


@pytest.mark.slow
async def test_a_plugins_rule_for_health_is_asked_again_when_its_code_changed(
    settled: World,
) -> None:
    folder = settled.folder / "plugins"
    folder.mkdir()
    settled.raw["plugins_dir"] = str(folder)
    code = folder / "gloomy.py"
    code.write_text(GLOOMY.format(answer='(Health.off_track, "I feel it")'), encoding="utf-8")
    await settled.sync()
    assert settled.checkout.text("Delivery health") == "Off track"
    code.write_text(GLOOMY.format(answer='(Health.at_risk, "A little")'), encoding="utf-8")
    await settled.sync()
    assert settled.checkout.text("Delivery health") == "At risk"
    await settled.silent()


async def test_an_initiative_whose_plugin_fails_keeps_its_number_and_the_pass_goes_on(
    settled: World,
) -> None:
    folder = settled.folder / "plugins"
    folder.mkdir()
    settled.raw["plugins_dir"] = str(folder)
    answer = '(Health.at_risk, "") if root.title == "Loyalty" else 1 / 0'
    (folder / "broken.py").write_text(GLOOMY.format(answer=answer), encoding="utf-8")
    report = await settled.sync()
    assert report.stale == ["One-tap checkout"]
    assert settled.checkout.text("Delivery health") == "On track"
    assert settled.loyalty.text("Delivery health") == "At risk"
    del settled.raw["plugins_dir"]
    await settled.sync()
    assert settled.loyalty.text("Delivery health") == "On track"
    await settled.silent()


async def test_two_rules_over_the_same_initiatives_do_not_contend_for_a_place(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a configuration is refused; the planner does not rely on it."""
    config = settled.config()
    [rule] = config.rules
    both = replace(config, rules=(rule, msgspec.structs.replace(rule, name="zweite")))
    monkeypatch.setattr(settled, "config", lambda: both)
    await settled.sync()
    await settled.silent()
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")
