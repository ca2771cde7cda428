"""One annotation an initiative that was shipped, and nothing of anybody else's."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.plugins.posthog.world import Harbor, answering, change, product, release, write

from opsync import BadAnswer, OutcomeKind, Seen, SignInError, TemporaryError
from opsync.sandbox.posthog import Annotation

TEXT = "Shipped: Instant payouts https://www.notion.so/harbor/1 [opsync:3f2a91c0]"


async def observed(harbor: Harbor) -> list[Seen]:
    return list(await harbor.connect().observe(product()))


async def shipped(harbor: Harbor, **changes: Any) -> Annotation:
    """Write one release, and return its annotation."""
    posthog = harbor.connect()
    (outcome,) = await write(posthog, change(posthog, release(**changes)))
    assert outcome.kind is OutcomeKind.created
    return harbor.project.state.annotations[int(outcome.remote_id)]


async def test_a_release_is_one_annotation_on_the_whole_project(harbor: Harbor) -> None:
    note = await shipped(harbor)
    assert (note.content, note.scope, note.creation_type) == (TEXT, "project", "GIT")
    assert harbor.project.day_of(note) == date(2026, 2, 11)
    assert note.date_marker is not None
    assert note.date_marker.isoformat() == "2026-02-10T23:00:00+00:00"


async def test_what_stands_there_is_what_was_rendered(harbor: Harbor) -> None:
    note = await shipped(harbor)
    (seen,) = await observed(harbor)
    posthog = harbor.connect()
    value = posthog.render("annotation", product(), release())
    assert seen.plain() == value == {"on": "2026-02-11", "text": TEXT}
    assert seen.address == posthog.address("annotation", value) == "[opsync:3f2a91c0]"
    assert (seen.remote_id, seen.ours) == (str(note.id), True)


async def test_many_releases_take_one_list_and_one_request_each(harbor: Harbor) -> None:
    posthog = harbor.connect()
    await posthog.zone()
    before = len(harbor.calls())
    await posthog.observe(product())
    markers = [f"[opsync:{n:08x}]" for n in range(5)]
    changes = [change(posthog, release(f"Item {m}", marker=m)) for m in markers]
    await write(posthog, *changes)
    assert harbor.calls()[before:] == ["GET annotations/", *["POST annotations/"] * 5]
    assert [one.address for one in await observed(harbor)] == markers


async def test_writing_the_same_again_writes_nothing(harbor: Harbor) -> None:
    note = await shipped(harbor)
    writes = harbor.project.write_requests
    posthog = harbor.connect()
    (outcome,) = await write(posthog, change(posthog, release()))
    assert (outcome.kind, outcome.remote_id) == (OutcomeKind.unchanged, str(note.id))
    assert harbor.project.write_requests == writes


async def test_a_release_moves_with_its_day_and_its_title(harbor: Harbor) -> None:
    note = await shipped(harbor)
    posthog = harbor.connect()
    moved = change(posthog, release(on=date(2026, 2, 14)), remote_id=str(note.id))
    (outcome,) = await write(posthog, moved)
    assert outcome.kind is OutcomeKind.updated
    assert harbor.project.day_of(note) == date(2026, 2, 14)
    renamed = change(posthog, release("Payouts", date(2026, 2, 14)), remote_id=str(note.id))
    (outcome,) = await write(posthog, renamed)
    assert note.content is not None
    assert note.content.startswith("Shipped: Payouts ")
    assert len(harbor.project.notes) == 1


async def test_a_lost_id_is_found_by_the_marker(harbor: Harbor) -> None:
    note = await shipped(harbor)
    posthog = harbor.connect()
    (outcome,) = await write(posthog, change(posthog, release(on=date(2026, 2, 12))))
    assert (outcome.kind, outcome.remote_id) == (OutcomeKind.updated, str(note.id))
    stale = change(posthog, release(on=date(2026, 2, 13)), remote_id="999999")
    (outcome,) = await write(posthog, stale)
    assert outcome.remote_id == str(note.id)
    assert len(harbor.project.notes) == 1


async def test_removing_marks_as_deleted_as_posthog_wants_it(harbor: Harbor) -> None:
    note = await shipped(harbor)
    posthog = harbor.connect()
    removal = change(posthog, release(), remote_id=str(note.id), remove=True)
    (outcome,) = await write(posthog, removal)
    assert outcome.kind is OutcomeKind.removed
    assert note.deleted
    assert all(e.method != "DELETE" for e in harbor.project.exchanges)
    assert await observed(harbor) == []
    (again,) = await write(posthog, removal)
    assert again.kind is OutcomeKind.removed


async def test_what_is_shipped_again_gets_its_annotation_back(harbor: Harbor) -> None:
    note = await shipped(harbor)
    posthog = harbor.connect()
    await write(posthog, change(posthog, release(), remote_id=str(note.id), remove=True))
    posthog = harbor.connect()
    (outcome,) = await write(posthog, change(posthog, release(on=date(2026, 2, 20))))
    assert (outcome.kind, outcome.remote_id) == (OutcomeKind.created, str(note.id))
    assert not note.deleted
    assert harbor.project.day_of(note) == date(2026, 2, 20)


async def test_without_its_memory_it_makes_a_new_one(harbor: Harbor) -> None:
    note = await shipped(harbor)
    posthog = harbor.connect()
    await write(posthog, change(posthog, release(), remote_id=str(note.id), remove=True))
    harbor.kept.clear()
    again = await shipped(harbor)
    assert again.id != note.id


@pytest.mark.parametrize(
    "text",
    [
        "Shipped: Instant payouts [opsync:3f2a91c0] and more",
        "see [opsync:3f2a91c0",
        "[opsync:3f2a91c0]",
        "Shipped [opsync:3f2a91c0] ",
        "Shipped [opsync:3F2A91C0]",
        "Shipped [opsync:3f2a91c01]",
        TEXT,
    ],
)
async def test_a_persons_annotation_is_never_touched_whatever_it_says(
    harbor: Harbor, text: str
) -> None:
    theirs = harbor.project.add_annotation(text, date(2026, 2, 11))
    assert await observed(harbor) == []
    posthog = harbor.connect()
    ours = await shipped(harbor)
    await write(posthog, change(posthog, release(), remote_id=str(theirs.id), remove=True))
    assert (theirs.content, theirs.deleted) == (text, False)
    assert ours.deleted


@pytest.mark.parametrize("text", [f"{TEXT} and more", f"Reverted: {TEXT}.", "[opsync:3f2a91c0]"])
async def test_an_annotation_that_another_program_made_is_not_ours_though_it_quotes_one(
    harbor: Harbor, text: str
) -> None:
    theirs = harbor.project.add_annotation(text, date(2026, 2, 11))
    theirs.creation_type = "GIT"
    assert await observed(harbor) == []


async def test_one_that_a_person_took_over_is_left_to_them(harbor: Harbor) -> None:
    note = await shipped(harbor)
    harbor.project.poke_edit(f"annotation {note.id}", "content", "Big launch!")
    posthog = harbor.connect()
    assert await posthog.observe(product()) == []
    (outcome,) = await write(
        posthog, change(posthog, release(), remote_id=str(note.id), remove=True)
    )
    assert outcome.kind is OutcomeKind.removed
    assert (note.content, note.deleted) == ("Big launch!", False)


async def test_a_persons_move_shows(harbor: Harbor) -> None:
    note = await shipped(harbor)
    harbor.project.poke_move("[opsync:3f2a91c0]", "2026-02-17")
    (seen,) = await observed(harbor)
    assert seen.plain() == {"on": "2026-02-17", "text": TEXT}
    assert seen.remote_id == str(note.id)


async def test_all_pages_of_annotations_are_read(harbor: Harbor) -> None:
    await shipped(harbor)
    for number in range(1200):
        harbor.project.add_annotation(f"note {number} [opsync:x]", date(2026, 3, 1))
    assert len(await observed(harbor)) == 1
    assert harbor.calls()[-2:] == ["GET annotations/", "GET annotations/"]


async def test_annotations_of_another_shape_are_no_reason_to_write(harbor: Harbor) -> None:
    harbor.transport = answering({"results": [{"id": "one"}]})
    with pytest.raises(BadAnswer, match="cannot be read"):
        await observed(harbor)


async def test_a_write_whose_answer_got_lost_is_found_and_not_made_twice(harbor: Harbor) -> None:
    harbor.project.faults.lose_next_writes = 1
    posthog = harbor.connect()
    with pytest.raises(TemporaryError) as lost:
        await write(posthog, change(posthog, release()))
    assert lost.value.sent
    (seen,) = await observed(harbor)
    posthog = harbor.connect()
    (outcome,) = await write(posthog, change(posthog, release()))
    assert (outcome.kind, outcome.remote_id) == (OutcomeKind.unchanged, seen.remote_id)
    assert len(harbor.project.notes) == 1


async def test_a_key_without_the_scope_to_write_says_which_click_gives_it(harbor: Harbor) -> None:
    harbor.project.faults.read_only = True
    posthog = harbor.connect()
    with pytest.raises(SignInError, match=r"annotation:write") as refused:
        await write(posthog, change(posthog, release()))
    assert "Scopes → Annotation: Write" in refused.value.hint


async def test_what_posthog_refuses_is_the_changes_outcome(harbor: Harbor) -> None:
    posthog = harbor.connect()
    wrong = release()
    planned = change(posthog, wrong)
    value = {"on": "2026-02-11", "text": "x" * 9000 + " [opsync:3f2a91c0]"}
    slot, other = planned.slot, change(posthog, release(marker="[opsync:00000001]"))
    refused = type(planned)(id="2", slot=slot, verb=planned.verb, desired=value)
    first, second = await write(posthog, refused, other)
    assert first.kind is OutcomeKind.failed
    assert "8192 characters" in first.message
    assert second.kind is OutcomeKind.created


def test_a_long_title_is_shortened_and_link_and_marker_stay(harbor: Harbor) -> None:
    value = harbor.connect().render("annotation", product(), release("Long " * 200 + "end"))
    assert isinstance(value, dict)
    text = str(value["text"])
    assert len(text) <= 400
    assert text.endswith("… https://www.notion.so/harbor/1 [opsync:3f2a91c0]")


def test_a_text_without_its_title_keeps_its_marker_too(harbor: Harbor) -> None:
    content = release()
    long = type(content)(content.root, content.release, "x" * 900, content.marker)
    value = harbor.connect().render("annotation", product(), long)
    assert isinstance(value, dict)
    assert str(value["text"]).endswith("… [opsync:3f2a91c0]")
    assert len(str(value["text"])) <= 400


def test_a_release_without_a_day_is_not_told(harbor: Harbor) -> None:
    assert harbor.connect().render("annotation", product(), release(on=None)) is None


async def test_without_a_time_zone_it_stands_at_noon_which_is_the_same_day_for_most(
    harbor: Harbor,
) -> None:
    harbor.project.faults.missing_scopes = {"project:read"}
    note = await shipped(harbor)
    assert note.date_marker is not None
    assert note.date_marker.isoformat() == "2026-02-11T12:00:00+00:00"
    (seen,) = await observed(harbor)
    assert seen.plain() == {"on": "2026-02-11", "text": TEXT}
    (known,) = await harbor.connect(time_zone="America/Los_Angeles").observe(product())
    assert known.plain() == seen.plain()


async def test_an_annotation_that_went_away_meanwhile_is_made_anew(harbor: Harbor) -> None:
    note = await shipped(harbor)
    posthog = harbor.connect()
    await posthog.observe(product())
    del harbor.project.state.annotations[note.id]
    moved = change(posthog, release(on=date(2026, 2, 12)), remote_id=str(note.id))
    (outcome,) = await write(posthog, moved)
    assert outcome.kind is OutcomeKind.created
    assert outcome.remote_id != str(note.id)
