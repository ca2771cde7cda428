"""Whether all is well when nobody looks: what is known of the connections, and what is wrong.

Pure: facts and the time in, alarms out. `steps.watching` gathers the facts from the store;
`status`, `doctor`, the exit code of a run and alerts judge by the same list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal

from msgspec import Struct

from opsync.hookfacts import HookFacts, Untold
from opsync.inert import inert_text

TOKEN_WARNING = timedelta(days=14)
"""So long before a token expires people are warned."""
NAMED = 5
"""So many rules and teams that do not fit are named."""

Kind = Literal[
    "signed out",
    "refused",
    "out of date",
    "not measured",
    "short",
    "set aside",
    "token",
    "owners",
    "configuration",
    "webhook disabled",
    "webhook expires",
    "webhook silent",
    "digest",
    "health page",
    "interrupted",
]


class FeedFacts(Struct, frozen=True, kw_only=True):
    """One feed: when it was last read to its end, and since when and why it fails, if it does."""

    name: str
    read_at: datetime | None = None
    failing_since: datetime | None = None
    error: str = ""


class ShortWalk(Struct, frozen=True):
    """A feed of which the tool announced more items than it gave, when all was read last."""

    feed: str
    expected: int
    read: int
    at: datetime


class AsideFacts(Struct, frozen=True, kw_only=True):
    """What is set aside: items that could not be read, values that could not be written, since
    when the oldest of them is, and how long and how many are no alarm."""

    items: int = 0
    writes: int = 0
    since: datetime | None = None
    within: timedelta = timedelta(days=1)
    most: int = 20


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of one connection.

    `feeds` hold what is read, `measured` what is measured. `noticed_at` is when a run first met the
    connection: what was never read is as old as that, and of none that no run has met yet.
    """

    connection: str
    feeds: tuple[FeedFacts, ...]
    measured: FeedFacts | None
    fresh_within: timedelta
    measured_within: timedelta
    noticed_at: datetime | None = None
    signed_out_since: datetime | None = None
    write_refused_since: datetime | None = None
    """Since when its sign-in is refused where something is written, though not where it is read."""
    refused: tuple[tuple[str, datetime], ...] = ()
    """The feeds that the tool refuses to give, and since when."""
    aside: AsideFacts = AsideFacts()
    short: tuple[ShortWalk, ...] = ()
    token_expires: date | None = None
    webhooks: HookFacts = HookFacts()
    untold: Untold = Untold()


class Unfit(Struct, frozen=True):
    """A rule or a team of the configuration that does not fit what was read: what it is called
    there, why, and since when. The reason may name what stands in a tool."""

    name: str
    why: str
    since: datetime


class Alarm(Struct, frozen=True, kw_only=True):
    """Something that is wrong, or will be.

    `what` is a sentence without a name from a tool, so that it may leave the company; `error` is
    what the tool said, or what stands in it, for opsync's own screens. `state` is "warn" for what
    is not wrong yet.
    """

    kind: Kind
    connection: str
    """ "" for what is of no single one."""
    state: Literal["warn", "fail"]
    what: str
    since: datetime | None
    hint: str
    error: str = ""

    @property
    def id(self) -> str:
        """What stays the same while it lasts."""
        return f"{self.kind}:{self.connection}"


def alarms(
    facts: Iterable[Facts],
    now: datetime,
    today: date,
    *,
    owners_left: int = 0,
    unfit: Sequence[Unfit] = (),
) -> tuple[Alarm, ...]:
    """All alarms, those that are red first. `today` is the day in the configured zone."""
    found = [alarm for one in facts for alarm in _of_connection(one, now, today)]
    if unfit:
        found.append(_unfit(unfit))
    if owners_left:
        left = "has an owner who left" if owners_left == 1 else "have owners who left"
        found.append(
            Alarm(
                kind="owners",
                connection="",
                state="warn",
                what=f"{owners_left} open {_items(owners_left)} {left}",
                since=None,
                hint="opsync look names them: give each a new owner in its tool.",
            )
        )
    return tuple(sorted(found, key=lambda one: one.state != "fail"))


def _unfit(found: Sequence[Unfit]) -> Alarm:
    """One alarm for all; each reason is a line of its own."""
    names = ", ".join(inert_text(one.name, 60) for one in found[:NAMED])
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return Alarm(
        kind="configuration",
        connection="",
        state="fail",
        what=f"the configuration does not fit what was read: {names}{more}",
        since=min(one.since for one in found),
        hint="opsync doctor names what there is. Correct it; then: opsync reload, or opsync sync",
        error="\n".join(f"{one.why.rstrip('.')}." for one in found),
    )


