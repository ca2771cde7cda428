"""What vanished without a word: found once a day by its id, told apart, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from opsync.engine.explain import Explainer
from opsync.engine.lookup import Lookup
from opsync.model import Measure, Ref
from opsync.report import PassReport
from opsync_jira import Jira
from opsync_jira.census import Whereabouts
from opsync_jira.pull import CloudReader
from tests.support.world import HOSTS, World, jira_url, of, spoiler, troubles

INSTANCES = ("jira-main", "linear", "notion")
DAY = 24 * 3600


async def a_day_later(world: World, **options: Any) -> PassReport:
    """The pass in which a census is due."""
    world.clock.advance(DAY)
    return await world.sync(**options)


async def tombstone(world: World, key: str) -> str:
    return (await world.record(key)).tombstone


async def test_it_is_taken_once_a_day_and_counted(settled: World) -> None:
    """Trouble 7"""
    quiet = await settled.sync()
    daily = await a_day_later(settled)
    again = await settled.sync()
    for instance, expected in (("jira-main", 1), ("linear", 1), ("notion", 2)):
        assert of(quiet, instance).counted == 0
        assert of(quiet, instance).census_requests == 0
        assert of(daily, instance).counted == 1
        assert of(daily, instance).census_requests == expected
        assert of(daily, instance).looked_up == 0
        assert of(again, instance).counted == 0
    assert daily.exit_code == 0
    assert again.read_requests == quiet.read_requests


async def test_the_first_read_counts_as_one(world: World) -> None:
    await world.sync()
    world.clock.advance(DAY - 120)
    assert [one.counted for one in (await world.sync()).instances] == [0, 0, 0]
    assert [one.counted for one in (await world.sync()).instances] == [1, 1, 1]


async def test_how_often_is_a_setting_and_changing_it_reads_nothing_anew(settled: World) -> None:
    settled.raw["instances"]["jira-main"]["census_every_h"] = 2
    settled.clock.advance(2 * 3600)
    report = await settled.sync()
    assert [one.counted for one in report.instances] == [1, 0, 0], "it was read anew"


async def test_deleted_issues_leave_the_numbers_and_the_links(settled: World) -> None:
    """Trouble 7, I12"""
    settled.jira.delete_issue("PAY-3")
    settled.linear.delete_issue("GRO-2")
    before = await settled.sync()
    assert [one.gone for one in before.instances] == [{}, {}, {}], "no tool tells that at once"
    report = await a_day_later(settled)
    assert report.exit_code == 0, troubles(report)
    assert of(report, "jira-main").gone == {"deleted": 1}
    assert of(report, "linear").gone == {"deleted": 1}
    assert await tombstone(settled, "PAY-3") == "deleted"
    assert await tombstone(settled, "GRO-2") == "deleted"
    assert settled.checkout.text("Delivery").startswith("2 of 3 done")
    assert settled.attachments("GRO-3") == []
    await settled.silent()


async def test_a_project_in_jiras_recycle_bin_is_in_the_trash_and_comes_back(
    settled: World,
) -> None:
    """I12"""
    settled.jira.set_project_state("MOB", "deleted")
    report = await a_day_later(settled)
    assert of(report, "jira-main").gone == {"trashed": 3}
    assert settled.loyalty.text("Delivery").startswith("0 of 0 done")
    assert (await settled.rollup(settled.loyalty)).total == 0
    settled.jira.set_project_state("MOB", "live")
    await a_day_later(settled)
    assert settled.loyalty.text("Delivery").startswith("1 of 2 done")
    assert await tombstone(settled, "MOB-2") == ""
    await settled.silent()


@pytest.mark.sampled
@pytest.mark.parametrize("what", ["issue", "project"])
async def test_archived_in_jira_stays_counted_and_its_links_stand(
    settled: World, what: str
) -> None:
    if what == "issue":
        settled.jira.archive_issue("PAY-3")
    else:
        settled.jira.set_project_state("PAY", "archived")
    links = settled.remote_links("PAY-3")
    report = await a_day_later(settled)
    assert report.exit_code == 0, troubles(report)
    record = await settled.record("PAY-3")
    assert (record.archived, record.tombstone) == (True, "")
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")
    assert settled.remote_links("PAY-3") == links
    again = await a_day_later(settled)
    assert of(again, "jira-main").looked_up == 0, "what is known to be archived is not looked up"
    settled.jira.restore_issue("PAY-3")
    settled.jira.set_project_state("PAY", "live")
    await a_day_later(settled)
    assert not (await settled.record("PAY-3")).archived
    await settled.silent()


async def test_what_is_archived_stays_counted_when_settings_change_and_leaves_with_its_project(
    settled: World,
) -> None:
    settled.jira.archive_issue("PAY-3")
    await a_day_later(settled)
    settings = settled.raw["instances"]["jira-main"]
    settings["statuses"] = {"Doing": "in_progress"}
    await settled.sync()
    await settled.sync()
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")
    settings["projects"] = ["MOB"]
    await settled.sync()
    await settled.sync()
    assert await tombstone(settled, "PAY-3") != ""


async def test_what_linear_archives_or_trashes_without_a_change_is_told_apart(
    settled: World,
) -> None:
    """Linear's own archiving need not count as a change."""
    settled.clock.advance(3600)
    settled.linear.edit("GRO-3", title="Card forms")
    for _ in range(2):  # until what changed before is not read once more
        await a_day_later(settled)
    issues = [settled.linear.issue(key) for key in ("GRO-1", "GRO-2")]
    before = [issue.updated_at for issue in issues]
    settled.linear.archive_issue("GRO-1")
    settled.linear.trash_issue("GRO-2")
    for issue, at in zip(issues, before, strict=True):
        issue.updated_at = at
    await settled.sync()
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")
    report = await a_day_later(settled)
    assert of(report, "linear").gone == {"trashed": 1}
    assert settled.checkout.text("Delivery").startswith("2 of 4 done")
    await settled.silent()


