"""The list of ids, and what became of things that are not in it."""

from __future__ import annotations

from opsync import Absent, Feed, Item, Ref
from opsync.sandbox.linear import LinearWorkspace
from tests.plugins.linear.conftest import Connect
from tests.support.connector import read

FEED = Feed("work", ("issue", "project", "initiative"))


async def test_ids_come_250_a_request_and_without_the_trash(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    issues = [workspace.add_issue("GRO", f"Chore {n}") for n in range(600)]
    project = workspace.add_project("Web", teams=["GRO"])
    workspace.archive_issue(issues[0].identifier)
    workspace.trash_issue(issues[1].identifier)
    connector = connect(workspace)
    workspace.exchanges.clear()

    pages = [set(refs) async for refs in connector.listing(FEED)]

    assert [len(page) for page in pages] == [251, 250, 99]
    found = set().union(*pages)
    assert Ref("linear", "project", project.id) in found
    assert Ref("linear", "issue", issues[0].id) in found
    assert Ref("linear", "issue", issues[1].id) not in found
    assert len(workspace.exchanges) == 3


async def test_a_narrow_scope_lists_what_a_full_read_brings(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_team("WEB", "Web")
    workspace.add_issue("WEB", "Elsewhere")
    workspace.add_issue("GRO", "Here")
    connector = connect(workspace, teams=["GRO"])
    read_in_full = {one.ref for one in (await read(connector)).values()}
    assert {ref async for refs in connector.listing(FEED) for ref in refs} == read_in_full


async def test_each_kind_of_absence_is_told_apart(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_team("WEB", "Web")
    issues = {
        title: workspace.add_issue(team, title)
        for title, team in (
            ("deleted", "GRO"),
            ("trashed", "GRO"),
            ("archived", "GRO"),
            ("hidden", "WEB"),
        )
    }
    connector = connect(workspace)
    known = {one.ref: one for one in (await read(connector)).values()}
    workspace.delete_issue(issues["deleted"].identifier)
    workspace.trash_issue(issues["trashed"].identifier)
    workspace.archive_issue(issues["archived"].identifier)
    workspace.faults.deny = {"WEB"}
    workspace.exchanges.clear()

    found = await connector.look_up(FEED, list(known), known, listed=True)

    absent = {known[one.ref].title: one.why for one in found if isinstance(one, Absent)}
    assert absent == {"deleted": "deleted", "hidden": "not visible"}
    there = {
        record.title: (record.tombstone, record.archived)
        for one in found
        if isinstance(one, Item)
        for record in connector.normalize(one.stream, one.raw)
    }
    assert there == {"trashed": ("trashed", True), "archived": ("", True)}
    assert len(workspace.exchanges) == 2


async def test_what_went_to_another_team_is_out_of_scope(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_team("WEB", "Web")
    issue = workspace.add_issue("GRO", "Landing page")
    connector = connect(workspace, teams=["GRO"])
    known = {one.ref: one for one in (await read(connector)).values()}
    workspace.move_issue(issue.identifier, "WEB")
    (found,) = await connector.look_up(FEED, list(known), known, listed=True)
    assert isinstance(found, Item)
    (record,) = connector.normalize(found.stream, found.raw)
    assert record.tombstone == "out of scope"


async def test_a_page_that_is_smaller_than_the_question_makes_nothing_absent(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    for number in range(12):
        workspace.add_issue("GRO", f"Chore {number}")
    connector = connect(workspace, page_size=5)
    known = {one.ref: one for one in (await read(connector)).values()}
    found = await connector.look_up(FEED, list(known), known, listed=True)
    assert len(known) == 12
    assert {one.id for one in found if isinstance(one, Item)} == {ref.id for ref in known}
    assert not [one for one in found if isinstance(one, Absent)]