def _items(count: int) -> str:
    return "item" if count == 1 else "items"


def _of_connection(facts: Facts, now: datetime, today: date) -> Iterator[Alarm]:
    if facts.signed_out_since is not None:
        yield Alarm(
            kind="signed out",
            connection=facts.connection,
            state="fail",
            what="its sign-in was refused in the last run",
            since=facts.signed_out_since,
            hint=f"opsync doctor --only {facts.connection} names the click; then: opsync sync",
            error=next((one.error for one in facts.feeds if one.error), ""),
        )
    else:
        if facts.write_refused_since is not None:
            yield Alarm(
                kind="signed out",
                connection=facts.connection,
                state="fail",
                what="its sign-in was refused when something was to be written",
                since=facts.write_refused_since,
                hint=f"opsync doctor --only {facts.connection} names the right that it lacks; "
                "then: opsync aside retry",
            )
        yield from _refused(facts)
        if (late := _out_of_date(facts, now)) is not None:
            yield late
    if (late := _not_measured(facts, now)) is not None and facts.signed_out_since is None:
        yield late
    yield from _short(facts)
    yield from _set_aside(facts, now)
    yield from _token(facts, today)
    yield from hook_alarms(facts.connection, facts.webhooks, now)
    yield from _silent(facts, now)


def hook_alarms(connection: str, facts: HookFacts, now: datetime) -> Iterator[Alarm]:
    """What is wrong with a connection's webhooks. It is read without them too, only later."""
    if facts.off or facts.gone:
        yield Alarm(
            kind="webhook disabled",
            connection=connection,
            state="warn",
            what="its tool switched the webhook off" if facts.off else "its webhook is gone",
            since=facts.since,
            hint="See that the service can be reached; then: "
            f"opsync webhooks register {connection}",
        )
    if facts.expires_at is not None:
        ended = facts.expires_at <= now
        days = max(0, (facts.expires_at - now).days)
        span = "today" if days == 0 else "in 1 day" if days == 1 else f"in {days} days"
        yield Alarm(
            kind="webhook expires",
            connection=connection,
            state="warn",
            what="its webhook has ended" if ended else f"its webhook ends {span}",
            since=None,
            hint=f"opsync webhooks register {connection}",
            error=facts.error,
        )


def _silent(facts: Facts, now: datetime) -> Iterator[Alarm]:
    hooks = facts.webhooks
    ended = hooks.expires_at is not None and hooks.expires_at <= now
    if hooks.off or hooks.gone or ended or not facts.untold.silent(now):
        return
    yield Alarm(
        kind="webhook silent",
        connection=facts.connection,
        state="warn",
        what="changes were found by reading that no change signal told",
        since=facts.untold.since,
        hint="See that the service can be reached from its tool, and what it is to send: "
        f"opsync webhooks list {facts.connection}",
    )


def _refused(facts: Facts) -> Iterator[Alarm]:
    if not facts.refused:
        return
    names = ", ".join(name for name, _ in facts.refused)
    errors = {one.name: one.error for one in facts.feeds}
    yield Alarm(
        kind="refused",
        connection=facts.connection,
        state="fail",
        what=f"the tool refuses to give {names or 'what there is to read'}",
        since=min(since for _, since in facts.refused),
        hint=f"opsync doctor --only {facts.connection} names the click; then: opsync sync",
        error=next((errors[name] for name, _ in facts.refused if errors.get(name)), ""),
    )


def _set_aside(facts: Facts, now: datetime) -> Iterator[Alarm]:
    aside = facts.aside
    old = aside.since is not None and now - aside.since > aside.within
    if not old and aside.items + aside.writes <= aside.most:
        return
    parts = []
    if aside.items:
        parts.append(f"{aside.items:,} {_items(aside.items)} could not be read")
    if aside.writes:
        values = "value" if aside.writes == 1 else "values"
        parts.append(f"{aside.writes:,} {values} could not be written")
    limit = f"the oldest for more than {_long(aside.within)}" if old else f"over {aside.most}"
    yield Alarm(
        kind="set aside",
        connection=facts.connection,
        state="fail",
        what=f"{' and '.join(parts)}, {limit}",
        since=aside.since,
        hint="opsync aside names each with its reason; to try them now: opsync aside retry",
    )


