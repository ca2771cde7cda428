"""`opsync doctor`: test every connection and the store, and say what mends what is wrong."""

from __future__ import annotations

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
    open_store,
    print_json,
    run_async,
    store_option,
)
from opsync.cli.screen import show, styled
from opsync.contract.connector import Check
from opsync.engine.session import open_session
from opsync.errors import ConfigError, StoreError

SIGNS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}
NAMED = 5


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Test this connection only. Repeat.")
@json_option
@config_option
@store_option
@log_option
def doctor(
    only: tuple[str, ...],
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """Test every connection and the store, and say what mends what is wrong.

    Writes nothing anywhere. Exits with 3 when a tool refuses a sign-in, with 5 when the store is
    unusable, with 1 when another test fails.

    With --json: [{"connection", "check", "state": "ok" | "warn" | "fail", "message", "hint"}].
    """
    opened = open_config(config_path, store=store, log_level=log_level)
    unknown = sorted(set(only) - opened.config.instances.keys())
    if unknown:
        raise ConfigError(
            f'no connection "{unknown[0]}"',
            hint=f"Configured: {', '.join(opened.config.instances)}.",
        )
    return run_async(_Doctor(opened, as_json).all(frozenset(only)))


class _Doctor:
    """Runs the checks, tells each as it is done, and remembers what they come to."""

    def __init__(self, opened: Opened, as_json: bool) -> None:
        self._opened = opened
        self._as_json = as_json
        self._rows: list[dict[str, Any]] = []
        self._code = 0
        self._under = ""

    async def all(self, only: frozenset[str]) -> int:
        for info in self._opened.config.plugins.infos:
            if info.state == "failed":
                self._tell("plugins", Check(info.name, "fail", info.why, "opsync plugins"))
        try:
            await self._connections(only)
            await self._store()
        except StoreError as error:
            self._tell("store", Check("file", "fail", error.message, error.hint))
            self._code = error.exit_code
        if self._as_json:
            print_json(self._rows)
        return self._code

    async def _connections(self, only: frozenset[str]) -> None:
        opened = self._opened
        async with open_session(
            opened.config, "opsync doctor", exclusive=False, redactor=opened.redactor
        ) as session:
            async for name, check in session.doctor(only):
                self._tell(name, check)
                if check.state == "fail" and check.sign_in:
                    self._code = 3

    async def _store(self) -> None:
        async with open_store(self._opened) as store:
            await store.check()
            counts = await store.counts()
            items = sum(count for name, count in counts.items() if name.startswith("records."))
            sound = f"sound: {words.plural(items, 'item')}, {words.plural(counts['links'], 'link')}"
            self._tell("store", Check("file", "ok", sound))
            if aside := await store.quarantine():
                named = "; ".join(f"{one.ref}: {one.reason}" for one in aside[:NAMED])
                self._tell(
                    "store",
                    Check(
                        "set aside",
                        "warn",
                        f"{words.plural(len(aside), 'item')} could not be read: {named}",
                        "Each is tried again when it changes; read all again: opsync sync --full",
                    ),
                )
            if lost := await store.unresolved():
                # What stands in a column is more likely meant than a word in a text.
                lost.sort(key=lambda one: not one[1].property)
                names = list(dict.fromkeys(mention.text or mention.alias for _, mention in lost))
                self._tell(
                    "store",
                    Check(
                        "names without an item",
                        "warn",
                        f"{words.plural(len(names), 'key or address', 'keys or addresses')} "
                        f"that no item has: {', '.join(names[:NAMED])}"
                        + (" …" if len(names) > NAMED else ""),
                        f"See who names one: opsync explain {names[0]}",
                    ),
                )

    def _tell(self, name: str, check: Check) -> None:
        if check.state == "fail":
            self._code = self._code or 1
        row = {
            "connection": name,
            "check": check.title,
            "state": check.state,
            "message": check.message,
            "hint": check.hint,
        }
        self._rows.append(row)
        if self._as_json:
            return
        if name != self._under:
            self._under = name
            show(styled((name, "bold")))
        clean = self._opened.redactor.clean
        said = f": {words.shown(clean(check.message), 500)}" if check.message else ""
        show(styled("  ", SIGNS[check.state], f" {words.shown(check.title, 60)}{said}"))
        if check.hint and check.state != "ok":
            for line in check.hint.splitlines():
                show(styled(f"      {words.shown(clean(line), 500)}"))
