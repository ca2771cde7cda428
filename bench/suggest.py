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
from statistics import median

import msgspec

from opsync.model import Ref, Suggestion
from opsync.suggest import Matcher, Side, choose

RATIO_BOUND = 30.0
"""Suggestions may take so many times the processor time of the bare minimum, for 20,000 items: the
fewer items, the more each distinct word weighs."""
MEMORY_BOUND_MIB = 64.0
PRECISION_BOUND, RECALL_BOUND = 0.95, 0.8
Results = dict[str, list[dict[str, float]]]
Quality = dict[str, tuple[float, float, int]]
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


def generate(folder: Path, initiatives: int, items: int, seed: int) -> None:
    """Write a company into `folder`, with the true pairs by kind."""
    from bench.company import Generator

    company = Generator(initiatives, items, seed).company()
    for name, sides in (("initiatives", company.initiatives), ("work", company.work)):
        with (folder / name).open("wb") as file:
            file.writelines(msgspec.json.encode(side) + b"\n" for side in sides)
    above = {str(ref): sorted(over) for ref, over in company.above.items()}
    (folder / "above").write_bytes(msgspec.json.encode(above))
    truth = {"member": sorted(company.members), "same": sorted(map(sorted, company.same))}
    (folder / "truth").write_bytes(msgspec.json.encode(truth))


def started(*arguments: str) -> str:
    """What this module prints when it is run with these arguments, in a process of its own: also
    the generator, since a child's peak memory is never below its parent's."""
    return subprocess.run(
        [sys.executable, "-m", "bench.suggest", *arguments],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=600,
    ).stdout


def run(name: str, folder: Path) -> None:
    """The measured process."""
    started = time.process_time()
    found = PROGRAMS[name](folder)
    spent = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if name == "suggestions":
        (folder / "found").write_bytes(msgspec.json.encode(found))
    print(json.dumps({"cpu_s": spent, "peak_mib": peak}))


def quality(folder: Path) -> Quality:
    """Precision, recall and how many there are in truth, by kind of pair."""
    found = msgspec.json.decode((folder / "found").read_bytes(), type=list[Suggestion])
    listed = msgspec.json.decode(
        (folder / "truth").read_bytes(), type=dict[str, list[tuple[Ref, Ref]]]
    )
    truth = {kind: set(map(frozenset, pairs)) for kind, pairs in listed.items()}
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
    items = options.items or (20_000 if options.quick else 100_000)
    if options.run:
        program, folder = options.run[0], Path(options.run[1])
        if program == "generate":
            generate(folder, options.initiatives, items, options.seed)
        else:
            run(program, folder)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = ("--initiatives", str(options.initiatives), "--items", str(items))
        started(*size, "--seed", str(options.seed), "--run", "generate", name)
        results: Results = {each: [] for each in PROGRAMS}
        rounds(results, options.rounds, name)
        if options.quick and ratio(results) > RATIO_BOUND:
            # Somebody else's load may have hit one program more than another: more rounds tell.
            rounds(results, 6, name)
        found = quality(folder)
    print(f"{options.initiatives} initiatives × {items} items")
    show(results, found)
    if options.quick and (broken := breaches(results, found)):
        raise SystemExit("broken: " + "; ".join(broken))


def rounds(results: Results, count: int, folder: str) -> None:
    """Both programs in turn, so many times."""
    for _ in range(count):
        for each, figures in results.items():
            figures.append(json.loads(started("--run", each, folder)))


def least(results: Results, program: str, figure: str = "cpu_s") -> float:
    """A program's figure in its best round: other work on the machine only adds."""
    return min(one[figure] for one in results[program])


def ratio(results: Results) -> float:
    """What suggestions take, in minima: by the fastest rounds or by the usual ones, whichever is
    less. The minimum takes so little that one lucky round of it moves the first by a fifth."""
    fastest = least(results, "suggestions") / least(results, "minimum")
    usual = [median(one["cpu_s"] for one in results[each]) for each in ("suggestions", "minimum")]
    return min(fastest, usual[0] / usual[1])


def show(results: Results, found: Quality) -> None:
    """Print both tables."""
    print(f"fastest of {len(results['minimum'])} rounds")
    print("| program | processor time × minimum | peak MiB | processor s |")
    print("|---|---|---|---|")
    for each in PROGRAMS:
        cpu = least(results, each)
        times = cpu / least(results, "minimum")
        print(f"| {each} | {times:.1f} | {least(results, each, 'peak_mib'):.0f} | {cpu:.2f} |")
    print("\n| pairs | precision | recall | in truth |")
    print("|---|---|---|---|")
    for kind, (precision, recall, count) in found.items():
        print(f"| {kind} | {precision:.3f} | {recall:.3f} | {count} |")


def breaches(results: Results, found: Quality) -> list[str]:
    """The bounds that do not hold."""
    peak = least(results, "suggestions", "peak_mib")
    bounds = {
        f"over {RATIO_BOUND} × the minimum": ratio(results) > RATIO_BOUND,
        f"over {MEMORY_BOUND_MIB} MiB": peak > MEMORY_BOUND_MIB,
    }
    for kind, (precision, recall, _) in found.items():
        bounds[f"{kind} pairs: precision under {PRECISION_BOUND}"] = precision < PRECISION_BOUND
        bounds[f"{kind} pairs: recall under {RECALL_BOUND}"] = recall < RECALL_BOUND
    return [text for text, is_broken in bounds.items() if is_broken]


if __name__ == "__main__":
    main()
