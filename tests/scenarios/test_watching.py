"""When nobody looks: what goes wrong in silence ends runs with 1, and those who should hear do."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog

from opsync.cli.passjson import as_json
from opsync.cli.passview import summary_lines
from opsync.engine.fingerprint import derives_as, reads_as
from opsync.engine.overview import overview
from opsync.log import configure
from opsync.redact import Redactor
from opsync.report import PassReport
from tests.support.world import JIRA_SITE, World

HOUR = 3600
HOOK_HOST, ALIVE_HOST = "hooks.example", "alive.example"
SECRET = "T0CANARY-B0CANARY-x9y8z7"
HOOK = f"https://{HOOK_HOST}/services/{SECRET}?sign={SECRET}"
ALIVE = f"https://{ALIVE_HOST}/{SECRET}"


class Hooks:
    """A webhook and a watchdog: what arrived, and what they answer."""

    def __init__(self, world: World, **more: str) -> None:
        self.messages: list[dict[str, Any]] = []
        self.pings: list[str] = []
        self.asked = 0
        self.status = 200
        world.raw["alerts"] = {"webhook": HOOK, "alive": ALIVE, **more}
        world.net.before[HOOK_HOST] = self._hook
        world.net.before[ALIVE_HOST] = self._alive

    def _hook(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == HOOK
        self.asked += 1
        if self.status == 200:
            self.messages.append(json.loads(request.content))
        return httpx.Response(self.status, text=f"no such hook: {request.url}")

    def _alive(self, request: httpx.Request) -> httpx.Response:
        assert (request.method, str(request.url)) == ("GET", ALIVE)
        self.pings.append(request.method)
        return httpx.Response(self.status, text="OK")

    def changes(self) -> list[list[tuple[str, str, str]]]:
        """What each message told of."""
        return [
            [(one["change"], one["kind"], one["connection"]) for one in message["alarms"]]
            for message in self.messages
        ]


def down(world: World, host: str, status: int = 503) -> None:
    world.net.before[host] = lambda request: httpx.Response(status)


def up(world: World, host: str) -> None:
    del world.net.before[host]


def kinds(report: PassReport) -> list[tuple[str, str]]:
    return [(one.kind, one.connection) for one in report.alarms]


async def test_a_run_of_one_connection_ends_with_1_where_another_is_out_of_date(
    settled: World,
) -> None:
    settled.clock.advance(1.5 * HOUR)
    report = await settled.sync(only=frozenset({"notion"}))
    assert (report.exit_code, kinds(report)) == (0, [])
    settled.clock.advance(HOUR)
    report = await settled.sync(only=frozenset({"notion"}))
    assert report.exit_code == 1
    assert kinds(report) == [("out of date", "jira-main"), ("out of date", "linear")]
    assert (await settled.sync()).exit_code == 0


async def test_a_connection_has_a_target_of_its_own(settled: World) -> None:
    settled.raw["watch"] = {"fresh_within": "30m"}
    settled.raw["instances"]["jira-main"]["fresh_within"] = "1d"
    settled.clock.advance(HOUR)
    report = await settled.sync(only=frozenset({"notion"}))
    assert kinds(report) == [("out of date", "linear")]


def test_another_target_is_no_reason_to_read_or_count_anew(world: World) -> None:
    def digests() -> list[object]:
        config = world.config()
        return [reads_as(config), derives_as(config), config.instances["jira-main"].reads_as]

    before = digests()
    world.raw["watch"] = {"fresh_within": "30m"}
    world.raw["instances"]["jira-main"] |= {"fresh_within": "1d", "token_expires": "2030-01-01"}
    assert digests() == before
    world.raw["instances"]["jira-main"]["blocked_labels"] = ["stuck"]
    assert digests() != before


async def test_what_no_run_has_read_yet_is_out_of_date_some_time_after_it_was_met(
    world: World,
) -> None:
    first = await world.sync(only=frozenset({"notion"}))
    assert kinds(first) == []
    world.clock.advance(3 * HOUR)
    report = await world.sync(only=frozenset({"notion", "linear"}))
    assert kinds(report) == [("out of date", "jira-main")]
    assert report.alarms[0].what.startswith("was never read")


async def test_an_outage_is_an_alarm_once_its_target_has_passed(settled: World) -> None:
    down(settled, "api.linear.app")
    first = await settled.sync()
    assert (first.exit_code, kinds(first)) == (1, [])
    settled.clock.advance(2 * HOUR)
    assert kinds(await settled.sync()) == [("out of date", "linear")]


async def test_a_refused_sign_in_is_an_alarm_at_once_and_until_it_is_mended(
    settled: World,
) -> None:
    """Trouble 15"""
    down(settled, "api.linear.app", 401)
    report = await settled.sync()
    assert (report.exit_code, kinds(report)) == (3, [("signed out", "linear")])
    other = await settled.sync(only=frozenset({"notion"}))
    assert kinds(other) == [("signed out", "linear")]
    assert other.alarms[0].since == report.alarms[0].since
    up(settled, "api.linear.app")
    assert kinds(await settled.sync()) == []


async def test_a_token_about_to_expire_is_told_and_an_expired_one_ends_runs_with_1(
    settled: World,
) -> None:
    """Trouble 15"""
    settled.raw["instances"]["notion"]["token_expires"] = "2026-03-10"
    report = await settled.sync()
    assert (report.exit_code, kinds(report)) == (0, [("token", "notion")])
    settled.clock.advance(9 * 24 * HOUR)
    report = await settled.sync()
    assert (report.exit_code, kinds(report)) == (1, [("token", "notion")])


async def test_status_judges_as_the_run_did(settled: World) -> None:
    settled.clock.advance(3 * HOUR)
    report = await settled.sync(only=frozenset({"notion"}))
    async with settled.session() as session:
        found = await overview(settled.config(), session.store, settled.clock.now())
    assert list(found.alarms) == report.alarms
    assert not found.healthy
    states = {one.instance: one.state for one in found.connections}
    assert states == {"jira-main": "out of date", "linear": "out of date", "notion": "ok"}


async def test_an_alarm_is_told_once_and_so_is_its_end(settled: World) -> None:
    hooks = Hooks(settled)
    await settled.sync()
    assert hooks.messages == []
    settled.clock.advance(3 * HOUR)
    down(settled, "api.linear.app")
    down(settled, "harbor.atlassian.net")
    for _ in range(3):
        await settled.sync()
    up(settled, "api.linear.app")
    await settled.sync()
    up(settled, "harbor.atlassian.net")
    for _ in range(3):
        await settled.sync()
    late = "out of date"
    assert hooks.changes() == [
        [("new", late, "jira-main"), ("new", late, "linear")],
        [("over", late, "linear")],
        [("over", late, "jira-main")],
    ]


async def test_only_a_good_run_is_told_to_the_watchdog(settled: World) -> None:
    hooks = Hooks(settled)
    await settled.sync()
    assert len(hooks.pings) == 1
    down(settled, "api.linear.app")
    await settled.sync()
    assert len(hooks.pings) == 1


async def test_a_run_that_had_to_leave_out_a_connection_is_no_good_run(settled: World) -> None:
    """The service is at work with it all the while."""
    hooks = Hooks(settled)
    async with settled.session() as session:
        report = await session.sync("opsync sync")
        assert (report.exit_code, len(hooks.pings)) == (0, 1)
        for one in report.instances:
            one.in_use = one.instance == "linear"
        await session.close_pass(report)
    assert (report.exit_code, len(hooks.pings)) == (1, 1)
    assert "! linear was left out: the running service is at work with it" in summary_lines(report)


async def test_a_plan_tells_nobody(settled: World) -> None:
    hooks = Hooks(settled)
    down(settled, "api.linear.app", 401)
    await settled.sync(write=False)
    up(settled, "api.linear.app")
    await settled.sync(write=False)
    assert (hooks.messages, hooks.pings) == ([], [])


async def test_slack_gets_a_text_as_it_takes_it(settled: World) -> None:
    hooks = Hooks(settled, style="slack")
    down(settled, "api.linear.app", 401)
    await settled.sync()
    (message,) = hooks.messages
    assert message.keys() == {"text"}
    first, second = message["text"].splitlines()
    assert first == "opsync: something is wrong"
    assert second.startswith("new: linear: its sign-in was refused in the last run (since 2026-")


async def test_a_rule_that_fits_nothing_is_an_alarm_until_it_does(
    settled: World, logs: io.StringIO
) -> None:
    """Its numbers stand still: nobody would notice."""
    hooks = Hooks(settled)
    settled.raw["rollup"][0]["properties"] = ["Trackd in"]
    for _ in range(3):
        report = await settled.sync()
        assert (report.exit_code, kinds(report)) == (1, [("configuration", "")])
    (alarm,) = report.alarms
    assert alarm.error == report.warnings[0]
    assert "\n".join(summary_lines(report)).count(f"! {alarm.error}") == 1
    assert alarm.what not in "\n".join(summary_lines(report))
    async with settled.session() as session:
        found = await overview(settled.config(), session.store, settled.clock.now())
    assert (found.healthy, found.alarms) == (False, (alarm,))
    settled.raw["rollup"][0]["properties"] = ["Tracked in"]
    assert kinds(await settled.sync()) == []
    assert hooks.changes() == [[("new", "configuration", "")], [("over", "configuration", "")]]
    assert "Tracked" not in json.dumps(hooks.messages), "that is a name of the tool's"
    assert hooks.pings == ["GET"]
    events = [json.loads(line)["event"] for line in logs.getvalue().splitlines()]
    said = [one for one in events if one.startswith("configuration.")]
    assert said == ["configuration.unfit", "configuration.fits"]


async def test_a_team_that_fits_nothing_stays_told_while_its_tool_is_away(settled: World) -> None:
    scope = {"instance": "jira-main", "spaces": ["MOBX"]}
    settled.raw["team"] = [{"name": "Apps", "scope": [scope]}]
    hooks = Hooks(settled)
    report = await settled.sync()
    assert kinds(report) == [("configuration", "")]
    down(settled, "harbor.atlassian.net")
    during = await settled.sync()
    assert (during.alarms, during.warnings) == (report.alarms, report.warnings)
    up(settled, "harbor.atlassian.net")
    assert (await settled.sync()).alarms == report.alarms
    scope["spaces"] = ["MOB"]
    assert kinds(await settled.sync()) == []
    assert [[change for change, _, _ in each] for each in hooks.changes()] == [["new"], ["over"]]


async def test_an_alert_that_cannot_be_sent_fails_no_run_and_is_sent_after_the_next(
    settled: World,
) -> None:
    hooks = Hooks(settled)
    settled.raw["instances"]["notion"]["token_expires"] = "2026-03-10"
    hooks.status = 500
    report = await settled.sync()
    assert report.exit_code == 0
    assert hooks.asked == 2
    assert report.untold[0].startswith("no alert could be sent: the address of alerts.webhook")
    hooks.status = 200
    report = await settled.sync()
    assert report.untold == []
    assert hooks.changes() == [[("new", "token", "notion")]]


async def test_what_leaves_names_nothing_that_stands_in_a_tool(settled: World) -> None:
    hooks = Hooks(settled)
    settled.clock.advance(3 * HOUR)
    settled.net.before["harbor.atlassian.net"] = lambda request: httpx.Response(
        400, json={"errorMessages": ["The value 'Vault cards' is private."]}
    )
    report = await settled.sync()
    assert "Vault" in report.alarms[0].error, "the check below can fail"
    sent = json.dumps(hooks.messages)
    assert "out of date" in sent
    assert "Vault" not in sent
    assert JIRA_SITE not in sent


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """All that is logged, at debug level, with no secret known to what cleans it."""
    logger = logging.getLogger()
    before = logger.handlers, logger.level
    stream = io.StringIO()
    configure(json=True, level="debug", secrets=Redactor(), stream=stream)
    yield stream
    logger.handlers, logger.level = before
    structlog.reset_defaults()


@pytest.mark.sampled
@pytest.mark.parametrize("how", [200, 302, 404, 500, "broken"])
async def test_the_addresses_appear_in_no_log_error_or_json(
    settled: World, logs: io.StringIO, how: int | str
) -> None:
    hooks = Hooks(settled)
    settled.raw["instances"]["notion"]["token_expires"] = "2026-03-10"
    if isinstance(how, int):
        hooks.status = how
    else:

        def broken(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError(f"cannot reach {request.url}")

        settled.net.before[HOOK_HOST] = settled.net.before[ALIVE_HOST] = broken
    report = await settled.sync()
    assert len(report.untold) == (0 if how == 200 else 2)
    shown = "\n".join([*summary_lines(report), json.dumps(as_json(report), default=repr)])
    logged = logs.getvalue()
    assert "request.answered" in logged, "the check below can fail"
    assert SECRET not in shown + logged + repr(settled.config())
    assert SECRET.encode() not in settled.store_path.read_bytes()
