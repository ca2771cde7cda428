"""How texts name things: by an address or by a key."""

from __future__ import annotations

import re
from collections.abc import Iterator

KEY = re.compile(r"(?<![\w/.#@&=-])[A-Z][A-Z0-9_]{1,9}-[1-9][0-9]{0,6}(?![\w-])")
"""A key like PAY-143: in upper case, outside addresses."""
URL = re.compile(r"https?://[^\s<>\"'\]|}]+", re.IGNORECASE)
_TRAILING = ".,;:!?)»”’*_~`"


def addresses(text: str) -> Iterator[str]:
    """The addresses in `text`, without the marks that end a sentence."""
    for match in URL.finditer(text):
        yield match.group().rstrip(_TRAILING)
