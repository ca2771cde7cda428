"""`opsync serve` and `opsync reload`: the long-running service, and a new configuration for it."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsync.cli.common import (
    config_option,
    json_option,
    log_option,
    open_config,
    print_json,
    run_async,
    store_option,
)
from opsync.cli.screen import show_line
from opsync.errors import ConfigError, OpsyncError, StoreHeld

if TYPE_CHECKING:
    from opsync.service.surface import Surface


@click.command()
@config_option
@store_option
@log_option
def serve(config_path: Path | None, store: Path | None, log_level: str | None) -> int:
    """Keep everything in step, and show how it stands, until it is told to stop.

    Each connection is read as often as its setting `every` says, and within seconds of a change
    signal. The dashboard, /healthz, /readyz and /metrics are served where `[service]` says, and
    beside it `opsync sync`, `plan`, `look`, `apply` and `undo` are carried out by the service.
    SIGTERM lets what is being written end; SIGHUP, or `opsync reload`, takes a changed
    configuration.
    """
    from opsync.cli.linkdecisions import login
    from opsync.config import find, read
    from opsync.log import as_json, configure
    from opsync.service.serving import serve as run

    opened = open_config(config_path, store=store, log_level=log_level)
    config, general = opened.config, opened.config.general
    if not config.instances:
        raise ConfigError("no connection is configured", hint="Start with: opsync init")
    given = general.log_level if "log_level" in general.model_fields_set else "info"
    level = log_level or given
    configure(json=as_json(general.service.log_format), level=level, secrets=opened.redactor)
    run_async(
        run(
            config,
            lambda: read(find(config_path), store=store),
            redactor=opened.redactor,
            local=login(),
            announce=_announce,
        )
    )
    return 0


def _announce(surface: Surface) -> None:
    """Where people look, on a terminal; in a pipe the log says it."""
    if sys.stdout.isatty() and surface.address is not None:
        show_line(
            f"opsync serves {len(surface.config.instances)} connections: {surface.address.url}"
        )
        show_line("Stop it with Ctrl-C.")


@click.command()
@json_option
@config_option
@store_option
@log_option
def reload(
    as_json: bool, config_path: Path | None, store: Path | None, log_level: str | None
) -> int:
    """Have the running service read its configuration again.

    It is checked first: where something is wrong, that is told here and by the service, and the one
    in force stays.

    With --json: {"connections", "after_restart"}.
    """
    from opsync.service.asks import AskReload, Reloaded, ask

    try:
        opened = open_config(config_path, store=store, log_level=log_level)
    except OpsyncError:
        _ask_all_the_same(config_path, store)
        raise
    try:
        done = run_async(ask(opened.config.store, AskReload()))
    except StoreHeld:
        raise ConfigError(
            f"no service runs on {opened.config.store}",
            hint="Start it with opsync serve. Where `store` is another one now, restart it.",
        ) from None
    assert isinstance(done, Reloaded)
    if as_json:
        print_json({"connections": done.connections, "after_restart": done.after_restart})
        return 0
    show_line(f"The service goes on with: {', '.join(done.connections)}")
    for name in done.after_restart:
        show_line(f"{name} counts after a restart")
    return 0


def _ask_all_the_same(config_path: Path | None, store: Path | None) -> None:
    """Have the service find out by itself what is wrong, and tell it wherever it tells. What only
    this command cannot read, as for want of a secret, it may take."""
    from opsync.config import find_store
    from opsync.service.asks import AskReload, Reloaded, ask

    with suppress(OpsyncError):
        done = run_async(ask(find_store(config_path, store), AskReload()))
        assert isinstance(done, Reloaded)
        said = f"The service could read it, and goes on with: {', '.join(done.connections)}"
        click.echo(said, err=True)
