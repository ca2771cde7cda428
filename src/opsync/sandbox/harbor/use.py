"""How Harbor's product is used, as its PostHog project has it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from opsync.sandbox.usage import Behaviour, History

PAYOUTS = "instant-payouts"
"""The flag behind which instant payouts were shipped."""
SIGNED_IN = "sso_signed_in"
PAID = "checkout_paid"
RELEASED = {"Instant payouts": 19, "SSO for teams": 16}
"""What was released so many days ago, as the roadmap says."""


def history(now: Callable[[], datetime], today: date) -> History:
    """Three things that people do; two of them more often since they were released."""
    payouts, sso = (today - timedelta(days=ago) for ago in RELEASED.values())
    return History(
        now=now,
        flags={PAYOUTS: Behaviour(24, released=payouts, after=38)},
        events={
            SIGNED_IN: Behaviour(40, pool=600, released=sso, after=65),
            # Nothing was released: more buyers came in the last four weeks than in those before.
            PAID: Behaviour(297, 9_000, grown=today - timedelta(days=28), after=312, times=1),
            "checkout_started": Behaviour(540, pool=9_000, times=1),
            "dark_mode_on": Behaviour(88, pool=3_000, times=1),
        },
    )
