"""Addresses from which too much was refused: each by itself, and few are remembered."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from opsync.service.hooks import sources
from opsync.service.hooks.sources import ADDRESSES, PROVEN_S, REFUSALS, Sources, source_of
from tests.support.clock import FakeClock


def filled(address: str, clock: FakeClock, times: int = REFUSALS) -> Sources:
    found = Sources(clock)
    for _ in range(times):
        found.refused(address)
    return found


def test_the_last_that_is_heard_and_the_first_that_is_not() -> None:
    clock = FakeClock()
    found = filled("192.0.2.1", clock, REFUSALS - 1)
    assert found.wait_s("192.0.2.1") == 0
    found.refused("192.0.2.1")
    assert found.wait_s("192.0.2.1") == 2
    assert found.wait_s("192.0.2.2") == 0


def test_a_bucket_empties_by_itself() -> None:
    clock = FakeClock()
    found = filled("192.0.2.1", clock)
    clock.advance(1.5)
    assert found.wait_s("192.0.2.1") == 0.5
    clock.advance(0.5)
    assert found.wait_s("192.0.2.1") == 0
    found.refused("192.0.2.1")
    assert found.wait_s("192.0.2.1") == 2
    clock.advance(3600)
    for _ in range(REFUSALS - 1):
        found.refused("192.0.2.1")
    assert found.wait_s("192.0.2.1") == 0, "an old time saves no more than a whole bucket"


def test_who_was_right_is_heard_for_a_day() -> None:
    clock = FakeClock()
    found = Sources(clock)
    found.accepted("192.0.2.1")
    clock.advance(PROVEN_S)
    for _ in range(REFUSALS):
        found.refused("192.0.2.1")
    assert found.wait_s("192.0.2.1") == 0
    clock.advance(0.5)
    assert found.wait_s("192.0.2.1") > 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("", "192.0.2.1", False),
        ("x" * 100, "x" * 200, True),
    ],
)
def test_what_one_customer_has_is_one_address(one: str, other: str, same: bool) -> None:
    found = filled(one, FakeClock())
    assert (found.wait_s(other) > 0) is same


def test_the_memory_is_bounded_and_forgeries_do_not_push_out_who_was_right() -> None:
    found = Sources(FakeClock())
    found.accepted("192.0.2.1")
    for number in range(ADDRESSES + 100):
        found.refused(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(found._refused) == sources.ADDRESSES
    for _ in range(REFUSALS):
        found.refused("192.0.2.1")
    assert found.wait_s("192.0.2.1") == 0


@pytest.mark.parametrize(
    ("peer", "named", "source"),
    [
        ("10.0.0.1", ["192.0.2.9"], "192.0.2.9"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.9"], "192.0.2.9"),
        ("10.0.0.1", ["198.51.100.1", "192.0.2.9, 10.0.0.2"], "192.0.2.9"),
        ("10.0.0.1", ["10.0.0.3"], "10.0.0.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.9, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["\xff"], "10.0.0.1"),
        ("192.0.2.1", ["198.51.100.1"], "192.0.2.1"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_only_a_proxy_that_is_named_is_believed(peer: str, named: list[str], source: str) -> None:
    headers = [(b"x-forwarded-for", one.encode("latin-1")) for one in named]
    scope = {"type": "http", "client": (peer, 1) if peer else None, "headers": headers}
    assert source_of(scope, [ip_network("10.0.0.0/8")]) == source
    assert source_of(scope, []) == peer
