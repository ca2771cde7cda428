"""The digest and the page on opsync's health go where the configuration says: once, and told if
they cannot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from opsync.engine import digestsending
from opsync.engine.digestsending import due, send, send_due, weekly
from opsync.engine.digestwords import Line, Piece
from opsync.engine.healthpage import write_due
from opsync.engine.overview import overview
from opsync.engine.pages import kept_parts, leave_parts, release_parts
from opsync.engine.untold import sendings
from opsync.errors import ConfigError, StoreError
from opsync.sandbox.notion import Page
from opsync.watch import Alarm
from tests.support.world import World

HOOK = "https://hooks.slack.example/services/T0/B0/s3cret"
HOUR_S, DAY_S = 3_600, 86_400


class Company(World):
    """The small company with a Slack, and a page for what opsync tells."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.posted: list[dict[str, Any]] = []
        self.answers = 200
        self.net.before["hooks.slack.example"] = self._slack
        self.board = self.page("Board", "")
        self.raw["service"] = {"digest": {"slack_webhook": HOOK}}

    def _slack(self, request: httpx.Request) -> httpx.Response:
        self.posted.append(json.loads(request.content))
        return httpx.Response(self.answers, text="ok")

    def at(self, weekday: int, hour: float) -> None:
        """Go on to the next such day and hour, in UTC."""
        now = self.clock.now()
        day = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hour)
        day += timedelta(days=(weekday - now.weekday()) % 7)
        self.clock.advance((day + timedelta(days=7 if day <= now else 0) - now).total_seconds())

    async def minute(self) -> tuple[Alarm, ...]:
        """What the service does once a minute."""
        async with self.session() as session:
            return await send_due(session, self.clock.now())

    async def daily(self) -> tuple[Alarm, ...]:
        async with self.session() as session:
            return await write_due(session, self.clock.now())

    async def alarms(self) -> Sequence[Alarm]:
        async with self.session() as session:
            found = await overview(session.config, session.store, self.clock.now())
            return [one for one in found.alarms if one.kind in ("digest", "health page")]


def stands(page: Page) -> list[str]:
    return [block.text for block in page.blocks]


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


async def test_it_is_sent_once_when_it_is_due_and_by_no_other_process_again(
    company: Company,
) -> None:
    await company.sync()
    company.at(0, 7.9)
    assert await company.minute() == ()
    assert company.posted == []

    company.at(0, 8)
    for _ in range(3):
        assert await company.minute() == ()
        company.clock.advance(60)

    (message,) = company.posted
    assert message["text"].startswith("*The week to ")
    assert message["unfurl_links"] is False
    company.at(0, 8)
    await company.minute()
    assert len(company.posted) == 2


async def test_a_service_that_was_not_there_sends_it_within_a_day_and_not_later(
    company: Company,
) -> None:
    await company.sync()
    company.at(1, 7)
    await company.minute()
    assert len(company.posted) == 1
    company.at(1, 9)
    await company.minute()
    assert len(company.posted) == 1


async def test_it_is_due_at_the_hour_of_the_configured_zone(company: Company) -> None:
    company.raw["time_zone"] = "America/New_York"
    company.raw["service"]["digest"] |= {"day": "friday", "hour": 17}
    config = company.config()
    assert due(config, datetime(2026, 11, 27, 21, 59, tzinfo=UTC)) is None
    at = due(config, datetime(2026, 11, 28, 3, tzinfo=UTC))
    assert at == datetime(2026, 11, 27, 22, tzinfo=UTC)
    # Summer time ended on the first of November.
    assert due(config, datetime(2026, 10, 30, 21, tzinfo=UTC)) is not None


