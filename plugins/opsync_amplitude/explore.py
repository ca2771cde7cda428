"""What `opsync init` asks of Amplitude. Reads only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from opsync import Choice, Client, FirstRead, Grant, RefusedError
from opsync_amplitude.dialect import (
    MANAGEMENT_HINT,
    SIGN_IN_HINT,
    WRITE_HINT,
    ask_management,
)
from opsync_amplitude.pull import try_sign_in
from opsync_amplitude.settings import AmplitudeSettings

REQUEST_S = 0.6
"""What one small request takes."""


async def grants(settings: AmplitudeSettings, http: Client) -> AsyncIterator[Grant]:
    """What the keys may do. Two requests at most."""
    await try_sign_in(http)
    yield Grant("API key and secret key", "read", True, "how often events happen", SIGN_IN_HINT)
    held: bool | None = False
    if settings.management_key is not None:
        try:
            await ask_management(http, settings, "/api/1/flags", {"limit": "1"})
            held = True
        except RefusedError:
            held = False
    what = "flags and experiments that are linked to"
    yield Grant("Management API key", "read", held, what, MANAGEMENT_HINT, vital=False)
    yield Grant("Annotations", "write", None, "that an initiative was released", WRITE_HINT)


def choices(settings: AmplitudeSettings) -> Sequence[Choice]:
    """The one project that a key pair is for."""
    return [Choice(settings.project, settings.called)]


def first_read() -> FirstRead:
    """The project itself: one request, which tries the key pair."""
    return FirstRead(items=1, requests=1, seconds=REQUEST_S)
