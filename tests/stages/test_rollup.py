"""Members, leaves and numbers: each rule of the model with its test."""

from __future__ import annotations

from datetime import UTC, date

import msgspec
import pytest

from opsync.model import NOT_VISIBLE, Health, Kind, Mention, Record, Ref, Release, Role, Rollup
from opsync.model.rules import RollupRule, Roots, Thresholds
from opsync.stages.health import percent_of
from opsync.stages.rollup import PRIVATE, RollupInputs, roll_up
from tests.support.build import at, record, ref

RULE = RollupRule(name="roadmap", roots=Roots(instance="notion"))
TODAY = date(2026, 11, 22)


def root(**more: object) -> Record:
    return record("root", "in_progress", instance="notion", **more)  # type: ignore[arg-type]


def rolled(
    *nodes: Record,
    names: tuple[str, ...] = (),
    rule: RollupRule = RULE,
    as_of: date = TODAY,
    of: Record | None = None,
    **more: object,
) -> Rollup:
    return with_members(*nodes, names=names, rule=rule, as_of=as_of, of=of, **more)[0]


def with_members(
    *nodes: Record,
    names: tuple[str, ...] = (),
    rule: RollupRule = RULE,
    as_of: date = TODAY,
    of: Record | None = None,
    **more: object,
) -> tuple[Rollup, dict[Ref, Role]]:
    mentions = [
        (
            Mention(n, "jira", "Tracked in", True, n),
            [node.ref for node in nodes if node.ref.id == n],
        )
        for n in names
    ]
    inputs = RollupInputs(of or root(), mentions, {n.ref: n for n in nodes}, **more)  # type: ignore[arg-type]
    rollup, members = roll_up(inputs, rule, as_of, UTC)
    return rollup, {m.ref: m.role for m in members}


def test_what_the_root_names_and_everything_below_it_are_members() -> None:
    rollup, roles = with_members(
        record("epic", kind="epic"),
        record("1", "done", parent="epic"),
        record("2", "in_progress", parent="epic"),
        record("2a", "done", parent="2"),
        record("other", "done"),
        names=("epic",),
    )
    assert roles == {
        ref("epic"): Role.container,
        ref("1"): Role.leaf,
        ref("2"): Role.container,
        ref("2a"): Role.leaf,
    }
    assert (rollup.done, rollup.total) == (2, 2)


def test_each_member_counts_once_whatever_the_paths() -> None:
    """I18"""
    rollup = rolled(
        record("epic", kind="epic"),
        record("1", "done", parent=("epic", "project")),
        record("project", kind="project"),
        names=("epic", "1", "project"),
    )
    assert (rollup.done, rollup.total) == (1, 1)
    assert [(c.ref.id, c.done, c.total) for c in rollup.containers] == [
        ("epic", 1, 1),
        ("1", 1, 1),
        ("project", 1, 1),
    ]


def test_an_empty_epic_is_a_leaf() -> None:
    rollup = rolled(record("epic", "todo", kind="epic"), names=("epic",))
    assert (rollup.done, rollup.total) == (0, 1)


def test_children_of_the_root_itself_are_members() -> None:
    epic = record("epic", kind="epic")
    rollup = rolled(epic, record("1", "done", parent="epic"), of=epic)
    assert (rollup.done, rollup.total) == (1, 1)


def test_cycles_are_harmless() -> None:
    rollup = rolled(
        record("a", parent="b"),
        record("b", parent="a"),
        record("c", "done", parent="b"),
        names=("a",),
    )
    assert (rollup.done, rollup.total) == (1, 1)


def test_other_roots_and_documents_are_never_members() -> None:
    other = record("9", instance="notion")
    page = record("8", kind=Kind.document)
    mentions = [
        (Mention("9", "notion", "Depends on", True), [other.ref]),
        (Mention("8", "jira", "Spec", True), [page.ref]),
    ]
    inputs = RollupInputs(
        root(), mentions, {other.ref: other, page.ref: page}, frozenset({other.ref})
    )
    rollup, members = roll_up(inputs, RULE, TODAY, UTC)
    assert members == []
    assert rollup.missing == ()


