"""Releases in whole passes: one annotation an initiative, made, moved and removed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from msgspec import structs

from opsync import Change, Outcome
from opsync.current import Pass
from opsync.errors import TemporaryError
from opsync.model import Note, marker_of
from opsync.model.ledger import HoldKind
from opsync.report import PassReport
from opsync.sandbox.notion import Page
from opsync.steps.deriving import roll_up_changed
from opsync.store import Store
from tests.crash.mortal import Died
from tests.support.meter import Meter, MeterTool, add_meter, days_ago, measures
from tests.support.world import World, jira_url, troubles

DAY_S = 24 * 3_600


@dataclass
class Told:
    """The company with an analytics tool, in which the checkout is done."""

    world: World
    tool: MeterTool

    def notes(self) -> list[tuple[str, str]]:
        """The annotations: day, and text without link and marker."""
        return [(note.on, note.text.partition(" https://")[0]) for note in self.tool.notes.values()]

    def done(self, page: Page, ago: int | None = None, status: str = "Done") -> None:
        """People move a page, and say when it was released."""
        self.world.notion.edit_page(page, "Status", status)
        if ago is not None:
            released = days_ago(self.world, ago).isoformat()
            self.world.notion.edit_page(page, "Released", released)


@pytest.fixture
def told(tmp_path: Path) -> Told:
    world = World(tmp_path)
    tool = add_meter(world)
    measures(world, released="Released", announce_in=["meter"])
    told = Told(world, tool)
    told.done(world.checkout, 19)
    return told


def planned(report: PassReport) -> list[str]:
    return [one.change.verb for one in report.plan.changes if one.tool == "Meter"]


async def test_one_annotation_with_link_and_marker_and_a_second_pass_writes_nothing(
    told: Told,
) -> None:
    report = await told.world.sync()
    assert report.exit_code == 0, troubles(report)
    [note] = told.tool.notes.values()
    page = told.world.checkout
    root = (await told.world.rollup(page)).root
    assert note.on == days_ago(told.world, 19).isoformat()
    assert note.text == f"Shipped: One-tap checkout {page.url} {marker_of(root)}"
    told.tool.forget()
    await told.world.silent()
    assert told.tool.requests == []
    await told.world.silent(full=True)
    assert told.tool.requests == ["notes"], "one look at what people did to them"


async def test_with_full_an_edit_and_a_deletion_by_a_person_are_noticed(told: Told) -> None:
    await told.world.sync()
    [(id_, note)] = told.tool.notes.items()
    told.tool.notes[id_] = Note(note.on, f"Our best day {note.marker}")
    report = await told.world.sync(full=True)
    assert {one.kind for one in report.plan.held} == {"conflict"}
    assert [one.group for one in report.plan.held] == ["One-tap checkout"]
    assert told.tool.notes[id_].text.startswith("Our best day")

    told.tool.notes.clear()
    report = await told.world.sync(full=True)
    assert told.tool.notes == {}, "what a person removed stays removed"
    assert report.applied == 0


async def test_a_look_is_not_lost_with_the_pass_that_made_it(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    await told.world.sync()
    told.tool.notes.clear()
    told.tool.forget()
    told.world.clock.advance(DAY_S)

    def dies(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as dying:
        dying.setattr(Store, "put_desired", dies)
        with pytest.raises(Died):
            await told.world.sync()
    with monkeypatch.context() as failing:
        failing.setattr(Meter, "address", dies_of_a_fault)
        assert (await told.world.sync()).exit_code == 1
    for _ in range(2):
        report = await told.world.sync()
        assert report.exit_code == 0, troubles(report)
    assert told.tool.requests.count("notes") == 3, "until one pass could plan by it"
    async with told.world.session() as session:
        [entry] = await session.store.entries(instance="meter")
    assert entry.hold is not None
    assert entry.hold.kind is HoldKind.removed


def dies_of_a_fault(*_: object) -> str:
    raise ZeroDivisionError


async def test_what_is_not_done_is_not_announced(told: Told) -> None:
    told.done(told.world.loyalty, 3, "In progress")
    await told.world.sync()
    assert told.notes() == [(days_ago(told.world, 19).isoformat(), "Shipped: One-tap checkout")]


async def test_what_was_done_before_opsync_came_is_not_announced_without_a_date(
    told: Told,
) -> None:
    told.done(told.world.loyalty)
    await told.world.sync()
    assert len(told.notes()) == 1


async def test_without_a_date_it_is_the_day_on_which_it_was_first_seen_done(told: Told) -> None:
    await told.world.sync()
    told.world.clock.advance(DAY_S)
    told.done(told.world.loyalty)
    await told.world.sync()
    [_, (on, text)] = told.notes()
    assert on == days_ago(told.world, 0).isoformat()
    assert text.startswith("Shipped: Loyalty")
    assert "seen done 3 Mar" in next(
        n.text for n in told.tool.notes.values() if "Loyalty" in n.text
    )


async def test_what_was_done_while_nobody_looked_is_not_announced_without_a_date(
    told: Told,
) -> None:
    world, rule = told.world, told.world.raw["rollup"][0]
    await world.sync()
    rule["announce_in"] = []
    await world.sync()
    told.done(world.loyalty)
    await world.sync()
    world.clock.advance(90 * DAY_S)
    rule["announce_in"] = ["meter"]
    await world.sync()
    assert [text for _, text in told.notes()] == ["Shipped: One-tap checkout"]


async def test_it_moves_when_its_date_moves(told: Told) -> None:
    await told.world.sync()
    before = dict(told.tool.notes)
    told.done(told.world.checkout, 12)
    report = await told.world.sync()
    assert planned(report) == ["update"]
    assert told.tool.notes.keys() == before.keys()
    assert told.notes()[0][0] == days_ago(told.world, 12).isoformat()
    await told.world.silent()


async def test_it_is_told_by_its_new_name(told: Told) -> None:
    await told.world.sync()
    told.world.notion.edit_page(told.world.checkout, "Name", "One-click checkout")
    await told.world.sync()
    assert [text for _, text in told.notes()] == ["Shipped: One-click checkout"]


async def test_reopened_it_is_removed_and_done_again_it_is_made_again(told: Told) -> None:
    world = told.world
    told.world.notion.edit_page(world.checkout, "Released", None)
    told.done(world.checkout, status="In progress")
    await world.sync()
    told.done(world.checkout)
    await world.sync()
    first = days_ago(world, 0).isoformat()
    assert [on for on, _ in told.notes()] == [first]
    told.done(world.checkout, status="In progress")
    world.clock.advance(DAY_S)
    report = await world.sync()
    assert planned(report) == ["remove"]
    assert told.notes() == []
    await world.silent()
    world.clock.advance(DAY_S)
    told.done(world.checkout)
    await world.sync()
    assert [on for on, _ in told.notes()] == [days_ago(world, 0).isoformat()]
    assert days_ago(world, 0).isoformat() != first
    await world.silent()


async def test_it_goes_with_its_initiative(told: Told) -> None:
    await told.world.sync()
    told.world.notion.trash(told.world.checkout)
    await told.world.sync(full=True)
    assert told.notes() == []
    await told.world.silent()
    told.world.notion.restore(told.world.checkout)
    await told.world.sync()
    assert len(told.notes()) == 1


async def test_it_goes_with_the_instance_in_the_rule(told: Told) -> None:
    await told.world.sync()
    told.world.raw["rollup"][0]["announce_in"] = []
    await told.world.sync()
    assert told.notes() == []
    await told.world.silent()


async def test_it_goes_with_its_rule(told: Told) -> None:
    world = told.world
    world.raw["rollup"].append({"name": "other", "mode": "apply", "roots": {"instance": "linear"}})
    await world.sync()
    del world.raw["rollup"][0]
    await world.sync()
    assert told.notes() == []
    await world.silent()


async def test_a_renamed_rule_takes_it_over(told: Told) -> None:
    await told.world.sync()
    before = dict(told.tool.notes)
    told.tool.forget()
    told.world.raw["rollup"][0]["name"] = "renamed"
    await told.world.sync()
    assert told.tool.notes == before
    assert "write" not in told.tool.requests
    await told.world.silent()


@pytest.mark.slow
async def test_two_rules_over_the_same_initiatives_tell_it_once(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a configuration is refused; the planner does not rely on it."""
    world = told.world
    config = world.config()
    [rule] = config.rules
    second = structs.replace(rule, name="second", write_to=())
    both = replace(config, rules=(rule, second))
    with monkeypatch.context() as patch:
        patch.setattr(world, "config", lambda: both)
        await world.sync()
    assert len(told.notes()) == 1
    world.raw["rollup"][0] |= {"name": "second", "write_to": []}
    await world.sync()
    assert len(told.notes()) == 1
    await world.silent()


