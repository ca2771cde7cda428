"""What people decide about pairs: kept once, given to a pass, and never lost beside one."""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opsync.model import Evidence, Mention, PairDecision, PairKind, Ref, Suggestion
from opsync.model.pair import ACCEPTED, in_order
from opsync.model.suggestion import ID_LENGTH
from opsync.runtime import SystemClock
from opsync.stages.link import link
from opsync.store import Store
from tests.store.build import names, put, record, ref, settle
from tests.support.clock import FakeClock

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
A, B, C = ref("notion:1"), ref("jira:1"), ref("linear:1")


def decision(
    one: Ref, two: Ref, kind: PairKind = "member", verdict: Any = "accepted", **values: Any
) -> PairDecision:
    given: dict[str, Any] = {"by": "ana", "at": AT} | values
    return PairDecision(one=one, two=two, kind=kind, verdict=verdict, **given)


async def world(store: Store) -> int:
    """Three records that name nothing, in a settled run; returns the next run."""
    run = await store.begin_run("sync")
    for name in ("notion:1", "jira:1", "linear:1"):
        await put(store, run, record(name, aliases=(name.upper(),)))
    await settle(store, run)
    return await store.begin_run("sync")


async def mentions(store: Store, source: Ref) -> list[tuple[Mention, tuple[Ref, ...]]]:
    return [(mention, holders) for _, mention, holders in await store.mentions_of([source])]


async def relink(store: Store, run: int) -> None:
    """What the link stage does."""
    sources = await store.sources_to_link(run)
    await store.put_links(run, sources, link(await store.mentions_of(sources)))


async def test_a_decision_is_kept_whole(store: Store) -> None:
    one = decision(A, B, note="agreed on Monday", one_name="Checkout", two_name="PAY-1")
    assert await store.decide([one]) == ["new"]
    assert await store.decision(A, B) == await store.decision(B, A) == one
    assert await store.decisions() == await store.decisions(A) == await store.decisions(B) == [one]
    assert await store.decisions(C) == []


async def test_deciding_the_same_again_changes_nothing(store: Store) -> None:
    await store.decide([decision(A, B, note="first")])
    again = decision(A, B, by="ben", at=datetime(2027, 1, 1, tzinfo=UTC))
    assert await store.decide([again]) == ["known"]
    assert [(one.by, one.note) for one in await store.decisions()] == [("ana", "first")]
    assert await store.decide([decision(A, B, note="second")]) == ["changed"]


@pytest.mark.parametrize("kinds", list(itertools.permutations(["member", "same", "related"], 2)))
async def test_a_pair_is_there_once_in_whatever_order_and_as_whatever_it_was_named(
    store: Store, kinds: tuple[PairKind, PairKind]
) -> None:
    first, second = kinds
    for one, two in [(A, B), (B, A)]:
        await store.decide([decision(one, two, first)])
        await store.decide([decision(two, one, second)])
        (kept,) = await store.decisions()
        assert kept.kind == second
        assert {kept.one, kept.two} == {A, B}


async def test_only_a_member_has_a_first_end(store: Store) -> None:
    assert in_order(decision(A, B, "member")).one == A
    turned = in_order(decision(A, B, "same", one_name="Page", two_name="Issue"))
    assert (turned.one, turned.two, turned.one_name, turned.two_name) == (B, A, "Issue", "Page")
    await store.decide([decision(A, B, "related")])
    assert await store.decide([decision(B, A, "related")]) == ["known"]


async def test_all_are_kept_or_none(store: Store) -> None:
    store._database._connection.exec_driver_sql(
        "CREATE TEMP TRIGGER refuse BEFORE INSERT ON decisions WHEN new.two = 'linear:issue:1'"
        " BEGIN SELECT RAISE(ABORT, 'refused'); END"
    )
    store._database._connection.commit()
    run = await world(store)
    with pytest.raises(Exception, match="refused"):
        await store.decide([decision(A, B), decision(A, C)])
    assert await store.decisions() == []
    assert await store.sources_to_link(run) == []


