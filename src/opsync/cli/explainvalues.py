"""The values that opsync keeps, in the screens of `opsync explain`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from opsync.cli import words
from opsync.cli.adoptionview import adoption_facts, in_project, print_adoption, released_fact
from opsync.cli.layout import Column
from opsync.cli.screen import grid, hanging, show, styled
from opsync.engine.approvals import Agreed, approved_by, rule_does
from opsync.engine.catalog import Item
from opsync.engine.explained import Explanation, PlaceValue, Summary, Write
from opsync.model import Kind
from opsync.model.rules import LINKS_RULE
from opsync.noting import resting_text

LAST_WRITES = 5
ADOPTION = "Adoption"
"""The place at which a value tells how much an initiative is used."""


def rule_line(summary: Summary, zone: tzinfo) -> str:
    """The rule, with what it counts."""
    where = (
        " or ".join(f'"{words.shown(name, 40)}"' for name in summary.properties)
        or "any of its own columns"
    )
    return (
        f"{rule_name(summary, zone)}: counts what {where} names, and everything that is part of it"
    )


def rule_name(summary: Summary, zone: tzinfo) -> str:
    """The rule's name, and what it does in its mode or who approved it."""
    return f"{summary.rule} ({rule_does(summary.mode, summary.approved, zone)})"


def inputs_line(summary: Summary, now: datetime) -> str:
    """The connections that the numbers rest on, with how fresh each is."""
    parts = []
    for one in summary.inputs:
        state = f"read {words.ago(one.read_at, now)} ago" if one.read_at else "never read"
        if one.failing_since:
            state += f", incomplete for {words.ago(one.failing_since, now)}"
        parts.append(f"{one.instance} {state}")
    return " · ".join(parts)


def print_written(found: Explanation, zone: tzinfo) -> None:
    """All that opsync keeps about an item, a line each."""
    if not found.values:
        return
    show(styled(("\nKept by opsync", "bold")))
    columns = (
        Column(),
        Column(),
        Column("", "fold", 15),
        Column("", "fold", 20),
        Column("", "fold", 14),
    )
    rows = []
    for one in found.values:
        last = next((w for w in one.writes if w.outcome != "failed"), None)
        yet = "not written yet" if one.wrote is None else "stood there already"
        when = f"run {last.run}, {_moment(last.at, zone)}" if last else yet
        when = f"left alone: {one.left_alone}" if one.left_alone else when
        row = (
            styled(("!", "red") if one.held else ""),
            styled(one.tool),
            styled(_where(one, found.item)),
            styled(words.value(one.wrote if one.wrote is not None else one.should_be, one.place)),
            styled((f"held: {one.held}" if one.held else when, "dim")),
        )
        rows.append(row)
    grid(columns, rows, indent=2)
    places = [value.place for value in found.values if value.target == found.item]
    if places and found.summaries:
        label = words.shown(found.item.label, 60)
        show(styled((f'one value in full: opsync explain "{label}" "{places[0]}"', "dim")))


def _where(value: PlaceValue, item: Item) -> str:
    """The place on the item itself, else on which other one. A release is told in one place."""
    if value.target.kind == Kind.product.value:
        return words.shown(value.about.label, 40) if value.target == item else value.place
    return value.place if value.target == item else words.shown(value.target.label, 40)


def print_values(
    found: Explanation, values: Sequence[PlaceValue], now: datetime, zone: tzinfo
) -> None:
    """Single values in full: what they should be, were and are, by which rule and run."""
    summaries = {one.rule: one for one in found.summaries}
    for value in values:
        of = value.about if value.target.kind == Kind.product.value else value.target
        title = f"{value.place} of {words.shown(of.label, 80)}"
        show(styled((title, "bold"), f"   {value.tool}"))
        facts = _facts(value, summaries.get(value.rule), now, zone)
        rows = [(styled((name, "dim")), styled(text)) for name, text in facts]
        grid((Column(), Column("", "fold", 20)), rows, indent=2)
        writes = value.writes[:LAST_WRITES]
        if writes:
            show(styled(("  writes", "dim")))
        for write in writes:
            hanging("    ", _write(write, value.place, zone))
        if len(value.writes) > LAST_WRITES:
            more = len(value.writes) - LAST_WRITES
            show(styled((f"    … {more} earlier: opsync journal", "dim")))