async def test_a_process_that_died_while_it_sent_sends_nothing_twice(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.raw["service"]["digest"]["notion_page"] = company.board.url
    await company.sync()
    company.at(0, 8)

    async def dies(session: object, digests: object, to: str) -> str:
        raise KeyboardInterrupt(to)

    with monkeypatch.context() as patch:
        patch.setattr(digestsending, "send", dies)
        with pytest.raises(KeyboardInterrupt, match="slack"):
            await company.minute()
    await company.minute()

    assert company.posted == [], "nobody knows whether it arrived"
    assert stands(company.board)[0].startswith("Digest of the week"), "a page is written again"


async def test_a_store_that_cannot_be_read_just_then_costs_no_digest(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    await company.sync()
    company.at(0, 8)

    async def busy(*args: object, **options: object) -> None:
        raise StoreError("The store is busy.")

    with monkeypatch.context() as patch:
        patch.setattr(digestsending, "week", busy)
        with pytest.raises(StoreError):
            await company.minute()
    await company.minute()
    assert len(company.posted) == 1


async def test_a_failure_is_an_alarm_and_is_tried_again_an_hour_later(
    company: Company,
) -> None:
    await company.sync()
    company.at(0, 8)
    company.answers = 500

    (alarm,) = await company.minute()
    tries = len(company.posted)
    company.clock.advance(HOUR_S - 60)
    assert await company.minute() == (alarm,)
    assert len(company.posted) == tries, "not before an hour is over"
    assert (alarm.state, alarm.kind) == ("fail", "digest")
    assert "500" in alarm.error
    assert "s3cret" not in f"{alarm}"
    assert await company.alarms() == [alarm]

    company.answers = 200
    company.clock.advance(60)
    assert await company.minute() == ()
    assert len(company.posted) == tries + 1
    assert await company.alarms() == []


async def test_what_was_sent_by_hand_ends_the_alarm(company: Company) -> None:
    await company.sync()
    company.at(0, 8)
    company.answers = 404
    assert await company.minute()
    company.answers = 200
    async with company.session() as session:
        assert await send(session, await weekly(session, company.clock.now()), "slack") == ""
    assert await company.alarms() == []


async def test_each_team_has_its_own_and_one_without_work_is_told_so(company: Company) -> None:
    company.raw["service"]["digest"]["teams"] = ["Payments", "Nobody"]
    await company.sync()
    company.at(0, 8)
    await company.minute()
    first, second = company.posted[0]["text"].split("\n\n")
    assert first.startswith("*Payments: the week to ")
    assert second == "*Nobody:* no work of this team counts anywhere"


async def test_it_asks_no_tool(company: Company) -> None:
    await company.sync()
    company.at(0, 8)
    asked = {name: vendor.read_requests for name, vendor in company.vendors.items()}
    await company.minute()
    assert {name: vendor.read_requests for name, vendor in company.vendors.items()} == asked


async def test_it_stands_on_the_page_and_is_replaced_by_the_next(company: Company) -> None:
    company.raw["service"] = {"digest": {"notion_page": company.board.url}}
    await company.sync()
    company.at(0, 8)
    await company.minute()

    first = stands(company.board)
    assert first[0] == "Digest of the week [opsync:digest]"
    assert first[1].startswith("The week to ")
    assert company.board.blocks[2].type == "bulleted_list_item"
    company.at(0, 8)
    await company.minute()
    assert stands(company.board)[1] != first[1]
    assert len([text for text in stands(company.board) if text.startswith("The week")]) == 1
    async with company.session() as session:
        assert (await kept_parts(session.store))["digest"].times == 2


async def test_what_opsync_wrote_on_a_page_changes_nothing_that_it_reads(
    company: Company,
) -> None:
    company.raw["instances"]["notion"]["read_body"] = True
    company.raw["service"] = {"digest": {"notion_page": company.board.url}}
    await company.sync()
    company.at(0, 8)
    await company.minute()
    await company.sync()
    await company.silent()
    async with company.session() as session:
        board = (await session.store.find("Board"))[0]
        assert await session.store.links_of(board.ref) == []
        assert board.mentions == ()


async def test_a_pause_holds_for_pages_and_not_for_messages(company: Company) -> None:
    company.raw["service"]["digest"]["notion_page"] = company.board.url
    await company.sync()
    async with company.session() as session:
        await session.store.pause("notion", by="ana", at=company.clock.now())
    company.at(0, 8)
    (alarm,) = await company.minute()
    assert "paused by ana" in alarm.error
    assert stands(company.board) == []
    assert len(company.posted) == 1


async def test_another_page_takes_it_over(company: Company) -> None:
    company.raw["service"] = {"digest": {"notion_page": company.board.url}}
    await company.sync()
    company.at(0, 8)
    await company.minute()
    company.raw["service"]["digest"]["notion_page"] = company.loyalty.url
    company.at(0, 8)
    await company.minute()
    assert stands(company.board) == []
    assert len(stands(company.loyalty)) > 1


async def test_all_of_it_can_be_taken_away_again_or_left(company: Company) -> None:
    digest, health = {"notion_page": company.board.url}, {"notion_page": company.loyalty.url}
    company.raw["service"] = {"digest": digest, "health_page": health}
    await company.sync()
    company.at(0, 8)
    await company.minute()
    await company.daily()
    async with company.session() as session:
        told = await release_parts(session, dry=True)
        assert [(one.part, one.why) for one in told] == [("digest", ""), ("health", "")]
        assert stands(company.board)
        assert await release_parts(session, "linear") == []
        await release_parts(session)
        assert await kept_parts(session.store) == {}
    assert (stands(company.board), stands(company.loyalty)) == ([], [])
    company.at(0, 8)
    await company.minute()
    async with company.session() as session:
        await leave_parts(session)
        assert await release_parts(session) == []
    assert stands(company.board)


async def test_without_a_place_to_go_it_says_what_to_set(company: Company) -> None:
    company.raw["service"] = {}
    await company.sync()
    async with company.session() as session:
        lines = (Line("The week", ((Piece("nothing"),),)),)
        with pytest.raises(ConfigError, match="notion_page"):
            await send(session, [lines], "notion")
        with pytest.raises(ConfigError, match="OPSYNC_SERVICE__DIGEST__SLACK_WEBHOOK"):
            await send(session, [lines], "slack")
        assert await send_due(session, company.clock.now()) == ()
        assert await sendings(session.store) == {}


# The page on health ------------------------------------------------------------------------


@pytest.fixture
def healthy(company: Company) -> Company:
    company.raw["service"] = {"health_page": {"notion_page": company.board.url}}
    return company


async def test_the_page_says_how_connections_are(healthy: Company) -> None:
    await healthy.sync()
    assert await healthy.daily() == ()
    text = stands(healthy.board)
    assert text[0] == "opsync health [opsync:health]"
    assert text[1] == "All connections are read and written as they should be."
    assert "jira-main (Jira): read" in text
    assert text[-1].startswith("Written ")


async def test_it_is_written_when_it_says_something_else_and_once_a_day_at_most(
    healthy: Company,
) -> None:
    await healthy.sync()
    await healthy.daily()
    before = healthy.notion.write_requests
    healthy.clock.advance(DAY_S + 60)
    await healthy.sync()
    await healthy.daily()
    assert healthy.notion.write_requests == before, "nothing is otherwise"

    healthy.jira.faults.refuse_token = True
    await healthy.sync()
    await healthy.daily()
    assert healthy.notion.write_requests == before, "it was looked at less than a day ago"
    healthy.clock.advance(DAY_S)
    await healthy.sync()
    await healthy.daily()
    text = "\n".join(stands(healthy.board))
    assert "jira-main: its sign-in was refused in the last run" in text
    assert "1 thing needs a look." in text
    assert text.count("opsync health") == 1


async def test_a_page_that_cannot_be_written_is_an_alarm_and_tried_again_an_hour_later(
    healthy: Company,
) -> None:
    await healthy.sync()
    healthy.notion.faults.missing_scopes = ("insert content",)
    (alarm,) = await healthy.daily()
    assert (alarm.kind, alarm.connection) == ("health page", "notion")
    assert "Insert content" in alarm.error
    assert await healthy.alarms() == [alarm]
    healthy.notion.faults.missing_scopes = ()
    healthy.clock.advance(HOUR_S)
    assert await healthy.daily() == ()
    assert stands(healthy.board)[1].startswith("All connections")
    assert await healthy.alarms() == []
