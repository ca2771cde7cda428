"""Remote links are read where that is asked for, one request an issue, and opsync's own are not."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from tests.plugins.jira.conftest import Connect
from tests.support.clock import FakeClock
from tests.support.connector import pull, read

from opsync import RefusedError
from opsync.sandbox.jira import JiraSite
from opsync_jira.dialect import MAX_CONCURRENT

WIKI = "https://wiki.harbor.example/checkout"


def link(url: str, global_id: str = "") -> dict[str, object]:
    named = {"globalId": global_id} if global_id else {}
    return {**named, "object": {"url": url, "title": "Elsewhere"}}


def asked(site: JiraSite) -> list[str]:
    return [e.path.partition("issue/")[2] for e in site.exchanges if e.path.endswith("remotelink")]


async def test_they_are_not_read_unless_asked_for(site: JiraSite, connect: Connect) -> None:
    site.add_issue("PAY", "Vault cards", remote_links=[link(WIKI)])

    assert (await read(connect(site)))["PAY-1"].texts == ()
    assert asked(site) == []


async def test_each_is_a_place_but_those_of_opsync(site: JiraSite, connect: Connect) -> None:
    links = [
        link(WIKI),
        link("https://linear.app/x", "opsync:link:linear:issue:1"),
        link(WIKI + "/2"),
    ]
    site.add_issue("PAY", "Vault cards", remote_links=links)

    texts = (await read(connect(site, read_remote_links=True)))["PAY-1"].texts

    assert [(t.field, t.text, t.part, t.property) for t in texts] == [
        ("remote link", WIKI, "place", False),
        ("remote link", WIKI + "/2", "place", False),
    ]
    assert all(text.remote_id for text in texts)


async def test_they_cost_one_request_for_each_issue_that_changed(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    for number in range(20):
        site.add_issue("PAY", f"Issue {number}")
    jira = connect(site, read_remote_links=True)

    [batch] = await pull(jira)
    assert len(asked(site)) == 20
    assert batch.resumable
    site.exchanges.clear()
    clock.advance(3600)
    site.set_status("PAY-7", "Done")
    await pull(jira, since=clock.now())
    assert asked(site) == [f"{site.issue('PAY-7').id}/remotelink"]


async def test_an_issue_that_is_gone_by_then_is_handed_on_without(
    site: JiraSite, connect: Connect
) -> None:
    issue = site.add_issue("PAY", "Vault cards", remote_links=[link(WIKI)])
    site.add_issue("PAY", "Refund flow", remote_links=[link(WIKI)])
    inner = httpx.ASGITransport(site.app)

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(f"{issue.id}/remotelink"):
            return httpx.Response(404, json={"errorMessages": ["Issue does not exist"]})
        return await inner.handle_async_request(request)

    found = await read(connect(site, transport=httpx.MockTransport(answer), read_remote_links=True))

    assert [len(found[key].texts) for key in ("PAY-1", "PAY-2")] == [0, 1]


async def test_a_refusal_says_what_to_do_about_it(site: JiraSite, connect: Connect) -> None:
    site.add_issue("PAY", "Vault cards")
    inner = httpx.ASGITransport(site.app)

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/remotelink"):
            return httpx.Response(403, json={"errorMessages": ["Issue linking is disabled"]})
        return await inner.handle_async_request(request)

    with pytest.raises(RefusedError, match="remote links of PAY-1 cannot be read") as caught:
        await read(connect(site, transport=httpx.MockTransport(answer), read_remote_links=True))

    assert "read_remote_links = false" in caught.value.hint


async def test_so_many_at_once_are_under_way_and_no_more(site: JiraSite, connect: Connect) -> None:
    for number in range(30):
        site.add_issue("PAY", f"Issue {number}")
    inner = httpx.ASGITransport(site.app)
    running = most = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        try:
            return await inner.handle_async_request(request)
        finally:
            running -= 1

    await read(connect(site, transport=httpx.MockTransport(answer), read_remote_links=True))

    assert 1 < most <= MAX_CONCURRENT
