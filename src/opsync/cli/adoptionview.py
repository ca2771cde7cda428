"""How much an initiative is used, on a screen: in a column, and in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, tzinfo

from opsync.cli import words
from opsync.cli.common import console
from opsync.cli.layout import Column
from opsync.cli.screen import grid, hanging, show, styled
from opsync.engine.adopted import Adopted, Compared, Measured, Shipped
from opsync.engine.catalog import Item
from opsync.engine.explained import Summary
from opsync.engine.usewords import against, amount, figure, headline, named
from opsync.model import Counts, MetricKind, Span

PLOTTED_DAYS = 56
"""So many days are drawn, where they can be with as many after a release as before it."""
BESIDE = 20
"""Characters of a line that are not for days: what they are called, and the margin."""
BARS = "▁▂▃▄▅▆▇█"
"""Heights of a day; one without any use is a "·", one that is not known a blank."""
RELEASED = "│"
"""Stands before the day of the release."""
NEAREST = 5
NOT_YET = "not yet: the next sync asks"


EMPTY = "is empty"
"""How the reason ends why something is not measured that nobody asked for."""


def print_adoption(summary: Summary, now: datetime, zone: tzinfo) -> None:
    """All that is measured for a delivery summary, and what is not."""
    for one in summary.adoption:
        title = f"\n{words.shown(_titled(one), 80)}"
        show(styled((title, "bold"), f"   {one.metric.tool}"))
        facts = adoption_facts(one, summary.released, now, zone)
        rows = [(styled((name, "dim")), styled(text)) for name, text in facts]
        grid((Column(), Column("", "fold", 20)), rows, indent=2)
    if not summary.adoption and (summary.released or summary.not_measured):
        show(styled(("\nAdoption", "bold")))
        if summary.released:
            rows = [(styled(("released", "dim")), styled(released_fact(summary.released)))]
            grid((Column(), Column("", "fold", 20)), rows, indent=2)
    not_measured = summary.not_measured
    if not summary.adoption and all(left.why.endswith(EMPTY) for left in not_measured):
        # To measure nothing of an initiative is nobody's mistake.
        if not_measured:
            whys = ", ".join(words.shown(left.why, 80) for left in not_measured)
            hanging("  ", f"nothing is measured: {whys}", style="dim")
        not_measured = ()
    for verb, lefts in (
        ("not measured", not_measured),
        ("not told in", summary.not_announced),
    ):
        for left in lefts:
            text = f"{verb}: {words.shown(left.what, 80)}: {words.shown(left.why, 300)}"
            if summary.adoption and lefts is not_measured:
                # Of several metrics one is enough.
                hanging("  besides   ", text, style="dim")
            else:
                hanging("  ! ", text, style="yellow")


def adoption_facts(
    one: Measured, released: Shipped | None, now: datetime, zone: tzinfo
) -> list[tuple[str, str]]:
    """The chain from the rule to the number, by name."""
    facts = [("", headline(one, released)), ("measures", _measures(one)), ("from", _source(one))]
    if one.trouble:
        return [*facts, *_mend(one), ("asked", _read(one, now, zone))]
    if released is not None:
        facts.append(("released", released_fact(released)))
    if one.known is not None:
        facts += _comparison(one, released)
    if one.window is not None and one.per_day is not None:
        facts.append(("window", _window(one)))
    facts.append(("read", _read(one, now, zone)))
    if one.kept_because:
        word = "kept" if one.known is not None else "failing"
        facts.append(
            (word, f"since {_moment(one.kept_since, zone)}: {words.shown(one.kept_because)}")
        )
    drawn = plot(one, released, most=min(PLOTTED_DAYS, console().width - BESIDE))
    return [*facts, *(("" if number else "days", line) for number, line in enumerate(drawn))]


def released_fact(released: Shipped) -> str:
    """When it was shipped, and where that comes from."""
    if released.on is None:
        mend = (
            f'fill in its "{words.shown(released.property, 40)}"'
            if released.property
            else "name a property with the day as `released` in the rule"
        )
        return f"unknown: it was done before it was first read; {mend}"
    how = {
        "completed": "its date of completion",
        "property": f'its "{words.shown(released.property, 40)}"',
        "saw": "the day it was first seen done",
        "unknown": "",
    }[released.how]
    return f"{words.dated(released.on)}: {how}"


def _titled(one: Adopted) -> str:
    named = one.title or one.metric.name
    return f"Adoption: {named}" if named else "Adoption"


def _measures(one: Measured) -> str:
    what = {
        Counts.users: "unique users a day",
        Counts.events: "every time, a day",
    }[one.metric.counts]
    if one.metric.kind is MetricKind.insight:
        what = "what it shows, a day"
    project = f", {in_project(one.project)}" if one.project else ""
    where = f"{one.metric.tool} ({one.metric.instance}{project})"
    return f"{named(one)}: {what}, in {where}"


def in_project(project: Item) -> str:
    """ "project Harbor", and "Mixpanel project 3141592" where the tool does not tell its name."""
    label = words.shown(project.label, 60)
    return label if label.startswith(f"{project.tool} project ") else f"project {label}"


def _source(one: Measured) -> str:
    column = words.shown(one.property, 40)
    if one.source == "link" and one.linked is not None:
        return f'its "{column}", which links to {words.shown(one.linked.label, 80)}'
    return {
        "fixed": "the rule, which names it for every initiative",
        "property": f'its "{column}"',
        "link": f'its "{column}"',
        "gone": "a rule or a property that has changed since; the next sync follows",
    }[one.source]


def _mend(one: Measured) -> Iterator[tuple[str, str]]:
    """What to do about a metric without numbers."""
    if one.nearest:
        yield "nearest", ", ".join(words.shown(name, 60) for name in one.nearest[:NEAREST])
    column = words.shown(one.property, 40)
    where = f'correct its "{column}"' if one.property else "correct the rule"
    if one.trouble == "unknown":
        yield "next", f"{where}, or wait until {one.metric.tool} knows it"
    elif one.trouble == "refused":
        yield "next", f"see whether {one.metric.tool} shows it itself; if not, {where}"
    else:
        yield "next", f"see in {one.metric.tool} whether events arrive: opsync doctor"


def _comparison(one: Measured, released: Shipped | None) -> Iterator[tuple[str, str]]:
    effect = one.effect
    if released is None or released.on is None:
        return
    if effect is None:
        yield "compared", "not yet: the days before the release are not known"
        return
    if effect.early is not None and effect.early.until is not None:
        until = words.dated(effect.early.until)
        so_far = f"so far {amount(one, effect.after)} a day, {figure(effect.before)} before"
        yield "compared", f"from {until} on, when {effect.early.need} days are over; {so_far}"
        return
    before, after = _spans(effect, released.on)
    weeks = words.plural(effect.weeks, "whole week")
    figures = f"{figure(effect.before)} → {figure(effect.after)} a day"
    yield "compared", f"{weeks} before ({before}) and after ({after}): {figures}"
    if effect.ratio is None:
        return
    said = f"× {effect.ratio:.2f}"
    if effect.low is not None and effect.high is not None:
        within = effect.low <= 1 <= effect.high
        said += f" (95 % interval {effect.low:.2f} to {effect.high:.2f}"
        said += ": it may as well not have changed)" if within else ")"
    yield "ratio", said


def _spans(effect: Compared, released_on: date) -> tuple[str, str]:
    """The days that are compared: that of the release belongs to neither."""
    long, day = timedelta(days=7 * effect.weeks), timedelta(days=1)
    return (
        _span(Span(released_on - long, released_on - day)),
        _span(Span(released_on + day, released_on + long)),
    )


def _window(one: Measured) -> str:
    assert one.window is not None
    said = f"{_span(one.window)}: {amount(one, one.per_day or 0.0)} a day"
    if one.users is not None:
        said += f", {words.plural(round(one.users), 'unique user')} in all"
    return said + against(one)


def _read(one: Measured, now: datetime, zone: tzinfo) -> str:
    if one.read_at is None:
        waits = one.again_at is not None and one.again_at > now
        return f"not yet: asked after {_moment(one.again_at, zone)}" if waits else NOT_YET
    said = f"{words.ago(one.read_at, now)} ago"
    if one.known is not None:
        days = f", days in {one.time_zone}" if one.time_zone else ""
        said += f", {_span(one.known)}{days}"
        said += "; nothing newer could be read" if one.stale else ""
    if one.again_at is not None and one.again_at > now:
        said += f"; asked again after {_moment(one.again_at, zone)}"
    return said


def plot(one: Measured, released: Shipped | None, most: int = PLOTTED_DAYS) -> list[str]:
    """At most so many days as bars, with the release marked, and below them what they are; []
    for none."""
    if one.known is None or not one.days:
        return []
    on = released.on if released is not None else None
    span = plotted(one.known, on, most)
    values = {each.day: each.value for each in one.days}
    highest = max((values.get(day, 0.0) for day in span.dates()), default=0.0)
    if highest <= 0:
        return [f"no use from {_span(span)}"]
    marked = on is not None and span.first <= on <= span.last
    bars = ""
    for day in span.dates():
        bars += RELEASED if marked and day == on else ""
        bars += _bar(values, day, highest)
    first, last = words.day(span.first), words.day(span.last)
    below = first
    if marked and on is not None:
        at = (on - span.first).days
        below = f"{first if at > len(first) else '':<{at}}{RELEASED} {words.day(on)}"
    if (room := len(bars) - len(below) - len(last)) > 0:
        below = f"{below}{' ' * room}{last}"
    return [bars, f"{below}   the highest is {figure(highest)}"]


def plotted(known: Span, released_on: date | None, most: int = PLOTTED_DAYS) -> Span:
    """The days that are drawn: the last ones, and of an older release those about it."""
    last = known.last
    if released_on is not None and released_on >= known.first:
        last = min(last, released_on + timedelta(days=most // 2))
    return Span(max(known.first, last - timedelta(days=max(most, 7) - 1)), last)


def _bar(values: Mapping[date, float], day: date, most: float) -> str:
    value = values.get(day)
    if value is None:
        return " "
    if value <= 0:
        return "·"
    return BARS[min(len(BARS) - 1, int(value / most * len(BARS)))]


def _span(span: Span) -> str:
    return f"{words.day(span.first)} to {words.day(span.last)}"


def _moment(at: datetime | None, zone: tzinfo) -> str:
    if at is None:
        return "–"
    local = at.astimezone(zone)
    return f"{words.day(local.date())} {local:%H:%M}"
