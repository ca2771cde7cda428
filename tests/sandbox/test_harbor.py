"""The demo's world comes to what `EXPECTED` says, counted from the simulators' own state."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from opsync.sandbox.harbor import (
    EXPECTED,
    IN_PROGRESS,
    WITHOUT_INITIATIVE,
    Count,
    Harbor,
    build_harbor,
)
from opsync.sandbox.notion import Run, Span
from opsync.sandbox.notion.values import Value

NOW = datetime(2026, 11, 22, 14, 5, 9, tzinfo=UTC)
TODAY = NOW.date()


@dataclass(frozen=True)
class Node:
    """An issue of either tool, as a counter sees it."""

    id: str
    key: str
    title: str
    category: str
    created: datetime
    finished: datetime | None
    blocked: bool
    private: bool
    parent: str | None
    text: str
    twin_of: str | None = None


CATEGORY = {"new": "open", "indeterminate": "in_progress", "done": "done"}
LINEAR_CATEGORY = {
    "triage": "open",
    "backlog": "open",
    "unstarted": "open",
    "started": "in_progress",
    "completed": "done",
    "canceled": "canceled",
    "duplicate": "canceled",
}


def jira_nodes(harbor: Harbor) -> Iterable[Node]:
    site = harbor.jira
    open_ids = {i.id for i in site.issues.values() if i.status.category != "done"}
    for issue in site.issues.values():
        blockers = {x.outward_id for x in site.links if x.inward_id == issue.id}
        category = CATEGORY[issue.status.category]
        if category == "done" and issue.resolution == "Won't do":
            category = "canceled"
        yield Node(
            f"jira/{issue.id}",
            issue.key,
            issue.summary,
            category,
            issue.created,
            issue.resolved,
            issue.flagged or bool(blockers & open_ids),
            issue.security is not None,
            f"jira/{issue.parent_id}" if issue.parent_id else None,
            str(issue.description or ""),
        )


def linear_nodes(harbor: Harbor) -> Iterable[Node]:
    for issue in harbor.linear.issues.values():
        blockers = [r.issue for r in issue.inverse_relations if r.type == "blocks"]
        twins = [re.search(r"PAY-\d+$", a.url) for a in issue.attachments]
        above = issue.parent or issue.project
        yield Node(
            issue.id,
            issue.identifier,
            issue.title,
            LINEAR_CATEGORY[issue.state.type],
            issue.created_at,
            issue.completed_at,
            any(LINEAR_CATEGORY[b.state.type] in ("open", "in_progress") for b in blockers),
            issue.team.private,
            above.id if above else None,
            issue.description or "",
            next((m.group() for m in twins if m), None),
        )


@pytest.fixture(scope="module")
def harbor() -> Harbor:
    return build_harbor(now=lambda: NOW)


@pytest.fixture(scope="module")
def nodes(harbor: Harbor) -> list[Node]:
    return [*jira_nodes(harbor), *linear_nodes(harbor)]


def links(cell: Value) -> list[str]:
    return (
        [run.link for run in cell if isinstance(run, Run) and run.link]
        if isinstance(cell, tuple)
        else []
    )


def named(harbor: Harbor, title: str) -> set[str]:
    """The ids of what a page's own text names by URL."""
    found = set()
    for url in links(harbor.pages[title].cell("Tracked in")):
        jira = re.fullmatch(r"https://harbor\.atlassian\.net/browse/([A-Z]+-\d+)", url)
        if jira:
            found.add(f"jira/{harbor.jira.issue(jira[1]).id}")
            continue
        issue = re.match(r"https://linear\.app/harbor/issue/([A-Z]+-\d+)/", url)
        if issue:
            found.add(harbor.linear.issue(issue[1]).id)
            continue
        found.add(next(p.id for p in harbor.linear.projects.values() if p.url == url))
    return found


def members(harbor: Harbor, nodes: list[Node], title: str) -> list[Node]:
    ids = named(harbor, title)
    while more := {n.id for n in nodes if n.parent in ids} - ids:
        ids |= more
    return [n for n in nodes if n.id in ids]


def leaves(harbor: Harbor, nodes: list[Node], title: str) -> list[Node]:
    parents = {n.parent for n in nodes}
    return [n for n in members(harbor, nodes, title) if n.id not in parents]


def due(harbor: Harbor, title: str) -> date | None:
    cell = harbor.pages[title].cell("Due")
    return date.fromisoformat(cell.start) if isinstance(cell, Span) else None


