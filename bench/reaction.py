"""How long it takes from an edit in one tool to the write in another, with change signals.

python -m bench.reaction             40 edits, one after the other
python -m bench.reaction --quick     12 of them; ends 1 where half take over 2 s
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

from bench.live import living, load, until
from opsync.sandbox.harbor import Harbor

MEDIAN_BOUND_S = 2.0
PATIENCE_S = 30.0
EDITED = ("PAY-118", "MOB-16", "GRO-90", "PAY-44", "PAY-30")
"""Issues below an initiative each: done or not, they are counted in Notion. None of these values is
written more often than `rewrites_a_day` allows."""


def measured(world: Harbor, edits: int) -> list[float]:
    """The seconds of each edit, from when it is made until Notion has the new count."""
    rng = random.Random(7)
    found = []
    for number in range(edits):
        item = EDITED[number % len(EDITED)]
        vendor = world.jira if item.startswith(("PAY", "MOB")) else world.linear
        time.sleep(rng.uniform(1.5, 3.0))  # What the last one caused is over.
        before = world.notion.write_requests
        began = time.monotonic()
        vendor.poke_move(item, "done" if number // len(EDITED) % 2 == 0 else "in_progress")

        def written(before: int = before) -> bool:
            return world.notion.write_requests > before

        if not until(written, PATIENCE_S, 0.005):
            raise SystemExit(f"nothing was written within {PATIENCE_S:g} s after {item}")
        found.append(time.monotonic() - began)
        print(f"{item:<10} {found[-1]:.2f} s", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=40)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    edits = 12 if given.quick else given.edits
    with (
        tempfile.TemporaryDirectory() as folder,
        living(Path(folder)) as (world, sandbox, live),
    ):
        live.configure()
        live.start()
        live.register(sandbox)
        if not until(lambda: world.notion.write_requests > 0, PATIENCE_S):
            raise SystemExit("the first run wrote nothing")
        time.sleep(5.0)
        found = sorted(measured(world, edits))
        live.stop()
    median, late = statistics.median(found), found[int(0.95 * (len(found) - 1))]
    print(f"edits                 {len(found):8d}")
    print(f"half within           {median:8.2f} s")
    print(f"95 of 100 within      {late:8.2f} s")
    print(f"the fastest           {found[0]:8.2f} s")
    print(f"load                  {load():>8}")
    if given.quick and median > MEDIAN_BOUND_S:
        raise SystemExit(f"BROKEN: half took over {MEDIAN_BOUND_S:g} s")


if __name__ == "__main__":
    main()
