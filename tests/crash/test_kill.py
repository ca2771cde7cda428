"""kill -9 of a real `opsync sync` over real HTTP: the next run repairs it at once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.crash import kills
from tests.crash.kills import PAGE, POINTS, Tally, kill_round, request
from tests.crash.served import Served, any_request
from tests.crash.standing import Standing
from tests.support.processes import run
from tests.support.world import World, linear_project_url

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("point", POINTS)
def test_killed_after_the_vendor_wrote_and_before_it_is_recorded(
    served: Served, wanted: Standing, point: str
) -> None:
    """F46"""
    served.kill_at(POINTS[point])
    served.check_repair(wanted)


def test_killed_after_a_link_that_is_no_upsert_was_created(served: Served, company: World) -> None:
    assert run(*served.sync).code == 0
    project = company.linear.add_project("Refund pages", teams=["GRO"])
    page = company.page("Refunds", linear_project_url(project.slug_id))

    served.kill_at(request("POST", "/graphql", b"entityExternalLinkCreate"))
    (made,) = project.external_links
    assert made.url == page.url

    served.check_repair()
    assert project.external_links == [made]


def test_killed_after_links_were_removed(served: Served, company: World) -> None:
    assert run(*served.sync).code == 0
    assert company.remote_links("PAY-3")
    assert company.attachments("GRO-3")
    company.linear.poke_edit("GRO-3", "description", "It waits for nothing any more.")

    served.kill_at(request("DELETE", "/remotelink"))
    assert company.remote_links("PAY-3") == []

    served.check_repair()
    assert company.remote_links("PAY-3") == []
    assert company.attachments("GRO-3") == []


def test_killed_again_while_it_repairs(served: Served, wanted: Standing) -> None:
    # Of either run it is certain that it makes so many requests.
    served.kill_at(any_request, nth=12)
    served.kill_at(any_request, nth=4)
    served.check_repair(wanted)


def test_what_a_person_edits_between_the_kill_and_the_repair_stays(
    served: Served, company: World
) -> None:
    """I6"""
    assert run(*served.sync).code == 0
    company.jira.poke_move("PAY-3", "done")
    served.kill_at(PAGE)
    assert company.checkout.text("Delivery").startswith("3 of 5 done")
    company.notion.edit_page(company.checkout, "Delivery", "Ask Dana")

    repaired = run(*served.sync)
    assert repaired.code == 1
    assert "edited by a person" in repaired.out
    assert company.checkout.text("Delivery") == "Ask Dana"
    assert served.standing().doubled == []


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", range(2))
def test_killed_anywhere_in_a_run_over_harbor(tmp_path: Path, seed: int) -> None:
    """I10, F46: the seed chooses moments and points of five kills: of the first run, of those that
    repair it, and of runs after people went on working."""
    tally = Tally()
    kill_round(tmp_path, random.Random(seed), 5, tally)
    assert tally.kills.total() == 5


def test_what_is_doubled_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """F46: the count of many kills can fail."""

    def found(*_: object) -> None:
        raise AssertionError("doubled")

    monkeypatch.setattr(kills, "kill_round", found)
    said: list[str] = []
    assert not kills.kill_many(3, 5, said.append)
    assert "kills: 0 of 3" in said[0]
    assert "doubled; seed 5" in said[0]
