"""Plain text to the Atlassian Document Format and back, as Jira's editor does it."""

from __future__ import annotations

import re
from collections.abc import Iterator

Node = dict[str, object]

_URL = re.compile(r"https?://[^\s<>\"]+")
_TRAILING = ".,;:!?)]}'"


def from_text(text: str) -> Node:
    """A document with one paragraph a line; URLs become text with a link mark.

    An empty line is a paragraph without content: the format forbids empty text nodes.
    """
    return {
        "version": 1,
        "type": "doc",
        "content": [_paragraph(line) for line in text.splitlines()],
    }


def to_text(document: object) -> str:
    """The document's text, one line a block; a link whose text hides its URL is `[text|url]`.

    That is wiki markup, which Data Center answers with.
    """
    if isinstance(document, str):
        return document
    return "\n".join(_lines(document))


def _paragraph(line: str) -> Node:
    nodes = list(_inline(line))
    return {"type": "paragraph", "content": nodes} if nodes else {"type": "paragraph"}


def _inline(line: str) -> Iterator[Node]:
    at = 0
    for match in _URL.finditer(line):
        url = match.group().rstrip(_TRAILING)
        if match.start() > at:
            yield {"type": "text", "text": line[at : match.start()]}
        mark = {"type": "link", "attrs": {"href": url}}
        yield {"type": "text", "text": url, "marks": [mark]}
        at = match.start() + len(url)
    if at < len(line):
        yield {"type": "text", "text": line[at:]}


def _children(node: object) -> list[object]:
    content = node.get("content") if isinstance(node, dict) else None
    return content if isinstance(content, list) else []


def _lines(node: object) -> Iterator[str]:
    children = _children(node)
    if any(_is_inline(child) for child in children):
        yield "".join(_span(child) for child in children)
        return
    if isinstance(node, dict) and node.get("type") in {"paragraph", "heading"}:
        yield ""
    for child in children:
        yield from _lines(child)


def _is_inline(node: object) -> bool:
    return isinstance(node, dict) and node.get("type") in {
        "text",
        "inlineCard",
        "mention",
        "hardBreak",
        "emoji",
    }


def _span(node: object) -> str:
    if not isinstance(node, dict):
        return ""
    if node.get("type") == "hardBreak":
        return "\n"
    attrs = node.get("attrs")
    if node.get("type") in {"inlineCard", "mention", "emoji"}:
        attrs = attrs if isinstance(attrs, dict) else {}
        return str(attrs.get("url") or attrs.get("text") or "")
    text = str(node.get("text", ""))
    marks = node.get("marks")
    for mark in marks if isinstance(marks, list) else []:
        if isinstance(mark, dict) and mark.get("type") == "link":
            href = str(mark.get("attrs", {}).get("href", ""))
            return text if href == text else f"[{text}|{href}]"
    return text