async def test_a_page_in_the_trash_is_no_initiative_and_comes_back(settled: World) -> None:
    settled.notion.trash(settled.loyalty)
    report = await a_day_later(settled)
    assert of(report, "notion").gone == {"trashed": 1}
    assert settled.remote_links("MOB-1") == []
    settled.notion.restore(settled.loyalty)
    await a_day_later(settled)
    assert [x["title"] for x in settled.remote_links("MOB-1")] == ["Roadmap: Loyalty"]
    await settled.silent()


async def test_an_archived_page_keeps_its_values(settled: World) -> None:
    settled.loyalty.archived = True
    report = await a_day_later(settled)
    assert report.exit_code == 0, troubles(report)
    assert of(report, "notion").gone == {}
    assert settled.loyalty.text("Delivery").startswith("1 of 2 done")


async def test_a_moved_issue_keeps_its_identity(settled: World) -> None:
    """Trouble 9"""
    moved = settled.jira.move_issue("PAY-3", "MOB")
    report = await a_day_later(settled)
    assert of(report, "jira-main").gone == {}
    assert (await settled.record("PAY-3")).key == moved.key
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")


async def test_what_is_hidden_makes_the_number_incomplete_and_not_smaller(settled: World) -> None:
    """Trouble 8"""
    settled.jira.faults.deny = {"MOB"}
    report = await a_day_later(settled)
    assert report.exit_code == 0, troubles(report)
    assert of(report, "jira-main").gone == {"not visible": 3}
    rollup = await settled.rollup(settled.loyalty)
    assert rollup.missing == ("MOB-2", "MOB-3")
    assert "2 linked but not readable" in settled.loyalty.text("Delivery")
    settled.jira.faults.deny = set()
    assert [x["title"] for x in settled.remote_links("MOB-1")] == ["Roadmap: Loyalty"]
    await a_day_later(settled)
    assert settled.loyalty.text("Delivery").startswith("1 of 2 done")
    assert (await settled.rollup(settled.loyalty)).missing == ()
    await settled.silent()


