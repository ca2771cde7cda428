"""What became of deliveries: counted all, told in the log seldom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from opsync.log import get_logger
from opsync.runtime import Clock

EVERY_S = 60.0
"""One reason at one instance is told in the log so often at most."""


@dataclass(slots=True)
class Counters:
    """How many deliveries came to which end, by instance ("" where they named none that is here).

    They only grow. An instance's name is one of the configuration's, never a sender's word.
    """

    accepted: Counter[str] = field(default_factory=Counter)
    """New, kept, and told on."""
    duplicate: Counter[str] = field(default_factory=Counter)
    """Known by its id or its body: answered as arrived, without effect."""
    handshake: Counter[str] = field(default_factory=Counter)
    """The tool's own secret, taken while a person waited for it."""
    forged: Counter[str] = field(default_factory=Counter)
    """Not signed by one of the secrets (401)."""
    stale: Counter[str] = field(default_factory=Counter)
    """Signed, and sent too long ago: answered as arrived, without effect."""
    oversized: Counter[str] = field(default_factory=Counter)
    """A body over the bound (413)."""
    slow: Counter[str] = field(default_factory=Counter)
    """A head or a body that did not come in time (408), or was broken off."""
    malformed: Counter[str] = field(default_factory=Counter)
    """Signed, and not to be read (400)."""
    unknown: Counter[str] = field(default_factory=Counter)
    """For an instance that is not here or takes no signals (404)."""
    method: Counter[str] = field(default_factory=Counter)
    """Not sent by POST, as all deliveries are (405)."""
    limited: Counter[str] = field(default_factory=Counter)
    """From an address that had too many refused (429)."""
    failed: Counter[str] = field(default_factory=Counter)
    """Not kept for a fault on this side: the tool is asked to repeat it (503)."""

    def count(self, end: str, instance: str) -> None:
        """One more came to this end, a name of this class's."""
        counter: Counter[str] = getattr(self, end)
        counter[instance] += 1

    def rows(self) -> Iterator[tuple[str, str, int]]:
        """End, instance and number, of all that are not zero."""
        for one in fields(self):
            counter: Counter[str] = getattr(self, one.name)
            for instance, number in sorted(counter.items()):
                yield one.name, instance, number

    def totals(self) -> dict[str, int]:
        """The number by end, of all instances together, zeros included."""
        return {one.name: getattr(self, one.name).total() for one in fields(self)}


class Reports:
    """Lines in the log about deliveries that were refused: a flood of them is a few lines."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[tuple[str, str], float] = {}
        self._untold: Counter[tuple[str, str]] = Counter()

    def refused(self, reason: str, instance: str, source: str, why: str) -> None:
        """`delivery.refused`, with how many of the same kind were not told before it."""
        if (left_out := self._due(reason, instance)) is not None:
            get_logger().warning(
                "delivery.refused",
                instance=instance,
                reason=reason,
                why=why,
                source=source,
                left_out=left_out,
            )

    def failed(self, instance: str, error: Exception, *, ours: bool) -> None:
        """`delivery.failed`: not kept. `ours` tells a defect, with its traceback."""
        if (left_out := self._due("failed", instance)) is not None:
            get_logger().error(
                "delivery.failed",
                instance=instance,
                why=str(error),
                left_out=left_out,
                exc_info=error if ours else None,
            )

    def _due(self, reason: str, instance: str) -> int | None:
        key = (reason, instance)
        now = self._clock.monotonic()
        if now - self._told.get(key, -EVERY_S) < EVERY_S:
            self._untold[key] += 1
            return None
        self._told[key] = now
        return self._untold.pop(key, 0)
