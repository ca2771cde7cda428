"""What opsync makes of Harbor and writes there, number by number and word by word."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsync.engine.explain import Explainer
from opsync.engine.twinned import lost_mirrors, twin_groups
from opsync.model import Category, Health, Link, Record, Rollup
from opsync.report import PassReport
from opsync.sandbox.harbor import EXPECTED, Harbor, build_harbor
from opsync.sandbox.jira.values import RemoteLink
from opsync.sandbox.notion import Page
from opsync.sandbox.notion.values import Run, Span
from tests.support.clock import FakeClock
from tests.support.company import SITE, Company

TODAY = date(2026, 11, 22)


def day(offset: int) -> str:
    """ "1 Dec": a day so many days from today, as the texts have it."""
    then = TODAY + timedelta(days=offset)
    return f"{then.day} {then:%b}"


@dataclass(frozen=True)
class Synced:
    """Harbor after its first pass."""

    harbor: Harbor
    company: Company
    report: PassReport
    rollups: dict[str, Rollup]
    """By page title."""
    records: dict[str, Record]
    """By key, or title where there is none."""
    links: list[Link]

    def page(self, title: str) -> Page:
        return self.harbor.pages[title]

    def remote_links(self, key: str) -> list[RemoteLink]:
        """opsync's links on a Jira issue."""
        issue = self.harbor.jira.issue(key)
        found = self.harbor.jira.remote_links.get(issue.id, {}).values()
        return [link for link in found if (link.global_id or "").startswith("opsync:")]


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Synced:
    """One pass for all tests here: none of them changes anything."""
    clock = FakeClock(datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC))
    harbor = build_harbor(now=clock.now)
    company = Company.of(harbor, tmp_path_factory.mktemp("harbor"), clock)
    return asyncio.run(first_pass(harbor, company))


async def first_pass(harbor: Harbor, company: Company) -> Synced:
    report = await company.sync()
    async with company.session() as session:
        titles = {page.id: title for title, page in harbor.pages.items()}
        rollups = {titles[r.root.id]: r for r in await session.store.rollups()}
        records = {r.key or r.title: r for r in await session.store.records_page(limit=1000)}
        links = await session.store.links_page(limit=1000)
    return Synced(harbor, company, report, rollups, records, links)


def test_the_first_pass_does_all_and_fails_in_nothing(synced: Synced) -> None:
    report = synced.report
    assert report.exit_code == 0
    assert report.planned == report.applied > 60
    assert report.rollups == len(EXPECTED)
    twins = [(held.target, held.why) for held in report.plan.held]
    assert twins == [
        ("GRO-75 Usage counters per day", "already linked by somebody else"),
        ("GRO-76 Invoice lines from usage", "already linked by somebody else"),
    ]


@pytest.mark.parametrize("title", EXPECTED)
def test_every_initiative_counts_as_harbor_says(synced: Synced, title: str) -> None:
    rollup, expected = synced.rollups[title], EXPECTED[title]
    assert (rollup.done, rollup.total) == (expected.done, expected.total)
    assert (rollup.blocked, rollup.canceled, rollup.private) == (
        expected.blocked,
        expected.canceled,
        expected.private,
    )
    assert rollup.health.value == expected.health
    assert rollup.missing == ()


DELIVERY = {
    "One-tap checkout": "12 of 20 done · 3 blocked · Payments 8/12, Growth 4/8 "
    f"· at risk: 60 % done, due {day(9)}",
    "Instant payouts": f"14 of 14 done since {day(-19)}",
    "SSO for teams": f"18 of 18 done since {day(-16)}",
    "Offline mode": f"9 of 14 done · off track: 64 % done, due {day(-6)}",
    "Usage-based pricing": "4 of 10 done · Payments 3/7, Growth 1/3",
    "Dark mode": "7 of 7 done · 6 canceled, not counted",
    "Fraud rules v2": "7 of 11 done · 4 in a private team, counted only",
    "Partner API": "5 of 9 done",
    "Referral programme": 'No linked work. Paste a Jira or Linear link into "Tracked in".',
    "Warehouse export": 'No linked work. Paste a Jira or Linear link into "Tracked in".',
    "Churn survey": f"6 of 16 done · scope +6 since {day(-7)}",
    "Data residency EU": "3 of 8 done",
}
PERCENT = {
    "One-tap checkout": 0.6,
    "Instant payouts": 1,
    "SSO for teams": 1,
    "Offline mode": 0.64,
    "Usage-based pricing": 0.4,
    "Dark mode": 1,
    "Fraud rules v2": 0.64,
    "Partner API": 0.56,
    "Referral programme": None,
    "Warehouse export": None,
    "Churn survey": 0.38,
    "Data residency EU": 0.38,
}


