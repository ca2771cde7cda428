"""One annotation a release, found again by its marker, moved without being lost or doubled."""

from __future__ import annotations

from datetime import date

import pytest
from tests.plugins.mixpanel.world import (
    PRODUCT,
    World,
    change,
    desired,
    marker,
    seen,
    shipped,
    standing,
    write,
)

from opsync import Change, NotFound, OutcomeKind, SignInError, TemporaryError, Value
from opsync.sandbox.mixpanel.notes import shape
from opsync_mixpanel import Mixpanel

TEXT = f"Shipped: Instant payouts https://app.notion.com/p/1 {marker()}"


async def made(world: World, mixpanel: Mixpanel) -> tuple[Value, str]:
    """One annotation of ours: its value and its id."""
    value = desired(mixpanel, shipped())
    (outcome,) = await write(mixpanel, change(value))
    world.project.exchanges.clear()
    return value, outcome.remote_id


def moved(mixpanel: Mixpanel, before: Value, remote_id: str) -> Change:
    """The change by which the release moves by four days."""
    value = desired(mixpanel, shipped(date(2026, 2, 24)))
    return change(value, before=before, remote_id=remote_id)


async def test_a_release_makes_one_annotation_with_one_list_and_one_write(world: World) -> None:
    mixpanel = world.connect()
    value = desired(mixpanel, shipped())

    (outcome,) = await write(mixpanel, change(value))

    assert outcome.kind is OutcomeKind.created
    assert outcome.applied == value == {"on": "2026-02-20", "text": TEXT}
    assert standing(world.project) == {int(outcome.remote_id): ("2026-02-20", TEXT)}
    assert world.project.annotations[int(outcome.remote_id)].date == "2026-02-20 00:00:00"
    assert world.asked == ["GET annotations", "POST annotations"]


async def test_many_releases_take_one_list_in_all(world: World) -> None:
    mixpanel = world.connect()
    changes = [
        change(desired(mixpanel, shipped(number=number)), number=number) for number in range(1, 6)
    ]

    outcomes = await write(mixpanel, *changes)

    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.created}
    assert world.asked == ["GET annotations"] + 5 * ["POST annotations"]


async def test_what_stands_is_seen_by_its_marker_and_id(world: World) -> None:
    mixpanel = world.connect()
    value, id_ = await made(world, mixpanel)

    (one,) = await seen(mixpanel)

    assert (one.surface, one.address, one.remote_id, one.ours) == (
        "annotation",
        marker(),
        id_,
        True,
    )
    assert one.plain() == value
    assert mixpanel.address("annotation", value) == marker()
    assert world.asked == ["GET annotations"]


@pytest.mark.parametrize(
    "text",
    [
        f"We said {marker()} and then rolled it back",
        f"Copied: Shipped: Instant payouts {marker()} by Ana",
        "Shipped: Instant payouts [opsync:0000001]",
        "Shipped: Instant payouts [opsync:000000011]",
        "Shipped: Instant payouts [opsync:0000000G]",
        f"Shipped: Instant payouts{marker()}",
        f"Shipped: Instant payouts {marker()}.",
        f"Shipped: Instant payouts {marker()}\n",
        "",
    ],
)
async def test_a_persons_annotation_is_never_ours_though_it_holds_our_marker_in_part(
    world: World, text: str
) -> None:
    theirs = world.project.add_annotation(date(2026, 2, 20), text)
    mixpanel = world.connect()
    value = desired(mixpanel, shipped())

    assert await seen(mixpanel) == []
    (outcome,) = await write(mixpanel, change(value))
    await write(mixpanel, moved(mixpanel, value, outcome.remote_id))
    (last,) = await seen(mixpanel)
    await write(mixpanel, change(None, before=last.plain(), remote_id=last.remote_id))

    assert standing(world.project) == {theirs.id: ("2026-02-20", text)}


async def test_another_text_is_an_edit(world: World) -> None:
    mixpanel = world.connect()
    before, id_ = await made(world, mixpanel)
    value = desired(mixpanel, shipped(title="Payouts at once"))

    (outcome,) = await write(mixpanel, change(value, before=before, remote_id=id_))

    assert (outcome.kind, outcome.remote_id, outcome.applied) == (OutcomeKind.updated, id_, value)
    assert world.asked == ["GET annotations", f"PATCH {id_}"]


