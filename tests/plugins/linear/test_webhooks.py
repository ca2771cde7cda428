"""Linear's change signals: signed, with the time in what is signed, and naming things by id."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from opsync import RecordError, Ref, RefusedError, Signal, SignatureError
from opsync.sandbox.linear import LinearWorkspace
from opsync.sandbox.validate import validate_linear
from opsync_linear import Linear, webhooks
from tests.plugins.linear.conftest import Connect

SECRET = b"lin_wh_0123456789abcdefghijklmnop"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ISSUE = "a1f3b6a2-0000-4000-8000-000000000001"
OTHER = "a1f3b6a2-0000-4000-8000-000000000002"


@pytest.fixture
def linear(connect: Connect, workspace: LinearWorkspace) -> Linear:
    return connect(workspace)


def body(type_: str = "Issue", at: Any = NOON, **data: Any) -> bytes:
    sent = at.timestamp() * 1000 if isinstance(at, datetime) else at
    return json.dumps(
        {"action": "update", "type": type_, "data": data, "webhookTimestamp": sent}
    ).encode()


def signed(raw: bytes, **more: str) -> dict[str, str]:
    return {"linear-signature": hmac.new(SECRET, raw, sha256).hexdigest(), **more}


def test_a_signed_delivery_tells_its_id_and_when_it_was_sent(linear: Linear) -> None:
    raw = body(id=ISSUE)

    found = linear.verify(signed(raw, **{"Linear-Delivery": "234d1a4e"}), raw, [b"x", SECRET])

    assert (found.id, found.sent_at) == ("234d1a4e", NOON)
    assert linear.verify(signed(raw), raw, [SECRET]).id.startswith("sha256:")
    assert linear.answers == 200


@pytest.mark.parametrize("off", [60, -60, 0])
def test_a_minute_either_way_is_timely(linear: Linear, off: float) -> None:
    raw = body(id=ISSUE, at=NOON + timedelta(seconds=off))

    assert linear.timely(linear.verify(signed(raw), raw, [SECRET]), NOON)


@pytest.mark.parametrize("off", [60.001, -60.001, 3600])
def test_more_than_a_minute_is_not(linear: Linear, off: float) -> None:
    raw = body(id=ISSUE, at=NOON + timedelta(seconds=off))

    assert not linear.timely(linear.verify(signed(raw), raw, [SECRET]), NOON)


@pytest.mark.parametrize("at", [None, "soon", 1e22, -1e22, True, [1], {}])
def test_a_time_that_is_none_makes_a_delivery_untimely_and_nothing_worse(
    linear: Linear, at: object
) -> None:
    raw = body(id=ISSUE, at=at)

    found = linear.verify(signed(raw), raw, [SECRET])

    assert found.sent_at is None
    assert not linear.timely(found, NOON)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[]", b'{"a":' + b"[" * 100_000])
def test_what_is_signed_and_no_json_is_no_accident(linear: Linear, raw: bytes) -> None:
    assert linear.verify(signed(raw), raw, [SECRET]).sent_at is None


def test_the_time_of_an_unsigned_header_is_not_believed(linear: Linear) -> None:
    raw = body(id=ISSUE, at=NOON - timedelta(hours=1))
    headers = signed(raw, **{"linear-timestamp": str(int(NOON.timestamp() * 1000))})

    assert not linear.timely(linear.verify(headers, raw, [SECRET]), NOON)


@pytest.mark.parametrize("form", ["sha256={}", "{} ", "", "sha1={}", "\u00e9{}"])
def test_the_signature_has_no_prefix(linear: Linear, form: str) -> None:
    raw = body(id=ISSUE)
    digest = hmac.new(SECRET, raw, sha256).hexdigest()

    with pytest.raises(SignatureError):
        linear.verify({"Linear-Signature": form.format(digest)}, raw, [SECRET])


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (body("Issue", id=ISSUE), [("issue", ISSUE)]),
        (body("Project", id=ISSUE), [("project", ISSUE)]),
        (body("Initiative", id=ISSUE), [("initiative", ISSUE)]),
        (body("Attachment", id=OTHER, issueId=ISSUE), [("issue", ISSUE)]),
        (
            body("Attachment", id="x", issueId=ISSUE, originalIssueId=OTHER),
            [("issue", ISSUE), ("issue", OTHER)],
        ),
        (body("Attachment", issueId=ISSUE, originalIssueId=ISSUE), [("issue", ISSUE)]),
        (body("ProjectUpdate", id=OTHER, projectId=ISSUE), [("project", ISSUE)]),
        (body("InitiativeUpdate", id=OTHER, initiativeId=ISSUE), [("initiative", ISSUE)]),
    ],
)
def test_an_event_names_what_it_is_about(
    linear: Linear, raw: bytes, named: list[tuple[str, str]]
) -> None:
    refs = tuple(Ref("linear", stream, id_) for stream, id_ in named)

    assert linear.affected({}, raw) == Signal(refs)


@pytest.mark.parametrize("type_", ["Comment", "IssueLabel", "Cycle", "User", "Reaction", "New", ""])
def test_an_event_of_no_interest_is_an_empty_signal(linear: Linear, type_: str) -> None:
    assert linear.affected({}, body(type_, id=ISSUE, issueId=ISSUE)) == Signal()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"type": "Issue"}',
        b'{"type": "Issue", "data": null}',
        b'{"type": "Issue", "data": {"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        body("Issue"),
        body("Issue", id=""),
        body("Issue", id=7),
        body("Attachment", id=ISSUE),
        body("ProjectUpdate", id=ISSUE),
        body("InitiativeUpdate", id=ISSUE),
    ],
)
def test_a_signal_that_cannot_be_read_is_set_aside(linear: Linear, raw: bytes) -> None:
    with pytest.raises(RecordError):
        linear.affected({}, raw)


async def test_what_a_signal_names_can_be_looked_up(
    linear: Linear, workspace: LinearWorkspace
) -> None:
    issue = workspace.add_issue("GRO", "Card form")
    signal = linear.affected({}, body("Issue", id=issue.id))
    (feed,) = await linear.feeds()

    (found,) = await linear.look_up(feed, signal.refs, {}, listed=False)

    (record,) = linear.normalize("issue", found.raw)  # type: ignore[union-attr]  # it is an Item
    assert (record.ref, record.title) == (signal.refs[0], "Card form")


def test_what_linear_really_sent_names_its_issues_and_projects(
    linear: Linear, data_dir: Path
) -> None:
    folder = data_dir / "linear-webhooks"
    if not folder.is_dir():
        pytest.skip("linear-webhooks absent")
    streams: set[str] = set()

    for file in sorted(folder.glob("*.json")):
        streams |= {ref.stream for ref in linear.affected({}, file.read_bytes()).refs}

    assert {"issue", "project"} <= streams


URL = "https://opsync.harbor.example/hooks/linear"


async def test_each_private_team_has_a_webhook_of_its_own(
    linear: Linear, workspace: LinearWorkspace
) -> None:
    made = await linear.register(URL, SECRET.decode())

    assert sorted(one.covers for one in made) == ["all public teams", "team SEC"]
    assert all(one.own and one.enabled and one.url == URL for one in made)
    assert {hook.secret for hook in workspace.hooks.registered.values()} == {SECRET.decode()}


async def test_what_is_there_is_changed_and_what_is_over_is_taken_away(
    connect: Connect, workspace: LinearWorkspace
) -> None:
    await connect(workspace).register(URL, SECRET.decode())
    before = set(workspace.hooks.registered)

    (only,) = await connect(workspace, teams=["GRO"]).register(URL + "2", "another-secret-000")

    assert only.id in before
    assert only.url == URL + "2"
    assert [hook.secret for hook in workspace.hooks.registered.values()] == ["another-secret-000"]


async def test_one_that_linear_switched_off_is_on_again_after_it_is_registered(
    linear: Linear, workspace: LinearWorkspace
) -> None:
    await linear.register(URL, SECRET.decode())
    for hook in workspace.hooks.registered.values():
        hook.enabled = False
    assert not any(one.enabled for one in await linear.webhooks())

    assert all(one.enabled for one in await linear.register(URL, SECRET.decode()))


async def test_other_peoples_webhooks_are_left_alone(
    linear: Linear, connect: Connect, workspace: LinearWorkspace
) -> None:
    await linear.register(URL, SECRET.decode())
    for webhook in workspace.webhooks.values():
        webhook.hook.name = "deploys"

    await linear.register(URL, "another-secret-000")

    others = [one for one in await linear.webhooks() if not one.own]
    assert len(others) == 2
    assert all(workspace.hooks.registered[one.id].secret == SECRET.decode() for one in others)


async def test_all_pages_of_the_list_are_read(
    linear: Linear, workspace: LinearWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "LISTED", small := webhooks.LISTED.replace("250", "1"))
    monkeypatch.setitem(webhooks.COSTS, small, 7)

    await linear.register(URL, SECRET.decode())
    await linear.register(URL, SECRET.decode())

    assert len(await linear.webhooks()) == 2


async def test_one_that_is_gone_is_no_error_to_remove(
    linear: Linear, workspace: LinearWorkspace
) -> None:
    made = await linear.register(URL, SECRET.decode())
    for one in made:
        await linear.remove(one.id)
        await linear.remove(one.id)

    assert not workspace.webhooks
    assert not workspace.hooks.registered


async def test_who_is_no_admin_is_told_what_that_means(
    linear: Linear, workspace: LinearWorkspace
) -> None:
    workspace.faults.missing_scopes = {"admin"}

    with pytest.raises(RefusedError, match="Only an admin of the workspace"):
        await linear.register(URL, SECRET.decode())


def test_people_are_told_what_to_click(linear: Linear) -> None:
    steps = " ".join(linear.steps(URL))

    assert URL in steps
    assert "OPSYNC_LINEAR__WEBHOOK_SECRET" in steps


async def test_what_people_do_is_delivered_signed_and_private_work_to_its_own_webhook(
    linear: Linear, workspace: LinearWorkspace
) -> None:
    await linear.register(URL, SECRET.decode())
    issues = [workspace.add_issue(team, f"Work of {team}") for team in ("GRO", "SEC")]

    told = []
    for post in workspace.hooks.take():
        headers, raw = workspace.hooks.dress(post)
        found = linear.verify(headers, raw, [SECRET])
        assert linear.timely(found, workspace.now())
        assert found.id == post.id
        covers = workspace.webhooks[post.hook.id].team
        told.append((covers.key if covers else "", linear.affected(headers, raw).refs[0].id))

    assert sorted(told) == [("", issues[0].id), ("SEC", issues[1].id)]


async def test_the_trash_and_attachments_are_told_of(
    linear: Linear, workspace: LinearWorkspace
) -> None:
    issue = workspace.add_issue("GRO", "Card form")
    await linear.register(URL, SECRET.decode())

    workspace.attach(issue, "Design", "https://example.com/design")
    workspace.trash_issue(issue.identifier)

    told = [json.loads(workspace.hooks.dress(post)[1]) for post in workspace.hooks.take()]
    assert ("Attachment", "create") in {(one["type"], one["action"]) for one in told}
    assert ("Issue", "remove") in {(one["type"], one["action"]) for one in told}
    refs = {ref for one in told for ref in linear.affected({}, json.dumps(one).encode()).refs}
    assert refs == {Ref("linear", "issue", issue.id)}


@pytest.mark.slow
async def test_managing_them_keeps_to_the_vendors_schema(
    linear: Linear, workspace: LinearWorkspace, specs_dir: Path
) -> None:
    made = await linear.register(URL, SECRET.decode())
    await linear.register(URL, SECRET.decode())
    await linear.remove(made[0].id)

    report = validate_linear(workspace.exchanges, specs_dir / "linear-schema.graphql")

    assert report.problems == []
    assert report.answers > 4
