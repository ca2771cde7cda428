"""What a plan will cost."""

from __future__ import annotations

from opsync.config import read
from opsync.engine.estimate import ANSWER_S, estimate
from opsync.model import Change, Ref, Slot, Verb
from opsync.report import Planned
from tests.cli.conftest import Company


def _planned(target: str, about: str) -> Planned:
    slot = Slot(Ref("work", "item", target), "link", "links", Ref("roadmap", "item", about))
    change = Change(id=f"{target}-{about}", slot=slot, verb=Verb.create, desired="x")
    return Planned(change, "Toy", "Link", target, "group")


def test_places_that_are_read_with_their_item_are_written_together(company: Company) -> None:
    config = read(company.folder / "opsync.toml")
    cost = estimate(config, [_planned("100", "a"), _planned("100", "b"), _planned("101", "a")])
    assert cost.requests == 2
    assert cost.notifies == ()
    assert cost.seconds == 2 * ANSWER_S / 4  # four at once


def test_nothing_costs_nothing(company: Company) -> None:
    cost = estimate(read(company.folder / "opsync.toml"), [])
    assert (cost.requests, cost.seconds) == (0, 0.0)
