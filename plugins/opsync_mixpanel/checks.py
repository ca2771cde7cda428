"""Examines a Mixpanel connection with one request of each API: a query is dear."""

from __future__ import annotations

from collections.abc import AsyncIterator

from opsync import Check, OpsyncError, RefusedError, SignInError
from opsync_mixpanel.annotations import Annotations
from opsync_mixpanel.dialect import ANALYST_HINT
from opsync_mixpanel.measuring import Measurer
from opsync_mixpanel.settings import MixpanelSettings

ZONE_HINT = "Set time_zone to what Mixpanel → Settings → Project Settings → Overview says."


async def examine(
    settings: MixpanelSettings, measurer: Measurer, annotations: Annotations
) -> AsyncIterator[Check]:
    """Sign-in, events, flags, time zone, permissions. Writes nothing."""
    try:
        await annotations.listed()
    except OpsyncError as error:
        yield Check.failed("Sign-in", error)
        return
    yield Check("Sign-in", "ok", f"{settings.username} sees project {settings.project}.")
    try:
        names = await measurer.names()
    except (RefusedError, SignInError) as error:
        yield Check.failed("Events", error)
    except OpsyncError as error:
        yield Check("Events", "warn", error.message, error.hint)
    else:
        yield _events(names)
        yield _flags(settings, names)
    if settings.time_zone:
        yield Check("Time zone", "ok", f"Days begin in {settings.time_zone}.")
    else:
        why = "Days are taken to begin in opsync's own time zone: Mixpanel does not tell its."
        yield Check("Time zone", "warn", why, ZONE_HINT, setting="time_zone")
    yield Check(
        "Permissions",
        "warn",
        "May read. Whether it may write annotations shows with the first one only.",
        ANALYST_HINT,
        unproved=True,
    )
    used = 0.8 * settings.queries_per_hour
    yield Check(
        "Limit", "ok", f"{used:g} queries an hour at most, of {settings.queries_per_hour:g}."
    )


def _events(names: list[str]) -> Check:
    if names:
        return Check("Events", "ok", f"{len(names)} kinds of event in the last 31 days.")
    why = "No event in the last 31 days: there is nothing to measure yet."
    return Check("Events", "warn", why, "Check the project's number, and that data arrives.")


def _flags(settings: MixpanelSettings, names: list[str]) -> Check:
    if settings.flag_event in names:
        return Check("Flags", "ok", f'Counted by "{settings.flag_event}".')
    why = f'No event "{settings.flag_event}" in the last 31 days: flags cannot be measured.'
    hint = "Where another event tells who met a flag, name it in flag_event and flag_property."
    return Check("Flags", "warn", why, hint, setting="flag_event")
