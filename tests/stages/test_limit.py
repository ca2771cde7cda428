"""How much a plan may do at once: the limits and their edges."""

from __future__ import annotations

import pytest

from opsync.model import Change, Limits, Slot, Verb
from opsync.stages.limit import Footprint, footprint, over
from tests.support.build import ref

USUAL = Limits()


def changes(verb: Verb, count: int) -> list[Change]:
    return [
        Change(id=str(n), slot=Slot(ref(str(n)), "text", "roadmap", ref("r")), verb=verb, desired=n)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("found", "limits", "excess"),
    [
        (Footprint(), USUAL, ""),
        # The larger of 10 and 20 % of what opsync has there.
        (Footprint(removals=10, owned=10), USUAL, ""),
        (Footprint(removals=11, owned=11), USUAL, "removals 11 > 10 of 11"),
        (Footprint(removals=11, owned=54), USUAL, "removals 11 > 10 of 54"),
        (Footprint(removals=11, owned=55), USUAL, ""),
        (Footprint(removals=12, owned=59), USUAL, "removals 12 > 11 of 59"),
        (Footprint(removals=12, owned=60), USUAL, ""),
        (Footprint(removals=200, owned=1000), USUAL, ""),
        (Footprint(removals=201, owned=1000), USUAL, "removals 201 > 200 of 1000"),
        # A share that is a whole number on paper is one here.
        (Footprint(removals=29, owned=100), Limits(removals_share=0.29), ""),
        (Footprint(removals=30, owned=100), Limits(removals_share=0.29), "removals 30 > 29 of 100"),
        (Footprint(removals=1, owned=0), Limits(removals=0), "removals 1 > 0 of 0"),
        (Footprint(creates=1000), USUAL, ""),
        (Footprint(creates=1001), USUAL, "creates 1001 > 1000 of 0"),
        (Footprint(rewrites=20), USUAL, ""),
        (Footprint(rewrites=21), USUAL, "rewrites 21 > 20 of 0"),
        (
            Footprint(removals=11, owned=11, creates=1001, rewrites=21),
            USUAL,
            "removals 11 > 10 of 11, creates 1001 > 1000 of 0, rewrites 21 > 20 of 0",
        ),
        # What earlier runs of the day did counts as well, and what they removed was there.
        (Footprint(removals=1, owned=41, removed=9), USUAL, ""),
        (Footprint(removals=2, owned=41, removed=9), USUAL, "removals 11 > 10 of 50"),
        (Footprint(removals=2, owned=46, removed=9), USUAL, ""),
        (Footprint(removals=3, owned=46, removed=9), USUAL, "removals 12 > 11 of 55"),
        (Footprint(removals=2, removed=9), USUAL.raised(removals=11), ""),
        (Footprint(creates=1, created=999), USUAL, ""),
        (Footprint(creates=2, created=999), USUAL, "creates 1001 > 1000 of 0"),
        # A plan without removals is over no limit of them, whatever was removed before it.
        (Footprint(creates=1, owned=1, removed=99), USUAL, ""),
        (Footprint(removals=1, owned=99, created=5000), USUAL, ""),
        # What a run is allowed over them.
        (Footprint(removals=43, owned=60), USUAL.raised(removals=43), ""),
        (Footprint(removals=44, owned=60), USUAL.raised(removals=43), "removals 44 > 43 of 60"),
        (Footprint(creates=1500), USUAL.raised(creates=1500), ""),
        (Footprint(rewrites=21), USUAL.raised(rewrites=21), ""),
        (
            Footprint(removals=10, creates=1000, rewrites=20),
            USUAL.raised(removals=1, creates=1),
            "",
        ),
    ],
)
def test_a_plan_is_over_a_limit_from_the_first_value_too_many(
    found: Footprint, limits: Limits, excess: str
) -> None:
    told = (f"{one.what} {one.count} > {one.limit} of {one.of}" for one in over(found, limits))
    assert ", ".join(told) == excess


def test_a_plan_is_counted_by_what_it_does() -> None:
    plan = [*changes(Verb.remove, 3), *changes(Verb.create, 2), *changes(Verb.update, 4)]
    assert footprint(plan, owned=9) == Footprint(removals=3, creates=2, rewrites=1, owned=9)
    assert footprint([]) == Footprint()


def test_of_all_values_the_one_that_is_written_most_often_counts() -> None:
    plan = changes(Verb.update, 3)
    written = {plan[1].slot: 20, plan[2].slot: 4, Slot(ref("9"), "text", "x", ref("r")): 99}
    assert footprint(plan, written=written).rewrites == 21, "this time included, others left out"