def test_only_the_listed_properties_make_members_where_the_rule_lists_some() -> None:
    rule = msgspec.structs.replace(RULE, properties=("Epics",))
    assert rolled(record("1", "done"), names=("1",), rule=rule).total == 0
    rule = msgspec.structs.replace(RULE, properties=("Tracked in",))
    assert rolled(record("1", "done"), names=("1",), rule=rule).total == 1


def test_canceled_work_is_outside_every_denominator() -> None:
    rollup = rolled(record("1", "done"), record("2", "canceled"), names=("1", "2"))
    assert (rollup.done, rollup.total, rollup.canceled) == (1, 1, 1)
    assert rollup.health is Health.done


def test_archived_work_stays_counted() -> None:
    assert rolled(record("1", "done", archived=True), names=("1",)).total == 1


def test_no_leaf_or_all_canceled_is_no_progress_and_never_done() -> None:
    for rollup in (rolled(), rolled(record("1", "canceled"), names=("1",))):
        assert rollup.progress is None
        assert percent_of(rollup) is None
        assert rollup.health is Health.no_linked_work


def test_a_blocked_leaf_counts_only_while_it_is_open() -> None:
    rollup = rolled(
        record("1", "done", blocked=True),
        record("2", "todo", blocked=True),
        record("3", "todo"),
        names=("1", "2", "3"),
    )
    assert rollup.blocked == 1


def test_private_work_is_counted_and_told_as_a_number() -> None:
    rollup = rolled(
        record("1", "done", private=True, space="Security"),
        record("2", "todo", space="Payments"),
        names=("1", "2"),
    )
    assert (rollup.total, rollup.private) == (2, 1)
    assert [s.name for s in rollup.spaces] == ["Payments"]


def test_what_is_named_and_cannot_be_read_makes_the_rollup_partial() -> None:
    """I18"""
    rollup = rolled(record("1", "done"), names=("1", "gone"))
    assert rollup.partial
    assert rollup.missing == ("gone",)


def test_a_member_set_aside_makes_the_rollup_partial() -> None:
    rollup = rolled(
        record("1", "done"), record("2", "done"), names=("1", "2"), aside=frozenset({ref("2")})
    )
    assert (rollup.total, rollup.missing) == (1, ("K-2",))


def hidden(name: str, **more: object) -> Record:
    return record(name, tombstone=NOT_VISIBLE, **more)  # type: ignore[arg-type]


def test_what_is_not_visible_any_more_is_missing_and_not_counted() -> None:
    rollup, roles = with_members(record("1", "done"), hidden("2"), names=("1", "2"))
    assert (rollup.done, rollup.total, rollup.missing) == (1, 1, ("K-2",))
    assert set(roles) == {ref("1")}


def test_below_a_container_that_is_not_visible_the_parts_count_or_are_missing() -> None:
    epic = hidden("epic", kind="epic")
    parts = record("1", "done", parent="epic"), hidden("2", parent="epic")
    rollup, roles = with_members(epic, *parts, names=("epic",))
    assert (rollup.done, rollup.total, rollup.missing) == (1, 1, ("K-2",))
    assert set(roles) == {ref("1")}
    alone = rolled(epic, names=("epic",))
    assert (alone.total, alone.missing) == (0, ("K-epic",))


def test_private_work_that_is_missing_is_counted_and_not_named() -> None:
    two = hidden("1", private=True), hidden("2", private=True)
    assert rolled(*two, names=("1", "2")).missing == (PRIVATE, PRIVATE)


def test_a_bare_key_that_nobody_has_is_not_missing() -> None:
    mentions = [(Mention("UTF-8", "", "Tracked in", True, "UTF-8"), [])]
    rollup, _ = roll_up(RollupInputs(root(), mentions, {}), RULE, TODAY, UTC)
    assert not rollup.partial


