"""`python -m tests.simulation [--service] [SEED ...] [--seeds N] [--first SEED] [--workers N]`."""

from __future__ import annotations

import argparse
import os
import sys

from tests.simulation.playing import Failure, play, play_all, quick_stores, quiet


def main() -> int:
    """Play, and tell what came of it: step by step where seeds are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seed", nargs="*", type=int, help="tell these step by step")
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--service", action="store_true", help="episodes with the service")
    given = parser.parse_args()
    if given.seed:
        return max([_tell(seed, served=given.service) for seed in given.seed])
    seeds = range(given.first, given.first + given.seeds)
    totals, failed = play_all(seeds, workers=given.workers, served=given.service, say=_say)
    if totals.episodes:
        _say(totals.report(len(failed)))
    for one in totals.shortfalls():
        _say(f"note: {one}")
    _say(f"failed seeds: {[one.seed for one in failed]}")
    return 1 if failed else 0


def _tell(seed: int, *, served: bool) -> int:
    told: list[str] = []
    with quiet(), quick_stores():
        found = play(seed, told=told, served=served)
    _say("\n".join(told))
    _say(str(found))
    return 1 if isinstance(found, Failure) else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
