"""What a record means to its team: the first whose scope it is in decides, and only where it says
so."""

from __future__ import annotations

import pytest

from opsync.model import Category, Record, Status
from opsync.model.rules import TeamRule, TeamScope
from opsync.teams import apply_team, as_private, private_teams, rules_in, teams_in, unknown_spaces
from tests.support.build import record


def scope(instance: str = "jira", *spaces: str, labels: tuple[str, ...] = ()) -> TeamScope:
    return TeamScope(instance, spaces, labels)


def team(name: str = "Mobile", *scopes: TeamScope, **given: object) -> TeamRule:
    return TeamRule(name=name, scope=scopes or (scope(),), **given)  # type: ignore[arg-type]


def work(category: str = "in_progress", **given: object) -> Record:
    return record("1", category, space="Mobile apps", space_key="MOB", **given)  # type: ignore[arg-type]


def meant(made: Record, *teams: TeamRule, statuses: dict[str, Category] | None = None) -> Record:
    return apply_team(made, teams_in(made.ref.instance, teams, statuses))


def status(name: str, category: str, id_: str = "7") -> Status:
    return Status(id_, name, Category(category))


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        (scope(), True),
        (scope("jira", "MOB"), True),
        (scope("jira", "mob"), True),
        (scope("jira", "MOBILE APPS"), True),
        (scope("jira", "PAY", "MOB"), True),
        (scope("jira", "PAY"), False),
        (scope("linear"), False),
        (scope(labels=("IOS",)), True),
        (scope(labels=("android",)), False),
        (scope("jira", "MOB", labels=("ios", "android")), True),
        (scope("jira", "PAY", labels=("ios",)), False),
    ],
)
def test_all_conditions_of_a_scope_must_hold(where: TeamScope, fits: bool) -> None:
    found = meant(work(labels=("iOS",)), team("Mobile", where))
    assert found.team == ("Mobile" if fits else "")


def test_one_of_several_scopes_is_enough() -> None:
    both = team("Mobile", scope("linear"), scope("jira", "PAY"), scope("jira", "MOB"))
    assert meant(work(), both).team == "Mobile"


def test_a_team_that_is_private_by_now_makes_private_what_was_read_before() -> None:
    private = team("Mobile", scope("jira", "MOB"), private=True)
    assert as_private(work(), private_teams(["jira"], [private])).private
    before = team("All", scope("jira"))
    assert not as_private(work(), private_teams(["jira"], [before, private])).private
    assert private_teams(["linear"], [private]) == {}
    assert private_teams(["jira"], [before]) == {}


def test_the_first_team_that_fits_counts_and_no_other() -> None:
    ios = team("iOS", scope(labels=("ios",)), private=True)
    mobile = team("Mobile", scope("jira", "MOB"), estimate="none")

    found = meant(work(labels=("ios",), estimate=3.0), ios, mobile)
    assert (found.team, found.private, found.estimate) == ("iOS", True, 3.0)
    assert meant(work(labels=("ios",)), mobile, ios).team == "Mobile"
    assert meant(work(), ios, mobile).team == "Mobile"


def test_what_no_team_has_is_left_alone() -> None:
    made = work()
    assert meant(made, team("Payments", scope("jira", "PAY"))) is made


def test_a_team_that_says_nothing_changes_its_name_only() -> None:
    made = work(estimate=3.0, estimate_unit="points", blocked=True, subtask=True)
    found = meant(made, team())
    assert found.team == "Mobile"
    assert (found.estimate, found.estimate_unit) == (3.0, "points")
    assert (found.blocked, found.detail, found.status) == (True, False, made.status)


def test_a_private_team_makes_its_work_private_and_no_team_makes_it_public() -> None:
    assert meant(work(), team(private=True)).private
    assert meant(work(private=True), team(private=False)).private


@pytest.mark.parametrize(
    ("chosen", "estimate", "unit"),
    [
        (None, 3.0, "points"),
        ("points", 3.0, "points"),
        ("hours", 12.5, "hours"),
        ("none", None, ""),
    ],
)
def test_the_estimate_is_that_of_the_teams_unit(
    chosen: str | None, estimate: float | None, unit: str
) -> None:
    made = work(estimate=3.0, estimate_unit="points", estimates={"points": 3.0, "hours": 12.5})
    found = meant(made, team(estimate=chosen))
    assert (found.estimate, found.estimate_unit) == (estimate, unit)


def test_work_without_an_estimate_in_the_teams_unit_has_none() -> None:
    made = work(estimate=3.0, estimate_unit="points", estimates={"points": 3.0})
    found = meant(made, team(estimate="hours"))
    assert (found.estimate, found.estimate_unit) == (None, "")