PROGRAM = """
import asyncio, os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from opsync.model import PairDecision, Ref
from opsync.runtime import SystemClock
from opsync.store import Store

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

async def main(path):
    store = Store.open(path, clock=SystemClock())
    store._database._connection.connection.create_function("die", 0, die)
    store._database._connection.exec_driver_sql(
        "CREATE TEMP TRIGGER amid AFTER INSERT ON decisions WHEN new.two = 'linear:issue:1'"
        " BEGIN SELECT die(); END")
    store._database._connection.commit()
    one = Ref("notion", "issue", "1")
    await store.decide([
        PairDecision(one=one, two=Ref(two, "issue", "1"), kind="member", verdict="accepted",
                     by="ana", at=datetime.now(UTC)) for two in ("jira", "linear")])

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_a_kill_amid_a_decision_leaves_all_of_it_or_nothing(path: Path) -> None:
    store = Store.open(path, clock=SystemClock())
    run = await world(store)
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", PROGRAM, str(path)], check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert await store.decisions() == []
    assert await store.sources_to_link(run) == []
    await store.check()
    await store.decide([decision(A, B), decision(A, C)])
    assert len(await store.decisions()) == 2
    await store.close()


async def test_an_accepted_member_is_named_as_in_a_property(store: Store) -> None:
    await world(store)
    await store.decide([decision(A, B), decision(A, C, "related")])
    assert await mentions(store, A) == [(Mention(str(B), "jira", ACCEPTED, property=True), (B,))]
    assert await mentions(store, B) == []
    assert await mentions(store, C) == [(Mention(str(A), "notion", ACCEPTED), (A,))]
    tree = await store.tree(A)
    assert [holders for _, holders in tree.names] == [(B,)]
    assert list(tree.nodes) == [B]


async def test_accepted_as_the_same_work_is_evidence_of_a_mirror(store: Store) -> None:
    run = await world(store)
    await store.decide([decision(C, B, "same")])
    await relink(store, run)
    (pair,) = await store.links_of(C)
    assert pair.evidence == (Evidence(B, C, ACCEPTED, part="mirror"),)
    assert (await store.tree(B)).names == ()


async def test_a_rejected_pair_makes_no_link_and_takes_none_away_that_people_name(
    store: Store,
) -> None:
    run = await world(store)
    await store.decide([decision(A, B, verdict="rejected")])
    assert await mentions(store, A) == []
    assert await store.sources_to_link(run) == []
    await put(store, run, record("notion:1", mentions=(names("JIRA:1"),)))
    await relink(store, run)
    assert len(await store.links_of(A)) == 1


async def test_what_people_name_and_accept_is_one_link_with_both(store: Store) -> None:
    run = await world(store)
    await put(store, run, record("notion:1", mentions=(names("JIRA:1"),)))
    await put(store, run, record("jira:1", aliases=("JIRA:1",), mentions=("NOTION:1",)))
    await put(store, run, record("notion:1", aliases=("NOTION:1",), mentions=(names("JIRA:1"),)))
    await store.decide([decision(A, B)])
    await relink(store, run)
    (pair,) = await store.links_of(A)
    assert [(e.source, e.field) for e in pair.evidence] == [
        (B, ""),
        (A, "Tracked in"),
        (A, ACCEPTED),
    ]


@pytest.mark.parametrize("kind", ["member", "same", "related"])
async def test_a_decision_gives_both_ends_to_the_next_pass_though_no_record_changed(
    store: Store, kind: PairKind
) -> None:
    run = await world(store)
    assert await store.sources_to_link(run) == []
    await settle(store, run)
    await store.decide([decision(A, B, kind)])
    run = await store.begin_run("sync")
    assert set(await store.sources_to_link(run)) == {A, B}
    assert await store.roots_touched(run, "roadmap", [A]) == [A]
    assert set(await store.targets_changed(run)) == {A, B}
    await relink(store, run)
    await settle(store, run)
    assert len(await store.links_of(A)) == 1
    run = await store.begin_run("sync")
    assert await store.sources_to_link(run) == []
    assert await store.targets_changed(run) == []


@pytest.mark.parametrize("how", ["undecide", "reject"])
async def test_taking_back_gives_both_ends_to_the_next_pass_too(store: Store, how: str) -> None:
    run = await world(store)
    await store.decide([decision(A, B)])
    await relink(store, run)
    await settle(store, run)
    await settle(store, await store.begin_run("sync"))
    if how == "undecide":
        assert await store.undecide(B, A) == decision(A, B)
        assert await store.decisions() == []
        assert await store.undecide(A, B) is None
    else:
        assert await store.decide([decision(A, B, verdict="rejected")]) == ["changed"]
    run = await store.begin_run("sync")
    assert set(await store.sources_to_link(run)) == {A, B}
    await relink(store, run)
    assert await store.links_of(A) == []
    assert set(await store.targets_changed(run)) == {A, B}


@pytest.mark.parametrize("moment", ["before its links", "after its links", "after its plan"])
async def test_a_decision_beside_a_running_pass_is_not_lost_when_it_finishes(
    store: Store, path: Path, clock: FakeClock, moment: str
) -> None:
    running = await world(store)
    beside = Store.open(path, clock=clock, create=False)
    if moment == "before its links":
        await beside.decide([decision(A, B)])
    await relink(store, running)
    if moment == "after its links":
        await beside.decide([decision(A, B)])
    # The pass goes on and touches the same records for reasons of its own.
    await put(store, running, record("notion:1", title="Renamed", mentions=(names("LINEAR:1"),)))
    await store.put_links(running, [A], link(await store.mentions_of([A])))
    await store.put_off([C])
    if moment == "after its plan":
        await beside.decide([decision(A, B)])
    await settle(store, running)
    await beside.close()
    run = await store.begin_run("sync")
    assert {A, B} <= set(await store.sources_to_link(run))
    assert await store.roots_touched(run, "roadmap", [A]) == [A]
    assert {A, B} <= set(await store.targets_changed(run))
    await relink(store, run)
    assert B in {pair.other(A) for pair in await store.links_of(A)}


async def test_a_decision_outlives_a_pass_that_breaks_off(store: Store) -> None:
    await world(store)
    await store.decide([decision(A, B)])
    await store.begin_run("sync")
    run = await store.begin_run("sync")
    assert set(await store.sources_to_link(run)) == {A, B}


async def test_what_is_touched_for_other_reasons_is_not_linked_again(store: Store) -> None:
    run = await world(store)
    await store.put_off([A])
    await settle(store, run)
    run = await store.begin_run("sync")
    assert await store.targets_changed(run) == [A]
    assert await store.sources_to_link(run) == []


async def test_an_end_that_is_gone_is_named_by_nothing_and_comes_back(store: Store) -> None:
    run = await world(store)
    await store.decide([decision(A, B)])
    await relink(store, run)
    await put(store, run, record("jira:1", aliases=("JIRA:1",), tombstone="deleted"))
    assert [holders for _, holders in await mentions(store, A)] == [()]
    assert await store.roots_touched(run, "roadmap", [A]) == [A]
    await relink(store, run)
    assert await store.links_of(A) == []
    assert len(await store.decisions()) == 1
    await settle(store, run)
    run = await store.begin_run("sync")
    await put(store, run, record("jira:1", aliases=("JIRA:1",)))
    assert await store.roots_touched(run, "roadmap", [A]) == [A]
    await relink(store, run)
    assert len(await store.links_of(A)) == 1


async def test_an_initiative_that_is_gone_names_nothing_and_comes_back(store: Store) -> None:
    run = await world(store)
    await store.decide([decision(A, B)])
    await relink(store, run)
    await put(store, run, record("notion:1", tombstone="trashed"))
    await relink(store, run)
    assert await store.links_of(B) == []
    await put(store, run, record("notion:1", title="Back"))
    await relink(store, run)
    assert len(await store.links_of(B)) == 1


async def test_an_accepted_pair_is_no_name_that_nobody_has(store: Store) -> None:
    run = await world(store)
    await store.decide([decision(A, B)])
    await put(store, run, record("jira:1", tombstone="deleted"))
    assert await store.unresolved() == await store.unresolved_new(run) == []


async def test_when_something_was_found_gone_is_known(store: Store, clock: FakeClock) -> None:
    run = await world(store)
    clock.advance(3600)
    await settle(store, run)
    began = clock.now()
    run = await store.begin_run("sync")
    await put(store, run, record("jira:1", tombstone="deleted"))
    assert await store.gone_since([A, B]) == {B: began}


def suggestion(one: Ref, two: Ref, score: float = 0.5) -> Suggestion:
    return Suggestion(one, two, "member", score, ("same words",))


async def test_suggestions_are_replaced_and_listed_the_likeliest_first(store: Store) -> None:
    await world(store)
    await store.put_suggestions([suggestion(A, B, 0.4)])
    found = [suggestion(A, B, 0.5), suggestion(A, C, 0.9)]
    await store.put_suggestions(found)
    assert await store.suggestions() == found[::-1]
    assert await store.suggested() == 2
    assert await store.suggestions(C) == [found[1]]
    assert await store.suggestion(found[0].id) == [found[0]]
    assert await store.suggestion("000000") == []


@pytest.mark.parametrize("verdict", ["accepted", "rejected"])
@pytest.mark.parametrize("turned", [False, True])
async def test_a_pair_that_was_decided_is_not_suggested_in_either_order(
    store: Store, verdict: str, turned: bool
) -> None:
    await world(store)
    one, two = (B, A) if turned else (A, B)
    await store.decide([decision(one, two, "same" if turned else "member", verdict)])
    for pair in [suggestion(A, B), suggestion(B, A)]:
        await store.put_suggestions([pair, suggestion(A, C)])
        assert await store.suggestions() == [suggestion(A, C)]
        assert await store.suggestion(pair.id) == [pair]
    assert await store.suggested() == 1
    await store.undecide(A, B)
    assert len(await store.suggestions()) == await store.suggested() == 2


async def test_what_is_gone_is_not_suggested(store: Store) -> None:
    run = await world(store)
    await store.put_suggestions([suggestion(A, B), suggestion(A, C)])
    await put(store, run, record("jira:1", tombstone="deleted"))
    assert await store.suggestions() == [suggestion(A, C)]


def test_a_suggestions_id_is_short_and_stays_the_same() -> None:
    assert suggestion(A, B, 0.1).id == suggestion(A, B, 0.9).id
    assert len({suggestion(A, B).id, suggestion(A, C).id, suggestion(B, C).id}) == 3
    assert len(suggestion(A, B).id) == ID_LENGTH
    assert int(suggestion(A, B).id, 16) >= 0