async def test_one_hidden_member_of_many_is_named_and_the_rest_counts(settled: World) -> None:
    settled.jira.faults.deny = {"PAY-3"}
    settled.jira.edit("PAY-4", summary="Refunds")
    await settled.sync()
    settled.jira.faults.deny = {"PAY-3", "PAY"}
    report = await a_day_later(settled)
    assert of(report, "jira-main").gone == {"not visible": 4}
    assert settled.checkout.text("Delivery").startswith("1 of 2 done")
    assert "3 linked but not readable" in settled.checkout.text("Delivery")


async def test_a_team_that_the_key_does_not_see_any_more_is_not_deleted(settled: World) -> None:
    settled.linear.add_team("WEB", "Web")
    settled.linear.add_issue("WEB", "Landing page")
    await settled.sync()
    settled.linear.faults.deny = {"WEB"}
    report = await a_day_later(settled)
    assert of(report, "linear").gone == {"not visible": 1}
    settled.linear.faults.deny = set()
    await a_day_later(settled)
    assert await tombstone(settled, "WEB-1") == ""


async def test_a_page_that_is_not_shared_any_more_is_not_visible(settled: World) -> None:
    page = Ref("notion", "page", settled.loyalty.id)
    async with settled.session() as session:
        owned = await session.store.entries(target=page)
    assert owned
    assert settled.remote_links("MOB-1")
    settled.notion.faults.deny = {settled.loyalty.id}
    report = await a_day_later(settled)
    assert of(report, "notion").gone == {"not visible": 1}
    assert settled.remote_links("MOB-1") == [], "what leads to it is taken away"
    async with settled.session() as session:
        assert await session.store.entries(target=page) == owned, "its places stay opsync's own"
    settled.notion.faults.deny = set()
    await a_day_later(settled)
    assert settled.loyalty.text("Delivery").startswith("1 of 2 done")
    assert settled.remote_links("MOB-1")
    await settled.silent()


async def test_what_a_census_would_remove_counts_with_the_removals_of_the_day(
    settled: World,
) -> None:
    settled.raw["limits"] = {"removals": 0, "removals_share": 0.0}
    settled.notion.faults.deny = {settled.loyalty.id}
    report = await a_day_later(settled)
    assert [one.what for one in of(report, "jira-main").over] == [Measure.removals]
    assert settled.remote_links("MOB-1")


async def test_who_left_the_configured_teams_projects_or_query_is_out_of_scope(
    world: World,
) -> None:
    world.linear.add_team("WEB", "Web")
    world.raw["instances"]["linear"]["teams"] = ["GRO"]
    world.raw["instances"]["jira-main"] |= {"projects": ["PAY", "MOB"]}
    world.jira.add_project("OLD", "Attic")
    await world.sync()
    world.linear.move_issue("GRO-2", "WEB")
    world.jira.move_issue("PAY-4", "OLD")
    await world.sync()
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    report = await a_day_later(world)
    assert of(report, "linear").gone == {"out of scope": 1}
    assert of(report, "jira-main").gone == {"out of scope": 1}
    assert world.checkout.text("Delivery").startswith("2 of 3 done")


async def test_an_issue_that_a_configured_query_leaves_out_is_out_of_scope(world: World) -> None:
    world.raw["instances"]["jira-main"]["jql"] = 'status != "Done"'
    await world.sync()
    world.jira.set_status("PAY-4", "Done")
    await world.sync()
    report = await a_day_later(world)
    assert of(report, "jira-main").gone == {"out of scope": 1}


async def test_a_fresh_issue_that_the_index_does_not_show_is_not_gone(settled: World) -> None:
    """Trouble 12: the index of Jira lags; what changed just now is looked up by id, and stands."""
    settled.clock.advance(DAY - 60)
    settled.jira.edit("PAY-4", summary="Refunds")
    settled.net.spoil[HOSTS["jira-main"]] = without_id(str(settled.jira.issue("PAY-4").id))
    report = await settled.sync()
    assert of(report, "jira-main").counted == 1
    assert of(report, "jira-main").looked_up == 1
    assert of(report, "jira-main").gone == {}
    record = await settled.record("PAY-4")
    assert (record.title, record.archived, record.tombstone) == ("Refunds", False, "")


