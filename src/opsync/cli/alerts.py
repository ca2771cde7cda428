"""`opsync alerts`: whether those are told who should hear when something goes wrong."""

from __future__ import annotations

from pathlib import Path

import click

from opsync.cli.common import (
    Opened,
    config_option,
    json_option,
    log_option,
    open_config,
    print_json,
    run_async,
)
from opsync.cli.screen import signed


@click.group()
def alerts() -> None:
    """Who is told when something goes wrong and nobody looks: [alerts] in the configuration."""


@alerts.command("test")
@json_option
@config_option
@log_option
def test(as_json: bool, config_path: Path | None, log_level: str | None) -> int:
    """Send a test message to the webhook of [alerts].

    The watchdog is left alone: it would take the message for a good run. Exits with 1 where the
    message was not taken, and with 2 where no webhook is configured.

    With --json: {"sent", "why"}.
    """
    opened = open_config(config_path, log_level=log_level)
    why = opened.redactor.clean(run_async(_send(opened)))
    if as_json:
        print_json({"sent": not why, "why": why})
    elif why:
        signed("fail", f"Not sent: {why}", [])
    else:
        signed("ok", "The webhook took a test message. See that it arrived.", [])
    return 1 if why else 0


async def _send(opened: Opened) -> str:
    from opsync.engine.alerting import post, trial_message
    from opsync.errors import ConfigError
    from opsync.http import Pool
    from opsync.runtime import Runtime

    settings = opened.config.general.alerts
    if settings.webhook is None:
        raise ConfigError(
            "no webhook is configured",
            hint="Set OPSYNC_ALERTS__WEBHOOK, or webhook in [alerts].",
        )
    runtime = Runtime()
    pool = Pool(runtime, redactor=opened.redactor)
    try:
        return await post(
            settings.webhook, trial_message(settings.style, runtime.clock.now()), pool
        )
    finally:
        await pool.aclose()
