"""What goes out, what comes back, what is tried again, and what is counted."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
from collections.abc import Callable, Iterator

import httpx
import msgspec
import pytest
import respx
import structlog
from structlog.testing import capture_logs
from tests.support.clock import FakeClock

from opsync.errors import (
    BadAnswer,
    ConfigError,
    NotFound,
    OpsyncError,
    RateLimited,
    RefusedError,
    SignInError,
    TemporaryError,
)
from opsync.http import Answer, Client, Limit, Pool
from opsync.log import configure
from opsync.redact import Redactor

MakeClient = Callable[..., Client]


class Page(msgspec.Struct):
    names: list[str]


@pytest.fixture
def acme() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url="https://acme.example", assert_all_called=False) as router:
        yield router


async def test_a_read_carries_credential_params_and_body_and_decodes_into_a_type(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    route = acme.post("/search").respond(json={"names": ["a"]})
    client = make_client(base_url="https://acme.example/")

    answer = await client.read(
        "post", "/search", params=[("id", "1"), ("id", "2")], json={"q": "ä"}
    )

    assert answer.decode(Page) == Page(["a"])
    request = route.calls.last.request
    assert request.method == "POST"
    assert request.headers["authorization"] == "Bearer canary-token-0001"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("opsync/")
    assert request.url.query == b"id=1&id=2"
    assert json.loads(request.content) == {"q": "ä"}


async def test_params_join_the_query_that_a_path_already_has(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    route = acme.get("/page").respond(json={})
    await make_client().read("GET", "/page?cursor=x", params={"limit": "5"})
    assert route.calls.last.request.url.query == b"cursor=x&limit=5"


async def test_no_cookie_is_kept(acme: respx.MockRouter, make_client: MakeClient) -> None:
    route = acme.get("/").respond(json={}, headers={"set-cookie": "session=abc; Path=/"})
    client = make_client()
    await client.read("GET", "/")
    await client.read("GET", "/")
    assert "cookie" not in route.calls.last.request.headers


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 529])
async def test_a_read_is_tried_again_while_the_vendor_cannot_answer(
    acme: respx.MockRouter, make_client: MakeClient, status: int
) -> None:
    acme.get("/x").mock(side_effect=[httpx.Response(status)] * 2 + [httpx.Response(200, json={})])
    client = make_client()
    assert (await client.read("GET", "/x")).status == 200
    assert (client.reads, client.writes, client.attempts) == (3, 0, 3)


async def test_after_three_tries_the_error_names_vendor_path_and_next_step_but_no_query(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    route = acme.get("/x").respond(503, text="upstream connect error")
    with pytest.raises(TemporaryError) as caught:
        await make_client().read("GET", "/x", params={"q": "private"})
    assert route.call_count == 3
    text = str(caught.value)
    assert "Acme" in text
    assert "https://acme.example/x" in text
    assert "503" in text
    assert "upstream connect error" in text
    assert "try again in a few minutes" in text
    assert "private" not in text


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RefusedError),
        (401, SignInError),
        (403, SignInError),
        (404, NotFound),
        (410, RefusedError),
        (422, RefusedError),
    ],
)
async def test_a_refusal_is_not_tried_again(
    acme: respx.MockRouter, make_client: MakeClient, status: int, kind: type[OpsyncError]
) -> None:
    route = acme.get("/x").respond(status)
    with pytest.raises(kind):
        await make_client().read("GET", "/x")
    assert route.call_count == 1


async def test_the_vendors_own_dialect_decides(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    def classify(answer: Answer) -> OpsyncError | None:
        if b"RATELIMITED" in answer.body:
            return RateLimited("slow down", retry_after_s=5.0)
        return None

    acme.post("/graphql").mock(
        side_effect=[
            httpx.Response(400, json={"code": "RATELIMITED"}),
            httpx.Response(400, json={"fine": True}),
        ]
    )
    answer = await make_client(classify=classify).read("POST", "/graphql")
    assert answer.status == 400


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError])
async def test_a_lost_answer_is_never_followed_by_a_second_unkeyed_write(
    acme: respx.MockRouter, make_client: MakeClient, error: type[httpx.TransportError]
) -> None:
    """I9, F03"""
    route = acme.post("/create").mock(side_effect=error("gone"))
    client = make_client()
    with pytest.raises(TemporaryError) as caught:
        await client.write("POST", "/create", json={}, keyed=False)
    assert caught.value.sent
    assert route.call_count == 1
    assert (client.reads, client.writes) == (0, 1)


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError])
async def test_a_keyed_write_is_sent_again_when_its_answer_is_lost(
    acme: respx.MockRouter, make_client: MakeClient, error: type[httpx.TransportError]
) -> None:
    """F04"""
    acme.put("/upsert").mock(side_effect=[error("gone"), httpx.Response(200, json={})])
    client = make_client()
    await client.write("PUT", "/upsert", json={}, keyed=True)
    assert client.writes == 2


@pytest.mark.parametrize(
    "last",
    [
        httpx.Response(400, json={"message": "it is there already"}),
        httpx.Response(429, headers={"retry-after": "86400"}),
        httpx.ConnectError("refused"),
    ],
    ids=["refused", "to wait", "unreachable"],
)
async def test_a_write_whose_first_try_was_lost_and_whose_last_one_failed_is_counted(
    acme: respx.MockRouter, make_client: MakeClient, last: httpx.Response | Exception
) -> None:
    acme.put("/upsert").side_effect = [httpx.ReadTimeout("lost"), last, last]
    client = make_client()

    with pytest.raises(OpsyncError):
        await client.write("PUT", "/upsert", json={}, keyed=True)

    assert client.unknown == 1


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_an_unkeyed_write_that_never_left_is_sent_again(
    acme: respx.MockRouter, make_client: MakeClient, error: type[httpx.TransportError]
) -> None:
    """F01, F02"""
    acme.post("/create").mock(side_effect=[error("no way"), httpx.Response(201, json={})])
    client = make_client()
    assert (await client.write("POST", "/create", keyed=False)).status == 201
    assert client.writes == 1, "what never left is not counted as having gone out"
    assert client.attempts == 2


async def test_an_unkeyed_write_is_sent_again_after_429_but_not_after_503_with_retry_after(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    acme.post("/a").mock(
        side_effect=[httpx.Response(429, headers={"retry-after": "1"}), httpx.Response(201)]
    )
    b = acme.post("/b").respond(503, headers={"retry-after": "1"})
    client = make_client()
    assert (await client.write("POST", "/a", keyed=False)).status == 201
    with pytest.raises(RateLimited):
        await client.write("POST", "/b", keyed=False)
    assert b.call_count == 1


async def test_an_unreachable_host_is_reported_as_never_sent(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    acme.get("/x").mock(side_effect=httpx.ConnectError("Name or service not known"))
    with pytest.raises(TemporaryError, match="Name or service not known") as caught:
        await make_client().read("GET", "/x")
    assert not caught.value.sent


async def test_a_refused_certificate_names_the_variable_for_company_certificates(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    acme.get("/x").mock(side_effect=httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self"))
    with pytest.raises(TemporaryError, match="SSL_CERT_FILE"):
        await make_client().read("GET", "/x")


async def test_retries_wait_a_growing_random_time(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    acme.get("/x").respond(500)
    client = make_client()
    with pytest.raises(TemporaryError):
        await client.read("GET", "/x")
    first, second = clock.slept
    assert 0 < first <= 1
    assert 0 < second <= 2
    assert client.waited_s == pytest.approx(first + second)


async def test_a_web_page_instead_of_json_is_a_bad_answer_and_tried_again(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    """F06"""
    route = acme.get("/x").respond(html="<!doctype html><title>Sign in</title>")
    with pytest.raises(BadAnswer, match="web page"):
        await make_client(classify=lambda _: None).read("GET", "/x")
    assert route.call_count == 3


async def test_cut_json_is_a_bad_answer_and_tried_again(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    """F05"""
    acme.get("/x").mock(
        side_effect=[
            httpx.Response(200, content=b'{"names": ["a", "b'),
            httpx.Response(200, json={"names": []}),
        ]
    )
    assert (await make_client().read("GET", "/x")).decode(Page).names == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed_and_its_host_is_named(
    acme: respx.MockRouter, make_client: MakeClient, status: int
) -> None:
    """F12"""
    route = acme.get("/x").respond(status, headers={"location": "http://evil.example/x?t=1"})
    with pytest.raises(RefusedError, match=r"evil\.example"):
        await make_client().read("GET", "/x")
    assert route.call_count == 1


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/x",
        "http://acme.example/x",
        "https://acme.example:8443/x",
        "https://acme.example@evil.example/x",
        "https://user@acme.example/x",
        "//evil.example\\@acme.example",
        "@evil.example/x",
        "ftp://acme.example/",
        "/x\r\nHost: evil.example",
    ],
)
async def test_no_other_host_is_contacted(
    acme: respx.MockRouter, make_client: MakeClient, path: str
) -> None:
    client = make_client()
    with pytest.raises(RefusedError):
        await client.read("GET", path)
    assert client.attempts == 0
    assert not acme.calls


async def test_a_declared_host_may_be_named_by_a_whole_url(make_client: MakeClient) -> None:
    client = make_client(extra_hosts=frozenset({"files.example"}))
    with respx.mock:
        respx.get("https://files.example/a").respond(json={})
        assert (await client.read("GET", "https://files.example/a")).status == 200


async def test_a_token_with_a_line_break_is_a_configuration_error_that_does_not_show_it(
    make_client: MakeClient,
) -> None:
    with pytest.raises(ConfigError) as caught:
        make_client(headers={"Authorization": "Bearer canary-broken\n"})
    assert "canary" not in str(caught.value)


async def test_the_breaker_stops_an_outage_from_being_hammered_and_heals_by_one_probe(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    """F09"""
    route = acme.get("/x").respond(500)
    client = make_client()
    for _ in range(100):
        with pytest.raises(TemporaryError):
            await client.read("GET", "/x")
    assert route.call_count == 5

    clock.advance(31)
    with pytest.raises(TemporaryError):
        await client.read("GET", "/x")
    assert route.call_count == 6, "one probe, which failed"

    clock.advance(61)
    route.respond(200, json={})
    assert (await client.read("GET", "/x")).status == 200
    assert (await client.read("GET", "/x")).status == 200


async def test_while_half_open_only_one_request_probes(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    """F09"""
    route = acme.get("/x").respond(500)
    client = make_client()
    for _ in range(3):
        with pytest.raises(TemporaryError):
            await client.read("GET", "/x")
    clock.advance(31)
    before = route.call_count
    await asyncio.gather(*(client.read("GET", "/x") for _ in range(6)), return_exceptions=True)
    assert route.call_count == before + 1


async def test_an_open_breaker_takes_nothing_from_the_budget(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    route = acme.get("/x").respond(500)
    client = make_client(limits=(Limit("", 10, 3600),))
    for _ in range(50):
        with pytest.raises(TemporaryError, match=r"could not answer|left alone"):
            await client.read("GET", "/x")
    clock.advance(31)
    route.respond(200, json={})
    assert (await client.read("GET", "/x")).status == 200


async def test_refusals_do_not_open_the_breaker(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    route = acme.get("/x").respond(404)
    client = make_client()
    for _ in range(20):
        with pytest.raises(NotFound):
            await client.read("GET", "/x")
    assert route.call_count == 20


@pytest.mark.slow
async def test_retries_stay_within_a_tenth_of_the_requests(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    """F09"""
    tries = 0

    def every_second_fails(_: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        return httpx.Response(200 if tries % 2 else 500, json={})

    acme.get("/x").mock(side_effect=every_second_fails)
    client = make_client()
    requests = 1000
    for _ in range(requests):
        with contextlib.suppress(TemporaryError):
            await client.read("GET", "/x")
    assert requests + 20 < tries <= requests * 1.1 + 10


async def test_at_most_so_many_requests_are_under_way(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    under_way = most = 0

    async def slow(_: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.005)
        under_way -= 1
        return httpx.Response(200, json={})

    acme.get("/x").mock(side_effect=slow)
    client = make_client(max_concurrent=3)
    await asyncio.gather(*(client.read("GET", "/x") for _ in range(10)))
    assert most == 3


async def test_a_cancelled_caller_leaves_no_slot_taken_and_the_pool_closes_cleanly(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    gate, finished = asyncio.Event(), asyncio.Event()

    async def wait(_: httpx.Request) -> httpx.Response:
        await gate.wait()
        finished.set()
        return httpx.Response(200, json={})

    acme.get("/slow").mock(side_effect=wait)
    acme.get("/x").respond(json={})
    client = make_client(max_concurrent=1)
    task = asyncio.create_task(client.read("GET", "/slow"))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert client.attempts == 1, "a cancelled request is not tried again"
    gate.set()
    assert (await client.read("GET", "/x")).status == 200
    assert finished.is_set(), "the exchange was left to end by itself"


async def test_two_requests_without_a_free_connection_renew_the_pool(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    """F11"""
    acme.get("/x").mock(
        side_effect=[httpx.PoolTimeout(""), httpx.PoolTimeout(""), httpx.Response(200, json={})]
    )
    client = make_client()
    with capture_logs() as logs:
        assert (await client.read("GET", "/x")).status == 200
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["pool.renewed"]


async def test_instances_with_one_credential_share_its_budget(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    acme.get("/x").respond(json={})
    limits = (Limit("", 10, 60),)
    one = make_client(limits=limits)
    two = make_client(limits=limits, instance="other")
    third = make_client(limits=limits, instance="third", credential="c2")
    for client in (one, two) * 4:
        await client.read("GET", "/x")
    await third.read("GET", "/x")
    assert clock.elapsed_s == 0
    await two.read("GET", "/x")
    assert clock.elapsed_s == pytest.approx(60)
    assert two.waited_s == pytest.approx(60)


async def test_answers_and_retries_are_logged_without_query(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    """Trouble 30"""
    acme.get("/x").mock(side_effect=[httpx.Response(500), httpx.Response(200, json={})])
    out = io.StringIO()
    configure(json=True, level="debug", secrets=Redactor(), stream=out)
    try:
        await make_client().read("GET", "/x", params={"q": "private"})
    finally:
        structlog.reset_defaults()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(line["event"], line["attempt"]) for line in lines] == [
        ("request.answered", 1),
        ("request.retried", 1),
        ("request.answered", 2),
    ]
    assert lines[0]["status"] == 500
    assert {line["instance"] for line in lines} == {"eng"}
    assert {line["path"] for line in lines} == {"/x"}
    assert "private" not in out.getvalue()


async def test_the_credential_is_hidden_in_errors_that_quote_the_vendor(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    acme.get("/x").respond(400, text="bad token canary-token-0001 in Bearer canary-token-0001")
    with pytest.raises(RefusedError) as caught:
        await make_client().read("GET", "/x")
    assert "bad token" in str(caught.value)
    assert "canary" not in str(caught.value)
    assert "canary" not in repr(caught.value)


async def test_the_credential_is_hidden_in_what_a_vendors_dialect_says(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    acme.get("/x").respond(400)
    client = make_client(classify=lambda _: RefusedError("no canary-token-0001 here"))
    with pytest.raises(RefusedError) as caught:
        await client.read("GET", "/x")
    assert str(caught.value) == "no *** here"
    assert "canary" not in repr(caught.value)


async def test_what_basic_carries_is_hidden_too(pool: Pool, make_client: MakeClient) -> None:
    pair = base64.b64encode(b"u@x.example:canary-2222").decode()
    make_client(headers={"Authorization": f"Basic {pair}"})
    assert pool.redactor.clean(f"x {pair} y") == "x *** y"
    assert pool.redactor.clean("x canary-2222 y") == "x *** y"


async def test_a_policy_does_not_show_its_headers(make_client: MakeClient) -> None:
    assert "canary" not in repr(make_client().policy)