@pytest.mark.parametrize(
    ("says", "made", "blocked"),
    [
        (None, work(blocked=True), True),
        (set(), work(blocked=True, hindrances=("link", "flag")), False),
        ({"link"}, work(hindrances=("link",)), True),
        ({"link"}, work(blocked=True, hindrances=("flag",)), False),
        ({"flag", "link"}, work(hindrances=("flag",)), True),
        ({"label"}, work(labels=("Blockiert",)), True),
        ({"flag"}, work(labels=("Blockiert",)), False),
        ({"status"}, work(status=status("Wartet", "in_progress")), True),
        ({"status"}, work(status=status("Liegt", "in_progress", "31")), True),
        ({"status"}, work(status=status("wartet", "in_progress")), False),
        ({"link"}, work("done", blocked=True, hindrances=("link",)), False),
        ({"label"}, work("canceled", labels=("blockiert",)), False),
        ({"link"}, work(status=None, hindrances=("link",)), True),
    ],
)
def test_what_the_team_says_is_blocked_is_blocked_while_it_is_open(
    says: set[str] | None, made: Record, blocked: bool
) -> None:
    rule = team(
        blocked=None if says is None else frozenset(says),
        blocked_labels=frozenset({"blockiert"}),
        blocked_statuses=frozenset({"Wartet", "31"}),
    )
    assert meant(made, rule).blocked is blocked


def test_sub_tasks_are_details_where_the_team_does_not_count_them() -> None:
    assert meant(work(subtask=True), team(subtasks=False)).detail
    assert not meant(work(subtask=False), team(subtasks=False)).detail
    assert not meant(work(subtask=True), team(subtasks=True)).detail


@pytest.mark.parametrize(
    ("chosen", "made", "category"),
    [
        ({"7": "backlog"}, work(status=status("Liegt", "todo")), "backlog"),
        ({"Liegt": "backlog"}, work(status=status("Liegt", "todo")), "backlog"),
        ({"liegt": "backlog"}, work(status=status("Liegt", "todo")), "todo"),
        ({"7": "backlog", "Liegt": "done"}, work(status=status("Liegt", "todo")), "backlog"),
        ({"Fertig": "in_progress"}, work(status=status("Fertig", "done")), "in_progress"),
    ],
)
def test_a_status_counts_as_the_team_has_it_by_id_or_name(
    chosen: dict[str, str], made: Record, category: str
) -> None:
    rule = team(statuses={name: Category(one) for name, one in chosen.items()})
    assert meant(made, rule).category is Category(category)


def ended(name: str, category: str) -> Record:
    return work(status=status("Fertig", category), extra={"resolution": name})


def test_how_work_ended_refines_that_it_did() -> None:
    rule = team(statuses={"Verworfen": Category.canceled, "Fertig": Category.done})
    assert meant(ended("Verworfen", "done"), rule).category is Category.canceled
    assert meant(ended("Erledigt", "done"), rule).category is Category.done
    assert meant(ended("Verworfen", "in_progress"), rule).category is Category.canceled
    reopened = team(statuses={"Verworfen": Category.canceled})
    assert meant(ended("Verworfen", "todo"), reopened).category is Category.todo


def test_the_teams_word_on_how_work_ended_wins_over_the_instances() -> None:
    assert (
        meant(ended("Duplikat", "canceled"), team(statuses={"Duplikat": Category.done})).category
        is Category.done
    )


def test_a_status_that_means_done_leaves_how_work_ended_to_the_instance() -> None:
    rule = team(statuses={"Fertig": Category.done})
    assert meant(ended("Won't Do", "canceled"), rule).category is Category.canceled


def test_the_teams_word_on_a_status_wins_over_the_instances() -> None:
    rule = team(statuses={"Fertig": Category.done})
    by_status = {"Fertig": Category.canceled}
    assert meant(ended("Done", "canceled"), rule, statuses=by_status).category is Category.done
    plain = work(status=status("Fertig", "canceled"))
    assert meant(plain, rule).category is Category.done


def test_only_the_teams_of_an_instance_and_their_scopes_there_decide_how_it_is_read() -> None:
    both = team("Mobile", scope("jira", "MOB"), scope("linear", "APP"))
    other = team("Growth", scope("linear"))
    [here] = rules_in("jira", [both, other])
    assert (here.name, here.scope) == ("Mobile", (scope("jira", "MOB"),))
    moved = team("Mobile", scope("jira", "MOB"), scope("linear", "WEB"))
    assert rules_in("jira", [moved, other]) == [here]
    assert rules_in("notion", [both, other]) == []


def test_a_space_that_nothing_is_in_is_found_in_any_case() -> None:
    rule = team("Mobile", scope("jira", "MOBX", "mob", "payments"), scope("linear", "GRO"))
    spaces = [("MOB", "Mobile apps"), ("PAY", "Payments")]
    assert unknown_spaces(rule, "jira", spaces) == ("MOBX",)
    assert unknown_spaces(rule, "notion", spaces) == ()
