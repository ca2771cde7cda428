"""The text of descriptions: what people wrote, with every address they link to.

Cloud answers with the Atlassian Document Format, Data Center with wiki markup.
https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw, Struct

from opsync import RecordError

# Begins with the hyphen, which is rare and therefore fast to look for.
_KEY_LIKE_BYTES = re.compile(rb"-(?<=[A-Z0-9_]-)[0-9]")
_KEY_LIKE = re.compile(r"https?:|[A-Z][A-Z0-9_]*-[0-9]", re.IGNORECASE)
_WIKI_LINK = re.compile(r"\[(?:([^\[\]|\n]*)\|)?([^\[\]|\n]+)(?:\|[^\[\]\n]*)?\]")
_INLINE = frozenset({"text", "inlineCard", "hardBreak", "mention", "emoji", "date", "status"})


class _CardData(Struct, gc=False):
    url: object = None


class _Attrs(Struct, gc=False):
    url: object = None
    href: object = None
    data: _CardData | None = None


class _Mark(Struct, gc=False):
    type: object = None
    attrs: _Attrs | None = None


class _Node(Struct, gc=False):
    type: object = None
    text: object = None
    attrs: _Attrs | None = None
    marks: list[_Mark] | None = None
    content: list[_Node] | None = None


_DECODER = msgspec.json.Decoder(_Node | str | None)


def names_something(text: str) -> bool:
    """Whether a text may name another record: by a URL, or by something like a key."""
    return _KEY_LIKE.search(text) is not None


def description_text(raw: Raw) -> str:
    """The plain text of a description in which something may be named, else "".

    Blocks are lines; the address behind a link follows its text. Raises RecordError for what is
    neither a document nor a string.
    """
    written = bytes(raw)
    if not (b"ttp" in written or b"TTP" in written or _KEY_LIKE_BYTES.search(written)):
        return ""
    try:
        document = _DECODER.decode(raw)
        if isinstance(document, _Node):
            lines: list[str] = []
            _read(document, lines)
            return "\n".join(lines)
    except (msgspec.ValidationError, RecursionError) as error:
        cause = str(error) if isinstance(error, msgspec.ValidationError) else "too deep"
        raise RecordError(f"The description is no document that opsync can read: {cause}") from None
    return _WIKI_LINK.sub(r"\1 \2 ", document) if document else ""


def _read(node: _Node, lines: list[str]) -> None:
    """Add the lines below a block; inline nodes next to each other make one line."""
    pieces: list[str] = []
    for child in node.content or ():
        if child.type in _INLINE:
            _read_inline(child, pieces)
            continue
        if pieces:
            lines.append("".join(pieces))
            pieces = []
        if (url := _url(child.attrs)) is not None:
            lines.append(url)
        _read(child, lines)
    if pieces:
        lines.append("".join(pieces))


def _read_inline(node: _Node, pieces: list[str]) -> None:
    text = node.text
    if isinstance(text, str):
        pieces.append(text)
    elif node.type == "hardBreak":
        pieces.append("\n")
    if node.attrs is not None and (url := _url(node.attrs)) is not None:
        pieces.append(f" {url} ")
    for mark in node.marks or ():
        if mark.attrs is not None:
            href = mark.attrs.href
            if isinstance(href, str) and href != text:
                pieces.append(f" {href} ")


def _url(attrs: _Attrs | None) -> str | None:
    """The address of a card; without one, that of the data it was made from."""
    if attrs is None:
        return None
    url = attrs.url if attrs.url is not None or attrs.data is None else attrs.data.url
    return url if isinstance(url, str) else None