async def test_each_tool_has_its_own(told: Told) -> None:
    other = add_meter(told.world, "meter-two")
    told.world.raw["rollup"][0]["announce_in"] = ["meter", "meter-two"]
    await told.world.sync()
    assert [len(tool.notes) for tool in (told.tool, other)] == [1, 1]
    await told.world.silent()


async def test_a_rule_that_observes_shows_it_only(told: Told) -> None:
    told.world.raw["rollup"][0]["mode"] = "observe"
    report = await told.world.sync()
    assert told.notes() == []
    [shown] = [one for one in report.plan.observed if one.tool == "Meter"]
    assert shown.place == "Annotation"
    assert shown.change.reason == 'its own status is done; the day is in its "Released"'
    told.world.raw["rollup"][0]["mode"] = "apply"
    await told.world.sync()
    assert len(told.notes()) == 1


async def test_a_plan_shows_it_only(told: Told) -> None:
    report = await told.world.sync(write=False)
    assert planned(report) == ["create"]
    assert told.notes() == []


@pytest.mark.slow
async def test_a_day_that_turns_in_the_middle_of_a_pass_loses_no_planned_release(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = told.world
    await world.sync()
    told.done(world.loyalty, -1)
    world.clock.advance(DAY_S - world.clock.now().timestamp() % DAY_S - 3_600)

    async def after_midnight(this: Pass) -> None:
        world.clock.advance(3_600)
        await roll_up_changed(this)

    with monkeypatch.context() as patch:
        patch.setattr("opsync.pipeline.roll_up_changed", after_midnight)
        await world.sync()
    await world.sync()
    assert (days_ago(world, 0).isoformat(), "Shipped: Loyalty") in told.notes()
    await world.silent()


async def test_private_initiatives_are_announced_nowhere(told: Told) -> None:
    world = told.world
    world.notion.state.data_sources[world.source.id].schema.add("Secret", {"checkbox": {}})
    block = world.raw["instances"]["notion"]["data_sources"][0]
    block["private_column"] = "Secret"
    world.notion.edit_page(world.checkout, "Secret", True)
    await world.sync()
    assert told.notes() == []


# People ----------------------------------------------------------------------------------------


async def test_what_a_person_removed_stays_removed(told: Told) -> None:
    await told.world.sync()
    told.tool.notes.clear()
    told.done(told.world.checkout, 12)
    report = await told.world.sync()
    assert told.notes() == []
    assert report.applied == 0 or "Meter" not in {one.tool for one in report.plan.changes}
    await told.world.sync()
    assert told.notes() == []


async def test_what_a_person_edited_is_kept_as_theirs(told: Told) -> None:
    await told.world.sync()
    [(id_, note)] = told.tool.notes.items()
    theirs = told.tool.notes[id_] = Note(note.on, "Our launch! " + note.text)
    told.done(told.world.checkout, 12)
    report = await told.world.sync()
    assert list(told.tool.notes.values()) == [theirs]
    assert report.conflicts == 1
    again = await told.world.sync()
    assert list(told.tool.notes.values()) == [theirs]
    for one in (report, again):
        assert [(held.group, held.kind) for held in one.plan.held] == [
            ("One-tap checkout", "conflict")
        ]


async def test_a_persons_annotation_with_our_marker_in_it_is_left_alone(told: Told) -> None:
    root = "notion:page:x"
    theirs = Note("2026-02-11", f"See [opsync:12345678] for {root}, and more")
    told.tool.notes["5"] = theirs
    await told.world.sync()
    marker = next(n.text[-17:] for id_, n in told.tool.notes.items() if id_ != "5")
    quoting = Note("2026-02-12", f"Why is {marker} here?")
    told.tool.notes["6"] = quoting
    told.done(told.world.checkout, 12)
    await told.world.sync()
    told.done(told.world.checkout, status="In progress")
    await told.world.sync()
    assert told.tool.notes == {"5": theirs, "6": quoting}


# Interruptions ---------------------------------------------------------------------------------


@pytest.mark.sampled
@pytest.mark.parametrize("point", ["notes", "begin_changes", "write", "finish_changes"])
async def test_killed_at_any_point_there_is_one_annotation(
    told: Told, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a request leaves, before the intent is durable, and before the answer is recorded."""

    async def die(*_: object, **__: object) -> None:
        raise Died

    def die_at(request: str) -> None:
        if request == point:
            raise Died

    with monkeypatch.context() as patch:
        if point.endswith("changes"):
            patch.setattr(Store, point, die)
        told.tool.before = die_at
        with pytest.raises(Died):
            await told.world.sync()
    told.tool.before = lambda request: None
    await told.world.sync()
    assert len(told.notes()) == 1
    await told.world.silent()


async def test_a_rule_that_is_renamed_while_an_answer_is_lost_keeps_the_annotation(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Meter._write

    def lost(meter: Meter, change: Change) -> Outcome:
        made(meter, change)
        raise TemporaryError("the answer was lost", sent=True)

    with monkeypatch.context() as patch:
        patch.setattr(Meter, "_write", lost)
        await told.world.sync()
    before = dict(told.tool.notes)
    told.world.raw["rollup"][0]["name"] = "renamed"
    await told.world.sync()
    assert told.tool.notes == before
    assert len(before) == 1
    await told.world.silent()


async def test_a_store_that_was_lost_finds_its_annotation_again(told: Told) -> None:
    await told.world.sync()
    before = dict(told.tool.notes)
    told.world.lose_store()
    await told.world.sync()
    assert told.tool.notes == before
    await told.world.silent()


async def test_a_project_that_is_first_read_later_gets_what_was_shipped_before(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise TemporaryError("Meter is down")

    with monkeypatch.context() as patch:
        patch.setattr("tests.support.meter.Meter.feeds", down)
        await told.world.sync()
    assert told.notes() == []
    await told.world.sync()
    assert len(told.notes()) == 1


async def test_another_project_gets_its_own(told: Told) -> None:
    await told.world.sync()
    told.tool.project, told.tool.notes = "2", {}
    told.world.raw["instances"]["meter"]["overlap_s"] = 301
    await told.world.sync()
    assert len(told.notes()) == 1
    await told.world.silent()


async def test_more_than_one_is_written_in_one_go(told: Told) -> None:
    for number in range(5):
        page = told.world.page(f"Plan {number}", jira_url("PAY-4"))
        told.done(page, number)
    await told.world.sync()
    assert len(told.notes()) == 6
    assert told.tool.asked("notes") == 1
