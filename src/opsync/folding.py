"""Text made comparable: without case and accents."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """`text` without case and accents, in one spelling of each character."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in apart if not unicodedata.combining(char))
    return unicodedata.normalize("NFKC", bare)