def print_only_adoption(found: Explanation, now: datetime, zone: tzinfo) -> None:
    """How much an item is used, where that is written at no place."""
    show(styled((words.shown(found.item.label, 100), "bold"), f"   {found.item.tool}"))
    for summary in found.summaries:
        print_adoption(summary, now, zone)


def _facts(
    value: PlaceValue, summary: Summary | None, now: datetime, zone: tzinfo
) -> list[tuple[str, str]]:
    facts = [("should be", words.value(value.should_be, value.place))]
    if value.tells_wrote:
        facts.append(("we wrote", words.value(value.wrote, value.place)))
    if value.is_now_known:
        seen = words.value(value.is_now, value.place)
        facts.append(("is now", f"{seen}   seen {words.ago(value.read_at, now)} ago"))
    if value.approved is not None and value.approved.of == "value":
        facts.append(("approved", _approved(value.approved, zone)))
    if value.held:
        facts.append(("held", value.held))
        name = words.shown(value.target.key or value.target.label, 60)
        facts.append(("settle", f'opsync resolve "{name}" "{value.place}" --theirs, or --ours'))
    elif value.rests_until is not None and value.rests_until > now:
        facts.append(("rests", resting_text(value.rests_until)))
    elif value.left_alone:
        facts.append(("left alone", value.left_alone))
    elif value.message:
        facts.append(("said", words.shown(value.message, 300)))
    if summary is not None and summary.adoption and value.place.casefold() == ADOPTION.casefold():
        chain = _adoption(summary, now, zone)
        return [*facts, ("because", next(chain)[1]), ("rule", rule_name(summary, zone)), *chain]
    facts.append(
        ("because", words.shown("; ".join(dict.fromkeys((value.reason, *value.evidence)))))
    )
    if summary is None:
        rule = value.rule
        if value.approved is not None and value.approved.of == "rule":
            rule += f" ({approved_by(value.approved, zone)})"
        rule += ": items that name each other" if value.rule == LINKS_RULE else ""
        return [*facts, ("rule", rule), ("about", words.shown(value.about.label, 80))]
    if value.target.kind == Kind.product.value:
        return [*facts, *_release(value, summary, zone)]
    facts.append(("rule", rule_line(summary, zone)))
    counted = [one for one in summary.members if one.role == "counted"]
    by_tool = words.tallied(one.item.tool for one in counted)
    left = f", {len(summary.left_out)} not counted" if summary.left_out else ""
    facts.append(("members", f"{len(counted)} counted: {by_tool}{left}"))
    named = [one.item.label for one in summary.members if one.why.startswith("named in")]
    if named:
        facts.append(("", words.shown("named: " + ", ".join(named), 200)))
    facts.append(("inputs", inputs_line(summary, now)))
    return facts


def _approved(one: Agreed, zone: tzinfo) -> str:
    """Who approved the value that should stand there."""
    told = f" with plan #{one.plan}" if one.plan else ""
    return f"by {words.shown(one.by, 60)} on {_moment(one.at, zone)}{told}"


def _release(value: PlaceValue, summary: Summary, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """What an annotation rests on."""
    yield "rule", f"{rule_name(summary, zone)}: tells releases in {value.target.instance}"
    if summary.released is not None:
        yield "released", released_fact(summary.released)
    yield "stands in", in_project(value.target)


def _adoption(summary: Summary, now: datetime, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """The chain behind each number, the first one's first."""
    for one in summary.adoption:
        yield from adoption_facts(one, summary.released, now, zone)
    for left in summary.not_measured:
        yield "besides", f"{words.shown(left.what, 80)}: {words.shown(left.why, 200)}"


def _write(write: Write, place: str, zone: tzinfo) -> str:
    before, after = words.value(write.before, place), words.value(write.after, place)
    head = f"run {write.run}, {_moment(write.at, zone)}, {write.outcome}:"
    if write.outcome == "removed":
        return f"{head} {before}"
    said = f"   {words.shown(write.message, 200)}" if write.message else ""
    return f"{head} {before} → {after}{said}"


def _moment(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{words.day(local.date())} {local:%H:%M}"
