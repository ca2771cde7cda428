"""The columns of a data source: their ids, settings and changes.

Shapes: https://developers.notion.com/reference/property-object
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from opsync.sandbox.notion.problems import a_list, a_string, an_object, failed, invalid

PROPERTY_TYPES = frozenset(
    {
        "title",
        "rich_text",
        "number",
        "select",
        "multi_select",
        "status",
        "date",
        "people",
        "files",
        "checkbox",
        "url",
        "email",
        "phone_number",
        "formula",
        "relation",
        "rollup",
        "created_time",
        "created_by",
        "last_edited_time",
        "last_edited_by",
        "unique_id",
        "button",
        "verification",
        "place",
    }
)
OPTION_TYPES = frozenset({"select", "multi_select", "status"})
COLORS = (
    "default",
    "gray",
    "brown",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "red",
)
STATUS_GROUPS = ("To-do", "In progress", "Complete")
DEFAULT_STATUSES = (("Not started", "To-do"), ("In progress", "In progress"), ("Done", "Complete"))

LONGEST_DESCRIPTION = 280
"""Characters of a column's description, as the vendor's OpenAPI document has it."""

_ID_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_ID_ODD = ":;<=>?@[\\]^`{|}~_"


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a select, multi-select or status column; `group` is a status column's."""

    id: str
    name: str
    color: str
    group: str = ""

    def shape(self) -> dict[str, object]:
        return {"id": self.id, "name": self.name, "color": self.color}


@dataclass(frozen=True, slots=True)
class Property:
    """One column. `raw_id` is its id before percent-encoding."""

    raw_id: str
    name: str
    type: str
    settings: tuple[tuple[str, object], ...] = ()
    """What the API shows under the type's key, options left out."""
    options: tuple[Option, ...] = ()
    description: str | None = None

    @property
    def id(self) -> str:
        """The id as answers carry it: already percent-encoded."""
        return quote(self.raw_id, safe="")

    def option(self, name: str) -> Option | None:
        """The option called `name`, whatever its case."""
        wanted = name.casefold()
        return next((o for o in self.options if o.name.casefold() == wanted), None)

    def option_by_id(self, option_id: str) -> Option | None:
        return next((o for o in self.options if o.id == option_id), None)

    def shape(self) -> dict[str, object]:
        """The column as `GET /data_sources/{id}` shows it."""
        settings: dict[str, object] = dict(self.settings)
        if self.type in OPTION_TYPES:
            settings["options"] = [o.shape() | {"description": None} for o in self.options]
        if self.type == "status":
            settings["groups"] = [
                {
                    "id": quote(group, safe=""),
                    "name": group,
                    "color": "default",
                    "option_ids": [o.id for o in self.options if o.group == group],
                }
                for group in STATUS_GROUPS
            ]
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "type": self.type,
            self.type: settings,
        }


