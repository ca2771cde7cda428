"""Harbor's roadmap in Notion: the columns that people keep, and a page for each initiative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opsync.sandbox.harbor.growth import HOSTILE_KEY, Projects
from opsync.sandbox.harbor.planting import PEOPLE, Planter
from opsync.sandbox.harbor.use import PAID, PAYOUTS, RELEASED, SIGNED_IN
from opsync.sandbox.notion import DataSource, NotionWorkspace, Page

COLUMNS: dict[str, dict[str, Any]] = {
    "Name": {"title": {}},
    "Status": {
        "status": {
            "options": [
                {"name": "Not started", "color": "default", "group": "To-do"},
                {"name": "In progress", "color": "blue", "group": "In progress"},
                {"name": "On track", "color": "green", "group": "In progress"},
                {"name": "At risk", "color": "yellow", "group": "In progress"},
                {"name": "Paused", "color": "gray", "group": "In progress"},
                {"name": "Done", "color": "purple", "group": "Complete"},
            ]
        }
    },
    "Due": {"date": {}},
    "Owner": {"people": {}},
    "Tracked in": {"rich_text": {}},
    "Flag": {"rich_text": {}},
    "Event": {"rich_text": {}},
    "Released": {"date": {}},
    "Quarter": {"select": {"options": [{"name": "This quarter"}, {"name": "Next quarter"}]}},
    "Tags": {
        "multi_select": {"options": [{"name": "Revenue"}, {"name": "Trust"}, {"name": "Reach"}]}
    },
    "Confidence": {"number": {"format": "percent"}},
    "Customer asked": {"checkbox": {}},
    "Brief": {"url": {}},
    "Last edited": {"last_edited_time": {}},
}


@dataclass(frozen=True, slots=True)
class Row:
    """What people keep about one initiative. `due_in` counts days from today."""

    title: str
    status: str
    owner: int
    due_in: int | None
    tracked_in: list[str | tuple[str, str]]
    quarter: str = "This quarter"
    tags: tuple[str, ...] = ()
    flag: str = ""
    event: str = ""
    confidence: float | None = None
    asked: bool = False
    body: str = ""


def rows(planter: Planter, projects: Projects) -> list[Row]:
    """The twelve initiatives, in the roadmap's order."""
    jira = planter.jira_url
    hostile = planter.linear.issue(HOSTILE_KEY).url
    return [
        Row(
            "One-tap checkout",
            "On track",
            0,
            9,
            [("Checkout core", jira("PAY-100")), " and ", ("Checkout web", projects.checkout.url)],
            tags=("Revenue",),
            event=PAID,
            confidence=0.8,
            asked=True,
            body="Buyers who come back pay with one tap.\nWe start with cards.",
        ),
        Row(
            "Instant payouts",
            "Done",
            1,
            -19,
            [f"{jira('PAY-60')} {projects.payouts.url}"],
            tags=("Revenue", "Reach"),
            flag=PAYOUTS,
            confidence=1.0,
            asked=True,
        ),
        Row(
            "SSO for teams",
            "In progress",
            2,
            -21,
            [f"{projects.sso.url}\n{jira('PAY-70')}"],
            tags=("Trust",),
            event=SIGNED_IN,
            asked=True,
        ),
        Row("Offline mode", "On track", 3, -6, [jira("MOB-20")], tags=("Reach",), confidence=0.7),
        Row(
            "Usage-based pricing",
            "On track",
            4,
            40,
            ["Back end ", jira("PAY-140"), ", page ", ("Pricing page", projects.pricing.url)],
            quarter="Next quarter",
            tags=("Revenue",),
        ),
        Row("Dark mode", "Done", 3, -30, [f"{jira('MOB-60')} and {projects.dark.url}"]),
        Row(
            "Fraud rules v2",
            "On track",
            5,
            30,
            [f"{jira('PAY-160')}, desk: {projects.fraud.url}"],
            tags=("Trust",),
            confidence=0.75,
        ),
        Row(
            "Partner API",
            "On track",
            1,
            45,
            [jira("PAY-88")],
            quarter="Next quarter",
            tags=("Reach",),
            asked=True,
        ),
        Row("Referral programme", "Not started", 6, 70, [], quarter="Next quarter"),
        Row(
            "Warehouse export",
            "Not started",
            7,
            None,
            ["Files in UTF-8, dates as ISO-8601. Was PAY-9999 once?"],
            quarter="Next quarter",
        ),
        Row("Churn survey", "In progress", 6, 35, [projects.churn.url], confidence=0.6),
        Row(
            "Data residency EU",
            "On track",
            7,
            50,
            [("EU residency", projects.residency.url), " plus ", ("consent", hostile)],
            tags=("Trust",),
            asked=True,
            body="Merchants in the EU keep their data there. Related: PAY-100 stores no cards.",
        ),
    ]


def plant(notion: NotionWorkspace, planter: Planter, projects: Projects) -> dict[str, Page]:
    """The roadmap with its people and pages. Returns the pages by title."""
    people = [notion.add_user(name, email) for name, email in PEOPLE]
    roadmap = notion.add_database("Roadmap", properties=COLUMNS, created=planter.at(200))
    source = roadmap.data_source
    pages: dict[str, Page] = {}
    for index, row in enumerate(rows(planter, projects)):
        pages[row.title] = notion.add_page(
            source,
            {
                "Name": row.title,
                "Status": row.status,
                "Due": None if row.due_in is None else planter.day(-row.due_in),
                "Owner": [people[row.owner]],
                "Tracked in": row.tracked_in,
                "Flag": row.flag,
                "Event": row.event,
                "Released": planter.day(RELEASED[row.title]) if row.title in RELEASED else None,
                "Quarter": row.quarter,
                "Tags": list(row.tags),
                "Confidence": row.confidence,
                "Customer asked": row.asked,
                "Brief": f"https://wiki.harbor.example/briefs/{index + 1}",
            },
            created=planter.at(120 - index, 10),
            updated=planter.at(3 + index, 10, index),
            body=row.body,
        )
    _archived(notion, source, planter)
    return pages


def _archived(notion: NotionWorkspace, source: DataSource, planter: Planter) -> None:
    notion.add_page(
        source,
        {"Name": "Loyalty points", "Status": "Paused"},
        created=planter.at(190),
        updated=planter.at(150),
        archived=True,
    )
