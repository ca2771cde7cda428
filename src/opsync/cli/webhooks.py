"""`opsync webhooks`: have tools tell at once that something changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from opsync.cli import words
from opsync.cli.common import (
    Opened,
    config_option,
    json_option,
    log_option,
    open_config,
    print_json,
    run_async,
    store_option,
    store_or_blank,
)
from opsync.cli.excluding import excludes
from opsync.cli.screen import show_line
from opsync.contract.webhooks import Registered
from opsync.engine.hooksecrets import HookSecrets
from opsync.engine.session import open_instance, open_session
from opsync.engine.webhooks import Setup, Webhooks, public_url, sources_of
from opsync.errors import ConfigError, OpsyncError

INDENT = " " * 4

_url_option = click.option(
    "--url",
    default="",
    help="Where tools reach opsync: https://opsync.harbor.example. Default: public_url of "
    "[service].",
)
_name = click.argument("connection", required=False)


@click.group()
def webhooks() -> None:
    """Have tools tell at once that something changed, so that a running service reads it within
    seconds. Without it each connection is read every few minutes all the same."""


@webhooks.command("list")
@_name
@_url_option
@json_option
@config_option
@store_option
@log_option
def list_(
    connection: str | None,
    url: str,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """What is set up at each tool, and what to click where it has no API for that.

    Of CONNECTION alone it shows also the token that Notion sent, which is to be pasted there.

    With --json: {"webhooks"}.
    """
    opened = open_config(config_path, store=store, log_level=log_level)
    return run_async(_each(opened, connection, url, as_json, _looked))


@webhooks.command()
@_name
@_url_option
@json_option
@config_option
@store_option
@log_option
def register(
    connection: str | None,
    url: str,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """Set webhooks up at CONNECTION's tool, or at all; again, to bring them up to date.

    opsync makes the secret and keeps it beside the store. Notion makes it itself: for 15 minutes it
    is waited for, and `opsync webhooks list notion` shows what to paste. Run again, it waits for
    another, and drops one that was not verified.

    With --json: {"webhooks"}.
    """
    opened = open_config(config_path, store=store, log_level=log_level)
    return run_async(_each(opened, connection, url, as_json, _registered))


@webhooks.command()
@_name
@_url_option
@json_option
@config_option
@store_option
@log_option
def rotate(
    connection: str | None,
    url: str,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """Have signals signed with a new secret; the one before counts for 24 hours more. Notion's is
    waited for as `register` does, and the one before counts until the new one is verified.

    With --json: {"webhooks"}.
    """
    opened = open_config(config_path, store=store, log_level=log_level)
    return run_async(_each(opened, connection, url, as_json, _rotated, set_up=True))


@webhooks.command()
@excludes("CONNECTION", "--all")
@_name
@click.option("--all", "every", is_flag=True, help="Those of all connections.")
@json_option
@config_option
@store_option
@log_option
def remove(
    connection: str | None,
    every: bool,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """Take away the webhooks that opsync made for CONNECTION, and forget their secret.

    What people made stays: delete it in the tool.

    With --json: {"removed": [{"connection", "webhooks", "error"}]}.
    """
    if connection is None and not every:
        raise click.UsageError("Name a CONNECTION, or say --all.")
    opened = open_config(config_path, store=store, log_level=log_level)
    return run_async(_remove(opened, connection, as_json))


Act = Callable[[Webhooks, datetime], Awaitable[Setup]]


async def _looked(one: Webhooks, now: datetime) -> Setup:
    return await one.look(now)


async def _registered(one: Webhooks, now: datetime) -> Setup:
    return await one.register(now)


async def _rotated(one: Webhooks, now: datetime) -> Setup:
    return await one.rotate(now)


async def _each(
    opened: Opened,
    connection: str | None,
    url: str,
    as_json: bool,
    act: Act,
    *,
    set_up: bool = False,
) -> int:
    """Do something with each connection and show what there is then. One that fails does not keep
    the others; alone it is the error. `set_up`: leave out those of which opsync has no secret."""
    code = 0
    found: list[Setup] = []
    async with _opened(opened, connection, url, looks=act is _looked) as (each, now):
        for one in each:
            if set_up and connection is None and one.name not in one.hooks.load():
                continue
            try:
                setup = await act(one, now)
            except OpsyncError as error:
                if connection is not None:
                    raise
                setup = replace(await one.look(now), error=error)
            found.append(setup)
            code = max(code, setup.error.exit_code if setup.error is not None else 0)
    if as_json:
        # What is to be pasted is for whoever asks for it, and in no listing of all.
        alone = connection is not None
        print_json({"webhooks": [_plain(opened, setup, now, alone=alone) for setup in found]})
        return code
    if not found:
        show_line("no connection here has change signals to change")
    for setup in found:
        for line in _lines(opened, setup, now, alone=connection is not None):
            show_line(line)
    return code


async def _remove(opened: Opened, connection: str | None, as_json: bool) -> int:
    code = 0
    done: list[dict[str, Any]] = []
    async with _opened(opened, connection, "") as (each, _):
        for one in each:
            count, said = 0, ""
            try:
                count = await one.remove()
            except OpsyncError as error:
                if connection is not None:
                    raise
                said, code = opened.redactor.clean(str(error)), max(code, error.exit_code)
            done.append({"connection": one.name, "webhooks": count, "error": said})
    if as_json:
        print_json({"removed": done})
        return code
    for told in done:
        what = told["error"] or f"removed {words.plural(told['webhooks'], 'webhook')}"
        show_line(f"{told['connection']:<12} {words.shown(what, 300)}")
    return code


@asynccontextmanager
async def _opened(
    opened: Opened, connection: str | None, url: str, *, looks: bool = False
) -> AsyncIterator[tuple[Sequence[Webhooks], datetime]]:
    """The connections that can send change signals, or the one that is named; and the time. Who
    only `looks` makes no store."""
    config = opened.config
    base = public_url(config, url)
    if connection is not None and connection not in config.instances:
        raise ConfigError(
            f'no connection "{connection}"', hint=f"Configured: {', '.join(config.instances)}."
        )
    wanted = [config.instances[connection]] if connection is not None else sources_of(config)
    async with open_session(
        config,
        "opsync webhooks",
        exclusive=False,
        redactor=opened.redactor,
        store=store_or_blank(opened) if looks else None,
    ) as session:
        hooks = HookSecrets(config.store, session.runtime.clock)
        for secret in hooks.texts():
            opened.redactor.add(secret)
        made = []
        for instance in wanted:
            connector = (await open_instance(instance, session)).connector
            one = Webhooks(instance, connector, session.store, hooks, base)
            _ = one.source
            made.append(one)
        yield made, session.runtime.clock.now()


def _state(setup: Setup, now: datetime) -> str:
    """How it is, in a few words."""
    if setup.waits_until is not None:
        return f"waits {words.span((setup.waits_until - now).total_seconds())} for {setup.title}"
    if setup.error is not None:
        return "not known"
    if setup.manages:
        return _state_of(setup.own, setup, now)
    if setup.token:
        return f"{'on, its new token ' if setup.signed_by else ''}waits to be verified"
    return _heard(setup, now) if setup.signed_by else "not set up"


def _heard(setup: Setup, now: datetime) -> str:
    return "silent" if setup.untold.silent(now) else "on"


def _state_of(own: Sequence[Registered], setup: Setup, now: datetime) -> str:
    if not own:
        return "on, set up by people" if setup.signed_by == "people" else "not set up"
    if not all(one.enabled for one in own):
        return f"switched off by {setup.title}"
    ends = [one.expires_at for one in own if one.expires_at is not None]
    if not ends:
        return _heard(setup, now)
    days = (min(ends) - now).days
    return f"expires in {words.plural(days, 'day')}" if days >= 0 else "expired"


def _lines(opened: Opened, setup: Setup, now: datetime, *, alone: bool) -> list[str]:
    last = f", last signal {words.ago(setup.last, now)} ago" if setup.last is not None else ""
    state = _state(setup, now)
    lines = [f"{setup.connection:<12} {state}{last}"]
    for one in setup.registered:
        whose = "" if one.own else "  (not opsync's)"
        off = "" if one.enabled else "  off"
        covers = f"  {words.shown(one.covers)}" if one.covers else ""
        address = words.shown(opened.redactor.clean(one.url), 300)
        lines.append(f"{INDENT}{words.shown(one.id, 40)}  {address}{covers}{off}{whose}")
    if setup.error is not None:
        lines.append(f"{INDENT}{words.shown(opened.redactor.clean(str(setup.error)), 500)}")
    if state == "silent" and setup.untold.since is not None:
        reads = words.plural(setup.untold.reads, "read")
        lines.append(
            f"{INDENT}{reads} in {words.ago(setup.untold.since, now)} found changes that no signal "
            f"told: see that {setup.title} reaches {setup.url or 'the service'}"
        )
    if setup.token:
        lines += _to_paste(setup, now) if alone else [_then(setup)]
        return lines
    lines += [f"{INDENT}{number}. {step}" for number, step in enumerate(setup.steps, 1)]
    if setup.waits_until is not None:
        lines.append(_then(setup))
    return lines


def _then(setup: Setup) -> str:
    return f"{INDENT}Then: opsync webhooks list {setup.connection}"


def _to_paste(setup: Setup, now: datetime) -> list[str]:
    came = "" if setup.told_at is None else f", as it came {words.ago(setup.told_at, now)} ago"
    anew = f"opsync webhooks rotate {setup.connection}"
    return [
        f"{INDENT}Paste this into {setup.title}{came}: {setup.token}",
        f"{INDENT}It is verified once {setup.title} signed a change signal with it.",
        f"{INDENT}If {setup.title} refuses it, somebody else sent it: {anew}",
    ]


def _plain(opened: Opened, setup: Setup, now: datetime, *, alone: bool) -> dict[str, Any]:
    return {
        "connection": setup.connection,
        "state": _state(setup, now),
        "url": setup.url,
        "signed_by": setup.signed_by,
        "last_signal": setup.last,
        "waits_until": setup.waits_until,
        "token": setup.token if alone else "",
        "registered": [
            {
                "id": one.id,
                "url": opened.redactor.clean(one.url),
                "enabled": one.enabled,
                "expires_at": one.expires_at,
                "covers": one.covers,
                "own": one.own,
            }
            for one in setup.registered
        ],
        "steps": list(setup.steps),
        "error": "" if setup.error is None else opened.redactor.clean(str(setup.error)),
    }
