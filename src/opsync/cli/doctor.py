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
    print_json,
    run_async,
    store_option,
    store_or_blank,
)
from opsync.cli.findings import (
    NAMED,
    alarm_checks,
    metric_checks,
    pause_check,
    rule_check,
    set_aside,
    team_check,
    without_item,
)
from opsync.cli.screen import show, signed, styled
from opsync.contract.examining import Check
from opsync.engine.checkup import (
    examine_rules,
    examine_teams,
    names_without_item,
)
from opsync.engine.lookup import Lookup
from opsync.engine.metriccheck import examine_metrics
from opsync.engine.session import open_session
from opsync.engine.untold import alarms
from opsync.engine.veil import Veil
from opsync.errors import ConfigError, NoStore, StoreError
from opsync.runtime import SystemClock
from opsync.store import Store


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

    Writes nothing anywhere, and makes no store where there is none yet. Exits with 3 when a tool
    refuses a sign-in, with 5 when the store is unusable, with 1 when another test fails.

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
            await self._examine(only)
        except StoreError as error:
            self._tell("store", Check("File", "fail", error.message, error.hint))
            self._code = error.exit_code
        if self._as_json:
            print_json(self._rows)
        return self._code

    async def _examine(self, only: frozenset[str]) -> None:
        opened = self._opened
        async with open_session(
            opened.config,
            "opsync doctor",
            exclusive=False,
            redactor=opened.redactor,
            store=store_or_blank(opened),
        ) as session:
            async for name, check in session.doctor(only):
                self._tell(name, check)
                if check.state == "fail" and check.sign_in:
                    self._code = 3
            await self._watch(session.store)
            await self._store(session.store)

    async def _watch(self, store: Store) -> None:
        config = self._opened.config
        wrong = await alarms(config, store, SystemClock().now())
        read = any(one.completed_at for one in await store.cursors())
        paused = (await store.pauses()).found
        for check in alarm_checks(wrong, config, read=read):
            self._tell("watch", check)
        for one in sorted(paused, key=lambda one: one.instance):
            self._tell("watch", pause_check(one, SystemClock().now()))

    async def _store(self, store: Store) -> None:
        config = self._opened.config
        if config.store.exists():
            await store.check()
            counts = await store.counts()
            items = sum(count for name, count in counts.items() if name.startswith("records."))
            held = f"{words.plural(items, 'item')}, {words.plural(counts['links'], 'link')}"
            self._tell("store", Check("File", "ok", f"Sound: {held}."))
        else:
            none = NoStore(config.store)
            self._tell("store", Check("File", "warn", none.message, none.hint))
        look = Lookup(config, store)
        veil = Veil(look)
        if aside := await store.quarantine():
            named = [f"{o.ref}: {await veil.aside(o.ref, o.reason)}" for o in aside[:NAMED]]
            self._tell("store", set_aside(len(aside), named))
        if names := await names_without_item(store, veil):
            self._tell("store", without_item(names))
        for finding in await examine_rules(config, store):
            self._tell("rules", rule_check(finding))
        for metrics in await examine_metrics(config, look):
            for check in metric_checks(metrics):
                self._tell("adoption", check)
        for team in await examine_teams(config, store):
            self._tell("teams", team_check(team))

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
        hints = check.hint.splitlines() if check.state != "ok" else []
        signed(
            check.state,
            f"{words.shown(check.title, 60)}{said}",
            [words.shown(clean(line), 500) for line in hints],
        )