def test_estimates_count_only_where_half_of_the_leaves_have_one() -> None:
    few = rolled(record("1", "done", estimate=3.0), record("2"), record("3"), names=("1", "2", "3"))
    assert few.estimate_total is None
    assert few.estimated == 1
    half = rolled(record("1", "done", estimate=3.0), record("2"), names=("1", "2"))
    assert (half.estimate_done, half.estimate_total, half.estimated) == (3.0, 3.0, 1)


def test_estimates_in_different_units_make_no_sum() -> None:
    points = record("1", "done", estimate=3.0, estimate_unit="points")
    hours = record("2", estimate=12.0, estimate_unit="hours")
    mixed = rolled(points, hours, record("3"), names=("1", "2", "3"))
    assert (mixed.estimate_done, mixed.estimate_total, mixed.estimate_unit) == (None, None, "")
    assert mixed.estimated == 2
    alike = rolled(points, record("3"), names=("1", "3"))
    assert (alike.estimate_done, alike.estimate_total, alike.estimate_unit) == (3.0, 3.0, "points")


def test_a_detail_is_no_member_and_makes_its_parent_no_container() -> None:
    rollup, roles = with_members(
        record("epic", kind="epic"),
        record("1", "in_progress", parent="epic"),
        record("1a", "done", parent=("1", "epic"), subtask=True, detail=True),
        record("1b", "todo", parent="1a", subtask=True),
        names=("epic",),
    )
    assert roles == {ref("epic"): Role.container, ref("1"): Role.leaf}
    assert (rollup.done, rollup.total) == (0, 1)


def test_a_detail_that_the_root_names_is_no_member_either_and_not_missing() -> None:
    rollup = rolled(record("1a", "done", subtask=True, detail=True), names=("1a",))
    assert (rollup.total, rollup.missing) == (0, ())


def test_the_breakdown_goes_by_configured_teams_where_there_are_any() -> None:
    rollup = rolled(
        record("1", "done", space="Payments", team="Core"),
        record("2", space="Mobile", team="Core"),
        record("3", space="Growth"),
        names=("1", "2", "3"),
    )
    assert [(one.name, one.done, one.total) for one in rollup.spaces] == [
        ("Core", 1, 2),
        ("Growth", 0, 1),
    ]


@pytest.mark.parametrize("change", [{"team": "Core"}, {"estimate_unit": "hours"}])
def test_what_a_team_changes_is_another_input(change: dict[str, str]) -> None:
    before = rolled(record("1", estimate=3.0), names=("1",))
    assert rolled(record("1", estimate=3.0, **change), names=("1",)).inputs != before.inputs


def test_a_released_root_that_becomes_private_is_another_input() -> None:
    release = Release(TODAY, "completed")
    told = rolled(of=root(), release=release)
    hidden = rolled(of=root(private=True), release=release)
    assert told.inputs != hidden.inputs


def test_done_since_is_the_day_the_last_leaf_was_done() -> None:
    rollup = rolled(
        record("1", "done", completed_at=at(6)),
        record("2", "done", completed_at=at(2)),
        names=("1", "2"),
    )
    assert rollup.done_since == date(2026, 11, 6)


def test_done_since_is_not_told_while_the_day_of_one_leaf_is_not_known() -> None:
    rollup = rolled(record("1", "done", completed_at=at(6)), record("2", "done"), names=("1", "2"))
    assert (rollup.done, rollup.total, rollup.done_since) == (2, 2, None)


def test_added_scope_is_shown_from_its_first_day_and_revisited_when_it_is_old() -> None:
    old = [record(str(n), created_at=at(1, 10)) for n in range(10)]
    new = [record(f"n{n}", created_at=at(15 + n)) for n in range(6)]
    rollup = rolled(*old, *new, names=tuple(r.ref.id for r in (*old, *new)))
    assert (rollup.scope_added, rollup.scope_since) == (6, date(2026, 11, 15))
    assert rollup.revisit_on == date(2026, 11, 23)


def test_a_trickle_of_new_work_is_not_told() -> None:
    old = [record(str(n), created_at=at(1, 10)) for n in range(10)]
    rollup = rolled(*old, record("n", created_at=at(20)), names=(*map(str, range(10)), "n"))
    assert rollup.scope_added == 0


