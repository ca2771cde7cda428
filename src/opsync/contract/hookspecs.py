"""All of opsync's extension points. A plugin implements any of them with `@opsync.hookimpl`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

import pluggy

from opsync.contract.connector import Connector
from opsync.model import Change, Health, Outcome, Record, Rollup

if TYPE_CHECKING:
    from opsync.report import PassReport

NAMESPACE = "opsync"

hookspec = pluggy.HookspecMarker(NAMESPACE)
hookimpl = pluggy.HookimplMarker(NAMESPACE)

LinkRule: TypeAlias = Callable[[Record], Iterable[str]]
"""Further aliases (keys, ids) that a record names, in ways its connector does not know of."""

HealthRule: TypeAlias = Callable[[Record, Rollup, date], "tuple[Health, str] | None"]
"""Health and its reason for a root, its numbers and the date; None leaves it to the default."""


class OpsyncHooks:
    """The hooks, in the order in which a pass calls them."""

    @hookspec
    def register_connectors(self) -> Iterable[type[Connector[Any]]]:
        """Name the connectors that this plugin brings. Called once, when it is loaded."""
        raise NotImplementedError

    @hookspec
    def register_link_rules(self) -> Iterable[LinkRule]:
        """Name further rules that find links. Each is called for every record that changed."""
        raise NotImplementedError

    @hookspec
    def register_rollups(self) -> Iterable[HealthRule]:
        """Name further rules for health. The first that answers for a root decides."""
        raise NotImplementedError

    @hookspec(firstresult=True)
    def veto_change(self, change: Change) -> str | None:
        """Say why a planned change must not be written; None lets it pass."""

    @hookspec
    def change_applied(self, change: Change, outcome: Outcome) -> None:
        """Be told of each write that was tried."""

    @hookspec
    def pass_finished(self, report: PassReport) -> None:
        """Be told of the end of a pass, with its counts."""