async def test_what_comes_without_a_name_may_be_what_did_not_come(settled: World) -> None:
    """An issue that is answered without its id and key is not deleted for that."""
    id_ = str(settled.jira.issue("PAY-4").id)
    unlisted = without_id(id_)

    def spoil(answer: Any) -> None:
        unlisted(answer)
        for issue in answer.get("issues", ()) if isinstance(answer, dict) else ():
            if issue.get("id") == id_ and "fields" in issue:
                issue.update(id=None, key=None)

    settled.net.spoil[HOSTS["jira-main"]] = spoil
    report = await a_day_later(settled)
    assert of(report, "jira-main").gone == {}
    assert await tombstone(settled, "PAY-4") == ""
    assert report.exit_code == 1, "something could not be read"
    settled.net.spoil.clear()
    report = await a_day_later(settled)
    assert report.exit_code == 0, troubles(report)


def without_id(id_: str) -> Callable[[Any], None]:
    """Leaves one issue out of lists of ids."""

    def spoil(answer: Any) -> None:
        rows = answer.get("issues") if isinstance(answer, dict) else None
        if isinstance(rows, list) and not any("fields" in row for row in rows):
            answer["issues"] = [row for row in rows if row["id"] != id_]

    return spoil


async def test_what_no_change_told_of_is_found_by_its_id(settled: World) -> None:
    """An import whose times lie before all that was read."""
    early = settled.clock.now() - timedelta(days=30)
    settled.jira.add_issue("PAY", "Imported", parent="PAY-1", created=early, updated=early)
    await settled.sync()
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")
    report = await a_day_later(settled)
    assert of(report, "jira-main").looked_up == 1
    assert settled.checkout.text("Delivery").startswith("2 of 6 done")


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_an_empty_list_of_ids_concludes_nothing_and_fails_the_run(
    settled: World, instance: str
) -> None:
    spoil_lists(settled, instance, lambda rows: [])
    written = settled.written()[instance]
    settled.jira.set_status("PAY-4", "Done")
    report = await a_day_later(settled)
    assert of(report, instance).trouble == "stopped"
    assert "answered nothing" in of(report, instance).message
    assert of(report, instance).missing == 0
    assert report.exit_code == 1
    assert settled.written()[instance] == written


def spoil_lists(world: World, instance: str, change: Callable[[list[Any]], list[Any]]) -> None:
    """Changes every list of ids that a tool answers; what is read in full stays."""

    def spoil(answer: Any) -> None:
        if instance == "linear":
            for root in (answer.get("data") or {}).values():
                rows = root.get("nodes") if isinstance(root, dict) else None
                if rows is not None and all(row.keys() <= {"id", "trashed"} for row in rows):
                    root["nodes"] = change(rows)
        elif instance == "notion":
            rows = answer.get("results")
            if rows is not None and all(len(row.get("properties", ())) == 1 for row in rows):
                answer["results"] = change(rows)
        else:
            rows = answer.get("issues") if isinstance(answer, dict) else None
            if rows is not None and not any("fields" in row for row in rows):
                answer["issues"] = change(rows)

    world.net.spoil[HOSTS[instance]] = spoil


def chores(world: World, count: int) -> None:
    for number in range(count):
        world.jira.add_issue("MOB", f"Chore {number}")


@pytest.mark.slow
async def test_a_mass_that_vanished_is_told_until_a_person_says_that_it_is_meant(
    settled: World,
) -> None:
    """Trouble 8, I12"""
    chores(settled, 30)
    await settled.sync()
    for issue in [one for one in settled.jira.issues.values() if "Chore" in one.summary]:
        settled.jira.delete_issue(issue.key)
    report = await a_day_later(settled)
    one = of(report, "jira-main")
    assert (one.trouble, one.counted) == ("stopped", 1)
    assert "30 of 37" in one.message
    assert "opsync sync --allow-vanished 30" in one.hint
    again = await settled.sync()
    assert of(again, "jira-main").message == one.message
    assert of(again, "jira-main").counted == 0, "it is asked again every run"
    few = await settled.sync(allow={"vanished": 29})
    assert of(few, "jira-main").trouble == "stopped"
    meant = await settled.sync(allow={"vanished": 30})
    assert of(meant, "jira-main").gone == {"deleted": 30}
    assert meant.exit_code == 0, troubles(meant)
    await settled.silent()


