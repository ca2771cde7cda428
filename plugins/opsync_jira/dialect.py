"""How Jira speaks HTTP: addresses, sign-in, limits, and what its refusals mean.

https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from opsync import (
    Answer,
    BudgetHint,
    Limit,
    NotFound,
    OpsyncError,
    Policy,
    RateLimited,
    RefusedError,
    SignInError,
    TemporaryError,
    default_classify,
    fingerprint,
)
from opsync_jira.rights import (
    ACCESS,
    ACCESS_TOKENS,
    API_TOKENS,
    LINKING,
    MissingScope,
    scope_hint,
    scope_of,
    token_variable,
)
from opsync_jira.settings import JiraSettings

if TYPE_CHECKING:
    from opsync import Client

MAX_CONCURRENT = 6
"""Atlassian asks for at most 5 to 10 requests at once."""
MAX_BODY = 64 * 1024 * 1024
"""Bytes of one answer: a description has up to 32,767 characters of text, each a node at worst."""
BURST = {"GET": 100, "POST": 100, "PUT": 50, "DELETE": 50}
"""Requests a second to one endpoint by one method, shared by all callers of a site."""
BURST_REASON = "jira-burst-based"
PER_ISSUE_REASON = "jira-per-issue-on-write"
QUOTA_REASON = "jira-quota"
UNKNOWN_PAUSE_S = 30.0
"""The longest step of the back-off that Atlassian recommends where it names no time."""

_API_PATH = re.compile(r"/rest/api/[0-9]+/([^?#]*)")
_ISSUE_PART = re.compile(r"^issue/[^/]+/remotelink.*")
_POLICY_ITEM = re.compile(r'"([^"]*)"((?:\s*;\s*[a-z]+=[0-9.]+)*)')
_LANES = (
    "GET field",
    "GET issue/remotelink",
    "GET myself",
    "POST issue/bulkfetch",
    "POST issue/remotelink",
    "POST search/jql",
    "DELETE issue/remotelink",
)


class _Errors(Struct):
    """Jira's ErrorCollection, and what the gateway answers instead."""

    messages: list[str] = msgspec.field(name="errorMessages", default_factory=list)
    errors: dict[str, str] = {}
    message: str = ""


def lane_of(method: str, path: str) -> str:
    """The part of the budget that a request belongs to: its endpoint and method."""
    found = _API_PATH.search(path)
    rest = found[1] if found else path.lstrip("/")
    if rest.startswith("issue/"):
        rest = _ISSUE_PART.sub("issue/remotelink", rest)
    elif rest.startswith("project/"):
        rest = "project"
    return f"{method} {rest}"


