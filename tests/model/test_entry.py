"""A row of the ledger, and what becomes of it while its target is gone."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from opsync.model import Ref, Slot
from opsync.model.ledger import (
    Entry,
    Hold,
    HoldKind,
    at_rest,
    change_id,
    digest,
    given_back,
    stored,
    unsure,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SLOT = Slot(Ref("jira", "issue", "1"), "link", "roadmap", Ref("notion", "page", "1"))
UNDONE = Hold(HoldKind.undone, "ana", NOW)


def test_rows_and_holds_are_values() -> None:
    for value, name in ((UNDONE, "by"), (Entry(slot=SLOT), "outcome")):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(value, name, "another")
    with pytest.raises(TypeError):
        Entry(SLOT)  # type: ignore[misc]


def test_of_a_hold_only_what_it_says_is_kept() -> None:
    kept = msgspec.json.decode(msgspec.json.encode(UNDONE))
    assert kept.keys() == {"kind", "by", "at"}


def test_a_hold_under_which_something_was_begun_is_given_back_as_it_was() -> None:
    begun = msgspec.structs.replace(UNDONE, kind=HoldKind.released, begun=7, over=UNDONE)
    assert given_back(begun) == UNDONE
    assert given_back(msgspec.structs.replace(begun, begun=0)) == msgspec.structs.replace(
        begun, begun=0
    )
    assert given_back(None) is None


def test_equal_values_are_kept_as_equal_bytes() -> None:
    one = stored({"url": "https://a.example", "title": "A"})
    assert one == stored({"title": "A", "url": "https://a.example"})
    assert digest(one) == digest(stored({"title": "A", "url": "https://a.example"}))
    assert len(digest(one)) == 32, "rows of earlier versions have this many digits"


def test_a_write_is_called_by_its_run_and_its_slot() -> None:
    assert change_id(12, SLOT) == f"12-{digest(stored(str(SLOT)))[:8]}"


def test_what_stands_at_a_target_that_is_gone_is_known_as_it_was_asked_for() -> None:
    row = Entry(
        slot=SLOT,
        desired=stored("new"),
        applied=stored("old."),
        asked=stored("old"),
        remote_id="77",
        observed=stored("old."),
        outcome="failed",
        message="locked",
        attempts=2,
        next_try_at=NOW,
    )
    assert at_rest(row) == Entry(
        slot=SLOT,
        desired=stored("old."),
        applied=stored("old."),
        asked=stored("old"),
        remote_id="77",
    )


def test_what_may_stand_there_is_known_still_once_something_began_over_it() -> None:
    made, back = stored("made"), stored(None)
    row = Entry(slot=SLOT, intent=made)
    assert (unsure(row), unsure(Entry(slot=SLOT))) == (made, None)
    hold = Hold(HoldKind.undone, "ana", NOW)
    assert unsure(msgspec.structs.replace(row, hold=hold)) == made

    begun = msgspec.structs.replace(hold, begun=3)
    over = msgspec.structs.replace(begun, unsure="null")
    assert unsure(Entry(slot=SLOT, intent=made, hold=begun)) is None, "it began that itself"
    assert unsure(Entry(slot=SLOT, intent=made, hold=over)) == back
