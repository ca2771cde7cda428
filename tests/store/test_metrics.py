"""What was measured, and since when initiatives are done."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from opsync.adoption import Sighting
from opsync.model import Counts, Metric, MetricKind, Reading, Ref, Span
from opsync.store import Store
from opsync.store.metrics import joined_with
from tests.store.build import names, put, record, settle

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SENT = Metric("posthog", MetricKind.event, "payout: sent")
SEEN = Metric("posthog", MetricKind.flag, "instant-payouts", Counts.events)
OTHER = Metric("amplitude", MetricKind.event, "payout: sent")
ROOT, SECOND = Ref("notion", "page", "1"), Ref("notion", "page", "2")


def span(first: int, last: int) -> Span:
    return Span(date(2026, 11, first), date(2026, 11, last))


def days(**values: float) -> dict[date, float]:
    """d3=7 is the third of November."""
    return {date(2026, 11, int(name[1:])): value for name, value in values.items()}


async def keep(
    store: Store, *readings: Reading, asked: Span | None = None, run: int = 1, at: datetime = NOW
) -> None:
    spans = [one.span for one in readings if one.span is not None]
    await store.put_readings(
        run,
        readings,
        asked=asked or (spans[0] if spans else span(1, 22)),
        at=at,
        retry_at=LATER,
        used_by={one.metric: [ROOT] for one in readings},
    )


async def test_a_reading_comes_back_as_it_was_stored(store: Store) -> None:
    await keep(
        store,
        Reading(
            metric=SENT,
            span=span(1, 22),
            days=days(d3=7, d4=2.5, d5=0),
            windows={span(16, 22): 40.0},
            title="Payouts",
        ),
    )
    found = (await store.measured())[SENT]
    assert (found.known, found.asked_from) == (span(1, 22), date(2026, 11, 1))
    assert (found.windows, found.title) == ({span(16, 22): 40.0}, "Payouts")
    assert (found.read_at, found.retry_at, found.trouble) == (NOW, None, "")
    assert await store.metric_days([SENT]) == {SENT: days(d3=7, d4=2.5)}


async def test_days_that_were_read_again_replace_what_was_known_of_them(store: Store) -> None:
    await keep(store, Reading(metric=SENT, span=span(1, 20), days=days(d3=7, d19=5, d20=4)))
    await keep(store, Reading(metric=SENT, span=span(18, 22), days=days(d20=6, d22=1)))
    assert (await store.measured())[SENT].known == span(1, 22)
    assert await store.metric_days([SENT]) == {SENT: days(d3=7, d20=6, d22=1)}


async def test_what_does_not_join_on_is_forgotten(store: Store) -> None:
    await keep(store, Reading(metric=SENT, span=span(1, 5), days=days(d3=7)))
    await keep(store, Reading(metric=SENT, span=span(10, 22), days=days(d20=6)))
    found = (await store.measured())[SENT]
    assert (found.known, found.asked_from) == (span(10, 22), date(2026, 11, 10))
    assert await store.metric_days([SENT]) == {SENT: days(d20=6)}


async def test_days_outside_of_what_the_reading_is_of_are_left_out(store: Store) -> None:
    await keep(store, Reading(metric=SENT, span=span(10, 22), days=days(d9=1, d10=2, d23=3)))
    assert await store.metric_days([SENT]) == {SENT: days(d10=2)}


async def test_what_shows_less_than_was_asked_for_is_remembered_as_asked(store: Store) -> None:
    await keep(store, Reading(metric=SENT, span=span(16, 22)), asked=span(1, 22))
    found = (await store.measured())[SENT]
    assert (found.known, found.asked_from, found.retry_at) == (
        span(16, 22),
        date(2026, 11, 1),
        None,
    )
    await keep(store, Reading(metric=SENT, span=span(1, 20)), asked=span(1, 22))
    assert (await store.measured())[SENT].retry_at == LATER


async def test_trouble_keeps_the_days_and_waits(store: Store) -> None:
    await keep(store, Reading(metric=SENT, span=span(1, 22), days=days(d3=7)))
    await keep(
        store, Reading(metric=SENT, trouble="unknown", message="no such", nearest=("payout",))
    )
    found = (await store.measured())[SENT]
    assert (found.trouble, found.message, found.nearest) == ("unknown", "no such", ("payout",))
    assert (found.known, found.retry_at) == (span(1, 22), LATER)
    await keep(store, Reading(metric=SENT, span=span(1, 22), days=days(d3=8)))
    found = (await store.measured())[SENT]
    assert (found.trouble, found.nearest, found.retry_at) == ("", (), None)
    assert await store.metric_days([SENT]) == {SENT: days(d3=8)}


async def test_metrics_are_told_apart_and_forgotten_one_by_one(store: Store) -> None:
    for metric in (SENT, SEEN, OTHER):
        await keep(store, Reading(metric=metric, span=span(1, 22), days=days(d3=7)))
    assert set(await store.measured()) == {SENT, SEEN, OTHER}
    assert set(await store.measured("posthog")) == {SENT, SEEN}
    await store.forget_metrics([SENT])
    assert set(await store.measured()) == {SEEN, OTHER}
    found = await store.metric_days([SENT, SEEN])
    assert found == {SENT: {}, SEEN: days(d3=7)}


async def test_many_metrics_are_read_and_forgotten_in_pieces(store: Store) -> None:
    many = [Metric("posthog", MetricKind.event, f"event {n}") for n in range(1_200)]
    readings = [Reading(metric=one, span=span(1, 22), days=days(d3=7)) for one in many]
    await keep(store, *readings)
    assert len(await store.metric_days(many)) == len(many)
    await store.forget_metrics(many)
    assert await store.measured() == {}
    assert all(not found for found in (await store.metric_days(many)).values())


async def test_the_roots_that_use_a_metric_are_looked_at_again(store: Store) -> None:
    run = await store.begin_run("sync")
    await settle(store, run)
    run = await store.begin_run("sync")
    assert await store.roots_touched(run, "roadmap", [ROOT, SECOND]) == []
    await keep(store, Reading(metric=SENT, trouble="empty"), run=run)
    assert await store.roots_touched(run, "roadmap", [ROOT, SECOND]) == [ROOT]
    await store.touch_roots(run, [SECOND])
    assert await store.roots_touched(run, "roadmap", [ROOT, SECOND]) == [ROOT, SECOND]


async def test_nothing_read_writes_nothing(store: Store) -> None:
    await store.put_readings(1, [], asked=span(1, 22), at=NOW, retry_at=LATER, used_by={})
    assert await store.measured() == {}


@pytest.mark.parametrize(
    ("known", "read", "joined"),
    [
        (None, span(3, 5), span(3, 5)),
        (span(1, 5), span(6, 9), span(1, 9)),
        (span(1, 5), span(7, 9), span(7, 9)),
        (span(6, 9), span(1, 5), span(1, 9)),
        (span(7, 9), span(1, 5), span(1, 5)),
        (span(1, 9), span(3, 5), span(1, 9)),
        (span(3, 5), span(1, 9), span(1, 9)),
    ],
)
def test_spans_are_joined_where_they_touch(known: Span | None, read: Span, joined: Span) -> None:
    assert joined_with(known, read) == joined


async def test_sightings_come_back(store: Store) -> None:
    seen = {ROOT: Sighting(True, date(2026, 11, 19)), SECOND: Sighting(False)}
    await store.put_sightings(seen)
    await store.put_sightings({})
    assert await store.sightings([ROOT, SECOND, Ref("notion", "page", "3")]) == seen
    await store.put_sightings({ROOT: Sighting(True)})
    assert await store.sightings([ROOT, SECOND]) == {**seen, ROOT: Sighting(True)}


async def test_that_something_was_not_done_is_forgotten_once_nobody_looks(store: Store) -> None:
    third = Ref("notion", "page", "3")
    seen = {
        ROOT: Sighting(False),
        SECOND: Sighting(True, date(2026, 11, 19)),
        third: Sighting(False),
    }
    await store.put_sightings(seen)
    await store.forget_open({ROOT})
    assert await store.sightings([ROOT, SECOND, third]) == {
        ROOT: Sighting(False),
        SECOND: Sighting(True, date(2026, 11, 19)),
    }


async def test_whether_something_of_a_sort_is_named(store: Store) -> None:
    flag = names("flag:12", "posthog")
    await put(store, 1, record("jira:1", mentions=(flag,)))
    assert await store.names_any("posthog", "flag:")
    assert not await store.names_any("posthog", "flag:2")
    assert not await store.names_any("posthog", "insight:")
    assert not await store.names_any("mixpanel", "flag:")
    await put(store, 2, record("jira:1", mentions=(flag,), tombstone="deleted"))
    assert not await store.names_any("posthog", "flag:")


async def test_what_a_list_names_itself_is_no_reason_to_read_it(store: Store) -> None:
    await put(store, 1, record("posthog:7", mentions=(names("flag:12", "posthog"),)))
    assert not await store.names_any("posthog", "flag:")
