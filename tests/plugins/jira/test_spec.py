"""What the connector asks for is what Jira's own specification describes, where it is at hand."""

from __future__ import annotations

from pathlib import Path

from tests.plugins.jira.conftest import Connect
from tests.plugins.jira.test_surfaces import Epic, link_content, rollup_content
from tests.support.clock import FakeClock
from tests.support.connector import pull

from opsync import Ref
from opsync.sandbox.jira import JiraSite
from opsync.sandbox.validate import validate_jira


async def test_every_request_and_answer_fits_the_specification(
    site: JiraSite, clock: FakeClock, connect: Connect, specs_dir: Path
) -> None:
    issue = site.add_issue("PAY", "Checkout core", issue_type="Epic")
    for number in range(150):
        clock.advance(1)
        site.add_issue("PAY", f"Issue {number}", parent="PAY-1", description="PAY-1 and GRO-44")
    jira = connect(site, projects=["PAY", "MOB"])
    epic = Epic(jira, site, Ref("jira-main", "issue", str(issue.id)))

    await pull(jira)
    await pull(jira, clock.now())
    for surface, content in (("link", link_content()), ("rollup", rollup_content())):
        await epic.put(surface, await epic.render(content))
        await epic.observe()
        await epic.put(surface, None)
    await jira.resolve(["PAY-9999"])
    checks = [check async for check in jira.doctor()]

    report = validate_jira(site.exchanges, specs_dir / "jira-openapi-min.json")
    assert report.problems == []
    assert report.requests >= 30
    assert len(checks) == 8
