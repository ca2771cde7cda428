"""Measure: read how much things are used into the store, as far as that can have changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec
import structlog
from msgspec import Struct

from opsync.contract.connector import Measurable
from opsync.errors import BadAnswer, OpsyncError, RateLimited, StoreError
from opsync.http.stillness import Watch, each, unwatched
from opsync.inert import inert_text
from opsync.model import Metric, Reading, Ref, Span
from opsync.report import InstanceReport
from opsync.runtime import Clock
from opsync.store import METRICS, Measured, Store

_log = structlog.get_logger(__name__)

MOVING_DAYS = 3
"""So many of the last days that were read are read again: events arrive late."""
RETRY_AFTER = timedelta(hours=1)
"""A metric without numbers is asked for again after that: its event may have been made by then."""
AFTER = "opsync:measure-after"
"""Kept until when the tool's limit is spent, for the passes of other processes too."""
PAUSE_MAX = timedelta(days=366)
"""A longer pause than this was not meant."""
LARGEST = 1e15
"""What is more than this is no count."""


class Wanted(Struct, frozen=True):
    """A metric that roots ask for: the days they look at, how many weeks their windows have, and
    they."""

    metric: Metric
    days: Span
    weeks: tuple[int, ...]
    used_by: tuple[Ref, ...]

    def windows(self) -> list[Span]:
        """The windows of those who ask."""
        return [Span.ending(self.days.last, 7 * weeks) for weeks in self.weeks]


@dataclass
class MeasureContext:
    """What measuring one instance needs besides the connector. `clean` takes the process's secrets
    out of a text, `watch` ends a step of the connector that hangs."""

    store: Store
    clock: Clock
    run: int
    clean: Callable[[str], str] = str
    watch: Watch = unwatched


def due(wanted: Wanted, known: Measured | None, now: datetime) -> Span | None:
    """The days to read now; None where nothing can have changed, or it is too early to ask again.

    What was read stays, but for its last days. A day is read once it is over. Where what was read
    begins too late, it is read again no sooner than one in trouble.
    """
    if known is None:
        return wanted.days
    if known.retry_at is not None and known.retry_at > now:
        return None
    have = known.known
    if known.trouble:
        # Whether it is there by now takes few days; the others follow once it is. All that is due
        # is asked for at once, and one wrong name must not make that long every day.
        return Span.ending(wanted.days.last, MOVING_DAYS)
    if have is None:
        return wanted.days
    if min(have.first, known.asked_from or have.first) > wanted.days.first:
        return wanted.days
    if have.last >= wanted.days.last:
        return None
    again = have.last - timedelta(days=MOVING_DAYS - 1)
    return Span(max(wanted.days.first, again), wanted.days.last)


async def measure(
    connector: Measurable,
    report: InstanceReport,
    wanted: Sequence[Wanted],
    context: MeasureContext,
) -> list[Reading]:
    """Read the metrics of one instance that are due, all in one go, and keep what came of it.

    Returns those that were read in vain. What fails costs nothing but freshness: the trouble is in
    the report, and the values that were read stay. Errors of the store are raised.
    """
    store, instance, now = context.store, report.instance, context.clock.now()
    known = await store.measured(instance)
    asked = {
        one.metric: days
        for one in wanted
        if (days := due(one, known.get(one.metric), now)) is not None
    }
    kept = await store.kept(instance)
    readings: dict[Metric, Reading] = {}
    if asked:
        if not _may_ask(kept.get(AFTER), now):
            await _still_waits(report, store)
            return []
        days = Span(min(d.first for d in asked.values()), max(d.last for d in asked.values()))
        late = [one for one in wanted if one.metric in asked]
        windows = sorted({window for one in late for window in one.windows()})
        fault: Exception | SystemExit | None = None
        try:
            await _read(connector, sorted(asked), days, windows, readings, context)
        except StoreError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a connector's fault stays its own
            fault = error
        await store.put_readings(
            context.run,
            list(readings.values()),
            asked=days,
            at=now,
            retry_at=now + RETRY_AFTER,
            used_by={one.metric: one.used_by for one in late},
        )
        if fault is not None:
            await _trouble(fault, report, context)
            return [one for one in readings.values() if one.trouble]
    if AFTER in kept:
        await store.put_kept(instance, {AFTER: None})
    await store.finish_feed(context.run, instance, METRICS, high=None, at=now)
    return [one for one in readings.values() if one.trouble]


