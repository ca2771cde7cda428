"""What simulated episodes add up to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median_low

NUMBERS = (
    *("F01", "F02", "F03", "F04", "F05", "F06", "F07", "F08", "F09", "F10", "F12", "F14"),
    *("F15", "F17", "F18", "F19", "F20", "F21", "F22", "F23", "F24", "F25", "F26", "F27", "F28"),
    *("F29", "F30", "F31", "F32", "F33", "F35", "F36", "F37", "F38", "F39", "F40", "F42", "F45"),
    *("lost store", "undo", "undo died"),
)
"""The faults that simulation injects."""
SERVED = (
    *("F43 lost", "F43 late", "F43 doubled", "F43 disordered", "F43 burst"),
    *("F44 forged", "F44 replayed", "F44 large", "F44 slow", "F44 nobody"),
    *("F15", "F17", "F45", "F47", "reload", "pause", "undo"),
)
"""Those that it injects besides, or above all, where the service runs."""
ENOUGH = 20
"""So often at least each of them fires in a whole run."""
FLOORS = {"calls": 100, "runs": 8, "faults": 10, "kinds": 5, "crashes": 1, "edits": 2}
"""What the median episode has at least."""
SERVED_SHARE = 8
"""With the service each of them fires once at least in so many episodes."""
SERVED_FLOORS = {"calls": 300, "runs": 4, "faults": 15, "kinds": 6, "edits": 8}


@dataclass
class Tally:
    """One episode."""

    seed: int
    calls: int = 0
    writes: int = 0
    runs: int = 0
    crashes: int = 0
    edits: int = 0
    hands: int = 0
    loose: int = 0
    checks: int = 0
    virtual_s: float = 0.0
    healed_in: int = 0
    fired: Counter[str] = field(default_factory=Counter)

    @property
    def faults(self) -> int:
        """All that went wrong."""
        return self.fired.total()

    @property
    def kinds(self) -> int:
        """In how many different ways."""
        return len(self.fired)


@dataclass
class Totals:
    """Many episodes."""

    episodes: list[Tally] = field(default_factory=list)
    served: bool = False
    """Whether they are episodes with the service, which are fewer."""

    def add(self, one: Tally) -> None:
        """Count one more."""
        self.episodes.append(one)

    @property
    def fired(self) -> Counter[str]:
        """How often each fault fired."""
        return sum((one.fired for one in self.episodes), Counter())

    def shortfalls(self) -> list[str]:
        """What these episodes lack to prove anything; empty where nothing."""
        fired = self.fired
        enough = ENOUGH if not self.served else max(1, len(self.episodes) // SERVED_SHARE)
        found = [
            f"{number} fired {fired[number]} times, fewer than {enough}"
            for number in (SERVED if self.served else NUMBERS)
            if fired[number] < enough
        ]
        for name, least in (SERVED_FLOORS if self.served else FLOORS).items():
            usual = median_low([getattr(one, name) for one in self.episodes])
            if usual < least:
                found.append(f"the median episode has {usual} {name}, fewer than {least}")
        return found

    def report(self, violations: int) -> str:
        """The counts, as people read them, beside those episodes that broke a promise."""
        total = {
            name: sum(getattr(one, name) for one in self.episodes)
            for name in ("calls", "writes", "runs", "crashes", "edits", "hands", "loose", "checks")
        }
        days = sum(one.virtual_s for one in self.episodes) / 86_400
        fired = self.fired
        usual = {name: median_low([getattr(one, name) for one in self.episodes]) for name in FLOORS}
        healed = Counter(one.healed_in for one in self.episodes)
        lines = [
            f"episodes      {len(self.episodes):,}, {days:,.0f} virtual days",
            f"runs          {total['runs']:,}, of which {total['crashes']:,} died",
            f"vendor calls  {total['calls']:,}, of which {total['writes']:,} writes",
            f"people        {total['edits']:,} edits of their own work",
            f"              {total['hands']:,} of opsync's, {total['loose']:,} while it was blind",
            f"checks        {total['checks']:,} of invariants, {violations:,} violations",
            "converged     " + ", ".join(f"after {n}: {c:,}" for n, c in sorted(healed.items())),
            f"median        {', '.join(f'{n} {name}' for name, n in usual.items())}",
            "faults        " + ", ".join(f"{n} {fired[n]:,}" for n in sorted(fired)),
        ]
        return "\n".join(lines)
