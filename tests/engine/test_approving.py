"""What a kept plan is approved as, and what of it leaves the store."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from opsync.engine.approving import kept_plan
from opsync.model import Change, KeptPlan, Value
from opsync.model.approval import edit_hash
from opsync.model.ledger import digest, stored
from opsync.report import PassReport, Planned
from tests.store.build import change

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
STANDS = "waits for SEC-1"
SHOWN = "waits for a private item"
APPROVED = edit_hash(stored("new"), stored(STANDS))


def over(before: Value = STANDS, desired: Value = "new") -> Change:
    return change("jira:1", desired, before=before, over_edit=True)


def report(*changes: Change) -> PassReport:
    found = PassReport(run=7, command="opsync plan")
    found.plan.proposed = [
        Planned(change=one, tool="Jira", place="Note", target="PAY-1", group="PAY-1")
        for one in changes
    ]
    return found


def kept(stands: Change, shown: Change) -> KeptPlan:
    return kept_plan(report(stands), report(shown), AT)


def test_what_replaces_a_text_is_approved_over_the_text_that_stands_there_not_the_shown_one() -> (
    None
):
    [one] = kept(over(), over(SHOWN)).changes
    assert (one.approves, one.before) == (APPROVED, stored(SHOWN))


@pytest.mark.parametrize(
    ("planned", "approves"),
    [
        (over(), APPROVED),
        (change("jira:1", "new", before=STANDS), digest(stored("new"))),
    ],
)
def test_nothing_besides_is_kept_where_what_is_shown_tells_it(
    planned: Change, approves: str
) -> None:
    [one] = kept(planned, planned).changes
    assert (one.approves, one.over) == (approves, "")


def test_a_value_over_no_edit_is_approved_alike_whatever_stood_there() -> None:
    planned = change("jira:1", "new", before=STANDS)
    hidden = msgspec.structs.replace(planned, before=SHOWN)
    [one] = kept(planned, hidden).changes
    assert (one.approves, one.over) == (digest(stored("new")), "")


def test_a_plan_that_left_the_store_has_nothing_that_the_text_could_be_guessed_from() -> None:
    plan = kept(over(), over(SHOWN))
    away = plan.shown()
    assert APPROVED not in msgspec.json.encode(away).decode()
    assert away.changes[0].approves != APPROVED
    assert away.completed(plan) == plan


def test_it_takes_back_only_what_its_own_plan_and_value_have() -> None:
    plan = kept(over(), over(SHOWN))
    away = plan.shown()
    others = [
        None,
        msgspec.structs.replace(plan, at=AT.replace(hour=11)),
        kept(over(desired="other"), over(SHOWN, "other")),
        KeptPlan(number=7, at=AT, command="", changes=()),
    ]
    for other in others:
        assert away.completed(other) == away
