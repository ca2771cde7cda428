"""Who did what on which day: the seeded event history behind the simulated analytics tools.

Every whole week about a release adds up to what it should, whatever the weekday of today: the demo
shows the same figures each day. Within a week the days differ, as they do.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

WEEK = (1.15, 1.2, 1.15, 1.1, 1.0, 0.75, 0.65)
"""How much is used from Monday to Sunday; the mean is 1."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How often something is done: by `per_day` users a day on average out of `pool`, from `since`
    on; after `released`, or from `grown` on, by `after` of them. A user does it `times` times a
    day."""

    per_day: int
    pool: int = 2_000
    since: date | None = None
    released: date | None = None
    grown: date | None = None
    after: int | None = None
    times: int = 2


@dataclass
class History:
    """The events and flags of one project, in its time zone.

    `late` is the share of the last days, yesterday first, that has not arrived yet.
    """

    now: Callable[[], datetime]
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    events: dict[str, Behaviour] = field(default_factory=dict)
    flags: dict[str, Behaviour] = field(default_factory=dict)
    late: tuple[float, ...] = ()
    seed: int = 1122

    @property
    def today(self) -> date:
        """The day that is not over yet."""
        return self.now().astimezone(self.zone).date()

    def users(self, kind: str, name: str, day: date) -> frozenset[int]:
        """The users who did it on that day; `kind` is "event" or "flag". Nobody for other names."""
        behaviour = (self.events if kind == "event" else self.flags).get(name)
        if behaviour is None or day > self.today:
            return frozenset()
        if behaviour.since is not None and day < behaviour.since:
            return frozenset()
        number = _on(behaviour, day)
        age = (self.today - day).days - 1
        if 0 <= age < len(self.late):
            number -= round(number * self.late[age])
        if age < 0:
            number //= 2
        chosen = random.Random(f"{self.seed}:{kind}:{name}:{day}")  # noqa: S311 -- a repeatable world
        return frozenset(chosen.sample(range(behaviour.pool), min(number, behaviour.pool)))

    def users_in(self, kind: str, name: str, days: Iterable[date]) -> frozenset[int]:
        """The users who did it on any of these days."""
        return frozenset().union(*(self.users(kind, name, day) for day in days))

    def times(self, kind: str, name: str, day: date) -> int:
        """How often it was done on that day."""
        behaviour = (self.events if kind == "event" else self.flags).get(name)
        return 0 if behaviour is None else behaviour.times * len(self.users(kind, name, day))


def _on(behaviour: Behaviour, day: date) -> int:
    """The users of a day: the seven days of each week that is counted from the change add up to
    seven times the mean. The day of a release belongs to no week: those before it end on the day
    before, and those after it begin on the day after."""
    released = behaviour.released
    since = (day - (released or behaviour.grown or date(2024, 1, 1))).days
    if released is not None and since == 0:
        return behaviour.per_day
    changed = released is not None or behaviour.grown is not None
    after = behaviour.after if changed and since >= 0 else None
    level = behaviour.per_day if after is None else after
    place = (since - 1) % 7 if released is not None and since > 0 else since % 7
    first = day - timedelta(days=place)
    week = [first + timedelta(days=n) for n in range(7)]
    shares = [WEEK[one.weekday()] for one in week]
    counts = [int(level * share) for share in shares]
    short = 7 * level - sum(counts)
    by_rest = sorted(range(7), key=lambda n: (counts[n] - level * shares[n], n))
    for n in by_rest[:short]:
        counts[n] += 1
    return counts[place]
