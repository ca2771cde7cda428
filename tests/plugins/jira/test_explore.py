from __future__ import annotations

import pytest
from tests.plugins.jira.conftest import Connect, harbor
from tests.support.clock import FakeClock
from tests.support.connector import pull

from opsync import Category, Grant, NotFound, SignInError
from opsync.sandbox.jira import JiraSite
from opsync_jira import Jira


def gateway(site: JiraSite) -> str:
    """Where a token with scopes is answered."""
    return f"https://api.atlassian.com/ex/jira/{site.cloud_id}"


async def granted(jira: Jira) -> dict[str, Grant]:
    return {grant.name: grant async for grant in jira.grants()}


async def test_a_token_without_scopes_holds_what_its_account_may(
    site: JiraSite, connect: Connect
) -> None:
    grants = await granted(connect(site))

    assert {name: (one.needed, one.held) for name, one in grants.items()} == {
        "read:jira-user": ("read", True),
        "read:jira-work": ("read", True),
        "Browse projects": ("read", True),
        "write:jira-work": ("write", True),
        "Link issues": ("write", True),
    }
    assert (site.read_requests, site.write_requests) == (2, 0)


@pytest.mark.parametrize("missing", ["read:jira-user", "read:jira-work"])
async def test_a_missing_scope_is_told_with_the_clicks_that_give_it(
    site: JiraSite, connect: Connect, missing: str
) -> None:
    site.faults.missing_scopes = {missing}

    grants = await granted(connect(site, base_url=gateway(site)))

    scopes = {name: one.held for name, one in grants.items() if ":" in name}
    held = {"read:jira-user": True, "read:jira-work": True, "write:jira-work": None}
    assert scopes == held | {missing: False}
    hint = grants[missing].hint
    assert "Create API token with scopes" in hint
    assert missing in hint
    assert "OPSYNC_JIRA_MAIN__TOKEN" in hint
    assert site.write_requests == 0


async def test_whether_a_token_may_write_is_not_tried(site: JiraSite, connect: Connect) -> None:
    site.faults.missing_scopes = {"write:jira-work"}

    grants = await granted(connect(site, base_url=gateway(site)))

    assert grants["write:jira-work"].held is None
    assert site.write_requests == 0


@pytest.mark.parametrize(
    ("missing", "name", "click"),
    [
        ("BROWSE_PROJECTS", "Browse projects", "Project settings → Access"),
        ("LINK_ISSUES", "Link issues", "Project settings → Permissions"),
    ],
)
async def test_what_the_account_may_not_do_is_told(
    site: JiraSite, connect: Connect, missing: str, name: str, click: str
) -> None:
    site.faults.missing_scopes = {missing}

    grants = await granted(connect(site))

    assert [one.name for one in grants.values() if one.held is False] == [name]
    assert click in grants[name].hint


async def test_a_refused_token_is_an_error_and_no_grant(site: JiraSite, connect: Connect) -> None:
    site.faults.refuse_token = True

    with pytest.raises(SignInError, match="Jira refused the token"):
        await granted(connect(site))


async def test_a_scoped_token_at_the_site_is_told_where_it_works(
    site: JiraSite, connect: Connect
) -> None:
    site.faults.missing_scopes = {"write:jira-work"}

    with pytest.raises(SignInError, match="set base_url to") as caught:
        await granted(connect(site))

    assert "_edge/tenant_info" in caught.value.hint


async def test_data_center_has_permissions_and_no_scopes(
    clock: FakeClock, connect: Connect
) -> None:
    server = harbor(JiraSite(now=clock.now, deployment="Server"))

    grants = await granted(connect(server, deployment="datacenter"))

    assert list(grants) == ["Browse projects", "Link issues"]


async def test_all_pages_of_projects_are_to_choose_from(site: JiraSite, connect: Connect) -> None:
    for number in range(120):
        site.add_project(f"P{number}", f"Project {number:03}")
    site.add_project("SEC", "A secret", private=True)
    site.faults.deny = {"P7"}

    choices = await connect(site, projects=["PAY"]).choices()

    assert [choices[0].id, choices[0].name, choices[0].private] == ["SEC", "A secret", True]
    assert len(choices) == 122
    assert "P7" not in {choice.id for choice in choices}
    assert site.read_requests == 3


async def test_projects_of_data_center_are_to_choose_from(
    clock: FakeClock, connect: Connect
) -> None:
    server = harbor(JiraSite(now=clock.now, deployment="Server"))

    choices = await connect(server, deployment="datacenter").choices()

    assert [(c.id, c.name) for c in choices] == [("MOB", "Mobile"), ("PAY", "Payments")]


@pytest.mark.parametrize("issues", [0, 3, 130, 700])
async def test_a_first_read_takes_the_requests_that_were_foretold(
    site: JiraSite, connect: Connect, issues: int
) -> None:
    for number in range(issues):
        site.add_issue("PAY" if number % 2 else "MOB", f"Issue {number}")
    jira = connect(site)

    told = await jira.first_read()

    assert told.items == issues
    assert not told.more
    before = site.read_requests
    await pull(jira)
    assert told.requests == site.read_requests - before
    assert 0.5 < told.seconds < 30


async def test_a_first_read_counts_what_is_in_scope(site: JiraSite, connect: Connect) -> None:
    site.add_issue("PAY", "Core", issue_type="Epic")
    site.add_issue("PAY", "Card form", labels=["roadmap"])
    site.add_issue("PAY", "Chore")
    site.add_issue("MOB", "Screen", labels=["roadmap"])

    told = await connect(site, projects=["PAY"], labels=["roadmap"]).first_read()

    assert told.items == 2


async def test_a_first_read_of_data_center_is_counted_by_its_total(
    clock: FakeClock, connect: Connect
) -> None:
    server = harbor(JiraSite(now=clock.now, deployment="Server"))
    for number in range(7):
        server.add_issue("PAY", f"Issue {number}")
    jira = connect(server, deployment="datacenter")

    told = await jira.first_read()

    before = server.read_requests
    await pull(jira)
    assert (told.items, told.requests) == (7, server.read_requests - before)


async def test_statuses_tell_their_category_what_they_count_as_and_where_they_are_used(
    site: JiraSite, connect: Connect
) -> None:
    site.add_project("WEB", "Web", statuses=["To Do", "Fertig"])
    jira = connect(
        site,
        projects=["WEB"],
        statuses={"Fertig": Category.canceled},
        resolutions={"Won't Do": Category.canceled},
    )

    words = {word.name: word for word in await jira.status_words()}

    assert {name: (w.category, w.counts_as, w.table, w.where) for name, w in words.items()} == {
        "To Do": (Category.todo, Category.todo, "statuses", ("WEB",)),
        "Fertig": (Category.done, Category.canceled, "statuses", ("WEB",)),
        "Done": (Category.done, Category.done, "resolutions", ()),
        "Won't Do": (Category.done, Category.canceled, "resolutions", ()),
    }


async def test_without_projects_all_statuses_of_the_site_are_told(
    site: JiraSite, connect: Connect
) -> None:
    words = await connect(site).status_words()

    told = [word.name for word in words if word.table == "statuses"]
    assert told == ["To Do", "Doing", "Done", "Fertig"]
    assert site.read_requests == 2


async def test_a_hidden_project_is_named_with_the_click_that_shows_it(
    site: JiraSite, connect: Connect
) -> None:
    site.faults.deny = {"PAY"}

    with pytest.raises(NotFound, match="project/PAY/statuses") as caught:
        await connect(site, projects=["PAY"]).status_words()

    assert "Project settings → Access" in caught.value.hint