def _out_of_date(facts: Facts, now: datetime) -> Alarm | None:
    aged = [(since, one) for one in facts.feeds if (since := _read_at(one, facts)) is not None]
    if not facts.feeds and facts.noticed_at is not None:
        aged = [(facts.noticed_at, FeedFacts(name=""))]
    late = sorted(
        ((since, one) for since, one in aged if now - since > facts.fresh_within),
        key=lambda pair: (pair[0], pair[1].name),
    )
    if not late:
        return None
    names = ", ".join(one.name for _, one in late if one.name)
    named = f" ({names})" if names and len(late) < len(facts.feeds) else ""
    never = all(one.read_at is None for _, one in late)
    done = "was never read to its end" if never else "was not read to its end"
    error = next((one.error for _, one in late if one.error), "")
    return Alarm(
        kind="out of date",
        connection=facts.connection,
        state="fail",
        what=f"{done}{named}; it should be every {_span(facts.fresh_within)}",
        since=late[0][0],
        hint=_next(facts.connection, failing=bool(error)),
        error=error,
    )


def _read_at(feed: FeedFacts, facts: Facts) -> datetime | None:
    return feed.read_at or feed.failing_since or facts.noticed_at


def _not_measured(facts: Facts, now: datetime) -> Alarm | None:
    feed = facts.measured
    since = None if feed is None else _read_at(feed, facts)
    if feed is None or since is None or now - since <= facts.measured_within:
        return None
    return Alarm(
        kind="not measured",
        connection=facts.connection,
        state="fail",
        what=f"nothing was measured; it should be every {_span(facts.measured_within)}",
        since=since,
        hint=_next(facts.connection, failing=bool(feed.error)),
        error=feed.error,
    )


def _next(connection: str, *, failing: bool) -> str:
    if failing:
        return f"opsync doctor --only {connection} tries it and names what mends it."
    return "Run opsync sync, and see that its schedule still runs."


def _short(facts: Facts) -> Iterator[Alarm]:
    if not facts.short:
        return
    expected = sum(one.expected for one in facts.short)
    read = sum(one.read for one in facts.short)
    yield Alarm(
        kind="short",
        connection=facts.connection,
        state="fail",
        what=f"{read:,} of {expected:,} items came that it announced "
        f"({', '.join(one.feed for one in facts.short)})",
        since=min(one.at for one in facts.short),
        hint="Read everything again with opsync sync --full; if it stays so, check what the "
        "account may see.",
    )


def _token(facts: Facts, today: date) -> Iterator[Alarm]:
    last = facts.token_expires
    if last is None or last - today > TOKEN_WARNING:
        return
    past = today > last
    yield Alarm(
        kind="token",
        connection=facts.connection,
        state="fail" if past else "warn",
        what=f"its token {'expired' if past else 'expires'} on {last:%Y-%m-%d}",
        since=None,
        hint="Make a new one in the tool, put it where the old one is, and set token_expires.",
    )


def _long(value: timedelta) -> str:
    span = _span(value)
    return span if span[0].isdigit() else f"1 {span}"


def _span(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            count = seconds // size
            return name if count == 1 else f"{count} {name}s"
    return f"{seconds} seconds"


Told = Mapping[str, Sequence[str]]
"""What people were told last: by alarm its state and what it was."""


class News(Struct, frozen=True):
    """What there is to tell since the last time: alarms that are new, changed, and ids of those
    that are over, each with what it was."""

    new: tuple[Alarm, ...]
    changed: tuple[Alarm, ...]
    over: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.over)


def news(told: Told, found: Sequence[Alarm]) -> News:
    """What of `found` was not told yet, and what of `told` is over."""
    now = {one.id for one in found}
    return News(
        tuple(one for one in found if one.id not in told),
        tuple(one for one in found if one.id in told and list(told[one.id]) != _as_told(one)),
        tuple((id_, said[1]) for id_, said in sorted(told.items()) if id_ not in now),
    )


def as_told(found: Sequence[Alarm]) -> dict[str, list[str]]:
    """What is to be remembered once it was told."""
    return {one.id: _as_told(one) for one in found}


def _as_told(one: Alarm) -> list[str]:
    return [one.state, inert_text(one.what, 200)]
