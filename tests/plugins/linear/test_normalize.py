"""How Linear's objects become records."""

from __future__ import annotations

from datetime import date

import pytest

from opsync.model import Category, Kind, Ref
from opsync.sandbox.linear import LinearWorkspace
from opsync.sandbox.linear.objects import STATE_DEFAULTS
from opsync_linear import Linear
from opsync_linear.marks import own_id
from opsync_linear.wire import Named
from tests.plugins.linear.conftest import Connect, change
from tests.support.connector import read

LINKED = "https://harbor.atlassian.net/browse/PAY-118"


async def test_an_issue_carries_what_people_made_of_it(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    ana = workspace.add_user("Ana Reyes", "ana@harbor.example")
    workspace.add_issue(
        "GRO",
        "Card form",
        state="In Review",
        priority=2,
        estimate=3,
        labels=["web"],
        assignee=ana,
        due=date(2026, 3, 9),
        description=f"Needs {LINKED}",
    )

    issue = (await read(connect(workspace)))["GRO-1"]

    assert issue.kind is Kind.issue
    assert (issue.key, issue.title, issue.space) == ("GRO-1", "Card form", "Growth")
    assert issue.url == "https://linear.app/harbor/issue/GRO-1/card-form"
    assert issue.status is not None
    assert (issue.status.name, issue.category) == ("In Review", Category.in_progress)
    assert (issue.priority, issue.estimate, issue.labels) == ("High", 3, ("web",))
    assert issue.owner is not None
    assert issue.owner.email == "ana@harbor.example"
    assert issue.due_on == date(2026, 3, 9)
    assert issue.started_at is not None
    assert [(t.field, t.text, t.property) for t in issue.texts] == [
        ("description", f"Needs {LINKED}", False)
    ]


async def test_an_issue_tells_what_teams_go_by(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    ana = workspace.add_user("Ana Reyes", "ana@harbor.example")
    ana.active = False
    project = workspace.add_project("Checkout web", teams=["GRO"])
    workspace.add_issue("GRO", "Card form", estimate=3, assignee=ana, project=project)
    workspace.add_issue("GRO", "Labels", parent="GRO-1")
    workspace.relate("GRO-1", "GRO-2")

    records = await read(connect(workspace))

    form, labels = records["GRO-1"], records["GRO-2"]
    assert (form.space_key, form.estimates, form.estimate_unit) == ("GRO", {"points": 3}, "points")
    assert form.owner is not None
    assert not form.owner.active
    assert (form.subtask, form.hindrances) == (False, ())
    assert (labels.subtask, labels.hindrances, labels.blocked) == (True, ("link",), True)
    assert (labels.estimates, labels.estimate_unit) == ({}, "")
    [web] = [one for one in records.values() if one.kind is Kind.project]
    assert (web.space_key, web.subtask) == ("GRO", False)


async def test_states_count_by_their_type(workspace: LinearWorkspace, connect: Connect) -> None:
    for name, _ in STATE_DEFAULTS:
        workspace.add_issue("GRO", name, state=name)
    workspace.add_state("GRO", "Musing", "pondering")
    workspace.add_issue("GRO", "Musing", state="Musing")

    found = {each.title: each.category for each in (await read(connect(workspace))).values()}

    assert found == {
        "Triage": Category.backlog,
        "Backlog": Category.backlog,
        "Todo": Category.todo,
        "In Progress": Category.in_progress,
        "In Review": Category.in_progress,
        "Done": Category.done,
        "Canceled": Category.canceled,
        "Duplicate": Category.canceled,
        "Musing": Category.unknown,
    }


async def test_the_configured_map_of_statuses_comes_first(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_issue("GRO", "Card form", state="In Review")
    workspace.add_issue("GRO", "Pay button", state="Todo")
    by_id = workspace.team("GRO").state("Todo").id
    linear = connect(workspace, statuses={"In Review": "done", by_id: "backlog", "Todo": "done"})

    records = await read(linear)

    assert records["GRO-1"].category is Category.done
    assert records["GRO-2"].category is Category.backlog


async def test_an_issue_is_part_of_its_parent_and_of_its_project(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    project = workspace.add_project("Checkout web", teams=["GRO"])
    parent = workspace.add_issue("GRO", "Card form")
    workspace.add_issue("GRO", "Card number", parent=parent, project=project)
    workspace.add_issue("GRO", "Alone")

    records = await read(connect(workspace))

    assert records["GRO-2"].parents == (
        Ref("linear", "issue", parent.id),
        Ref("linear", "project", project.id),
    )
    assert records["GRO-3"].parents == ()


async def test_an_issue_is_blocked_while_a_blocker_is_open(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    for title in ("Open blocker", "Done blocker", "Blocked", "Free", "Related"):
        workspace.add_issue("GRO", title)
    workspace.set_state("GRO-2", "Done")
    workspace.relate("GRO-1", "GRO-3")
    workspace.relate("GRO-2", "GRO-4")
    workspace.relate("GRO-1", "GRO-5", "related")

    records = await read(connect(workspace))

    assert [key for key, record in records.items() if record.blocked] == ["GRO-3"]


async def test_a_moved_issue_keeps_its_former_key(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_team("MOB", "Mobile")
    workspace.add_issue("GRO", "Card form")
    workspace.move_issue("GRO-1", "MOB")

    (issue,) = (await read(connect(workspace))).values()

    assert (issue.key, issue.aliases) == ("MOB-1", ("MOB-1", "GRO-1"))


async def test_an_initiative_of_a_private_lead_team_is_marked(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_initiative("Key rotation", lead_team="SEC")
    workspace.add_initiative("Checkout", lead_team="GRO")
    workspace.add_initiative("Payments")

    records = await read(connect(workspace))

    assert {name for name, record in records.items() if record.private} == {"Key rotation"}


async def test_work_of_private_teams_is_marked(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_issue("SEC", "Rotate keys")
    workspace.add_issue("GRO", "Card form")
    workspace.add_project("Vault", teams=["SEC"])
    workspace.add_project("Shared", teams=["SEC", "GRO"])

    records = await read(connect(workspace))

    assert {name for name, record in records.items() if record.private} == {"SEC-1", "Vault"}


async def test_peoples_attachments_name_others_and_opsyncs_do_not(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    issue = workspace.add_issue("GRO", "Card form")
    theirs = workspace.attach(issue, "PAY-118", LINKED)
    ours = workspace.attach(
        issue,
        "PAY-119 Vault",
        "https://harbor.atlassian.net/browse/PAY-119",
        subtitle="Jira · to do",
        metadata={"opsync": "jira-main:issue:10119", "status": "todo"},
    )

    record = (await read(connect(workspace)))["GRO-1"]

    assert [(t.field, t.text, t.remote_id) for t in record.texts] == [
        ("attachment", LINKED, theirs.id)
    ]
    assert {(s.remote_id, s.address, s.ours) for s in record.seen} == {
        (theirs.id, LINKED, False),
        (ours.id, ours.url, True),
    }
    assert record.seen_complete


async def test_a_project_carries_status_lead_and_initiatives(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    initiative = workspace.add_initiative("Checkout", target_date=date(2026, 4, 1))
    project = workspace.add_project(
        "Checkout web",
        teams=["GRO"],
        status="paused",
        initiatives=[initiative],
        target_date=date(2026, 3, 20),
        links=[("Epic", LINKED)],
        content="See PAY-7",
    )

    records = await read(connect(workspace))

    record = records["Checkout web"]
    assert record.kind is Kind.project
    assert (record.category, record.paused) == (Category.in_progress, True)
    assert record.parents == (Ref("linear", "initiative", initiative.id),)
    assert (record.due_on, record.space) == (date(2026, 3, 20), "Growth")
    assert record.aliases == (project.slug_id,)
    assert {(t.field, t.text, t.property) for t in record.texts} == {
        ("content", "See PAY-7", False),
        ("links", LINKED, True),
    }
    above = records["Checkout"]
    assert (above.kind, above.category) == (Kind.initiative, Category.in_progress)
    assert above.due_on == date(2026, 4, 1)


async def test_opsyncs_external_links_are_known_by_their_ids(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    project = workspace.add_project("Checkout web", teams=["GRO"])
    linear = connect(workspace)
    record = (await read(linear))["Checkout web"]
    for surface in ("rollup", "external_link"):
        id_ = own_id(change(record, surface, None).slot)
        workspace.add_external_link(project, surface, f"https://x.example/{surface}", link_id=id_)

    again = (await read(linear))["Checkout web"]

    assert again.texts == ()
    assert {(s.surface, s.ours) for s in again.seen} == {("rollup", True), ("external_link", True)}


@pytest.mark.parametrize(
    ("status", "category"),
    [
        ("Proposed", Category.todo),
        ("Planned", Category.todo),
        ("Active", Category.in_progress),
        ("Completed", Category.done),
        ("Canceled", Category.canceled),
    ],
)
async def test_initiatives_count_by_their_status(
    workspace: LinearWorkspace, connect: Connect, status: str, category: Category
) -> None:
    parent = workspace.add_initiative("Payments")
    workspace.add_initiative("Checkout", status=status, parent=parent)

    record = (await read(connect(workspace)))["Checkout"]

    assert record.category is category
    assert record.parents == (Ref("linear", "initiative", parent.id),)


@pytest.mark.parametrize(
    ("url", "alias"),
    [
        ("https://linear.app/harbor/issue/GRO-44/card-form", "GRO-44"),
        ("https://linear.app/harbor/issue/gro-44", "GRO-44"),
        ("https://linear.app/harbor/issue/GRO-44/card-form#comment-1", "GRO-44"),
        ("https://linear.app/harbor/project/checkout-web-87cf626a561e", "87cf626a561e"),
        ("https://linear.app/harbor/project/checkout-web-87cf626a561e/overview", "87cf626a561e"),
        ("https://linear.app/harbor/project/checkout-web-87cf626a561e/updates?x=1", "87cf626a561e"),
        ("https://linear.app/harbor/initiative/checkout-0f6a2b", "0f6a2b"),
        ("https://linear.app/harbor/initiative/checkout-0f6a2b/projects#top", "0f6a2b"),
        ("HTTPS://LINEAR.APP/Harbor/issue/GRO-44", "GRO-44"),
        ("https://linear.app/harbor/issue/GRO-44&quot;", "GRO-44"),
        ("https://linear.app/harbor/issue/GRO-44x", None),
        ("https://linear.app/other/issue/GRO-44/card-form", None),
        ("https://linear.app/harbor/team/GRO/all", None),
        ("https://linear.app.evil.example/harbor/issue/GRO-44", None),
        ("https://example.org/?u=https://linear.app/harbor/issue/GRO-44", None),
    ],
)
def test_pages_of_the_own_workspace_are_recognized(
    connect: Connect, workspace: LinearWorkspace, url: str, alias: str | None
) -> None:
    linear: Linear = connect(workspace, kept={"workspace": "harbor"})

    assert linear.recognize(url) == alias


def test_something_else_is_no_record(connect: Connect, workspace: LinearWorkspace) -> None:
    from opsync.errors import RecordError

    with pytest.raises(RecordError):
        list(connect(workspace).normalize("issue", Named("x")))


async def test_what_linear_keeps_in_sync_with_jira_is_a_mirror(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    issue = workspace.add_issue("GRO", "Card form")
    workspace.sync_with_jira(issue, "pay-118", LINKED, "10118")
    workspace.attach(issue, "Elsewhere", "https://wiki.harbor.example/PAY-118/more")

    record = (await read(connect(workspace)))["GRO-1"]

    assert [(t.field, t.text, t.part) for t in record.texts] == [
        ("attachment", "https://wiki.harbor.example/PAY-118/more", "place"),
        ("attachment", LINKED, "mirror"),
    ]


async def test_a_jira_issue_that_a_person_linked_is_a_place_like_any_other(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    attachment = workspace.attach(workspace.add_issue("GRO", "Card form"), "PAY-118", LINKED)
    attachment.source, attachment.source_type = {"type": "jira"}, "jira"

    record = (await read(connect(workspace)))["GRO-1"]

    assert [(t.text, t.part) for t in record.texts] == [(LINKED, "place")]


async def test_a_sync_without_an_attachment_names_its_key(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    issue = workspace.add_issue("GRO", "Card form")
    workspace.sync_with_jira(issue, "PAY-118", LINKED, "10118")
    workspace.detach(issue.attachments[0])
    project = workspace.add_project("Checkout web", teams=["GRO"])
    workspace.sync_with_jira(project, "PAY-100", LINKED, "10100")

    found = (await read(connect(workspace))).values()

    texts = {each.title: [(t.field, t.text, t.part) for t in each.texts] for each in found}
    assert texts == {
        "Card form": [("synced with", "PAY-118", "mirror")],
        "Checkout web": [("synced with", "PAY-100", "mirror")],
    }
