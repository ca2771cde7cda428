"""Generated Jira issues of about 7 KB, the same ones for every measured program."""

from __future__ import annotations

import json
import random
import textwrap
from datetime import UTC, datetime, timedelta

WORDS = [
    "account",
    "balance",
    "card",
    "charge",
    "checkout",
    "currency",
    "customer",
    "export",
    "fraud",
    "invoice",
    "ledger",
    "limit",
    "merchant",
    "payment",
    "payout",
    "refund",
    "report",
    "retry",
    "scope",
    "settle",
    "token",
    "transfer",
    "wallet",
    "webhook",
]
STATUSES = (
    ("10000", "To Do", "new"),
    ("3", "In Progress", "indeterminate"),
    ("10001", "Done", "done"),
)
TEXT_SIZE = 1300
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def user(number: int) -> dict[str, object]:
    """A person as Jira repeats them on each issue."""
    return {
        "self": f"https://bench.example/rest/api/3/user?accountId=5b10a2844c20165700ede{number:03}",
        "accountId": f"5b10a2844c20165700ede{number:03}",
        "emailAddress": f"person{number}@bench.example",
        "displayName": f"Person {number}",
        "active": True,
        "timeZone": "Etc/UTC",
        "accountType": "atlassian",
        "avatarUrls": {
            f"{size}x{size}": f"https://bench.example/avatar/{number}?size={size}"
            for size in (48, 24, 16, 32)
        },
    }


def custom(number: int, rng: random.Random) -> object:
    """A further field: most are empty, some hold an option or a number."""
    if number % 6 == 0:
        return {
            "id": str(10_300 + number),
            "value": rng.choice(WORDS),
            "self": "https://bench.example/o",
        }
    return round(rng.random(), 3) if number % 7 == 0 else None


def issue(number: int) -> bytes:
    """One issue as Jira's search answers it; deterministic in `number`."""
    rng = random.Random(number)
    status_id, status, category = STATUSES[rng.randrange(3)]
    created = (FIRST + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    updated = (FIRST + timedelta(minutes=number + 500)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    text = " ".join(rng.choice(WORDS) for _ in range(TEXT_SIZE // 8))
    if number % 20 == 0:
        text += f" see PAY-{rng.randrange(1, 1000)}"
    fields: dict[str, object] = {
        "summary": " ".join(rng.choice(WORDS) for _ in range(7)).capitalize(),
        "status": {
            "self": f"https://bench.example/rest/api/3/status/{status_id}",
            "description": "",
            "iconUrl": "https://bench.example/images/icons/status.png",
            "name": status,
            "id": status_id,
            "statusCategory": {
                "self": "https://bench.example/rest/api/3/statuscategory/2",
                "id": 2,
                "key": category,
                "colorName": "blue-gray",
                "name": status,
            },
        },
        "issuetype": {
            "id": "10002",
            "name": "Story",
            "description": "Functionality that a person asked for.",
            "iconUrl": "https://bench.example/images/icons/story.svg",
            "subtask": False,
            "hierarchyLevel": 0,
        },
        "project": {"id": "10000", "key": "PAY", "name": "Payments", "projectTypeKey": "software"},
        "assignee": user(rng.randrange(40)),
        "reporter": user(rng.randrange(40)),
        "creator": user(rng.randrange(40)),
        "priority": {"id": "3", "name": "Medium", "iconUrl": "https://bench.example/p.svg"},
        "labels": [rng.choice(WORDS), rng.choice(WORDS)],
        "created": created,
        "updated": updated,
        "resolutiondate": updated if category == "done" else None,
        "statuscategorychangedate": updated,
        "duedate": None,
        "issuelinks": [],
        "resolution": None,
        "security": None,
        "customfield_10016": float(rng.choice((1, 2, 3, 5, 8))),
        "customfield_10021": None,
        "description": {
            "type": "doc",
            "version": 1,
            "content": [
                {"type": "paragraph", "content": [{"type": "text", "text": part}]}
                for part in textwrap.wrap(text, 120)
            ],
        },
        "watches": {"watchCount": 1, "isWatching": False},
        "votes": {"votes": 0, "hasVoted": False},
        "progress": {"progress": 0, "total": 0},
        "aggregateprogress": {"progress": 0, "total": 0},
        "fixVersions": [],
        "components": [{"id": "10100", "name": "Core"}],
        "subtasks": [],
        "timetracking": {},
        "environment": None,
        **{f"customfield_{10100 + n}": custom(n, rng) for n in range(60)},
    }
    if number % 3 == 0:
        fields["parent"] = {
            "id": str(10_000 + number % 500),
            "key": f"PAY-{number % 500}",
            "fields": {"summary": "Epic", "status": {"id": "3", "name": "In Progress"}},
        }
    body = {
        "expand": "operations,versionedRepresentations,editmeta,changelog,renderedFields",
        "id": str(10_000 + number),
        "self": f"https://bench.example/rest/api/3/issue/{10_000 + number}",
        "key": f"PAY-{number}",
        "fields": fields,
    }
    return json.dumps(body, separators=(",", ":")).encode()
