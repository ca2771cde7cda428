"""When an initiative was shipped, and where its day comes from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsync.adoption import Sighting, planned_on, release_of, sighted
from opsync.adoption.releasing import date_in
from opsync.model import Category, Record, Release
from tests.support.build import record

TODAY = date(2026, 11, 22)
SAW = Sighting(done=True, since=date(2026, 11, 19))


def root(category: str = "done", released: str = "", **more: object) -> Record:
    extra = {"Released": released} if released else {}
    return record("root", category, instance="notion", extra=extra, **more)  # type: ignore[arg-type]


def released(
    one: Record, saw: Sighting | None = SAW, property_: str = "Released"
) -> Release | None:
    return release_of(one, property_, saw, TODAY, UTC)


@pytest.mark.parametrize("category", [one for one in Category if one is not Category.done])
def test_what_is_not_done_is_not_shipped(category: Category) -> None:
    one = root(category.value, "2026-11-03", completed_at=datetime(2026, 11, 1, tzinfo=UTC))
    assert released(one) is None
    assert planned_on(one, "Released", TODAY, UTC) is None


def test_the_date_of_completion_counts_before_all_else() -> None:
    one = root(released="2026-11-03", completed_at=datetime(2026, 11, 1, 12, tzinfo=UTC))
    assert released(one) == Release(date(2026, 11, 1), "completed")


def test_it_is_the_day_in_the_configured_zone() -> None:
    one = root(completed_at=datetime(2026, 11, 1, 23, 30, tzinfo=UTC))
    found = release_of(one, "", SAW, TODAY, ZoneInfo("Europe/Berlin"))
    assert found == Release(date(2026, 11, 2), "completed")


def test_then_the_property_of_the_rule() -> None:
    assert released(root(released="2026-11-03")) == Release(date(2026, 11, 3), "property")
    assert released(root(released="2026-11-03"), property_="") == Release(SAW.since, "saw")
    assert released(root(released="2026-11-03"), property_="Shipped") == Release(SAW.since, "saw")


def test_then_the_day_on_which_it_was_first_seen_done() -> None:
    assert released(root()) == Release(SAW.since, "saw")


def test_what_was_done_at_the_first_sight_was_shipped_nobody_knows_when() -> None:
    assert released(root(), Sighting(done=True)) == Release(None, "unknown")
    assert released(root(), None) == Release(None, "unknown")


def test_a_date_to_come_is_a_plan() -> None:
    one = root(released="2026-11-23")
    assert released(one) == Release(SAW.since, "saw")
    assert planned_on(one, "Released", TODAY, UTC) == date(2026, 11, 23)
    assert released(root(released="2026-11-22")) == Release(TODAY, "property")
    assert planned_on(root(released="2026-11-22"), "Released", TODAY, UTC) is None
    tomorrow = root(completed_at=datetime(2026, 11, 23, 1, tzinfo=UTC))
    assert released(tomorrow) == Release(SAW.since, "saw")
    assert planned_on(tomorrow, "", TODAY, UTC) == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-11-20", date(2026, 11, 20)),
        (" 2026-11-20 ", date(2026, 11, 20)),
        ("2026-11-18/2026-11-20", date(2026, 11, 20)),
        ("2026-11-20T23:30:00.000+01:00", date(2026, 11, 20)),
        ("2026-11-20T23:30:00Z", date(2026, 11, 20)),
        ("2026-11-18T09:00:00.000Z/2026-11-20T10:00:00.000Z", date(2026, 11, 20)),
        ("", None),
        ("soon", None),
        ("2026-11-31", None),
        ("2026-11", None),
        ("20.11.2026", None),
        ("2026-W47-5", None),
        ("2026-11-20 or later", None),
        ("2026-11-20x", None),
        ("٢٠٢٦-١١-٢٠", None),
        ("/", None),
    ],
)
def test_the_date_in_a_property(text: str, found: date | None) -> None:
    assert date_in(text) == found


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.dates(), st.text(max_size=20))
def test_any_text_is_a_date_or_none(day: date, text: str) -> None:
    assert date_in(day.isoformat()) == day
    assert date_in(text) is None or text.strip().endswith(tuple("0123456789Z"))


# What is remembered ----------------------------------------------------------------------------


def test_first_seen_done_is_remembered_with_the_day() -> None:
    open_ = sighted(root("in_progress"), None, TODAY - timedelta(days=3))
    assert open_ == Sighting(done=False)
    done = sighted(root(), open_, TODAY)
    assert done == Sighting(done=True, since=TODAY)
    assert sighted(root(), done, TODAY + timedelta(days=9)) == done


def test_done_at_the_first_sight_has_no_day_and_gets_none() -> None:
    first = sighted(root(), None, TODAY)
    assert first == Sighting(done=True, since=None)
    assert sighted(root(), first, TODAY + timedelta(days=9)) == first


def test_reopened_and_done_again_it_has_the_new_day() -> None:
    reopened = sighted(root("todo"), SAW, TODAY)
    assert reopened == Sighting(done=False)
    again = sighted(root(), reopened, TODAY + timedelta(days=2))
    assert released(root(), again) == Release(TODAY + timedelta(days=2), "saw")
