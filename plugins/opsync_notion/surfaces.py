"""opsync's own columns: what each holds, how it is written, and how it is compared.

Canonical values: `delivery`, `adoption` and `delivery_health` a text, `delivery_pct` a float from 0
to 1, `work` a list of [text, URL or ""], `delivery_changed` "YYYY-MM-DD"; None is an empty cell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from opsync import Edits, Health, Kind, OwnWords, RollupContent, Surface, Value
from opsync_notion import texts
from opsync_notion.wire import Cell, Property, Run

DELIVERY = "delivery"
PERCENT = "delivery_pct"
HEALTH = "delivery_health"
WORK = "work"
ADOPTION = "adoption"
CHANGED = "delivery_changed"

TYPES: Mapping[str, str] = {
    DELIVERY: "rich_text",
    PERCENT: "number",
    HEALTH: "select",
    WORK: "rich_text",
    ADOPTION: "rich_text",
    CHANGED: "date",
}
"""The column type of each surface."""
AT_FIRST = frozenset(TYPES) - {ADOPTION}
"""The columns that the first write makes. Where nothing is measured there is no other."""

_COLORS = {
    Health.not_started: "gray",
    Health.on_track: "green",
    Health.at_risk: "yellow",
    Health.off_track: "red",
    Health.paused: "purple",
    Health.done: "blue",
    Health.no_linked_work: "default",
}

_KINDS = frozenset({Kind.initiative, Kind.project})


def _surface(name: str, title: str, *, carried: bool = False, alone: bool = False) -> Surface:
    return Surface(
        name,
        "rollup",
        _KINDS,
        (title,),
        title,
        pulled=True,
        carried=carried,
        alone=alone,
        edits=Edits.propose,
    )


SURFACES = (
    _surface(DELIVERY, "Delivery"),
    _surface(PERCENT, "Delivery %"),
    _surface(HEALTH, "Delivery health"),
    _surface(WORK, "Work"),
    _surface(ADOPTION, "Adoption", alone=True),
    _surface(CHANGED, "Delivery changed", carried=True),
)


def definition(surface: str, words: OwnWords) -> dict[str, object]:
    """The column as a schema update asks for it. Its description tells people whose it is, and
    opsync after a loss."""
    settings: dict[str, object] = {}
    if surface == PERCENT:
        settings = {"format": "percent"}
    elif surface == HEALTH:
        settings = {"options": options(words)}
    return {TYPES[surface]: settings, "description": note(words)}


def note(words: OwnWords) -> str:
    """The description of opsync's own columns."""
    return texts.clip(words.text("column_note"), texts.MAX_DESCRIPTION)


def options(words: OwnWords) -> list[dict[str, object]]:
    """The seven health options, in the words in force."""
    return [{"name": words.health[h], "color": color} for h, color in _COLORS.items()]


def described(surface: str, words: OwnWords) -> str:
    """The column in words, for whoever makes it by hand."""
    if surface == HEALTH:
        return "select with the options " + ", ".join(words.health[h] for h in Health)
    return {PERCENT: "number, percent", CHANGED: "date"}.get(surface, "text")


def render(surface: str, content: RollupContent) -> Value:
    """The canonical value that should stand in a column, or None for an empty cell."""
    match surface:
        case "delivery":
            return texts.clip(texts.clean(content.delivery), texts.MAX_TEXT) or None
        case "delivery_pct":
            return None if content.percent is None else round(float(content.percent), 2)
        case "delivery_health":
            # Notion takes a comma for the end of an option's name.
            name = texts.clean(content.health_name.replace(",", " "))
            return texts.clip(name, texts.MAX_OPTION) or None
        case "work":
            items = [
                (texts.clip(texts.clean(item.text), texts.MAX_ITEM), texts.canonical_url(item.url))
                for item in content.work
            ]
            return _items(texts.lay_out([item for item in items if item[0]]))
        case "adoption":
            return texts.clip(texts.clean(content.adoption), texts.MAX_TEXT) or None
        case "delivery_changed":
            return content.changed_on.isoformat()
    return None


def canonical(surface: str, cell: Cell, words: OwnWords) -> Value:
    """What stands in a column, as `render` would have said it.

    Notion finds an option whatever its case, and answers it as it is spelled there.
    """
    match surface:
        case "delivery" | "adoption":
            return texts.plain(cell.rich_text).strip() or None
        case "delivery_pct":
            return None if cell.number is None else float(cell.number)
        case "delivery_health":
            name = cell.select.name if cell.select else None
            return words.spelled(name) or name if name else None
        case "work":
            return _items(cell.rich_text)
        case "delivery_changed":
            if cell.date is None or not cell.date.start:
                return None
            return "/".join(end for end in (cell.date.start, cell.date.end) if end)
    return None


def _items(runs: Sequence[Run] | None) -> Value:
    return [[text, url] for text, url in texts.parse_items(runs)] or None


def encode(surface: str, value: Value) -> dict[str, object]:
    """A canonical value as a page update carries it; None clears the cell."""
    kind = TYPES[surface]
    if surface in (DELIVERY, ADOPTION):
        text = value if isinstance(value, str) else ""
        return {kind: texts.written(Run(part) for part in texts.chunks(text))}
    if surface == WORK:
        pairs = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
        items = [
            (str(pair[0]), str(pair[1]))
            for pair in pairs
            if isinstance(pair, Sequence) and len(pair) == 2
        ]
        return {kind: texts.written(texts.lay_out(items))}
    if value is None:
        return {kind: None}
    if surface == HEALTH:
        return {kind: {"name": value}}
    if surface == CHANGED:
        return {kind: {"start": value}}
    return {kind: value}


# Recognizing own columns after a lost store --------------------------------------------------

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CUT = "…"


def looks_ours(surface: str, value: Value, words: OwnWords) -> bool:
    """Whether a non-empty canonical value could have been written by opsync, in any language."""
    if surface == PERCENT:
        return isinstance(value, float) and 0 <= value <= 1 and round(value, 2) == value
    if surface == WORK:
        return isinstance(value, list) and all(
            bool(pair[1]) or pair[0] == _CUT or words.says("work", pair[0]) for pair in value
        )
    if not isinstance(value, str):
        return False
    if surface in (DELIVERY, ADOPTION):
        return words.says(surface, value)
    if surface == HEALTH:
        return words.spelled(value) == value
    return bool(_DAY.fullmatch(value))


def marked(column: Property, words: OwnWords) -> bool:
    """Whether a column carries the description that opsync gives its own."""
    said = column.description or ""
    return words.says("column_note", said) or said == note(words)


def has_our_options(column: Property, words: OwnWords) -> bool:
    """Whether a select offers the seven health options, perhaps in several languages, and nothing
    else."""
    found = column.select.options if column.select else []
    names = {option.name for option in found}
    ours = words.vocabularies
    return names <= frozenset().union(*ours) and any(seven <= names for seven in ours)
