"""One piece of work in two tools counts once, whatever hangs below its sides."""

from __future__ import annotations

from datetime import UTC, date

from opsync.model import (
    Container,
    Kind,
    Member,
    Mention,
    Preference,
    Record,
    Ref,
    Role,
    Rollup,
    Twin,
)
from opsync.model.rules import RollupRule, Roots
from opsync.model.twin import sides_of
from opsync.stages.rollup import RollupInputs, roll_up
from tests.support.build import record, ref

RULE = RollupRule(name="roadmap", roots=Roots(instance="notion"))
TODAY = date(2026, 11, 22)
ROOT = record("root", "in_progress", instance="notion")
FIRST_JIRA = Preference((), ("jira", "linear"))


def jira(id_: str, category: str = "todo", **more: object) -> Record:
    return record(id_, category, **more)  # type: ignore[arg-type]


def linear(id_: str, category: str = "todo", **more: object) -> Record:
    return record(id_, category, instance="linear", **more)  # type: ignore[arg-type]


def same(one: str, two: str) -> Twin:
    """The Jira issue `one` and the Linear issue `two`, which is its copy."""
    copy = ref(two, "linear")
    return Twin(ref(one), copy, copy)


def rolled(
    *nodes: Record,
    names: tuple[Ref, ...],
    twins: tuple[Twin, ...],
    preference: Preference = FIRST_JIRA,
    root: Record = ROOT,
) -> tuple[Rollup, dict[Ref, Member]]:
    mentions = [(Mention(n.id, n.instance, "Tracked in", True, n.id), [n]) for n in names]
    inputs = RollupInputs(
        root,
        mentions,
        {node.ref: node for node in nodes},
        twins=sides_of(twins),
        preference=preference,
    )
    rollup, members = roll_up(inputs, RULE, TODAY, UTC)
    return rollup, {one.ref: one for one in members}


EPIC = jira("epic", kind=Kind.epic)
PROJECT = linear("project", kind=Kind.project)
BOTH = (EPIC.ref, PROJECT.ref)


def test_one_side_counts_and_the_other_is_a_member_that_does_not() -> None:
    rollup, members = rolled(
        EPIC,
        jira("1", "done", parent="epic", estimate=3, space="Payments"),
        PROJECT,
        linear("a", "in_progress", parent="project", blocked=True, estimate=5, space="Growth"),
        linear("b", parent="project", estimate=1, space="Growth"),
        names=BOTH,
        twins=(same("1", "a"),),
    )
    assert (rollup.done, rollup.total, rollup.blocked) == (1, 2, 0)
    assert (rollup.estimate_done, rollup.estimate_total) == (3, 4)
    assert [(s.name, s.done, s.total) for s in rollup.spaces] == [
        ("Growth", 0, 1),
        ("Payments", 1, 1),
    ]
    assert [(c.ref, c.done, c.total) for c in rollup.containers] == [
        (EPIC.ref, 1, 1),
        (PROJECT.ref, 0, 1),
    ]
    assert members[ref("a", "linear")].role is Role.twin
    assert members[ref("1")].role is Role.leaf


def test_the_preferred_side_counts_with_its_own_state() -> None:
    rollup, members = rolled(
        EPIC,
        jira("1", "done", parent="epic"),
        PROJECT,
        linear("a", "in_progress", parent="project"),
        names=BOTH,
        twins=(same("1", "a"),),
        preference=Preference(("linear",), ("jira", "linear")),
    )
    assert (rollup.done, rollup.total) == (0, 1)
    assert members[ref("1")].role is Role.twin


def test_a_canceled_side_that_counts_is_canceled_work() -> None:
    rollup, _ = rolled(
        EPIC,
        jira("1", "canceled", parent="epic"),
        PROJECT,
        linear("a", "todo", parent="project"),
        names=BOTH,
        twins=(same("1", "a"),),
    )
    assert (rollup.total, rollup.canceled) == (0, 1)


def test_a_side_whose_other_is_elsewhere_counts_by_itself() -> None:
    rollup, members = rolled(
        PROJECT,
        linear("a", "done", parent="project"),
        names=(PROJECT.ref,),
        twins=(same("1", "a"),),
    )
    assert (rollup.done, rollup.total) == (1, 1)
    assert members[ref("a", "linear")].role is Role.leaf


