"""What all commands share: options, opening things, and printing for people, pipes and programs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from opsync.cli.around import Around
from opsync.cli.blank import FilePath

if TYPE_CHECKING:
    from rich.console import Console

    from opsync.config import Config
    from opsync.redact import Redactor
    from opsync.store import Store

PIPE_WIDTH = 4000
"""Wider than any line of ours: in a pipe nothing is wrapped or cut."""

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
        type=FilePath(path_type=Path),
        help="The configuration file. Default: $OPSYNC_CONFIG, else ./opsync.toml.",
    )(function)


def store_option(function: F) -> F:
    """`--store FILE`."""
    return click.option(
        "--store",
        type=FilePath(path_type=Path),
        help="Use this store, which is there, instead of the configured; from the current folder.",
    )(function)


def new_store_option(function: F) -> F:
    """`--store FILE` of a command that makes it."""
    return click.option(
        "--store",
        type=FilePath(path_type=Path),
        help="Make this store instead of the configured; from the current folder.",
    )(function)


def json_option(function: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(
        function
    )


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
    makes_store: bool = False,
) -> Opened:
    """Find, read and check the configuration, and set up logging that hides its secrets.

    What goes wrong is told by the command itself: without `log_level` and without a word in the
    configuration only errors are logged besides.

    A `store` that is named and not there is most likely another one, so that nobody starts anew
    with it unawares: NoStore, unless the command `makes_store`.
    """
    from opsync.config import find, read
    from opsync.errors import NoStore
    from opsync.log import configure
    from opsync.model.rules import Mode

    redactor = around().redactor
    config = read(find(config_path), mode=Mode(mode) if mode else None, store=store)
    for secret in config.secrets:
        redactor.add(secret)
    general = config.general
    configured = general.log_level if "log_level" in general.model_fields_set else "error"
    configure(json=not sys.stderr.isatty(), level=log_level or configured, secrets=redactor)
    if store is not None and not makes_store and not config.store.exists():
        raise NoStore(config.store, named=True)
    return Opened(config, redactor)


def around() -> Around:
    """What surrounds the running command."""
    context = click.get_current_context(silent=True)
    found = context.find_object(Around) if context is not None else None
    return found if found is not None else Around()


def need_store(opened: Opened) -> None:
    """NoStore where there is none: for what would make one that it has no use for."""
    from opsync.errors import NoStore

    if not opened.config.store.exists():
        raise NoStore(opened.config.store)


def store_or_blank(opened: Opened) -> Store:
    """The store for looking only; where there is none yet, one with nothing in it."""
    from opsync.errors import NoStore
    from opsync.runtime import SystemClock
    from opsync.store import Store

    path, clock = opened.config.store, SystemClock()
    try:
        return Store.open(path, clock=clock, create=False)
    except NoStore:
        return Store.blank(path, clock=clock)


@asynccontextmanager
async def open_store(opened: Opened, *, make: bool = False) -> AsyncIterator[Store]:
    """The store, not held and not upgraded, and made only where there is none and `make` says so.
    NoStore: there is none."""
    from opsync.runtime import SystemClock
    from opsync.store import Store

    path = opened.config.store
    store = Store.open(path, clock=SystemClock(), create=make and not path.exists())
    try:
        yield store
    finally:
        await store.close()


def run_async(main: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end."""
    return asyncio.run(main)


def print_json(value: object) -> None:
    """One JSON object on standard output."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def console() -> Console:
    """Where people look: colours and the terminal's width; plain and unwrapped in a pipe."""
    from rich.console import Console

    plain = not sys.stdout.isatty()
    return Console(
        highlight=False,
        soft_wrap=plain,
        width=PIPE_WIDTH if plain else None,
        color_system=None if plain else "auto",
        force_terminal=False if plain else None,
        emoji=False,
        markup=False,
    )