@pytest.mark.slow
async def test_after_a_whole_read_that_is_not_believed_only_what_is_new_is_read_for_an_hour(
    settled: World,
) -> None:
    chores(settled, 30)
    await settled.sync()
    settled.clock.advance(3600)
    settled.jira.set_status("PAY-4", "Done")
    await settled.sync()
    quiet = of(await settled.sync(), "jira-main")
    settled.jira.faults.deny = {
        str(issue.id) for issue in settled.jira.issues.values() if "Chore" in issue.summary
    }
    told = of(await settled.sync(full=True), "jira-main")
    assert told.trouble == "stopped"
    settled.jira.set_status("PAY-3", "Done")
    new = of(await settled.sync(), "jira-main")
    assert (new.trouble, new.message, new.changed) == ("stopped", told.message, 1)
    assert (await settled.record("PAY-3")).status.name == "Done"
    assert new.read_requests == quiet.read_requests
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")

    settled.jira.faults.deny = set()
    settled.clock.advance(3600)
    back = of(await settled.sync(), "jira-main")
    assert (back.trouble, back.read) == ("", len(settled.jira.issues))
    assert settled.checkout.text("Delivery").startswith("4 of 5 done")
    await settled.silent()


async def test_a_mass_that_is_back_within_the_hour_is_forgotten(settled: World) -> None:
    settled.jira.faults.deny = {"PAY", "MOB"}
    assert of(await a_day_later(settled), "jira-main").trouble == "stopped"
    settled.jira.faults.deny = set()
    assert of(await settled.sync(), "jira-main").trouble == "stopped"
    settled.clock.advance(3600)
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    await settled.silent()


@pytest.mark.sampled
@pytest.mark.parametrize("instance", INSTANCES)
async def test_a_list_of_ids_that_goes_in_circles_concludes_nothing(
    settled: World, instance: str
) -> None:
    first: dict[str, str] = {}

    def again(answer: Any) -> None:
        if instance == "jira-main":
            if "issues" in answer and not any("fields" in row for row in answer["issues"]):
                answer["nextPageToken"] = "again"
        elif instance == "linear":
            for name, root in (answer.get("data") or {}).items():
                if isinstance(root, dict) and is_of_ids(root.get("nodes", ())):
                    cursor = first.setdefault(name, root["nodes"][0]["id"])
                    root["pageInfo"] = {"hasNextPage": True, "endCursor": cursor}
        elif "results" in answer:
            answer |= {"has_more": True, "next_cursor": "again"}

    def is_of_ids(rows: Iterable[Any]) -> bool:
        return bool(rows) and all(row.keys() <= {"id", "trashed"} for row in rows)

    settled.net.spoil[HOSTS[instance]] = again
    if instance == "jira-main":
        settled.net.before[HOSTS[instance]] = lambda request: token_taken(request)
    report = await a_day_later(settled)
    assert of(report, instance).trouble == "incomplete"
    assert of(report, instance).missing == 0
    assert report.exit_code == 1


def token_taken(request: httpx.Request) -> httpx.Response | None:
    if b'"nextPageToken":"again"' in request.content:
        return httpx.Response(200, json={"issues": [], "nextPageToken": "again"})
    return None


@pytest.mark.sampled
@pytest.mark.parametrize("status", [403, 500])
async def test_while_what_vanished_cannot_be_looked_up_nothing_is_gone(
    settled: World, status: int
) -> None:
    settled.jira.delete_issue("PAY-3")
    settled.net.before[HOSTS["jira-main"]] = lambda request: (
        httpx.Response(status, json={}) if "bulkfetch" in request.url.path else None
    )
    report = await a_day_later(settled)
    assert report.exit_code in (1, 3)
    assert of(report, "jira-main").gone == {}
    assert await tombstone(settled, "PAY-3") == ""
    settled.net.before.clear()
    assert of(await settled.sync(), "jira-main").gone == {"deleted": 1}


