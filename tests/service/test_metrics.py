"""`/metrics`: what is counted, how it stands, and that no label has anybody's text."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as text_families
from starlette.applications import Starlette

from opsync.errors import StoreError
from opsync.model import Change, Outcome, OutcomeKind, Ref, Slot, Verb
from opsync.observing import Sent
from opsync.report import InstanceReport, PassReport
from opsync.service.hooks.counting import Counters
from opsync.service.metrics import DELIVERIES, LAG_EVERY_S, Metrics, metrics_route
from opsync.service.standing import ConnectionStanding, Standing, standing_of
from tests.support.clock import START, FakeClock
from tests.support.world import World

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = 'SSO"}\n# forged'

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(metrics: Metrics) -> Samples:
    body, _ = metrics.shown("")
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_families(body.decode())
        for one in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[f"opsync_{name}", tuple(sorted(labels.items()))]


def report(**values: Any) -> PassReport:
    slot = Slot(Ref("notion", "page", "1"), "delivery", "roadmap", Ref("notion", "page", "1"))
    change = Change(id="1-a", slot=slot, verb=Verb.create, desired=HOSTILE)
    kinds = [OutcomeKind.created, OutcomeKind.created, OutcomeKind.failed]
    return PassReport(
        run=1,
        command="opsync serve",
        instances=[
            InstanceReport("notion", "Notion"),
            InstanceReport("jira-main", "Jira", trouble="sign-in", message=HOSTILE),
            InstanceReport("linear", "Linear", pulled=False),
        ],
        outcomes=[(change, Outcome(change="1-a", kind=kind, message=HOSTILE)) for kind in kinds],
        seconds=3.0,
        **values,
    )


def standing(**values: Any) -> Standing:
    given: dict[str, Any] = {
        "at": START,
        "connections": [
            ConnectionStanding("notion", START - timedelta(minutes=5), START + timedelta(days=2)),
            ConnectionStanding("linear", webhook_ends=START - timedelta(hours=1)),
        ],
        "waiting": {"to_approve": 4},
        "aside": {"notion": 2},
        "store_bytes": 4096,
        "queued": 3,
        "deliveries": {"accepted": 7, "forged": 1, HOSTILE: 2},
    }
    return Standing(**given | values)


def filled() -> Metrics:
    """Every metric has something."""
    metrics = Metrics()
    metrics.configured({"notion": "notion", "jira-main": "jira"})
    metrics.passed(report())
    metrics.broke("linear")
    metrics.sent(Sent("notion", "read", 200))
    metrics.waited("notion", 1.5)
    metrics._lag.observe(0.002)
    metrics.stand(standing())
    return metrics


def test_a_pass_counts_for_each_connection_that_it_read() -> None:
    found = samples(filled())
    assert value(found, "passes_total", connection="notion", outcome="done") == 1
    assert value(found, "passes_total", connection="jira-main", outcome="sign_in") == 1
    assert value(found, "passes_total", connection="linear", outcome="broke") == 1
    assert value(found, "pass_seconds_sum", connection="notion") == 3.0
    assert value(found, "changes_total", connection="notion", outcome="created") == 2
    assert value(found, "changes_total", connection="notion", outcome="failed") == 1


@pytest.mark.parametrize(
    ("status", "label"),
    [(200, "2xx"), (304, "3xx"), (429, "4xx"), (503, "5xx"), (0, "none"), (777, "none")],
)
def test_requests_count_by_connection_kind_and_class_of_status(status: int, label: str) -> None:
    metrics = filled()
    for _ in range(2):
        metrics.sent(Sent("jira-main", "write", status))
    labels = {"connector": "jira", "kind": "write", "status": label}
    assert value(samples(metrics), "requests_total", connection="jira-main", **labels) == 2


def test_how_it_stands_is_shown_in_seconds() -> None:
    found = samples(filled())
    assert value(found, "freshness_seconds", connection="notion") == 300
    assert value(found, "token_expires_seconds", connection="notion") == 2 * 86_400
    assert value(found, "webhook_expires_seconds", connection="linear") == -3600
    assert value(found, "values_waiting", why="to_approve") == 4
    assert value(found, "set_aside", connection="notion") == 2
    assert value(found, "signals_queued") == 3
    assert value(found, "store_bytes") == 4096
    assert value(found, "ready") == 1
    assert value(found, "build_info", version="0.1.0", python=_python()) == 1
    assert found["process_open_fds", ()] > 0


def _python() -> str:
    import platform

    return platform.python_version()


def test_all_that_may_become_of_a_delivery_is_there_from_the_start() -> None:
    metrics = Metrics()
    zero = {key[1][0][1] for key in samples(metrics) if key[0] == "opsync_deliveries_total"}
    assert zero == DELIVERIES
    found = samples(filled())
    assert value(found, "deliveries_total", outcome="accepted") == 7
    assert value(found, "deliveries_total", outcome="other") == 2


def test_every_end_that_the_receiver_counts_has_its_outcome() -> None:
    assert {one.name for one in fields(Counters)} == DELIVERIES


def test_a_connection_that_is_not_configured_any_more_is_not_shown() -> None:
    metrics = filled()
    metrics.stand(standing(connections=[], aside={}))
    names = {name for name, labels in samples(metrics)}
    assert not {"opsync_freshness_seconds", "opsync_token_expires_seconds"} & names


def test_no_label_has_what_a_tool_or_a_person_wrote() -> None:
    for accept in ("", "application/openmetrics-text"):
        body, _ = filled().shown(accept)
        assert b"forged" in body  # the outcome of that name
        assert b"SSO" not in body
        assert b"# forged" not in body


async def test_the_loops_lag_is_measured() -> None:
    clock = FakeClock()
    metrics = Metrics()
    sleep = clock.sleep

    async def late(delay_s: float) -> None:
        await sleep(delay_s + 0.03)

    clock.sleep = late  # type: ignore[method-assign] # a loop that is busy with something else
    task = asyncio.create_task(metrics.watch_loop(clock))
    while len(clock.slept) < 4:  # noqa: ASYNC110 - no event tells when it has slept
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    found = samples(metrics)
    count = value(found, "loop_lag_seconds_count")
    assert count >= 3
    assert value(found, "loop_lag_seconds_sum") == pytest.approx(0.03 * count)
    assert value(found, "loop_lag_seconds_bucket", le="0.025") == 0
    assert clock.slept[0] == pytest.approx(LAG_EVERY_S + 0.03)


class Stand:
    def __init__(self, found: Standing | Exception) -> None:
        self.found = found

    async def standing(self) -> Standing:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


async def scrape(stands: Any, accept: str = "") -> httpx.Response:
    app = Starlette(routes=[metrics_route(filled(), stands)])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://opsync"
    ) as http:
        return await http.get("/metrics", headers={"accept": accept})


async def test_it_is_served_as_text_and_as_openmetrics() -> None:
    plain = await scrape(Stand(standing()))
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert {one.name for one in text_families(plain.text)} > {"opsync_ready"}
    better = await scrape(
        Stand(standing()), "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
    )
    assert better.headers["content-type"].startswith("application/openmetrics-text; version=1")
    assert better.text.endswith("# EOF\n")
    assert {one.name for one in open_families(better.text)} > {"opsync_ready"}


@pytest.mark.parametrize("accept", ["*/*", ";;,", "text/plain;version=9e9", "a,"])
async def test_whatever_is_accepted_something_is_answered(accept: str) -> None:
    assert (await scrape(Stand(standing()), accept)).status_code == 200


@pytest.mark.parametrize("error", [StoreError("The store is full."), TimeoutError()])
async def test_while_the_store_cannot_be_read_the_counters_go_on(error: Exception) -> None:
    answer = await scrape(Stand(error))
    assert answer.status_code == 200
    assert "opsync_ready 0.0" in answer.text
    assert "opsync_passes_total{" in answer.text
    assert "opsync_freshness_seconds{" not in answer.text


async def test_what_the_store_knows_stands_there(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.raw["instances"]["notion"]["token_expires"] = date(2026, 3, 10)
    await world.sync()
    async with world.session() as session:
        found = await standing_of(
            session.config, session.store, world.clock.now(), ready=True, queued=2
        )
    by = {one.name: one for one in found.connections}
    assert set(by) == {"jira-main", "linear", "notion"}
    assert all(one.read_at is not None for one in by.values())
    ends = by["notion"].token_ends
    assert ends is not None
    assert ends.isoformat() == "2026-03-11T00:00:00+00:00"
    assert by["linear"].token_ends is None
    assert found.store_bytes > 4096
    assert (found.queued, found.ready) == (2, True)


# The page -----------------------------------------------------------------------------------------


def names() -> set[str]:
    """Every metric, as a query names it."""
    body, _ = filled().shown("")
    families = text_families(body.decode())
    found = {
        re.sub(r"_(bucket|sum|count)$", "", one.name)
        for family in families
        for one in family.samples
    }
    return {one for one in found if one.startswith("opsync_")}


def test_the_page_has_every_metric_with_its_labels() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    table = page.partition("## Metrics")[2].partition("\n## ")[0]
    told = dict(re.findall(r"^\| `(opsync_\w+)` \| (.*?) \|", table, re.MULTILINE))
    labels: dict[str, set[str]] = {}
    for name, given in samples(filled()):
        short = re.sub(r"_(bucket|sum|count)$", "", name)
        labels.setdefault(short, set()).update(key for key, _ in given if key != "le")
    assert set(told) == names()
    assert {name: set(re.findall(r"`(\w+)`", text)) for name, text in told.items()} == {
        name: labels[name] for name in told
    }


def test_every_outcome_of_a_delivery_is_on_the_page() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| `opsync_deliveries_total`"))
    assert all(outcome in row for outcome in DELIVERIES)
