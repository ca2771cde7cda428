"""Measures how good suggestions are, and what they cost against the bare minimum.

python -m bench.suggest             500 initiatives, 100,000 items, 3 rounds
python -m bench.suggest --quick     500 × 20,000; ends 1 where a bound is broken

The bare minimum reads the same items and cuts their titles into words, nothing else. Each program
runs in a process of its own; both read the items one by one from a file.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from opsync.model import Ref, Suggestion
from opsync.suggest import Matcher, Side, choose

RATIO_BOUND = 15.0
"""Suggestions may take so many times the processor time of the bare minimum."""
MEMORY_BOUND_MIB = 160.0
PRECISION_BOUND, RECALL_BOUND = 0.95, 0.8
ROOT = Path(__file__).parent.parent
_WORD = re.compile(r"[^\W_]+")
_decode = msgspec.json.Decoder(Side).decode


def read(path: Path) -> Iterator[Side]:
    """The sides in a file, one a line."""
    with path.open("rb") as file:
        for line in file:
            yield _decode(line)


def minimum(folder: Path) -> list[Suggestion]:
    """Read every item and cut its title into words."""
    words = 0
    for side in read(folder / "work"):
        words += len(_WORD.findall(side.title.lower()))
    assert words
    return []


def suggestions(folder: Path) -> list[Suggestion]:
    """What `opsync links suggest` computes, without the store."""
    matcher = Matcher(read(folder / "initiatives"))
    for side in read(folder / "work"):
        matcher.add(side)
    above = msgspec.json.decode((folder / "above").read_bytes(), type=dict[str, list[Ref]])
    return choose(matcher.matches(), above={Ref.parse(k): set(v) for k, v in above.items()})


PROGRAMS = {"minimum": minimum, "suggestions": suggestions}


def generate(
    folder: Path, initiatives: int, items: int, seed: int
) -> dict[str, set[frozenset[Ref]]]:
    """Write a company into `folder`. Returns the true pairs by kind."""
    from bench.company import Generator

    company = Generator(initiatives, items, seed).company()
    for name, sides in (("initiatives", company.initiatives), ("work", company.work)):
        with (folder / name).open("wb") as file:
            file.writelines(msgspec.json.encode(side) + b"\n" for side in sides)
    above = {str(ref): sorted(over) for ref, over in company.above.items()}
    (folder / "above").write_bytes(msgspec.json.encode(above))
    return {"member": {frozenset(pair) for pair in company.members}, "same": company.same}


def measure(name: str, folder: Path) -> dict[str, float]:
    """Run one program in a process of its own; it leaves what it found in the folder."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.suggest", "--run", name, str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def run(name: str, folder: Path) -> None:
    """The measured process."""
    started = time.process_time()
    found = PROGRAMS[name](folder)
    spent = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if found:
        (folder / "found").write_bytes(msgspec.json.encode(found))
    print(json.dumps({"cpu_s": spent, "peak_mib": peak}))


def quality(
    folder: Path, truth: dict[str, set[frozenset[Ref]]]
) -> dict[str, tuple[float, float, int]]:
    """Precision, recall and how many there are in truth, by kind of pair."""
    found = msgspec.json.decode((folder / "found").read_bytes(), type=list[Suggestion])
    result = {}
    for kind, true in truth.items():
        pairs = {frozenset((one.one, one.two)) for one in found if one.kind == kind}
        right = len(pairs & true)
        result[kind] = (right / max(1, len(pairs)), right / max(1, len(true)), len(true))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--initiatives", type=int, default=500)
    parser.add_argument("--items", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="20,000 items, and check the bounds")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run(options.run[0], Path(options.run[1]))
        return
    items = options.items or (20_000 if options.quick else 100_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = generate(folder, options.initiatives, items, options.seed)
        results: dict[str, list[dict[str, float]]] = {each: [] for each in PROGRAMS}
        for _ in range(options.rounds):
            for each, figures in results.items():
                figures.append(measure(each, folder))
        found = quality(folder, truth)
    # The fastest rounds: other work on the machine only adds.
    least = {each: min(one["cpu_s"] for one in rows) for each, rows in results.items()}
    peak = {each: max(one["peak_mib"] for one in rows) for each, rows in results.items()}
    ratio = least["suggestions"] / least["minimum"]
    print(f"{options.initiatives} initiatives × {items} items, fastest of {options.rounds} rounds")
    print("| program | processor time × minimum | peak MiB | processor s |")
    print("|---|---|---|---|")
    for each in PROGRAMS:
        times = least[each] / least["minimum"]
        print(f"| {each} | {times:.1f} | {peak[each]:.0f} | {least[each]:.2f} |")
    print()
    print("| pairs | precision | recall | in truth |")
    print("|---|---|---|---|")
    for kind, (precision, recall, count) in found.items():
        print(f"| {kind} | {precision:.3f} | {recall:.3f} | {count} |")
    bounds = {
        f"over {RATIO_BOUND} × the minimum": ratio > RATIO_BOUND,
        f"over {MEMORY_BOUND_MIB} MiB": peak["suggestions"] > MEMORY_BOUND_MIB,
    }
    for kind, (precision, recall, _) in found.items():
        bounds[f"{kind} pairs: precision under {PRECISION_BOUND}"] = precision < PRECISION_BOUND
        bounds[f"{kind} pairs: recall under {RECALL_BOUND}"] = recall < RECALL_BOUND
    if options.quick and (broken := [text for text, is_broken in bounds.items() if is_broken]):
        raise SystemExit("broken: " + "; ".join(broken))


if __name__ == "__main__":
    main()
