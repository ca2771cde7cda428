"""Many `kill -9` of a real `opsync sync` over Harbor, at random moments and at chosen points.

`python -m tests.crash.kills` makes a hundred and prints what came of them.
"""

from __future__ import annotations

import logging
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from subprocess import Popen

from opsync.sandbox.harbor import Harbor, build_harbor
from tests.crash.served import Served, any_request, serve_harbor, undisturbed_harbor
from tests.crash.standing import Standing
from tests.support.processes import PATIENCE_S, Matches, kill, running

A_ROUND = 10
"""So many kills a company: half of them until its first run came to its end, half after people
went on working."""
MOMENT_S = (0.02, 0.4)
"""How long a run lives from its first request on, where it is killed at a moment."""
MOST_TRIES = 4
"""So often a run may come to its end before it is killed, for each kill."""


def request(method: str, path: str, *words: bytes) -> Matches:
    """Requests of this method, with this in their path, whose body has all the words."""
    return lambda given, at, body: (
        given == method and path in at and all(word in body for word in words)
    )


PAGE = request("PATCH", "/v1/pages/")
POINTS: dict[str, Matches] = {
    "a remote link is created in Jira": request("POST", "/remotelink"),
    "links are created in Linear, several at once": request(
        "POST", "/graphql", b"mutation Write", b"attachmentCreate", b"entityExternalLinkCreate"
    ),
    "a page is changed in Notion": PAGE,
    "columns are added in Notion": request("PATCH", "/v1/data_sources/"),
}
"""Writes after which a run is killed: carried out by the vendor, and not yet recorded."""


def go_on(harbor: Harbor) -> None:
    """What people do before the next run."""
    harbor.jira.poke_move("PAY-118", "done")
    harbor.linear.poke_move("GRO-47", "done")
    harbor.linear.poke_edit("GRO-44", "description", "It uses no tokens any more.")
    text = f"EU residency went to {harbor.jira.base_url}/browse/MOB-20"
    harbor.notion.edit_page(harbor.pages["Data residency EU"], "Tracked in", text)
    harbor.notion.edit_page(harbor.pages["SSO for teams"], "Status", "Done")
    harbor.notion.edit_page(harbor.pages["Instant payouts"], "Released", "2026-10-01")


@cache
def wanted(*, later: bool) -> Standing:
    """What stands in Harbor where nothing is disturbed."""
    with tempfile.TemporaryDirectory() as folder:
        return undisturbed_harbor(Path(folder), *([go_on] if later else []))


@dataclass
class Tally:
    """What was done: kills by where, and runs that ended before they could be killed."""

    kills: Counter[str] = field(default_factory=Counter)
    ended: int = 0


def kill_round(folder: Path, rng: random.Random, count: int, tally: Tally) -> None:
    """Kill runs over one new company `count` times. AssertionError if anything is lost or doubled.

    Each run begins where the killed one left off.
    """
    harbor = build_harbor()
    with serve_harbor(folder, harbor) as served:
        for _ in range((count + 1) // 2):
            _kill_one(served, rng, 50, tally)
        served.check_repair(wanted(later=False))
        go_on(harbor)
        for _ in range(count // 2):
            _kill_one(served, rng, 8, tally)
        served.check_repair(wanted(later=True))


def _kill_one(served: Served, rng: random.Random, most: int, tally: Tally) -> None:
    """Kill a run: at a moment, at a named point, or at whichever request; one way or the other."""
    for again in range(MOST_TRIES):
        # Where runs end too early, the first request is one that always comes.
        way = rng.choice(["moment", "point", "request"]) if again < MOST_TRIES - 1 else "first"
        if way == "moment":
            name, killed = "a random moment", _at_a_moment(served, rng.uniform(*MOMENT_S))
        elif way == "point":
            name = rng.choice(sorted(POINTS))
            killed = _at_a_request(served, POINTS[name], 1, 0.0)
        else:
            nth = rng.randint(1, most) if way == "request" else 1
            name = "a request"
            killed = _at_a_request(served, any_request, nth, rng.uniform(0, 0.05))
        if killed:
            tally.kills[name] += 1
            return
        tally.ended += 1
    raise AssertionError("no run lived until it was killed")


def _at_a_moment(served: Served, lives_s: float) -> bool:
    asked = _asked(served)
    with running(*served.sync) as child:
        if not _until(lambda: _asked(served) > asked, child):
            return False
        time.sleep(lives_s)
        child.kill()
        child.communicate()
        return child.returncode == -signal.SIGKILL  # It may have ended just before.


def _at_a_request(served: Served, point: Matches, nth: int, lives_s: float) -> bool:
    served.gate.set(point, nth=nth)
    try:
        with running(*served.sync) as child:
            if not _until(served.gate.reached.is_set, child):
                return False
            time.sleep(lives_s)
            kill(child)
            return True
    finally:
        served.gate.set(lambda method, path, body: False)


def _asked(served: Served) -> int:
    return sum(one.read_requests + one.write_requests for one in served.vendors.values())


def _until(reached: Callable[[], bool], child: Popen[str]) -> bool:
    """Wait until it is so; False where the process ended before."""
    ends_at = time.monotonic() + PATIENCE_S
    while not reached():
        if child.poll() is not None:
            child.communicate()
            return False
        assert time.monotonic() < ends_at, "the run neither went on nor ended"
        time.sleep(0.002)
    return True


def kill_many(
    count: int = 100, seed: int = 0, say: Callable[[str], object] = print, most_s: float = 1800.0
) -> bool:
    """Kill `count` runs, heal after each few, and say what came of it; whether all is well."""
    begun = time.monotonic()
    # The served vendors tell of each connection that a kill cut; that is what is wanted.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    rng, tally, rounds = random.Random(seed), Tally(), 0
    wrong = ""
    with tempfile.TemporaryDirectory() as folder:
        while (left := count - tally.kills.total()) > 0 and not wrong:
            place = Path(folder) / str(rounds)
            place.mkdir()
            try:
                kill_round(place, rng, min(A_ROUND, left), tally)
                assert time.monotonic() - begun < most_s, f"it takes longer than {most_s:g} s"
            except AssertionError as error:
                wrong = str(error) or "something is lost or doubled"
            rounds += 1
    where = ", ".join(f"{number} at {name}" for name, number in tally.kills.most_common())
    say(
        f"kills: {tally.kills.total()} of {count} in {rounds} companies, each healed and then "
        f"silent: {wrong or 'nothing lost, nothing doubled'}; seed {seed}, "
        f"{time.monotonic() - begun:.0f} s ({where}; {tally.ended} runs ended before)"
    )
    return not wrong


if __name__ == "__main__":
    raise SystemExit(0 if kill_many(*map(int, sys.argv[1:3])) else 1)
