"""Notion's ids: a UUID that URLs show as 32 hexadecimal digits, at the end of their last part.

URLs are never keys: their host and slug change (https://developers.notion.com, changelog of
July 2026), the id in them does not.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

PAGE_URL = "https://app.notion.com/p/"

_DASHED = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ID = re.compile(rf"(?:[0-9a-f]{{32}}|{_DASHED})")
_TAIL = re.compile(rf"(?:^|-)([0-9a-f]{{32}}|{_DASHED})$")
_HOSTS = frozenset({"notion.so", "www.notion.so", "notion.com", "www.notion.com", "app.notion.com"})


def hex_id(remote_id: str) -> str:
    """The id as URLs show it: 32 hexadecimal digits."""
    return remote_id.replace("-", "").lower()


def dashed(remote_id: str) -> str:
    """The id as answers spell it. Raises ValueError when it is none."""
    return str(UUID(remote_id))


def parse_id(text: str) -> str:
    """The dashed id that a setting names, by itself or by the path of a URL; "" if there is none.

    A database's URL also names a view (`?v=`) and maybe an opened page (`?p=`): neither counts.
    """
    text = text.strip()
    if _ID.fullmatch(text.lower()):
        return dashed(text)
    found = _from_path(text)
    return dashed(found) if found else ""


def page_of(url: str) -> str | None:
    """The 32-digit id of the page that a Notion URL leads to; None for all other URLs.

    A page opened in a database's view is named by `?p=`.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https"):
        return None
    if host not in _HOSTS and not host.endswith((".notion.site", ".notion.so")):
        return None
    for opened in parse_qs(parts.query.replace("&amp;", "&")).get("p", ()):
        if _ID.fullmatch(opened.lower()):
            return hex_id(opened)
    return _from_path(url) or None


def _from_path(url: str) -> str:
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    found = _TAIL.search(path.rstrip("/").rpartition("/")[2].lower())
    return hex_id(found.group(1)) if found else ""