def leaves(done: int, total: int, blocked: int = 0) -> tuple[list[Record], tuple[str, ...]]:
    made = [
        record(str(n), "done" if n < done else "in_progress", blocked=done <= n < done + blocked)
        for n in range(total)
    ]
    return made, tuple(str(n) for n in range(total))


@pytest.mark.parametrize(
    ("done", "total", "blocked", "due", "paused", "health"),
    [
        (18, 18, 0, date(2026, 11, 1), False, Health.done),
        (9, 14, 0, date(2026, 11, 16), False, Health.off_track),
        (9, 14, 0, date(2026, 11, 16), True, Health.paused),
        (12, 20, 3, date(2026, 12, 1), False, Health.at_risk),
        (12, 20, 5, None, False, Health.off_track),
        (12, 20, 4, None, False, Health.at_risk),
        (14, 20, 0, date(2026, 12, 6), False, Health.on_track),
        (13, 20, 0, date(2026, 12, 6), False, Health.at_risk),
        (13, 20, 0, date(2026, 12, 7), False, Health.on_track),
        (5, 20, 2, None, False, Health.at_risk),
        (5, 20, 1, None, False, Health.on_track),
        (4, 10, 0, date(2026, 11, 22), False, Health.at_risk),
    ],
)
def test_health_by_its_thresholds(
    done: int, total: int, blocked: int, due: date | None, paused: bool, health: Health
) -> None:
    made, names = leaves(done, total, blocked)
    assert rolled(*made, names=names, of=root(due_on=due, paused=paused)).health is health


def test_nothing_begun_is_not_started() -> None:
    assert rolled(record("1"), record("2", "backlog"), names=("1", "2")).health is (
        Health.not_started
    )


def test_thresholds_come_from_the_rule() -> None:
    made, names = leaves(12, 20, 3)
    rule = msgspec.structs.replace(RULE, thresholds=Thresholds(blocked_off_track=0.3))
    assert rolled(*made, names=names, rule=rule).health is Health.off_track


def test_a_rule_of_a_plugin_decides_health_where_it_answers() -> None:
    made, names = leaves(1, 2)
    inputs = RollupInputs(
        root(),
        [(Mention(n, "jira", "Tracked in", True), [ref(n)]) for n in names],
        {r.ref: r for r in made},
    )
    rollup, _ = roll_up(
        inputs, RULE, TODAY, UTC, [lambda *_: None, lambda *_: (Health.paused, "moon phase")]
    )
    assert (rollup.health, rollup.reason) == (Health.paused, "moon phase")


def test_time_alone_matters_only_until_the_due_date_and_only_while_work_is_open() -> None:
    made, names = leaves(9, 10)
    due = date(2026, 12, 20)
    assert rolled(*made, names=names, of=root(due_on=due)).revisit_on == date(2026, 12, 6)
    later = rolled(*made, names=names, of=root(due_on=due), as_of=date(2026, 12, 10))
    assert later.revisit_on == date(2026, 12, 21)
    made, names = leaves(10, 10)
    assert rolled(*made, names=names, of=root(due_on=due)).revisit_on is None


def test_progress_never_reads_as_whole_before_everything_is_done() -> None:
    made, names = leaves(499, 500)
    assert percent_of(rolled(*made, names=names)) == 0.99


def test_containers_show_what_the_root_names_with_the_leaves_below() -> None:
    rollup = rolled(
        record("epic", kind="epic"),
        record("1", "done", parent="epic"),
        record("2", parent="epic"),
        record("3", "done"),
        names=("epic", "3"),
    )
    assert [(c.ref.id, c.done, c.total, c.single) for c in rollup.containers] == [
        ("epic", 1, 2, False),
        ("3", 1, 1, True),
    ]


def test_a_hint_makes_no_member() -> None:
    hint = Mention("K-1", "", "branch", True, "K-1", "hint")
    inputs = RollupInputs(root(), [(hint, [ref("1")])], {ref("1"): record("1")})
    rollup, members = roll_up(inputs, RULE, TODAY, UTC)
    assert (rollup.total, members) == (0, [])
