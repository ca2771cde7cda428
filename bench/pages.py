"""Measures what pages of the dashboard cost on the server.

python -m bench.pages             500 initiatives, 10,000 items, 15 rounds
python -m bench.pages --quick     5 rounds, with 50 as well; ends 1 where a bound is broken

Each page is asked for as a browser does, without a socket, from a store in a file, and anything
that pages keep for each other is forgotten before; "again" is the first page with nothing new in
the store. Given is the processor time of all threads, in milliseconds, and its ratio to the bare
minimum: the summaries and their initiatives, read from the file and decoded.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import httpx

from bench.portfolio import RULE, Still, bare, configured, fill
from opsync.config import Config
from opsync.engine.undone import ShownBack
from opsync.runtime import Clock
from opsync.service.desk import Standing
from opsync.service.serving import spare_what_stays
from opsync.service.web.app import dashboard
from opsync.store import Store

MOST_BARE = 60.0
"""A page may take so many times the bare minimum, by the fastest rounds: twice what the slowest one
takes, since the time of so short a piece of work is not level."""
MOST_GROWTH = 15.0
"""With ten times the initiatives a page may take so many times as long: in proportion, and some
more for what other work on the machine adds."""
FEW = 50
PAGES = ("/", "/?team=Payments", "/plan", "/links", "/journal", "/connections", "/initiatives/ONE")


class Desk:
    """A desk at which nobody works."""

    refused = ""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.clock: Clock = Still()
        self.store = Store.open(config.store, clock=self.clock, create=False)

    async def changed(self) -> None:
        return

    async def undo(self, what: str, by: str) -> ShownBack:
        raise AssertionError("nothing is undone here")

    async def read_now(self, instance: str) -> None:
        return

    def state(self) -> Mapping[str, Standing]:
        return {}


async def measure(path: Path, rounds: int) -> dict[str, list[float]]:
    """Processor seconds by page and round, after one request that warms up."""
    desk = Desk(configured(path))
    one = str((await desk.store.rollups(RULE))[0].root)
    app = dashboard(desk, secret=b"of this process alone, 32 bytes.", local="bench")
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 5000))
    found: dict[str, list[float]] = {page: [] for page in (*PAGES, "again", "bare")}
    try:
        async with httpx.AsyncClient(
            transport=transport, base_url=f"http://{desk.config.general.service.listen}"
        ) as client:
            for number in range(rounds + 1):
                if number == 1:
                    spare_what_stays()
                for page in (PAGES[0], "again", *PAGES[1:]):
                    if page != "again":
                        app.pages.state.site.forget()
                    path_ = "/" if page == "again" else page.replace("ONE", one)
                    started = time.process_time()
                    answer = await client.get(path_)
                    found[page].append(time.process_time() - started)
                    assert answer.status_code == 200, (page, answer.text)
                started = time.process_time()
                bare(path)
                found["bare"].append(time.process_time() - started)
    finally:
        await desk.store.close()
    return {page: seconds[1:] for page, seconds in found.items()}


def again(found: dict[str, list[float]], more: Mapping[str, list[float]]) -> None:
    """Add further rounds."""
    for page, seconds in more.items():
        found[page] += seconds


def broken(found: Mapping[str, list[float]], fewer: Mapping[str, list[float]]) -> list[str]:
    """The bounds that are broken, each in words. Other work on a machine only adds: the fastest
    rounds tell what a page costs."""
    wrong = []
    least = min(found["bare"])
    for page in (*PAGES, "again"):
        times = min(found[page]) / least
        growth = min(found[page]) / min(fewer[page])
        if times > MOST_BARE:
            wrong.append(f"BROKEN: {page} takes {times:.0f} × the bare minimum")
        if growth > MOST_GROWTH:
            wrong.append(f"BROKEN: {page} takes {growth:.0f} × what it takes of {FEW} initiatives")
    return wrong


def show(found: Mapping[str, list[float]], initiatives: int) -> None:
    """Print the table."""
    least = median(found["bare"])
    print(f"{initiatives} initiatives, {len(found['bare'])} rounds\n")
    print("| page | ms | × bare |\n|---|---|---|")
    for page, seconds in found.items():
        middle = median(seconds)
        print(f"| {page} | {middle * 1000:.0f} | {middle / least:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--initiatives", type=int, default=500)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true", help="check the bounds")
    options = parser.parse_args()
    rounds = options.rounds or (5 if options.quick else 15)
    with tempfile.TemporaryDirectory() as folder:
        many, few = Path(folder) / "many.db", Path(folder) / "few.db"
        asyncio.run(fill(many, options.initiatives))
        found = asyncio.run(measure(many, rounds))
        wrong = []
        if options.quick:
            asyncio.run(fill(few, FEW))
            fewer = asyncio.run(measure(few, rounds))
            if broken(found, fewer):
                # Somebody else's load may have hit one more than another: more rounds tell.
                again(found, asyncio.run(measure(many, 2 * rounds)))
                again(fewer, asyncio.run(measure(few, 2 * rounds)))
            wrong = broken(found, fewer)
    show(found, options.initiatives)
    if wrong:
        print("\n" + "\n".join(wrong))
        sys.exit(1)


if __name__ == "__main__":
    main()
