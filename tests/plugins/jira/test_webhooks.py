"""Jira's change signals: signed by an administrator's webhook, and naming issues by id."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest
from tests.plugins.jira.conftest import Connect

from opsync import RecordError, Ref, Signal, SignatureError, SignInError
from opsync.sandbox.hooks import Hook
from opsync.sandbox.jira import JiraSite
from opsync_jira import Jira, webhooks

SECRET = b"an-administrators-secret-0123456789"


@pytest.fixture
def jira(connect: Connect, site: JiraSite) -> Jira:
    return connect(site)


def signed(body: bytes, secret: bytes = SECRET, **more: str) -> dict[str, str]:
    digest = hmac.new(secret, body, sha256).hexdigest()
    return {"x-hub-signature": f"sha256={digest}", **more}


def body(event: str, **more: Any) -> bytes:
    return json.dumps({"timestamp": 1763812800000, "webhookEvent": event, **more}).encode()


def affected(jira: Jira, raw: bytes) -> Signal:
    return jira.affected({}, raw)


def test_a_signed_delivery_is_known_by_its_identifier(jira: Jira) -> None:
    raw = body("jira:issue_updated", issue={"id": "10002"})
    headers = signed(raw, **{"x-atlassian-webhook-identifier": "7b0e-1"})
    again = headers | {"x-atlassian-webhook-retry": "2"}

    assert jira.verify(headers, raw, [SECRET]).id == "7b0e-1"
    assert jira.verify(again, raw, [b"the-next-secret", SECRET]).id == "7b0e-1"
    assert jira.verify(headers, raw, [SECRET]).sent_at is None
    assert jira.verify(signed(raw), raw, [SECRET]).id.startswith("sha256:")


def test_a_delivery_of_an_app_which_is_not_signed_over_its_body_is_refused(jira: Jira) -> None:
    raw = body("jira:issue_updated", issue={"id": "10002"})

    with pytest.raises(SignatureError, match="not signed"):
        jira.verify({"authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"}, raw, [SECRET])


@pytest.mark.parametrize("form", ["{}", "sha1={}", "sha512={}", "SHA256={}", "none"])
def test_the_algorithm_is_never_taken_from_the_header(jira: Jira, form: str) -> None:
    raw = body("jira:issue_updated", issue={"id": "10002"})
    digest = hmac.new(SECRET, raw, sha256).hexdigest()

    with pytest.raises(SignatureError):
        jira.verify({"X-Hub-Signature": form.format(digest)}, raw, [SECRET])


@pytest.mark.parametrize("event", ["created", "updated", "deleted"])
def test_an_issues_event_names_the_issue_by_its_id(jira: Jira, event: str) -> None:
    raw = body(f"jira:issue_{event}", issue={"id": "10002", "key": "PAY-2", "fields": {}})

    assert affected(jira, raw) == Signal((Ref("jira-main", "issue", "10002"),))


@pytest.mark.parametrize("event", ["issuelink_created", "issuelink_deleted"])
def test_a_links_event_names_both_its_ends_once(jira: Jira, event: str) -> None:
    link = {"id": 5, "sourceIssueId": 10002, "destinationIssueId": 10007}
    ends = tuple(Ref("jira-main", "issue", id_) for id_ in ("10002", "10007"))

    assert affected(jira, body(event, issueLink=link)).refs == ends
    same = link | {"destinationIssueId": 10002}
    assert affected(jira, body(event, issueLink=same)).refs == ends[:1]


@pytest.mark.parametrize(
    "event",
    [
        *("project_updated", "project_deleted", "project_soft_deleted"),
        *("project_restored_deleted", "project_archived", "project_restored_archived"),
    ],
)
def test_a_projects_event_names_nothing_so_that_what_changed_is_read(
    jira: Jira, event: str
) -> None:
    assert affected(jira, body(event, project={"id": 1})) == Signal(whole=True)


@pytest.mark.parametrize(
    "event",
    ["comment_created", "sprint_started", "jira:version_released", "new", ""],
)
def test_an_event_of_no_interest_is_an_empty_signal(jira: Jira, event: str) -> None:
    assert affected(jira, body(event, issue={"id": "10002"})) == Signal()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{",
        body("jira:issue_updated"),
        body("jira:issue_updated", issue={}),
        body("jira:issue_updated", issue={"id": "PAY-2"}),
        body("jira:issue_updated", issue={"id": "10002/../x"}),
        body("jira:issue_updated", issue={"id": "-1"}),
        body("jira:issue_updated", issue={"id": "\u0661"}),
        body("jira:issue_updated", issue={"id": [1]}),
        body("issuelink_created"),
        body("issuelink_created", issueLink={"sourceIssueId": 10002}),
        b'{"webhookEvent": 7}',
    ],
)
def test_a_signal_that_cannot_be_read_is_set_aside(jira: Jira, raw: bytes) -> None:
    with pytest.raises(RecordError):
        affected(jira, raw)


async def test_what_a_signal_names_can_be_looked_up(jira: Jira, site: JiraSite) -> None:
    issue = site.add_issue("PAY", "Card form")
    signal = affected(jira, body("jira:issue_updated", issue={"id": str(issue.id)}))
    (feed,) = await jira.feeds()

    (found,) = await jira.look_up(feed, signal.refs, {}, listed=False)

    (record,) = jira.normalize("issue", found.raw)  # type: ignore[union-attr]  # it is an Item
    assert (record.ref, record.title) == (signal.refs[0], "Card form")


URL = "https://opsync.harbor.example/hooks/jira-main"


async def test_a_webhook_is_made_once_and_changed_afterwards(jira: Jira, site: JiraSite) -> None:
    assert list(await jira.webhooks()) == []

    (made,) = await jira.register(URL, "the-first-secret-000000")
    (again,) = await jira.register(URL, "the-other-secret-000000")

    assert made == again
    assert (made.url, made.enabled, made.own, made.expires_at) == (URL, True, True, None)
    assert made.covers == "all issues"
    (hook,) = site.hooks.registered.values()
    assert hook.secret == "the-other-secret-000000"
    assert set(hook.events) == set(webhooks.EVENTS)


async def test_a_webhook_moves_to_another_address(jira: Jira) -> None:
    await jira.register(URL, "the-first-secret-000000")
    await jira.register(URL + "-2", "the-first-secret-000000")

    (only,) = await jira.webhooks()
    assert only.url == URL + "-2"


async def test_other_peoples_webhooks_are_shown_and_left_alone(jira: Jira, site: JiraSite) -> None:
    site.hooks.registered["7"] = Hook("7", URL, "", ("jira:issue_updated",), "somebody's")
    await jira.register(URL, "the-first-secret-000000")

    others = [one for one in await jira.webhooks() if not one.own]

    assert [(one.id, one.covers) for one in others] == [("7", "all issues, not signed")]
    assert site.hooks.registered["7"].secret == ""


async def test_only_the_projects_that_are_read_are_told_of(
    connect: Connect, site: JiraSite
) -> None:
    jira = connect(site, projects=["PAY"])
    (made,) = await jira.register(URL, "the-first-secret-000000")
    assert made.covers == 'project in ("PAY")'

    site.add_issue("MOB", "Not read")
    issue = site.add_issue("PAY", "Read")

    (post,) = site.hooks.take()
    headers, body_ = site.hooks.dress(post)
    jira.verify(headers, body_, [b"the-first-secret-000000"])
    assert jira.affected(headers, body_).refs == (Ref("jira-main", "issue", str(issue.id)),)


async def test_one_that_is_gone_is_no_error_to_remove(jira: Jira, site: JiraSite) -> None:
    (made,) = await jira.register(URL, "the-first-secret-000000")

    await jira.remove(made.id)
    await jira.remove(made.id)

    assert not site.hooks.registered
    with pytest.raises(RecordError, match="no id"):
        await jira.remove("../project/1")


async def test_who_is_no_administrator_is_told_what_that_means(jira: Jira, site: JiraSite) -> None:
    site.faults.missing_scopes = {"ADMINISTER"}

    with pytest.raises(SignInError, match="administrator of Jira"):
        await jira.register(URL, "the-first-secret-000000")


def test_what_has_no_such_api_says_what_to_click(connect: Connect, site: JiraSite) -> None:
    gateway = "https://api.atlassian.com/ex/jira/5e1f0c6a-0000-4000-8000-00000000ba12"
    assert connect(site).manages
    assert not connect(site, base_url=gateway).manages
    assert not connect(site, deployment="datacenter").manages

    steps = connect(site).steps(URL)

    assert URL in " ".join(steps)
    assert "OPSYNC_JIRA_MAIN__WEBHOOK_SECRET" in " ".join(steps)


async def test_a_webhook_of_an_app_cannot_be_made_with_a_token(jira: Jira) -> None:
    body_ = {"url": URL, "webhooks": []}
    with pytest.raises(SignInError, match="isn't an app"):
        await jira.context.http.write("POST", "/rest/api/3/webhook", json=body_, keyed=True)


EVENTS_OF = {
    "moved": (lambda site, key: site.set_status(key, "Done"), "jira:issue_updated"),
    "edited": (lambda site, key: site.edit(key, summary="New"), "jira:issue_updated"),
    "deleted": (lambda site, key: site.delete_issue(key), "jira:issue_deleted"),
}


@pytest.mark.parametrize("what", EVENTS_OF)
async def test_what_people_do_is_delivered_signed(jira: Jira, site: JiraSite, what: str) -> None:
    issue = site.add_issue("PAY", "Card form")
    await jira.register(URL, SECRET.decode())
    act, event = EVENTS_OF[what]

    act(site, issue.key)

    (post,) = site.hooks.take()
    headers, raw = site.hooks.dress(post)
    assert json.loads(raw)["webhookEvent"] == event
    assert jira.verify(headers, raw, [SECRET]).id == post.id
    assert jira.affected(headers, raw).refs == (Ref("jira-main", "issue", str(issue.id)),)
