"""The screen of `opsync look`."""

from __future__ import annotations

from collections.abc import Sequence

from opsync.cli import words
from opsync.cli.layout import Column
from opsync.cli.looksaid import (
    HEADINGS,
    LookView,
    addition_lines,
    additions_title,
    article,
    head,
    headline,
    how_to_write,
    label_of,
    no_roots_line,
    nothing_lines,
    of_kind,
    rest_line,
    said,
    said_title,
    spaces_of,
    suggested_line,
    twin_line,
    unseen_line,
)
from opsync.cli.screen import grid, hanging, show, styled
from opsync.disagreements import DisagreementKind
from opsync.engine.looked import Look, Unseen

SHOWN = 8
"""So many disagreements are shown unless all are asked for."""
FEW = 3
"""So many of everything else."""
LABEL = 44
SPACES = 4


def print_look(view: LookView, *, every: bool) -> None:
    """Print it."""
    look = view.look
    show(styled((head(view), "dim")))
    if look.nothing_read:
        for line in nothing_lines(view):
            hanging("", line)
        _print_unseen(look.unseen, every=True)
        return
    show(styled((headline(look), "bold")))
    _print_said(look, every=every)
    _print_share(look, every=every)
    for kind in HEADINGS:
        _print_kind(look, kind, every=every)
    _print_twins(look, every=every)
    _print_suggestions(look, every=every)
    _print_unseen(look.unseen, every=every)
    _print_additions(view)


def _title(text: str) -> None:
    show(styled(""), styled((text, "bold")))


def _print_rest(shown: int, many: int, *, every: bool) -> None:
    if line := rest_line(shown, many):
        show(styled((f"  {line.replace('(--all)', '(--json)') if every else line}", "dim")))


def _print_said(look: Look, *, every: bool) -> None:
    if not look.initiatives:
        show(styled(""))
        hanging("", no_roots_line(look))
        return
    _title(said_title(look))
    found = said(look)
    shown = found if every else found[:SHOWN]
    columns = (
        Column("", "cut", 18),
        Column("people say", "cut", 10),
        Column("measured", "fold", 20),
        Column("", drop=1),
        Column("done", right=True),
    )
    rows = []
    for one in shown:
        late = one.kind is DisagreementKind.status
        bar = words.bar(one.done / one.total) if one.total else ""
        rows.append(
            (
                styled((words.shown(label_of(one), LABEL), "bold")),
                styled(words.shown(one.says, 24) or "–"),
                styled((words.shown(one.measured, 120), "yellow" if late else "")),
                styled(bar),
                styled(f"{one.done}/{one.total}" if one.total else "–"),
            )
        )
    grid(columns, rows, indent=2)
    _print_rest(len(shown), len(found), every=every)


def _print_share(look: Look, *, every: bool) -> None:
    share = look.in_progress
    if share is None or not share.total:
        return
    if not share.without:
        _title(f"All {share.total:,} in progress have {article(look.roots)}.")
        return
    part = share.without / share.total
    show(
        styled(""),
        styled(
            (f"In progress without {article(look.roots)}  ", "bold"),
            (words.bar(part), "yellow"),
            (f"  {share.without:,} of {share.total:,}", "bold"),
        ),
    )
    spaces = spaces_of(share)
    rows = [
        (
            styled(words.shown(name, LABEL)),
            styled((words.bar(without / total), "dim")),
            styled(f"{without}/{total}"),
        )
        for name, without, total in (spaces if every else spaces[:SPACES])
    ]
    grid((Column("", "cut", 16), Column(), Column("", right=True)), rows, indent=2)
    _print_rest(len(rows), len(spaces), every=every)
    if share.oldest:
        names = ", ".join(
            f"{words.shown(one.item.label, 40)} (since {words.day(one.since)})"
            for one in share.oldest[:FEW]
        )
        hanging("  the longest: ", (names, "dim"))


def _print_kind(look: Look, kind: DisagreementKind, *, every: bool) -> None:
    found, many = of_kind(look, kind), look.counts.get(kind, 0)
    if not found:
        return
    _title(f"{HEADINGS[kind]}: {many:,}")
    shown = found if every else found[:FEW]
    rows = [
        (
            styled(words.shown(label_of(one), 80)),
            styled(words.shown(one.says, 60)),
            styled((words.shown(one.measured, 80), "yellow")),
        )
        for one in shown
    ]
    grid((Column("", "fold", 20), Column("", "fold", 10), Column("", "fold", 12)), rows, indent=2)
    _print_rest(len(shown), many, every=every)


def _print_twins(look: Look, *, every: bool) -> None:
    if not look.twins_total:
        return
    _title(f"Twins, counted once: {look.twins_total:,}")
    shown = look.twins if every else look.twins[:FEW]
    for one in shown:
        hanging("  ", words.shown(twin_line(one), 200))
    _print_rest(len(shown), look.twins_total, every=every)


def _print_suggestions(look: Look, *, every: bool) -> None:
    if not look.suggestions_total:
        return
    _title(f"May belong together: {look.suggestions_total:,}, not counted before a person accepts")
    shown = look.suggestions if every else look.suggestions[:FEW]
    rows = [
        (
            styled(words.shown(suggested_line(one), 200)),
            styled((f"opsync links accept {one.id}", "dim")),
        )
        for one in shown
    ]
    grid((Column("", "fold", 30), Column()), rows, indent=2)
    _print_rest(len(shown), look.suggestions_total, every=every)


def _print_unseen(unseen: Sequence[Unseen], *, every: bool) -> None:
    if not unseen:
        return
    _title("Not everything is seen")
    shown = unseen if every else unseen[:FEW]
    for one in shown:
        hanging("! ", words.shown(unseen_line(one), 600), style="red")
        if one.hint:
            hanging("    ", (words.shown(one.hint, 600), "dim"))
    _print_rest(len(shown), len(unseen), every=every)


def _print_additions(view: LookView) -> None:
    if not view.look.would_add:
        return
    _title(additions_title(view.look.would_add))
    rows = [(styled(tool), styled(text)) for tool, text in addition_lines(view.look.would_add)]
    grid((Column(), Column("", "fold", 30)), rows, indent=2)
    hanging("  ", (how_to_write(), "dim"))
