"""What is wrong when nobody looks: facts and the time in, alarms out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from opsync.hookfacts import HookFacts, Untold
from opsync.watch import (
    Alarm,
    AsideFacts,
    Facts,
    FeedFacts,
    ShortWalk,
    Unfit,
    alarms,
    as_told,
    news,
)

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
TODAY = NOW.date()
HOUR = timedelta(hours=1)


def facts(*feeds: FeedFacts, **other: Any) -> Facts:
    """A connection that should be read every two hours and measured every day."""
    given = {"connection": "jira-main", "measured": None, "fresh_within": 2 * HOUR}
    return Facts(feeds=feeds, **{**given, "measured_within": 24 * HOUR, **other})


def feed(hours_ago: float | None, name: str = "issues", **other: Any) -> FeedFacts:
    read_at = None if hours_ago is None else NOW - hours_ago * HOUR
    return FeedFacts(name=name, read_at=read_at, **other)


def judged(one: Facts, **other: Any) -> tuple[Alarm, ...]:
    return alarms([one], NOW, TODAY, **other)


def test_what_was_read_within_its_target_is_no_alarm() -> None:
    assert judged(facts(feed(2), feed(0, "boards"))) == ()


def test_one_feed_over_its_target_is_named() -> None:
    (alarm,) = judged(facts(feed(0.5), feed(2.01, "boards")))
    assert (alarm.kind, alarm.connection, alarm.state) == ("out of date", "jira-main", "fail")
    assert alarm.what == "was not read to its end (boards); it should be every 2 hours"
    assert alarm.since == NOW - 2.01 * HOUR
    assert alarm.hint.startswith("Run opsync sync")


def test_a_feed_that_fails_within_its_target_is_no_alarm_yet() -> None:
    failing = {"failing_since": NOW - HOUR, "error": "Jira answered 503."}
    assert judged(facts(feed(1.5, **failing))) == ()
    (alarm,) = judged(facts(feed(2.5, **failing)))
    assert alarm.error == "Jira answered 503."
    assert alarm.hint.startswith("opsync doctor --only jira-main")


def test_what_was_never_read_is_as_old_as_its_first_failure_or_the_run_that_met_it() -> None:
    assert judged(facts()) == ()
    assert judged(facts(noticed_at=NOW - HOUR)) == ()
    (alarm,) = judged(facts(noticed_at=NOW - 3 * HOUR))
    assert alarm.what == "was never read to its end; it should be every 2 hours"
    assert alarm.since == NOW - 3 * HOUR
    failing = feed(None, failing_since=NOW - 4 * HOUR, error="down")
    assert judged(facts(failing, noticed_at=NOW))[0].since == NOW - 4 * HOUR


def test_a_refused_sign_in_is_told_at_once_and_instead_of_what_follows_from_it() -> None:
    old = facts(feed(9), measured=feed(99), signed_out_since=NOW - HOUR)
    (alarm,) = judged(old)
    assert (alarm.kind, alarm.state, alarm.since) == ("signed out", "fail", NOW - HOUR)


def test_what_is_measured_has_a_target_of_its_own() -> None:
    assert judged(facts(feed(0), measured=feed(23))) == ()
    (alarm,) = judged(facts(feed(0), measured=feed(25)))
    assert alarm.what == "nothing was measured; it should be every day"


def test_what_does_not_fit_is_one_alarm_that_names_its_rules_and_gives_all_reasons() -> None:
    """What stands in a tool is in the reasons alone: the rest leaves the company."""
    found = [Unfit(f'rule "r{n}"', f"they do in Column {n}", NOW - n * HOUR) for n in range(7)]
    (alarm,) = alarms([], NOW, TODAY, unfit=found)
    assert (alarm.kind, alarm.connection, alarm.state) == ("configuration", "", "fail")
    assert alarm.since == NOW - 6 * HOUR
    named = ", ".join(f'rule "r{n}"' for n in range(5))
    assert alarm.what == f"the configuration does not fit what was read: {named} and 2 more"
    assert alarm.error.splitlines() == [f"they do in Column {n}." for n in range(7)]
    assert "Column" not in alarm.what + alarm.hint
    assert alarms([], NOW, TODAY) == ()


def test_fewer_items_than_announced_are_told() -> None:
    (alarm,) = judged(facts(feed(0), short=(ShortWalk("issues", 1200, 1187, NOW),)))
    assert (alarm.kind, alarm.state) == ("short", "fail")
    assert alarm.what == "1,187 of 1,200 items came that it announced (issues)"


@pytest.mark.parametrize(
    ("day", "state", "verb"),
    [
        (TODAY + timedelta(days=15), None, ""),
        (TODAY + timedelta(days=14), "warn", "expires"),
        (TODAY, "warn", "expires"),
        (TODAY - timedelta(days=1), "fail", "expired"),
    ],
)
def test_a_token_is_warned_of_for_14_days_and_red_once_it_expired(
    day: date, state: str | None, verb: str
) -> None:
    found = judged(facts(feed(0), token_expires=day))
    assert [one.state for one in found] == ([state] if state else [])
    assert [one.what for one in found] == ([f"its token {verb} on {day}"] if state else [])


def test_owners_who_left_are_counted_and_red_alarms_come_first() -> None:
    found = judged(facts(feed(3)), owners_left=2)
    assert [one.state for one in found] == ["fail", "warn"]
    assert found[1].what == "2 open items have owners who left"
    assert judged(facts(), owners_left=1)[0].what == "1 open item has an owner who left"


def test_each_alarm_is_told_once_when_it_changes_and_when_it_is_over() -> None:
    warned = judged(facts(feed(0), token_expires=TODAY))
    assert news({}, warned).new == warned
    told = as_told(warned)
    assert not news(told, warned)
    expired = judged(facts(feed(0), token_expires=TODAY - timedelta(days=1)))
    assert news(told, expired).changed == expired
    over = news(told, ())
    assert over.over == (("token:jira-main", "its token expires on 2026-11-22"),)


def test_that_time_goes_by_is_no_news() -> None:
    one = facts(feed(3))
    told = as_told(judged(one))
    assert not news(told, alarms([one], NOW + 5 * HOUR, TODAY))


@pytest.mark.parametrize(
    ("aside", "what"),
    [
        (AsideFacts(items=20, since=NOW - 24 * HOUR), ""),
        (
            AsideFacts(items=1, since=NOW - 24.1 * HOUR),
            "1 item could not be read, the oldest for more than 1 day",
        ),
        (
            AsideFacts(items=20, writes=1, since=NOW),
            "20 items could not be read and 1 value could not be written, over 20",
        ),
        (
            AsideFacts(writes=2, since=NOW - 3 * HOUR, within=2 * HOUR),
            "2 values could not be written, the oldest for more than 2 hours",
        ),
        (AsideFacts(writes=2, since=None), ""),
    ],
)
def test_what_is_set_aside_for_long_or_is_much_is_an_alarm(aside: AsideFacts, what: str) -> None:
    found = judged(facts(feed(0), aside=aside))
    assert [(one.kind, one.state, one.what) for one in found] == (
        [("set aside", "fail", what)] if what else []
    )


def test_a_feed_that_is_refused_is_an_alarm_at_once_and_named() -> None:
    failing = feed(0.5, "bets", failing_since=NOW, error="Notion answered 404.")
    (alarm,) = judged(facts(feed(0), failing, refused=(("bets", NOW),)))
    assert (alarm.kind, alarm.state, alarm.since) == ("refused", "fail", NOW)
    assert alarm.what == "the tool refuses to give bets"
    assert alarm.error == "Notion answered 404."


def test_a_refused_sign_in_outweighs_what_is_refused_besides() -> None:
    found = judged(
        facts(
            feed(0),
            signed_out_since=NOW,
            write_refused_since=NOW,
            refused=(("bets", NOW),),
        )
    )
    assert [one.kind for one in found] == ["signed out"]


SILENT = Untold(reads=3, since=NOW - HOUR)


@pytest.mark.parametrize(
    "hooks",
    [HookFacts(off=True), HookFacts(gone=True), HookFacts(expires_at=NOW)],
)
def test_signals_that_cannot_come_are_not_told_as_silent_besides(hooks: HookFacts) -> None:
    found = alarms([facts(webhooks=hooks, untold=SILENT)], NOW, TODAY)

    assert [one.kind for one in found if one.kind == "webhook silent"] == []
    assert len(found) == 1


@pytest.mark.parametrize("hooks", [HookFacts(), HookFacts(expires_at=NOW + HOUR)])
def test_signals_that_ought_to_come_and_do_not_are_told(hooks: HookFacts) -> None:
    found = alarms([facts(webhooks=hooks, untold=SILENT)], NOW, TODAY)

    (silent,) = [one for one in found if one.kind == "webhook silent"]
    assert (silent.state, silent.since) == ("warn", NOW - HOUR)
    assert silent.hint.endswith(f"opsync webhooks list {silent.connection}")
    assert alarms([facts(untold=Untold(reads=2, since=NOW - HOUR))], NOW, TODAY) == ()
