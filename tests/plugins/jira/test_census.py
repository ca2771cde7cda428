"""The list of ids, and what became of issues that are not in it."""

from __future__ import annotations

from tests.plugins.jira.conftest import Connect
from tests.support.clock import FakeClock
from tests.support.connector import read

from opsync import Absent, Feed, Item, Record, Ref
from opsync.sandbox.jira import JiraSite
from opsync_jira import Jira

FEED = Feed("issues", ("issue",))


async def known_of(connector: Jira) -> dict[Ref, Record]:
    return {one.ref: one for one in (await read(connector)).values()}


async def listed(connector: Jira) -> set[str]:
    return {ref.id async for refs in connector.listing(FEED) for ref in refs}


def why(found: object) -> str:
    assert isinstance(found, Absent)
    return found.why


async def test_all_ids_come_in_one_request_with_their_scope(
    site: JiraSite, connect: Connect
) -> None:
    issues = [site.add_issue("PAY", f"Chore {n}") for n in range(300)]
    site.add_issue("MOB", "Another project's")
    connector = connect(site, projects=("PAY",))
    await read(connector)
    site.exchanges.clear()
    assert await listed(connector) == {str(one.id) for one in issues}
    (only,) = site.exchanges
    assert b'"fields":["id"]' in only.request_body


async def test_each_kind_of_absence_is_told_apart(site: JiraSite, connect: Connect) -> None:
    site.add_project("OLD", "Attic")
    site.add_project("BIN", "Bin")
    site.add_project("SEC", "Secret")
    keys = {key: site.add_issue(key, key).key for key in ("PAY", "MOB", "OLD", "BIN", "SEC")}
    hidden = site.add_issue("PAY", "Salaries", security="Board").key
    connector = connect(site)
    known = await known_of(connector)
    named = {record.key: ref for ref, record in known.items()}
    site.delete_issue(keys["PAY"])
    site.delete_issue(hidden)
    site.set_project_state("BIN", "deleted")
    site.set_project_state("OLD", "archived")
    site.faults.deny = {"SEC"}
    site.exchanges.clear()

    found = await connector.look_up(FEED, list(known), known, listed=True)

    told = {(one.ref if isinstance(one, Absent) else None): one for one in found}
    assert why(told[named[keys["PAY"]]]) == "deleted"
    assert why(told[named[keys["BIN"]]]) == "trashed"
    assert why(told[named[keys["SEC"]]]) == "not visible"
    assert why(told[named[hidden]]) == "not visible", "a security level may hide it by now"
    assert [e.path.rpartition("/3/")[2] for e in site.exchanges] == [
        "issue/bulkfetch",
        "project/search",
    ]


async def test_what_is_there_and_changed_just_now_is_there_whatever_the_search_says(
    site: JiraSite, connect: Connect
) -> None:
    site.add_issue("PAY", "Fresh")
    connector = connect(site)
    known = await known_of(connector)
    (found,) = await connector.look_up(FEED, list(known), known, listed=True)
    assert isinstance(found, Item)
    assert [one.title for one in connector.normalize(found.stream, found.raw)] == ["Fresh"]


async def test_data_center_is_read_in_full_instead(clock: FakeClock, connect: Connect) -> None:
    site = JiraSite(now=clock.now, deployment="Server")
    assert not connect(site, deployment="datacenter").lists_ids
    assert connect(JiraSite(now=clock.now)).lists_ids
