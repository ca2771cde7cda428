"""All that goes over the wire in whole passes over Harbor fits the vendors' own specs."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsync.contract.connector import Measurable, Readable
from opsync.contract.examining import Explorable
from opsync.engine.session import open_instance
from opsync.model import OutcomeKind
from opsync.sandbox.harbor import Harbor, build_harbor
from opsync.sandbox.validate import Report, validate_jira, validate_linear, validate_notion
from opsync.sandbox.validate_posthog import validate_posthog
from tests.support.clock import FakeClock
from tests.support.company import Company

REPORT_FILE = "OPSYNC_REPORT_FILE"
"""The environment variable that names a file to which the line about the specs is appended."""

VENDORS = {
    "Jira": ("jira", validate_jira, "jira-openapi-min.json"),
    "Linear": ("linear", validate_linear, "linear-schema.graphql"),
    "Notion": ("notion", validate_notion, "notion-openapi-2025-09-03-mcp-server.json"),
    "PostHog": ("posthog", validate_posthog, "posthog-openapi-trimmed.json"),
}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def tell(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Print the line, and append it to the report."""
    with capsys.disabled():
        print(f"\n{line}")  # noqa: T201 - for whoever runs the checks
    if path := os.environ.get(REPORT_FILE):
        with Path(path).open("a", encoding="utf-8") as report:
            report.write(f"{line}\n")


@pytest.fixture
def specs(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Path:
    """The folder of the specs; that it is absent is told."""
    try:
        return Path(request.getfixturevalue("specs_dir"))
    except pytest.skip.Exception:
        tell("specs absent", capsys)
        raise


def in_words(reports: Mapping[str, Report], logged: int) -> str:
    """ "specs: 90 requests and 80 answers of 95 validated (Jira 40/36, …)"."""
    requests = sum(report.requests for report in reports.values())
    answers = sum(report.answers for report in reports.values())
    parts = ", ".join(f"{name} {each.requests}/{each.answers}" for name, each in reports.items())
    return f"specs: {requests} requests and {answers} answers of {logged} validated ({parts})"


async def look_around(company: Company) -> None:
    """What is asked before a connection is configured to the end, and with a scope."""
    narrow: dict[str, dict[str, object]] = {
        "jira-main": {"projects": ("PAY",), "labels": ("roadmap",)},
        "linear": {"teams": ("GRO",), "projects": ("Checkout web",), "labels": ("roadmap",)},
        "notion": {},
        "posthog": {},
    }
    async with company.session() as session:
        for name, instance in session.config.instances.items():
            whole = instance.settings
            for settings in (whole, whole.model_copy(update=narrow[name])):
                scoped = dataclasses.replace(instance, settings=settings)
                connector = (await open_instance(scoped, session)).connector
                assert isinstance(connector, Explorable)
                assert isinstance(connector, Readable)
                assert [grant async for grant in connector.grants()]
                assert await connector.choices()
                await connector.guesses()
                await connector.first_read()
                assert await connector.status_words() or isinstance(connector, Measurable)
                for feed in await connector.feeds():
                    async for _ in connector.pull(feed, None):
                        pass


async def walk_through(company: Company, harbor: Harbor) -> None:
    """Each connector's reads, writes, removals, looks and checks, the ways a year brings them."""
    first = await company.sync()
    assert first.failed == 0
    assert first.applied > 0
    await company.sync()

    jira, linear, notion = harbor.jira, harbor.linear, harbor.notion
    pages = harbor.pages
    jira.poke_move("PAY-118", "done")
    linear.poke_move("GRO-45", "canceled")
    linear.poke_edit("GRO-49", "description", f"Waits for {jira.base_url}/browse/PAY-101")
    notion.rename_property(harbor.roadmap, "Delivery", "Progress")
    notion.edit_page(pages["SSO for teams"], "Status", "Done")
    notion.edit_page(pages["Dark mode"], "Flag", "dark-mode")
    notion.edit_page(pages["Churn survey"], "Tracked in", "GRO-40, not the project any more")
    notion.edit_page(pages["Referral programme"], "Tracked in", f"{jira.base_url}/browse/PAY-88")
    harbor.person_edits_delivery("Offline mode", "Ask Dana", column="Progress")
    company.tick()
    changed = await company.sync()
    assert changed.count(OutcomeKind.created, OutcomeKind.updated) > 0
    assert changed.count(OutcomeKind.removed) > 0

    await look_around(company)
    jira.delete_issue("PAY-101")
    linear.delete_issue("GRO-45")
    notion.trash(pages["Partner API"])
    company.tick(24 * 60)
    gone = [one.gone for one in (await company.sync()).instances]
    assert gone[:3] == [{"deleted": 1}, {"deleted": 1}, {"trashed": 1}]
    notion.edit_page(pages["SSO for teams"], "Status", "In progress")
    company.tick()
    await company.sync(full=True)
    async with company.session() as session:
        checks = [check async for _, check in session.doctor()]
    assert len(checks) > 10


@pytest.mark.slow
async def test_every_request_and_every_answer_fits_the_vendors_own_specs(
    specs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = FakeClock(NOON)
    harbor = build_harbor(now=clock.now)
    company = Company.of(harbor, tmp_path, clock)

    await walk_through(company, harbor)

    reports = {}
    logged = 0
    for title, (name, validate, spec) in VENDORS.items():
        exchanges = [each for each in company.vendors[name].exchanges if not each.faulted]
        logged += len(exchanges)
        reports[title] = validate(exchanges, specs / spec)
    tell(in_words(reports, logged), capsys)

    problems = [f"{title}: {line}" for title, each in reports.items() for line in each.problems]
    assert problems == []
    for title, report in reports.items():
        assert report.requests > 10, (title, report.skipped)
