"""Deliveries of change signals: counted once, kept until they were read, forgotten in the end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from opsync.model import Ref
from opsync.store import Arrived, Store, Unread, inline
from opsync.store.deliveries import KEPT
from tests.support.clock import FakeClock


def ref(number: int, instance: str = "jira") -> Ref:
    return Ref(instance, "issue", str(number))


def arrived(number: int, *refs: Ref, instance: str = "jira", whole: bool = False) -> Arrived:
    return Arrived(instance, f"id-{number}", f"digest-{number}", refs, whole)


async def count(store: Store) -> int:
    return await store._read(
        lambda c: int(c.exec_driver_sql("SELECT count(*) FROM deliveries").scalar_one())
    )


async def test_a_delivery_is_new_once_by_its_id_and_by_its_body(store: Store) -> None:
    first = arrived(1, ref(1))
    assert await store.put_deliveries([first, arrived(2), first]) == [1, 2, 0]
    same_id = Arrived("jira", "id-1", "another body", (ref(9),))
    same_body = Arrived("jira", "another id", "digest-1", (ref(9),))
    assert await store.put_deliveries([same_id, same_body, first]) == [0, 0, 0]
    assert await store.deliveries_unread(10) == [Unread("jira", (ref(1),), False, 1)]


async def test_instances_do_not_share_ids(store: Store) -> None:
    both = [arrived(1, instance="jira"), arrived(1, instance="linear")]
    assert await store.put_deliveries(both) == [1, 2]


async def test_what_is_named_waits_until_it_was_read_and_no_longer(
    store: Store, path: Path, clock: FakeClock
) -> None:
    await store.put_deliveries([arrived(1, ref(1), ref(2)), arrived(2, ref(2), ref(3))])
    await store.put_deliveries([arrived(3, ref(7, "linear"), instance="linear")])
    again = Store.open(path, clock=clock, executor=inline)
    assert await again.deliveries_unread(10) == [
        Unread("jira", (ref(1), ref(2), ref(3)), False, 2),
        Unread("linear", (ref(7, "linear"),), False, 3),
    ]
    await again.close()
    assert await store.deliveries_read("jira", 1) == 1
    assert [one.refs for one in await store.deliveries_unread(10)] == [
        (ref(2), ref(3)),
        (ref(7, "linear"),),
    ]
    assert await store.deliveries_read("jira", 2) == 1
    assert await store.deliveries_read("jira", 2) == 0
    assert [one.instance for one in await store.deliveries_unread(10)] == ["linear"]


async def test_what_names_nothing_waits_for_nobody_and_is_known_again(store: Store) -> None:
    assert await store.put_deliveries([arrived(1)]) == [1]
    assert await store.deliveries_unread(10) == []
    assert await store.put_deliveries([arrived(1)]) == [0]


async def test_many_names_or_one_that_cannot_be_looked_up_are_told_as_whole(store: Store) -> None:
    await store.put_deliveries([arrived(n, ref(n)) for n in range(1, 5)])
    [under] = await store.deliveries_unread(4)
    assert (len(under.refs), under.whole) == (4, False)
    assert await store.deliveries_unread(3) == [Unread("jira", (), True, 4)]
    await store.put_deliveries([arrived(5, whole=True)])
    [both] = await store.deliveries_unread(4)
    assert (len(both.refs), both.whole, both.through) == (4, True, 5)


async def test_old_ones_are_forgotten_with_the_next_and_numbers_go_on(
    store: Store, clock: FakeClock
) -> None:
    await store.put_deliveries([arrived(1, ref(1)), arrived(2, ref(2))])
    clock.advance(KEPT.total_seconds())
    assert await store.put_deliveries([arrived(1)]) == [0], "known for as long as it is kept"
    clock.advance(timedelta(seconds=1).total_seconds())
    assert await store.put_deliveries([arrived(3)]) == [3]
    assert await count(store) == 1
    assert await store.put_deliveries([arrived(1)]) == [4]
