"""Many deliveries at once over many connections, with a store on its own thread: none is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.sender import burst, request

from opsync.contract.webhooks import Signal
from opsync.runtime import SystemClock
from opsync.service.hooks.counting import Counters
from opsync.service.hooks.memory import Memory
from opsync.service.hooks.receiver import receiver
from opsync.service.server import serving
from opsync.store import Store
from tests.service.hooks.tool import SECRET, body_of, door, signed

CONNECTIONS = 50


@pytest.mark.parametrize("each", [4, pytest.param(20, marks=pytest.mark.slow)])
async def test_a_burst_loses_nothing_and_costs_few_transactions(tmp_path: Path, each: int) -> None:
    """F43: every tenth comes twice, and once more at the end."""
    clock = SystemClock()
    store = Store.open(tmp_path / "opsync.db", clock=clock)
    memory, counters = Memory(store), Counters()
    writes: list[int] = []
    told: list[str] = []
    put = store.put_deliveries

    async def counted(batch: object) -> list[int]:
        numbers = await put(batch)  # type: ignore[arg-type]
        writes.append(len(numbers))
        return numbers

    store.put_deliveries = counted  # type: ignore[method-assign]

    def tell(instance: str, signal: Signal) -> None:
        told.extend(ref.id for ref in signal.refs)

    count = CONNECTIONS * each
    requests = []
    for number in range(count):
        body = body_of(number, at=clock.now())
        requests.append(request("/hooks/tool", body, signed(body, str(number))))
    again = requests[::10]
    app = receiver({"tool": door(SECRET)}, memory, counters, clock, tell)
    async with serving(app, "127.0.0.1", 0) as address:
        sent = await burst(address, [*requests, *again], CONNECTIONS)
    assert sent.statuses == [200] * (count + len(again))
    assert sorted(told, key=int) == [str(number) for number in range(count)]
    assert dict(counters.accepted) == {"tool": count}
    assert dict(counters.duplicate) == {"tool": len(again)}
    assert len(writes) < len(requests) / 2, "they share transactions"
    assert sent.quantile(0.99) < 1.0
    [unread] = await store.deliveries_unread(count)
    assert len(unread.refs) == count
    await store.close()