async def is_due(store: Store, instance: str, wanted: Sequence[Wanted], now: datetime) -> bool:
    """Whether `measure` would ask for anything now."""
    known = await store.measured(instance)
    asked = any(due(one, known.get(one.metric), now) is not None for one in wanted)
    return asked and _may_ask((await store.kept(instance)).get(AFTER), now)


def _may_ask(after: object, now: datetime) -> bool:
    return not isinstance(after, str) or datetime.fromisoformat(after) <= now


async def _still_waits(report: InstanceReport, store: Store) -> None:
    """The trouble of an earlier pass lasts."""
    if report.trouble:
        return
    for cursor in await store.cursors(report.instance):
        if cursor.feed == METRICS and cursor.failed_since is not None:
            report.trouble, report.message, report.unmeasured = "incomplete", cursor.error, True


async def _read(
    connector: Measurable,
    metrics: Sequence[Metric],
    days: Span,
    windows: Sequence[Span],
    readings: dict[Metric, Reading],
    context: MeasureContext,
) -> None:
    """Ask once for all, and put what comes into `readings`.

    BadAnswer: the connector left one out, or answered for one twice, or unasked. Which one is not
    told: its name may be from a private initiative.
    """
    missing = set(metrics)
    async for reading in each(connector.measure(metrics, days, windows), context.watch):
        if reading.metric not in metrics:
            raise BadAnswer("the connector answered for a metric that was not asked for")
        if reading.metric not in missing:
            # Which of the two is right, nobody knows.
            readings.pop(reading.metric, None)
            raise BadAnswer("the connector answered twice for a metric")
        missing.remove(reading.metric)
        names = {metric.name for metric in metrics} - {reading.metric.name}
        readings[reading.metric] = _cleaned(checked(reading), context.clean, names)
    if missing:
        told = f"{len(missing)} of {len(metrics)} metrics"
        raise BadAnswer(f"the connector gave no answer for {told}")


def checked(reading: Reading) -> Reading:
    """A reading whose numbers can be reckoned with; else one that says what is wrong."""
    if reading.trouble:
        return msgspec.structs.replace(reading, span=None, days={}, windows={})
    wrong, days, windows = "", {}, {}
    if type(reading.span) is not Span or not reading.span.days:
        wrong = "the answer does not say of which days it is"
    for day, value in reading.days.items():
        if type(day) is not date or (number := _number(value)) is None:
            wrong = f"the answer for {day} is no number: {value}"
        else:
            days[day] = number
    for window, value in reading.windows.items():
        if type(window) is not Span or (number := _number(value)) is None:
            wrong = f"the answer for {window} is no number: {value}"
        else:
            windows[window] = number
    if wrong:
        return Reading(metric=reading.metric, trouble="refused", message=wrong)
    return msgspec.structs.replace(reading, days=days, windows=windows)


def _number(value: object) -> float | None:
    """A value as a number; None for what is none, or too large to be one that was counted."""
    try:
        number = float(value)  # type: ignore[arg-type]  # a plugin may give anything
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST else None


def _cleaned(reading: Reading, clean: Callable[[str], str], names: Iterable[str]) -> Reading:
    """Without secrets in the vendor's text, and with names that can be shown.

    Nor has the text any of `names`, which were asked for in the same query: they may be from
    private initiatives.
    """
    message = clean(reading.message)
    for name in sorted((one for one in names if one in message), key=len, reverse=True):
        message = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", message)
    return msgspec.structs.replace(
        reading,
        title=inert_text(reading.title, 120),
        message=inert_text(message, 300),
        nearest=tuple(inert_text(name, 120) for name in reading.nearest),
    )


async def _trouble(
    error: Exception | SystemExit, report: InstanceReport, context: MeasureContext
) -> None:
    store, instance, now = context.store, report.instance, context.clock.now()
    if not report.trouble:
        report.unmeasured = True
    message = report.fault(error, context.clean)
    if isinstance(error, RateLimited) and error.retry_after_s:
        pause = min(error.retry_after_s, PAUSE_MAX.total_seconds())
        until = now + timedelta(seconds=pause)
        await store.put_kept(instance, {AFTER: until.isoformat()})
    _log.warning(
        "measure.failed",
        instance=instance,
        error=message,
        exc_info=None if isinstance(error, OpsyncError) else error,
    )
    await store.fail_feed(context.run, instance, METRICS, error=message, at=now)


def last_complete_day(now: datetime) -> date:
    """The day before that of `now`, which is in the project's time zone."""
    return now.date() - timedelta(days=1)
