"""The screens of `opsync explain`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, tzinfo

import click

from opsync.cli import words
from opsync.cli.adoptionview import print_adoption
from opsync.cli.explainvalues import inputs_line, print_written, rule_line
from opsync.cli.layout import Column
from opsync.cli.screen import grid, hanging, interactive, show, styled
from opsync.disagreements import DisagreementKind
from opsync.engine.catalog import Item, noun_of
from opsync.engine.disagreeing import Found
from opsync.engine.explained import (
    Choices,
    Counted,
    Explanation,
    Nobody,
    Summary,
)
from opsync.engine.owners import Owner
from opsync.model import Category

MOST = 60
"""So many members or links are shown; `--json` has all."""

_SIGNS = {
    Category.done.value: ("✓", "green"),
    Category.in_progress.value: ("▸", "yellow"),
    Category.canceled.value: ("–", "dim"),
}


def print_choices(text: str, found: Choices) -> None:
    """Name what a person may have meant."""
    click.echo(f'"{words.shown(text)}" may be any of these. Name one by its key or URL:', err=True)
    for item in found.choices:
        parts = (item.tool, words.shown(item.label, 60), words.shown(item.status))
        said, address = "  ".join(filter(None, parts)), item.url or item.ref
        if interactive():
            hanging("  ", said)
            hanging("      ", (address, "dim"))
        else:
            click.echo(f"  {said}  {address}")
    if found.more:
        click.echo(f"  … and {found.more} more: give a longer piece of the title", err=True)


def print_nobody(found: Nobody) -> None:
    """Tell of a name that no item has."""
    text = words.shown(found.text)
    if not found.named_by:
        click.echo(f'Nothing is called "{text}". Name it by URL, key or a piece of its title.')
        return
    click.echo(f"No item has the key or address {text}, so it makes no link. It is named in:")
    for item, field in found.named_by[:MOST]:
        click.echo(f'  {item.tool}  {words.shown(item.label, 80)}, in "{words.shown(field, 40)}"')


def print_explanation(found: Explanation, now: datetime, zone: tzinfo) -> None:
    """All about one item."""
    _print_head(found.item)
    if found.owner is not None:
        hanging("owner   ", _owner(found.owner), style="dim")
    for note in found.notes:
        hanging("! ", words.shown(note, 400), style="yellow")
    for one in found.disagreements:
        _print_disagreement(one, found.item, now)
    for summary in found.summaries:
        _print_summary(summary, now, zone)
    if found.counts_in:
        _print_counts_in(found)
    if found.links:
        _print_links(found)
    if found.no_links:
        show(styled(("\nNames that make no link", "bold")))
        for no_link in found.no_links:
            text = words.shown(no_link.text, 80)
            field, why = words.shown(no_link.field, 40), words.shown(no_link.why, 300)
            hanging("  ", f'{text} in "{field}": {why}')
    if found.suggestions:
        _print_suggestions(found)
    print_written(found, zone)


def _print_head(item: Item) -> None:
    parts = [item.tool, noun_of(item)] + ([words.shown(item.status, 40)] if item.status else [])
    show(styled((words.shown(item.label, 100), "bold"), f"   {' · '.join(filter(None, parts))}"))
    if item.url:
        show(styled((item.url, "dim")))


def _owner(owner: Owner) -> str:
    """The one name, and what tools call the person where that is another."""
    tools = Counter(tool for _, tool in {(one.instance, one.tool) for one in owner.accounts})
    others = [
        f"{words.shown(one.name, 60)} in {one.tool if tools[one.tool] == 1 else one.instance}"
        for one in owner.accounts
        if one.name not in ("", owner.name)
    ]
    name = words.shown(owner.name, 60)
    return f"{name} ({', '.join(dict.fromkeys(others))})" if others else name


def _print_disagreement(one: Found, item: Item, now: datetime) -> None:
    """What people say, what is measured, and what shows it, with how fresh that is."""
    whose = one.item if one.item not in (None, item) else None
    head = f"{words.shown(whose.label, 60)}: " if whose else ""
    says = f"people say {words.shown(one.says, 80)}" if one.says else "nobody says otherwise"
    said = says if one.kind is DisagreementKind.status else words.shown(one.says, 80)
    hanging(
        "! ", f"{head}{said}; {words.shown(one.measured, 120)}".replace(": ; ", ": "), style="red"
    )
    for told in one.evidence:
        since = f" since {words.day(told.since)}" if told.since else ""
        read = (
            f"read {words.ago(told.read_at, now)} ago" if told.read_at else "never read to its end"
        )
        label = words.shown(told.item.label, 60)
        hanging(
            "    ",
            f"{label}: {words.shown(told.text, 80)}{since}",
            (f"   {told.item.tool}, {read}", "dim"),
        )


def _headline(summary: Summary) -> str:
    parts = [f"{summary.done} of {summary.total} done"]
    if summary.blocked:
        parts.append(f"{summary.blocked} blocked")
    if summary.canceled:
        parts.append(f"{summary.canceled} canceled, not counted")
    if summary.private:
        parts.append(f"{summary.private} private, counted and not named")
    if summary.missing:
        parts.append(words.some_not_counted(len(summary.missing)))
    parts.append(f"{summary.health.value.lower()}: {words.shown(summary.reason)}")
    if summary.due_on:
        parts.append(f"due {words.day(summary.due_on)}")
    return " · ".join(parts)


def _print_summary(summary: Summary, now: datetime, zone: tzinfo) -> None:
    hanging("", _headline(summary))
    hanging("rule    ", rule_line(summary, zone), style="dim")
    hanging("inputs  ", inputs_line(summary, now), style="dim")
    print_adoption(summary, now, zone)
    counted = [one for one in summary.members if one.role == "counted"]
    holders = [one for one in summary.members if one.role != "counted"]
    if holders:
        show(styled(("\nHolds the counted work", "bold")))
        _print_members(holders)
    by_tool = words.tallied(one.item.tool for one in counted)
    show(styled((f"\nCounted {len(counted)}", "bold"), f"   {by_tool}"))
    _print_members(counted)
    if summary.left_out:
        show(styled((f"\nNot counted {len(summary.left_out)}", "bold")))
        for one in summary.left_out[:MOST]:
            hanging("  ", f"{words.shown(one.what, 80)}: {words.shown(one.why, 300)}")


def _print_members(members: Sequence[Counted]) -> None:
    columns = (
        Column(),
        Column(),
        Column("", "fold", 20),
        Column("", "fold", 13),
        Column("", "fold", 16),
    )
    rows = [
        (
            styled(_SIGNS.get(one.item.category, ("○", "dim"))),
            styled(one.item.tool),
            styled(words.shown(one.item.label, 60)),
            styled(
                words.shown(one.item.status, 24), (", blocked" if one.item.blocked else "", "red")
            ),
            styled((words.shown(one.why, 100), "dim")),
        )
        for one in members[:MOST]
    ]
    grid(columns, rows, indent=2)
    if len(members) > MOST:
        show(styled(f"  … {len(members) - MOST} more (--json has all)"))


def _print_counts_in(found: Explanation) -> None:
    show(styled(("\nPart of", "bold")))
    for one in found.counts_in:
        path = " › ".join(words.shown(label, 60) for label in (one.initiative.label, *one.path))
        named = f", {words.shown(one.why, 80)}" if one.why else ""
        role = {
            "counted": "counted",
            "holds others": "its parts are counted",
            "canceled": "not counted: canceled",
            "the same work": f"counted once, as {words.shown(one.counted_as, 60)}",
        }[one.role]
        hanging("  ", f"{path}{named}   {role}   (rule {one.rule})")
    if len(found.counts_in) > 1:
        show(styled(f"  It counts in each of these {len(found.counts_in)}."))


def _print_links(found: Explanation) -> None:
    show(styled(("\nLinked with", "bold")))
    columns = (Column(), Column("", "fold", 18), Column("", "fold", 18), Column("", "fold", 18))
    rows = []
    for one in found.links[:MOST]:
        at = f"stands at {', '.join(one.stands_at)}"
        row = (
            styled(one.item.tool),
            styled(words.shown(one.item.label, 60)),
            styled(words.shown("; ".join(one.why), 200)),
            styled((at if one.stands_at else f"not written: {one.why_not}", "dim")),
        )
        rows.append(row)
    grid(columns, rows, indent=2)
    if len(found.links) > MOST:
        show(styled(f"  … {len(found.links) - MOST} more (--json has all)"))


def _print_suggestions(found: Explanation) -> None:
    show(styled(("\nSuggested, not counted", "bold")))
    for one in found.suggestions[:MOST]:
        other = one.two if one.one == found.item else one.one
        label, why = words.shown(other.label, 60), words.shown("; ".join(one.reasons), 200)
        head = f"{other.tool}  {label}: {words.percent(one.score)}, {why}"
        hanging("  ", head, (f"   opsync links accept {one.id}", "dim"))