@pytest.mark.parametrize("title", EXPECTED)
def test_the_columns_of_a_page_say_it(synced: Synced, title: str) -> None:
    page = synced.page(title)
    assert page.text("Delivery") == DELIVERY[title]
    assert page.cell("Delivery %") == PERCENT[title]
    assert page.text("Delivery health") == EXPECTED[title].health
    assert page.cell("Delivery changed") == Span(TODAY.isoformat())


WORK = {
    "One-tap checkout": "PAY-100 Checkout core 8/12 · Checkout web (Linear) 4/8",
    "Offline mode": "MOB-20 Offline-Modus 9/14",
    "Fraud rules v2": "PAY-160 Rule engine 5/7 · +1 more",
    "Partner API": "MOB-41 Partner API gateway 5/9",
    "Usage-based pricing": "PAY-140 Metered billing 3/7 · Pricing page (Linear) 1/3",
    "Warehouse export": "",
    "Data residency EU": "EU residency (Linear) 3/7"
    " · GRO-50 <script>alert('harbor')</script> Consent banner",
}


@pytest.mark.parametrize("title", WORK)
def test_work_names_each_container_and_leads_to_it(synced: Synced, title: str) -> None:
    assert synced.page(title).text("Work") == WORK[title]


def test_the_runs_of_work_are_links(synced: Synced) -> None:
    project = synced.harbor.linear.project("Checkout web")
    runs: Any = synced.page("One-tap checkout").cell("Work")
    assert [(run.text, run.link) for run in runs if isinstance(run, Run)] == [
        ("PAY-100 Checkout core 8/12", f"{SITE}/browse/PAY-100"),
        (" · ", None),
        ("Checkout web (Linear) 4/8", project.url.split("?")[0]),
    ]


def test_own_columns_stand_behind_peoples_and_have_their_types(synced: Synced) -> None:
    columns = [(c.name, c.type) for c in synced.harbor.roadmap.schema.properties.values()]
    assert columns[-6:] == [
        ("Delivery", "rich_text"),
        ("Delivery %", "number"),
        ("Delivery health", "select"),
        ("Work", "rich_text"),
        ("Adoption", "rich_text"),
        ("Delivery changed", "date"),
    ]
    health = synced.harbor.roadmap.prop("Delivery health")
    assert {o.name for o in health.options} == {h.value for h in Health}
    assert dict(synced.harbor.roadmap.prop("Delivery %").settings) == {"format": "percent"}


def test_what_people_keep_on_a_page_is_as_it_was(synced: Synced) -> None:
    """I5"""
    untouched = build_harbor(now=synced.company.clock.now)
    own = {"Delivery", "Delivery %", "Delivery health", "Work", "Adoption", "Delivery changed"}
    own.add("Last edited")
    for title, page in synced.harbor.pages.items():
        for column in untouched.roadmap.schema.properties.values():
            if column.name not in own:
                assert page.cell(column.name) == untouched.pages[title].cell(column.name)


def test_an_epic_links_to_its_initiative_with_the_numbers(synced: Synced) -> None:
    page = synced.page("One-tap checkout")
    (rollup,) = [x for x in synced.remote_links("PAY-100") if x.relationship == "roadmap"]
    assert rollup.global_id == f"opsync:rollup:roadmap:notion:page:{page.id}"
    assert rollup.application == {"type": "dev.opsync", "name": "Notion"}
    assert rollup.object == {
        "url": page.url,
        "title": "Roadmap: One-tap checkout",
        "summary": "12/20 done · 3 blocked · at risk",
    }


