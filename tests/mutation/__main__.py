"""`python -m tests.mutation [TARGET …] [--jobs N] [--only TEXT] [--near]`: the score, and what
survived.

Ends with 1 where a change survives in a target that is mended, and with 2 where tests fail without
any change.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.mutation.mutants import Mutant, mutants
from tests.mutation.running import ROOT, Job, judge, module_of
from tests.mutation.targets import Target, equivalents, targets


def main(arguments: list[str] | None = None) -> int:
    """Run it; returns the exit code."""
    known = targets()
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("target", nargs="*", help=f"of {', '.join(known)}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="changes whose name holds this text")
    parser.add_argument("--near", action="store_true", help="run the tests near it only")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.target) - known.keys()):
        parser.error(f"no target {', '.join(unknown)}")
    code = 0
    for name in given.target or known:
        try:
            code = max(code, score(known[name], given.jobs, given.only, near_only=given.near))
        except RuntimeError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
    return code


def score(target: Target, jobs: int, only: str = "", *, near_only: bool = False) -> int:
    """Print one target's score; returns its exit code. RuntimeError: it cannot be judged."""
    begun = time.monotonic()
    same = equivalents()
    found = [
        one
        for file in target.files
        for one in mutants((ROOT / file).read_text(encoding="utf-8"), file)
        if only in one.name
    ]
    judged = [one for one in found if one.name not in same]
    left, late = judged, 0
    for tests in (target.near, [] if near_only else target.further):
        if left and tests:
            ran = judge([_job(one) for one in left], tests, jobs)
            if broken := [name for name, one in ran.items() if one.state == "broken"]:
                raise RuntimeError(f"no test could be run with {broken[0]}")
            late += sum(one.state == "late" for one in ran.values())
            left = [one for one in left if ran[one.name].state == "passed"]
    killed = len(judged) - len(left)
    share = 100.0 * killed / len(judged) if judged else 100.0
    print(
        f"{target.name}: {killed} of {len(judged)} changes noticed ({share:.1f} %), "
        f"{late} of them by the time they took; {len(found) - len(judged)} more change nothing "
        f"that it does; {time.monotonic() - begun:.0f} s",
        flush=True,
    )
    for one in left:
        print(f"  survived: {one.file}:{one.line} {one.where}: {one.change}", flush=True)
    return 1 if left and target.mended else 0


def _job(one: Mutant) -> Job:
    source = (ROOT / one.file).read_text(encoding="utf-8")
    path = () if one.where == "module" else tuple(one.where.split("."))
    return Job(one.name, module_of(one.file), source, path, lambda: one.tree(source))


if __name__ == "__main__":
    sys.exit(main())
