"""`opsync doctor` for Amplitude. Writes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

from opsync import Check, Client, OpsyncError
from opsync_amplitude import names
from opsync_amplitude.dialect import MANAGEMENT_HINT, PROJECT_SETTINGS, WRITE_HINT, ask_management
from opsync_amplitude.pull import try_sign_in
from opsync_amplitude.settings import AmplitudeSettings

ZONE_HINT = f"Set time_zone to the project's: {PROJECT_SETTINGS}."


async def examine(settings: AmplitudeSettings, http: Client) -> AsyncIterator[Check]:
    """Key pair, events, time zone, writing, management key. Ends after a key pair that fails."""
    try:
        await try_sign_in(http)
    except OpsyncError as error:
        yield Check.failed("Sign-in", error)
        return
    yield Check("Sign-in", "ok", f"The key pair of project {settings.project} is good.")
    try:
        found = await names.events(http)
    except OpsyncError as error:
        yield Check.failed("Events", error)
    else:
        yield _events(len(found))
    yield _zone(settings)
    yield Check(
        "Permissions",
        "warn",
        "May read. Whether it may write annotations shows with the first one only.",
        hint=WRITE_HINT,
        unproved=True,
    )
    yield await _management(settings, http)


def _events(count: int) -> Check:
    if count == 0:
        return Check("Events", "warn", "The project has no events: there is nothing to measure.")
    return Check("Events", "ok", f"The project has {count} event{'' if count == 1 else 's'}.")


def _zone(settings: AmplitudeSettings) -> Check:
    if settings.time_zone:
        return Check("Time zone", "ok", f"Days are those of {settings.time_zone}.")
    return Check(
        "Time zone",
        "warn",
        "Amplitude does not tell the project's time zone; days are taken for those of the "
        "configuration's.",
        hint=ZONE_HINT,
        setting="time_zone",
    )


async def _management(settings: AmplitudeSettings, http: Client) -> Check:
    title = "Management key"
    if settings.management_key is None:
        return Check(title, "ok", "None: flags and experiments are not listed.")
    try:
        await ask_management(http, settings, "/api/1/flags", {"limit": "1"})
    except OpsyncError as error:
        return Check(title, "fail", error.message, MANAGEMENT_HINT, setting="management_key")
    return Check(title, "ok", "Lists flags and experiments.")
