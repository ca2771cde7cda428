"""Outages and limits over whole passes: how little opsync sends into trouble."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.outages.figures import Storm, limits, storm
from tests.outages.weather import DAY, OUTAGES, PARTIAL
from tests.support.world import HOSTS

IN_SHORT = ["F09 503", "F01 connection refused", DAY]
ONE_A_VENDOR = [
    pytest.param(*one, marks=[pytest.mark.slow] if number else [])
    for number, one in enumerate(zip(HOSTS, IN_SHORT, strict=True))
]


@pytest.mark.slow
@pytest.mark.parametrize(("instance", "name"), ONE_A_VENDOR, ids=lambda one: str(one))
async def test_an_outage_is_sent_at_most_a_tenth_more_than_the_requests(
    tmp_path: Path, instance: str, name: str
) -> None:
    """F01, F07, F09: one weather a vendor; the other slow test has all of them."""
    found = await storm(tmp_path, instance, name, OUTAGES[name], every_s=100.0)
    assert found.runs > 4
    assert found.holds, found


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", [*OUTAGES, *PARTIAL])
async def test_any_outage_is_sent_at_most_a_tenth_more_than_the_requests(
    tmp_path: Path, name: str
) -> None:
    """I15, F01, F02, F03, F05, F07, F09"""
    instance = list(HOSTS)[[*OUTAGES, *PARTIAL].index(name) % len(HOSTS)]
    found = await storm(tmp_path, instance, name, {**OUTAGES, **PARTIAL}[name])
    assert found.runs > 10
    assert found.holds, found


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_no_vendor_is_asked_more_than_it_permits(tmp_path: Path) -> None:
    """I15: also when everything is read three times more within the hour."""
    found = await limits(tmp_path)
    assert {one.vendor for one in found} >= {"jira", "linear", "notion", "posthog", "mixpanel"}
    assert [one for one in found if one.over_budget or not one.requests] == []


@pytest.mark.parametrize(
    ("requests", "attempts", "early", "healed", "holds"),
    [
        (40, 44, 0, 1, True),
        (40, 45, 0, 1, False),
        (3, 7, 0, 1, True),
        (3, 8, 0, 1, False),
        (40, 40, 1, 1, False),
        (40, 40, 0, 99, False),
    ],
)
def test_what_the_figure_takes(
    requests: int, attempts: int, early: int, healed: int, holds: bool
) -> None:
    found = Storm("jira-main", "F09 503", requests, attempts, 40, healed, early)
    assert found.holds is holds
