from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import respx
from tests.plugins.jira.conftest import Connect, harbor
from tests.plugins.jira.test_surfaces import Epic, rollup_content
from tests.support.clock import FakeClock
from tests.support.connector import pull, read

from opsync import Context, Kind, OutcomeKind, Ref, SignInError
from opsync.http import Pool
from opsync.runtime import Runtime
from opsync.sandbox.jira import JiraSite
from opsync_jira import Jira, datacenter

SITE = "https://jira.harbor.example"


@pytest.fixture
def site(clock: FakeClock) -> JiraSite:
    return harbor(JiraSite(base_url=SITE, deployment="Server", now=clock.now))


@pytest.fixture
def jira(site: JiraSite, connect: Connect) -> Jira:
    return connect(site, site=SITE, deployment="datacenter", email="")


def fill(site: JiraSite, clock: FakeClock, count: int, *, every_s: float = 1) -> datetime:
    begun = clock.now()
    for number in range(1, count + 1):
        clock.advance(every_s)
        site.add_issue("PAY", f"Issue {number}")
    return begun


async def test_issues_are_read_page_by_page(
    site: JiraSite, clock: FakeClock, jira: Jira, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datacenter, "PAGE", 100)
    fill(site, clock, 250)

    batches = await pull(jira)

    assert {item.id for batch in batches for item in batch.items} == set(map(str, site.issues))
    assert all(batch.resumable for batch in batches)
    assert batches[0].expected == 250
    assert batches[-1].high == clock.now()


async def test_issues_changed_within_one_second_beyond_a_page_are_all_read(
    respx_mock: respx.MockRouter, clock: FakeClock, jira: Jira
) -> None:
    """The index of a real Data Center rounds times down to seconds, in issues and in queries."""
    updated = [10_000 + number * 20 for number in range(300)]

    def search(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        begin = int(asked["jql"].split()[2]) // 1000
        found = [number for number, ms in enumerate(updated) if ms // 1000 >= begin]
        page = found[asked["startAt"] :][:20]
        issues = [
            {
                "id": str(number),
                "key": f"PAY-{number}",
                "fields": {"updated": stamp(updated[number])},
            }
            for number in page
        ]
        return httpx.Response(200, json={"issues": issues, "total": len(found)})

    def stamp(ms: int) -> str:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")

    respx_mock.get(f"{SITE}/rest/api/2/myself").respond(json={})
    respx_mock.get(f"{SITE}/rest/api/2/field").respond(json=[])
    respx_mock.post(f"{SITE}/rest/api/2/search").mock(side_effect=search)
    runtime = Runtime(clock=clock)
    client = Pool(runtime).client(Jira.policy("dc", jira.settings))

    batches = await pull(Jira(jira.settings, Context("dc", client, runtime, {})))

    assert {item.id for batch in batches for item in batch.items} == set(map(str, range(300)))


async def test_an_issue_updated_during_the_walk_hides_no_other(
    site: JiraSite, clock: FakeClock, jira: Jira, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datacenter, "PAGE", 20)
    fill(site, clock, 60)
    (feed,) = await jira.feeds()
    seen: set[str] = set()
    async for batch in jira.pull(feed, None):
        seen.update(item.id for item in batch.items)
        if len(seen) == 20:
            for number in range(1, 11):
                site.edit(f"PAY-{number}", summary="Changed meanwhile")

    assert seen == set(map(str, site.issues))


async def test_only_what_changed_is_read_again(
    site: JiraSite, clock: FakeClock, jira: Jira
) -> None:
    fill(site, clock, 30)

    (batch,) = await pull(jira, clock.now() - timedelta(seconds=4))

    assert len(batch.items) == 5


async def test_epics_are_found_by_type_and_by_the_key_that_issues_name(
    site: JiraSite, clock: FakeClock, jira: Jira
) -> None:
    epic = site.add_issue("PAY", "Checkout core", issue_type="Epic")
    clock.advance(3600)
    story = site.add_issue("PAY", "Tokenise cards", parent=epic.key)
    site.add_issue("PAY", "A step", issue_type="Sub-task", parent=story.key)

    records = await read(jira, clock.now())

    def ref(issue_id: int) -> Ref:
        return Ref("jira-main", "issue", str(issue_id))

    assert records["PAY-2"].parents == (ref(epic.id),)
    assert records["PAY-3"].parents == (ref(story.id),)
    assert (await read(jira))["PAY-1"].kind is Kind.epic


async def test_descriptions_in_wiki_markup_name_what_they_link_to(
    site: JiraSite, jira: Jira
) -> None:
    site.add_issue("PAY", "Story", description="See https://linear.app/harbor/issue/GRO-44 first")

    (text,) = (await read(jira))["PAY-1"].texts

    assert text.text.split() == ["See", "https://linear.app/harbor/issue/GRO-44", "first"]


async def test_people_are_known_without_account_ids(site: JiraSite, jira: Jira) -> None:
    ben = site.add_user("Ben Okoro")
    site.add_issue("PAY", "Story", assignee=ben)

    owner = (await read(jira))["PAY-1"].owner

    assert owner is not None
    assert (owner.id, owner.name) == (ben.name, "Ben Okoro")


async def test_remote_links_are_written_and_seen(site: JiraSite, jira: Jira) -> None:
    issue = site.add_issue("PAY", "Checkout core", issue_type="Epic")
    epic = Epic(jira, site, Ref("jira-main", "issue", str(issue.id)))
    value = await epic.render(rollup_content())

    (outcome,) = await epic.put("rollup", value)
    (seen,) = await epic.observe()

    assert outcome.kind is OutcomeKind.created
    assert seen.plain() == value


async def test_former_keys_are_looked_up_one_by_one(site: JiraSite, jira: Jira) -> None:
    issue = site.add_issue("PAY", "Wanders")
    site.move_issue("PAY-1", "MOB", "MOB-41")

    found = await jira.resolve(["PAY-1", "PAY-2"])

    assert found == {"PAY-1": Ref("jira-main", "issue", str(issue.id))}


async def test_a_refused_token_is_a_sign_in_error(site: JiraSite, jira: Jira) -> None:
    site.faults.refuse_token = True

    with pytest.raises(SignInError, match="Personal Access Tokens"):
        await pull(jira)


async def test_the_doctor_finds_data_center_sound(site: JiraSite, jira: Jira) -> None:
    states = {check.title: check.state async for check in jira.doctor()}

    assert states.pop("Canceled resolutions") == "warn"
    assert set(states.values()) == {"ok"}


async def test_what_teams_go_by_is_read_from_the_site(site: JiraSite, jira: Jira) -> None:
    ben = site.add_user("Ben Okoro", "ben@harbor.example")
    site.add_issue("PAY", "Vault cards", hours=2, assignee=ben)
    site.add_issue("PAY", "Rotate keys", issue_type="Sub-task", parent="PAY-1")
    site.deactivate(ben)

    records = await read(jira)

    assert records["PAY-1"].estimates == {"hours": 2.0}
    assert records["PAY-1"].owner is not None
    assert not records["PAY-1"].owner.active
    assert [records[key].subtask for key in ("PAY-1", "PAY-2")] == [False, True]
    assert records["PAY-2"].space_key == "PAY"
