"""What `opsync look` finds in a small company, and that it does so without touching anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
import pytest
from msgspec import structs

from opsync.config import build
from opsync.disagreements import DisagreementKind
from opsync.engine.disagreeing import Disagreeing
from opsync.engine.look import gather, unread
from opsync.engine.looked import Look
from opsync.engine.lookup import Lookup
from opsync.engine.overview import overview
from opsync.model import Category, Rollup, Status, Suggestion
from opsync.model.rules import Mode
from tests.support.world import World, jira_url, linear_url, page_url, spoiler

NINTHS = (("board", 2), ("roadmap", 4))
MIRRORED = "As in Jira.\n\nMirrored from PAY-3 by Tandem Sync. Edit it there."


async def looked(world: World, suggestions: Sequence[Suggestion] = ()) -> Look:
    """A reading pass in mode observe, and what is seen then; `suggestions` were found before."""
    world.clock.advance(60)
    config = build(world.raw, mode=Mode.observe)
    async with world.session("look") as session:
        session.config = config
        report = await session.sync("look", write=False)
        await session.store.put_suggestions(suggestions)
        return await gather(config, session.store, world.clock.now(), report)


def labels(found: Look, kind: DisagreementKind) -> list[str]:
    return [one.item.label if one.item else "" for one in found.disagreements if one.kind is kind]


async def test_it_counts_initiatives_work_and_what_has_none(world: World) -> None:
    world.linear.set_state("GRO-3", "In Progress")
    found = await looked(world)
    assert (found.roots, found.initiatives) == ("initiative", 2)
    assert (found.work.total, found.work.in_progress, found.work.done) == (10, 4, 3)
    assert found.in_progress is not None
    # PAY-1, PAY-3, MOB-1 and GRO-3, which only names PAY-3.
    assert (found.in_progress.without, found.in_progress.total) == (1, 4)
    assert [one.item.key for one in found.in_progress.oldest] == ["GRO-3"]
    assert found.unseen == ()


@pytest.mark.sampled
@pytest.mark.parametrize("read_only", [False, True])
async def test_nothing_is_written_whatever_the_configuration_says(
    world: World, read_only: bool
) -> None:
    for vendor in world.vendors.values():
        vendor.faults.read_only = read_only
    found = await looked(world)
    assert world.written() == dict.fromkeys(world.vendors, 0)
    assert sum(one.changes for one in found.would_add) > 5
    again = await looked(world)
    assert again.would_add == found.would_add, "what waits is told every time"


async def test_a_look_takes_nothing_from_the_sync_after_it(world: World) -> None:
    found = await looked(world)
    report = await world.sync()
    assert report.exit_code == 0
    assert report.applied == sum(one.changes for one in found.would_add)
    assert (await looked(world)).would_add == ()


async def test_what_write_access_would_add_is_told_by_tool_place_and_kind(world: World) -> None:
    found = await looked(world)
    told = {(one.tool, one.place, one.kind): (one.items, one.link) for one in found.would_add}
    assert told["Notion", "Delivery", "page"] == (2, False)
    assert told["Jira", "Roadmap link", "epic"] == (2, False)
    assert told["Linear", "Roadmap link", "project"] == (1, False)
    assert told["Linear", "Link", "issue"] == (1, True)
    assert {one.verb for one in found.would_add} == {"create"}


async def test_twins_count_once_and_are_listed(world: World) -> None:
    world.linear.set_state("GRO-3", "In Progress")
    world.linear.edit("GRO-3", description=MIRRORED)
    found = await looked(world)
    assert found.in_progress is not None
    assert (found.in_progress.without, found.in_progress.total) == (0, 3)
    assert (found.work.total, found.work.in_progress, found.work.done) == (9, 3, 3)
    (twins,) = found.twins
    assert sorted(item.key for item in twins.items) == ["GRO-3", "PAY-3"]
    assert (twins.counted.key, found.twins_total) == ("PAY-3", 1)
    assert twins.why == "footer in the description of GRO-3"
    assert labels(found, DisagreementKind.no_initiative) == []


async def test_twins_count_as_the_side_that_counts(world: World) -> None:
    world.linear.set_state("GRO-3", "Done")
    world.linear.edit("GRO-3", description=MIRRORED)
    found = await looked(world)
    assert (found.work.open, found.work.in_progress, found.work.done) == (6, 3, 3)
    world.raw["twins"] = {"prefer": ["linear"]}
    found = await looked(world)
    assert (found.work.open, found.work.in_progress, found.work.done) == (5, 2, 4)
    assert found.in_progress is not None
    assert found.in_progress.total == 2


async def test_what_a_team_does_not_count_is_no_work_here_either(world: World) -> None:
    for status in ("Done", "Doing"):
        world.jira.add_issue("MOB", status, issue_type="Sub-task", parent="MOB-3", status=status)
    before = (await looked(world)).work
    scope = [{"instance": "jira-main", "spaces": ["MOB"]}]
    world.raw["team"] = [{"name": "Apps", "scope": scope, "subtasks": False}]
    found = await looked(world)
    after = found.work
    assert (after.total, after.done) == (before.total - 2, before.done - 1)
    assert (after.open, after.in_progress) == (before.open - 1, before.in_progress - 1)
    assert found.in_progress is not None
    assert after.in_progress == found.in_progress.total


async def test_twins_are_as_far_as_the_side_that_counts(world: World) -> None:
    """The copy in progress is no more work in progress once its original is done, and the original
    has an initiative as soon as its copy has one."""
    world.linear.set_state("GRO-3", "In Progress")
    world.linear.edit("GRO-3", description=MIRRORED)
    world.jira.edit("PAY-3", status="Done")
    found = await looked(world)
    assert found.in_progress is not None
    assert (found.in_progress.total, found.work.in_progress, found.work.done) == (2, 2, 4)
    world.jira.add_issue("MOB", "Card form", status="Doing")
    world.linear.add_issue(
        "GRO", "Form", project="Checkout web", description=MIRRORED.replace("PAY-3", "MOB-4")
    )
    found = await looked(world)
    assert found.in_progress is not None
    assert (found.in_progress.total, found.in_progress.without) == (3, 0)


async def test_work_that_names_an_initiative_in_its_own_words_only(world: World) -> None:
    world.linear.edit("GRO-3", description=f"For {page_url(world.checkout)}")
    found = await looked(world)
    (one,) = [d for d in found.disagreements if d.kind is DisagreementKind.one_side]
    assert one.item is not None
    assert one.about is not None
    assert (one.item.key, one.about.title) == ("GRO-3", "One-tap checkout")
    assert one.says == 'names the initiative in "description"'
    world.clock.advance(60)
    both = f"For {page_url(world.checkout)}\n\n{MIRRORED}"
    world.linear.edit("GRO-3", description=both)
    found = await looked(world)
    assert labels(found, DisagreementKind.one_side) == [], "its twin is counted there"


async def test_an_initiative_that_names_an_epic_without_a_link_back_is_no_contradiction(
    world: World,
) -> None:
    found = await looked(world)
    assert found.disagreements == ()
    assert any(one.place == "Roadmap link" for one in found.would_add)


async def test_done_with_open_parts_is_found_and_counted(world: World) -> None:
    world.jira.edit("MOB-1", status="Done")
    found = await looked(world)
    assert labels(found, DisagreementKind.open_parts) == ["MOB-1 Loyalty core"]
    (one,) = [d for d in found.disagreements if d.kind is DisagreementKind.open_parts]
    assert (one.says, one.measured) == ("Done", "1 part open")
    assert found.counts["done_with_open_parts"] == 1


async def test_suggestions_come_with_the_best_first_and_without_private_titles(
    world: World,
) -> None:
    world.jira.edit("PAY-4", security="Staff")
    await looked(world)
    a, b, c = [(await world.record(key)).ref for key in ("PAY-4", "GRO-2", "MOB-3")]
    why = ("titles alike",)
    one, two = Suggestion(a, b, "same", 0.5, why), Suggestion(b, c, "same", 0.9, why)
    found = await looked(world, [one, two])
    assert [(one.id, one.one.label, one.two.label) for one in found.suggestions] == [
        (two.id, "GRO-2 Pay button", "MOB-3 Points screen"),
        (one.id, "Private item", "GRO-2 Pay button"),
    ]
    assert found.suggestions[0].reasons == why
    assert found.suggestions_total == 2


async def test_private_work_is_counted_and_named_nowhere(world: World) -> None:
    world.linear.add_team("SEC", "Blue team", private=True)
    secret = "Rotate the vault keys"
    url = page_url(world.checkout)
    world.linear.add_issue("SEC", secret, state="In Progress", description=f"For {url}")
    found = await looked(world)
    assert found.in_progress is not None
    (space,) = [one for one in found.in_progress.spaces if not one.space]
    assert (space.tool, space.without, space.total) == ("Linear", 1, 1)
    assert labels(found, DisagreementKind.one_side) == ["Private item"]
    told = msgspec.json.encode(found).decode()
    for word in (secret, "SEC-1", "Blue team"):
        assert word not in told


async def test_what_an_initiative_names_and_nobody_can_read_is_told(world: World) -> None:
    world.notion.edit_page(world.loyalty, "Tracked in", f"{jira_url('MOB-1')} {jira_url('PAY-77')}")
    found = await looked(world)
    told = {one.name: one.why for one in found.unseen}
    assert told["Loyalty"] == f"some not counted: {jira_url('PAY-77')} could not be read"


async def test_a_mirror_of_nothing_is_told_and_counts_by_itself(world: World) -> None:
    world.linear.edit("GRO-3", description=MIRRORED.replace("PAY-3", "PAY-9999"))
    (one,) = [each for each in (await looked(world)).unseen if each.what == "mirror"]
    assert one.name == "GRO-3 Card form"
    assert one.why == "says that it mirrors PAY-9999, which was not read: it counts by itself"


async def test_what_is_set_aside_is_not_named_where_it_may_be_private(world: World) -> None:
    world.linear.add_team("SEC", "Blue team", private=True)
    world.linear.add_issue("SEC", "Rotate the vault keys")
    world.linear.add_issue("SEC", "Vault audit", parent="SEC-1")
    world.notion.edit_page(
        world.loyalty, "Tracked in", f"{jira_url('MOB-1')} {linear_url('SEC-1')}"
    )
    await looked(world)
    world.linear.edit("SEC-2", title="Vault audit again")
    world.net.spoil["api.linear.app"] = spoiler("SEC-2", lambda node: node.update(title=7))
    found = await looked(world)
    (told,) = [one for one in found.unseen if one.name == "Loyalty"]
    assert told.why == "some not counted: 1 more could not be read"
    assert any(one.what == "set aside" and one.name == "1 item" for one in found.unseen)


async def test_a_connection_that_cannot_be_read_is_named_with_what_mends_it(world: World) -> None:
    world.linear.start_outage()
    found = await looked(world)
    (told,) = [one for one in found.unseen if one.what == "connection"]
    assert told.name == "linear"
    assert told.why
    assert told.hint
    assert any(one.what == "initiative" for one in found.unseen), "its numbers are missing"
    assert labels(found, DisagreementKind.no_work) == [], "what is unread is not said to be empty"


async def test_with_jira_alone_epics_play_the_part_of_initiatives(world: World) -> None:
    world.raw["instances"] = {"jira-main": world.raw["instances"]["jira-main"]}
    world.raw["rollup"] = [{"name": "epics", "roots": {"instance": "jira-main", "kind": "epic"}}]
    world.jira.edit("MOB-1", status="Done")
    found = await looked(world)
    assert (found.roots, found.initiatives) == ("epic", 2)
    assert found.in_progress is not None
    assert (found.in_progress.without, found.in_progress.total) == (0, 1)
    (one,) = found.disagreements
    assert one.item is not None
    assert (one.item.key, one.kind, one.says) == ("MOB-1", DisagreementKind.status, "Done")
    assert one.measured == "1 of 2 open"


async def test_with_linear_alone_projects_do(world: World) -> None:
    world.raw["instances"] = {"linear": world.raw["instances"]["linear"]}
    world.raw["rollup"] = [{"name": "projects", "roots": {"instance": "linear", "kind": "project"}}]
    world.linear.set_state("GRO-3", "In Progress")
    found = await looked(world)
    assert (found.roots, found.initiatives) == ("project", 1)
    assert found.in_progress is not None
    assert (found.in_progress.without, found.in_progress.total) == (1, 1)


async def test_without_a_rule_there_are_no_initiatives_and_no_share(world: World) -> None:
    world.raw["rollup"] = []
    world.jira.edit("MOB-1", status="Done")
    found = await looked(world)
    assert (found.initiatives, found.in_progress) == (0, None)
    assert found.work.total == 10
    assert labels(found, DisagreementKind.open_parts) == ["MOB-1 Loyalty core"]


async def test_what_a_connection_brought_that_is_configured_no_more_is_left_out(
    world: World,
) -> None:
    world.jira.edit("MOB-1", status="Done")
    await looked(world)
    del world.raw["instances"]["jira-main"]
    found = await looked(world)
    assert found.work.total == 3
    assert labels(found, DisagreementKind.open_parts) == []


async def test_before_anything_was_read(world: World) -> None:
    found = unread(world.config(), world.clock.now())
    assert found.nothing_read
    assert (found.initiatives, found.in_progress, found.run) == (0, None, None)


async def test_status_counts_what_look_finds_in_initiatives_and_links(world: World) -> None:
    world.page("Empty", "")
    world.linear.edit("GRO-3", description=f"For {page_url(world.checkout)}")
    found = await looked(world)
    async with world.session() as session:
        told = (await overview(session.config, session.store, world.clock.now())).disagreements
    cheap = {"status", "initiative_without_work", "link_on_one_side", "owner_left"}
    assert told == {kind: many for kind, many in found.counts.items() if kind in cheap}
    assert told["initiative_without_work"] == told["link_on_one_side"] == 1


async def test_what_several_rules_see_of_one_initiative_is_told_once(world: World) -> None:
    """On the screen of status as well, which shows a line a rule."""
    world.page("Empty", "")
    world.raw["rollup"].append({**world.raw["rollup"][0], "name": "board", "write_to": []})
    found = await looked(world)
    async with world.session() as session:
        told = await overview(session.config, session.store, world.clock.now())
        disagreeing = Disagreeing(Lookup(session.config, session.store), date(2026, 11, 22))
        [(_, root), *_] = await disagreeing.summed()
    assert (found.initiatives, len(told.initiatives)) == (3, 6)
    assert found.counts == told.disagreements == {"initiative_without_work": 1}
    late = structs.replace(root, status=Status("s", "Done", Category.done))
    open_ = [Rollup(rule=name, root=root.ref, counts={}, done=d, total=9) for name, d in NINTHS]
    (one,) = disagreeing.of_rollups([(each, late) for each in open_])
    assert one[0].measured == "7 of 9 open", "what weighs most"


async def test_an_initiative_that_is_put_away_is_told_nowhere(world: World) -> None:
    await looked(world)
    world.clock.advance(60)
    world.loyalty.archived = True
    world.linear.add_issue("GRO", "Points", description=f"For {page_url(world.loyalty)}")
    await world.sync(full=True, write=False)
    found = await looked(world)
    async with world.session() as session:
        told = await overview(session.config, session.store, world.clock.now())
    assert [one.title for one in told.initiatives] == ["One-tap checkout"]
    assert found.initiatives == 1
    assert found.counts == told.disagreements == {}
