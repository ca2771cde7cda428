"""How Linear speaks HTTP: its errors, its limits, its credential.

The kind of an error is in `errors[].extensions`, the HTTP status comes second: a rate limit is a
400 with code RATELIMITED, and a 200 can carry errors besides data
(linear.app/developers/graphql, linear.app/developers/rate-limiting).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from opsync import (
    Answer,
    BadAnswer,
    BudgetHint,
    Context,
    Limit,
    OpsyncError,
    Policy,
    RateLimited,
    RefusedError,
    SignInError,
    TemporaryError,
    default_classify,
    fingerprint,
)
from opsync_linear.settings import LinearSettings
from opsync_linear.wire import Envelope, Extensions, Problem

PATH = "/graphql"
POINTS = "complexity"
"""The lane of the complexity points; each request takes its cost there."""
HOUR_S = 3600.0
REQUESTS_PER_HOUR = 2500
POINTS_PER_HOUR = 3_000_000
"""A personal key's budgets; the headers of every answer correct them."""
POINTS_PER_QUERY = 10_000
"""A query above this is always rejected."""

KEYS = "Linear → Settings → Account → Security & access → Personal API keys"
NEW_KEY = f"{KEYS} → New API key"
"""Permissions and teams of a key are chosen when it is made (linear.app/docs/api-and-webhooks)."""
READ_HINT = f"The key needs Read: {NEW_KEY} → Only select permissions → Read."
WRITE_HINT = f"The key needs Write: {NEW_KEY} → Only select permissions → Read and Write."
TEAM_HINT = (
    "A key sees the teams that it covers, of those that its owner is in: "
    f"{NEW_KEY} → Team access; private teams: Linear → Settings → Teams → the team → Members."
)

_TEMPORARY = frozenset({"network error", "internal error", "lock timeout", "bootstrap error"})
_WAITS = frozenset({"RATELIMITED"})
_CAN_PASS = frozenset({"forbidden", "feature not accessible", "usage limit exceeded"})


