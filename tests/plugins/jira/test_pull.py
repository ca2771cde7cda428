from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, timedelta

import httpx
import pytest
import respx
from tests.plugins.jira.conftest import SITE, Connect, settings
from tests.support.clock import FakeClock
from tests.support.connector import pull, read

from opsync import BadAnswer, Context, RecordError, RefusedError, SignInError, Value
from opsync.http import Pool
from opsync.runtime import Runtime
from opsync.sandbox.jira import JiraSite
from opsync_jira import Jira, wire
from opsync_jira.jql import changed_since


def fill(site: JiraSite, clock: FakeClock, count: int) -> None:
    for number in range(1, count + 1):
        clock.advance(1)
        site.add_issue("PAY", f"Issue {number}")


def paths(site: JiraSite) -> list[str]:
    return [exchange.path.removeprefix("/rest/api/3/") for exchange in site.exchanges]


def searches(site: JiraSite) -> list[dict[str, object]]:
    return [
        json.loads(exchange.request_body)
        for exchange in site.exchanges
        if exchange.path.endswith("search/jql")
    ]


def test_the_query_is_bounded_below_in_milliseconds_and_open_above(clock: FakeClock) -> None:
    """I8"""
    chosen = settings(projects=["PAY", "NOT"], jql="labels != noise OR labels is EMPTY")

    assert changed_since(chosen, clock.now()) == (
        'project in ("PAY", "NOT") AND updated >= 1772442000000 '
        "AND (labels != noise OR labels is EMPTY) ORDER BY updated ASC"
    )
    assert changed_since(settings(), None) == "updated >= 0 ORDER BY updated ASC"


