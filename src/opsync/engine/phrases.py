"""How values, numbers and times are told on any screen: a terminal's or a page's. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from opsync.inert import inert_text
from opsync.model import Category, Value
from opsync.wording import day as worded

VALUE_LIMIT = 120
"""Characters of a value that a screen shows; `--json` has it all."""

LONGEST = 240
"""The same of a text that ends with the mark by which it is known again."""

CATEGORY_WORDS = {
    Category.backlog: "backlog",
    Category.todo: "to do",
    Category.in_progress: "in progress",
    Category.done: "done",
    Category.canceled: "canceled",
    Category.unknown: "no status",
}


def shown(text: str, limit: int = VALUE_LIMIT) -> str:
    """Text from anywhere on one line, without what a terminal would obey."""
    return inert_text(text, limit)


def plural(count: int, one: str, many: str = "") -> str:
    """ "1 change", "4 changes", "12,000 records"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percent(share: float | None) -> str:
    """ "60 %"; "–" for None."""
    return "–" if share is None else f"{share:.0%}".replace("%", " %")


def day(value: date | None) -> str:
    """ "1 Dec"; "–" for None."""
    return "–" if value is None else worded(value)


def dated(value: date) -> str:
    """ "1 Dec 2026"."""
    return f"{worded(value)} {value.year}"


def ago(then: datetime | None, now: datetime) -> str:
    """How long ago, in one unit: "2 min"; "never" for None."""
    if then is None:
        return "never"
    seconds = max(0.0, (now - then).total_seconds())
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds // 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600:.0f} h"
    return f"{seconds // 86400:.0f} days"


def span(seconds: float) -> str:
    """A duration: "0.4 s", "15 s", "3 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def tallied(names: Iterable[str]) -> str:
    """ "Notion 13 · Jira 31": how often each name is there, the most frequent first."""
    counts = sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
    return " · ".join(f"{name} {count:,}" for name, count in counts)


def value(found: Value, place: str = "") -> str:
    """What stands, or should stand, at a place, in one line; "(empty)" for nothing."""
    if found is None or found == "":
        return "(empty)"
    if isinstance(found, str):
        return f'"{shown(found)}"'
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, int | float):
        return percent(found) if "%" in place and 0 <= found <= 1 else f"{found:g}"
    if isinstance(found, Mapping):
        return _labelled(found)
    return shown(" · ".join(_item(one) for one in found))


def _item(found: Value) -> str:
    """An entry of a list: itself, or of a text with an address the text."""
    if isinstance(found, str):
        return found
    return str(found[0]) if isinstance(found, Sequence) and len(found) > 0 else value(found)


def _labelled(found: Mapping[str, Value]) -> str:
    """A link: what it is called, and the numbers or status that it shows; or a text on a day."""
    if isinstance(on := found.get("on"), str) and isinstance(text := found.get("text"), str):
        return f'{_maybe_day(on)} "{shown(text, LONGEST)}"'
    title = next((found[k] for k in ("title", "label", "text", "url") if found.get(k)), None)
    if not isinstance(title, str):
        return shown(", ".join(f"{name}: {found[name]}" for name in sorted(found)))
    details = [found.get(name) for name in ("summary", "subtitle", "status_title", "health")]
    said = f'link "{shown(title)}"'
    for detail in details:
        if isinstance(detail, str) and detail:
            return f"{said} ({shown(detail)})"
    return said


def some_not_counted(count: int) -> str:
    """What is said of numbers from which something is missing."""
    return f"some not counted: {count:,} not readable"


def _maybe_day(text: str) -> str:
    """ "7 Nov 2026" for a day as tools write it; any other text as it may be shown."""
    try:
        return dated(date.fromisoformat(text))
    except ValueError:
        return shown(text, 40)
