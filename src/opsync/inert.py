"""Making text and links from other systems harmless, before they are shown or written."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

_SPACES = re.compile(r"\s+")
_BEFORE_SCHEME = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff]+")
_URL_LIMIT = 2000
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~$&])|(?<=[A-Za-z])(:)(?=//)|^([#+=-])|(?<=^\d)([.)])")
"""What has a meaning anywhere, what makes an address a link, and what has one at the beginning."""
_IN_URL = str.maketrans({"(": "%28", ")": "%29", "|": "%7C", "<": "%3C", ">": "%3E"})
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?(?:/[!-[\]^-~]*)?")
"""What nearly every URL looks like: printable ASCII without a backslash, no credentials."""


def inert_text(text: str, limit: int | None = None) -> str:
    """`text` on one line, without control and direction characters, cut to `limit` characters.

    Letters of every script, emoji and joiners stay; markup stays as plain characters.
    """
    if not text.isprintable():
        text = "".join(_keep(char) for char in text)
        text = _SPACES.sub(" ", text)
    text = text.strip()
    if limit is not None and len(text) > limit:
        text = text[: limit - 1].rstrip() + "…"
    return text


def markdown_text(text: str, limit: int | None = None) -> str:
    """`text` on one line, without a meaning in Markdown, HTML or a chat."""
    return _MARKUP.sub(lambda found: f"\\{found[0]}", inert_text(text, limit))


def link_url(url: str) -> str:
    """The same URL as `safe_url`, so that it may stand in a link of Markdown or of a chat."""
    return safe_url(url).translate(_IN_URL)


def _keep(char: str) -> str:
    if char.isprintable():
        return char
    if char in "\u200c\u200d":  # joiners are part of words and emoji
        return char
    return " " if char.isspace() or unicodedata.category(char) == "Cc" else ""


def safe_url(url: str) -> str:
    """`url` if it is an absolute http or https URL with a host and without credentials, else ""."""
    if len(url) <= _URL_LIMIT and _PLAIN_URL.fullmatch(url):
        return url
    if not url or len(url) > _URL_LIMIT or _BEFORE_SCHEME.search(url) or "\\" in url:
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not host or "@" in parts.netloc:
        return ""
    return url
