"""How Notion is spoken to, and what its refusals mean.

Status codes: https://developers.notion.com/reference/status-codes, limits:
https://developers.notion.com/reference/request-limits
"""

from __future__ import annotations

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
    TemporaryError,
    default_classify,
    fingerprint,
)
from opsync_notion.settings import NotionSettings
from opsync_notion.wire import ErrorBody

VENDOR = "Notion"
WINDOW_S = 60.0
MAX_CONCURRENT = 4

SHARE_HINT = "Share the database with the connection: ••• → Connections → opsync."
SIGN_IN_HINT = (
    "Copy the secret of the connection, and give it to opsync in place of the old one: "
    "notion.so/profile/integrations → opsync → Configuration."
)
READ_HINT = (
    'Switch on "Read content": notion.so/profile/integrations → opsync → Configuration → '
    "Capabilities."
)
UPDATE_HINT = (
    'Switch on "Update content": notion.so/profile/integrations → opsync → Configuration → '
    "Capabilities."
)
INSERT_HINT = (
    'Switch on "Insert content": notion.so/profile/integrations → opsync → Configuration → '
    "Capabilities."
)

USERS_HINT = (
    'Switch on "Read user information including email addresses": '
    "notion.so/profile/integrations → opsync → Configuration → Capabilities."
)

_SAID = 200


class MissingCapability(SignInError):
    """The token works; the connection may not do this kind of thing."""


def policy(instance: str, settings: NotionSettings) -> Policy:
    """Headers, limit and error dialect of one instance."""
    token = settings.token.get_secret_value()
    return Policy(
        instance=instance,
        vendor=VENDOR,
        base_url=settings.base_url,
        headers={"Authorization": f"Bearer {token}", "Notion-Version": settings.version},
        credential=fingerprint("notion", settings.base_url, token),
        limits=(Limit("", settings.requests_per_minute, WINDOW_S),),
        max_concurrent=MAX_CONCURRENT,
        classify=classify,
    )


def request_id(answer: Answer) -> str:
    """Notion's name for the request, which its support asks for."""
    return answer.headers.get("x-notion-request-id", "")


def classify(answer: Answer) -> OpsyncError | None:
    """What an answer means, by Notion's error code; None for a good one.

    An error without Notion's JSON comes from a proxy or from Cloudflare in front of it, so it says
    nothing about the token or the object.
    """
    if answer.status < 300:
        return default_classify(answer, VENDOR)
    try:
        body = msgspec.json.decode(answer.body, type=ErrorBody)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _foreign(answer)
    said = " ".join(answer.clean(body.message).split())[:_SAID]
    where = f"{answer.where} ({answer.status} {body.code})"
    return _by_code(answer, body.code, said, where) or default_classify(answer, VENDOR)


def _by_code(answer: Answer, code: str, said: str, where: str) -> OpsyncError | None:
    match code:
        case "unauthorized":
            return SignInError("Notion refused the token.", hint=SIGN_IN_HINT)
        case "restricted_resource":
            return _restricted(answer, said, where)
        case "object_not_found":
            return NotFound(
                f"{where}: missing, or not shared with the connection.",
                hint=SHARE_HINT,
                status=answer.status,
            )
        case "rate_limited":
            return RateLimited(
                f"{where}: {said}",
                hint="opsync waits as long as Notion asks.",
                retry_after_s=answer.retry_after_s,
            )
        case "conflict_error":
            return TemporaryError(f"{where}: {said}", hint="Try again in a few minutes.")
        case "missing_version":
            return RefusedError(
                f"{where}: {said}",
                hint="Set `version` to one that Notion still speaks.",
                status=answer.status,
            )
    if 400 <= answer.status < 500 and answer.status not in (408, 425, 429):
        return RefusedError(f"{where}: {said}", status=answer.status)
    return None


def _restricted(answer: Answer, said: str, where: str) -> OpsyncError:
    """A capability that the connection lacks, or one object that it may only look at."""
    if answer.method in ("PATCH", "DELETE"):
        hint = INSERT_HINT if "/children" in answer.url else UPDATE_HINT
        if "insufficient permissions" in said.lower():
            return MissingCapability(f"The connection may not write ({where}): {said}", hint=hint)
        return RefusedError(f"{where}: {said}", hint=hint, status=answer.status)
    if "/v1/users" in answer.url:
        return MissingCapability(
            f"The connection may not see people ({where}): {said}", hint=USERS_HINT
        )
    return MissingCapability(f"The connection may not read that ({where}): {said}", hint=READ_HINT)


def _foreign(answer: Answer) -> OpsyncError | None:
    if answer.status in (401, 403, 404) or answer.status < 400:
        return BadAnswer(
            f"{answer.where} was answered {answer.status} without Notion's JSON.",
            hint="A proxy or Cloudflare answered in its place, or base_url is wrong.",
        )
    return default_classify(answer, VENDOR)
