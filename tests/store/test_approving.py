"""What people approved: one value a slot, until something else is asked for there."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from opsync.model import Approval, Approved
from opsync.store import Store

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def approval(scope: str, desired_hash: str) -> Approval:
    return Approval(scope=scope, desired_hash=desired_hash, by="ana", at=AT)


async def test_a_slot_has_the_approval_of_the_latest_value(store: Store) -> None:
    await store.approve([approval("a", "old"), approval("roadmap", "")])
    await store.approve([approval("a", "new")])
    assert await store.approved() == Approved(frozenset({("a", "new")}), frozenset({"roadmap"}))


async def test_what_was_approved_meanwhile_does_not_lapse_with_the_value_before_it(
    store: Store,
) -> None:
    await store.approve([approval("a", "old"), approval("b", "old"), approval("c", "old")])
    lapsed = (await store.approved()).lapsed({"a": {"new"}, "b": {"new"}, "c": {"old"}})
    assert lapsed == [("a", "old"), ("b", "old")]
    await store.approve([approval("a", "new")])
    await store.lapse(lapsed)
    assert (await store.approved()).values == {("a", "new"), ("c", "old")}


async def test_what_is_withdrawn_gives_way_to_what_was_approved_before_it(store: Store) -> None:
    before = [approval("a", "same"), approval("b", "old")]
    await store.approve(before)
    given = [replace(approval(scope, "same"), by="ben") for scope in ("a", "b", "c", "d")]
    await store.approve(given)
    meanwhile = replace(approval("d", "same"), by="cleo")
    await store.approve([meanwhile])

    await store.withdraw(given, before)

    assert await store.approvals() == [*before, meanwhile]
