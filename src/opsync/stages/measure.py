"""Measure: read how much things are used into the store, as far as that can have changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import isfinite

import msgspec
import structlog
from msgspec import Struct

from opsync.contract.connector import Measurable
from opsync.errors import BadAnswer, OpsyncError, RateLimited, SignInError, StoreError
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


class Wanted(Struct, frozen=True):
    """A metric that roots ask for: the days they look at, how long its windows are, and they."""

    metric: Metric
    days: Span
    weeks: int
    used_by: tuple[Ref, ...]


@dataclass
class MeasureContext:
    """What measuring one instance needs besides the connector."""

    store: Store
    clock: Clock
    run: int
    clean: Callable[[str], str] = str


def due(wanted: Wanted, known: Measured | None, now: datetime) -> Span | None:
    """The days to read now; None where nothing can have changed, or it is too early to ask again.

    What was read stays, but for its last days. A day is read once it is over. Where what was read
    begins too late, it is read again no sooner than one in trouble.
    """
    if known is None:
        return wanted.days
    if known.trouble:
        return wanted.days if known.retry_at is None or known.retry_at <= now else None
    have = known.known
    if have is None:
        return wanted.days
    if have.first > wanted.days.first:
        # A saved report may reach no further back, however often it is read.
        reached = have.last >= wanted.days.last and now < known.read_at + RETRY_AFTER
        return None if reached else wanted.days
    if have.last >= wanted.days.last:
        return None
    again = have.last - timedelta(days=MOVING_DAYS - 1)
    return Span(max(wanted.days.first, min(again, wanted.days.last)), wanted.days.last)


async def measure(
    connector: Measurable,
    report: InstanceReport,
    wanted: Sequence[Wanted],
    context: MeasureContext,
) -> None:
    """Read the metrics of one instance that are due, all in one go, and keep what came of it.

    What fails here costs nothing but freshness: the values that were read stay.
    """
    store, instance = context.store, report.instance
    now = context.clock.now()
    kept = await store.kept(instance)
    known = await store.measured(instance)
    if set(known) - {one.metric for one in wanted}:
        await store.forget_metrics(instance, [one.metric for one in wanted])
    asked = {
        one.metric: days
        for one in wanted
        if (days := due(one, known.get(one.metric), now)) is not None
    }
    if asked and not _may_ask(kept.get(AFTER), now):
        return
    used_by = {one.metric: one.used_by for one in wanted}
    if asked:
        windows = windows_of(wanted, [one for one in wanted if one.metric in asked])
        readings: list[Reading] = []
        try:
            await _read(connector, asked, windows, readings, instance)
        except StoreError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a connector's fault stays its own
            await _keep(readings, used_by, context, now)
            await _trouble(error, report, context)
            late = [one for one in wanted if one.metric in asked]
            await store.touch_roots(context.run, {ref for one in late for ref in one.used_by})
            return
        await _keep(readings, used_by, context, now)
    if AFTER in kept:
        await store.put_kept(instance, {AFTER: None})
    await store.finish_feed(context.run, instance, METRICS, high=None, at=now)


def windows_of(wanted: Sequence[Wanted], due_now: Sequence[Wanted]) -> list[Span]:
    """The windows of those that are due, each with the one before it."""
    found = set()
    for one in due_now or wanted:
        window = Span.ending(one.days.last, 7 * one.weeks)
        found |= {window, Span.ending(window.first - timedelta(days=1), 7 * one.weeks)}
    return sorted(found)


def _may_ask(after: object, now: datetime) -> bool:
    return not isinstance(after, str) or datetime.fromisoformat(after) <= now


async def _read(
    connector: Measurable,
    asked: Mapping[Metric, Span],
    windows: Sequence[Span],
    readings: list[Reading],
    instance: str,
) -> None:
    """Ask once for all, and put what comes into `readings`. BadAnswer: one is missing."""
    days = Span(
        min(span.first for span in asked.values()), max(span.last for span in asked.values())
    )
    missing = dict.fromkeys(sorted(asked))
    async for reading in connector.measure(tuple(missing), days, windows):
        if reading.metric not in asked:
            raise BadAnswer(f"{instance}: the connector answered for {reading.metric}, unasked")
        missing.pop(reading.metric, None)
        readings.append(checked(reading))
    if missing:
        raise BadAnswer(f"{instance}: no answer for {next(iter(missing)).name!r}")


def checked(reading: Reading) -> Reading:
    """A reading whose numbers can be reckoned with; else one that says what is wrong."""
    if reading.trouble:
        return reading
    values = [*reading.days.values(), *reading.windows.values()]
    if reading.span is None or not all(isfinite(value) for value in values):
        return Reading(
            metric=reading.metric, trouble="refused", message="the answer holds no numbers"
        )
    return reading


async def _keep(
    readings: Sequence[Reading],
    used_by: Mapping[Metric, Sequence[Ref]],
    context: MeasureContext,
    now: datetime,
) -> None:
    if readings:
        cleaned = [_cleaned(reading, context.clean) for reading in readings]
        await context.store.put_readings(
            context.run, cleaned, at=now, retry_at=now + RETRY_AFTER, used_by=used_by
        )


def _cleaned(reading: Reading, clean: Callable[[str], str]) -> Reading:
    """Without secrets in the vendor's text, and with names that can be shown."""
    return msgspec.structs.replace(
        reading,
        title=inert_text(reading.title, 120),
        message=inert_text(clean(reading.message), 300),
        nearest=tuple(inert_text(name, 120) for name in reading.nearest),
    )


async def _trouble(
    error: Exception | SystemExit, report: InstanceReport, context: MeasureContext
) -> None:
    instance = report.instance
    if isinstance(error, OpsyncError):
        message, hint = context.clean(error.message), context.clean(error.hint)
    else:
        told = f"{instance}: {type(error).__name__}: {error}"
        message, hint = context.clean(inert_text(told, 300)), ""
    if not report.trouble:
        report.trouble = "incomplete" if isinstance(error, OpsyncError) else "plugin"
        if isinstance(error, SignInError):
            report.trouble = "sign-in"
        report.message, report.hint = message, hint
    now = context.clock.now()
    if isinstance(error, RateLimited) and error.retry_after_s:
        until = now + timedelta(seconds=error.retry_after_s)
        await context.store.put_kept(instance, {AFTER: until.isoformat()})
    _log.warning(
        "measure.failed",
        instance=instance,
        error=message,
        exc_info=None if isinstance(error, OpsyncError) else error,
    )
    await context.store.fail_feed(context.run, instance, METRICS, error=message, at=now)


def last_complete_day(now: datetime) -> date:
    """The day before that of `now`, which is in the project's time zone."""
    return now.date() - timedelta(days=1)