def tally(items: list[Node]) -> tuple[int, int]:
    kinds = Counter(n.category for n in items)
    return kinds["done"], sum(kinds.values()) - kinds["canceled"]


@pytest.mark.parametrize("title", EXPECTED)
def test_each_initiative_comes_to_what_is_expected(
    harbor: Harbor, nodes: list[Node], title: str
) -> None:
    every = leaves(harbor, nodes, title)
    keys = {n.key for n in every}
    copies = [n for n in every if n.twin_of in keys]
    found = [n for n in every if n not in copies]
    done, total = tally(found)
    open_ones = [n for n in found if n.category not in ("done", "canceled")]
    blocked = sum(n.blocked for n in open_ones)
    days = (due(harbor, title) or date.max) - TODAY
    soon = days <= timedelta(days=14)
    if total == 0:
        health = "No linked work"
    elif done == total:
        health = "Done"
    elif days < timedelta(0):
        health = "Off track"
    elif (soon and done < 0.7 * total) or blocked * 10 >= len(open_ones):
        health = "At risk"
    else:
        health = "On track"
    says = harbor.pages[title].text("Status")
    agreeing = {
        "No linked work": {"Not started"},
        "Done": {"Done"},
        "On track": {"On track", "In progress"},
    }
    assert (
        Count(
            done,
            total,
            health,
            blocked=blocked,
            canceled=sum(n.category == "canceled" for n in found),
            private=sum(n.private for n in found),
            disagrees=says not in agreeing.get(health, set()),
            twins=len(copies),
        )
        == EXPECTED[title]
    )


def test_the_roadmap_has_twelve_initiatives_and_an_archived_page(harbor: Harbor) -> None:
    rows = list(harbor.notion.state.pages_of(harbor.roadmap))
    assert [r.title for r in rows if not r.archived] == list(EXPECTED)
    assert [r.title for r in rows if r.archived] == ["Loyalty points"]
    assert [p.name for p in harbor.roadmap.schema.properties.values()][:6] == [
        "Name",
        "Status",
        "Due",
        "Owner",
        "Tracked in",
        "Flag",
    ]


def test_there_are_about_420_issues_with_41_of_96_in_progress_outside(
    harbor: Harbor, nodes: list[Node]
) -> None:
    inside = {n.id for title in EXPECTED for n in members(harbor, nodes, title)}
    once = [n for n in nodes if n.twin_of is None]
    working = [n for n in once if n.category == "in_progress"]
    assert len(nodes) == 420
    assert len(working) == IN_PROGRESS
    assert sum(n.id not in inside for n in working) == WITHOUT_INITIATIVE


def test_every_title_but_a_twins_is_unique(nodes: list[Node]) -> None:
    seen = Counter(n.title for n in nodes if n.twin_of is None)
    assert [title for title, count in seen.items() if count > 1] == []


def test_one_tap_checkout_has_its_two_containers_and_the_cross_mention(
    harbor: Harbor, nodes: list[Node]
) -> None:
    found = leaves(harbor, nodes, "One-tap checkout")
    assert tally([n for n in found if n.key.startswith("PAY-")]) == (8, 12)
    assert tally([n for n in found if n.key.startswith("GRO-")]) == (4, 8)
    by_key = {n.key: n for n in found}
    form, tokens = by_key["GRO-44"], by_key["PAY-118"]
    assert (form.title, tokens.title) == ("Card form", "Tokenise cards")
    assert "PAY-118" in form.text
    assert (tokens.category, tokens.blocked) == ("in_progress", False)
    assert tokens.parent == f"jira/{harbor.jira.issue('PAY-100').id}"
    assert due(harbor, "One-tap checkout") == TODAY + timedelta(days=9)


@pytest.mark.parametrize(("title", "days"), [("Instant payouts", 19), ("SSO for teams", 16)])
def test_finished_initiatives_ended_on_their_day(
    harbor: Harbor, nodes: list[Node], title: str, days: int
) -> None:
    ends = [n.finished.date() for n in leaves(harbor, nodes, title) if n.finished]
    assert max(ends) == TODAY - timedelta(days=days)
    assert harbor.pages["Instant payouts"].text("Flag") == "instant-payouts"


def test_only_churn_survey_grew_this_week(harbor: Harbor, nodes: list[Node]) -> None:
    week = TODAY - timedelta(days=7)
    for title in EXPECTED:
        fresh = [n.created.date() for n in leaves(harbor, nodes, title) if n.created.date() >= week]
        if title == "Churn survey":
            assert (len(fresh), min(fresh)) == (6, week)
        else:
            assert fresh == []


