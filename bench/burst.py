"""Sends a burst of deliveries to the receiver over raw sockets, and tells what became of it.

python -m bench.burst               1,000 deliveries over 50 connections
python -m bench.burst --quick       the same; ends 1 where one is lost or a bound is broken
python -m bench.burst --deliveries 20000 --store /data/burst.db
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from bench.sender import Sent, burst, request
from opsync.contract.webhooks import Delivery, Signal, WebhookSource
from opsync.errors import SignatureError
from opsync.model import Ref
from opsync.runtime import SystemClock
from opsync.service.hooks.counting import Counters
from opsync.service.hooks.memory import Memory
from opsync.service.hooks.receiver import Door, receiver
from opsync.service.server import Address, serving
from opsync.store import Store

P99_BOUND_S = 1.0
GROWTH_BOUND_MIB = 32.0
"""By so much at most the receiver may grow in a burst."""
SECRET = b"the secret of the burst, long enough"
FILL = "x" * 6_000
"""Deliveries of real tools have 2 to 30 KB."""
ROOT = Path(__file__).parent.parent


class Source(WebhookSource):
    """A tool that signs its bodies and names one issue in each."""

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> Delivery:
        given = headers["x-signature"].encode()
        made = [hmac.new(secret, body, sha256).hexdigest().encode() for secret in secrets]
        if not any(hmac.compare_digest(one, given) for one in made):
            raise SignatureError("the signature is wrong")
        return Delivery(headers["x-delivery"])

    def affected(self, headers: Mapping[str, str], body: bytes) -> Signal:
        return Signal((Ref("tool", "issue", str(json.loads(body)["issue"])),))


def deliveries(count: int) -> list[bytes]:
    """What the tool sends, ready for the wire; every tenth comes twice."""
    made = []
    for number in range(count):
        body = json.dumps({"issue": number, "fill": FILL}).encode()
        signature = hmac.new(SECRET, body, sha256).hexdigest()
        headers = {"x-signature": signature, "x-delivery": f"delivery-{number}"}
        made.append(request("/hooks/tool", body, headers))
    return [*made, *made[::10]]


async def serve(path: Path) -> None:
    """Receive until the input ends, then tell how many were told, were kept, and the memory."""
    store = Store.open(path, clock=SystemClock())
    told: set[str] = set()
    times = 0

    def tell(instance: str, signal: Signal) -> None:
        nonlocal times
        times += 1
        told.update(ref.id for ref in signal.refs)

    async def never() -> bool:
        return False

    async def nothing(token: str) -> None:
        return None

    door = Door(Source(), lambda: [SECRET], never, nothing)
    app = receiver({"tool": door}, Memory(store), Counters(), SystemClock(), tell)
    async with serving(app, "127.0.0.1", 0) as address:
        before = memory_mib("VmRSS")
        print(address.port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    peak = memory_mib("VmHWM")
    kept = sum(len(one.refs) for one in await store.deliveries_unread(10**9))
    await store.close()
    figures = {"told": len(told), "times": times, "kept": kept, "before": before, "peak": peak}
    print(json.dumps(figures))


async def bare() -> None:
    """Answer each request at once and look at nothing: how fast the sender can be."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                await reader.readexactly(size)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()
    print("{}")


def memory_mib(figure: str) -> float:
    """What the kernel says of this process: `VmRSS` is in use now, `VmHWM` was so at the peak.

    Not from getrusage, whose peak begins with what the parent had.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{figure}:"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"the kernel does not tell {figure}")


def against(what: Sequence[str], sent: Sequence[bytes], connections: int) -> tuple[Sent, str]:
    """Send the burst to a server in a process of its own; with its last words."""
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.burst", *what],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        port = int(server.stdout.readline())
        result = asyncio.run(burst(Address("127.0.0.1", port), sent, connections))
    finally:
        server.stdin.close()
    words = server.stdout.readline()
    server.wait(timeout=30)
    server.stdout.close()
    return result, words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=1_000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve or given.bare:
        asyncio.run(bare() if given.bare else serve(given.serve))
        return
    sent = deliveries(given.deliveries)
    ceiling, _ = against(["--bare"], sent, given.connections)
    with tempfile.TemporaryDirectory() as folder:
        path = given.store or Path(folder) / "burst.db"
        result, words = against(["--serve", str(path)], sent, given.connections)
    figures = json.loads(words)
    growth = figures["peak"] - figures["before"]
    lost = given.deliveries - min(figures["told"], figures["kept"])
    print(
        f"{len(sent)} deliveries, {given.deliveries} of them new, {given.connections} connections"
    )
    print(f"the sender alone      {len(sent) / ceiling.wall_s:8.0f} a second")
    print(f"answered              {len(sent) / result.wall_s:8.0f} a second")
    print(f"half within           {result.quantile(0.5) * 1000:8.1f} ms")
    print(f"99 of 100 within      {result.quantile(0.99) * 1000:8.1f} ms")
    print(f"memory                {figures['before']:8.1f} MiB, {growth:.1f} more at the peak")
    print(f"lost                  {lost:8d}")
    broken = {
        "not all were answered as arrived": set(result.statuses) != {200},
        "some were lost": lost != 0,
        "some were told twice": figures["times"] != figures["told"],
        f"99 of 100 took over {P99_BOUND_S} s": result.quantile(0.99) > P99_BOUND_S,
        f"it grew by over {GROWTH_BOUND_MIB} MiB": growth > GROWTH_BOUND_MIB,
    }
    for text in (text for text, is_broken in broken.items() if is_broken):
        print(f"BROKEN: {text}")
    if given.quick and any(broken.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
