"""`python -m tests.verify [PART …] [--full] [--seed N] [--workers N] [--out FILE]`.

Runs the proofs in their small form, or in full, and prints what each of them counted. Ends with 1
where one does not hold.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.simulation.playing import commit
from tests.verify.parts import ONLY_IN_FULL, PARTS, Given


def main() -> int:
    """Run it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.verify", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--seeds", type=int, help="so many episodes")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, help="write what is printed to this file as well")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.part) - PARTS.keys()):
        parser.error(f"no part {', '.join(unknown)}")
    form = "full" if asked.full else "small"
    given = Given(form, asked.workers, asked.seed, asked.seeds)
    told: list[str] = []

    def say(text: str) -> None:
        told.append(text)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    say(f"{form}, {datetime.now(UTC):%Y-%m-%d}, commit {commit()}, seed {asked.seed}")
    good = True
    for name in asked.part or [one for one in PARTS if asked.full or one not in ONLY_IN_FULL]:
        begun = time.monotonic()
        say(f"\n{name}")
        held = PARTS[name](given, say)
        say(f"{name}: {'held' if held else 'NOT HELD'}, {time.monotonic() - begun:.0f} s")
        good &= held
    if asked.out is not None:
        asked.out.write_text("\n".join(told) + "\n", encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
