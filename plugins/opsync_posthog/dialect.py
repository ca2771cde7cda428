"""How PostHog is spoken to, and what its refusals mean.

Errors and limits: https://posthog.com/docs/api
"""

from __future__ import annotations

import re

import msgspec

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
from opsync_posthog.settings import PostHogSettings
from opsync_posthog.wire import ErrorBody

VENDOR = "PostHog"
MAX_CONCURRENT = 3
"""Queries that PostHog runs at once for a project."""

QUERIES = "query"
ANALYTICS = "analytics"
LISTS = "crud"
"""The lanes of its limits: queries, insights, everything else."""

MINUTE_S, HOUR_S = 60.0, 3600.0

SIGN_IN_HINT = (
    "Create a personal API key (Settings → Personal API keys → Create personal API key), give it "
    "to opsync in place of the old one, and see that `region` or `base_url` is where it was made."
)
ACCESS_HINT = (
    "Let the key into the project: Settings → Personal API keys → opsync → Edit → Organization & "
    "project access. `project` is the number in the address after /project/."
)

_LABELS = {
    "query": "Query",
    "annotation": "Annotation",
    "feature_flag": "Feature flag",
    "experiment": "Experiment",
    "insight": "Insight",
    "event_definition": "Event definition",
    "project": "Project",
}
_SCOPE = re.compile(r"missing required scope '([\w:]+)'")
_SAID = 300


class MissingScope(SignInError):
    """The key works and lacks a scope ("" where PostHog does not name it)."""

    def __init__(self, message: str, *, hint: str = "", scope: str = "") -> None:
        super().__init__(message, hint=hint)
        self.scope = scope


class Refused(RefusedError):
    """PostHog refuses a request for good; `said` are its own words."""

    def __init__(self, message: str, *, said: str, status: int) -> None:
        super().__init__(message, status=status)
        self.said = said


def scope_hint(scope: str) -> str:
    """The clicks that give a key a scope."""
    what, _, right = scope.partition(":")
    label = _LABELS.get(what, what)
    return f"Settings → Personal API keys → opsync → Edit → Scopes → {label}: {right.capitalize()}."


def policy(instance: str, settings: PostHogSettings) -> Policy:
    """Headers, limits and error dialect of one instance."""
    token = settings.token.get_secret_value()
    return Policy(
        instance=instance,
        vendor=VENDOR,
        base_url=settings.address,
        headers={"Authorization": f"Bearer {token}"},
        # The limits hold for a team, whoever asks.
        credential=fingerprint("posthog", settings.address, settings.project),
        limits=(
            Limit(QUERIES, 240.0, MINUTE_S),
            Limit(QUERIES, settings.queries_per_hour, HOUR_S),
            Limit(ANALYTICS, 240.0, MINUTE_S),
            Limit(ANALYTICS, 1200.0, HOUR_S),
            Limit(LISTS, 480.0, MINUTE_S),
            Limit(LISTS, 4800.0, HOUR_S),
        ),
        max_concurrent=MAX_CONCURRENT,
        classify=classify,
    )


def classify(answer: Answer) -> OpsyncError | None:
    """What an answer means, by PostHog's error; None for a good one.

    An error without PostHog's JSON comes from a proxy in front of it, so it says nothing about the
    key or the object.
    """
    if answer.status < 300:
        return default_classify(answer, VENDOR)
    try:
        body = msgspec.json.decode(answer.body, type=ErrorBody)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _foreign(answer)
    said = " ".join(answer.clean(body.detail).split())[:_SAID]
    where = f"{answer.where} ({answer.status} {body.code}): {said}"
    match answer.status:
        case 401:
            return SignInError("PostHog refused the key.", hint=SIGN_IN_HINT)
        case 403:
            return _forbidden(where, said)
        case 404:
            return NotFound(where, hint=ACCESS_HINT, status=404)
        case 429:
            return RateLimited(
                where,
                hint="opsync waits as long as PostHog asks.",
                retry_after_s=answer.retry_after_s,
                lane=_lane(answer),
            )
        case 408 | 425:
            return default_classify(answer, VENDOR)
        case status if 400 <= status < 500:
            return Refused(where, said=said, status=status)
    return default_classify(answer, VENDOR)


def _forbidden(where: str, said: str) -> OpsyncError:
    scope = _SCOPE.search(said)
    if scope is not None:
        message = f"The key lacks the scope {scope[1]}."
        return MissingScope(message, hint=scope_hint(scope[1]), scope=scope[1])
    if "does not have access to the requested" in said:
        return SignInError(f"The key does not reach the project ({where}).", hint=ACCESS_HINT)
    return MissingScope(f"The key may not do that ({where}).", hint=ACCESS_HINT)


def _lane(answer: Answer) -> str:
    if answer.url.endswith("/query/"):
        return QUERIES
    return ANALYTICS if "/insights/" in answer.url or "/query/" in answer.url else LISTS


def _foreign(answer: Answer) -> OpsyncError | None:
    if answer.status in (401, 403, 404) or answer.status < 400:
        return BadAnswer(
            f"{answer.where} was answered {answer.status} without PostHog's JSON.",
            hint="A proxy answered in its place, or base_url is wrong.",
        )
    return default_classify(answer, VENDOR)
