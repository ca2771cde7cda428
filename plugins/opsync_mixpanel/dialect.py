"""How Mixpanel is spoken to, and what its refusals mean.

Limits: https://docs.mixpanel.com/reference/rate-limits. Both APIs answer an error as
`{"error": "…"}`, with what was asked for ("request") or a "status" beside it.
"""

from __future__ import annotations

import re
from base64 import b64encode

import msgspec
from msgspec import Struct

from opsync import (
    Answer,
    BadAnswer,
    Limit,
    NotFound,
    OpsyncError,
    Policy,
    RateLimited,
    RefusedError,
    SignInError,
    default_classify,
    fingerprint,
)
from opsync_mixpanel.settings import MixpanelSettings

VENDOR = "Mixpanel"
QUERY = "query"
"""The lane of the Query API."""
APP = "app"
"""The lane of the application API, which holds the annotations."""

HOUR_S = 3600.0
CONCURRENT = 4
"""Four fifths of the five queries that Mixpanel lets a project run at once."""
APP_PER_MINUTE = 60.0
"""A modest guess: Mixpanel tells no limit of its application API."""

SIGN_IN_HINT = (
    "Make a service account, and copy its username and secret: Mixpanel → Settings → Organization "
    "Settings → Service Accounts → Add Service Account."
)
MEMBER_HINT = (
    "Add the service account to the project: Mixpanel → Settings → Project Settings → Service "
    "Accounts → Add Service Account."
)
ANALYST_HINT = (
    "Give the service account the role Analyst in the project: Mixpanel → Settings → Project "
    "Settings → Service Accounts."
)
PLAN_HINT = "The Query API is part of paid plans: mixpanel.com/pricing."

_SAID = 200
_RUNNING = re.compile(r"(\d+)/(\d+) queries running concurrently")
_IN_THE_HOUR = re.compile(r"(\d+)/(\d+) queries running in the last hour")


class ErrorBody(Struct, frozen=True):
    """An error of either API."""

    error: object


class MissingRole(SignInError):
    """The service account is known; its role in the project does not reach."""


def policy(instance: str, settings: MixpanelSettings) -> Policy:
    """Headers, limits and error dialect of one instance. The limits are the project's."""
    secret = settings.secret.get_secret_value()
    basic = b64encode(f"{settings.username}:{secret}".encode()).decode()
    return Policy(
        instance=instance,
        vendor=VENDOR,
        base_url=settings.address,
        headers={"Authorization": f"Basic {basic}", "Accept": "application/json"},
        credential=fingerprint("mixpanel", settings.address, str(settings.project)),
        limits=(
            Limit(QUERY, settings.queries_per_hour, HOUR_S),
            Limit(APP, APP_PER_MINUTE, 60.0),
        ),
        max_concurrent=CONCURRENT,
        classify=classify,
    )


def classify(answer: Answer) -> OpsyncError | None:
    """What an answer means; None for a good one.

    A refusal without Mixpanel's JSON comes from a proxy, so it says nothing about the credential
    or about what was asked for.
    """
    status = answer.status
    if status < 300 or status == 408 or (status >= 500 and status != 529):
        return default_classify(answer, VENDOR)
    try:
        error = msgspec.json.decode(answer.body, type=ErrorBody).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _foreign(answer)
    text = error if isinstance(error, str) else msgspec.json.encode(error).decode()
    said = " ".join(answer.clean(text).split())[:_SAID]
    where = f"{answer.where} ({status})"
    match status:
        case 401:
            return SignInError(f"Mixpanel refused the service account: {said}", hint=SIGN_IN_HINT)
        case 403:
            return _forbidden(answer, said)
        case 404:
            return NotFound(f"{where}: {said}", status=status)
        case 429 | 529:
            return _limited(answer, said)
        case 402:
            return RefusedError(said or where, hint=PLAN_HINT, status=status)
    return RefusedError(said or f"{where}: no reason given", status=status)


def _forbidden(answer: Answer, said: str) -> OpsyncError:
    if answer.method == "GET":
        why = f"The service account may not see that ({answer.where}): {said}"
        return MissingRole(why, hint=MEMBER_HINT)
    why = f"The service account may not write annotations ({answer.where}): {said}"
    return MissingRole(why, hint=ANALYST_HINT)


def _limited(answer: Answer, said: str) -> OpsyncError:
    """Over the limit. Mixpanel does not say for how long: once a project's hour is spent, a query
    is certain to be let through an hour later, and no earlier."""
    lane = QUERY if "/api/query/" in answer.url else APP
    pause_s = answer.retry_after_s
    if pause_s is None and lane == QUERY and not _only_too_many_at_once(said):
        pause_s = HOUR_S
    return RateLimited(
        f"{answer.where}: {said}",
        hint="Other programs use the project's queries too; opsync goes on when the hour is over.",
        retry_after_s=pause_s,
        lane=lane,
    )


def _only_too_many_at_once(said: str) -> bool:
    running, hour = _RUNNING.search(said), _IN_THE_HOUR.search(said)
    if running is None or int(running[1]) <= int(running[2]):
        return False
    return hour is None or int(hour[1]) <= int(hour[2])


def _foreign(answer: Answer) -> OpsyncError | None:
    if answer.status == 429:
        return _limited(answer, "over the limit")
    if answer.status in (401, 402, 403, 404):
        return BadAnswer(
            f"{answer.where} was answered {answer.status} without Mixpanel's JSON.",
            hint="A proxy answered in its place, or region or base_url is wrong.",
        )
    return default_classify(answer, VENDOR)
