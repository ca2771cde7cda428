"""The one place that opsync writes in Mixpanel: an annotation a release, on the project.

Canonical value: {"on": "YYYY-MM-DD", "text": "Shipped: … [opsync:3f2a91c0]"}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from opsync import Content, Kind, ReleaseContent, Surface, Value

ANNOTATION = "annotation"
SURFACES = (
    Surface(
        ANNOTATION,
        "release",
        frozenset({Kind.product}),
        ("date", "description"),
        title="Annotation",
    ),
)
FIRST, LAST = date(2009, 1, 1), date(2099, 12, 31)
"""The days over which annotations are listed, from the year of Mixpanel's founding on. None is
made outside, for it would not be found again."""

_MARKER = re.compile(r" (\[opsync:[0-9a-f]{8}\])\Z")


def render(content: Content) -> Value:
    """The canonical value for a release; None where its day is unknown or out of reach."""
    if not isinstance(content, ReleaseContent) or content.release.on is None:
        return None
    on = content.release.on
    if not FIRST <= on <= LAST:
        return None
    return value(on.isoformat(), " ".join(content.text.split()))


def value(on: str, text: str) -> Value:
    """A canonical value of its parts."""
    return {"on": on, "text": text}


def marker(text: str) -> str:
    """The marker at the very end of a text of ours; "" for a person's, wherever it holds one."""
    found = _MARKER.search(text)
    return found[1] if found else ""


def parts(value: Value) -> tuple[str, str]:
    """Day and text of a canonical value; empty ones for None."""
    if not isinstance(value, Mapping):
        return "", ""
    return str(value.get("on", "")), str(value.get("text", ""))


def address(value: Value) -> str:
    """The marker, by which a release has its annotation for good."""
    return marker(parts(value)[1])
