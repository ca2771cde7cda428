"""What a plan will cost."""

from __future__ import annotations

import pytest

from opsync.config import read
from opsync.engine.estimate import ANSWER_S, estimate
from opsync.http import Limit, Policy
from opsync.model import Change, Ref, Slot, Verb
from opsync.report import Planned
from tests.cli.conftest import Company
from tests.cli.measuring import RELEASES, plant


def _planned(target: str, about: str) -> Planned:
    slot = Slot(Ref("work", "item", target), "link", "links", Ref("roadmap", "item", about))
    change = Change(id=f"{target}-{about}", slot=slot, verb=Verb.create, desired="x")
    return Planned(change, "Toy", "Link", target, "group")


def test_places_that_are_read_with_their_item_are_written_together(company: Company) -> None:
    """Trouble 25"""
    config = read(company.folder / "opsync.toml")
    cost = estimate(config, [_planned("100", "a"), _planned("100", "b"), _planned("101", "a")])
    assert cost.requests == 2
    assert cost.notifies == ()
    assert cost.seconds == 2 * ANSWER_S / 4  # four at once


def test_nothing_costs_nothing(company: Company) -> None:
    cost = estimate(read(company.folder / "opsync.toml"), [])
    assert (cost.requests, cost.seconds) == (0, 0.0)


def test_annotations_cost_one_look_at_the_project_and_one_request_each(
    company: Company,
) -> None:
    plant(company.folder, RELEASES)
    config = read(company.folder / "opsync.toml")
    there = Ref("usage", "project", "1")
    changes = [
        Change(
            id=name,
            slot=Slot(there, "annotation", "roadmap", Ref("roadmap", "item", name)),
            verb=verb,
            desired=None if verb is Verb.remove else {"on": "2026-11-07", "text": "x"},
        )
        for name, verb in (("a", Verb.create), ("b", Verb.update), ("c", Verb.remove))
    ]
    planned = [Planned(one, "Gauge", "Annotation", "Harbor app", "x") for one in changes]
    cost = estimate(config, planned)
    assert cost.requests == 1 + 3
    assert cost.notifies == ()


def test_a_limit_makes_wait_only_for_what_it_does_not_let_through_at_once(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = Policy(
        instance="work",
        vendor="Toy",
        base_url="https://toy.example",
        headers={},
        credential="",
        limits=(Limit("", 10, 3600),),
    )
    config = read(company.folder / "opsync.toml")
    monkeypatch.setattr(config.plugins.connector("toy"), "policy", lambda name, settings: policy)
    few = estimate(config, [_planned(str(n), "a") for n in range(8)])
    assert few.seconds == 8 * ANSWER_S / 4
    more = estimate(config, [_planned(str(n), "a") for n in range(9)])
    assert more.seconds == 9 * ANSWER_S / 4 + 3600
