"""Bars, lines and plots as numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from opsync.model import Health
from opsync.service.web.views.drawing import HEIGHT, WIDTH, pieces, progress, spark, steps
from opsync.service.web.views.plot import LISTED, SIZES, history
from opsync.store import HistoryRow, TrendPoint

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SINCE = NOW - timedelta(weeks=6)


def point(days_ago: float, done: int, total: int) -> TrendPoint:
    return TrendPoint(NOW - timedelta(days=days_ago), done, total)


def row(days_ago: float, done: int, total: int) -> HistoryRow:
    return HistoryRow(
        NOW - timedelta(days=days_ago), done, total, 0, 1, None, None, None, Health.at_risk
    )


def numbers(path: str) -> list[int]:
    return [int(found) for found in re.findall(r"-?\d+", path)]


def test_pieces_fill_the_bar_and_nothing_has_no_piece() -> None:
    found = pieces([(1, "bad"), (0, "warn"), (3, "good")])

    assert [(one.x, one.width, one.tone) for one in found] == [(0, 24.8, "bad"), (25, 75, "good")]
    assert pieces([(0, "bad")]) == ()


@pytest.mark.parametrize(
    ("counts", "filled"),
    [((0, 0, 0), (0, 0)), ((1, 1, 4), (25, 50)), ((4, 3, 4), (100, 100)), ((0, 9, 4), (0, 100))],
)
def test_progress_never_is_more_than_the_whole(
    counts: tuple[int, int, int], filled: tuple[float, float]
) -> None:
    found = progress(*counts)
    assert (found.done, found.begun) == filled


def test_numbers_hold_until_they_change() -> None:
    assert steps([(0, 5), (3, 5), (7, 2)], 10) == "M0 5H7V2H10"


def test_a_small_line_ends_where_the_numbers_are_now() -> None:
    found = spark([point(60, 0, 10), point(21, 5, 10), point(1, 10, 10)], SINCE, NOW)

    assert found is not None
    assert found.done == "M30 250H560V140H1064V30H1090"
    assert found.scope == "M30 30H1090"
    assert found.area == f"{found.done}V250H30Z"
    assert found.end == 30
    assert all(0 <= one <= max(WIDTH, HEIGHT) for one in numbers(found.area))


def test_of_nothing_there_is_no_line() -> None:
    assert spark([], SINCE, NOW) is None
    assert spark([point(3, 0, 0)], SINCE, NOW) is None


@pytest.mark.parametrize("most", [1, 4, 5, 16, 97, 400, 12_345])
def test_a_plot_has_a_few_lines_at_round_numbers(most: int) -> None:
    found = history([row(30, 0, most), row(2, most, most)], NOW, UTC)

    assert found is not None
    for plot in found.plots:
        counts = [int(tick.text) for tick in plot.counts]
        assert 2 <= len(counts) <= 5
        assert counts[-1] >= most
        assert plot.counts[0].at == plot.bottom
        assert plot.end_done == pytest.approx(plot.end_scope)


def test_each_width_of_a_plot_has_room_for_its_dates() -> None:
    found = history([row(200, 1, 9), row(2, 3, 9)], NOW, UTC, (NOW + timedelta(days=1)).date())

    assert found is not None
    assert [(one.name, one.width) for one in found.plots] == [(n, w) for n, w, _ in SIZES]
    for plot in found.plots:
        places = sorted(tick.at for tick in plot.dates)
        assert len(places) > 1
        assert min(b - a for a, b in pairwise(places)) > 60
        assert plot.left <= places[0] <= places[-1] <= plot.right
        assert plot.due is None


def test_a_due_date_in_the_past_is_drawn() -> None:
    found = history([row(20, 1, 9)], NOW, UTC, (NOW - timedelta(days=10)).date())

    assert found is not None
    assert all(plot.due is not None and plot.left < plot.due < plot.right for plot in found.plots)


def test_the_table_has_the_latest_days_and_counts_the_rest() -> None:
    rows = [row(100 - number, number, 100) for number in range(LISTED + 5)]

    found = history([*rows, row(36, 99, 100)], NOW, UTC)

    assert found is not None
    assert len(found.days) == LISTED
    assert found.more == 5
    assert (found.days[0].done, found.days[0].on) == (99, "21 Oct 2026")
    assert found.told == "Since 18 Aug: done 0 → 99, scope 100 → 100."


def test_what_never_counted_anything_has_no_history() -> None:
    assert history([row(3, 0, 0)], NOW, UTC) is None
    assert history([], NOW, UTC) is None
