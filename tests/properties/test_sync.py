"""Whole passes over a small company, while its people work and its tools fail.

After whatever happened, three passes without trouble bring everything to rest, the next one sends
no write, and nobody's own words were touched.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from opsync.report import PassReport
from tests.support.world import HOSTS, World, jira_url, troubles

PASSES_MAX = 3
"""So many passes after the last trouble bring everything to rest."""

READS = ("/query", "/search", "/search/jql", "/bulkfetch", "/approximate-count")
"""What POSTs of Notion and Jira end with that read."""

OURS = "Ana: on our way"
ISSUES = ("PAY-2", "PAY-3", "PAY-4", "MOB-3")


class Syncing(RuleBasedStateMachine):
    """People move and rename work, edit what opsync wrote, and link by hand; tools fail."""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory(prefix="opsync-sync-")
        self.world = World(Path(self.folder.name))
        self.told = False
        """Whether a person wrote their own words into Delivery."""
        self.removed = False
        """Whether a person took away a link that opsync had made."""
        self.sync()

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        try:
            self.it_comes_to_rest()
        finally:
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
            self.folder.cleanup()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @rule(key=st.sampled_from(ISSUES), status=st.sampled_from(["To Do", "Doing", "Done"]))
    def work_moves(self, key: str, status: str) -> None:
        self.world.jira.set_status(key, status)

    @rule(title=st.sampled_from(["Tokenise cards", "Tokenise all cards", "Cards [x](y)"]))
    def work_is_renamed(self, title: str) -> None:
        self.world.jira.edit("PAY-3", summary=title)

    @rule()
    def a_person_writes_into_delivery(self) -> None:
        if self.world.checkout.text("Delivery"):
            self.world.notion.edit_page(self.world.checkout, "Delivery", OURS)
            self.told = True

    @rule()
    def a_person_removes_a_link(self) -> None:
        issue = self.world.linear.issue("GRO-3")
        if issue.attachments and not self.removed:
            self.world.linear.detach(issue.attachments[0])
            self.removed = True
            self.sync()  # seen before anything else happens to it

    @rule(key=st.sampled_from(["PAY-3", "PAY-4"]))
    def a_person_names_other_work(self, key: str) -> None:
        self.world.linear.edit("GRO-2", description=f"Waits for {jira_url(key)}")

    @rule(failing=st.sampled_from(sorted(HOSTS)), answer=st.sampled_from([400, 503, 0]))
    def a_pass_fails_to_write(self, failing: str, answer: int) -> None:
        """Refused, unavailable, or cut off without an answer: each write, of one tool."""
        host = HOSTS[failing]
        fired: list[str] = []

        def fail(request: httpx.Request) -> httpx.Response | None:
            read_only = request.method == "GET" or request.url.path.endswith(READS)
            if read_only or (failing == "linear" and b"mutation" not in request.content):
                return None
            fired.append(failing)
            if not answer:
                raise httpx.ReadError("cut off", request=request)
            return httpx.Response(answer, json={"message": "no"})

        self.world.net.before[host] = fail
        report = self.sync()
        del self.world.net.before[host]
        assert report.exit_code or not fired, "a write failed and nothing was said"

    @rule()
    def a_pass_reads_only(self) -> None:
        before = self.world.written()
        self.sync(write=False)
        assert self.world.written() == before, "a look wrote"

    @rule(full=st.booleans())
    def a_pass(self, full: bool) -> None:
        self.sync(full=full)

    @rule()
    def the_store_is_lost(self) -> None:
        self.world.lose_store()
        self.removed = False

    def it_comes_to_rest(self) -> None:
        for _ in range(PASSES_MAX):
            self.world.clock.advance(7 * 3600)
            report = self.sync()
        before = self.world.written()
        self.world.clock.advance(7 * 3600)
        report = self.sync()
        assert self.world.written() == before, "a pass with nothing to do sent a write"
        assert report.planned == 0, [one.change for one in report.plan.changes]
        assert report.applied == 0, troubles(report)

    def sync(self, **options: Any) -> PassReport:
        report: PassReport = self.run(self.world.sync(**options))
        self.nothing_is_lost()
        return report

    def nothing_is_lost(self) -> None:
        """What holds after every pass, a failed one too."""
        world = self.world
        if self.told:
            assert world.checkout.text("Delivery") == OURS, "a person's words were written over"
        if self.removed:
            urls = [url for _, url in world.attachments("GRO-3")]
            assert jira_url("PAY-3") not in urls, "what a person removed came back"
        for key in ("GRO-1", "GRO-2", "GRO-3"):
            urls = [url for _, url in world.attachments(key)]
            assert len(set(urls)) == len(urls), f"a link stands twice on {key}"
        for key in ("PAY-1", "PAY-3", "PAY-4", "MOB-1"):
            links = [link["globalId"] for link in world.remote_links(key)]
            assert len(set(links)) == len(links), f"a link stands twice on {key}"
        assert world.checkout.text("Tracked in").startswith(jira_url("PAY-1")), "not opsync's"
        assert world.linear.issue("GRO-3").description == f"Waits for {jira_url('PAY-3')}"


EVERYDAY = settings(
    max_examples=2,
    stateful_step_count=6,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
)


def test_whatever_happened_the_company_comes_to_rest_and_nobody_loses_a_word() -> None:
    """I1"""
    run_state_machine_as_test(Syncing, settings=EVERYDAY)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_company_comes_to_rest_after_long_weeks() -> None:
    long = settings(EVERYDAY, max_examples=12, stateful_step_count=15)
    run_state_machine_as_test(Syncing, settings=long)