async def test_another_day_is_made_anew_before_the_old_one_goes(world: World) -> None:
    mixpanel = world.connect()
    before, id_ = await made(world, mixpanel)

    (outcome,) = await write(mixpanel, moved(mixpanel, before, id_))

    assert outcome.kind is OutcomeKind.updated
    assert outcome.remote_id != id_
    assert standing(world.project) == {int(outcome.remote_id): ("2026-02-24", TEXT)}
    assert world.asked == ["GET annotations", "POST annotations", f"DELETE {id_}"]


async def test_a_move_that_was_cut_short_is_finished_and_makes_no_third(world: World) -> None:
    mixpanel = world.connect()
    before, id_ = await made(world, mixpanel)
    # The new one was made; then the process died.
    account = world.project.account
    new = world.project.add_annotation(date(2026, 2, 24), TEXT, author=account)
    assert [one.remote_id for one in await seen(mixpanel)] == [id_, str(new.id)]
    world.project.exchanges.clear()

    (outcome,) = await write(mixpanel, moved(mixpanel, before, id_))

    assert (outcome.kind, outcome.remote_id) == (OutcomeKind.updated, str(new.id))
    assert standing(world.project) == {new.id: ("2026-02-24", TEXT)}
    assert world.asked == ["GET annotations", f"DELETE {id_}"]


async def test_a_lost_answer_to_a_move_leaves_its_outcome_unknown_and_nothing_lost(
    world: World,
) -> None:
    mixpanel = world.connect()
    before, id_ = await made(world, mixpanel)
    world.project.faults.lose_next_writes = 1
    move = moved(mixpanel, before, id_)
    await seen(mixpanel)
    outcomes = aiter(mixpanel.apply([move], {PRODUCT.ref: PRODUCT}))

    outcome = await anext(outcomes)
    with pytest.raises(TemporaryError):
        await anext(outcomes)

    assert (outcome.kind, outcome.unknown) == (OutcomeKind.failed, True)
    assert len(standing(world.project)) == 2
    (again,) = await write(world.connect(), move)
    assert standing(world.project) == {int(again.remote_id): ("2026-02-24", TEXT)}


async def test_a_lost_answer_to_the_last_step_of_a_move_is_sent_again(world: World) -> None:
    mixpanel = world.connect()
    before, id_ = await made(world, mixpanel)
    world.project.add_annotation(date(2026, 2, 24), TEXT, author=world.project.account)
    world.project.faults.lose_next_writes = 1

    (outcome,) = await write(mixpanel, moved(mixpanel, before, id_))

    assert outcome.kind is OutcomeKind.updated
    assert world.asked == ["GET annotations", f"DELETE {id_}", f"DELETE {id_}"]
    assert list(standing(world.project)) == [int(outcome.remote_id)]


async def test_a_copy_that_a_person_made_of_ours_stays(world: World) -> None:
    mixpanel = world.connect()
    before, id_ = await made(world, mixpanel)
    copy = world.project.add_annotation(date(2026, 2, 20), TEXT)

    (outcome,) = await write(mixpanel, moved(mixpanel, before, id_))

    assert set(standing(world.project)) == {copy.id, int(outcome.remote_id)}


async def test_one_that_was_removed_meanwhile_is_made_again(world: World) -> None:
    mixpanel = world.connect()
    before, id_ = await made(world, mixpanel)
    await seen(mixpanel)
    world.project.annotations.clear()
    value = desired(mixpanel, shipped(title="Payouts at once"))
    edit = change(value, before=before, remote_id=id_)

    (outcome,) = [one async for one in mixpanel.apply([edit], {PRODUCT.ref: PRODUCT})]

    assert outcome.applied == value
    assert list(standing(world.project)) == [int(outcome.remote_id)]


async def test_one_whose_id_is_lost_is_found_by_its_marker_and_not_doubled(world: World) -> None:
    mixpanel = world.connect()
    value, id_ = await made(world, mixpanel)

    (outcome,) = await write(world.connect(), change(value))

    assert outcome.remote_id == id_
    assert world.asked == ["GET annotations"]


