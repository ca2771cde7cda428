"""What `/readyz` and `/metrics` are told of the running service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsync.service.health import Health, Troubles
from opsync.service.running import Service
from opsync.service.standing import Standing, by_outcome, standing_of
from opsync.steps.watching import watched
from opsync.watch import Alarm

_STORE = "store"
_BROKE = {
    "decide": "what is to be written cannot be decided",
    "write": "a round of writing broke off",
}
"""What the kinds of the service's own troubles are in words."""


def nothing() -> Iterable[tuple[str, str, int]]:
    """What a service counts that has no receiver of change signals."""
    return ()


@dataclass(frozen=True)
class Vital:
    """One service, as `health` and `standing` ask for it; what it works with may change meanwhile.

    `refused` says why the last reload was refused, `deliveries` is the receiver's `Counters.rows`.
    """

    service: Service
    refused: Callable[[], str]
    deliveries: Callable[[], Iterable[tuple[str, str, int]]] = nothing

    def now(self) -> datetime:
        """The time."""
        return self.service.session.runtime.clock.now()

    def troubles(self) -> Troubles:
        """What is wrong besides the connections."""
        trouble = self.service.trouble
        others = [what for what in trouble if what != _STORE]
        infos = self.service.session.config.plugins.infos
        return Troubles(
            reload=self.refused(),
            store=trouble.get(_STORE, ""),
            plugins=tuple(one.name for one in infos if one.state == "failed"),
            others=tuple(f"{_BROKE.get(one, one)}: {trouble[one]}" for one in others),
        )

    async def answers(self) -> None:
        """Have the store answer something."""
        await self.service.session.store.answers()

    async def alarms(self) -> Sequence[Alarm]:
        """What is wrong with connections."""
        session = self.service.session
        return await watched(session.config, session.store, self.now())

    async def standing(self) -> Standing:
        """How it stands as of now."""
        session = self.service.session
        return await standing_of(
            session.config,
            session.store,
            self.now(),
            ready=not await Health(self).reasons(),
            queued=sum(self.service.nudges.waiting.values()),
            deliveries=by_outcome(self.deliveries()),
        )
