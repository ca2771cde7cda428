"""Alerts: tell a webhook what went wrong or is over, and a watchdog that all is well.

What is sent names connections, days and next steps, and nothing that stands in a tool. That it
cannot be sent is told and fails nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from opsync.blocks.watching import AlertsBlock
from opsync.errors import OpsyncError, RefusedError, TemporaryError
from opsync.http import Answer, Client, Policy, Pool, fingerprint
from opsync.model import Value
from opsync.redact import secret_parts
from opsync.runtime import Clock
from opsync.steps.shared import OWN
from opsync.store import Store
from opsync.watch import Alarm, News, as_told, news

TOLD = "watch:told"
"""The alarms that the webhook was told of last."""

ATTEMPTS = 2
TOTAL_S = 15.0
"""Seconds for one try: a pass does not wait for a webhook that hangs."""
PATIENCE_S = 5.0

AGAIN = "It is tried again after the next run."

Style = Literal["json", "slack"]


async def tell(
    alerts: AlertsBlock, store: Store, pool: Pool, clock: Clock, alarms: Sequence[Alarm]
) -> str:
    """Send what is news of all that is wrong, at most one message; returns why it could not be
    sent, "" where it was or there is none. What was not sent is told the next time."""
    if alerts.webhook is None:
        return ""
    found = news(_told((await store.kept(OWN)).get(TOLD)), alarms)
    if not found:
        return ""
    if why := await post(alerts.webhook, worded(found, alerts.style, clock.now()), pool):
        return f"no alert could be sent: {why}"
    await store.put_kept(OWN, {TOLD: as_told(alarms) or None})
    return ""


async def tell_alive(alerts: AlertsBlock, pool: Pool) -> str:
    """Tell the watchdog that all is well; returns why it could not be told, "" where it was or
    there is none."""
    if alerts.alive is None:
        return ""
    try:
        client, path = _client(alerts.alive, "alerts.alive", pool)
        await client.read("GET", path)
    except OpsyncError as error:
        return f"the sign that opsync is alive could not be sent: {error}"
    return ""


async def post(
    webhook: SecretStr,
    message: Mapping[str, Any],
    pool: Pool,
    *,
    setting: str = "alerts.webhook",
    again: str = AGAIN,
    twice: bool = True,
) -> str:
    """Post a message; returns why it could not be, "" if it was taken. `setting` is where the
    address stands, and `again` says when a failure is tried again. An alert may rather be told
    `twice` than not at all."""
    try:
        client, path = _client(webhook, setting, pool, again)
        await client.write("POST", path, keyed=twice, json=message)
    except OpsyncError as error:
        return str(error)
    return ""


def _client(address: SecretStr, who: str, pool: Pool, again: str = AGAIN) -> tuple[Client, str]:
    """A client that may ask this address's host only, and the path that is asked."""
    url = address.get_secret_value()
    parts = urlsplit(url)
    path = parts.path or "/"
    for secret in secret_parts(url):
        pool.redactor.add(secret)

    def classify(answer: Answer) -> OpsyncError | None:
        """By status alone: what was answered may repeat the address."""
        status = answer.status
        if 200 <= status < 300:
            return None
        said, hint = f"the address of {who} answered {status}.", f"Check {who}."
        if status in {408, 425, 429} or status >= 500:
            return TemporaryError(said, hint=again)
        return RefusedError(said, hint=hint, status=status)

    policy = Policy(
        instance=who,
        vendor=who,
        base_url=f"{parts.scheme}://{parts.netloc}",
        headers={},
        credential=fingerprint(url),
        attempts=ATTEMPTS,
        total_s=TOTAL_S,
        patience_s=PATIENCE_S,
        max_concurrent=1,
        secret_path=True,
        classify=classify,
    )
    return pool.client(policy), f"{path}?{parts.query}" if parts.query else path


def worded(found: News, style: Style, at: datetime) -> dict[str, Any]:
    """What is posted, in the shape of `style`."""
    lines = [
        *(_line("new", one) for one in found.new),
        *(_line("changed", one) for one in found.changed),
        *(f"over: {_named(id_.partition(':')[2], what)}" for id_, what in found.over),
    ]
    text = "\n".join([headline(found), *lines])
    if style == "slack":
        # https://api.slack.com/reference/surfaces/formatting#escaping
        return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}
    return {
        "source": "opsync",
        "at": at.isoformat(),
        "text": text,
        "alarms": [
            *(_alarm("new", one) for one in found.new),
            *(_alarm("changed", one) for one in found.changed),
            *(_over(id_, what) for id_, what in found.over),
        ],
    }


def headline(found: News) -> str:
    """The message's first line."""
    lasting = [*found.new, *found.changed]
    if not lasting:
        return "opsync: what was wrong is over"
    red = any(one.state == "fail" for one in lasting)
    return "opsync: something is wrong" if red else "opsync: something will need you"


def trial_message(style: Style, at: datetime) -> dict[str, Any]:
    """A message that tells of nothing."""
    text = "opsync: a test. Alerts arrive here."
    if style == "slack":
        return {"text": text}
    return {"source": "opsync", "at": at.isoformat(), "text": text, "alarms": []}


def _line(change: str, one: Alarm) -> str:
    since = f" (since {one.since:%Y-%m-%d %H:%M} UTC)" if one.since is not None else ""
    return f"{change}: {_named(one.connection, one.what)}{since}. {one.hint}"


def _named(connection: str, what: str) -> str:
    return f"{connection}: {what}" if connection else what


def _alarm(change: str, one: Alarm) -> dict[str, Any]:
    return {
        "change": change,
        "kind": one.kind,
        "connection": one.connection,
        "state": one.state,
        "what": one.what,
        "since": one.since.isoformat() if one.since is not None else None,
        "next": one.hint,
    }


def _over(id_: str, what: str) -> dict[str, Any]:
    kind, _, connection = id_.partition(":")
    return {
        "change": "over",
        "kind": kind,
        "connection": connection,
        "state": "ok",
        "what": what,
        "since": None,
        "next": "",
    }


def _told(found: Value) -> dict[str, Sequence[str]]:
    """What was remembered; what looks otherwise is as if it had not been told."""
    if not isinstance(found, Mapping):
        return {}
    return {
        id_: [str(part) for part in said]
        for id_, said in found.items()
        if isinstance(said, Sequence) and not isinstance(said, str) and len(said) == 2
    }
