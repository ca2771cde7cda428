"""What any correct count of Harbor's roadmap must come to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    """An initiative's leaves: done of total (canceled left out), blocked, and in private teams.

    What is mirrored counts once; `twins` are the sides that are not counted. `disagrees` is True
    where people's own status says otherwise.
    """

    done: int
    total: int
    health: str
    blocked: int = 0
    canceled: int = 0
    private: int = 0
    disagrees: bool = False
    twins: int = 0


EXPECTED: dict[str, Count] = {
    "One-tap checkout": Count(12, 20, "At risk", blocked=3, disagrees=True),
    "Instant payouts": Count(14, 14, "Done"),
    "SSO for teams": Count(18, 18, "Done", disagrees=True),
    "Offline mode": Count(9, 14, "Off track", disagrees=True),
    "Usage-based pricing": Count(4, 10, "On track", twins=2),
    "Dark mode": Count(7, 7, "Done", canceled=6),
    "Fraud rules v2": Count(7, 11, "On track", private=4),
    "Partner API": Count(5, 9, "On track"),
    "Referral programme": Count(0, 0, "No linked work"),
    "Warehouse export": Count(0, 0, "No linked work"),
    "Churn survey": Count(6, 16, "On track"),
    "Data residency EU": Count(3, 8, "On track"),
}
"""By page title, in the roadmap's order."""

IN_PROGRESS = 96
"""Issues in progress in both tools, epics and parents included, mirrored ones once."""
WITHOUT_INITIATIVE = 41
"""Those of them that no initiative reaches."""


@dataclass(frozen=True, slots=True)
class Use:
    """Users a day in the weeks before a release and in those after it, and over how many weeks."""

    before: int
    after: int
    weeks: int


USE: dict[str, Use] = {"Instant payouts": Use(24, 38, 2), "SSO for teams": Use(40, 65, 2)}
"""What a release changed, by page title; told once the roadmap says that it was shipped."""