@dataclass
class Schema:
    """The columns of one data source, and how they may change."""

    rng: random.Random
    new_option_id: Callable[[], str]
    properties: dict[str, Property] = field(default_factory=dict)
    """By raw id, in the order of creation."""

    def find(self, key: str) -> Property | None:
        """The column with this name or id, encoded or not."""
        for prop in self.properties.values():
            if key in (prop.name, prop.id, prop.raw_id):
                return prop
        return None

    def by_id(self, raw_id: str) -> Property | None:
        return self.properties.get(raw_id)

    def title(self) -> Property:
        return self.properties["title"]

    def shape(self) -> dict[str, object]:
        return {prop.name: prop.shape() for prop in self.properties.values()}

    def add(self, name: str, definition: dict[str, object]) -> Property:
        """Add a column. Raises Problem when the definition is not one the vendor knows."""
        kind = type_of(definition, name)
        if any(p.name.casefold() == name.casefold() for p in self.properties.values()):
            raise invalid(f"Cannot create property {name!r}: a property of that name exists.")
        if kind == "title" and "title" in self.properties:
            raise invalid("Cannot create a second title property.")
        raw_id = "title" if kind == "title" else self._new_id()
        prop = self._configured(Property(raw_id, name, kind), definition, name)
        self.properties[raw_id] = prop
        return prop

    def rename(self, prop: Property, name: str) -> Property:
        """Give a column another name; its id stays. Raises Problem when the name is taken."""
        if any(
            p.name.casefold() == name.casefold() and p.raw_id != prop.raw_id
            for p in self.properties.values()
        ):
            raise invalid(f"Cannot rename {prop.name!r} to {name!r}: that property name exists.")
        renamed = replace(prop, name=name)
        self.properties[prop.raw_id] = renamed
        return renamed

    def remove(self, prop: Property) -> None:
        """Remove a column. Raises Problem for the title, which every page needs."""
        if prop.type == "title":
            raise invalid("Cannot delete title property.")
        del self.properties[prop.raw_id]

    def change(self, prop: Property, definition: dict[str, object]) -> Property:
        """Apply an update of one column: a name, other settings, or another type."""
        if "name" in definition:
            name = a_string(definition["name"], f"properties.{prop.name}.name")
            prop = self.rename(prop, name)
        if not any(key in PROPERTY_TYPES for key in (*definition, definition.get("type"))):
            described = _described(prop, definition)
            self.properties[prop.raw_id] = described
            return described
        kind = type_of(definition, prop.name)
        if kind != prop.type:
            if "title" in (kind, prop.type):
                raise invalid("Cannot change the type of the title property.")
            prop = Property(prop.raw_id, prop.name, kind, description=prop.description)
        changed = self._configured(prop, definition, prop.name)
        self.properties[prop.raw_id] = changed
        return changed

    def add_option(self, prop: Property, name: str, color: str = "") -> Option:
        """Add a choice at the end. Raises Problem for a comma, which separates choices."""
        if "," in name:
            raise invalid(f"Invalid select option, commas not allowed: {name}")
        option = Option(
            self.new_option_id(),
            name,
            color or COLORS[len(prop.options) % len(COLORS)],
            "To-do" if prop.type == "status" else "",
        )
        self.properties[prop.raw_id] = replace(prop, options=(*prop.options, option))
        return option

    def _configured(self, prop: Property, definition: dict[str, object], name: str) -> Property:
        path = f"properties.{name}.{prop.type}"
        body = an_object(definition.get(prop.type, {}), path)
        prop = _described(prop, definition)
        if prop.type in OPTION_TYPES:
            return replace(prop, options=self._options(prop, body, path))
        settings = dict(prop.settings) | body
        if prop.type == "number":
            settings.setdefault("format", "number")
        elif prop.type == "relation":
            a_string(settings.get("data_source_id"), f"{path}.data_source_id")
            settings.setdefault("type", "single_property")
            settings.setdefault("single_property", {})
        elif prop.type == "unique_id":
            settings.setdefault("prefix", None)
        return replace(prop, settings=tuple(settings.items()))

    def _options(self, prop: Property, body: dict[str, object], path: str) -> tuple[Option, ...]:
        if "options" not in body:
            if prop.type == "status" and not prop.options:
                return tuple(
                    Option(self.new_option_id(), name, color, group)
                    for (name, group), color in zip(
                        DEFAULT_STATUSES, ("default", "blue", "green"), strict=True
                    )
                )
            return prop.options
        options: list[Option] = []
        for index, item in enumerate(a_list(body["options"], f"{path}.options")):
            at = f"{path}.options[{index}]"
            entry = an_object(item, at)
            options.append(self._option(prop, entry, len(options), at))
        if len({o.name.casefold() for o in options}) != len(options):
            raise invalid(f"Cannot set duplicate options for property {prop.name!r}.")
        return tuple(options)

    def _option(self, prop: Property, entry: dict[str, object], index: int, at: str) -> Option:
        color = str(entry.get("color") or "")
        if color and color not in COLORS:
            raise failed(f"{at}.color", "a known color", color)
        known = prop.option_by_id(str(entry["id"])) if "id" in entry else None
        if known is None and "name" in entry:
            known = prop.option(str(entry["name"]))
        if known is not None:
            if color and color != known.color:
                raise invalid(f"Cannot update color of select with name: {known.name}.")
            return replace(known, group=str(entry.get("group") or known.group))
        name = a_string(entry.get("name"), f"{at}.name")
        if "," in name:
            raise invalid(f"Invalid select option, commas not allowed: {name}")
        group = str(entry.get("group") or "To-do") if prop.type == "status" else ""
        if group and group not in STATUS_GROUPS:
            raise failed(f"{at}.group", "a status group", group)
        color = color or COLORS[index % len(COLORS)]
        return Option(self.new_option_id(), name, color, group)

    def _new_id(self) -> str:
        """Four characters; about every second id has one that must be percent-encoded."""
        while True:
            letters = [self.rng.choice(_ID_LETTERS) for _ in range(4)]
            if len(self.properties) % 2:
                letters[self.rng.randrange(4)] = self.rng.choice(_ID_ODD)
            raw_id = "".join(letters)
            if raw_id not in self.properties:
                return raw_id


def _described(prop: Property, definition: dict[str, object]) -> Property:
    """The column with the description that a definition gives it; null takes one away."""
    if "description" not in definition:
        return prop
    text, path = definition["description"], f"properties.{prop.name}.description"
    if text is None:
        return replace(prop, description=None)
    if not 1 <= len(a_string(text, path)) <= LONGEST_DESCRIPTION:
        raise failed(path, f"1 to {LONGEST_DESCRIPTION} characters", text)
    return replace(prop, description=a_string(text, path))


def type_of(definition: dict[str, object], name: str) -> str:
    """The column type that a definition names by `type` or by its only type key."""
    named = definition.get("type")
    kinds = [key for key in definition if key in PROPERTY_TYPES]
    kind = named if isinstance(named, str) else (kinds[0] if len(kinds) == 1 else "")
    if kind not in PROPERTY_TYPES:
        raise failed(f"properties.{name}", "a property schema with one type", sorted(definition))
    return kind
