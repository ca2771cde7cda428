"""How far a pass has come: a bar with an estimate on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from opsync.contract.hookspecs import hookimpl
from opsync.model import Change, Outcome

if TYPE_CHECKING:
    from opsync.plugins import Plugins
    from opsync.runtime import Clock
    from opsync.stages.pulling import Progress

PLAIN_EVERY_S = 5.0
"""Seconds between two plain lines of one connection."""


@contextmanager
def progress(plugins: Plugins, clock: Clock, *, writes: bool) -> Iterator[Progress]:
    """Show the reading of each connection and the writing on standard error, and nothing after."""
    if not sys.stderr.isatty():
        yield _plain(clock)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks = {}

    def told(instance: str, read: int, expected: int | None) -> None:
        if instance not in tasks:
            tasks[instance] = bars.add_task(f"reading {instance}", total=None)
        total = max(expected, read) if expected is not None else None
        bars.update(tasks[instance], completed=read, total=total)

    writing = _Writing(bars) if writes else None
    with bars:
        if writing is not None:
            plugins.manager.register(writing)
        try:
            yield told
        finally:
            if writing is not None:
                plugins.manager.unregister(writing)


class _Writing:
    """Counts planned changes and outcomes as any plugin may, for the bar of the writing."""

    def __init__(self, bars: object) -> None:
        from rich.progress import Progress as Bars

        assert isinstance(bars, Bars)
        self._bars = bars
        self._planned = 0
        self._task = bars.add_task("writing", total=None, visible=False)

    @hookimpl(trylast=True)
    def veto_change(self, change: Change) -> str | None:
        self._planned += 1
        return None

    @hookimpl
    def change_applied(self, change: Change, outcome: Outcome) -> None:
        self._bars.update(self._task, advance=1, total=self._planned, visible=True)


def _plain(clock: Clock) -> Progress:
    last: dict[str, float] = {}

    def told(instance: str, read: int, expected: int | None) -> None:
        now = clock.monotonic()
        if now - last.setdefault(instance, now) >= PLAIN_EVERY_S:
            last[instance] = now
            of = f" of about {expected:,}" if expected else ""
            click.echo(f"{instance}: {read:,}{of} read", err=True)

    return told