@dataclass(frozen=True, slots=True)
class Api:
    """Jira's REST API behind a client: paths are relative to `/rest/api/<version>/`."""

    http: Client
    cloud: bool

    async def read(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        json: object | None = None,
    ) -> Answer:
        """Send a request that changes nothing."""
        lane = lane_of(method, path)
        return await self.http.read(method, self._full(path), params=params, json=json, lane=lane)

    async def write(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object | None = None,
    ) -> Answer:
        """Send a write that has the same effect however often it is carried out."""
        lane = lane_of(method, path)
        return await self.http.write(
            method, self._full(path), params=params, json=json, lane=lane, keyed=True
        )

    def _full(self, path: str) -> str:
        return f"/rest/api/{3 if self.cloud else 2}/{path}"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the answers of one instance mean, in words that say what to do."""

    instance: str
    settings: JiraSettings

    def policy(self) -> Policy:
        """How to talk to this instance."""
        settings, token = self.settings, self.settings.token.get_secret_value()
        if settings.cloud:
            pair = base64.b64encode(f"{settings.email}:{token}".encode()).decode()
            authorization = f"Basic {pair}"
        else:
            authorization = f"Bearer {token}"
        return Policy(
            instance=self.instance,
            vendor="Jira",
            base_url=settings.api_url,
            headers={"authorization": authorization, "accept": "application/json"},
            credential=fingerprint("jira", settings.api_url, settings.email, token),
            limits=tuple(
                Limit(lane, BURST[lane.partition(" ")[0]], 1.0) for lane in _LANES if settings.cloud
            ),
            max_concurrent=MAX_CONCURRENT,
            max_body=MAX_BODY,
            classify=self.classify,
            budget=budget,
        )

    def classify(self, answer: Answer) -> OpsyncError | None:
        """The error that an answer is, or None.

        A dead token may be answered 200 without issues, since search can be used anonymously;
        only a header tells (https://github.com/MrRefactoring/jira.js/issues/418).
        """
        reason = answer.headers.get("x-seraph-loginreason", "")
        if "AUTHENTICATION_DENIED" in reason:
            return SignInError(
                f"Jira locked the account of {self.instance} until it signs in with a CAPTCHA.",
                hint=f"Sign in at {self.settings.site} in a browser once, then run opsync again.",
            )
        if "AUTHENTICATED_FAILED" in reason or answer.status == 401:
            return self._signed_out(answer)
        if answer.status < 300:
            return default_classify(answer, "Jira")
        if answer.status == 429:
            return _rate_limited(answer)
        return self._refused(answer) or default_classify(answer, "Jira")

    def _signed_out(self, answer: Answer) -> SignInError:
        settings = self.settings
        variable = token_variable(self.instance)
        if b"scope" in answer.body.lower() or SCOPE_CHECK in answer.headers.get(FAILURE, ""):
            lane = lane_of(answer.method, answer.url)
            scope = scope_of(lane)
            return MissingScope(
                f"The token of {self.instance} lacks the scope {scope} for {lane}.",
                hint=scope_hint(scope, self.instance),
                scope=scope,
            )
        where = API_TOKENS if settings.cloud else ACCESS_TOKENS
        hint = f"Create one at {where}, then set {variable}."
        if settings.gateway:
            hint += (
                " base_url is the gateway, which takes tokens with scopes only; for one without "
                "leave base_url out."
            )
        elif settings.cloud:
            hint += (
                " A token with scopes works at the gateway only: set base_url to "
                "https://api.atlassian.com/ex/jira/<cloudId>, the id is at "
                f"{settings.site}/_edge/tenant_info."
            )
        return SignInError(f"Jira refused the token of {self.instance}.", hint=hint)

    def _refused(self, answer: Answer) -> OpsyncError | None:
        """Refusals of which Jira's words or the place say more than the status."""
        status, lane = answer.status, lane_of(answer.method, answer.url)
        said = said_by(answer)
        if status == 403 and lane.endswith("issue/remotelink"):
            return RefusedError(
                f"Jira does not let {self.instance} link this issue (403).{said}",
                hint=LINKING,
                status=status,
            )
        if status == 403:
            return SignInError(
                f"Jira does not let the account of {self.instance} do that ({answer.where}, 403)."
                f"{said}",
                hint=ACCESS,
            )
        if status == 404 and lane.partition(" ")[2].startswith(("issue/", "project")):
            return NotFound(
                f"{answer.where}: missing, or hidden from the account (404).{said}",
                hint=ACCESS,
                status=status,
            )
        if status == 404:
            return NotFound(
                f"No Jira answers at the address of {self.instance} (404).",
                hint="Check base_url, site and deployment: the address without /rest, with its "
                "context path if it has one.",
                status=status,
            )
        if status == 409:
            return TemporaryError(f"{answer.where}: somebody changes the same now (409).{said}")
        if status == 413:
            return RefusedError(
                f"The issue has as many remote links as Jira allows (413).{said}",
                hint="Remove some that are no longer needed.",
                status=status,
            )
        if status == 400 and "search" in lane:
            return RefusedError(
                f"Jira does not take the search of {self.instance} (400).{said}",
                hint="Check `projects`, `labels` and `jql`: a project that does not exist or is "
                f"hidden from the account is refused. {ACCESS}",
                status=status,
            )
        if 400 <= status < 500 and said and status not in {401, 403, 404, 408, 425}:
            return RefusedError(f"{answer.where} was refused ({status}).{said}", status=status)
        return None


FAILURE, SCOPE_CHECK = "x-failure-category", "SCOPE_CHECK"
"""The header in which the gateway says why it refuses."""


def said_by(answer: Answer) -> str:
    """Jira's own words for a refusal, with a space before them, or ""."""
    try:
        errors = msgspec.json.decode(answer.body, type=_Errors)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    named = (f"{name}: {message}" for name, message in errors.errors.items())
    words = " ".join(filter(None, (*errors.messages, *named, errors.message)))
    return f" It said: {answer.clean(words)[:200]}" if words else ""


def request_id(answer: Answer) -> str:
    """What Atlassian's support finds a request by."""
    return answer.headers.get("atl-traceid") or answer.headers.get("x-arequestid", "")


def _rate_limited(answer: Answer) -> RateLimited:
    """A pause for the endpoint, or for everything where Jira says so or does not say.

    The limit of writes to one issue pauses its endpoint too: writes to it go through that.
    """
    reason = answer.headers.get("ratelimit-reason", "")
    own = reason in {BURST_REASON, PER_ISSUE_REASON}
    lane = lane_of(answer.method, answer.url) if own else ""
    now = answer.server_now
    wait_s = answer.retry_after_s
    if wait_s is None and (reset := parse_reset(answer.headers.get("x-ratelimit-reset", ""))):
        wait_s = max(0.0, (reset - now).total_seconds())
    if wait_s is None and QUOTA_REASON in reason:
        hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        wait_s = (hour - now).total_seconds()
    if wait_s is None and not own:
        wait_s = UNKNOWN_PAUSE_S
    return RateLimited(
        f"Jira asks for a pause ({reason or 'no reason given'}): {answer.method} {answer.url}.",
        hint="opsync waits as long as Jira asks.",
        retry_after_s=wait_s,
        lane=lane,
    )


def parse_reset(value: str) -> datetime | None:
    """The moment that X-RateLimit-Reset names: ISO 8601, also without seconds; None if neither."""
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def budget(answer: Answer) -> Iterable[BudgetHint]:
    """What Jira's headers tell of the budget.

    Cloud names its policies (`RateLimit-Policy`, `RateLimit`) and gives the endpoint's rest in
    X-RateLimit-*; Data Center describes its token bucket in X-RateLimit-* only.
    """
    headers = answer.headers
    lane = lane_of(answer.method, answer.url)
    limit = _float(headers.get("x-ratelimit-limit"))
    remaining = _float(headers.get("x-ratelimit-remaining"))
    fill = _float(headers.get("x-ratelimit-fillrate"))
    interval_s = _float(headers.get("x-ratelimit-interval-seconds"))
    if limit and fill and interval_s:
        refill_s = interval_s / fill
        reset_in_s = None if remaining is None else (limit - remaining) * refill_s
        yield BudgetHint("", limit, limit * refill_s, remaining, reset_in_s)
        return
    policies = _items(headers.get("ratelimit-policy", ""))
    rests = _items(headers.get("ratelimit", ""))
    for name, numbers in policies.items():
        own = "burst" in name
        if "per-issue" in name or not numbers.get("w"):
            continue
        rest = rests.get(name, {})
        left = rest.get("r", remaining if own and numbers.get("q") == limit else None)
        yield BudgetHint(lane if own else "", numbers.get("q"), numbers["w"], left, rest.get("t"))


def _items(header: str) -> dict[str, dict[str, float]]:
    """A structured header of named policies: `"name";q=100;w=1, …`."""
    found: dict[str, dict[str, float]] = {}
    for name, parts in _POLICY_ITEM.findall(header):
        numbers: dict[str, float] = {}
        for part in parts.split(";"):
            key, _, value = part.strip().partition("=")
            if (number := _float(value)) is not None:
                numbers[key] = number
        found[name] = numbers
    return found


def _float(value: str | None) -> float | None:
    try:
        return float(value) if value else None
    except ValueError:
        return None
