"""kill -9 of a real `opsync sync` over real HTTP: the next run repairs it at once."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from opsync.sandbox.harbor import Harbor, build_harbor
from tests.crash.served import Served, any_request, serve_harbor, undisturbed_harbor
from tests.crash.standing import Standing
from tests.support.processes import Matches, kill, run, running
from tests.support.world import World, linear_project_url

pytestmark = pytest.mark.slow


def _request(method: str, path: str, *words: bytes) -> Matches:
    """Requests of this method, with this in their path, whose body has all the words."""
    return lambda given, at, body: (
        given == method and path in at and all(word in body for word in words)
    )


PAGE = _request("PATCH", "/v1/pages/")
POINTS: dict[str, Matches] = {
    "a remote link is created in Jira": _request("POST", "/remotelink"),
    "links are created in Linear, several at once": _request(
        "POST", "/graphql", b"mutation Write", b"attachmentCreate", b"entityExternalLinkCreate"
    ),
    "a page is changed in Notion": PAGE,
    "columns are added in Notion": _request("PATCH", "/v1/data_sources/"),
}


@pytest.mark.parametrize("point", POINTS)
def test_killed_after_the_vendor_wrote_and_before_it_is_recorded(
    served: Served, wanted: Standing, point: str
) -> None:
    served.kill_at(POINTS[point])
    served.check_repair(wanted)


def test_killed_after_a_link_that_is_no_upsert_was_created(served: Served, company: World) -> None:
    assert run(*served.sync).code == 0
    project = company.linear.add_project("Refund pages", teams=["GRO"])
    page = company.page("Refunds", linear_project_url(project.slug_id))

    served.kill_at(_request("POST", "/graphql", b"entityExternalLinkCreate"))
    (made,) = project.external_links
    assert made.url == page.url

    served.check_repair()
    assert project.external_links == [made]


def test_killed_after_links_were_removed(served: Served, company: World) -> None:
    assert run(*served.sync).code == 0
    assert company.remote_links("PAY-3")
    assert company.attachments("GRO-3")
    company.linear.poke_edit("GRO-3", "description", "It waits for nothing any more.")

    served.kill_at(_request("DELETE", "/remotelink"))
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


@pytest.mark.parametrize("seed", range(10))
def test_killed_anywhere_in_a_run_over_harbor(tmp_path: Path, seed: int) -> None:
    """The seed chooses the run (the first, or one after people went on working), the request at
    which it is held up, and how much longer it lives."""
    rng = random.Random(seed)
    later = seed % 2 == 1
    (tmp_path / "undisturbed").mkdir()
    wanted = undisturbed_harbor(tmp_path / "undisturbed", *([go_on] if later else []))
    harbor = build_harbor()
    with serve_harbor(tmp_path, harbor) as served:
        if later:
            assert run(*served.sync).code == 0
            go_on(harbor)
        served.gate.set(any_request, nth=rng.randint(1, 8 if later else 50))
        with running(*served.sync) as child:
            served.gate.wait()
            time.sleep(rng.uniform(0, 0.05))
            kill(child)

        served.check_repair(wanted)


def go_on(harbor: Harbor) -> None:
    """What people do before the next run."""
    harbor.jira.poke_move("PAY-118", "done")
    harbor.linear.poke_move("GRO-47", "done")
    harbor.linear.poke_edit("GRO-44", "description", "It uses no tokens any more.")
    text = f"EU residency went to {harbor.jira.base_url}/browse/MOB-20"
    harbor.notion.edit_page(harbor.pages["Data residency EU"], "Tracked in", text)
    harbor.notion.edit_page(harbor.pages["SSO for teams"], "Status", "Done")
    harbor.notion.edit_page(harbor.pages["Instant payouts"], "Released", "2026-10-01")
