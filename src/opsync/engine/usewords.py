"""How much an initiative is used, in few words and in a sentence, on any screen. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from opsync.engine import phrases as words
from opsync.engine.adopted import Adopted, Compared, Measured, Shipped
from opsync.languages import ENGLISH
from opsync.model import Counts, MetricKind

Tone = Literal["", "quiet", "warning"]
"""How a short word is meant: a number, something that is to come, or something to look at."""

_IN_SHORT = {"unknown": "! no such {noun}", "refused": "! refused", "empty": "! no data"}


def brief(adoption: Sequence[Adopted]) -> tuple[str, Tone]:
    """ "+58 % 38/day", and in place of numbers why there are none; "–" where nothing is measured.
    Of several metrics the most telling."""
    if not adoption:
        return "–", ""
    one = adoption[0]
    if one.trouble:
        return _IN_SHORT[one.trouble].format(noun=words.shown(one.metric.noun, 12)), "warning"
    if one.per_day is None or one.window is None:
        return "not read yet", "quiet"
    since = f" ({words.day(one.window.last)})" if one.stale else ""
    effect = one.effect
    if effect is None:
        return f"{figure(one.per_day)}/day{since}", ""
    if effect.early is not None and effect.early.what != "users before":
        unit = "days" if effect.early.what == "days" else _unit(one)
        return f"{effect.early.have} of {effect.early.need} {unit}{since}", "quiet"
    change = f"{ENGLISH.change(effect.ratio)} " if effect.ratio is not None else ""
    return f"{change}{figure(effect.after)}/day{since}", ""


def headline(one: Measured, released: Shipped | None = None) -> str:
    """The same in a sentence."""
    metric = one.metric
    match one.trouble:
        case "unknown":
            return f"Not measured: {metric.tool} has no {named(one)}."
        case "refused":
            said = f": {words.shown(one.message, 300)}" if one.message else ""
            return f"Not measured: {metric.tool} refused the query{said}"
        case "empty":
            return f"Not measured: {metric.tool} has no data in this project yet."
    if one.per_day is None or one.window is None:
        return "Not measured yet."
    effect = one.effect
    if effect is None:
        return f"{amount(one, one.per_day)} a day{against(one)}."
    if effect.early is not None and effect.early.what == "days":
        return f"Too early to compare: {effect.early.have} of {effect.early.need} days are over."
    if effect.early is not None and effect.early.what == "users since":
        have, need = effect.early.have, amount(one, effect.early.need)
        if _is_over(one, effect, released):
            return f"Too few to compare: {have} of {need} in {7 * effect.weeks} days after it."
        return f"Too early to compare: {have} of {need} since the release."
    if effect.ratio is None:
        why = "too few before it to compare" if effect.early else "none before it to compare"
        return f"{amount(one, effect.after)} a day since release, {why}."
    figures = f"{amount(one, effect.after)} a day since release, {figure(effect.before)} before"
    return f"{ENGLISH.change(effect.ratio)}: {figures}. It changed, which is not to say caused."


def _is_over(one: Adopted, effect: Compared, released: Shipped | None) -> bool:
    """Whether a whole week has passed that is not compared: no more weeks ever are."""
    if one.window is None or released is None or released.on is None:
        return False
    return one.window.last >= released.on + timedelta(days=7 * effect.weeks + 7)


def named(one: Adopted) -> str:
    """'flag "instant-payouts"', and only "flag" where the name is private."""
    noun = words.shown(one.metric.noun, 20)
    return f'{noun} "{words.shown(one.metric.name, 80)}"' if one.metric.name else noun


def against(one: Adopted) -> str:
    """The change against the window before."""
    if one.change is None or one.earlier is None or one.window is None:
        return ""
    change = ENGLISH.change(1 + one.change)
    return f", {change} against the {one.window.days} days before ({figure(one.earlier)})"


def figure(value: float) -> str:
    """ "12,400", "38", "3.4": as texts in English have numbers."""
    return ENGLISH.figure(value)


def _unit(one: Adopted) -> str:
    return "users" if one.metric.counts is Counts.users else "uses"


def amount(one: Adopted, value: float) -> str:
    """ "38 users": with what is counted, as far as that is known."""
    if one.metric.kind is MetricKind.insight:
        return figure(value)
    return f"{figure(value)} {_unit(one)}"
