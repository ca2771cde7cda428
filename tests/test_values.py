"""Values and what is seen of them."""

from __future__ import annotations

from opsync.model import Seen, same, seen_after, seen_hash, value_hash

LINK = Seen.of("link", {"url": "https://a.example"}, address="https://a.example", remote_id="a")
COLUMN = Seen.of("delivery", "old", remote_id="p1")


def test_equal_values_have_equal_digests_whatever_the_order_of_their_keys() -> None:
    assert value_hash({"a": 1, "b": [None]}) == value_hash({"b": [None], "a": 1})
    assert same([["a", "b"]], (("a", "b"),))
    assert not same(1, "1")


def test_a_written_link_stands_there_as_ours() -> None:
    value = {"url": "https://b.example"}
    after = seen_after((LINK,), "link", value, address="https://b.example", remote_id="b")
    assert after[0] is LINK
    assert (after[1].remote_id, after[1].ours, after[1].plain()) == ("b", True, value)


def test_a_rewritten_column_keeps_its_place_and_a_cleared_one_stays_empty() -> None:
    after = seen_after((COLUMN, LINK), "delivery", "new", address="", remote_id="p1")
    assert [one.plain() for one in after] == ["new", LINK.plain()]
    cleared = seen_after(after, "delivery", None, address="", remote_id="p1")
    assert [one.plain() for one in cleared] == [None, LINK.plain()]


def test_a_removed_link_is_gone_and_removing_nothing_changes_nothing() -> None:
    assert seen_after((COLUMN, LINK), "link", None, address="", remote_id="a") == (COLUMN,)
    assert seen_after((COLUMN,), "link", None, address="", remote_id="a") == (COLUMN,)


def test_nothing_known_has_no_digest() -> None:
    assert seen_hash((), complete=False) == ""
    assert seen_hash((), complete=True) != ""
