"""What could not be read or written is set aside, told, and tried again with growing waits."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from opsync import Feed
from opsync.engine.explain import Explainer
from opsync.model.aside import RETRIES
from opsync.store import Quarantined, SetAside
from opsync_jira import Jira
from tests.scenarios.test_bad_input_records import INSTANCES, break_one, edit_all
from tests.support.world import HOSTS, World, of, troubles

MINUTE = 60
HOUR = 3600


async def asides(world: World) -> list[Quarantined]:
    async with world.session() as session:
        return await session.store.quarantine()


async def later(world: World, seconds: float) -> None:
    world.clock.advance(seconds)
    await world.sync()


@pytest.mark.slow
@pytest.mark.parametrize("instance", INSTANCES)
async def test_an_item_that_is_read_well_again_needs_no_edit_and_no_full_read(
    settled: World, instance: str
) -> None:
    """The tool, not a person, made it unreadable: nothing tells that it changed."""
    edit_all(settled, "Renamed")
    broken = break_one(settled, instance)
    await settled.sync()
    settled.net.spoil.clear()
    settled.clock.advance(2 * HOUR)

    report = await settled.sync()

    assert report.exit_code == 0, troubles(report)
    assert await asides(settled) == []
    assert (await settled.record(broken)).title in (f"Renamed {broken}", "Loyalty")
    await settled.sync()
    await settled.silent()


@pytest.mark.slow
@pytest.mark.parametrize("instance", INSTANCES)
async def test_what_stays_unreadable_is_tried_with_growing_waits(
    settled: World, instance: str
) -> None:
    edit_all(settled, "Renamed")
    break_one(settled, instance)
    await settled.sync()
    settled.clock.advance(HOUR)  # past the overlap, in which it is listed anyway
    tries = []
    for minutes in (0, 10, 25, 60, 65, 11 * 60, 70, 23 * 60, 70):
        await later(settled, minutes * MINUTE)
        [one] = await asides(settled)
        tries.append(one.tries)
    assert tries == [1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert one.reason


async def test_since_when_is_told_in_the_configured_zone(settled: World) -> None:
    settled.raw["time_zone"] = "Europe/Berlin"
    settled.clock.advance(14.5 * HOUR)
    edit_all(settled, "Renamed")
    broken = break_one(settled, "jira-main")
    await settled.sync()
    async with settled.session("explain") as session:
        assert session.runtime.clock.now().day == 2
        explainer = Explainer(session.config, session.store)
        [record] = await explainer.find(broken)
        notes = (await explainer.explain(record, settled.clock.now())).notes
    [note] = [one for one in notes if "set aside" in one]
    assert note.startswith("PAY-4 is set aside since 3 Mar 2026: ")


async def test_a_retry_costs_no_more_than_a_search(settled: World) -> None:
    for number in range(12):
        settled.jira.add_issue("MOB", f"Chore {number}")
    await settled.sync()

    def spoil(answer: Any) -> None:
        for issue in answer.get("issues", ()):
            if issue["fields"]["summary"].startswith("Chore"):
                issue["fields"]["summary"] = {"not": "a text"}

    settled.net.spoil[HOSTS["jira-main"]] = spoil
    for number in range(12):
        settled.jira.edit(f"MOB-{number + 4}", summary=f"Chore again {number}")
    await settled.sync()
    assert len(await asides(settled)) == 12
    settled.clock.advance(2 * HOUR)
    usual = await settled.sync(only=frozenset({"linear"}))
    assert of(usual, "jira-main").read_requests == 0
    report = await settled.sync()
    assert of(report, "jira-main").read_requests <= 2 + 2, "twelve, ten at a time"
    assert {one.tries for one in await asides(settled)} == {1}


@pytest.mark.slow
async def test_a_run_tries_only_so_many_again(settled: World) -> None:
    """One page costs a request: however many are set aside, a run stays bounded."""
    pages = [settled.page(f"Idea {number}", "") for number in range(RETRIES + 6)]
    await settled.sync()
    ids = {page.id for page in pages}

    def spoil(node: Any) -> None:
        for each in node.get("results", [node]):
            if isinstance(each, dict) and each.get("id") in ids and "properties" in each:
                each["properties"]["Tracked in"]["rich_text"] = "not a list"

    settled.net.spoil[HOSTS["notion"]] = spoil
    for page in pages:
        settled.notion.edit_page(page, "Due", "2026-10-01")
    await settled.sync()
    assert len(await asides(settled)) == RETRIES + 6
    settled.clock.advance(2 * HOUR)
    first = await settled.sync()
    assert of(first, "notion").read_requests <= RETRIES + 3
    assert sorted(one.tries for one in await asides(settled)) == [0] * 6 + [1] * RETRIES
    await settled.sync()
    assert {one.tries for one in await asides(settled)} == {1}, "the others came next"


@pytest.mark.sampled
@pytest.mark.parametrize("instance", ["jira-main", "linear"])
async def test_what_its_tool_says_is_deleted_is_set_aside_no_longer_and_gone(
    settled: World, instance: str
) -> None:
    edit_all(settled, "Renamed")
    broken = break_one(settled, instance)
    await settled.sync()
    tool = settled.jira if instance == "jira-main" else settled.linear
    tool.delete_issue(broken)
    settled.clock.advance(2 * HOUR)
    report = await settled.sync()
    assert await asides(settled) == []
    assert of(report, instance).gone == {"deleted": 1}
    assert (await settled.record(broken)).tombstone == "deleted"
    assert (await settled.sync()).exit_code == 0
    await settled.silent()


async def test_what_is_hidden_stays_set_aside_and_says_so_until_a_census(settled: World) -> None:
    edit_all(settled, "Renamed")
    break_one(settled, "notion")
    await settled.sync()
    settled.net.spoil.clear()
    settled.notion.faults.deny = {settled.loyalty.id}
    settled.clock.advance(2 * HOUR)
    report = await settled.sync()
    assert of(report, "notion").gone == {}
    [one] = await asides(settled)
    assert "no longer visible to the token" in one.reason
    async with settled.session() as session:
        record = await session.store.record(one.ref)
    assert record is not None
    assert record.tombstone == ""
    await settled.sync(full=True)
    assert await asides(settled) == []
    async with settled.session() as session:
        record = await session.store.record(one.ref)
    assert record is not None
    assert record.tombstone == "not visible"


@pytest.mark.sampled
@pytest.mark.parametrize("snapshot", [False, True], ids=["by changes", "snapshot"])
@pytest.mark.parametrize("lists_ids", [True, False], ids=["census", "in full"])
async def test_what_was_never_read_and_vanished_is_set_aside_no_longer(
    settled: World, monkeypatch: pytest.MonkeyPatch, snapshot: bool, lists_ids: bool
) -> None:
    """Nothing is known of it, so that its tool cannot say whether it is deleted or hidden."""
    as_feed(monkeypatch, snapshot=snapshot, lists_ids=lists_ids)
    broken = broken_issue(settled, "PAY")
    await settled.sync()
    assert len(await asides(settled)) == 1
    settled.jira.delete_issue(broken)
    if not snapshot:
        settled.clock.advance(2 * HOUR)
        assert (await settled.sync()).exit_code == 1
        [one] = await asides(settled)
        assert "no longer answered by its id" in one.reason
        settled.clock.advance(22 * HOUR)
    report = await settled.sync()
    assert await asides(settled) == []
    assert report.exit_code == 0, troubles(report)


@pytest.mark.sampled
@pytest.mark.parametrize("lists_ids", [True, False], ids=["census", "in full"])
async def test_also_where_nothing_else_is_known(
    world: World, monkeypatch: pytest.MonkeyPatch, lists_ids: bool
) -> None:
    as_feed(monkeypatch, snapshot=False, lists_ids=lists_ids)
    world.jira.add_project("NEW", "New")
    world.raw["instances"]["jira-main"]["projects"] = ["NEW"]
    broken = broken_issue(world, "NEW")
    await world.sync()
    assert len(await asides(world)) == 1
    world.jira.delete_issue(broken)
    report = await world.sync(full=True)
    assert await asides(world) == []
    assert report.exit_code == 0, troubles(report)


async def test_not_more_than_a_census_would_believe_is_taken_for_deleted(settled: World) -> None:
    keys = [settled.jira.add_issue("MOB", f"Chore {number}").key for number in range(12)]
    await settled.sync()

    def spoil(answer: Any) -> None:
        for issue in answer.get("issues", ()):
            if issue["fields"]["summary"].startswith("Chore"):
                issue["fields"]["summary"] = {"not": "a text"}

    settled.net.spoil[HOSTS["jira-main"]] = spoil
    for key in keys:
        settled.jira.edit(key, labels=("again",))
    await settled.sync()
    assert len(await asides(settled)) == 12
    for key in keys:
        settled.jira.delete_issue(key)
    settled.clock.advance(2 * HOUR)
    report = await settled.sync()
    assert of(report, "jira-main").gone == {"deleted": 10}
    assert ["of too many at once" in one.reason for one in await asides(settled)] == [True, True]


def as_feed(monkeypatch: pytest.MonkeyPatch, *, snapshot: bool, lists_ids: bool) -> None:
    """Have Jira be read in another way than it is."""
    feed = Feed("issues", ("issue",), title="issues", snapshot=snapshot)

    async def feeds(self: Jira) -> list[Feed]:
        return [feed]

    connect = Jira.__init__

    def begin(self: Jira, *given: Any) -> None:
        connect(self, *given)
        self.lists_ids = lists_ids

    monkeypatch.setattr(Jira, "feeds", feeds)
    monkeypatch.setattr(Jira, "__init__", begin)


def broken_issue(world: World, project: str) -> str:
    """A new issue that cannot be read."""
    key = world.jira.add_issue(project, "Broken").key

    def spoil(answer: Any) -> None:
        for issue in answer.get("issues", ()) if isinstance(answer, dict) else ():
            if issue.get("fields", {}).get("summary") == "Broken":
                issue["fields"]["summary"] = {"not": "a text"}

    world.net.spoil[HOSTS["jira-main"]] = spoil
    return key


async def test_what_came_from_a_feed_that_is_no_more_waits_and_is_in_nobodys_way(
    settled: World,
) -> None:
    lost = SetAside("jira-main", "issue", "7", "no title")
    async with settled.session() as session:
        await session.store.put_batch(1, "jira-main", "elsewhere", [], [lost], advance_to=None)
    settled.clock.advance(2 * HOUR)
    quiet = await settled.sync()
    [one] = await asides(settled)
    assert (one.tries, one.reason) == (1, "no title")
    assert of(quiet, "jira-main").read_requests == 2, "it was not asked for"


async def test_an_outage_while_trying_again_harms_nothing_else(settled: World) -> None:
    edit_all(settled, "Renamed")
    break_one(settled, "notion")
    await settled.sync()
    settled.net.before[HOSTS["notion"]] = lambda request: (
        httpx.Response(500) if request.url.path.startswith("/v1/pages/") else None
    )
    settled.clock.advance(2 * HOUR)
    report = await settled.sync()
    assert of(report, "notion").trouble == "", troubles(report)
    [one] = await asides(settled)
    assert one.tries == 1
    assert "500" not in one.reason, "why it was set aside is still told"


def refuse_links(world: World, key: str, status: int = 400) -> list[str]:
    """Jira refuses to link this issue. Returns where the requests are noted."""
    tried: list[str] = []
    issue = world.jira.issue(key).id

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and request.url.path.endswith(f"/{issue}/remotelink"):
            tried.append(request.method)
            return httpx.Response(status, json={"errorMessages": ["Not like this."], "errors": {}})
        return None

    world.net.before[HOSTS["jira-main"]] = answer
    return tried


@pytest.mark.slow
async def test_a_refused_write_is_tried_again_with_growing_waits_until_it_is_taken(
    world: World,
) -> None:
    tried = refuse_links(world, "PAY-1")
    report = await world.sync()
    assert report.exit_code == 1
    counts = [len(tried)]
    for minutes in (1, 5, 20, 15, 60, 65):
        world.clock.advance(minutes * MINUTE)
        report = await world.sync()
        assert report.exit_code == 1, "a run that leaves something undone says so"
        counts.append(len(tried))
    assert counts == [1, 1, 2, 2, 3, 3, 4]
    world.net.before.clear()
    world.clock.advance(12 * HOUR)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert len(world.remote_links("PAY-1")) == 1
    await world.silent()


async def test_a_refused_write_is_no_matter_any_more_once_its_rule_only_observes(
    world: World,
) -> None:
    refuse_links(world, "PAY-1")
    assert (await world.sync()).exit_code == 1
    world.raw["rollup"][0]["mode"] = "observe"
    world.clock.advance(10 * MINUTE)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    async with world.session() as session:
        assert await session.store.failed_writes() == []


async def test_a_refused_write_is_no_matter_any_more_once_its_page_is_put_away(
    world: World,
) -> None:
    path = f"/v1/pages/{world.loyalty.id}"

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH" and request.url.path == path:
            body = {"object": "error", "status": 400, "code": "validation_error", "message": "No."}
            return httpx.Response(400, json=body)
        return None

    world.net.before[HOSTS["notion"]] = answer
    assert (await world.sync()).exit_code == 1
    async with world.session() as session:
        assert {one.refused for one in await session.store.failed_writes()} == {True}
    world.loyalty.archived = True
    world.clock.advance(10 * MINUTE)
    await world.sync(full=True)
    async with world.session() as session:
        assert await session.store.failed_writes() == []
    assert (await world.sync()).exit_code == 0


async def test_what_is_set_aside_of_a_connection_that_is_taken_out_is_told_no_longer(
    settled: World,
) -> None:
    edit_all(settled, "Renamed")
    break_one(settled, "linear")
    assert (await settled.sync()).exit_code == 1
    del settled.raw["instances"]["linear"]
    report = await settled.sync()
    assert report.aside == 0


async def test_exactly_what_is_poison_is_set_aside_and_all_else_converges(world: World) -> None:
    """I14: three of three kinds: an item that cannot be read, one that is refused when it is
    written, and one in another tool."""
    break_one(world, "linear")
    refuse_links(world, "MOB-1")
    first = await world.sync()
    for _ in range(2):
        last = await world.sync()
    assert first.exit_code == last.exit_code == 1
    assert [str(one.ref.instance) for one in await asides(world)] == ["linear"]
    async with world.session() as session:
        [failed] = await session.store.failed_writes()
        cursors = await session.store.cursors()
    assert failed.refused
    assert "Not like this." in failed.entry.message
    assert all(one.completed_at is not None and one.failed_since is None for one in cursors)
    assert "done" in world.checkout.text("Delivery")
    assert "done" in world.loyalty.text("Delivery")
    assert world.remote_links("PAY-1")
    assert world.remote_links("MOB-1") == []
    assert (last.planned, last.applied) == (0, 0), "what waits is not planned in each run"


@pytest.mark.sampled
@pytest.mark.parametrize("for_good", [True, False], ids=["unreadable for long", "only that once"])
async def test_a_page_whose_latest_version_could_not_be_read_is_looked_at_before_it_is_written(
    settled: World, for_good: bool
) -> None:
    """I4"""
    theirs = "Ana: done next week"
    settled.notion.edit_page(settled.loyalty, "Delivery", theirs)
    settled.jira.set_status("MOB-3", "Done")
    break_one(settled, "notion")
    spoil = settled.net.spoil[HOSTS["notion"]]

    def spoil_once(answer: Any) -> None:
        spoil(answer)
        if settled.loyalty.id in str(answer):
            settled.net.spoil.clear()

    if not for_good:
        settled.net.spoil[HOSTS["notion"]] = spoil_once
    await settled.sync()
    assert settled.loyalty.text("Delivery") == theirs

    settled.net.spoil.clear()
    settled.clock.advance(2 * HOUR)
    await settled.sync()
    assert settled.loyalty.text("Delivery") == theirs
    async with settled.session() as session:
        assert {row.slot.surface for row in await session.store.entries(held=True)} == {"delivery"}
