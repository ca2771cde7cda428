"""Text made comparable: without case, or without case and accents."""

from __future__ import annotations

import unicodedata


def caseless(text: str) -> str:
    """`text` without case, in one spelling of each character: what people tell apart stays apart,
    and an "ü" of two parts is the "ü" that is typed."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def fold(text: str) -> str:
    """`text` without case and accents, in one spelling of each character."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in apart if not unicodedata.combining(char))
    return unicodedata.normalize("NFKC", bare)
