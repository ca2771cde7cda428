from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.plugins.jira.conftest import SITE, Connect, settings
from tests.support.clock import FakeClock
from tests.support.connector import read

from opsync import Category, Kind, Person, Record, RecordError, Ref, Text
from opsync.sandbox.jira import JiraSite
from opsync_jira import wire
from opsync_jira.normalize import Normalizer

CUSTOM = (("estimate", "customfield_2"), ("flagged", "customfield_3"), ("points", "customfield_1"))


def normalize(fields: dict[str, Any], **changes: Any) -> Record:
    body = json.dumps({"issues": [{"id": "10", "key": "PAY-1", "fields": fields}]})
    page = msgspec.json.decode(body, type=wire.page_type(CUSTOM))
    return Normalizer("jira-main", settings(**changes)).record(page.issues[0])


def status(key: str, name: str = "Some", id_: str = "3") -> dict[str, Any]:
    return {"id": id_, "name": name, "statusCategory": {"id": 2, "key": key, "name": "Any"}}


def link(type_name: str, other: dict[str, Any] | None, side: str = "inwardIssue") -> dict[str, Any]:
    end = {"id": "7", "key": "PAY-7"} | ({"fields": {"status": other}} if other else {})
    return {"id": "1", "type": {"id": "10000", "name": type_name}, side: end}


