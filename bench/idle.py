"""What the service takes while nothing changes, after a first run over many records.

python -m bench.idle                  10,000 records, five minutes
python -m bench.idle --quick          two minutes; ends 1 where a bound is broken
python -m bench.idle --records 50000 --minutes 15

Its pages were opened once. Four connections, read every two minutes (PostHog every hour), as is the
default. Given is the processor time of all threads: of windows of ten seconds in which nothing was
asked of any tool, and of all the time, reads included.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench.issues import WORDS
from bench.live import Live, living, load, until
from bench.soaking.around import PAGES
from opsync.engine.searched import SEARCHED
from opsync.sandbox.harbor import Harbor

RSS_BOUND_MIB = 128.0
GROWTH_BOUND_MIB = 4.0
QUIET_BOUND = 0.01
"""The share of a core that it may take where nothing is due."""
WINDOW_S = 10.0
PATIENCE_S = 300.0
TEXT_WORDS = 180
HARBOR = 450
"""So many records Harbor has anyway."""


@dataclass(frozen=True)
class Window:
    """What was taken in a while; `reads` are the requests that tools got meanwhile."""

    seconds: float
    processor_s: float
    reads: int
    rss_mib: float


def crowd(world: Harbor, count: int) -> None:
    """Add so many issues to Harbor's Jira, as they grew over the last half year."""
    rng = random.Random(7)
    now = world.jira.now()
    for _ in range(count):
        at = now - timedelta(minutes=rng.randint(600, 250_000))
        world.jira.add_issue(
            rng.choice(("PAY", "MOB")),
            " ".join(rng.choices(WORDS, k=6)),
            description=" ".join(rng.choices(WORDS, k=TEXT_WORDS)),
            created=at,
            updated=at,
        )


def measured(world: Harbor, live: Live, minutes: float) -> list[Window]:
    """Windows one after the other."""
    found = []
    ends = time.monotonic() + minutes * 60
    while time.monotonic() < ends:
        began, before, asked = time.monotonic(), live.processor_s(), _asked(world)
        time.sleep(WINDOW_S)
        found.append(
            Window(
                time.monotonic() - began,
                live.processor_s() - before,
                _asked(world) - asked,
                live.rss_mib(),
            )
        )
    return found


def _asked(world: Harbor) -> int:
    return sum(one.read_requests + one.write_requests for one in world.vendors.values())


def _settled(world: Harbor) -> bool:
    """Whether the first run is over: nobody asks anything any more."""
    before = _asked(world)
    time.sleep(WINDOW_S)
    return before == _asked(world) and world.notion.write_requests > 0


def _searched(live: Live) -> bool:
    """Whether all that was read has been searched for links that nobody made: that comes once, and
    its memory stays."""
    with closing(sqlite3.connect(live.store)) as connection:
        found = connection.execute("SELECT 1 FROM kept WHERE key = ?", (SEARCHED,)).fetchone()
    return found is not None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    minutes = 2.2 if given.quick else given.minutes
    with (
        tempfile.TemporaryDirectory() as folder,
        living(Path(folder), prepare=lambda world: crowd(world, given.records - HARBOR)) as (
            world,
            sandbox,
            live,
        ),
    ):
        live.configure()
        live.start()
        live.register(sandbox)
        if not until(lambda: _settled(world), PATIENCE_S):
            raise SystemExit("the first run did not come to its end")
        if not until(lambda: _searched(live), PATIENCE_S):
            raise SystemExit("nothing was searched")
        for path in PAGES:
            if live.get(path) not in (200, 503):
                raise SystemExit(f"{path} is not shown")
        peak = live.rss_mib("VmHWM")
        windows = measured(world, live, minutes)
        live.stop()
    quiet = [one for one in windows if one.reads == 0]
    share = sum(x.processor_s for x in quiet) / sum(x.seconds for x in quiet)
    whole = sum(x.processor_s for x in windows) / sum(x.seconds for x in windows)
    half = len(windows) // 2
    first, last = (
        statistics.median(x.rss_mib for x in each) for each in (windows[:half], windows[half:])
    )
    print(f"records               {given.records:8d}")
    print(f"memory                {last:8.1f} MiB, {last - first:+.1f} from half to half")
    print(f"at its peak           {peak:8.1f} MiB")
    print(f"nothing due           {share:8.2%} of a core, {len(quiet)} windows")
    print(f"with its reads        {whole:8.2%} of a core, {sum(x.reads for x in windows)} requests")
    print(f"load                  {load():>8}")
    broken = {
        f"over {RSS_BOUND_MIB:g} MiB in use": last > RSS_BOUND_MIB,
        f"memory grows by over {GROWTH_BOUND_MIB:g} MiB": last - first > GROWTH_BOUND_MIB,
        f"over {QUIET_BOUND:.0%} of a core where nothing is due": share > QUIET_BOUND,
    }
    for text in (text for text, is_broken in broken.items() if is_broken):
        print(f"BROKEN: {text}")
    if given.quick and any(broken.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