def test_the_parts_of_two_mirrored_parents_pair_up_and_the_others_count() -> None:
    rollup, members = rolled(
        EPIC,
        jira("1", "in_progress", parent="epic"),
        jira("1a", "done", parent="1"),
        jira("1b", parent="1"),
        PROJECT,
        linear("a", "in_progress", parent="project"),
        linear("aa", "done", parent="a"),
        linear("ac", "done", parent="a"),
        names=BOTH,
        twins=(same("1", "a"), same("1a", "aa")),
    )
    leaves = {one.ref.id for one in members.values() if one.role is Role.leaf}
    assert leaves == {"1a", "1b", "ac"}
    assert (rollup.done, rollup.total) == (2, 3)
    assert members[ref("1")].role is Role.container
    # What only the copy has is part of the one piece of work, under the side that counts.
    assert Container(EPIC.ref, 2, 3) in rollup.containers


def test_a_mirrored_container_holds_what_is_below_any_of_its_sides() -> None:
    rollup, members = rolled(
        EPIC,
        jira("1", "done", parent="epic"),
        PROJECT,
        linear("a", "done", parent="project"),
        linear("b", parent="project"),
        names=BOTH,
        twins=(same("epic", "project"), same("1", "a")),
    )
    assert (rollup.done, rollup.total) == (1, 2)
    assert rollup.containers == (Container(EPIC.ref, 1, 2),)
    assert members[PROJECT.ref].role is Role.twin


def test_an_empty_side_is_no_leaf_if_the_other_has_parts() -> None:
    rollup, members = rolled(
        EPIC,
        PROJECT,
        linear("a", "done", parent="project"),
        linear("b", parent="project"),
        names=BOTH,
        twins=(same("epic", "project"),),
    )
    assert (rollup.done, rollup.total) == (1, 2)
    assert members[EPIC.ref].role is Role.container
    assert rollup.containers == (Container(EPIC.ref, 1, 2),)


def test_a_parent_of_mirrored_parts_only_is_no_leaf() -> None:
    rollup, _ = rolled(
        EPIC,
        jira("1", "done", parent="epic"),
        linear("p", "in_progress"),
        linear("a", "done", parent="p"),
        names=(EPIC.ref, ref("p", "linear")),
        twins=(same("1", "a"),),
    )
    assert (rollup.done, rollup.total) == (1, 1)


def test_a_copy_that_the_root_names_beside_the_original_is_not_named_twice() -> None:
    rollup, _ = rolled(
        jira("1", "done"),
        linear("a", "done"),
        names=(ref("a", "linear"), ref("1")),
        twins=(same("1", "a"),),
    )
    assert rollup.containers == (Container(ref("1"), 1, 1, single=True),)


def test_the_mirror_of_the_root_is_no_work_of_its_own() -> None:
    root = jira("epic", kind=Kind.epic)
    rollup, members = rolled(
        jira("1", "done", parent="epic"),
        PROJECT,
        linear("a", "done", parent="project"),
        linear("b", parent="project"),
        names=(PROJECT.ref,),
        twins=(same("epic", "project"), same("1", "a")),
        root=root,
    )
    assert members[PROJECT.ref].role is Role.twin
    assert (rollup.done, rollup.total) == (1, 2)


def test_ten_copies_of_a_template_all_count() -> None:
    copies = [linear(str(number), parent="project") for number in range(10)]
    rollup, members = rolled(
        EPIC,
        jira("1", "done", parent="epic"),
        PROJECT,
        *copies,
        names=BOTH,
        twins=tuple(same("1", one.ref.id) for one in copies),
    )
    assert (rollup.done, rollup.total) == (1, 11)
    assert not [one for one in members.values() if one.role is Role.twin]


def test_a_changed_side_changes_the_inputs() -> None:
    def inputs(category: str) -> str:
        return rolled(
            jira("1", "done"),
            linear("a", category),
            names=(ref("1"), ref("a", "linear")),
            twins=(same("1", "a"),),
        )[0].inputs

    assert inputs("todo") != inputs("done")
