"""Run episodes: `python -m tests.simulation [SEED ...] [--seeds N] [--first SEED] [--jobs N]`."""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from pathlib import Path

import structlog

from tests.simulation.episode import Episode
from tests.simulation.tally import Totals
from tests.simulation.templates import quick_stores


def main() -> int:
    """Play, and tell what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seed", nargs="*", type=int)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    seeds = given.seed or list(range(given.first, given.first + given.seeds))
    totals, failed = Totals(), []
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began = time.perf_counter()
    with quick_stores():
        for seed in seeds:
            folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
            episode = Episode(seed, folder)
            try:
                totals.add(episode.play())
            except BaseException as error:
                failed.append(seed)
                if given.seed:
                    print("\n".join(episode.told))
                    raise
                print(f"seed {seed}: {type(error).__name__}: {str(error)[:1500]}", flush=True)
            finally:
                shutil.rmtree(folder)
            if given.seed:
                print("\n".join(episode.told))
    if totals.episodes:
        print(totals.report())
    print(f"{time.perf_counter() - began:.1f} s; failed {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
