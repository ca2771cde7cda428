"""What was taken back, on the screen: of `opsync undo` and of `opsync release --remove`."""

from __future__ import annotations

from opsync.cli.layout import Column
from opsync.cli.screen import grid, hanging, show_line, styled
from opsync.cli.words import VERB_SIGNS, plural, shown, tallied, value
from opsync.engine.undone import LeftAlone, ShownBack, Taken
from opsync.model import Kind, Verb

MOST = 12
"""So many are named one by one."""

_COLUMNS = (
    Column(),
    Column(),
    Column("", "fold", 16),
    Column("", "fold", 10),
    Column("", "fold", 22),
)


def print_back(found: ShownBack, *, done: str, would: str, looked: bool) -> None:
    """Each value with what stands there now, and what was left and why; `done` and `would` say
    what was done with them, or, where it was only `looked` at, what would be."""
    count = plural(len(found.done), "value")
    if found.done:
        by_tool = tallied(one.tool for one in found.done)
        show_line(f"{would if looked else done} {count}: {by_tool}")
    else:
        show_line(f"nothing {'would be' if looked else 'was'} {done.casefold()}")
    rows = [
        (
            styled(_sign(one)),
            styled(one.tool),
            styled(shown(_of(one), 48)),
            styled(one.place),
            styled(_change(one)),
        )
        for one in found.done[:MOST]
    ]
    grid(_COLUMNS, rows, indent=2)
    _more(len(found.done))
    if found.left:
        show_line(f"Left as it stands: {plural(len(found.left), 'value')}")
    for left in found.left[:MOST]:
        where = f"{left.tool} {shown(_of(left), 60)}, {left.place}"
        hanging("  ! ", f"{where}: {shown(left.why, 300)}")
    _more(len(found.left))
    _columns(found, looked=looked)


def from_now_on(found: ShownBack, *, again: bool) -> str | None:
    """What becomes of what was undone, and how to have it otherwise; None where nothing was."""
    if found.run is None:
        return None
    stays = "opsync keeps it up to date again" if again else "it stays so"
    if found.done:
        return f"{stays}. Undo that: opsync undo {found.run}"
    if any(one.fate == "removed" for one in found.columns):
        return "opsync makes such a column again once it has a value for it"
    if found.left or found.columns:
        return None
    return stays if again else f"{stays}. Let go of it: opsync resolve ITEM --ours"


def _columns(found: ShownBack, *, looked: bool) -> None:
    """The columns that went along, were made again, or stay and why."""
    said = {
        "removed": "Would remove {}, if nothing is in them then" if looked else "Removed {}",
        "made again": "Made {} again; people place them in their views anew",
    }
    for fate, text in said.items():
        names = [shown(one.column, 80) for one in found.columns if one.fate == fate]
        if names:
            tools = " and ".join(sorted({one.tool for one in found.columns if one.fate == fate}))
            what = f"{plural(len(names), 'column')} of opsync's own in {tools}"
            hanging("", f"{text.format(what)}: {', '.join(names)}")
    for one in found.columns:
        if one.fate != "left":
            continue
        which = f"the column {shown(one.column, 80)}" if one.column else "opsync's columns"
        verb = "stays" if one.column else "stay"
        hanging("  ! ", f"{one.tool}: {which} {verb}: {shown(one.why, 300)}")


def _of(one: Taken | LeftAlone) -> str:
    """What a value is on; a release is told in one place of a project."""
    return one.about.label if one.item.kind == Kind.product.value else one.item.label


def _sign(one: Taken) -> tuple[str, str]:
    if one.value is None:
        return VERB_SIGNS[Verb.remove]
    return VERB_SIGNS[Verb.create if one.wrote is None else Verb.update]


def _change(one: Taken) -> str:
    if one.value is None:
        return f"remove {value(one.wrote, one.place)}"
    if one.wrote is None:
        return value(one.value, one.place)
    return f"{value(one.wrote, one.place)} → {value(one.value, one.place)}"


def _more(count: int) -> None:
    if count > MOST:
        show_line(f"  … {count - MOST} more (--json has all)")
