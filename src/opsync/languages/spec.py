"""What a text is: its name, where it stands, and its fields.

`at` names places at which opsync has to know its own texts again after its store was lost. A
field's `holds` says what is put in, so that such a text can be told from a person's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

Holds = Literal["text", "number", "figure", "change", "date", "health", "status", "texts", "list"]
TITLE_LIMIT = 255
"""Characters of a link's title or label in Jira; Linear's are kept as short."""
TEXT_LIMIT = 2000
"""Characters of a text that Notion keeps in one piece."""


class Field(Struct, frozen=True):
    """A field of a template. `of` names the texts that it holds one of ("texts") or some ("list").

    `optional` says that it may be empty.
    """

    name: str
    about: str
    holds: Holds = "text"
    of: tuple[str, ...] = ()
    optional: bool = False


class TextSpec(Struct, frozen=True, kw_only=True):
    """A text. `about` says where it stands, `limit` how many characters fit there.

    `drop` says that an empty template is right: the text is then left out.
    """

    name: str
    about: str
    fields: tuple[Field, ...] = ()
    at: str = ""
    limit: int | None = None
    drop: bool = False

    @property
    def placed(self) -> bool:
        """Whether it stands somewhere by itself, and not only within other texts."""
        return self.limit is not None or bool(self.at)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(field.name for field in self.fields)


def part(name: str, about: str) -> Field:
    """A field that holds the text called like it, or nothing."""
    return Field(name, about, "texts", (name,), optional=True)


def field_names(fields: Iterable[Field]) -> tuple[str, ...]:
    """Their names."""
    return tuple(field.name for field in fields)
