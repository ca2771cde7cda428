"""Examines a PostHog connection: key, project, time zone, scopes and data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

from opsync import Check, OpsyncError, SignInError
from opsync_posthog.dialect import MissingScope
from opsync_posthog.explore import Explorer
from opsync_posthog.project import Project
from opsync_posthog.wire import ProjectRow


async def examine(project: Project, explorer: Explorer) -> AsyncIterator[Check]:
    """One finding after the other. What the key cannot do at all ends it. Writes nothing."""
    try:
        key = await explorer.key()
    except OpsyncError as error:
        yield Check.failed("Sign-in", error)
        return
    yield Check("Sign-in", "ok", f"The key works at {project.settings.address}.")
    row: ProjectRow | None = None
    try:
        row = await project.ask()
    except MissingScope as error:
        id_ = project.settings.project
        yield Check("Project", "warn", f"Project {id_}. {error.message}", error.hint)
    except OpsyncError as error:
        yield Check.failed("Project", error)
        return
    else:
        project.learn(row)
        yield Check("Project", "ok", f'Project {row.id}, "{row.name}".')
    yield _zone(project, row)
    if row is not None and not row.ingested_event:
        hint = "Send events to it, or see that `project` is the right one."
        yield Check("Data", "warn", "The project has no events yet.", hint)
    try:
        async for grant in explorer.grants_of(key):
            title = f"Scope {grant.name}"
            if grant.held:
                yield Check(title, "ok", f"Held: {grant.what}.")
            elif grant.held is None:
                yield Check(title, "warn", "Shows with the first write only.", grant.hint)
            else:
                state: Literal["warn", "fail"] = "fail" if grant.vital else "warn"
                why = f"Missing: {grant.what}."
                yield Check(title, state, why, grant.hint, sign_in=grant.vital)
    except SignInError as error:
        yield Check.failed("Scopes", error)
    except OpsyncError as error:
        yield Check("Scopes", "warn", f"Could not be examined: {error.message}", error.hint)


def _zone(project: Project, row: ProjectRow | None) -> Check:
    """Where its days begin, and whether the settings say the same as PostHog."""
    said, own = row.timezone if row else "", project.settings.time_zone
    if own and said and own != said:
        message = f"Days begin in {own}, as configured; PostHog shows them in {said}."
        hint = "Leave `time_zone` out, so that the numbers are those that PostHog shows."
        return Check("Time zone", "warn", message, hint, setting="time_zone")
    if own or said:
        return Check("Time zone", "ok", f"Days begin in {own or said}.")
    message = "Not known: days are taken to begin in the configuration's time zone."
    hint = "Give the key the scope project:read, or set `time_zone`."
    return Check("Time zone", "warn", message, hint, setting="time_zone")
