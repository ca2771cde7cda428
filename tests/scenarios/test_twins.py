"""Work that a mirror keeps alike in two tools: one thing, counted once, and no evidence twice."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from opsync.engine.deciding import Deciding
from opsync.engine.explain import Explainer
from opsync.engine.explained import Explanation
from opsync.engine.twinned import TwinGroup, doubtful_groups, twin_groups
from opsync.model import PairDecision, Ref, Verdict
from tests.support.world import JIRA_SITE, World, jira_url, linear_url, troubles

FOOTER = "Points.\n\n---\nMirrored from {} by Tandem Sync. Edit it there."


def mirror(world: World, key: str = "PAY-3", footer: str = FOOTER) -> str:
    """A copy of a Jira issue in the Linear project; returns its identifier."""
    copy = world.linear.add_issue(
        "GRO", "Tokenise cards", project="Checkout web", description=footer.format(key)
    )
    return copy.identifier


async def counts(world: World) -> tuple[int, int]:
    """Done and total of "One-tap checkout", after a pass that went well."""
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    rollup = await world.rollup(world.checkout)
    return rollup.done, rollup.total


async def explained(world: World, name: str) -> Explanation:
    async with world.session("explain") as session:
        explainer = Explainer(session.config, session.store)
        [record] = await explainer.find(name)
        return await explainer.explain(record, world.clock.now())


async def groups(world: World) -> list[TwinGroup]:
    async with world.session("look") as session:
        return await twin_groups(session.config, session.store)


async def links(world: World) -> set[frozenset[str]]:
    """The pairs between issues, by key."""
    async with world.session("links") as session:
        found = await session.store.links_page(limit=1000)
        pairs = [[await session.store.record(end) for end in (x.one, x.two)] for x in found]
    return {frozenset(one.key for one in pair if one) for pair in pairs if all(pair)}


def keys(items: Iterable[TwinGroup]) -> list[tuple[list[str], str]]:
    return [([one.key for one in group.items], group.counted.key) for group in items]


@pytest.mark.slow
async def test_a_copy_with_a_footer_counts_once_and_what_is_done_once(world: World) -> None:
    assert await counts(world) == (2, 5)
    copy = mirror(world)
    assert await counts(world) == (2, 5)
    world.linear.set_state(copy, "Done")
    assert await counts(world) == (2, 5), "the original counts"
    world.jira.set_status("PAY-3", "Done")
    assert await counts(world) == (3, 5)
    assert keys(await groups(world)) == [(["PAY-3", copy], "PAY-3")]
    await world.silent()


async def test_the_preferred_side_counts_as_soon_as_it_is_configured(world: World) -> None:
    copy = mirror(world)
    world.linear.set_state(copy, "Done")
    assert await counts(world) == (2, 5)
    world.raw["twins"] = {"prefer": ["linear"]}
    assert await counts(world) == (3, 5)
    assert keys(await groups(world)) == [(["PAY-3", copy], copy)]


async def test_a_configured_footer_is_found_in_what_was_read_before(world: World) -> None:
    mirror(world, footer="Origin = {}")
    assert await counts(world) == (2, 6)
    world.raw["twins"] = {"footers": ["Origin = {item}"]}
    assert await counts(world) == (2, 5)


async def test_a_footer_that_is_taken_away_makes_two_things_of_it_again(world: World) -> None:
    copy = mirror(world)
    assert await counts(world) == (2, 5)
    world.linear.edit(copy, description="On its own now")
    assert await counts(world) == (2, 6)
    assert await groups(world) == []


async def test_what_a_person_accepted_as_the_same_work_counts_once(world: World) -> None:
    await world.sync()
    done, total = await counts(world)
    await decide(world, "PAY-3", "GRO-2", "accepted")
    assert await counts(world) == (done, total - 1)
    ends = [(await world.record(key)).ref for key in ("GRO-2", "PAY-3")]
    async with world.session() as session:
        await session.store.undecide(ends[0], ends[1])
    assert await counts(world) == (done, total)


async def test_a_copy_alone_in_an_initiative_counts_there_by_itself(world: World) -> None:
    page = world.page("Only the copy", linear_url(mirror(world, "MOB-3")))
    await world.sync()
    rollup = await world.rollup(page)
    assert (rollup.done, rollup.total) == (0, 1)


async def test_linears_own_jira_sync_is_a_mirror_and_a_linked_jira_issue_is_not(
    world: World,
) -> None:
    issue = world.linear.add_issue("GRO", "Tokenise cards", project="Checkout web")
    linked = world.linear.attach(issue, "PAY-3", jira_url("PAY-3"))
    linked.source, linked.source_type = {"type": "jira"}, "jira"
    assert await counts(world) == (2, 6)
    world.linear.detach(linked)
    world.linear.sync_with_jira(issue, "PAY-3", jira_url("PAY-3"), "10003")
    assert await counts(world) == (2, 5)
    [group] = await groups(world)
    assert (group.counted.key, group.why) == ("PAY-3", f'named in "attachment" of {_card(issue)}')


def _card(issue: object) -> str:
    return f"{issue.identifier} {issue.title}"  # type: ignore[attr-defined]


async def test_an_epic_that_linear_syncs_as_a_project_is_one_container(world: World) -> None:
    project = world.linear.project("Checkout web")
    world.linear.sync_with_jira(project, "PAY-1", jira_url("PAY-1"), "10001")
    mirror(world)
    assert await counts(world) == (2, 5)
    assert world.checkout.text("Work") == "PAY-1 Checkout core 2/5"
    # The project is a place all the same: it leads to its initiative, and to its other side.
    assert [label for label, _ in world.project_links()] == [
        "PAY-1 Checkout core",
        "Roadmap: One-tap checkout · 2/5",
    ]


async def test_two_jiras_whose_issues_link_to_each_other_are_one_if_remote_links_are_read(
    world: World,
) -> None:
    ships = world.add_second_jira()
    epic = ships.add_issue("SHIP", "Ship it", issue_type="Epic")
    copy = ships.add_issue("SHIP", "Tokenise cards", parent=epic.key)
    there = f"{ships.base_url}/browse/{copy.key}"
    ships.put_remote_link(copy.id, _link(jira_url("PAY-3")))
    world.jira.put_remote_link(world.jira.issue("PAY-3").id, _link(there))
    world.notion.edit_page(
        world.checkout, "Tracked in", f"{jira_url('PAY-1')} {ships.base_url}/browse/{epic.key}"
    )
    assert await counts(world) == (1, 4)
    for name in ("jira-main", "jira-ships"):
        world.raw["instances"][name]["read_remote_links"] = True
    assert await counts(world) == (1, 3)
    assert keys(await groups(world)) == [(["PAY-3", copy.key], "PAY-3")]
    # opsync writes its own remote links by now: they are no evidence.
    await world.silent(full=True)


def _link(url: str) -> dict[str, object]:
    return {"object": {"url": url, "title": "The same elsewhere"}}


async def test_remote_links_that_opsync_wrote_make_nothing_the_same(world: World) -> None:
    world.raw["instances"]["jira-main"]["read_remote_links"] = True
    issue = world.linear.add_issue("GRO", "Other side", project="Checkout web")
    world.linear.attach(issue, "PAY-3", jira_url("PAY-3"))
    assert await counts(world) == (2, 6)
    assert [link["title"] for link in world.remote_links("PAY-3")] == [
        "GRO-3 Card form",
        "GRO-4 Other side",
    ]
    await world.silent(full=True)
    assert await groups(world) == []


@pytest.mark.slow
async def test_what_a_copy_repeats_is_linked_once_with_its_original(world: World) -> None:
    ships = world.add_second_jira()
    text = "Needs GRO-2 first."
    world.jira.edit("PAY-4", description=text)
    copy = ships.add_issue("SHIP", "Refund flow", description=FOOTER.format("PAY-4") + "\n")
    ships.edit(copy.key, description=f"{text}\n\n{FOOTER.format(jira_url('PAY-4'))}")
    await world.sync()
    found = await links(world)
    assert frozenset({"PAY-4", "GRO-2"}) in found
    assert frozenset({"PAY-4", copy.key}) in found
    assert frozenset({copy.key, "GRO-2"}) not in found
    assert [title for title, _ in world.attachments("GRO-2")] == ["PAY-4 Refund flow"]
    await world.silent()
    # What the copy names and its original does not is said there alone.
    ships.edit(copy.key, description=f"Needs GRO-1.\n\n{FOOTER.format(jira_url('PAY-4'))}")
    await world.sync()
    assert frozenset({copy.key, "GRO-1"}) in await links(world)


async def test_an_original_that_names_it_no_more_leaves_the_link_to_its_copy(
    world: World,
) -> None:
    ships = world.add_second_jira()
    world.jira.edit("PAY-4", description="Needs GRO-2 first.")
    footer = FOOTER.format(jira_url("PAY-4"))
    copy = ships.add_issue("SHIP", "Refund flow", description=f"Needs GRO-2 first.\n\n{footer}")
    await world.sync()
    world.jira.edit("PAY-4", description="Needs nothing.")
    await world.sync()
    found = await links(world)
    assert frozenset({copy.key, "GRO-2"}) in found
    assert frozenset({"PAY-4", "GRO-2"}) not in found


async def test_a_pair_that_a_person_rejected_is_two_things(world: World) -> None:
    copy = mirror(world)
    assert await counts(world) == (2, 5)
    await decide(world, "PAY-3", copy, "rejected")
    assert await counts(world) == (2, 6)
    assert await groups(world) == []


async def decide(world: World, one: str, two: str, verdict: Verdict) -> None:
    """What a person says about two items being the same work."""
    decision = PairDecision(
        one=(await world.record(one)).ref,
        two=(await world.record(two)).ref,
        kind="same",
        verdict=verdict,
        by="ana",
        at=world.clock.now(),
    )
    async with world.session() as session:
        await session.store.decide([decision])


async def test_an_initiative_tells_what_it_left_out_as_the_same_work(world: World) -> None:
    copy = mirror(world)
    await world.sync()
    [summary] = (await explained(world, "One-tap checkout")).summaries
    left = {one.what: one.why for one in summary.left_out}
    assert left == {f"{copy} Tokenise cards": "the same work as PAY-3, counted once"}
    assert copy not in {one.item.key for one in summary.members}


async def test_both_sides_tell_that_they_are_one_thing(world: World) -> None:
    copy = mirror(world)
    await world.sync()
    of_copy, of_original = await explained(world, copy), await explained(world, "PAY-3")
    assert of_copy.notes == (
        f"{copy} mirrors PAY-3 in Jira (footer in its description): one thing, counted as PAY-3.",
    )
    [note] = of_original.notes
    assert note == (
        f"PAY-3 is mirrored by {copy} in Linear (footer in the description of {copy}): one thing, "
        "counted as PAY-3."
    )
    [counts_in] = of_copy.counts_in
    assert (counts_in.role, counts_in.counted_as) == ("the same work", "PAY-3")
    assert of_original.counts_in[0].role == "counted"
    assert [one.counted.key for one in of_copy.twins] == ["PAY-3"]
    assert "PAY-3 Tokenise cards" in [one.item.label for one in of_copy.links]


async def test_copies_of_a_template_all_count_and_say_why(world: World) -> None:
    copies = sorted(mirror(world) for _ in range(7))
    assert await counts(world) == (2, 12)
    note = (await explained(world, "PAY-3")).notes[0]
    assert note == (
        f"PAY-3 is said to be the same work as {', '.join(copies[:5])} and 2 more, but two of them "
        "are in the same tool: each counts by itself."
    )
    async with world.session("look") as session:
        [doubtful] = await doubtful_groups(session.config, session.store)
    assert len(doubtful.items) == 8
    assert await groups(world) == []


async def test_what_was_accepted_as_the_same_as_its_own_part_counts_and_is_told(
    world: World,
) -> None:
    await world.sync()
    await decide(world, "PAY-3", "PAY-1", "accepted")
    assert await counts(world) == (2, 5)
    [note] = (await explained(world, "PAY-1")).notes
    assert note == (
        "PAY-1 is said to be the same work as PAY-3, but one of them is part of another: each "
        "counts by itself."
    )
    assert await groups(world) == []
    world.jira.edit("PAY-3", parent=None)
    assert (await counts(world))[1] == 4
    assert len(await groups(world)) == 1


async def test_a_private_original_is_not_named_by_its_copy(world: World) -> None:
    world.jira.edit("PAY-3", security="Board only")
    copy = mirror(world)
    await world.sync()
    [note] = (await explained(world, copy)).notes
    assert "Tokenise" not in note
    assert "PAY-3" not in note


async def test_harbor_sites_are_told_apart_when_both_have_the_key(world: World) -> None:
    ships = world.add_second_jira()
    ships.add_project("PAY", "Other payments")
    ships.add_issue("PAY", "Somebody else's", key="PAY-3")
    mirror(world, f"[PAY-3]({JIRA_SITE}/browse/PAY-3)")
    assert await counts(world) == (2, 5)
    [group] = await groups(world)
    assert Ref.parse(group.counted.ref).instance == "jira-main"


async def test_what_is_linked_by_the_mirror_itself_is_left_alone_and_explained_so(
    world: World,
) -> None:
    issue = world.linear.add_issue("GRO", "Tokenise cards", project="Checkout web")
    world.linear.sync_with_jira(issue, "PAY-3", jira_url("PAY-3"), "10003")
    assert await counts(world) == (2, 5)
    [value] = (await explained(world, issue.identifier)).values
    assert (value.wrote, value.left_alone) == (None, "somebody linked them already")
    there = (await explained(world, "PAY-3")).values
    assert {value.left_alone for value in there} == {""}


async def test_a_decision_tells_whether_a_mirror_said_otherwise(world: World) -> None:
    copy = mirror(world)
    await world.sync()
    one, other, named = [(await world.record(key)).ref for key in ("PAY-3", copy, "GRO-3")]
    async with world.session() as session:
        deciding = Deciding(session.config, session.store, by="ana", at=world.clock.now())
        assert await deciding.mirrored(one, other)
        assert await deciding.mirrored(other, one)
        assert not await deciding.mirrored(one, named), "people named it"


async def test_what_was_accepted_and_not_yet_followed_is_told_of_linked_items_too(
    world: World,
) -> None:
    await world.sync()
    await decide(world, "PAY-3", "GRO-3", "accepted")
    [told] = [note for note in (await explained(world, "PAY-3")).notes if "accepted" in note]
    assert told.startswith("accepted as the same work (ana, ")
    assert told.endswith("with GRO-3 Card form: the next sync follows.")
    await world.sync()
    notes = (await explained(world, "PAY-3")).notes
    assert not any("the next sync follows" in note for note in notes)