def test_issues_that_name_each_other_link_both_ways(synced: Synced) -> None:
    linear = synced.harbor.linear
    form = linear.issue("GRO-44")
    (link,) = synced.remote_links("PAY-118")
    assert link.global_id == f"opsync:link:linear:issue:{form.id}"
    assert link.relationship == "relates to"
    assert link.object["title"] == "GRO-44 Card form"
    assert link.object["url"] == form.url
    assert link.object["status"] == {
        "resolved": False,
        "icon": {
            "title": "In progress",
            "url16x16": f"{SITE}/images/icons/statuses/inprogress.png",
        },
    }
    assert "summary" not in link.object
    (attachment,) = form.attachments
    assert (attachment.title, attachment.subtitle, attachment.url) == (
        "PAY-118 Tokenise cards",
        "Jira · in progress",
        f"{SITE}/browse/PAY-118",
    )
    assert attachment.metadata["opsync"] == str(synced.records["PAY-118"].ref)


PROJECTS = {
    "Checkout web": ("One-tap checkout", "12/20 · at risk"),
    "Payouts web": ("Instant payouts", "14/14 · usage +58 %"),
    "SSO settings": ("SSO for teams", "18/18"),
    "Pricing page": ("Usage-based pricing", "4/10"),
    "Dark mode web": ("Dark mode", "7/7"),
    "Fraud signals": ("Fraud rules v2", "7/11"),
    "Churn survey": ("Churn survey", "6/16"),
    "EU residency": ("Data residency EU", "3/8"),
}


def test_a_linear_project_links_to_its_initiative_with_the_numbers(synced: Synced) -> None:
    found = {
        project.name: [(link.label, link.url) for link in project.external_links]
        for project in synced.harbor.linear.projects.values()
        if project.external_links
    }
    assert found == {
        name: [(f"Roadmap: {title} · {short}", synced.page(title).url)]
        for name, (title, short) in PROJECTS.items()
    }


def test_what_another_tool_linked_is_left_to_it(synced: Synced) -> None:
    (mirror,) = synced.harbor.linear.issue("GRO-75").attachments
    assert (mirror.title, mirror.metadata) == ("PAY-143: Usage counters per day", {})
    (theirs,) = [
        link
        for link in synced.harbor.jira.remote_links[synced.harbor.jira.issue("PAY-100").id].values()
        if link.global_id is None
    ]
    assert theirs.object["title"] == "Checkout brief"


def test_an_archived_page_is_no_initiative(synced: Synced) -> None:
    (loyalty,) = [
        p
        for p in synced.harbor.notion.state.pages_of(synced.harbor.roadmap)
        if p.title == "Loyalty points"
    ]
    assert "Loyalty points" not in synced.rollups
    assert loyalty.text("Delivery") == ""
    assert loyalty.cell("Delivery changed") is None


def test_words_that_look_like_keys_link_nothing(synced: Synced) -> None:
    record = synced.records["Warehouse export"]
    ends = {end for link in synced.links for end in (link.one, link.two)}
    assert synced.records["PAY-118"].ref in ends
    assert record.ref not in ends
    assert {"PAY-9999", "ISO-8601"} <= {mention.alias for mention in record.mentions}
    assert synced.rollups["Warehouse export"].total == 0


def test_a_former_key_leads_to_the_issue_that_had_it(synced: Synced) -> None:
    (link,) = synced.remote_links("MOB-41")
    assert link.object["title"] == "Roadmap: Partner API"
    assert synced.harbor.jira.get("PAY-88") is synced.harbor.jira.get("MOB-41")