def test_the_partner_api_is_named_by_its_old_key(harbor: Harbor) -> None:
    assert links(harbor.pages["Partner API"].cell("Tracked in"))[0].endswith("/PAY-88")
    assert harbor.jira.issue("PAY-88").key == "MOB-41"


def test_unlinked_pages_name_nothing_real(harbor: Harbor) -> None:
    assert harbor.jira.get("PAY-9999") is None
    text = harbor.pages["Warehouse export"].text("Tracked in")
    assert all(word in text for word in ("UTF-8", "ISO-8601", "PAY-9999"))
    assert harbor.pages["Referral programme"].text("Tracked in") == ""
    assert any(p.name == "Referral program" for p in harbor.linear.projects.values())


def test_a_member_elsewhere_depends_on_the_checkout_epic(harbor: Harbor, nodes: list[Node]) -> None:
    checkout = {n.id for n in members(harbor, nodes, "One-tap checkout")}
    inside = {n.id for title in EXPECTED for n in members(harbor, nodes, title)}
    naming = [n for n in nodes if "depends on pay-100" in n.text.lower()]
    assert len(naming) == 2
    assert all(n.id in inside - checkout for n in naming)


def test_titles_try_to_break_what_shows_them(nodes: list[Node]) -> None:
    titles = [n.title for n in nodes]
    assert any("<script>" in t for t in titles)
    assert sum(any(mark in t for mark in "\u200f\u202e") for t in titles) >= 3


def test_german_and_private_work_is_what_it_should_be(harbor: Harbor, nodes: list[Node]) -> None:
    used = {i.status.name for i in harbor.jira.issues.values() if i.key.startswith("MOB-")}
    assert {"Zu erledigen", "In Arbeit", "Fertig"} <= used
    stories = [i for i in harbor.jira.issues.values() if i.key.startswith("MOB-")]
    moved = harbor.jira.issue("MOB-41").id
    assert all(i.points is None for i in stories if i.id != moved)
    private = [n for n in leaves(harbor, nodes, "Fraud rules v2") if n.private]
    assert all(n.key.startswith("SEC-") for n in private)


def test_nothing_lies_in_the_future(harbor: Harbor, nodes: list[Node]) -> None:
    midnight = build_harbor(now=lambda: datetime(2026, 11, 22, tzinfo=UTC))
    start = midnight.jira.now()
    assert all(i.updated < start for i in midnight.jira.issues.values())
    assert all(i.updated_at < start for i in midnight.linear.issues.values())
    assert all(p.updated < start for p in midnight.notion.state.pages.values())
    assert {n.key: n.created for n in jira_nodes(midnight)} == {
        n.key: n.created for n in jira_nodes(harbor)
    }


def test_the_same_day_gives_the_same_world(harbor: Harbor) -> None:
    again = build_harbor(now=lambda: NOW)
    assert list(again.jira.issues.values()) == list(harbor.jira.issues.values())
    assert [i.url for i in again.linear.issues.values()] == [
        i.url for i in harbor.linear.issues.values()
    ]
    assert [p.cells for p in again.pages.values()] == [p.cells for p in harbor.pages.values()]


def test_a_person_edits_delivery_once_the_column_exists() -> None:
    own = build_harbor(now=lambda: NOW)
    with pytest.raises(KeyError):
        own.person_edits_delivery("Offline mode", "Ask Dana")
    own.roadmap.schema.add("Delivery", {"rich_text": {}})
    own.person_edits_delivery("Offline mode", "Ask Dana")
    assert own.pages["Offline mode"].text("Delivery") == "Ask Dana"
    assert own.pages["Offline mode"].updated == NOW


async def test_the_three_tools_answer_over_http(harbor: Harbor) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=harbor.notion.app),
        base_url="http://notion.test",
        headers={"Authorization": "Bearer ntn_sandbox", "Notion-Version": "2026-03-11"},
    ) as client:
        answer = await client.post(f"/v1/data_sources/{harbor.roadmap.id}/query", json={})
    assert len(answer.json()["results"]) == len(EXPECTED)
    assert harbor.jira.find("PAY-118") is not None
    assert harbor.linear.find("GRO-44") is not None
    assert "PAY-118" in build_harbor(now=lambda: NOW).jira.poke_move("PAY-118", "done")
