"""Issues that were set aside, by their ids."""

from __future__ import annotations

import pytest
from tests.plugins.jira.conftest import Connect, harbor
from tests.support.clock import FakeClock
from tests.support.connector import read

from opsync import Absent, Feed, Item, Ref
from opsync.sandbox.jira import JiraSite
from opsync_jira import Jira
from opsync_jira.scope import Outside
from opsync_jira.wire import Issue

SERVER = "https://jira.harbor.example"
FEED = Feed("issues", ("issue",))


@pytest.fixture(params=["cloud", "datacenter"])
def site(request: pytest.FixtureRequest, clock: FakeClock) -> JiraSite:
    if request.param == "cloud":
        return harbor(JiraSite(now=clock.now, limit_factor=10))
    return harbor(JiraSite(base_url=SERVER, deployment="Server", now=clock.now))


def connected(site: JiraSite, connect: Connect, **more: object) -> Jira:
    if site.deployment == "Server":
        return connect(site, site=SERVER, deployment="datacenter", email="", **more)
    return connect(site, **more)


def refs(*ids: object) -> list[Ref]:
    return [Ref("jira-main", "issue", str(id_)) for id_ in ids]


async def look_up(jira: Jira, *ids: object) -> dict[str, Item]:
    """What came of these, of which nothing is known."""
    found = await jira.look_up(FEED, refs(*ids), {}, listed=False)
    return {item.id: item for item in found if isinstance(item, Item)}


async def test_several_are_asked_for_with_one_request(site: JiraSite, connect: Connect) -> None:
    one, two = site.add_issue("PAY", "One"), site.add_issue("PAY", "Two")
    site.add_issue("PAY", "Three")
    jira = connected(site, connect)
    await look_up(jira, one.id)
    before = site.read_requests
    found = await look_up(jira, one.id, two.id)
    assert found.keys() == {str(one.id), str(two.id)}
    assert all(isinstance(item.raw, Issue) for item in found.values())
    assert site.read_requests == before + 1


async def test_one_that_is_missing_does_not_take_the_others_along(
    site: JiraSite, connect: Connect
) -> None:
    """Data Center refuses the whole search in which an issue does not exist."""
    one = site.add_issue("PAY", "One")
    gone = site.add_issue("PAY", "Gone")
    site.delete_issue(gone.key)
    jira = connected(site, connect)
    assert (await look_up(jira, one.id, gone.id)).keys() == {str(one.id)}
    assert await look_up(jira, gone.id) == {}


async def test_what_has_no_id_to_ask_for_costs_no_request(site: JiraSite, connect: Connect) -> None:
    jira = connected(site, connect)
    before = site.read_requests
    assert await look_up(jira, "number 3 of its page") == {}
    assert site.read_requests == before


async def test_what_left_the_scope_is_not_read(site: JiraSite, connect: Connect) -> None:
    pay = site.add_issue("PAY", "One")
    mob = site.add_issue("MOB", "Other")
    jira = connected(site, connect, projects=["PAY"])
    found = await look_up(jira, pay.id, mob.id)
    inside = {id_ for id_, item in found.items() if not isinstance(item.raw, Outside)}
    assert inside == {str(pay.id)}


async def test_what_lost_its_label_is_said_to_be_out_of_scope(
    site: JiraSite, connect: Connect
) -> None:
    one = site.add_issue("PAY", "One")
    jira = connected(site, connect, labels=["roadmap"])
    assert isinstance((await look_up(jira, one.id))[str(one.id)].raw, Outside)


async def test_cloud_tells_why_a_known_one_is_absent_and_data_center_leaves_it_out(
    site: JiraSite, connect: Connect
) -> None:
    gone, there = site.add_issue("PAY", "Gone"), site.add_issue("PAY", "There")
    jira = connected(site, connect)
    known = {one.ref: one for one in (await read(jira)).values()}
    site.delete_issue(gone.key)
    found = await jira.look_up(FEED, refs(gone.id, there.id), known, listed=False)
    absent = [(one.ref.id, one.why) for one in found if isinstance(one, Absent)]
    assert absent == ([(str(gone.id), "deleted")] if site.deployment != "Server" else [])
    assert [one.id for one in found if isinstance(one, Item)] == [str(there.id)]


async def test_one_that_no_list_was_to_show_is_not_archived_for_being_old(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    site.add_issue("PAY", "Old")
    jira = connected(site, connect)
    known = {one.ref: one for one in (await read(jira)).values()}
    clock.advance(2 * 3600)
    (found,) = await jira.look_up(FEED, list(known), known, listed=False)
    assert isinstance(found, Item)
    assert isinstance(found.raw, Issue)
