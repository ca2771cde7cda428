"""The one place that opsync writes in Mixpanel: an annotation a release, on the project."""

from __future__ import annotations

from datetime import date

from opsync import Content, Kind, Note, ReleaseContent, Surface, Value

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


def render(content: Content) -> Value:
    """The canonical value for a release; None where its day is unknown or out of reach."""
    if not isinstance(content, ReleaseContent) or content.release.on is None:
        return None
    on = content.release.on
    if not FIRST <= on <= LAST:
        return None
    return Note(on.isoformat(), " ".join(content.text.split())).value
