"""What a plan will cost, before it is carried out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import ceil

from msgspec import Struct

from opsync.config import Config
from opsync.contract.connector import Writable
from opsync.http import Limit
from opsync.http.limits import HEAD_ROOM
from opsync.report import Planned

ANSWER_S = 0.4
"""What one request takes; vendors answer in 0.2 to 0.6 s."""


class Estimate(Struct, frozen=True):
    """About how many requests, for how many seconds, and the places whose change people are told
    of ("" : none)."""

    requests: int
    seconds: float
    notifies: tuple[str, ...] = ()


def estimate(config: Config, planned: Sequence[Planned]) -> Estimate:
    """The cost of writing all of `planned`, every connection at its own pace and all at once.

    A connector that takes several targets at once sends them together; else a place that is read
    with its record is written with the record's other places, and each other place by itself
    after one look at the target.
    """
    by_instance: dict[str, list[Planned]] = defaultdict(list)
    for one in planned:
        by_instance[one.change.slot.target.instance].append(one)
    total, longest = 0, 0.0
    notifies: set[str] = set()
    for name, changes in sorted(by_instance.items()):
        instance = config.instances[name]
        class_ = config.plugins.connector(instance.connector)
        if not issubclass(class_, Writable):
            continue
        surfaces = {surface.name: surface for surface in class_.surfaces}
        pulled = {one.name for one in class_.surfaces if one.pulled}
        together = {c.change.slot.target for c in changes if c.change.slot.surface in pulled}
        alone = [c for c in changes if c.change.slot.surface not in pulled]
        looks = len({c.change.slot.target for c in alone})
        if class_.batch > 1:
            requests = looks + ceil(len(changes) / class_.batch)
        else:
            requests = looks + len(together) + len(alone)
        policy = class_.policy(name, instance.settings)
        waits = [_wait_s(requests, one) for one in policy.limits] if policy else []
        longest = max(longest, requests * ANSWER_S / class_.parallel + max(waits, default=0.0))
        total += requests
        notifies |= {
            f"{class_.title} {surfaces[c.change.slot.surface].title}"
            for c in changes
            if c.change.slot.surface in surfaces and surfaces[c.change.slot.surface].notifies
        }
    return Estimate(total, longest, tuple(sorted(notifies)))


def _wait_s(requests: int, limit: Limit) -> float:
    """How long a limit makes so many requests wait: what it lets through at once comes back one
    window later."""
    at_once = limit.per_window * (1 - HEAD_ROOM)
    return (ceil(requests / at_once) - 1) * limit.window_s if at_once else 0.0
