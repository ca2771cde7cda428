"""What all commands share: options, opening things, and printing for people, pipes and programs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

    from opsync.config import Config
    from opsync.redact import Redactor

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Opened:
    """A command's configuration, and the redactor that knows its secrets."""

    config: Config
    redactor: Redactor


def config_option(function: F) -> F:
    """`--config FILE`."""
    return click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        help="The configuration file. Default: $OPSYNC_CONFIG, else ./opsync.toml.",
    )(function)


def store_option(function: F) -> F:
    """`--store FILE`."""
    return click.option(
        "--store", type=click.Path(path_type=Path), help="Use this store instead of the configured."
    )(function)


def json_option(function: F) -> F:
    """`--json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object, for programs."
    )(function)


def log_option(function: F) -> F:
    """`--log LEVEL`."""
    return click.option(
        "--log",
        "log_level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        help="How much to tell on standard error. Default: the configuration's log_level.",
    )(function)


def open_config(
    config_path: Path | None,
    *,
    store: Path | None = None,
    mode: str | None = None,
    log_level: str | None = None,
) -> Opened:
    """Find, read and check the configuration, and set up logging that hides its secrets."""
    from opsync.config import find, read
    from opsync.log import configure
    from opsync.model.rules import Mode
    from opsync.redact import Redactor

    config = read(find(config_path), mode=Mode(mode) if mode else None, store=store)
    redactor = Redactor()
    for secret in config.secrets:
        redactor.add(secret)
    configure(
        json=not sys.stderr.isatty(),
        level=log_level or config.general.log_level,
        secrets=redactor,
    )
    return Opened(config, redactor)


def run_async(main: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end."""
    return asyncio.run(main)


def print_json(value: object) -> None:
    """One JSON object on standard output."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def console() -> Console:
    """Where people look: colours and width of the terminal; plain and unwrapped in a pipe."""
    from rich.console import Console

    plain = not sys.stdout.isatty()
    return Console(
        highlight=False,
        soft_wrap=plain,
        width=None if not plain else 200,
        emoji=False,
        markup=False,
    )
