"""Sends a burst of change signals to the whole service, while it reads and writes because of them.

python -m bench.storm               1,000 edits in Jira, told over 50 connections, all at once
python -m bench.storm --quick       the same; ends 1 where one is lost or a bound is broken

Each signal is what Jira would send for an edit that was really made, and every tenth comes twice.
Nothing is lost if the service knows all the edits, long before it would have read them by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from bench.idle import crowd
from bench.live import Live, living, load, until
from bench.sender import burst, request
from opsync.sandbox.harbor import Harbor
from opsync.service.server import Address

P99_BOUND_S = 1.0
GROWTH_BOUND_MIB = 48.0
KNOWN_BOUND_S = 60.0
"""Well under the two minutes after which Jira is read anyway."""
FIRST_S = 120.0
KEPT_BACK_S = 100_000


def edits(world: Harbor, count: int) -> list[bytes]:
    """Edit so many issues; what Jira tells of them, ready for the wire."""
    jira = world.jira
    assert jira.hooks is not None
    with jira.lock:
        jira.faults.webhooks_late_s = KEPT_BACK_S
        for number, issue in enumerate(list(jira.issues.values())[-count:]):
            jira.edit(issue.key, summary=f"Storm {number}")
        jira.faults.webhooks_late_s = 0
        posts, jira.hooks.waiting = jira.hooks.waiting, []
        dressed = [jira.hooks.dress(post) for post in posts]
    sent = [request("/hooks/jira-main", body, headers) for headers, body in dressed]
    return [*sent, *sent[::10]]


def known(live: Live) -> int:
    """How many of the edits the service knows."""
    with closing(sqlite3.connect(f"file:{live.store}?mode=ro", uri=True)) as store:
        rows = store.execute("SELECT count(*) FROM records WHERE title LIKE 'Storm %'")
        return int(rows.fetchone()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=1_000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        living(Path(folder), prepare=lambda world: crowd(world, given.edits)) as (
            world,
            sandbox,
            live,
        ),
    ):
        live.configure()
        live.start()
        live.register(sandbox)
        until(lambda: world.notion.write_requests > 0, FIRST_S)
        time.sleep(8.0)
        sent = edits(world, given.edits)
        before, asked = live.rss_mib(), world.jira.read_requests
        result = asyncio.run(burst(Address("127.0.0.1", live.port), sent, given.connections))
        began = time.monotonic()
        all_known = until(lambda: known(live) == given.edits, KNOWN_BOUND_S, 0.2)
        took = time.monotonic() - began
        found = live.metrics()
        reads = world.jira.read_requests - asked
        growth = live.rss_mib("VmHWM") - before
        lost = given.edits - known(live)
        live.stop()
    new = int(found['opsync_deliveries_total{outcome="accepted"}'])
    again = int(found['opsync_deliveries_total{outcome="duplicate"}'])
    print(f"deliveries            {len(sent):8d}, {given.connections} connections")
    print(f"answered              {len(sent) / result.wall_s:8.0f} a second")
    print(f"half within           {result.quantile(0.5) * 1000:8.1f} ms")
    print(f"99 of 100 within      {result.quantile(0.99) * 1000:8.1f} ms")
    print(f"new, known before     {new:8d}, {again}")
    print(f"all read after        {took:8.1f} s, with {reads} requests")
    print(f"memory                {before:8.1f} MiB, {growth:.1f} more at the peak")
    print(f"lost                  {lost:8d}")
    print(f"load                  {load():>8}")
    broken = {
        "not all were answered as arrived": set(result.statuses) != {200},
        "some were lost": lost != 0 or not all_known,
        f"99 of 100 took over {P99_BOUND_S:g} s": result.quantile(0.99) > P99_BOUND_S,
        f"it grew by over {GROWTH_BOUND_MIB:g} MiB": growth > GROWTH_BOUND_MIB,
    }
    for text in (text for text, is_broken in broken.items() if is_broken):
        print(f"BROKEN: {text}")
    if given.quick and any(broken.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