async def test_a_write_without_a_look_before_looks_itself(world: World) -> None:
    mixpanel = world.connect()
    value, id_ = await made(world, mixpanel)

    (outcome,) = [one async for one in mixpanel.apply([change(value)], {PRODUCT.ref: PRODUCT})]

    assert outcome.remote_id == id_
    assert len(standing(world.project)) == 1


async def test_a_removal_takes_exactly_ours(world: World) -> None:
    mixpanel = world.connect()
    before, id_ = await made(world, mixpanel)
    other = world.project.add_annotation(date(2026, 2, 20), f"Shipped: SSO {marker(2)}")

    (outcome,) = await write(mixpanel, change(None, before=before, remote_id=id_))

    assert (outcome.kind, outcome.applied, outcome.remote_id) == (OutcomeKind.removed, None, "")
    assert list(standing(world.project)) == [other.id]


async def test_removing_what_is_gone_is_done(world: World) -> None:
    mixpanel = world.connect()
    before, id_ = await made(world, mixpanel)
    await seen(mixpanel)
    world.project.annotations.clear()
    removal = change(None, before=before, remote_id=id_)

    (outcome,) = [one async for one in mixpanel.apply([removal], {PRODUCT.ref: PRODUCT})]

    assert outcome.kind is OutcomeKind.removed


async def test_a_role_that_may_only_look_is_told_with_the_role_that_may_write(
    world: World,
) -> None:
    world.project.faults.missing_scopes = {"analyst"}
    mixpanel = world.connect()

    with pytest.raises(SignInError, match="may not write annotations") as caught:
        await write(mixpanel, change(desired(mixpanel, shipped())))

    assert "Analyst" in caught.value.hint
    assert standing(world.project) == {}


async def test_a_refusal_is_its_changes_outcome_and_the_others_go_on(world: World) -> None:
    mixpanel = world.connect()
    odd: Value = {"on": "20 Feb", "text": f"Shipped {marker(1)}"}
    good = desired(mixpanel, shipped(number=2))

    refused, done = await write(mixpanel, change(odd), change(good, number=2))

    assert (refused.kind, "YYYY-MM-DD" in refused.message) == (OutcomeKind.failed, True)
    assert (refused.unknown, done.kind) == (False, OutcomeKind.created)


async def test_a_hidden_project_is_told_when_it_is_looked_at(world: World) -> None:
    world.project.faults.deny = {str(world.project.project_id)}

    with pytest.raises(SignInError, match="may not see that"):
        await seen(world.connect())


async def test_one_that_cannot_be_seen_any_more_is_missing(world: World) -> None:
    mixpanel = world.connect()
    _, id_ = await made(world, mixpanel)
    world.project.faults.deny = {id_}

    with pytest.raises(NotFound):
        await mixpanel.context.http.read(
            "GET", f"/api/app/projects/{world.project.project_id}/annotations/{id_}"
        )
    assert await seen(mixpanel) == []


@pytest.mark.parametrize("on", [None, date(2008, 12, 31), date(2100, 1, 1)])
async def test_a_release_without_a_day_or_out_of_reach_of_the_list_is_not_told(
    world: World, on: date | None
) -> None:
    assert world.connect().render("annotation", PRODUCT, shipped(on)) is None


async def test_the_first_and_the_last_day_are_found_again(world: World) -> None:
    mixpanel = world.connect()
    first, last = shipped(date(2009, 1, 1)), shipped(date(2099, 12, 31), number=2)

    await write(
        mixpanel, change(desired(mixpanel, first)), change(desired(mixpanel, last), number=2)
    )

    assert {one.address for one in await seen(mixpanel)} == {marker(1), marker(2)}


async def test_times_in_another_form_are_read_by_their_day(world: World) -> None:
    mixpanel = world.connect()
    value, id_ = await made(world, mixpanel)
    world.project.annotations[int(id_)].date = "2026-02-20T00:00:00"

    (one,) = await seen(mixpanel)

    assert one.plain() == value
    assert (
        shape(world.project, world.project.annotations[int(id_)])["date"] == "2026-02-20T00:00:00"
    )
