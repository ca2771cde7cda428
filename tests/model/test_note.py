"""An annotation of opsync's is known by the marker with which its text ends."""

from __future__ import annotations

import pytest

from opsync.model import Note, Value, marker_in

MARKER = "[opsync:3f2a91c0]"


def test_a_marker_counts_at_the_very_end_only() -> None:
    assert marker_in(f"Shipped {MARKER}") == MARKER
    assert marker_in(f"{MARKER} Shipped") == ""
    assert marker_in(f"Shipped{MARKER}") == ""
    assert marker_in(f"Shipped {MARKER}\n") == ""
    assert marker_in(MARKER) == "", "it is about nothing"


def test_a_note_is_its_canonical_value() -> None:
    note = Note("2026-02-27", f"Shipped: Payouts {MARKER}")
    assert Note.of(note.value) == note
    assert note.marker == MARKER


@pytest.mark.parametrize("value", [None, "Shipped", {"on": 3, "text": None}])
def test_what_is_no_note_is_an_empty_one(value: Value) -> None:
    assert Note.of(value) == Note("", "")