async def test_a_refused_sign_in_is_no_absence(settled: World) -> None:
    """Trouble 8, I12"""
    settled.linear.faults.refuse_token = True
    report = await a_day_later(settled)
    assert report.exit_code == 3
    assert of(report, "linear").gone == {}


@pytest.mark.slow
async def test_only_so_many_are_looked_up_in_a_run_and_the_rest_in_the_next(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    chores(settled, 30)
    await settled.sync()
    for key in [one.key for one in settled.jira.issues.values() if "Chore" in one.summary][:7]:
        settled.jira.delete_issue(key)
    monkeypatch.setattr(Jira, "look_up_max", 3)
    reports = [await a_day_later(settled), await settled.sync(), await settled.sync()]
    found = [of(report, "jira-main") for report in reports]
    assert [one.looked_up for one in found] == [3, 3, 1]
    assert [one.waiting for one in found] == [4, 1, 0]
    assert [one.counted for one in found] == [1, 0, 0]
    assert sum(one.gone["deleted"] for one in found) == 7
    assert of(await settled.sync(), "jira-main").looked_up == 0


async def test_a_full_read_tells_them_apart_as_well(settled: World) -> None:
    settled.jira.delete_issue("PAY-3")
    settled.notion.trash(settled.loyalty)
    settled.linear.delete_issue("GRO-1")
    report = await settled.sync(full=True)
    gone = {one.instance: one.gone for one in report.instances}
    assert gone["jira-main"] == {"deleted": 1}
    assert gone["linear"] == {"deleted": 1}
    await settled.silent()


async def test_a_record_set_aside_is_no_absence(settled: World) -> None:
    settled.net.spoil[HOSTS["jira-main"]] = spoiler(
        "PAY-4", lambda issue: issue.get("fields", {}).update(summary={"not": "a text"})
    )
    settled.jira.edit("PAY-4", labels=("x",))
    await settled.sync()
    report = await a_day_later(settled)
    assert of(report, "jira-main").looked_up == 0
    assert of(report, "jira-main").gone == {}


async def test_a_page_that_names_what_is_hidden_says_so_to_whoever_asks(settled: World) -> None:
    page = settled.page("Hidden plan", jira_url("MOB-3"))
    await settled.sync()
    settled.jira.faults.deny = {"MOB"}
    await a_day_later(settled)
    assert "1 linked but not readable" in page.text("Delivery")


async def test_whoever_asks_is_told_what_became_of_it(settled: World) -> None:
    settled.jira.delete_issue("PAY-3")
    settled.jira.faults.deny = {"MOB"}
    await a_day_later(settled)
    async with settled.session("explain") as session:
        explainer = Explainer(session.config, session.store)
        notes = {}
        for key in ("PAY-3", "MOB-2"):
            (record,) = await explainer.find(key)
            notes[key] = (await explainer.explain(record, settled.clock.now())).notes
        gone = await Lookup(session.config, session.store).absent(record.ref)
    assert "PAY-3 is gone in Jira: deleted." in notes["PAY-3"]
    told = "MOB-2 is no longer visible to the token in Jira: numbers that it counted in say so."
    assert told in notes["MOB-2"]
    assert gone.endswith(": no longer visible to the token")


async def test_a_connector_that_cannot_list_ids_is_read_in_full_once_a_day(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CloudReader, "everything", counted := Counting(CloudReader.everything))
    monkeypatch.setattr(Whereabouts, "listing", None)
    connect = Jira.__init__

    def without(self: Jira, *given: Any) -> None:
        connect(self, *given)
        self.lists_ids = False

    monkeypatch.setattr(Jira, "__init__", without)
    await settled.sync()
    assert counted.calls == 0
    settled.jira.delete_issue("PAY-3")
    report = await a_day_later(settled)
    assert of(report, "jira-main").gone == {"missing": 1}
    await settled.sync()
    assert counted.calls == 1


class Counting:
    """Counts the walks over everything."""

    def __init__(self, walk: Callable[..., Any]) -> None:
        self.calls = 0
        self._walk = walk

    def __get__(self, reader: CloudReader, _type: object) -> Callable[[], Any]:
        def counted() -> Any:
            self.calls += 1
            return self._walk(reader)

        return counted