class Refusal(RefusedError):
    """Linear refused a request, or one alias of a batch.

    `path` begins with the field or alias concerned (empty: the whole request), `kind` is
    `extensions.type`.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        status: int = 0,
        kind: str = "",
        path: tuple[str | int, ...] = (),
    ) -> None:
        super().__init__(message, hint=hint, status=status)
        self.kind = kind
        self.path = path

    @property
    def missing(self) -> bool:
        """Whether the object does not exist, or is hidden: Linear does not tell which."""
        return "not found" in self.message.lower()

    @property
    def taken(self) -> bool:
        """Whether the id that was asked for may be in use already."""
        text = self.message.lower()
        return any(word in text for word in ("exist", "already", "duplicate", "unique", "in use"))

    @property
    def forbidden(self) -> bool:
        return self.kind == "forbidden"

    @property
    def passes(self) -> bool:
        """Whether it may be taken later as it stands: permission, plan and sight can be given."""
        return self.missing or self.kind in _CAN_PASS


class MissingScope(SignInError):
    """The key is alive and may not read."""


class TooComplex(RefusedError):
    """The query costs more than Linear takes; a smaller page may pass."""


def policy(instance: str, settings: LinearSettings) -> Policy:
    """How an instance talks to Linear. A personal key goes raw, an OAuth token as Bearer."""
    token = settings.token.get_secret_value()
    personal = token.startswith("lin_api_") or " " in token
    return Policy(
        instance=instance,
        vendor="Linear",
        base_url=settings.base_url,
        headers={"Authorization": token if personal else f"Bearer {token}"},
        credential=fingerprint("linear", settings.base_url, token),
        limits=(Limit("", REQUESTS_PER_HOUR, HOUR_S), Limit(POINTS, POINTS_PER_HOUR, HOUR_S)),
        max_concurrent=4,
        classify=classify,
        budget=budget,
    )


def classify(answer: Answer) -> OpsyncError | None:
    """What an answer means; None for one that carries data and no error."""
    by_status = default_classify(answer, "Linear")
    try:
        envelope = answer.decode(Envelope)
    except BadAnswer as error:
        if answer.is_html and not isinstance(by_status, TemporaryError):
            return error  # a web page is a proxy's word, be it a 403: it says nothing of the token
        return _signed_in(by_status) or error
    if envelope.errors:
        return _of_problem(answer, envelope.errors[0], by_status)
    if by_status is not None:
        return _signed_in(by_status)
    if bytes(envelope.data) == b"null":
        return BadAnswer("Linear answered with neither data nor an error.")
    return None


def _refused_key() -> SignInError:
    return SignInError(
        "Linear refused the token.",
        hint=f"Create a new key, and give it to opsync in place of the old one: {NEW_KEY}.",
    )


def _signed_in(error: OpsyncError | None) -> OpsyncError | None:
    return _refused_key() if isinstance(error, SignInError) else error


def _of_problem(answer: Answer, problem: Problem, by_status: OpsyncError | None) -> OpsyncError:
    what = problem.extensions or Extensions()
    said = what.user_presentable_message or ""
    text = answer.clean(problem.message)[:300]
    if said and said != problem.message:
        text = f"{text} ({answer.clean(said)[:300]})"
    kind, code = what.type.lower(), what.code.upper()
    if code in _WAITS or kind == "ratelimited" or answer.status == 429:
        return RateLimited(
            f"Linear asks for a pause: {text}",
            hint="opsync waits as long as Linear asks.",
            retry_after_s=pause_s(answer),
        )
    if code == "AUTHENTICATION_ERROR" or kind == "authentication error":
        return _refused_key()
    if "complex" in text.lower() and not problem.path:
        return TooComplex(f"Linear refused the query: {text}", status=answer.status)
    if kind in _TEMPORARY or answer.status >= 500:
        return TemporaryError(
            f"Linear could not answer: {text}", hint="Try again in a few minutes."
        )
    if code == "FORBIDDEN" or kind == "forbidden":
        kind = "forbidden"
    elif not kind and isinstance(by_status, SignInError):
        return _signed_in(by_status) or by_status
    return Refusal(
        f"Linear refused: {text}",
        hint=WRITE_HINT if kind == "forbidden" else _hidden_hint(text),
        status=answer.status,
        kind=kind,
        path=problem.path or (),
    )


def _hidden_hint(text: str) -> str:
    """What may show an object that Linear does not find: it hides like that what it denies."""
    return TEAM_HINT if "not found" in text.lower() else ""


def _number(answer: Answer, name: str) -> float | None:
    try:
        return float(answer.headers[name])
    except (KeyError, ValueError):
        return None


def _reset_in_s(answer: Answer, bucket: str) -> float | None:
    """Seconds until a bucket is whole again; its header is in epoch milliseconds."""
    reset_ms = _number(answer, f"X-RateLimit-{bucket}-Reset")
    if reset_ms is None:
        return None
    return min(HOUR_S, max(0.0, reset_ms / 1000 - answer.server_now.timestamp()))


def pause_s(answer: Answer) -> float | None:
    """How long a rate limit lasts: what it says itself, else until the empty bucket's reset."""
    if answer.retry_after_s is not None:
        return answer.retry_after_s
    resets = [
        reset
        for bucket in ("Requests", "Complexity", "Endpoint-Requests")
        if (_number(answer, f"X-RateLimit-{bucket}-Remaining") or 0.0) <= 0.0
        and (reset := _reset_in_s(answer, bucket)) is not None
    ]
    return max(resets, default=None)


def budget(answer: Answer) -> Iterator[BudgetHint]:
    """What the headers say about requests and complexity points."""
    for lane, bucket in (("", "Requests"), (POINTS, "Complexity")):
        limit = _number(answer, f"X-RateLimit-{bucket}-Limit")
        remaining = _number(answer, f"X-RateLimit-{bucket}-Remaining")
        if limit is not None or remaining is not None:
            yield BudgetHint(lane, limit, HOUR_S, remaining, _reset_in_s(answer, bucket))


def request_id(answer: Answer) -> str:
    """The trace that Linear's support can look up."""
    return answer.headers.get("x-request-id") or answer.headers.get("cf-ray", "")


async def ask(
    context: Context, query: str, variables: Mapping[str, object], *, cost: float
) -> Answer:
    """Send one query. SignInError when the token may not read."""
    try:
        return await context.http.read(
            "POST",
            PATH,
            json={"query": query, "variables": variables},
            lane=POINTS,
            cost=cost,
        )
    except Refusal as error:
        if error.forbidden:
            raise MissingScope(error.message, hint=f"{READ_HINT} {TEAM_HINT}") from error
        raise
