"""The simulated vendors' deliveries: when they come, how often, and what goes wrong with them."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from time import monotonic, sleep

import pytest
from tests.support.clock import FakeClock
from tests.support.listener import Received, listening

from opsync.sandbox.courier import send
from opsync.sandbox.hooks import MOST, Hook, Hooks
from opsync.sandbox.jira import JiraSite
from opsync.sandbox.jira import webhooks as jira
from opsync.sandbox.linear import LinearWorkspace
from opsync.sandbox.linear import webhooks as linear
from opsync.sandbox.notion import webhooks as notion
from opsync.sandbox.server import SandboxServer
from opsync.sandbox.vendor import Faults

HABITS = {"jira": jira.HABITS, "linear": linear.HABITS, "notion": notion.HABITS}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def hooks_of(clock: FakeClock, vendor: str, **faults: int) -> Hooks:
    made = Hooks(clock.now, lambda: Faults(**faults), HABITS[vendor], linear._dress)
    made.registered["1"] = Hook("1", "http://127.0.0.1:1/", "s" * 20, ("Issue",))
    return made


def tell(hooks: Hooks, times: int = 1) -> None:
    for number in range(times):
        hooks.tell("Issue", lambda number=number: {"type": "Issue", "number": number})


def tries(hooks: Hooks, clock: FakeClock, status: int | None) -> list[float]:
    """How long after the first each further try comes, while all are answered alike."""
    start, found = clock.now(), []
    for _ in range(20_000):
        for post in hooks.take():
            found.append((clock.now() - start).total_seconds())
            hooks.answered(post, status)
        if not hooks.waiting:
            return found
        clock.advance((min(post.due for post in hooks.waiting) - clock.now()).total_seconds())
    raise AssertionError("it never ends")


def test_linear_tries_again_after_a_minute_an_hour_and_six_and_switches_it_off(
    clock: FakeClock,
) -> None:
    hooks = hooks_of(clock, "linear")
    tell(hooks)

    assert tries(hooks, clock, 202) == [0, 60, 3660, 25_260]
    assert not hooks.registered["1"].enabled
    tell(hooks)
    assert hooks.take() == []


def test_jira_tries_again_five_times_within_minutes_and_never_after_a_refusal(
    clock: FakeClock,
) -> None:
    hooks = hooks_of(clock, "jira")
    tell(hooks)
    came = tries(hooks, clock, 503)
    gaps = [later - earlier for earlier, later in pairwise(came)]
    assert len(gaps) == 5
    assert all(300 <= gap <= 900 for gap in gaps)
    assert hooks.registered["1"].enabled

    for status in (400, 401, 404):
        tell(hooks)
        assert len(tries(hooks, clock, status)) == 1
    tell(hooks)
    assert len(tries(hooks, clock, None)) == 6
    tell(hooks)
    assert len(tries(hooks, clock, 204)) == 1


def test_notion_tries_eight_times_within_about_a_day(clock: FakeClock) -> None:
    hooks = hooks_of(clock, "notion")
    tell(hooks)

    came = tries(hooks, clock, 500)

    assert len(came) == 8
    assert 20 * 3600 < came[-1] < 28 * 3600
    assert hooks.registered["1"].enabled


def test_a_delivery_that_comes_again_keeps_its_id(clock: FakeClock) -> None:
    hooks = hooks_of(clock, "linear")
    tell(hooks)
    (first,) = hooks.take()
    said = first.id, hooks.dress(first)[0]["Linear-Delivery"]
    hooks.answered(first, None)
    clock.advance(60)
    (again,) = hooks.take()

    assert (again.id, hooks.dress(again)[0]["Linear-Delivery"]) == said
    assert again.attempt == 2


def test_each_try_of_linear_is_signed_with_its_own_time(clock: FakeClock) -> None:
    hooks = hooks_of(clock, "linear")
    tell(hooks)
    (post,) = hooks.take()
    first = json.loads(hooks.dress(post)[1])["webhookTimestamp"]
    clock.advance(60)

    assert json.loads(hooks.dress(post)[1])["webhookTimestamp"] == first + 60_000


def test_lost_ones_never_come(clock: FakeClock) -> None:
    hooks = hooks_of(clock, "linear", webhooks_lost=100)
    tell(hooks, 5)
    assert (hooks.take(), hooks.lost) == ([], 5)

    some = hooks_of(clock, "linear", webhooks_lost=10)
    tell(some, 1000)
    assert 50 < some.lost < 150
    assert len(some.take()) == 1000 - some.lost


def test_those_that_come_twice_come_three_times_with_one_id(clock: FakeClock) -> None:
    hooks = hooks_of(clock, "linear", webhooks_twice=100)
    tell(hooks, 2)

    assert sorted(Counter(post.id for post in hooks.take()).values()) == [3, 3]


def test_late_ones_come_when_they_come(clock: FakeClock) -> None:
    hooks = hooks_of(clock, "linear", webhooks_late_s=21_600)
    tell(hooks)
    assert hooks.take() == []
    clock.advance(21_600)
    assert len(hooks.take()) == 1


def test_reordered_ones_come_in_another_order_and_all_of_them(clock: FakeClock) -> None:
    hooks = hooks_of(clock, "linear", webhooks_reordered=True)
    tell(hooks, 20)
    clock.advance(2)

    came = [post.payload()["number"] for post in hooks.take()]

    assert sorted(came) == list(range(20))
    assert came != list(range(20))


def test_forged_ones_come_besides_with_another_signature(clock: FakeClock) -> None:
    hooks = hooks_of(clock, "linear", webhooks_forged=100)
    tell(hooks)

    right, forged = sorted(hooks.take(), key=lambda post: post.forged)

    assert not right.forged
    signatures = [hooks.dress(post)[0]["Linear-Signature"] for post in (right, forged)]
    assert signatures[0] != signatures[1]
    hooks.answered(forged, 401)
    assert (hooks.waiting, hooks.registered["1"].failed) == ([], 0)


def test_what_waits_is_bounded(clock: FakeClock) -> None:
    hooks = hooks_of(clock, "linear", webhooks_late_s=60)
    tell(hooks, MOST + 3)

    assert (len(hooks.waiting), hooks.lost) == (MOST, 3)


def test_what_a_removed_webhook_had_to_deliver_is_dropped(clock: FakeClock) -> None:
    hooks = hooks_of(clock, "linear")
    tell(hooks)

    assert hooks.remove("1")
    assert not hooks.remove("1")
    assert hooks.take() == []


def test_jira_signs_only_with_a_secret_and_counts_its_tries(clock: FakeClock) -> None:
    site = JiraSite(now=clock.now)
    site.add_project("PAY", "Payments")
    site.add_status("To Do", "new")
    site.hooks.registered["1"] = hook = Hook("1", "http://x/", "", ("jira:issue_created",))
    site.add_issue("PAY", "Card form")
    (post,) = site.hooks.take()

    headers, _ = site.hooks.dress(post)
    assert "X-Hub-Signature" not in headers
    assert "X-Atlassian-Webhook-Retry" not in headers
    assert headers["X-Atlassian-Webhook-Identifier"] == post.id

    hook.secret = "s" * 20
    site.hooks.answered(post, 503)
    clock.advance(900)
    (again,) = site.hooks.take()
    headers, _ = site.hooks.dress(again)
    assert headers["X-Hub-Signature"].startswith("sha256=")
    assert headers["X-Atlassian-Webhook-Retry"] == "1"


def test_a_served_sandbox_delivers_over_real_http() -> None:
    workspace = LinearWorkspace()
    workspace.add_team("GRO", "Growth")
    received = Received()
    with listening(received) as url, SandboxServer({"linear": workspace}):
        hook = Hook("1", url, "s" * 20, ("Issue",))
        workspace.hooks.registered["1"] = hook
        workspace.webhooks["1"] = linear.Webhook(
            id="1",
            created_at=workspace.now(),
            updated_at=workspace.now(),
            hook=hook,
            creator=workspace.viewer,
            resource_types=["Issue"],
            all_public_teams=True,
            team=None,
        )
        with workspace.lock:
            issue = workspace.add_issue("GRO", "Card form")
        received.wait()
        ends = monotonic() + 5
        while not hook.delivered and monotonic() < ends:
            sleep(0.01)

    assert json.loads(received.posts[0][2])["data"]["id"] == issue.id
    assert (hook.delivered, hook.failed) == (1, 0)


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "http://example.com/", "http://10.0.0.1/", "ftp://127.0.0.1/", "x"],
)
def test_nothing_is_sent_to_another_machine(url: str) -> None:
    assert send(url, {}, b"", 0.1) is None


def test_an_address_where_nobody_listens_is_no_answer() -> None:
    assert send("http://127.0.0.1:1/", {}, b"", 0.5) is None


def test_what_is_answered_is_what_counts() -> None:
    received = Received(503)
    with listening(received) as url:
        assert send(url, {}, b"x", 5) == 503
        assert send(f"{url}?a=b", {}, b"y", 5) == 503
    assert [body for _, _, body in received.posts] == [b"x", b"y"]
