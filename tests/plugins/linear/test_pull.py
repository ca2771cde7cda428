"""What is read from Linear, with which requests."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from opsync.errors import BadAnswer, RecordError, SignInError, TemporaryError
from opsync.sandbox.linear import LinearWorkspace
from tests.plugins.linear.conftest import Connect
from tests.support.clock import FakeClock
from tests.support.connector import pull, read


def asked(workspace: LinearWorkspace) -> list[dict[str, Any]]:
    """The variables of each request."""
    return [json.loads(each.request_body)["variables"] for each in workspace.exchanges]


async def test_issues_projects_and_initiatives_come_with_one_request(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    initiative = workspace.add_initiative("Checkout")
    project = workspace.add_project("Checkout web", teams=["GRO"], initiatives=[initiative])
    workspace.add_issue("GRO", "Card form", project=project)

    batches = await pull(connect(workspace))

    assert [item.stream for item in batches[0].items] == ["issue", "project", "initiative"]
    assert len(batches) == 1
    assert workspace.read_requests == 1
    assert workspace.write_requests == 0


async def test_a_run_with_nothing_new_makes_one_request(
    workspace: LinearWorkspace, connect: Connect, clock: FakeClock
) -> None:
    blocker = workspace.add_issue("GRO", "Card form")
    blocked = workspace.add_issue("GRO", "Pay button")
    workspace.relate(blocker, blocked)
    blocked.updated_at = clock.now() - timedelta(days=1)
    kept: dict[str, Any] = {}
    batches = await pull(connect(workspace, kept=kept))
    clock.advance(60)
    workspace.read_requests = 0

    again = await pull(connect(workspace, kept=kept), batches[0].high)

    assert workspace.read_requests == 1
    assert [item.id for item in again[0].items] == [blocker.id]


async def test_the_first_page_says_how_far_a_walk_reaches(
    workspace: LinearWorkspace, connect: Connect, clock: FakeClock
) -> None:
    for number in range(5):
        workspace.add_issue("GRO", f"Issue {number}", updated=clock.now() - timedelta(days=number))

    batches = await pull(connect(workspace, page_size=2))

    assert [len(batch.items) for batch in batches] == [2, 2, 1, 0]
    assert [batch.high for batch in batches] == [clock.now(), None, None, None]
    assert not any(batch.resumable for batch in batches)


async def test_what_changes_during_a_first_read_is_not_missed(
    workspace: LinearWorkspace, connect: Connect, clock: FakeClock
) -> None:
    for number in range(4):
        workspace.add_issue("GRO", f"Issue {number}", updated=clock.now() - timedelta(days=number))
    linear = connect(workspace, page_size=1)
    (feed,) = await linear.feeds()
    found: list[str] = []

    async for batch in linear.pull(feed, None):
        found += [item.id for item in batch.items]
        if len(found) == 1:
            clock.advance(1)
            workspace.set_state("GRO-4", "Done")

    assert set(found) == set(workspace.issues)


async def test_a_listing_that_has_ended_is_left_out_of_the_next_page(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_project("Checkout web", teams=["GRO"])
    for number in range(3):
        workspace.add_issue("GRO", f"Issue {number}")

    await pull(connect(workspace, page_size=2))

    assert [each["withProjects"] for each in asked(workspace)][:2] == [True, False]
    assert [each["withIssues"] for each in asked(workspace)][:2] == [True, True]


async def test_ten_thousand_points_are_never_asked_for_at_once(
    workspace: LinearWorkspace, connect: Connect, clock: FakeClock
) -> None:
    for number in range(460):
        workspace.add_issue("GRO", f"Issue {number}")
    linear = connect(workspace)

    batches = await pull(linear)
    await pull(linear, clock.now() - timedelta(days=1))

    assert [len(batch.items) for batch in batches] == [190, 250, 20, 0]
    assert {each.status for each in workspace.exchanges} == {200}


async def test_a_query_found_too_complex_is_asked_in_smaller_pages_from_then_on(
    connect: Connect, workspace: LinearWorkspace
) -> None:
    for number in range(8):
        workspace.add_issue("GRO", f"Issue {number}")
    inner = httpx.ASGITransport(workspace.app)

    class Strict(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if json.loads(request.content)["variables"]["firstIssues"] > 60:
                error = {"message": "Query too complex", "extensions": {"code": "INPUT_ERROR"}}
                return httpx.Response(400, json={"errors": [error], "data": None})
            return await inner.handle_async_request(request)

    kept: dict[str, Any] = {}
    assert len(await read(connect(transport=Strict(), kept=kept))) == 8
    assert kept["page_share"] == 0.25


async def test_archived_work_is_read_and_trashed_work_is_gone(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_issue("GRO", "Old")
    workspace.add_issue("GRO", "Thrown away")
    workspace.archive_issue("GRO-1")
    workspace.trash_issue("GRO-2")

    records = await read(connect(workspace))

    assert (records["GRO-1"].archived, records["GRO-1"].tombstone) == (True, "")
    assert records["GRO-2"].tombstone == "trashed"


async def test_a_changed_attachment_brings_its_issue_though_that_did_not_change(
    workspace: LinearWorkspace, connect: Connect, clock: FakeClock
) -> None:
    issue = workspace.add_issue("GRO", "Card form")
    linear = connect(workspace)
    (first,) = await pull(linear)
    clock.advance(3600)
    workspace.attachments_bump_issue = False
    workspace.attach(issue, "PAY-118", "https://harbor.atlassian.net/browse/PAY-118")

    (second,) = await pull(linear, clock.now() - timedelta(minutes=5))

    assert [item.id for item in second.items] == [issue.id]
    assert second.high == clock.now()
    assert first.high is not None
    assert first.high < clock.now()


async def test_a_finished_blocker_brings_what_it_blocked(
    workspace: LinearWorkspace, connect: Connect, clock: FakeClock
) -> None:
    workspace.add_issue("GRO", "Card form")
    workspace.add_issue("GRO", "Pay button")
    workspace.relate("GRO-1", "GRO-2")
    linear = connect(workspace)
    assert (await read(linear))["GRO-2"].blocked
    clock.advance(3600)
    workspace.set_state("GRO-1", "Done")

    records = await read(linear, clock.now() - timedelta(minutes=5))

    assert not records["GRO-2"].blocked


async def test_lists_longer_than_asked_for_are_read_in_full(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    issue = workspace.add_issue("GRO", "Card form", labels=[f"label {n}" for n in range(9)])
    for number in range(30):
        workspace.attach(issue, f"Link {number}", f"https://example.org/{number}")
    links = [(f"Spec {n}", f"https://example.org/{n}") for n in range(40)]
    workspace.add_project("Checkout web", teams=["GRO"], links=links)

    records = await read(connect(workspace))

    assert len(records["GRO-1"].labels) == 9
    assert len(records["GRO-1"].seen) == 30
    assert records["GRO-1"].seen_complete
    assert len(records["Checkout web"].texts) == 40
    assert workspace.read_requests == 3


async def test_long_lists_of_what_has_not_changed_are_not_read_again(
    workspace: LinearWorkspace, connect: Connect, clock: FakeClock
) -> None:
    issue = workspace.add_issue("GRO", "Card form", labels=[f"label {n}" for n in range(9)])
    links = [(f"Spec {n}", f"https://example.org/{n}") for n in range(40)]
    workspace.add_project("Checkout web", teams=["GRO"], links=links)
    kept: dict[str, Any] = {}
    await read(connect(workspace, kept=kept))
    clock.advance(60)
    since = clock.now() - timedelta(minutes=5)
    workspace.read_requests = 0

    assert await read(connect(workspace, kept=kept), since) == {}
    assert workspace.read_requests == 1

    workspace.attach(issue, "New", "https://example.org/new")
    again = await read(connect(workspace, kept=kept), since)
    assert len(again["GRO-1"].seen) == 1
    assert set(again) == {"GRO-1"}


async def test_all_that_a_finished_blocker_blocked_is_read_again(
    workspace: LinearWorkspace, connect: Connect, clock: FakeClock
) -> None:
    blocker = workspace.add_issue("GRO", "Card form")
    for number in range(7):
        workspace.relate(blocker, workspace.add_issue("GRO", f"Waits {number}"))
    kept: dict[str, Any] = {}
    await pull(connect(workspace, kept=kept))
    clock.advance(3600)
    workspace.set_state("GRO-1", "Done")

    since = clock.now() - timedelta(minutes=5)
    records = await read(connect(workspace, kept=kept), since)

    assert {key for key, record in records.items() if not record.blocked} == {
        f"GRO-{number}" for number in range(1, 9)
    }


async def test_pages_that_bring_nothing_new_are_no_batches(
    workspace: LinearWorkspace, connect: Connect, clock: FakeClock
) -> None:
    issue = workspace.add_issue("GRO", "Card form")
    for number in range(12):
        workspace.attach(issue, f"Link {number}", f"https://example.org/{number}")

    batches = await pull(connect(workspace, page_size=2), clock.now() - timedelta(days=1))

    assert [len(batch.items) for batch in batches] == [0, 1]
    assert workspace.read_requests == 7


async def test_only_the_configured_teams_are_read(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_issue("GRO", "Card form")
    workspace.add_issue("SEC", "Rotate keys")
    workspace.add_project("Checkout web", teams=["GRO"])
    workspace.add_project("Vault", teams=["SEC"])

    assert set(await read(connect(workspace, teams=("GRO",)))) == {"GRO-1", "Checkout web"}


async def test_the_workspace_is_learned_from_the_same_answer(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear = connect(workspace)
    await pull(linear)

    assert linear.context.kept["workspace"] == "harbor"
    assert linear.recognize("https://linear.app/harbor/issue/GRO-1/card-form") == "GRO-1"
    assert linear.recognize("https://linear.app/other/issue/GRO-1/card-form") is None


async def test_a_key_of_another_workspace_is_a_refused_sign_in_and_nothing_is_read_with_it(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_issue("GRO", "Card form")

    with pytest.raises(SignInError, match=r"'harbor'.*'acme'") as caught:
        await pull(connect(workspace, workspace="acme"))

    assert 'workspace = "harbor"' in caught.value.hint
    assert len(await read(connect(workspace, workspace="Harbor"))) == 1


async def test_a_team_that_is_misspelled_or_hidden_is_told_and_nothing_is_read(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_issue("GRO", "Card form")

    with pytest.raises(SignInError, match="no team GR0, or it is hidden") as caught:
        await pull(connect(workspace, teams=("GRO", "GR0")))

    assert "Check `teams`" in caught.value.hint
    assert workspace.read_requests == 1


async def test_a_change_in_the_future_does_not_hide_what_changes_until_then(
    workspace: LinearWorkspace, connect: Connect, clock: FakeClock
) -> None:
    workspace.add_issue("GRO", "From an import", updated=clock.now() + timedelta(days=900))

    (batch,) = await pull(connect(workspace))

    assert batch.high is not None
    assert batch.high <= clock.now() + timedelta(seconds=1)


async def test_a_refused_token_is_named_with_the_click_that_mends_it(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.faults.refuse_token = True

    with pytest.raises(SignInError, match="Personal API keys"):
        await pull(connect(workspace))


async def test_an_oauth_token_goes_as_bearer(workspace: LinearWorkspace, connect: Connect) -> None:
    workspace.add_issue("GRO", "Card form")

    assert len(await read(connect(workspace, token="lin_oauth_sandbox"))) == 1


async def test_a_rate_limit_on_a_400_is_waited_for(
    workspace: LinearWorkspace, connect: Connect, clock: FakeClock
) -> None:
    workspace.add_issue("GRO", "Card form")
    workspace.faults.rate_limit_next = 1

    assert len(await read(connect(workspace))) == 1
    assert sum(clock.slept) >= 1


@pytest.mark.parametrize("fault", ["html", "outage"])
async def test_a_web_page_or_an_outage_ends_the_walk(
    workspace: LinearWorkspace, connect: Connect, fault: str
) -> None:
    setattr(workspace.faults, fault, True)

    with pytest.raises(TemporaryError):
        await pull(connect(workspace))


async def test_a_cut_answer_is_asked_for_again(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_issue("GRO", "Card form")
    workspace.faults.cut_next = 1

    assert len(await read(connect(workspace))) == 1
    assert workspace.read_requests == 2


def answer(body: dict[str, Any]) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _request: httpx.Response(200, json=body))


def page(nodes: list[Any], *, more: bool = False, cursor: str | None = None) -> dict[str, Any]:
    return {"pageInfo": {"hasNextPage": more, "endCursor": cursor}, "nodes": nodes}


ISSUE = {
    "id": "6f6bfa5b-6e53-4f0e-9c4d-3c8f2f0f0001",
    "identifier": "GRO-1",
    "title": "Card form",
    "url": "https://linear.app/harbor/issue/GRO-1/card-form",
    "createdAt": "2026-03-01T09:00:00.000Z",
    "updatedAt": "2026-03-01T09:00:00.000Z",
    "state": {"id": "s", "name": "Todo", "type": "unstarted"},
    "team": {"id": "t", "key": "GRO", "name": "Growth", "visibility": "public"},
}


async def test_one_unreadable_issue_is_set_aside_and_the_others_go_on(connect: Connect) -> None:
    broken = ISSUE | {"id": "broken", "dueDate": "someday"}
    data = {
        "organization": {"urlKey": "harbor"},
        "issues": page([ISSUE, broken]),
        "projects": page([]),
        "initiatives": page([]),
    }

    (batch,) = await pull(connect(transport=answer({"data": data})))

    assert [item.id for item in batch.items] == [ISSUE["id"], "broken"]
    assert isinstance(batch.items[1].raw, RecordError)
    assert batch.high is not None


async def test_data_beside_an_error_is_never_read_as_all(connect: Connect) -> None:
    data = {"issues": page([ISSUE]), "projects": page([]), "initiatives": None}
    errors = [{"message": "boom", "extensions": {"type": "internal error"}}]

    with pytest.raises(TemporaryError, match="boom"):
        await pull(connect(transport=answer({"data": data, "errors": errors})))


async def test_a_listing_that_is_not_answered_is_not_taken_for_an_empty_one(
    connect: Connect,
) -> None:
    data = {"issues": page([ISSUE]), "projects": page([])}

    with pytest.raises(BadAnswer, match="initiatives"):
        await pull(connect(transport=answer({"data": data})))


async def test_a_listing_that_never_ends_is_given_up(connect: Connect) -> None:
    data = {
        "issues": page([ISSUE], more=True, cursor="same"),
        "projects": page([]),
        "initiatives": page([]),
    }

    with pytest.raises(BadAnswer, match="does not end"):
        await pull(connect(transport=answer({"data": data})))


async def test_a_listing_of_empty_pages_is_not_followed_in_silence(connect: Connect) -> None:
    """The core ends a listing whose batches stay empty; it must get to see them."""
    asked: list[int] = []

    def answering(_request: httpx.Request) -> httpx.Response:
        asked.append(1)
        more = {"hasNextPage": True, "endCursor": f"c{len(asked)}"}
        end = {"hasNextPage": False, "endCursor": None}
        roots = {
            "issues": {"nodes": [], "pageInfo": more},
            "projects": {"nodes": [], "pageInfo": end},
            "initiatives": {"nodes": [], "pageInfo": end},
        }
        return httpx.Response(200, json={"data": {"organization": {"urlKey": "harbor"}, **roots}})

    linear = connect(transport=httpx.MockTransport(answering))
    (feed,) = await linear.feeds()
    batches = linear.pull(feed, None)

    assert [(await anext(batches)).items for _ in range(5)] == [[]] * 5
