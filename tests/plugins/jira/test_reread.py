"""Issues that were set aside, by their ids."""

from __future__ import annotations

import pytest
from tests.plugins.jira.conftest import Connect, harbor
from tests.support.clock import FakeClock

from opsync import Item, Ref
from opsync.sandbox.jira import JiraSite
from opsync_jira import Jira
from opsync_jira.scope import Outside
from opsync_jira.wire import Issue

SERVER = "https://jira.harbor.example"


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


async def reread(jira: Jira, *ids: object) -> dict[str, Item]:
    return {item.id: item for item in await jira.reread("issues", refs(*ids))}


async def test_several_are_asked_for_with_one_search(site: JiraSite, connect: Connect) -> None:
    one, two = site.add_issue("PAY", "One"), site.add_issue("PAY", "Two")
    site.add_issue("PAY", "Three")
    jira = connected(site, connect)
    await reread(jira, one.id)
    before = site.read_requests
    found = await reread(jira, one.id, two.id)
    assert found.keys() == {str(one.id), str(two.id)}
    assert all(isinstance(item.raw, Issue) for item in found.values())
    assert site.read_requests == before + 1


async def test_one_that_is_missing_does_not_take_the_others_along(
    site: JiraSite, connect: Connect
) -> None:
    """Jira refuses the whole search in which an issue does not exist."""
    one = site.add_issue("PAY", "One")
    gone = site.add_issue("PAY", "Gone")
    site.delete_issue(gone.key)
    jira = connected(site, connect)
    assert (await reread(jira, one.id, gone.id)).keys() == {str(one.id)}
    assert await reread(jira, gone.id) == {}


async def test_what_has_no_id_to_ask_for_costs_no_request(site: JiraSite, connect: Connect) -> None:
    jira = connected(site, connect)
    before = site.read_requests
    assert await reread(jira, "number 3 of its page") == {}
    assert site.read_requests == before


async def test_what_left_the_scope_is_not_read(site: JiraSite, connect: Connect) -> None:
    pay = site.add_issue("PAY", "One")
    mob = site.add_issue("MOB", "Other")
    jira = connected(site, connect, projects=["PAY"])
    assert (await reread(jira, pay.id, mob.id)).keys() == {str(pay.id)}
    jira = connected(site, connect, jql="project = MOB")
    assert (await reread(jira, pay.id, mob.id)).keys() == {str(mob.id)}


async def test_what_lost_its_label_is_said_to_be_out_of_scope(
    site: JiraSite, connect: Connect
) -> None:
    one = site.add_issue("PAY", "One")
    jira = connected(site, connect, labels=["roadmap"])
    assert isinstance((await reread(jira, one.id))[str(one.id)].raw, Outside)