def test_a_mention_in_a_member_is_linked_and_not_counted(synced: Synced) -> None:
    issue = next(
        i for i in synced.harbor.linear.issues.values() if i.title == "Backup charge records"
    )
    titles = {str(link.object["title"]) for link in synced.remote_links("PAY-100")}
    assert f"{issue.identifier} {issue.title}" in titles
    assert synced.rollups["Data residency EU"].total == 8


def test_private_work_is_named_nowhere(synced: Synced) -> None:
    harbor = synced.harbor
    private = {i.title for i in harbor.linear.issues.values() if i.team.key == "SEC"}
    private |= {"Fraud signals"} | {i.summary for i in harbor.jira.issues.values() if i.security}
    shown = [text for page in harbor.pages.values() for text in _texts(page)]
    shown += [str(x.object) for key in synced.records for x in _links_on(synced, key)]
    assert len(private) > 10
    assert not [title for title in private if any(title in text for text in shown)]


def test_hostile_titles_stay_text_wherever_they_are_written(synced: Synced) -> None:
    title = "<script>alert('harbor')</script> Consent banner"
    runs: Any = synced.page("Data residency EU").cell("Work")
    (run,) = [run for run in runs if "script" in run.text]
    assert run.text == f"GRO-50 {title}"
    assert run.link == synced.harbor.linear.issue("GRO-50").url
    assert synced.records["GRO-50"].title == title


def test_no_mark_that_turns_the_reading_direction_is_written_anywhere(
    synced: Synced,
) -> None:
    marks = {"\u200f", "\u202e", "\u202c"}
    titles = [i.summary for i in synced.harbor.jira.issues.values()]
    assert any(mark in title for title in titles for mark in marks)
    shown = [text for page in synced.harbor.pages.values() for text in _texts(page)]
    shown += [str(x.object) for key in synced.records for x in _links_on(synced, key)]
    assert len(shown) > 40
    assert not [text for text in shown if marks & set(text)]


def test_statuses_count_by_category_in_every_language(synced: Synced) -> None:
    categories = {
        record.status.name: record.category
        for record in synced.records.values()
        if record.status is not None and record.key.startswith("MOB-")
    }
    assert categories["Zu erledigen"] is Category.todo
    assert categories["In Arbeit"] is Category.in_progress
    dropped = [r for r in synced.records.values() if r.category is Category.canceled]
    assert {"Dunkle Widgets", "Dark embeds", "Dark chart colours"} <= {r.title for r in dropped}


async def test_in_mode_observe_the_same_is_planned_and_nothing_written(
    synced: Synced, tmp_path: Path
) -> None:
    clock = FakeClock(synced.company.clock.start)
    harbor = build_harbor(now=clock.now)
    company = Company.of(harbor, tmp_path, clock)

    report = await company.sync(mode="observe")

    slots = {p.change.slot for p in report.plan.observed}
    assert slots == {p.change.slot for p in synced.report.plan.changes}
    assert report.planned == 0
    assert sum(vendor.write_requests for vendor in company.vendors.values()) == 0


def _texts(page: Page) -> list[str]:
    return [page.text("Delivery"), page.text("Work"), page.text("Delivery health")]


def _links_on(synced: Synced, key: str) -> list[RemoteLink]:
    issue = synced.harbor.jira.get(key)
    return synced.remote_links(issue.key) if issue is not None else []


async def test_mirrored_work_is_told_as_counted_once(synced: Synced) -> None:
    async with synced.company.session() as session:
        explainer = Explainer(session.config, session.store)
        [page] = await explainer.find("Usage-based pricing")
        [summary] = (await explainer.explain(page, synced.company.clock.now())).summaries
        groups = await twin_groups(session.config, session.store)
        lost = await lost_mirrors(session.config, session.store)
    assert {one.what: one.why for one in summary.left_out} == {
        "GRO-75 Usage counters per day": "the same work as PAY-143, counted once",
        "GRO-76 Invoice lines from usage": "the same work as PAY-144, counted once",
    }
    assert [(group.counted.key, group.why) for group in groups] == [
        ("PAY-143", "footer in the description of GRO-75"),
        ("PAY-144", "footer in the description of GRO-76"),
    ]
    assert lost == []
