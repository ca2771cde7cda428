"""`--allow-removals N` and its like: for one run, more than the configured limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from opsync.cli.common import Opened
from opsync.model import Limits, Measure

_ABOUT = {
    Measure.removals: "For this run: up to N values may be removed in a connection.",
    Measure.creates: "For this run: up to N new values may be written in a connection.",
    Measure.rewrites: "For this run: a value may be written N times within 24 hours.",
    Measure.vanished: "For this run: up to N items may be gone from a connection at once.",
}

ALLOWS = {one: f"--allow-{one.value}" for one in Measure}
"""The flags, as people type them."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a run is allowed over the configured limits."""

    removals: int = 0
    creates: int = 0
    rewrites: int = 0
    vanished: int = 0

    def limits(self, opened: Opened) -> Limits:
        """The limits of the run."""
        return opened.config.limits.raised(
            removals=self.removals,
            creates=self.creates,
            rewrites=self.rewrites,
            vanished=self.vanished,
        )


def limit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The flags, handed on as one `allowed`."""

    @wraps(function)
    def command(**given: Any) -> Any:
        counts = {one.value: given.pop(f"allow_{one.value}") for one in Measure}
        return function(**given, allowed=Allowed(**counts))

    for one in reversed(Measure):
        command = click.option(
            ALLOWS[one],
            type=click.IntRange(min=0),
            default=0,
            metavar="N",
            help=_ABOUT[one],
        )(command)
    return command
