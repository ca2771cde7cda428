"""`python -m tests.planted [NAME …] [--jobs N] [--docs]`: plant each mistake, and see it noticed.

Ends with 1 where one is not noticed, does not apply, or breaks what it is planted into; with 2
where the tests fail without any. `--docs` writes docs/planted-bugs.md by what was found.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue

from tests.planted import page
from tests.planted.catalog import ROOT, Bug, DoesNotApply, bugs
from tests.planted.planting import Copy, Found


def main(
    arguments: Sequence[str] | None = None,
    *,
    root: Path = ROOT,
    known: Sequence[Bug] | None = None,
) -> int:
    """Run it; returns the exit code."""
    catalog = list(known if known is not None else bugs())
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("name", nargs="*", help="mistakes to plant; all if none is named")
    parser.add_argument("--jobs", type=int, default=2, help="so many at once")
    parser.add_argument("--docs", action="store_true", help="write docs/planted-bugs.md")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.name) - {one.name for one in catalog}):
        parser.error(f"no mistake {', '.join(unknown)}")
    chosen = [one for one in catalog if not given.name or one.name in given.name]
    begun = time.monotonic()
    with _copies(root, max(1, min(given.jobs, len(chosen)))) as copies:
        if complaint := _unfit(copies, chosen):
            print(complaint, file=sys.stderr)
            return 2
        found = _plant_all(copies, chosen)
    took = time.monotonic() - begun
    bad = [one for one in found if one.state != "caught"]
    near = sum(one.near for one in found)
    print(
        f"{len(found) - len(bad)} of {len(found)} were noticed, {near - len(bad)} of them by the "
        f"tests nearest to them; {took:.0f} s"
    )
    for one in bad:
        print(f"NOT NOTICED: {one.bug.name} ({one.state}) {one.by}", file=sys.stderr)
    if given.docs:
        _write_page(catalog, found, took)
    return 1 if bad else 0


@contextmanager
def _copies(root: Path, count: int) -> Iterator[list[Copy]]:
    with tempfile.TemporaryDirectory(prefix="planted-") as scratch:
        yield [Copy(root, Path(scratch, str(at))) for at in range(count)]


def _unfit(copies: Sequence[Copy], chosen: Sequence[Bug]) -> str:
    """Why no result would mean anything; "" if each means something."""
    for copy in copies:
        if not Path(copy.imported()).is_relative_to(copy.here):
            return f"the program is imported from {copy.imported()}, not from the copy"
    tests = sorted({test for one in chosen for test in one.tests})
    ended = copies[0].passes([*tests, f"-n{len(copies)}"])
    return "" if ended.code == 0 else f"tests fail without any mistake:\n{ended.said}"


def _plant_all(copies: Sequence[Copy], chosen: Sequence[Bug]) -> list[Found]:
    """Plant each in the copy that is free, and tell of each as it ends."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def one(bug: Bug) -> Found:
        copy = free.get()
        try:
            found = copy.plant(bug)
        except DoesNotApply as error:
            found = Found(bug, "broken", str(error))
        finally:
            free.put(copy)
        where = "" if found.near else " (none of the nearest)"
        print(
            f"{found.state:8} {bug.name:34} {found.seconds:5.1f} s  {found.by}{where}", flush=True
        )
        return found

    with ThreadPoolExecutor(len(copies)) as pool:
        return list(pool.map(one, chosen))


def _write_page(catalog: Sequence[Bug], found: Sequence[Found], took: float) -> None:
    """Write the page: what was planted now, and of the others what it said before."""
    said = page.PAGE.read_text(encoding="utf-8") if page.PAGE.exists() else ""
    by = {name: test for name, (_, _, test) in page.rows(said).items()}
    for one in found:
        by.pop(one.bug.name, None)
        if one.state == "caught":
            by[one.bug.name] = one.by
    run = page.last_run(said)
    if len(found) == len(catalog):
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        day = datetime.now(UTC).date().isoformat()
        run = page.of_run(day, commit or "no commit", len(found), took)
    page.PAGE.write_text(page.written(catalog, by, run), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
