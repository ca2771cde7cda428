"""How much an initiative is used, and that it was shipped, in words.

What changed is told, never why: other things happen in the same weeks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from opsync.languages import ENGLISH, Words
from opsync.model import (
    Adoption,
    Card,
    Counts,
    Effect,
    MetricKind,
    Release,
    ReleaseContent,
    Rollup,
    marker_of,
)

NEAREST = 3
"""So many names that the project does have are told."""


def adoption(
    rollup: Rollup,
    tools: Mapping[str, str],
    *,
    today: date | None = None,
    words: Words = ENGLISH,
) -> str:
    """ "38 users a day since release, 24 before (+58 %)"; "" where nothing is measured, or not yet.

    `tools` are by instance. Of several metrics the first is told that has numbers.
    """
    if not rollup.adoption:
        return ""
    one = rollup.adoption[0]
    told = _told(one, rollup.released, tools.get(one.metric.instance, ""), words)
    if not told:
        return ""
    as_of = ""
    if one.stale and one.window is not None:
        as_of = words.text("as_of", date=words.day(one.window.last, today))
    return words.text("adoption", told=told, as_of=as_of)


def use(rollup: Rollup, words: Words = ENGLISH) -> str:
    """ "usage +58 %": what changed since the release, in brief; "" where that is not known."""
    effect = rollup.adoption[0].effect if rollup.adoption else None
    if effect is None or effect.ratio is None:
        return ""
    return words.text("use", change=words.change(effect.ratio))


def _told(one: Adoption, release: Release | None, tool: str, words: Words) -> str:
    match one.trouble:
        case "unknown":
            return words.text(
                "metric_unknown",
                tool=tool,
                what=words.text(f"metric_{one.metric.kind.value}"),
                name=one.metric.name,
                nearest=", ".join(one.nearest[:NEAREST]),
            )
        case "refused":
            return words.text("metric_refused", tool=tool)
        case "empty":
            return words.text("metric_empty", tool=tool)
    if one.per_day is None or one.window is None:
        return ""
    if one.effect is not None and release is not None and release.on is not None:
        return _since(one, one.effect, release.on, words)
    amount = _amount(one, one.per_day, words)
    if one.change is None:
        return words.text("adoption_window", amount=amount)
    change = words.change(1 + one.change)
    return words.text("adoption_change", amount=amount, change=change, days=one.window.days)


def _since(one: Adoption, effect: Effect, released_on: date, words: Words) -> str:
    early, days = effect.early, 7 * effect.weeks
    if early is not None and early.what == "days":
        return words.text("adoption_early", have=early.have, need=early.need)
    over = _is_over(one, days, released_on)
    if early is not None and early.what == "users since":
        counted = _amount(one, early.have, words)
        if over:
            return words.text("adoption_too_few", amount=counted, days=days, need=early.need)
        return words.text("adoption_few", amount=counted, need=early.need)
    amount = _amount(one, effect.after, words)
    if effect.ratio is None:
        return words.text("adoption_alone" if effect.before else "adoption_new", amount=amount)
    figures = {"before": words.figure(effect.before), "change": words.change(effect.ratio)}
    if over:
        return words.text("adoption_after", amount=amount, days=days, **figures)
    return words.text("adoption_since", amount=amount, **figures)


def _is_over(one: Adoption, days: int, released_on: date) -> bool:
    """Whether a whole week has passed that is not compared: no more weeks ever are."""
    return one.window is not None and one.window.last >= released_on + timedelta(days=days + 7)


def _amount(one: Adoption, value: float, words: Words) -> str:
    """ "38 users", "1 user": with what is counted, as far as that is known."""
    figure = words.figure(value)
    if one.metric.kind is MetricKind.insight:
        return words.text("amount", figure=figure)
    name = "amount_users" if one.metric.counts is Counts.users else "amount_events"
    return words.text(f"{name}_one" if figure == "1" else name, figure=figure)


def release_content(root: Card, release: Release, words: Words = ENGLISH) -> ReleaseContent:
    """That a root was shipped: its name, its link, and the marker by which it is found again."""
    marker = marker_of(root.ref)
    name, fields = "shipped", {"item": root.title or root.label, "url": root.url}
    if release.how == "saw" and release.on is not None:
        name, fields = "shipped_seen", {**fields, "date": words.day(release.on)}
    return ReleaseContent(root, release, f"{words.text(name, **fields)} {marker}", marker)


def release_reason(release: Release, property_: str) -> str:
    """Why there is an annotation, and where its day comes from."""
    day = {
        "completed": "that of its completion",
        "property": f'in its "{property_}"',
        "saw": "the one on which it was first seen done",
        "unknown": "not known",
    }
    return f"its own status is done; the day is {day[release.how]}"
