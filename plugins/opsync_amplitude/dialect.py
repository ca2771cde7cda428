"""How Amplitude is spoken to, what its limits are, and what its refusals mean.

Limits: https://amplitude.com/docs/apis/analytics/dashboard-rest (Rate limits, Endpoint costs) and
https://amplitude.com/docs/apis/experiment/experiment-management-api
"""

from __future__ import annotations

from base64 import b64encode

import msgspec

from opsync import (
    Answer,
    Client,
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
from opsync_amplitude.settings import EXPERIMENT_HOSTS, AmplitudeSettings

VENDOR = "Amplitude"
COST = "cost"
"""The lane of the project's budget, which is counted in cost and not in requests."""
MANAGEMENT = "management"
"""The lane of the lists of flags and experiments."""
COST_PER_WINDOW, COST_WINDOW_S = 1_000, 300.0
COST_PER_HOUR = 108_000
MAX_CONCURRENT = 4
"""Amplitude lets five run at once in a project; one is left to others."""
COST_WAIT_S = COST_WINDOW_S
"""How long to pause when the cost is spent and the answer does not say until when."""

PROJECT_SETTINGS = "Amplitude → Settings → Organization settings → Projects → the project → General"
SIGN_IN_HINT = f"Copy the API key and the secret key of the project: {PROJECT_SETTINGS}."
WRITE_HINT = (
    "Annotations are written with the same key pair; the project must permit it. "
    f"See {PROJECT_SETTINGS}."
)
MANAGEMENT_HINT = (
    "Make a management API key: Amplitude → Experiment → Management API → Create Management Key."
)

_SAID = 200


class ManagementKeyRefused(RefusedError):
    """The management key is not good, which costs the links to flags and nothing else."""


def policy(instance: str, settings: AmplitudeSettings) -> Policy:
    """Headers, limits, hosts and error dialect of one instance."""
    api_key, secret = settings.api_key.get_secret_value(), settings.secret_key.get_secret_value()
    pair = b64encode(f"{api_key}:{secret}".encode()).decode()
    hosts = () if settings.base_url else (EXPERIMENT_HOSTS[settings.region],)
    return Policy(
        instance=instance,
        vendor=VENDOR,
        base_url=settings.address,
        headers={"Authorization": f"Basic {pair}", "Accept": "application/json"},
        credential=fingerprint("amplitude", settings.address, api_key, secret),
        extra_hosts=frozenset(hosts),
        limits=(
            Limit(COST, COST_PER_WINDOW, COST_WINDOW_S),
            Limit(COST, COST_PER_HOUR, 3600.0),
            Limit(MANAGEMENT, 100, 1.0),
            Limit(MANAGEMENT, 100_000, 86_400.0),
        ),
        max_concurrent=MAX_CONCURRENT,
        classify=classify,
    )


async def ask_management(
    http: Client, settings: AmplitudeSettings, path: str, params: dict[str, str]
) -> Answer:
    """Ask the Experiment API, which has a host and a key of its own.

    Raises ManagementKeyRefused where the key is not good.
    """
    assert settings.management_key is not None
    key = settings.management_key.get_secret_value()
    return await http.read(
        "GET",
        f"{settings.experiment_url}{path}",
        params=params,
        headers={"Authorization": f"Bearer {key}"},
        lane=MANAGEMENT,
    )


def classify(answer: Answer) -> OpsyncError | None:
    """What an answer means; None for a good one. A refusal of one query has Amplitude's text."""
    if answer.status < 300 or answer.is_html:
        return default_classify(answer, VENDOR)
    said = _text(answer)
    told = f": {said}" if said else ""
    where = f"{answer.where} ({answer.status})"
    match answer.status:
        case 401 | 403 if "/api/1/" in answer.url:
            return ManagementKeyRefused(
                f"Amplitude refused the management key ({where}){told}.",
                hint=MANAGEMENT_HINT,
                status=answer.status,
            )
        case 403 if "/api/3/chart/" in answer.url:
            return RefusedError(said or "the chart is not open to this project", status=403)
        case 401:
            return SignInError(f"Amplitude refused the key pair{told}.", hint=SIGN_IN_HINT)
        case 403:
            hint = SIGN_IN_HINT if answer.method == "GET" else WRITE_HINT
            return SignInError(f"The key pair may not do that ({where}){told}.", hint=hint)
        case 404:
            return NotFound(said or f"{where}: missing", status=404)
        case 429:
            return _limited(answer, said, where)
        case status if 400 <= status < 500 and status not in (408, 425):
            return RefusedError(said or f"{where}: refused without a reason", status=status)
    return default_classify(answer, VENDOR)


def _limited(answer: Answer, said: str, where: str) -> RateLimited:
    """Too many at once passes in a moment; a cost that is spent takes its window to come back."""
    lower = said.lower()
    at_once = "concurrent" in lower and "cost" not in lower
    wait_s = answer.retry_after_s
    if wait_s is None and not at_once and "/api/1/" not in answer.url:
        wait_s = COST_WAIT_S
    return RateLimited(
        f"{where}: {said or 'over the limit'}",
        hint="opsync waits until the budget is free again.",
        retry_after_s=wait_s,
    )


def _text(answer: Answer) -> str:
    """Amplitude's own words for a refusal, wherever they stand in it."""
    try:
        body: object = msgspec.json.decode(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return answer.excerpt
    return " ".join(answer.clean(_words(body)).split())[:_SAID]


def _words(body: object) -> str:
    if isinstance(body, str):
        return body
    if not isinstance(body, dict):
        return ""
    parts = []
    for name in ("error", "message", "detail", "details"):
        part = body.get(name)
        text = _words(part) if isinstance(part, dict | str) else ""
        if text and text not in parts:
            parts.append(text)
    metadata = body.get("metadata")
    details = _words(metadata) if isinstance(metadata, dict) else ""
    if details and details not in parts:
        parts.append(details)
    return ": ".join(parts)
