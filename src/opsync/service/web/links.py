"""Links and cells from other tools, made so that they do nothing where they are shown."""

from __future__ import annotations

import re

from opsync import inert

_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""What a browser leaves out of an address, or ought to."""
_BLANKS = " \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff\u200b"
_FORMULA = re.compile(
    rf"(?P<start>\A|\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029])"
    rf"(?=[{_BLANKS}]*[=+\-@\t\r\x00\uff1d\uff0b\uff0d\uff20])"
)


def safe_url(url: str) -> str | None:
    """An address that a link may lead to: http or https, with a host and without credentials.

    It is judged and returned without control characters, and without blanks around it, as a browser
    would take it. None for all else, which is then shown as text.
    """
    return inert.safe_url(_INVISIBLE.sub("", url).strip()) or None


def csv_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula, on none of its lines.

    What begins like one, also behind blanks or in full width, gets an apostrophe before it.
    """
    return _FORMULA.sub(lambda found: f"{found['start']}'", text)
