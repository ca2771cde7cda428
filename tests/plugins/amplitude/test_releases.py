"""Releases as annotations: one each, found again by marker and id, moved, removed, never a
person's."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from opsync.errors import SignInError, TemporaryError
from opsync.model import Kind, OutcomeKind, Ref, Value
from opsync.sandbox.amplitude import AmplitudeProject
from opsync_amplitude import Amplitude
from opsync_amplitude.releases import Annotation, Category, is_ours, label_of
from tests.plugins.amplitude.conftest import (
    PAGE_URL,
    Connect,
    apply,
    change,
    midnight,
    product,
    release,
)

SHIPPED = date(2026, 2, 3)
OTHER = Ref("notion", "page", "77aa")


def value_of(connector: Amplitude, **options: object) -> Value:
    return connector.render("annotation", product(), release(**options))  # type: ignore[arg-type]


def marker() -> str:
    return release().marker


async def made(
    project: AmplitudeProject, connect: Connect, **settings: object
) -> tuple[Amplitude, Value, str]:
    """A connector that has written one annotation: with its value and its id."""
    connector = connect(project, **settings)
    value = value_of(connector)
    (outcome,) = await apply(connector, change(value))
    return connector, value, outcome.remote_id


def test_what_somebody_filed_elsewhere_is_theirs_whatever_it_says() -> None:
    details = f"Shipped: Instant payouts {PAGE_URL} {marker()}"
    for name, ours in (("opsync", True), ("Releases", False), (None, False)):
        assert is_ours(Annotation(1, details=details, category=Category(1, name)), "opsync") is ours
    assert not is_ours(Annotation(1, details=details), "opsync")


async def test_a_release_is_written_as_an_annotation_and_reads_back_the_same(
    project: AmplitudeProject, connect: Connect
) -> None:
    connector = connect(project)
    value = value_of(connector)

    (outcome,) = await apply(connector, change(value))

    assert (outcome.kind, outcome.applied) == (OutcomeKind.created, value)
    assert value == {"on": "2026-02-03", "text": f"Shipped: Instant payouts {PAGE_URL} {marker()}"}
    (annotation,) = project.held.annotations.values()
    assert outcome.remote_id == str(annotation.id)
    assert annotation.label == "Shipped: Instant payouts"
    assert annotation.details == f"Shipped: Instant payouts {PAGE_URL} {marker()}"
    assert annotation.start == midnight(SHIPPED)
    assert (annotation.chart_id, annotation.end) == (None, None)
    assert annotation.category is not None
    assert annotation.category.name == "opsync"
    (seen,) = await connector.observe(product())
    assert (seen.plain(), seen.address, seen.ours) == (value, marker(), True)
    assert seen.remote_id == outcome.remote_id
    assert connector.address("annotation", value) == marker()


async def test_the_surface_is_the_products_alone(
    project: AmplitudeProject, connect: Connect
) -> None:
    (surface,) = connect(project).surfaces
    assert (surface.name, surface.content, surface.title) == ("annotation", "release", "Annotation")
    assert surface.kinds == {Kind.product}
    assert not surface.pulled


async def test_writing_a_release_twice_makes_one(
    project: AmplitudeProject, connect: Connect
) -> None:
    connector = connect(project)
    wanted = change(value_of(connector))

    first = await apply(connector, wanted)
    second = await apply(connector, wanted)

    assert len(project.held.annotations) == 1
    assert first[0].remote_id == second[0].remote_id
    assert first[0].applied == second[0].applied


async def test_a_release_whose_answer_was_lost_is_found_by_its_marker(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.add_category("opsync")
    connector = connect(project, kept={"category": "opsync"})
    wanted = change(value_of(connector))
    project.faults.lose_next_writes = 1

    with pytest.raises(TemporaryError) as raised:
        await apply(connector, wanted)
    assert raised.value.sent
    (outcome,) = await apply(connector, wanted)

    assert len(project.held.annotations) == 1
    assert outcome.applied == wanted.desired


async def test_many_releases_take_one_look_and_one_write_each(
    project: AmplitudeProject, connect: Connect
) -> None:
    connector = connect(project, kept={"category": "opsync"})
    project.add_category("opsync")
    roots = [Ref("notion", "page", f"{n:04x}") for n in range(12)]
    wanted = [
        change(value_of(connector, root=root, title=f"Feature {n}"), root=root)
        for n, root in enumerate(roots)
    ]

    assert await connector.observe(product()) == []
    outcomes = await apply(connector, *wanted)

    assert {one.kind for one in outcomes} == {OutcomeKind.created}
    assert (project.read_requests, project.write_requests) == (1, 12)


async def test_the_category_is_made_once(project: AmplitudeProject, connect: Connect) -> None:
    kept: dict[str, Value] = {}
    connector = connect(project, kept=kept)
    await apply(connector, change(value_of(connector)))
    again = connect(project, kept=kept)
    await apply(again, change(value_of(again, root=OTHER), root=OTHER))

    posts = [one for one in project.exchanges if one.path == "/api/3/annotation-categories"]
    assert len(posts) == 1
    assert kept["category"] == "opsync"


async def test_a_category_that_is_there_already_is_taken(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.add_category("Shipped")
    connector = connect(project, category="Shipped")

    (outcome,) = await apply(connector, change(value_of(connector)))

    assert outcome.kind is OutcomeKind.created
    assert len(project.held.categories) == 1


async def test_a_category_that_somebody_removed_is_made_again(
    project: AmplitudeProject, connect: Connect
) -> None:
    connector = connect(project, kept={"category": "opsync"})

    (outcome,) = await apply(connector, change(value_of(connector)))

    assert outcome.kind is OutcomeKind.created
    assert [one.name for one in project.held.categories.values()] == ["opsync"]


async def test_a_release_moves_with_its_day_and_nothing_else_is_sent(
    project: AmplitudeProject, connect: Connect
) -> None:
    connector, before, remote_id = await made(project, connect)
    after = value_of(connector, on=SHIPPED + timedelta(days=2))

    (outcome,) = await apply(connector, change(after, before=before, remote_id=remote_id))

    assert (outcome.kind, outcome.applied) == (OutcomeKind.updated, after)
    assert outcome.remote_id == remote_id
    (annotation,) = project.held.annotations.values()
    assert annotation.start == midnight(SHIPPED + timedelta(days=2))
    put = project.exchanges[-1]
    assert put.method == "PUT"
    assert put.request_body == b'{"start":"2026-02-05T00:00:00+01:00"}'


async def test_a_new_title_is_written_onto_the_same_annotation(
    project: AmplitudeProject, connect: Connect
) -> None:
    connector, before, remote_id = await made(project, connect)
    after = value_of(connector, title="Instant payouts for all")

    (outcome,) = await apply(connector, change(after, before=before, remote_id=remote_id))

    assert (outcome.kind, outcome.applied) == (OutcomeKind.updated, after)
    (annotation,) = project.held.annotations.values()
    assert annotation.label == "Shipped: Instant payouts for all"
    assert b"start" not in project.exchanges[-1].request_body


async def test_an_id_that_is_gone_is_looked_for_by_its_marker(
    project: AmplitudeProject, connect: Connect
) -> None:
    connector, before, remote_id = await made(project, connect)
    after = value_of(connector, on=SHIPPED + timedelta(days=2))

    (outcome,) = await apply(connector, change(after, before=before, remote_id="1"))

    assert (outcome.kind, outcome.remote_id) == (OutcomeKind.updated, remote_id)
    assert outcome.applied == after
    assert len(project.held.annotations) == 1


async def test_what_is_gone_without_a_trace_is_made_anew(
    project: AmplitudeProject, connect: Connect
) -> None:
    connector, before, remote_id = await made(project, connect)
    project.held.annotations.clear()
    after = value_of(connector, on=SHIPPED + timedelta(days=2))

    (outcome,) = await apply(connector, change(after, before=before, remote_id=remote_id))

    assert (outcome.kind, outcome.applied) == (OutcomeKind.created, after)
    assert len(project.held.annotations) == 1


@pytest.mark.parametrize("how", ["by id", "by marker", "under another id", "gone"])
async def test_removing_takes_away_exactly_what_opsync_made(
    project: AmplitudeProject, connect: Connect, how: str
) -> None:
    theirs = project.add_annotation("Launch party", midnight(SHIPPED), details=f"{marker()} yes")
    connector, value, remote_id = await made(project, connect)
    if how == "gone":
        del project.held.annotations[int(remote_id)]
    known = {"by marker": "", "under another id": "1"}.get(how, remote_id)

    (outcome,) = await apply(connector, change(None, before=value, remote_id=known))

    assert (outcome.kind, outcome.applied) == (OutcomeKind.removed, None)
    assert list(project.held.annotations) == [theirs.id]


@pytest.mark.parametrize(
    ("details", "in_category"),
    [
        ("{marker}", False),
        ("We keep an eye on {marker} and its use", True),
        ("{marker}, done", True),
        ("See [opsync:3f2a91c] for more", True),
        ("[opsync:3F2A91C0]", True),
        ("x{marker}", True),
        ("see [opsync:3f2a91c0", True),
        (None, True),
    ],
)
async def test_bad_input_a_persons_annotation_with_a_part_of_our_marker_is_never_touched(
    project: AmplitudeProject, connect: Connect, details: str | None, in_category: bool
) -> None:
    category = project.add_category("opsync")
    text = details.format(marker=marker()) if details else None
    theirs = project.add_annotation(
        "Launch", midnight(SHIPPED), details=text, category=category if in_category else None
    )
    connector = connect(project)
    value = value_of(connector)

    assert await connector.observe(product()) == []
    await apply(connector, change(value))
    await apply(connector, change(None, before=value))

    assert list(project.held.annotations.values()) == [theirs]
    assert (theirs.label, theirs.details) == ("Launch", text)


async def test_what_a_person_changed_is_seen(project: AmplitudeProject, connect: Connect) -> None:
    connector, value, remote_id = await made(project, connect)
    project.poke_edit(remote_id, "start", "2026-02-10")
    (moved,) = await connector.observe(product())
    project.poke_edit(remote_id, "start", "2026-02-03")
    project.poke_edit(remote_id, "label", "Payouts are live!")
    (renamed,) = await connector.observe(product())

    assert moved.plain() == {**value, "on": "2026-02-10"}  # type: ignore[dict-item]
    assert renamed.plain() != value
    assert "Payouts are live!" in str(renamed.plain())
    assert renamed.address == marker()


async def test_a_label_that_amplitude_cut_is_no_change(
    project: AmplitudeProject, connect: Connect
) -> None:
    connector, value, remote_id = await made(project, connect)
    project.poke_edit(remote_id, "label", "Shipped: Instant…")

    (seen,) = await connector.observe(product())

    assert seen.plain() == value


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata", ""])
async def test_the_day_is_the_projects_own(
    project: AmplitudeProject, connect: Connect, zone: str
) -> None:
    connector, value, _ = await made(project, connect, time_zone=zone)

    (annotation,) = project.held.annotations.values()
    sent = project.exchanges[-1].request_body.decode()
    (seen,) = await connector.observe(product())

    assert '"start":"2026-02-03T' in sent
    assert seen.plain() == value
    if not zone:
        assert annotation.start.isoformat() == "2026-02-03T12:00:00+00:00"


async def test_a_refusal_is_the_outcome_of_its_change(
    project: AmplitudeProject, connect: Connect
) -> None:
    connector, before, remote_id = await made(project, connect)
    broken = {"on": "2026-02-03", "text": ""}
    fine = value_of(connector, root=OTHER)

    bad, good = await apply(
        connector,
        change(broken, before=before),
        change(fine, root=OTHER),
    )

    assert (bad.kind, bad.retryable) == (OutcomeKind.failed, False)
    assert "Invalid field: label" in bad.message
    assert good.kind is OutcomeKind.created
    assert remote_id in map(str, project.held.annotations)


async def test_a_key_pair_that_may_not_write_ends_the_writing(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.faults.missing_scopes = {"annotations"}
    connector = connect(project)

    assert await connector.observe(product()) == []
    with pytest.raises(SignInError, match="may not do that"):
        await apply(connector, change(value_of(connector)))
    assert project.held.annotations == {}


async def test_a_long_title_is_cut_in_the_label_and_whole_in_the_details(
    project: AmplitudeProject, connect: Connect
) -> None:
    connector = connect(project)
    value = value_of(connector, title="Payouts " * 40)

    (outcome,) = await apply(connector, change(value))

    (annotation,) = project.held.annotations.values()
    assert outcome.applied == value
    assert len(annotation.label) <= 100
    assert annotation.label.endswith("…")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Shipped: X https://a.example/x [opsync:3f2a91c0]", "Shipped: X"),
        ("Shipped: X – https://a.example/x [opsync:3f2a91c0]", "Shipped: X"),
        ("https://a.example/x [opsync:3f2a91c0]", "https://a.example/x [opsync:3f2a91c0]"),
        ("Shipped: see [opsync:1] [opsync:3f2a91c0]", "Shipped: see [opsync:1]"),
    ],
)
def test_a_label_has_neither_link_nor_marker(text: str, label: str) -> None:
    assert label_of(text) == label
