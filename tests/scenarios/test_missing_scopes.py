"""Every right that a token may lack, over every way to find out: the click that gives it is told.

Scopes are answered 401 by Jira's gateway, 400 with FORBIDDEN by Linear and 403 by Notion;
permissions of an account 403; what is hidden 404, or 400 where a query names it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest

from opsync import Explorable, Grant, OpsyncError
from opsync.engine.session import open_instance
from tests.support.world import World, of, troubles

INSTANCES = ("jira-main", "linear", "notion")


@dataclass(frozen=True)
class Case:
    """What `instance` lacks, the click that gives it, and as which grant it is told.

    `keeps` is what the token can still do: "read" without writing, "all" but knowing people,
    "nothing". `answers` are the statuses of the vendor's refusals.
    """

    id: str
    instance: str
    click: str
    grant: str
    keeps: str
    answers: frozenset[int]
    missing: frozenset[str] = frozenset()
    hide: Callable[[World], str] | None = None
    scope: dict[str, object] = field(default_factory=dict, hash=False)

    def take_away(self, world: World) -> None:
        faults = world.vendors[self.instance].faults
        faults.missing_scopes = set(self.missing)
        faults.deny = {self.hide(world)} if self.hide else set()


def scope(instance: str, name: str, click: str, grant: str, keeps: str, answer: int) -> Case:
    id_ = f"{instance} without {name}"
    return Case(id_, instance, click, grant, keeps, frozenset({answer}), frozenset({name}))


def tokens(scope: str) -> str:
    return f"API tokens → Create API token with scopes → Jira, with {scope} besides"


def capability(name: str) -> str:
    return (
        f'Switch on "{name}": notion.so/profile/integrations → opsync → Configuration → '
        "Capabilities."
    )


KEYS = "Personal API keys → New API key"
ONLY_READ = f"{KEYS} → Only select permissions → Read."
READ_AND_WRITE = f"{KEYS} → Only select permissions → Read and Write."
ACCESS = "Project settings → Access"
PEOPLE = capability("Read user information including email addresses")
PROJECTS: dict[str, object] = {"projects": ["PAY", "MOB"]}

CASES = (
    scope(
        "jira-main", "read:jira-user", tokens("read:jira-user"), "read:jira-user", "nothing", 401
    ),
    scope(
        "jira-main", "read:jira-work", tokens("read:jira-work"), "read:jira-work", "nothing", 401
    ),
    scope(
        "jira-main", "write:jira-work", tokens("write:jira-work"), "write:jira-work", "read", 401
    ),
    scope("jira-main", "LINK_ISSUES", "Project settings → Permissions", "Link issues", "read", 403),
    Case(
        "jira-main without BROWSE_PROJECTS",
        "jira-main",
        ACCESS,
        "Browse projects",
        "nothing",
        frozenset({400, 404}),
        missing=frozenset({"BROWSE_PROJECTS"}),
        scope=PROJECTS,
    ),
    Case(
        "jira-main with a hidden project",
        "jira-main",
        ACCESS,
        "",
        "nothing",
        frozenset({400, 404}),
        hide=lambda world: "MOB",
        scope=PROJECTS,
    ),
    scope("linear", "read", ONLY_READ, "Read", "nothing", 400),
    scope("linear", "write", READ_AND_WRITE, "Write", "read", 400),
    Case(
        "linear with a team that the key does not cover",
        "linear",
        "Team access",
        "Team access",
        "nothing",
        frozenset(),
        hide=lambda world: "GRO",
        scope={"teams": ["GRO"]},
    ),
    scope("notion", "read content", capability("Read content"), "Read content", "nothing", 403),
    scope("notion", "update content", capability("Update content"), "Update content", "read", 403),
    scope("notion", "user information", PEOPLE, "User information", "all", 403),
    scope("notion", "email addresses", PEOPLE, "User information", "all", 403),
    Case(
        "notion with a database that is not shared",
        "notion",
        "••• → Connections → opsync",
        "Content access",
        "nothing",
        frozenset({404}),
        hide=lambda world: world.source.id,
    ),
)
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


@pytest.fixture
def world(world: World) -> World:
    """The company, with a Jira token that has scopes: the gateway answers it."""
    world.net.hosts["api.atlassian.com"] = httpx.ASGITransport(world.jira.app)
    gateway = f"https://api.atlassian.com/ex/jira/{world.jira.cloud_id}"
    world.raw["instances"]["jira-main"]["base_url"] = gateway
    return world


def lacking(case: Case, world: World) -> World:
    world.raw["instances"][case.instance] |= case.scope
    case.take_away(world)
    return world


def refusals(case: Case, world: World) -> set[int]:
    return {e.status for e in world.vendors[case.instance].exchanges if e.status >= 400}


async def grants_of(world: World, instance: str) -> list[Grant]:
    async with world.session() as session:
        opened = await open_instance(world.config().instances[instance], session)
        assert isinstance(opened.connector, Explorable)
        return [grant async for grant in opened.connector.grants()]


@each_case
async def test_doctor_tells_the_click(world: World, case: Case) -> None:
    lacking(case, world)
    async with world.session() as session:
        checks = [check async for _, check in session.doctor(frozenset({case.instance}))]
    hints = [check.hint for check in checks if check.state != "ok"]
    assert any(case.click in hint for hint in hints), hints
    assert world.written() == dict.fromkeys(world.vendors, 0)


@each_case
async def test_the_grants_tell_the_click(world: World, case: Case) -> None:
    lacking(case, world)
    found = {grant.name: grant for grant in await grants_of(world, case.instance)}
    if not case.grant:
        # One hidden project of several is no missing right; it cannot be chosen.
        assert all(grant.held is not False for grant in found.values())
        return
    told = found[case.grant]
    only_a_write_tells = case.keeps == "read" and case.grant != "Link issues"
    assert told.held is (None if only_a_write_tells else False)
    assert case.click in told.hint
    assert world.written() == dict.fromkeys(world.vendors, 0)


@each_case
async def test_a_pass_that_only_observes_tells_the_click_and_writes_nothing(
    world: World, case: Case
) -> None:
    lacking(case, world)
    report = await world.sync(write=False)
    told = of(report, case.instance)
    if case.keeps == "nothing":
        assert case.click in told.message + told.hint
        assert report.exit_code in (1, 3)
        assert refusals(case, world) <= case.answers or not case.answers
        assert refusals(case, world) or not case.answers
    else:
        assert told.complete, troubles(report)
    others = set(INSTANCES) - {case.instance}
    assert all(of(report, other).complete for other in others), troubles(report)
    assert world.written() == dict.fromkeys(world.vendors, 0)


@pytest.mark.sampled
@each_case
async def test_a_pass_that_writes_tells_the_click_and_goes_on_once_it_is_given(
    world: World, case: Case
) -> None:
    lacking(case, world)
    report = await world.sync()
    told = of(report, case.instance)
    words = [told.message, told.hint]
    words += [o.message for c, o in report.outcomes if c.slot.target.instance == case.instance]
    if case.keeps == "all":
        assert report.exit_code == 0, troubles(report)
        return
    assert any(case.click in each for each in words), words
    assert report.exit_code in (1, 3)
    # A data source's id is looked for as a database's first, which is answered 404.
    assert refusals(case, world) - {404} <= case.answers or not case.answers
    created = {c.slot.target.instance for c, o in report.outcomes if o.kind == "created"}
    assert case.instance not in created

    faults = world.vendors[case.instance].faults
    faults.missing_scopes, faults.deny = set(), set()
    world.clock.advance(24 * 3600)
    await world.sync()
    await world.silent()
    assert world.checkout.text("Delivery").startswith("2 of 5 done")


REFUSED = {
    "jira-main": "id.atlassian.com → Security → API tokens",
    "linear": KEYS,
    "notion": "notion.so/profile/integrations → opsync → Configuration",
}


@pytest.mark.parametrize("instance", INSTANCES)
async def test_a_refused_token_is_told_with_the_way_to_a_new_one(
    world: World, instance: str
) -> None:
    world.vendors[instance].faults.refuse_token = True
    with pytest.raises(OpsyncError) as caught:
        await grants_of(world, instance)
    assert REFUSED[instance] in caught.value.hint
    assert caught.value.exit_code == 3
    assert {e.status for e in world.vendors[instance].exchanges} <= {200, 401}


@pytest.mark.parametrize("status", [400, 401])
async def test_linear_may_refuse_a_key_with_either_status(world: World, status: int) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        details = {"type": "authentication error", "code": "AUTHENTICATION_ERROR"}
        error = {"message": "Authentication required", "extensions": details}
        return httpx.Response(status, json={"errors": [error]})

    world.net.before["api.linear.app"] = refuse
    with pytest.raises(OpsyncError) as caught:
        await grants_of(world, "linear")
    assert REFUSED["linear"] in caught.value.hint


async def test_looking_around_with_tokens_that_only_read_writes_nothing(world: World) -> None:
    for vendor in world.vendors.values():
        vendor.faults.read_only = True
    async with world.session() as session:
        for instance in world.config().instances.values():
            connector = (await open_instance(instance, session)).connector
            assert isinstance(connector, Explorable)
            assert [grant async for grant in connector.grants()]
            assert await connector.choices()
            assert (await connector.first_read()).items
            assert await connector.status_words()
            await connector.guesses()
    await world.sync(write=False)
    assert world.written() == dict.fromkeys(world.vendors, 0)