async def test_an_issue_becomes_a_record(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    born = clock.now()
    ben = site.add_user("Ben Okoro", "ben@harbor.example")
    site.add_issue("PAY", "Checkout core", issue_type="Epic")
    clock.advance(60)
    site.add_issue(
        "PAY",
        "Tokenise cards",
        parent="PAY-1",
        assignee=ben,
        labels=["web"],
        points=5,
        priority="High",
        created=born,
        status="Doing",
        started=clock.now(),
        due=date(2026, 12, 1),
        description="Design: https://www.notion.so/x-0123456789abcdef0123456789abcdef.",
    )

    record = (await read(connect(site)))["PAY-2"]

    epic, issue = site.issue("PAY-1"), site.issue("PAY-2")
    assert record.ref == Ref("jira-main", "issue", str(issue.id))
    assert record.parents == (Ref("jira-main", "issue", str(epic.id)),)
    assert record.kind is Kind.issue
    assert (record.title, record.url) == ("Tokenise cards", f"{SITE}/browse/PAY-2")
    assert record.status is not None
    assert (record.status.name, record.category) == ("Doing", Category.in_progress)
    assert record.owner == Person(ben.account_id, "Ben Okoro", "ben@harbor.example")
    assert (record.labels, record.estimate, record.priority) == (("web",), 5.0, "High")
    assert (record.created_at, record.updated_at) == (born, clock.now())
    assert (record.started_at, record.completed_at) == (clock.now(), None)
    assert record.due_on == date(2026, 12, 1)
    assert record.space == "Payments"
    assert record.aliases == ("PAY-2",)
    assert record.extra == {"project": "PAY", "type": "Story", "status": "Doing"}
    assert not record.blocked
    assert not record.private
    assert not record.seen_complete
    (text,) = record.texts
    assert text.field == "description"
    assert "https://www.notion.so/x-0123456789abcdef0123456789abcdef" in text.text
    assert not text.property


async def test_an_issue_moved_to_another_project_stays_the_same_record(
    site: JiraSite, connect: Connect
) -> None:
    site.add_issue("PAY", "Wanders")
    jira = connect(site)
    before = (await read(jira))["PAY-1"]
    site.move_issue("PAY-1", "MOB", "MOB-41")

    after = (await read(jira))["MOB-41"]

    assert after.ref == before.ref
    assert (after.space, after.aliases) == ("Mobile", ("MOB-41",))


async def test_writing_a_remote_link_changes_nothing_but_the_time_of_change(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    issue = site.add_issue("PAY", "Has a link")
    jira = connect(site)
    before = (await read(jira))["PAY-1"]
    clock.advance(60)
    link = {"globalId": "opsync:link:x", "object": {"title": "T", "url": "https://x.example"}}
    site.put_remote_link(issue.id, link)

    after = (await read(jira))["PAY-1"]

    assert msgspec.structs.replace(after, updated_at=before.updated_at) == before


@pytest.mark.parametrize(
    ("level", "kind"),
    [(-1, Kind.issue), (0, Kind.issue), (1, Kind.epic), (2, Kind.initiative), (3, Kind.initiative)],
)
def test_the_hierarchy_level_decides_the_kind(level: int, kind: Kind) -> None:
    issue_type = {"id": "1", "name": "Épopée", "hierarchyLevel": level}

    assert normalize({"issuetype": issue_type}).kind is kind


@pytest.mark.parametrize(
    ("key", "category"),
    [
        ("new", Category.todo),
        ("indeterminate", Category.in_progress),
        ("done", Category.done),
        ("undefined", Category.unknown),
        ("in-flight", Category.unknown),
    ],
)
def test_the_status_category_decides_and_not_the_name(key: str, category: Category) -> None:
    assert normalize({"status": status(key, "Done")}).category is category


def test_the_statuses_map_comes_first_by_id_or_name() -> None:
    chosen = {"3": Category.backlog, "Ice box": Category.backlog}

    assert normalize({"status": status("new")}, statuses=chosen).category is Category.backlog
    iced = status("indeterminate", "Ice box", "9")
    assert normalize({"status": iced}, statuses=chosen).category is Category.backlog
    assert normalize({"status": status("new", "ice box", "9")}, statuses=chosen).category is (
        Category.todo
    )


def test_a_mapped_resolution_counts_for_done_issues_only() -> None:
    chosen = {"Won't Do": Category.canceled}
    resolution = {"id": "10001", "name": "Won't Do"}

    done = normalize({"status": status("done"), "resolution": resolution}, resolutions=chosen)
    reopened = normalize({"status": status("new"), "resolution": resolution}, resolutions=chosen)
    by_id = normalize(
        {"status": status("done"), "resolution": resolution},
        resolutions={"10001": Category.canceled},
    )

    assert done.category is Category.canceled
    assert done.completed_at is None
    assert reopened.category is Category.todo
    assert by_id.category is Category.canceled
    assert done.extra["resolution"] == "Won't Do"


def test_when_a_status_was_entered_that_only_the_settings_call_done_is_not_known() -> None:
    fields = {
        "status": status("indeterminate", "Released", "7"),
        "statuscategorychangedate": "2026-02-01T10:00:00.000Z",
    }

    released = normalize(fields, statuses={"Released": Category.done})

    # The date is when work on it began: Jira's own category has not changed since.
    assert (released.category, released.completed_at) == (Category.done, None)
    assert normalize(fields).started_at is not None


def test_a_done_issue_was_completed_when_resolved_or_when_it_became_done() -> None:
    moved, resolved = "2026-02-01T10:00:00.500+0100", "2026-01-31T12:00:00.000Z"
    fields = {"status": status("done"), "statuscategorychangedate": moved}

    unresolved = normalize(fields)

    assert unresolved.completed_at == datetime(2026, 2, 1, 9, 0, 0, 500_000, UTC)
    assert unresolved.completed_at.tzinfo is UTC
    assert unresolved.started_at is None
    assert normalize(fields | {"resolutiondate": resolved}).completed_at == datetime(
        2026, 1, 31, 12, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("fields", "blocked"),
    [
        ({"customfield_3": [{"value": "Impediment"}]}, True),
        ({"customfield_3": []}, False),
        ({"issuelinks": [link("Blocks", status("indeterminate"))]}, True),
        ({"issuelinks": [link("Blocks", None)]}, True),
        ({"issuelinks": [link("Blocks", status("done"))]}, False),
        ({"issuelinks": [link("Blocks", status("new"), "outwardIssue")]}, False),
        ({"issuelinks": [link("Relates", status("new"))]}, False),
        ({"labels": ["waiting", "blocked"]}, True),
        ({"status": status("indeterminate", "Blocked", "77")}, True),
        ({"status": status("indeterminate", "Blocked by Ana", "78")}, False),
    ],
)
def test_what_blocks_an_issue(fields: dict[str, Any], blocked: bool) -> None:
    record = normalize(fields, blocked_labels=["blocked"], blocked_statuses=["77"])

    assert record.blocked is blocked


def test_a_blocker_in_a_status_mapped_to_canceled_blocks_nothing() -> None:
    fields = {"issuelinks": [link("Blocks", status("new", "Dropped", "8"))]}

    assert not normalize(fields, statuses={"Dropped": Category.canceled}).blocked


@pytest.mark.parametrize(
    ("fields", "estimate"),
    [
        ({"customfield_1": 3}, 3.0),
        ({"customfield_1": None, "customfield_2": 0.5}, 0.5),
        ({"customfield_1": "8"}, 8.0),
        ({"customfield_1": {"value": "L"}}, None),
        ({}, None),
    ],
)
def test_estimates_are_numbers_of_the_first_field_that_has_one(
    fields: dict[str, Any], estimate: float | None
) -> None:
    assert normalize(fields).estimate == estimate


def test_an_issue_holds_its_estimates_in_points_and_in_hours() -> None:
    fields = {"customfield_1": 3, "timeoriginalestimate": 27_000}

    both = normalize(fields)

    assert both.estimates == {"points": 3.0, "hours": 7.5}
    assert (both.estimate, both.estimate_unit) == (3.0, "points")
    only_time = normalize({"timeoriginalestimate": 0})
    assert (only_time.estimates, only_time.estimate) == ({"hours": 0.0}, None)
    assert only_time.estimate_unit == ""


def test_a_time_field_named_in_the_settings_counts_in_hours() -> None:
    fields = {"customfield_1": 3, "timeoriginalestimate": 27_000}

    record = normalize(fields, estimate_field="timeoriginalestimate")

    assert (record.estimate, record.estimate_unit) == (7.5, "hours")
    assert record.estimates == {"points": 3.0, "hours": 7.5}


def test_another_time_field_of_the_settings_stands_in_for_the_original_estimate() -> None:
    custom = (("points", "customfield_1"), ("time", "timeestimate"))
    given = {"customfield_1": 3, "timeestimate": 3600, "timeoriginalestimate": 7200}
    body = {"issues": [{"id": "1", "key": "PAY-1", "fields": given}]}
    page = msgspec.json.decode(json.dumps(body), type=wire.page_type(custom))
    normalizer = Normalizer("jira-main", settings(estimate_field="timeestimate"))

    assert normalizer.record(page.issues[0]).estimates == {"points": 3.0, "hours": 1.0}


@pytest.mark.parametrize(
    ("fields", "hindrances"),
    [
        ({}, ()),
        ({"customfield_3": [{"value": "Impediment"}]}, ("flag",)),
        ({"issuelinks": [link("Blocks", status("new"))]}, ("link",)),
        ({"issuelinks": [link("Blocks", status("done"))]}, ()),
        (
            {"customfield_3": [{"value": "x"}], "issuelinks": [link("Blocks", status("new"))]},
            ("link", "flag"),
        ),
        ({"labels": ["blocked"]}, ()),
    ],
)
def test_the_facts_that_may_block_an_issue_are_told_apart(
    fields: dict[str, Any], hindrances: tuple[str, ...]
) -> None:
    record = normalize(fields, blocked_labels=["blocked"])

    assert record.hindrances == hindrances
    assert record.blocked is bool(hindrances or fields.get("labels"))


@pytest.mark.parametrize(
    ("issue_type", "subtask"),
    [
        ({"hierarchyLevel": -1, "subtask": True}, True),
        ({"hierarchyLevel": 0, "subtask": False}, False),
        ({"subtask": True}, True),
        ({"subtask": False}, False),
        ({}, False),
    ],
)
def test_the_issue_type_says_what_is_a_sub_task(issue_type: dict[str, Any], subtask: bool) -> None:
    assert normalize({"issuetype": issue_type}).subtask is subtask


async def test_what_teams_go_by_is_read_from_the_site(site: JiraSite, connect: Connect) -> None:
    ben = site.add_user("Ben Okoro", "ben@harbor.example")
    site.add_issue("PAY", "Vault cards", hours=7.5, points=3, assignee=ben)
    site.add_issue("PAY", "Rotate keys", issue_type="Sub-task", parent="PAY-1", flagged=True)
    site.deactivate(ben)

    records = await read(connect(site))

    story, part = records["PAY-1"], records["PAY-2"]
    assert (story.space_key, story.estimates) == ("PAY", {"points": 3.0, "hours": 7.5})
    assert story.owner == Person(ben.account_id, "Ben Okoro", "ben@harbor.example", active=False)
    assert (story.subtask, part.subtask) == (False, True)
    assert part.hindrances == ("flag",)


def test_a_security_level_makes_an_issue_private() -> None:
    assert normalize({"security": {"id": "1", "name": "Legal"}}).private
    assert not normalize({"security": None}).private


def test_an_issue_without_any_field_is_still_a_record() -> None:
    record = normalize({})

    assert (record.title, record.category, record.owner) == ("", Category.unknown, None)


def test_an_issue_whose_status_is_null_is_none_that_jira_gives() -> None:
    """As a record it would count as no work, and its time of change would never tell otherwise."""
    with pytest.raises(msgspec.ValidationError, match="status"):
        normalize({"status": None})


def test_hostile_text_is_kept_as_it_is() -> None:
    hostile = "<script>alert(1)</script>\u202e\x00 PAY-2 " + "x" * 65536

    record = normalize({"summary": hostile})

    assert record.title == hostile
    assert record.texts == (Text("summary", hostile),)


def doc(*blocks: object) -> dict[str, object]:
    return {"type": "doc", "version": 1, "content": list(blocks)}


def paragraph(*inline: object) -> dict[str, object]:
    return {"type": "paragraph", "content": list(inline)}


def text(words: str, href: str | None = None) -> dict[str, object]:
    plain: dict[str, object] = {"type": "text", "text": words}
    return plain | {"marks": [{"type": "link", "attrs": {"href": href}}]} if href else plain


@pytest.mark.parametrize(
    ("description", "words"),
    [
        (doc(paragraph(text("after "), text("GRO-4"), text("4."))), ["after", "GRO-44."]),
        (doc(paragraph(text("the card", "https://a.example/1"))), ["the", "card", "https://a.example/1"]),
        (doc(paragraph(text("https://a.example/1", "https://a.example/1"))), ["https://a.example/1"]),
        (
            doc(paragraph(text("see"), {"type": "inlineCard", "attrs": {"url": "https://a.example"}})),
            ["see", "https://a.example"],
        ),
        (
            doc({"type": "blockCard", "attrs": {"data": {"url": "https://a.example"}}}),
            ["https://a.example"],
        ),
        (
            doc({"type": "bulletList", "content": [{"type": "listItem", "content": [
                paragraph(text("PAY-1")), paragraph(text("2"))]}]}),
            ["PAY-1", "2"],
        ),
        (doc(paragraph(text("PAY-1"), {"type": "hardBreak"}, text("2"))), ["PAY-1", "2"]),
        (
            doc({"type": "x-new", "attrs": {"url": 7}, "content": [paragraph(text("PAY-1"))]}),
            ["PAY-1"],
        ),
        (
            "see [the card|https://a.example/1] and PAY-1",
            ["see", "the", "card", "https://a.example/1", "and", "PAY-1"],
        ),
    ],
)  # fmt: skip
def test_a_description_is_read_in_words_with_every_address(
    description: object, words: list[str]
) -> None:
    (found,) = normalize({"description": description}).texts

    assert found.field == "description"
    assert not found.property
    assert found.text.split() == words


@pytest.mark.parametrize(
    "description", [None, "", "nothing here", doc(paragraph(text("well-known, pay-1 and -5")))]
)
def test_a_description_that_names_nothing_is_no_text(description: object) -> None:
    assert normalize({"description": description}).texts == ()


def test_a_description_nested_without_end_sets_the_issue_aside() -> None:
    deep: object = text("PAY-1")
    for _ in range(5000):
        deep = {"type": "blockquote", "content": [deep]}
    written = msgspec.Raw(deep_json(deep))
    issue = wire.Issue("10", "PAY-1", wire.Fields(description=written))

    with pytest.raises(RecordError, match="too deep"):
        Normalizer("jira-main", settings()).record(issue)


def deep_json(node: object) -> bytes:
    """`json.dumps` without its own recursion limit: innermost first."""
    opened = 0
    while isinstance(node, dict) and "content" in node:
        node, opened = node["content"][0], opened + 1
    begin = b'{"type":"blockquote","content":['
    return begin * opened + json.dumps(node).encode() + b"]}" * opened


@pytest.mark.parametrize(
    ("url", "key"),
    [
        (f"{SITE}/browse/PAY-118", "PAY-118"),
        (f"{SITE}/browse/pay-118?focusedCommentId=1#c", "PAY-118"),
        ("http://HARBOR.atlassian.net/browse/PAY-118/", "PAY-118"),
        (f"{SITE}/jira/software/c/projects/PAY/issues/PAY-118", "PAY-118"),
        (f"{SITE}/jira/software/projects/PAY/boards/3?label=a&selectedIssue=PAY-118", "PAY-118"),
        (f"{SITE}/jira/core/projects/PAY/board?selectedIssue=PAY-118#top", "PAY-118"),
        (f"{SITE}/projects/PAY/issues/PAY-118?filter=allopenissues", "PAY-118"),
        (f"{SITE}/servicedesk/customer/portal/2/PAY-118", "PAY-118"),
        (f"{SITE}/jira/servicedesk/projects/PAY/queues/custom/7/PAY-118", "PAY-118"),
        (f"{SITE}/jira/servicedesk/projects/PAY/queues/PAY-118", "PAY-118"),
        (f"{SITE}/jira/software/c/projects/PAY/boards/3/backlog?selectedIssue=PAY-118", "PAY-118"),
        (f"{SITE}/jira/software/c/projects/PAY/boards/3?a=b&amp;selectedIssue=PAY-118", "PAY-118"),
        (f"{SITE}/secure/RapidBoard.jspa?rapidView=3&selectedIssue=PAY-118&view=x", "PAY-118"),
        (f"{SITE}/issues/PAY-118?filter=-1", "PAY-118"),
        (f"{SITE}/jira/servicedesk/projects/PAY/queues/custom/7", None),
        (f"{SITE}/browse/PAY", None),
        (f"{SITE}/browse/PAY-118x", None),
        (f"{SITE}/wiki/spaces/PAY-118", None),
        (f"{SITE}.evil.example/browse/PAY-118", None),
        ("https://other.atlassian.net/browse/PAY-118", None),
        ("javascript:https://harbor.atlassian.net/browse/PAY-118", None),
        ("PAY-118", None),
    ],
)
def test_its_own_urls_are_recognized_and_no_others(url: str, key: str | None) -> None:
    assert Normalizer("jira-main", settings()).recognize(url) == key


def test_a_site_below_a_path_is_recognized_with_it() -> None:
    normalizer = Normalizer("dc", settings(site="https://tools.example/jira"))

    assert normalizer.recognize("https://tools.example/jira/browse/PAY-1") == "PAY-1"
    assert normalizer.recognize("https://tools.example/browse/PAY-1") is None


async def test_search_lag_loses_nothing_within_the_overlap(
    site: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    site.add_issue("PAY", "Early")
    jira = connect(site)
    clock.advance(600)
    site.search_lag = timedelta(seconds=120)
    site.add_issue("PAY", "Not in the index yet")
    assert "PAY-2" not in await read(jira)
    clock.advance(121)

    assert "PAY-2" in await read(jira, clock.now() - timedelta(seconds=300))
