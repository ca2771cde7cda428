"""What people say against what is measured: what contradicts, what does not, and how it reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from opsync.disagreements import (
    FACTS,
    OLDEST,
    Disagreement,
    DisagreementKind,
    done_with_open_parts,
    link_on_one_side,
    of_initiative,
    owner_left,
    says_fine,
    share_of,
    work_without_initiative,
)
from opsync.model import (
    Category,
    Evidence,
    Health,
    Kind,
    Person,
    Record,
    Rollup,
    Status,
    Working,
)
from tests.support.build import at, record, ref

AS_OF = date(2026, 11, 22)
ROOT = ref("p", "notion")


def root(name: str = "On track", category: str = "in_progress", **more: Any) -> Record:
    """An initiative whose status has this name."""
    status = Status("s", name, Category(category)) if name else None
    return record("p", category, instance="notion", status=status, **more)


def rollup(done: int, total: int, **more: Any) -> Rollup:
    """Its numbers; `due` counts days from the date of the test."""
    due = more.pop("due", None)
    if due is not None:
        more["due_on"] = AS_OF + timedelta(days=due)
    more.setdefault("health", Health.done if done == total else Health.on_track)
    return Rollup(
        rule="roadmap",
        root=ROOT,
        counts={},
        done=done,
        total=total,
        progress=done / total if total else None,
        **more,
    )


RISK, OFF = Health.at_risk, Health.off_track
DONE_16 = {"done_since": date(2026, 11, 6)}


@pytest.mark.parametrize(
    ("people", "numbers", "says", "measured"),
    [
        # People say that all is well.
        (root(), rollup(9, 14, due=-6, health=OFF), "On track", "6 days overdue"),
        (root(), rollup(9, 14, due=-1, health=OFF), "On track", "1 day overdue"),
        # The date has turned since the numbers were computed.
        (root(), rollup(9, 14, due=-1), "On track", "1 day overdue"),
        (
            root(),
            rollup(12, 20, due=9, blocked=3, health=RISK),
            "On track",
            "60 % done, 3 blocked, due in 9 days",
        ),
        (root(), rollup(1, 4, due=0, health=RISK), "On track", "25 % done, due today"),
        (root(), rollup(1, 4, due=1, health=RISK), "On track", "25 % done, due in 1 day"),
        (root(), rollup(1, 4, blocked=2, health=OFF), "On track", "25 % done, 2 blocked"),
        (root("Im Plan"), rollup(1, 4, due=-2, health=OFF), "Im Plan", "2 days overdue"),
        # A colour says that all is well also where nobody told what else it means.
        (root("🟢", "unknown"), rollup(1, 4, due=-2, health=OFF), "🟢", "2 days overdue"),
        (
            root(),
            rollup(1, 4, due=-2, health=OFF, missing=("PAY-9",)),
            "On track",
            "2 days overdue, 1 not readable",
        ),
        # All is done, and people say something else.
        (root("In progress"), rollup(18, 18, **DONE_16), "In progress", "all 18 done for 16 days"),
        (root("Not started", "todo"), rollup(2, 2), "Not started", "all 2 done"),
        (
            root("Paused", paused=True),
            rollup(2, 2, done_since=AS_OF),
            "Paused",
            "all 2 done since today",
        ),
        (root(), rollup(1, 1, done_since=date(2026, 11, 21)), "On track", "done for 1 day"),
        # People say done, and it is not.
        (root("Shipped", "done"), rollup(7, 11, blocked=1), "Shipped", "4 of 11 open, 1 blocked"),
    ],
)
def test_a_status_that_contradicts_its_work(
    people: Record, numbers: Rollup, says: str, measured: str
) -> None:
    found = of_initiative(people, numbers, AS_OF)
    assert found is not None
    assert (found.kind, found.subject) == (DisagreementKind.status, ROOT)
    assert (found.says, found.measured) == (says, measured)
    assert 50 < found.weight < 100


@pytest.mark.parametrize(
    ("people", "numbers"),
    [
        pytest.param(root(), rollup(5, 12, due=40), id="on track, and it is"),
        pytest.param(root(), rollup(5, 12, due=0), id="due today is not overdue"),
        pytest.param(root("In progress"), rollup(9, 14, due=-6, health=OFF), id="no claim made"),
        pytest.param(root("At risk"), rollup(9, 14, due=-6, health=OFF), id="people know"),
        pytest.param(root("Done", "done"), rollup(14, 14, **DONE_16), id="both say done"),
        pytest.param(root("Done", "done"), rollup(14, 14, due=-6), id="done in the end"),
        pytest.param(root("Dropped", "canceled"), rollup(3, 14, due=-6, health=OFF), id="canceled"),
        pytest.param(root("Dropped", "canceled"), rollup(0, 0), id="canceled without work"),
        pytest.param(root(""), rollup(14, 14, **DONE_16), id="no status"),
        pytest.param(root("Wave 2", "unknown"), rollup(14, 14, **DONE_16), id="a word for itself"),
        pytest.param(
            root("In progress"), rollup(14, 14, missing=("PAY-9",)), id="not all of it was read"
        ),
        pytest.param(
            root("On track", paused=True), rollup(1, 4, due=-6, health=Health.paused), id="paused"
        ),
        pytest.param(
            root("Done", "done"), rollup(7, 11, health=Health.done), id="by the company's own rule"
        ),
        pytest.param(root(archived=True), rollup(1, 4, due=-6, health=OFF), id="archived"),
        pytest.param(root(tombstone="trashed"), rollup(1, 4, due=-6, health=OFF), id="gone"),
    ],
)
def test_a_status_that_contradicts_nothing(people: Record, numbers: Rollup) -> None:
    assert of_initiative(people, numbers, AS_OF) is None


@pytest.mark.parametrize(
    "name",
    [
        "On track",
        "on-track",
        "ON_TRACK",
        "On Track 🟢",
        "🟢 On track",
        "Green",
        "Auf Kurs",
        "En bonne voie",
        "No prazo",
        "По плану",
        "順調",
        "正常",
    ],
)
def test_all_is_well_in_many_languages(name: str) -> None:
    assert says_fine(name)


@pytest.mark.parametrize(
    "name", ["In progress", "At risk", "Not on track", "Off track", "Greenland", "🔴", "", "Done"]
)
def test_what_does_not_say_that_all_is_well(name: str) -> None:
    assert not says_fine(name)


NO_WORK = {"health": Health.no_linked_work}


def test_an_open_initiative_without_work() -> None:
    found = of_initiative(root("Not started", "todo"), rollup(0, 0, **NO_WORK), AS_OF)
    assert found is not None
    assert found.kind is DisagreementKind.no_work
    assert (found.says, found.measured) == ("Not started", "no linked work")
    begun = of_initiative(root("In progress"), rollup(0, 0, **NO_WORK), AS_OF)
    assert begun is not None
    assert begun.weight > found.weight


def test_an_open_initiative_whose_work_is_all_canceled() -> None:
    found = of_initiative(root(""), rollup(0, 0, canceled=3, **NO_WORK), AS_OF)
    assert found is not None
    assert (found.says, found.measured) == ("", "all 3 items canceled")


@pytest.mark.parametrize(
    ("people", "more"),
    [
        (root("Done", "done"), {}),
        (root("Paused", paused=True), {}),
        (root("Not started", "todo"), {"missing": ("PAY-9",)}),
    ],
    ids=["done", "paused", "what it names could not be read"],
)
def test_an_initiative_of_which_no_work_is_expected_or_known(
    people: Record, more: dict[str, Any]
) -> None:
    assert of_initiative(people, rollup(0, 0, **NO_WORK, **more), AS_OF) is None


def test_the_evidence_is_the_open_work_with_what_is_blocked_first() -> None:
    members = [
        record("1", "done", completed_at=at(3)),
        record("2", "in_progress", started_at=at(9)),
        record("3", "in_progress", started_at=at(2)),
        record("4", "todo"),
        record("5", "todo", blocked=True),
        record("6", "canceled"),
    ]
    found = of_initiative(root(), rollup(1, 5, due=-6, health=OFF), AS_OF, members=members)
    assert found is not None
    assert [(fact.ref.id, fact.text, fact.since) for fact in found.evidence] == [
        ("p", 'says "On track"', None),
        ("5", "blocked, to do", None),
        ("3", "in progress", date(2026, 11, 2)),
        ("2", "in progress", date(2026, 11, 9)),
        ("4", "to do", None),
    ]


def test_the_evidence_of_all_done_is_what_ended_last_in_the_days_of_the_zone() -> None:
    late = datetime(2026, 11, 6, 23, 30, tzinfo=UTC)
    members = [
        record("1", "done", completed_at=at(3)),
        record("2", "done", completed_at=late),
        record("3", "done"),
    ]
    east = timezone(timedelta(hours=2))
    found = of_initiative(root("Doing"), rollup(3, 3), AS_OF, members=members, zone=east)
    assert found is not None
    assert [(fact.ref.id, fact.since) for fact in found.evidence[1:]] == [
        ("2", date(2026, 11, 7)),
        ("1", date(2026, 11, 3)),
    ]


def test_the_evidence_is_bounded() -> None:
    members = [record(str(number), "in_progress") for number in range(40)]
    found = of_initiative(root(), rollup(0, 40, due=-6, health=OFF), AS_OF, members=members)
    assert found is not None
    assert len(found.evidence) == 1 + FACTS


def test_what_is_worse_weighs_more() -> None:
    def weight(people: Record, numbers: Rollup) -> float:
        found = of_initiative(people, numbers, AS_OF)
        assert found is not None
        return found.weight

    weights = [
        weight(root(), rollup(9, 14, due=-30, health=OFF)),
        weight(root(), rollup(9, 14, due=-6, health=OFF)),
        weight(root("Done", "done"), rollup(7, 11)),
        weight(root(), rollup(12, 20, due=9, health=RISK)),
        weight(root("In progress"), rollup(18, 18, **DONE_16)),
        weight(root("In progress"), rollup(18, 18, done_since=AS_OF)),
        weight(root("In progress"), rollup(0, 0, **NO_WORK)),
    ]
    assert weights == sorted(set(weights), reverse=True)


def working(id_: str, *, space: str = "Payments", reached: bool = False, day: int = 1) -> Working:
    return Working(ref(id_), space, at(day), reached)


def test_the_share_of_work_that_an_initiative_reaches() -> None:
    share = share_of(
        [
            working("1", reached=True),
            working("2", day=9),
            working("3", space="Growth", day=4),
            working("4", space=""),
            working("5", space="Mobile", reached=True),
        ]
    )
    assert (share.without, share.total) == (3, 5)
    assert [(one.space, one.without, one.total) for one in share.spaces] == [
        ("Payments", 1, 2),
        ("", 1, 1),
        ("Growth", 1, 1),
        ("Mobile", 0, 1),
    ]
    assert [one.ref.id for one in share.oldest] == ["3", "2"], "what is private is no example"
    found = work_without_initiative(share)
    assert found is not None
    assert (found.subject, found.measured) == (None, "3 of 5 in progress without an initiative")
    assert [fact.since for fact in found.evidence] == [date(2026, 11, 4), date(2026, 11, 9)]


def test_only_some_of_the_oldest_are_named() -> None:
    assert len(share_of(working(str(number)) for number in range(20)).oldest) == OLDEST


def test_where_all_work_has_an_initiative_nothing_is_told() -> None:
    assert work_without_initiative(share_of([working("1", reached=True)])) is None
    assert work_without_initiative(share_of([])) is None


def test_a_link_on_one_side_names_where_it_stands() -> None:
    work = record("7", "in_progress")
    found = link_on_one_side(work, ROOT, Evidence(work.ref, ROOT, "description", "x"))
    assert (found.kind, found.subject, found.about) == (
        DisagreementKind.one_side,
        work.ref,
        ROOT,
    )
    assert found.says == 'names the initiative in "description"'


def test_done_with_open_parts() -> None:
    epic = record("1", "done", kind=Kind.epic, completed_at=at(3))
    parts = [record("2", "in_progress", started_at=at(5)), record("3", "todo")]
    found = done_with_open_parts(epic, 5, parts)
    assert (found.says, found.measured) == ("done", "5 parts open")
    assert [(fact.ref.id, fact.text) for fact in found.evidence] == [
        ("1", "done"),
        ("2", "in progress"),
        ("3", "to do"),
    ]


@pytest.mark.parametrize(("private", "says"), [(False, "owner Dana Lind"), (True, "has an owner")])
def test_an_owner_who_left_is_named_unless_the_work_is_private(private: bool, says: str) -> None:
    one = root(owner=Person("u", "Dana Lind", active=False), private=private)
    assert owner_left(one).says == says


def test_an_owner_who_is_still_in_another_tool_weighs_less_than_anything_but_open_parts() -> None:
    one = root(owner=Person("u", "dana", active=False))
    found = owner_left(one, name="Dana Lind", tool="Jira", open_in=("Linear", "jira-ships"))
    assert (found.says, found.measured) == (
        "owner Dana Lind",
        "left Jira, still in Linear and jira-ships",
    )
    parts = [record(str(n), "todo") for n in range(9)]
    done = record("1", "done", kind=Kind.epic)
    assert done_with_open_parts(done, 90, parts).weight < found.weight < owner_left(one).weight
    hidden = msgspec.structs.replace(one, private=True)
    assert owner_left(hidden, name="Dana Lind", tool="Jira", open_in=("Linear",)) == owner_left(
        hidden
    )


def test_no_text_of_a_disagreement_has_a_title_in_it() -> None:
    secret = "Rotate the vault keys"
    work = record("7", "in_progress", title=secret, private=True)
    people = msgspec.structs.replace(root(), title=secret, private=True)
    found: list[Disagreement | None] = [
        of_initiative(people, rollup(1, 2, due=-6, health=OFF), AS_OF, members=[work]),
        link_on_one_side(work, people.ref, Evidence(work.ref, people.ref, "description")),
        done_with_open_parts(work, 1, [work]),
        owner_left(work),
    ]
    assert secret not in msgspec.json.encode(found).decode()
