"""What `opsync init` asks of Mixpanel. Reads only."""

from __future__ import annotations

from collections.abc import AsyncIterator

from opsync import Choice, FirstRead, Grant
from opsync_mixpanel.annotations import Annotations
from opsync_mixpanel.dialect import ANALYST_HINT, MEMBER_HINT, MissingRole
from opsync_mixpanel.measuring import Measurer
from opsync_mixpanel.settings import MixpanelSettings


async def grants(measurer: Measurer, annotations: Annotations) -> AsyncIterator[Grant]:
    """The roles that reading and writing take. One request of each API."""
    seen = queried = True
    try:
        await annotations.listed()
    except MissingRole:
        seen = False
    try:
        await measurer.names()
    except MissingRole:
        queried = False
    what = "how often events, flags and reports were used"
    yield Grant("Consumer", "read", queried, what, MEMBER_HINT)
    what = "annotations that tell of releases"
    # What may not even be seen may not be written. Whether it may shows with the first one.
    yield Grant("Analyst", "write", None if seen else False, what, ANALYST_HINT, vital=False)


def choices(settings: MixpanelSettings) -> list[Choice]:
    """The one project: a service account is asked about a project by its number."""
    return [Choice(str(settings.project), settings.called)]


def first_read() -> FirstRead:
    """The project itself, which takes no request. What is measured is asked for by the rules."""
    return FirstRead(1, 0, 0.0)
