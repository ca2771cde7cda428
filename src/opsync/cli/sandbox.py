"""`opsync sandbox`: serve Harbor over real HTTP, and poke one that runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from opsync.cli.blank import FilePath, not_blank
from opsync.cli.common import json_option, print_json
from opsync.cli.excluding import excludes
from opsync.cli.words import plural
from opsync.errors import ConfigError

F = TypeVar("F", bound=Callable[..., Any])

PORT = 8790
URL = f"http://127.0.0.1:{PORT}"
VENDORS = ("jira", "linear", "notion", "posthog", "amplitude", "mixpanel")


def _url_option(function: F) -> F:
    return click.option(
        "--url", default=URL, show_default=True, help="The address of the running sandbox."
    )(function)


@click.group(invoke_without_command=True)
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--config-out",
    type=FilePath(path_type=Path, dir_okay=False),
    help="Also write a configuration for it to this file (mode apply).",
)
@click.option(
    "--limits",
    default=10,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="How many times the vendors' own rate limits it announces.",
)
@click.pass_context
def sandbox(context: click.Context, port: int, config_out: Path | None, limits: int) -> None:
    """A company to try things on: all six tools on this machine, over real HTTP.

    Without a command it serves until Ctrl-C. The commands poke one that runs.
    """
    if context.invoked_subcommand is not None:
        return
    if config_out is not None and config_out.exists():
        raise ConfigError(f"{config_out} exists and is left as it is.")
    from opsync.sandbox.launch import serve

    try:
        serve(port=port, limit_factor=limits, on_ready=lambda url: _ready(url, config_out, limits))
    except OSError as error:
        raise ConfigError(
            f"cannot serve on port {port}: {error.strerror}.",
            hint="Perhaps a sandbox runs there already. Choose another one with --port.",
        ) from None
    click.echo("Stopped; what was changed in the sandbox is gone.")


@sandbox.command()
@click.argument("item", callback=not_blank)
@click.argument("to")
@_url_option
def move(item: str, to: str, url: str) -> None:
    """Move ITEM (key, link or a piece of its title) TO a status.

    TO is todo, in_progress, done, canceled or a status by its name.
    """
    _poke(url, lambda client: client.move(item, to))


@sandbox.command()
@click.argument("item", callback=not_blank)
@click.argument("field")
@click.argument("value")
@_url_option
def edit(item: str, field: str, value: str, url: str) -> None:
    """Set FIELD of ITEM to VALUE, as a person would; "" empties it."""
    _poke(url, lambda client: client.edit(item, field, value or None))


@sandbox.command()
@excludes("--off", "--for")
@click.argument("vendor", type=click.Choice(VENDORS))
@click.option("--off", is_flag=True, help="End the outage.")
@click.option(
    "--for", "for_s", type=click.FloatRange(min=0), metavar="SECONDS", help="End it by itself."
)
@_url_option
def outage(vendor: str, off: bool, for_s: float | None, url: str) -> None:
    """Let VENDOR answer 503 to everything."""
    _poke(url, lambda client: client.outage(vendor, on=not off, for_s=for_s))


@sandbox.command()
@json_option
@_url_option
def state(as_json: bool, url: str) -> None:
    """What there is in the running sandbox, and how many requests it has answered."""
    from opsync.sandbox.client import SandboxClient

    with SandboxClient(url) as client:
        vendors = client.state()
    if as_json:
        print_json({"url": url, "vendors": vendors})
        return
    for name, vendor in vendors.items():
        counts = " · ".join(
            plural(count, what.replace("_", " ").removesuffix("s"))
            for what, count in vendor["counts"].items()
        )
        wrong = [fault for fault, on in vendor["faults"].items() if on]
        click.echo(
            f"{name:9} {counts} · {plural(vendor['read_requests'], 'read')}, "
            f"{plural(vendor['write_requests'], 'write')}"
            + (f" · {vendor['over_budget']} over the limit" if vendor["over_budget"] else "")
            + (f" · fault: {', '.join(wrong)}" if wrong else "")
        )


def _poke(url: str, act: Callable[[Any], str]) -> None:
    from opsync.sandbox.client import SandboxClient

    with SandboxClient(url) as client:
        click.echo(act(client))


def _ready(url: str, config_out: Path | None, limits: int) -> None:
    """Tell where the vendors are, and how to use them."""
    from opsync.cli.called import called
    from opsync.sandbox.launch import JIRA_EMAIL, OTHER_KEYS, TOKENS

    opsync = called()
    other = "" if url == URL else f" --url {url}"
    click.echo(f"Harbor, a made-up company, is at {url} (limits: {limits} times the vendors').")
    keys = {name: TOKENS.get(name) or OTHER_KEYS[name] for name in VENDORS}
    keys["jira"] = f"{JIRA_EMAIL} with {keys['jira']}"
    for name, key in keys.items():
        click.echo(f"  {url}/{name:10} {key}")
    click.echo("The tokens are fake: they open nothing but this sandbox.\n")
    if config_out is not None:
        _write_config(url, config_out)
        click.echo(f"Wrote {config_out}. In another terminal:")
        click.echo(f"  export OPSYNC_CONFIG={config_out.absolute()}")
        click.echo(f"  {opsync} sync")
    else:
        click.echo("In another terminal:")
        click.echo(f"  {opsync} init --sandbox{'' if url == URL else f' {url}'}")
        click.echo(f"  {opsync} sync")
        click.echo(f"  {opsync} apply")
    click.echo(f"  {opsync} sandbox move PAY-118 done{other}")
    click.echo("Ctrl-C ends it.")


def _write_config(url: str, path: Path) -> None:
    from opsync.cli.sandbox_answers import ROADMAP, write_config
    from opsync.sandbox.client import SandboxClient

    with SandboxClient(url) as client:
        roadmap = client.data_source(ROADMAP)
    write_config(path, url, roadmap)
