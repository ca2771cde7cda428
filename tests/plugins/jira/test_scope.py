from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError
from tests.plugins.jira.conftest import Connect, harbor, settings
from tests.support.clock import FakeClock
from tests.support.connector import read

from opsync import OUT_OF_SCOPE
from opsync.sandbox.jira import JiraSite
from opsync_jira.jql import changed_since, of_projects, with_ids
from opsync_jira.scope import label_clause, quoted


@pytest.fixture
def labelled(site: JiraSite) -> JiraSite:
    """An epic without labels; of its stories one has "roadmap", one another label, one none."""
    return plant(site)


def plant(site: JiraSite) -> JiraSite:
    site.add_issue("PAY", "Checkout core", issue_type="Epic")
    site.add_issue("PAY", "Card form", parent="PAY-1", labels=["roadmap", "web"])
    site.add_issue("PAY", "Chore", parent="PAY-1", labels=["noise"])
    site.add_issue("PAY", "Refund flow", parent="PAY-1")
    return site


async def test_only_issues_with_a_label_are_read_and_epics_whatever_theirs(
    labelled: JiraSite, connect: Connect
) -> None:
    found = await read(connect(labelled, labels=["roadmap"]))

    assert sorted(found) == ["PAY-1", "PAY-2"]
    assert [str(parent.id) for parent in found["PAY-2"].parents] == [found["PAY-1"].ref.id]


async def test_data_center_goes_by_its_epic_types(clock: FakeClock, connect: Connect) -> None:
    server = plant(harbor(JiraSite(now=clock.now, deployment="Server")))

    found = await read(connect(server, deployment="datacenter", labels=["roadmap"]))

    assert sorted(found) == ["PAY-1", "PAY-2"]


async def test_an_issue_that_lost_its_label_is_out_of_scope_and_says_nothing_more(
    labelled: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    jira = connect(labelled, labels=["roadmap"])
    await read(jira)
    clock.advance(60)
    since = clock.now()
    labelled.edit("PAY-2", labels=["web"])
    labelled.edit("PAY-4", labels=["roadmap"])

    found = await read(jira, since)

    assert (found["PAY-2"].tombstone, found["PAY-2"].title) == (OUT_OF_SCOPE, "")
    assert (found["PAY-4"].tombstone, found["PAY-4"].title) == ("", "Refund flow")


async def test_a_pass_without_news_stays_at_one_search(
    labelled: JiraSite, clock: FakeClock, connect: Connect
) -> None:
    kept: dict[str, object] = {}
    await read(connect(labelled, labels=["roadmap"], kept=kept))
    clock.advance(3600)
    before = labelled.read_requests

    await read(connect(labelled, labels=["roadmap"], kept=kept), clock.now())

    assert labelled.read_requests - before == 2  # the sign-in check and one search


async def test_labels_count_exactly_as_written(labelled: JiraSite, connect: Connect) -> None:
    labelled.edit("PAY-3", labels=["Roadmap"])

    assert sorted(await read(connect(labelled, labels=["roadmap"]))) == ["PAY-1", "PAY-2"]


def test_a_value_cannot_leave_its_quotes() -> None:
    hostile = 'a")_OR_project_in_("SEC\\'

    assert quoted(hostile) == '"a\\")_OR_project_in_(\\"SEC\\\\"'
    assert label_clause(settings(labels=[hostile]), ()) == f"(labels in ({quoted(hostile)}))"


def test_labels_are_asked_for_by_a_first_read_only() -> None:
    narrow = settings(labels=["roadmap"], projects=["PAY"], jql="type != Bug")

    assert changed_since(narrow, None, containers=["10000"]) == (
        'project in ("PAY") AND updated >= 0 AND (labels in ("roadmap") OR issuetype in ("10000"))'
        " AND (type != Bug) ORDER BY updated ASC"
    )
    assert "labels" not in changed_since(narrow, None)


def test_what_changed_is_asked_for_by_its_milliseconds() -> None:
    since = datetime(2026, 11, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    assert changed_since(settings(), since) == "updated >= 1793534400250 ORDER BY updated ASC"


def test_issues_are_looked_up_and_listed_within_the_scope_and_whatever_their_labels() -> None:
    narrow = settings(labels=["roadmap"], projects=["PAY", "MOB"], jql="type != Bug")
    assert with_ids(narrow, ["7", "8"]) == (
        'project in ("PAY", "MOB") AND id in (7, 8) AND (type != Bug) ORDER BY updated ASC'
    )
    assert of_projects(narrow) == 'project in ("PAY", "MOB")'
    assert with_ids(settings(), ["7"]) == "id in (7) ORDER BY updated ASC"
    assert of_projects(settings()) == ""


@pytest.mark.parametrize("label", ["", "two words"])
def test_what_is_no_label_is_refused(label: str) -> None:
    with pytest.raises(ValidationError, match="must be labels"):
        settings(labels=[label])


async def test_work_of_a_private_project_is_private(labelled: JiraSite, connect: Connect) -> None:
    labelled.add_project("SEC", "Security", private=True)
    labelled.add_project("HR", "People")
    labelled.add_issue("SEC", "Rotate the keys")
    labelled.add_issue("HR", "Hire")

    found = await read(connect(labelled, private_projects=["HR"]))

    assert {key for key, record in found.items() if record.private} == {"SEC-1", "HR-1"}