async def test_a_small_site_is_read_in_one_search(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    fill(site, clock, 100)

    batches = await pull(connect(site))

    assert [len(batch.items) for batch in batches] == [100]
    assert paths(site) == ["myself", "field", "search/jql"]
    assert batches[0].resumable
    assert batches[0].high == clock.now()


async def test_a_change_in_the_future_does_not_hide_what_changes_until_then(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    """I17"""
    site.add_issue("PAY", "From an import", updated=clock.now() + timedelta(days=900))

    for since in (None, clock.now() - timedelta(hours=1)):
        (batch,) = await pull(connect(site), since)

        assert len(batch.items) == 1
        assert batch.high == clock.now()


@pytest.mark.slow
async def test_a_large_site_is_read_by_ids_and_in_bulk(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    fill(site, clock, 2345)

    batches = await pull(connect(site, projects=["PAY"]))

    assert [len(batch.items) for batch in batches] == [100, *[250] * 8, 245]
    assert paths(site) == ["myself", "field", *["search/jql"] * 2, *["issue/bulkfetch"] * 9]
    assert {item.id for batch in batches for item in batch.items} == {
        str(number) for number in site.issues
    }
    assert not any(batch.resumable for batch in batches)
    assert {batch.expected for batch in batches} == {2345}


async def test_the_cursor_of_a_bulk_read_never_passes_its_beginning(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    fill(site, clock, 150)
    begun = clock.now()
    (feed,) = await (jira := connect(site)).feeds()
    batches = jira.pull(feed, None)
    highs = [(await anext(batches)).high]
    clock.advance(3600)
    site.edit("PAY-150", summary="Changed while it was read")
    highs += [batch.high async for batch in batches]

    assert max(high for high in highs if high is not None) <= begun


async def test_a_site_that_takes_a_hundred_at_once_is_found_out_and_remembered(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    site.bulk_limit = 100
    fill(site, clock, 420)
    kept: dict[str, Value] = {}

    records = await read(connect(site, kept=kept))

    assert len(records) == 420
    assert kept["bulk_size"] == 100

    site.exchanges.clear()
    batches = await pull(connect(site, kept=kept))

    assert paths(site) == ["myself", *["search/jql"] * 5]  # no fewer by ids
    assert all(batch.resumable for batch in batches)


async def test_a_site_that_takes_fewer_than_it_did_is_asked_anew_next_time(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    site.bulk_limit = 100
    fill(site, clock, 420)
    kept: dict[str, Value] = {"bulk_size": 500}

    with pytest.raises(RefusedError):
        await pull(connect(site, kept=kept))

    assert "bulk_size" not in kept
    assert len(await read(connect(site, kept=kept))) == 420


async def test_issues_deleted_between_listing_and_fetching_are_simply_absent(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    fill(site, clock, 150)
    (feed,) = await (jira := connect(site)).feeds()
    batches = jira.pull(feed, None)
    await anext(batches)
    site.delete_issue("PAY-150")

    rest = [item async for batch in batches for item in batch.items]

    assert len(rest) == 49


async def test_an_incremental_read_is_resumable_page_by_page(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    fill(site, clock, 250)
    since = clock.now() - timedelta(seconds=209)

    batches = await pull(connect(site), since)

    assert [len(batch.items) for batch in batches] == [100, 100, 10]
    assert all(batch.resumable for batch in batches)
    assert [batch.high for batch in batches] == [
        since + timedelta(seconds=span) for span in (99, 199, 209)
    ]


async def test_a_run_with_nothing_new_makes_one_read_and_one_sign_in_check(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    fill(site, clock, 250)
    kept: dict[str, Value] = {}
    await pull(connect(site, kept=kept))
    site.exchanges.clear()

    await pull(connect(site, kept=kept), clock.now())

    assert paths(site) == ["myself", "search/jql"]


async def test_fields_are_looked_up_again_after_a_day(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    kept: dict[str, Value] = {}
    await pull(connect(site, kept=kept))
    clock.advance(24 * 3600)
    site.exchanges.clear()

    await pull(connect(site, kept=kept))

    assert "field" in paths(site)


async def test_a_setting_for_a_field_is_heeded_at_once(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    kept: dict[str, Value] = {}
    await pull(connect(site, kept=kept))

    await pull(connect(site, kept=kept, estimate_field="customfield_4711"))

    fields = [set(body["fields"]) for body in searches(site)]  # type: ignore[call-overload]
    assert "customfield_4711" not in fields[0]
    assert "customfield_4711" in fields[1]
    assert "customfield_10016" not in fields[1]


async def test_a_dead_token_is_a_sign_in_error_and_not_an_empty_site(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    fill(site, clock, 3)
    jira = connect(site)
    site.faults.refuse_token = True

    with pytest.raises(SignInError, match="OPSYNC_JIRA_MAIN__TOKEN"):
        await pull(jira)


async def test_a_token_that_dies_during_the_walk_is_a_sign_in_error(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    fill(site, clock, 250)
    (feed,) = await (jira := connect(site)).feeds()
    batches = jira.pull(feed, clock.now() - timedelta(hours=1))
    await anext(batches)
    site.faults.refuse_token = True

    with pytest.raises(SignInError, match="Jira refused the token"):
        _ = [batch async for batch in batches]


async def test_a_hidden_project_is_refused_with_the_settings_to_look_at(
    site: JiraSite, connect: Connect
) -> None:
    with pytest.raises(RefusedError, match=r"GONE.*Check `projects`.*Project settings → Access"):
        await pull(connect(site, projects=["GONE"]))


def page(*issues: object, token: str | None = None) -> dict[str, object]:
    return {"issues": list(issues), **({"nextPageToken": token} if token else {"isLast": True})}


def issue(number: int, **fields: object) -> dict[str, object]:
    updated = f"2026-03-01T10:00:{number:02}.000+0100"
    return {"id": str(number), "key": f"PAY-{number}", "fields": {"updated": updated} | fields}


@pytest.fixture
async def answering(clock: FakeClock) -> Callable[..., Jira]:
    """Makes a connector whose searches are answered with the given bodies, one after another."""

    def make(router: respx.MockRouter, *bodies: object) -> Jira:
        router.get(f"{SITE}/rest/api/3/myself").respond(json={"accountId": "1"})
        router.get(f"{SITE}/rest/api/3/field").respond(json=[])
        answers = [
            httpx.Response(200, content=body)
            if isinstance(body, bytes)
            else httpx.Response(200, json=body)
            for body in bodies
        ]
        router.post(f"{SITE}/rest/api/3/search/jql").mock(side_effect=answers)
        runtime = Runtime(clock=clock)
        client = Pool(runtime).client(Jira.policy("jira-main", settings()))
        return Jira(settings(), Context("jira-main", client, runtime, {}))

    return make


async def test_one_broken_issue_is_set_aside_and_the_others_are_read(
    respx_mock: respx.MockRouter, clock: FakeClock, answering: Callable[..., Jira]
) -> None:
    jira = answering(respx_mock, page(issue(1), issue(2, updated="yesterday"), {"id": 7}, issue(3)))

    (batch,) = await pull(jira, clock.now())

    kinds = [type(item.raw) for item in batch.items]
    assert [item.id for item in batch.items] == ["1", "2", "7", "3"]
    assert [issubclass(kind, wire.Issue) for kind in kinds] == [True, False, False, True]
    reason = batch.items[1].raw
    assert isinstance(reason, RecordError)
    assert "updated" in str(reason)
    assert batch.high is not None
    assert (batch.high.second, batch.high.tzinfo) == (3, UTC)


async def test_a_cut_answer_is_asked_for_again(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    fill(site, clock, 3)
    jira = connect(site)
    site.faults.cut_next = 2

    assert len(await read(jira)) == 3


async def test_a_search_that_leads_in_a_circle_is_a_bad_answer(
    respx_mock: respx.MockRouter, clock: FakeClock, answering: Callable[..., Jira]
) -> None:
    jira = answering(respx_mock, page(issue(1), token="a"), page(issue(2), token="a"))

    with pytest.raises(BadAnswer, match="read already"):
        await pull(jira, clock.now())


async def test_the_walk_ends_without_a_token_whatever_else_is_said(
    respx_mock: respx.MockRouter, clock: FakeClock, answering: Callable[..., Jira]
) -> None:
    first = page(issue(1, summary='"nextPageToken":"trap"}'), token="a") | {"isLast": True}
    last = {
        "nextPageToken": None,
        "isLast": False,
        "issues": [issue(2, summary='"nextPageToken":"b"}')],
    }

    batches = await pull(answering(respx_mock, first, page(token="b/c"), last), clock.now())

    assert [len(batch.items) for batch in batches] == [1, 0, 1]
    bodies = [json.loads(call.request.content) for call in respx_mock.calls[2:]]
    assert [body.get("nextPageToken") for body in bodies] == [None, "a", "b/c"]


async def test_a_token_before_the_issues_is_found_as_well(
    respx_mock: respx.MockRouter, clock: FakeClock, answering: Callable[..., Jira]
) -> None:
    first = {"nextPageToken": "a", "issues": [issue(1)]}

    assert len(await pull(answering(respx_mock, first, page(issue(2))), clock.now())) == 2


async def test_the_next_page_is_asked_for_before_this_one_is_handed_on(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    fill(site, clock, 150)
    jira = connect(site)
    (feed,) = await jira.feeds()
    batches = jira.pull(feed, clock.now() - timedelta(hours=1))

    await anext(batches)

    assert jira.context.http.reads == 4  # sign-in, fields, and two pages
    await batches.aclose()  # type: ignore[attr-defined]


async def test_keys_of_moved_issues_lead_to_where_they_are_now(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    fill(site, clock, 6)
    for number in (2, 5, 6):
        site.move_issue(f"PAY-{number}", "MOB")
    jira = connect(site)

    found = await jira.resolve(["PAY-1", "PAY-2", "PAY-5", "PAY-6", "UTF-8", "PAY-9999", "no key"])

    assert {key: ref.id for key, ref in found.items()} == {
        f"PAY-{number}": str(site.issue(f"PAY-{number}").id) for number in (1, 2, 5, 6)
    }


async def test_keys_that_nobody_has_cost_one_request(site: JiraSite, connect: Connect) -> None:
    assert await connect(site).resolve([f"UTF-{number}" for number in range(90)]) == {}
    assert len(site.exchanges) == 1


async def test_nothing_is_asked_for_what_is_no_key(site: JiraSite, connect: Connect) -> None:
    assert await connect(site).resolve(["../myself", "Örsted-1", ""]) == {}
    assert not site.exchanges


async def test_a_search_that_leads_on_without_ids_is_given_up(
    respx_mock: respx.MockRouter, clock: FakeClock
) -> None:
    asked: list[int] = []

    def search(request: httpx.Request) -> httpx.Response:
        asked.append(1)
        issues = [{"id": "1", "key": "PAY-1", "fields": {}}] if len(asked) == 1 else []
        return httpx.Response(200, json={"issues": issues, "nextPageToken": f"t{len(asked)}"})

    respx_mock.get(f"{SITE}/rest/api/3/myself").respond(json={})
    respx_mock.get(f"{SITE}/rest/api/3/field").respond(json=[])
    respx_mock.post(f"{SITE}/rest/api/3/search/jql").mock(side_effect=search)
    runtime = Runtime(clock=clock)
    pool = Pool(runtime)
    client = pool.client(Jira.policy("jira-main", settings()))
    jira = Jira(settings(), Context("jira-main", client, runtime, {}))

    with pytest.raises(BadAnswer, match="without an issue"):
        await pull(jira)
    await pool.aclose()
    assert len(asked) == 4
