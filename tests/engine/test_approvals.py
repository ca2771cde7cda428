"""Which approvals are in force, and what is said of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from opsync.config import build
from opsync.engine.approvals import Approvals, approved_by, rule_does
from opsync.model import Approval, Ref, Slot
from opsync.model.approval import edit_hash
from opsync.model.ledger import Entry, digest, stored

AT = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
PAGE = Ref("notion", "page", "one")
SLOT = Slot(PAGE, "delivery", "links", PAGE)
OURS, THEIRS = stored("3 of 5 done"), stored("Ask Dana")


def approvals(*found: Approval, mode: str = "propose") -> Approvals:
    return Approvals(build({"links": {"mode": mode}}), found)


def approval(scope: object = SLOT, desired_hash: str = "", plan: int = 0) -> Approval:
    return Approval(
        scope=str(scope),
        desired_hash=desired_hash,
        by="ana",
        at=AT,
        plan=plan,
        inputs={str(PAGE): "v1"},
    )


def test_a_value_that_is_approved_tells_by_whom_with_which_plan_and_inputs() -> None:
    found = approvals(approval(desired_hash=digest(OURS), plan=12))
    told = found.of_value(Entry(slot=SLOT, desired=OURS))
    assert told is not None
    assert (told.of, told.by, told.at, told.plan) == ("value", "ana", AT, 12)
    assert told.inputs == {str(PAGE): "v1"}
    assert found.of_value(Entry(slot=SLOT, desired=THEIRS)) is None, "another value is not"


def test_a_value_that_may_replace_a_persons_is_approved_over_that_text() -> None:
    found = approvals(approval(desired_hash=edit_hash(OURS, THEIRS)), mode="apply")
    entry = Entry(slot=SLOT, desired=OURS, observed=THEIRS)
    told = found.of_value(entry)
    assert told is not None
    assert (told.of, told.plan) == ("value", None)
    for seen in (None, OURS):
        assert found.of_value(msgspec.structs.replace(entry, observed=seen)) is None


def test_a_value_of_a_rule_that_is_approved_is_approved_with_it() -> None:
    found = approvals(approval("links"), approval(desired_hash=digest(THEIRS)))
    told = found.of_value(Entry(slot=SLOT, desired=OURS))
    assert told is not None
    assert told == found.of_rule("links")
    assert told.of == "rule"


@pytest.mark.parametrize("mode", ["apply", "observe"])
def test_a_rule_that_waits_for_no_approval_has_none(mode: str) -> None:
    found = approvals(approval("links"), mode=mode)
    assert found.of_rule("links") is None
    assert found.of_value(Entry(slot=SLOT, desired=OURS)) is None


def test_what_a_rule_does_names_who_agreed_on_the_day_of_the_zone() -> None:
    zone = timezone(timedelta(hours=2))
    told = approvals(approval("links")).of_rule("links")
    assert told is not None
    assert approved_by(told, zone) == "approved by ana on 2 Mar"
    assert rule_does("propose", told, zone) == "approved by ana on 2 Mar"
    assert rule_does("propose", None, zone) == "waits for approval"
    assert rule_does("no longer configured", None, zone) == "no longer configured"
