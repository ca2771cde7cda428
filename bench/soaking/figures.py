"""What the service takes while it works: memory, descriptors, disk, and how late its loop is."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field

from bench.live import Live

RSS_BOUND_MIB = 192.0
GROWTH_BOUND_MIB = 6.0
"""So much more may be in use in the last third of a long soak than in the second."""
DESCRIPTORS_GROWTH = 8
WAL_BOUND_MIB = 32.0
LAG_BOUND_S = 1.0


@dataclass(frozen=True)
class Sample:
    """One look at it."""

    at: float
    rss_mib: float
    descriptors: int
    wal_mib: float


@dataclass
class Figures:
    """Looks, in the order in which they were taken."""

    live: Live
    samples: list[Sample] = field(default_factory=list)
    lag_s: float = 0.0

    def take(self) -> None:
        """Look once more."""
        live = self.live
        self.samples.append(
            Sample(time.monotonic(), live.rss_mib(), live.descriptors(), live.wal_mib())
        )

    def growth_mib(self) -> float:
        """How much more memory was in use in the last third than in the second."""
        second, last = self._thirds()
        return statistics.median(x.rss_mib for x in last) - statistics.median(
            x.rss_mib for x in second
        )

    def opened(self) -> int:
        """How many more descriptors were open."""
        second, last = self._thirds()
        return min(x.descriptors for x in last) - min(x.descriptors for x in second)

    def _thirds(self) -> tuple[list[Sample], list[Sample]]:
        size = max(1, len(self.samples) // 3)
        return self.samples[-2 * size : -size] or self.samples, self.samples[-size:]

    def judged(self, *, long: bool) -> list[str]:
        """The bounds that are broken. Growth says something after a while only."""
        self.lag_s = lag_quantile(self.live.metrics(), 0.99)
        most = max(one.rss_mib for one in self.samples)
        wal = max(one.wal_mib for one in self.samples)
        broken = {
            f"{most:.0f} MiB in use": most > RSS_BOUND_MIB,
            f"memory grew by {self.growth_mib():.1f} MiB": long
            and self.growth_mib() > GROWTH_BOUND_MIB,
            f"{self.opened()} more descriptors are open": long
            and self.opened() > DESCRIPTORS_GROWTH,
            f"the store's log of pages grew to {wal:.0f} MiB": wal > WAL_BOUND_MIB,
            f"1 of 100 times the loop was over {LAG_BOUND_S:g} s late": self.lag_s > LAG_BOUND_S,
        }
        return [text for text, is_broken in broken.items() if is_broken]

    def show(self) -> None:
        """Print them."""
        rss = [one.rss_mib for one in self.samples]
        opened = [one.descriptors for one in self.samples]
        print(
            f"memory                {rss[-1]:8.1f} MiB, {max(rss):.1f} at most, "
            f"{self.growth_mib():+.1f} from the second third to the last"
        )
        print(f"descriptors           {opened[-1]:8d}, {max(opened)} at most")
        print(f"log of pages          {max(x.wal_mib for x in self.samples):8.1f} MiB at most")
        print(f"99 of 100 loop lags   {self.lag_s * 1000:8.0f} ms or less")


def lag_quantile(metrics: dict[str, float], share: float) -> float:
    """The bound of the bucket in which so many of the loop's lags are."""
    name = 'opsync_loop_lag_seconds_bucket{le="'
    found = [
        (float(key.removeprefix(name).rstrip('"}').replace("+Inf", "inf")), count)
        for key, count in metrics.items()
        if key.startswith(name)
    ]
    found.sort()
    if not found:
        return float("inf")
    wanted = found[-1][1] * share
    return next(bound for bound, count in found if count >= wanted)
