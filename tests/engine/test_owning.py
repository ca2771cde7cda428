"""Settling a place: what a person's word changes of what is known of it, and what it must not."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from opsync.engine.owning import settled, unsettled
from opsync.model import Ref, Slot
from opsync.model.ledger import CONFLICTED, Entry, Hold, HoldKind, plain, stored
from tests.support.clock import START

SLOT = Slot(Ref("notion", "page", "1"), "delivery", "roadmap", Ref("notion", "page", "1"))


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_write_that_may_have_been_carried_out_is_still_looked_for(
    side: Literal["ours", "theirs"],
) -> None:
    held = Entry(
        slot=SLOT,
        desired=msgspec.Raw(b'"3 of 5"'),
        intent=msgspec.Raw(b'"3 of 5"'),
        hold=Hold(HoldKind.conflict, "", START),
    )
    assert settled(held, side, by="ana", at=START).intent == held.intent


def row(applied: str | None, observed: str | None, kind: HoldKind | None, **more: Any) -> Entry:
    return Entry(
        slot=SLOT,
        desired=stored("new"),
        applied=stored(applied),
        asked=stored(applied),
        observed=stored(observed),
        remote_id="r1",
        hold=None if kind is None else Hold(kind, "", START),
        outcome=CONFLICTED if kind is None else "",
        **more,
    )


@pytest.mark.parametrize(
    ("held", "applied", "ceded"),
    [
        (row("old", "mine", HoldKind.conflict), "mine", True),
        (row("old", "mine", HoldKind.proposed), "mine", True),
        (row("old", "mine", None), "mine", True),
        (row("old", "mine", HoldKind.undone), "mine", True),
        (row("old", "mine", HoldKind.released), "mine", True),
        (row(None, "mine", HoldKind.conflict), "mine", True),
        (row("mine", "mine", HoldKind.theirs), "mine", True),
        (row("mine", "mine", HoldKind.theirs, ceded=True), "mine", True),
        (row("mine", "mine", None, ceded=True), "mine", True),
        (row("old", "old", HoldKind.undone), "old", False),
        (row("old", "old", HoldKind.refused), "old", False),
        (row("old", "old", HoldKind.released), "old", False),
        (row("old", None, HoldKind.removed), None, False),
        (row("mine", None, HoldKind.removed, ceded=True), None, False),
        (row(None, None, HoldKind.theirs), None, False),
    ],
)
def test_what_a_person_wrote_is_theirs_until_it_is_written_over(
    held: Entry, applied: str | None, ceded: bool
) -> None:
    assert unsettled(held)
    found = settled(held, "ours", by="ana", at=START)
    assert (found.hold, found.outcome) == (None, "")
    assert (plain(found.applied), plain(found.asked), found.ceded) == (applied, applied, ceded)
    assert found.remote_id == ("r1" if applied else "")
    assert found.owned is (applied is not None and not ceded)
    assert unsettled(found) is ceded
    back = settled(found, "theirs", by="ben", at=START)
    assert (back.hold, back.applied) == (Hold(HoldKind.theirs, "ben", START), found.applied)


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_what_may_stand_beneath_an_undo_that_died_is_still_looked_for(
    side: Literal["ours", "theirs"],
) -> None:
    begun = Hold(HoldKind.undone, "ana", START, begun=3, unsure='"new"')
    held = msgspec.structs.replace(row("old", "old", HoldKind.undone), hold=begun)
    found = settled(held, side, by="ana", at=START)
    assert (found.intent, found.applied, found.ceded) == (stored("new"), stored("old"), False)
