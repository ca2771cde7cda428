"""What must hold once all is still."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

from bench.live import Live
from bench.soaking.company import Company
from opsync.sandbox.harbor import Harbor

PATIENCE_S = 200.0
"""A write that failed waits up to some minutes for its next try, and that for the next read."""
WORDS = ("Traceback", "never retrieved", "was never awaited", "Task was destroyed")
"""What no log may say."""


def beside(live: Live, company: Company) -> list[str]:
    """While the service runs: nothing is left to do, nothing is there twice, people's is theirs."""
    left = ""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and (left := _left(live)):
        time.sleep(5.0)
    broken = [left] if left else []
    broken += company.lost()
    broken += [f"twice: {one}" for one in company.doubled()]
    return broken + company.switched_off()


def _left(live: Live) -> str:
    """What is not done yet: a change, or a write that failed and waits until it is tried again."""
    told = live.opsync("plan", "--json")
    try:
        found = told.json()
    except ValueError:
        return f"opsync plan ended with {told.code}: {told.err.strip()}"
    waiting = [one["place"] for one in found["held"] if one["kind"] == "waiting"]
    if waiting:
        return f"writes that failed still wait: {waiting}"
    changes = found["plan"]["changes"]
    return f"{changes} changes are left: {found['changes'][:3]}" if changes else ""


def afterwards(live: Live, world: Harbor) -> list[str]:
    """Everything read once more by a single run writes nothing."""
    broken = []
    before = {name: one.write_requests for name, one in world.vendors.items()}
    told = live.opsync("sync", "--full", "--json")
    if told.code not in (0, 1):
        broken.append(f"opsync sync --full ended with {told.code}: {told.err.strip()}")
    for name, vendor in world.vendors.items():
        if vendor.write_requests != before[name]:
            broken.append(f"a fresh look at everything wrote to {name}")
    checked = live.opsync("db", "check")
    if checked.code != 0:
        broken.append(f"opsync db check: {checked.out}{checked.err}")
    return broken


def log(path: Path) -> list[str]:
    """What the service said meanwhile, counted; and what it must not say."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    counts: Counter[str] = Counter()
    broken = []
    for line in lines:
        if any(word in line for word in WORDS):
            broken.append(f"its log: {line[:600]}")
        try:
            said = json.loads(line)
        except ValueError:
            broken.append(f"its log has a line of another form: {line[:200]}")
            continue
        if said.get("level") in ("warning", "error", "critical"):
            counts[f"{said['level']} {said['event']}"] += 1
    told = ", ".join(f"{count} {what}" for what, count in counts.most_common(8))
    print(f"lines in its log      {len(lines):8d}  {told}")
    return broken[:5]
