"""Settling a place: what a person's word changes of what is known of it, and what it must not."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from opsync.engine.owning import settled
from opsync.model import Ref, Slot
from opsync.model.ledger import Entry, Hold, HoldKind
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
