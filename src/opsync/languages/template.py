"""Templates: text with named fields, in parts that are left out when they have nothing to say.

"{head} · {blocked}" has two parts. A field's value is put in once and never read again, so that
braces or " · " in a title are plain characters. There are no formats, no access to parts of a
value, and nothing is evaluated.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from string import Formatter

from msgspec import Struct

SEPARATOR = " · "
"""What parts a template, whatever is written between its parts then."""
LONGEST = 500
"""Characters of a template."""
JOINERS = "\u200c\u200d"
"""They are not printable, and part of words and emoji."""

Piece = tuple[str, str]
"""Plain text, and the field that follows it ("": none)."""


class TemplateError(ValueError):
    """A template cannot be used; the message says why, and what there is."""


class Template(Struct, frozen=True):
    """A template, ready to be filled in. `parts` are its pieces, part by part.

    `forms` are the same to be filled in fast: each part as a %-format, and its fields.
    """

    source: str
    parts: tuple[tuple[Piece, ...], ...]
    forms: tuple[tuple[str, tuple[str, ...]], ...]

    def render(self, values: Mapping[str, str | int], separator: str = SEPARATOR) -> str:
        """The text with `values` in it; a part of which all fields are empty is left out."""
        said = []
        for form, names in self.forms:
            filled = tuple([values[name] for name in names])
            if "" not in filled:
                said.append(form % filled)
            elif any(value != "" for value in filled):
                # What stood beside an empty field is not left hanging.
                said.append((form % filled).strip())
        return said[0] if len(said) == 1 else separator.join(said)


def compile_template(source: str, fields: Collection[str]) -> Template:
    """`source` as a template with `fields`. Raises TemplateError."""
    check_plain(source)
    parts = tuple(_pieces(part, fields) for part in source.split(SEPARATOR)) if source else ()
    return Template(source, parts, tuple(_form(pieces) for pieces in parts))


def _form(pieces: tuple[Piece, ...]) -> tuple[str, tuple[str, ...]]:
    form = "".join(plain.replace("%", "%%") + ("%s" if name else "") for plain, name in pieces)
    return form.strip(), tuple(name for _, name in pieces if name)


def check_plain(text: str, longest: int = LONGEST) -> None:
    """Raise TemplateError for what cannot stand on one line of a tool, or is too long."""
    if any(not char.isprintable() and char not in JOINERS for char in text):
        raise TemplateError("has a line break or a control character; write it on one line")
    if len(text) > longest:
        raise TemplateError(f"has {len(text)} characters; at most {longest} fit")


def _pieces(part: str, fields: Collection[str]) -> tuple[Piece, ...]:
    try:
        parsed = list(Formatter().parse(part))
    except ValueError:
        raise TemplateError(
            f'"{part}" has a brace without its other one; write {{{{ or }}}} for a plain brace'
        ) from None
    pieces = []
    for plain, name, form, conversion in parsed:
        if name is None:
            pieces.append((plain, ""))
            continue
        if form or conversion:
            raise TemplateError(f"{{{name}}} takes no format: write {{{name}}} alone")
        if name not in fields:
            raise TemplateError(_unknown(name, fields))
        pieces.append((plain, name))
    return tuple(pieces)


def _unknown(name: str, fields: Collection[str]) -> str:
    there = ", ".join(f"{{{field}}}" for field in fields) or "none"
    near = difflib.get_close_matches(name, fields, 1, cutoff=0.6) if len(fields) > 1 else []
    mean = f"; did you mean {{{near[0]}}}?" if near else ""
    return f"unknown field {{{name}}}; it has {there}{mean}"
