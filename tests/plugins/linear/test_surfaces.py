"""What is written to Linear, how a repeat is harmless, and what a refusal costs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from opsync.errors import NotFound, SignInError, TemporaryError
from opsync.model import WRITTEN, Category, Kind, Outcome, OutcomeKind, Record, Ref
from opsync.sandbox.linear import LinearWorkspace
from opsync.sandbox.vendor import Faults
from tests.plugins.linear.conftest import PAGE, Connect, apply, change, link_content, rollup_content
from tests.support.connector import read

JIRA_URL = "https://harbor.atlassian.net/browse/PAY-118"


class Expiring(httpx.ASGITransport):
    """A workspace that refuses the token after the first request."""

    def __init__(self, workspace: LinearWorkspace) -> None:
        super().__init__(workspace.app)
        self.workspace = workspace

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        self.workspace.faults.refuse_token = True
        return answer


async def issues(
    workspace: LinearWorkspace, connect: Connect, count: int = 1
) -> tuple[Any, list[Record]]:
    for number in range(count):
        workspace.add_issue("GRO", f"Issue {number}")
    linear = connect(workspace)
    records = await read(linear)
    return linear, sorted(records.values(), key=lambda each: int(each.key.rpartition("-")[2]))


async def project(workspace: LinearWorkspace, connect: Connect) -> tuple[Any, Record]:
    workspace.add_project("Checkout web", teams=["GRO"])
    linear = connect(workspace)
    return linear, (await read(linear))["Checkout web"]


async def test_a_link_is_written_as_an_attachment_and_reads_back_the_same(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, (issue,) = await issues(workspace, connect)
    value = linear.render("link", issue, link_content())
    wanted = change(issue, "link", value)

    (outcome,) = (await apply(linear, [wanted])).values()

    assert outcome.kind is OutcomeKind.created
    assert outcome.applied == value
    (made,) = workspace.attachments.values()
    assert (made.title, made.subtitle) == ("PAY-118 Tokenise cards", "Jira · in progress")
    assert made.url == JIRA_URL
    assert outcome.remote_id == made.id
    (seen,) = await linear.observe(issue)
    assert (seen.plain(), seen.address, seen.ours) == (value, JIRA_URL, True)
    assert linear.address("link", value) == JIRA_URL


async def test_a_written_link_is_no_evidence(workspace: LinearWorkspace, connect: Connect) -> None:
    linear, (issue,) = await issues(workspace, connect)
    await apply(linear, [change(issue, "link", linear.render("link", issue, link_content()))])

    record = (await read(linear))["GRO-1"]

    assert record.texts == ()
    assert [s.ours for s in record.seen] == [True]


async def test_writing_a_link_twice_makes_one(workspace: LinearWorkspace, connect: Connect) -> None:
    linear, (issue,) = await issues(workspace, connect)
    wanted = change(issue, "link", linear.render("link", issue, link_content()))

    first = await apply(linear, [wanted])
    second = await apply(linear, [wanted])

    assert first == second
    assert len(workspace.attachments) == 1


async def test_a_new_status_is_written_onto_the_same_attachment(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, (issue,) = await issues(workspace, connect)
    before = linear.render("link", issue, link_content())
    made = await apply(linear, [change(issue, "link", before)])
    remote_id = next(iter(made.values())).remote_id
    after = linear.render("link", issue, link_content(Category.done))

    (outcome,) = (
        await apply(linear, [change(issue, "link", after, before=before, remote_id=remote_id)])
    ).values()

    assert (outcome.kind, outcome.applied) == (OutcomeKind.updated, after)
    assert outcome.remote_id == remote_id
    assert workspace.attachments[remote_id].metadata["status"] == "done"


async def test_a_new_url_replaces_the_attachment(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, (issue,) = await issues(workspace, connect)
    before = linear.render("link", issue, link_content())
    made = await apply(linear, [change(issue, "link", before)])
    old = next(iter(made.values())).remote_id
    moved = link_content(url="https://harbor.atlassian.net/browse/MOB-41")
    after = linear.render("link", issue, moved)
    workspace.write_requests = 0

    (outcome,) = (
        await apply(linear, [change(issue, "link", after, before=before, remote_id=old)])
    ).values()

    assert (outcome.kind, outcome.applied) == (OutcomeKind.updated, after)
    assert list(workspace.attachments) == [outcome.remote_id]
    assert outcome.remote_id != old
    assert workspace.write_requests == 1


@pytest.mark.parametrize("wanted", ["before", "elsewhere", "nowhere"])
async def test_what_an_interrupted_move_made_is_taken_away_with_the_next_write(
    workspace: LinearWorkspace, connect: Connect, wanted: str
) -> None:
    linear, (issue,) = await issues(workspace, connect)
    before = linear.render("link", issue, link_content())
    moved = link_content(url="https://harbor.atlassian.net/browse/MOB-41")
    made = [
        next(iter((await apply(linear, [change(issue, "link", value)])).values())).remote_id
        for value in (before, linear.render("link", issue, moved))
    ]
    further = link_content(url="https://harbor.atlassian.net/browse/MOB-42")
    values = {"before": before, "elsewhere": linear.render("link", issue, further)}
    after = values.get(wanted)
    one = change(issue, "link", after, before=before, remote_id=made[0])

    (outcome,) = (await apply(linear, [replace(one, left=made[1])])).values()

    assert (outcome.kind in WRITTEN, outcome.applied) == (True, after)
    assert list(workspace.attachments) == ([outcome.remote_id] if after else [])


@pytest.mark.parametrize("url", ["", "https://harbor.atlassian.net/browse/MOB-41"])
async def test_a_link_that_a_person_removed_is_not_brought_back(
    workspace: LinearWorkspace, connect: Connect, url: str
) -> None:
    """I4, also where the issue that it leads to has moved since."""
    linear, (issue,) = await issues(workspace, connect)
    before = linear.render("link", issue, link_content())
    made = await apply(linear, [change(issue, "link", before)])
    remote_id = next(iter(made.values())).remote_id
    workspace.detach(workspace.attachments[remote_id])
    after = linear.render("link", issue, link_content(Category.done, url=url))

    (outcome,) = (
        await apply(linear, [change(issue, "link", after, before=before, remote_id=remote_id)])
    ).values()

    assert outcome.kind is OutcomeKind.conflicted
    assert workspace.attachments == {}


@pytest.mark.parametrize("gone", [False, True])
async def test_removing_takes_away_exactly_what_opsync_made(
    workspace: LinearWorkspace, connect: Connect, gone: bool
) -> None:
    linear, (issue,) = await issues(workspace, connect)
    theirs = workspace.attach(workspace.issue("GRO-1"), "Doc", "https://example.org/doc")
    value = linear.render("link", issue, link_content())
    made = await apply(linear, [change(issue, "link", value)])
    remote_id = next(iter(made.values())).remote_id
    if gone:
        workspace.detach(workspace.attachments[remote_id])

    (outcome,) = (
        await apply(linear, [change(issue, "link", None, before=value, remote_id=remote_id)])
    ).values()

    assert (outcome.kind, outcome.applied) == (OutcomeKind.removed, None)
    assert list(workspace.attachments) == [theirs.id]


async def test_what_stands_on_a_hidden_issue_is_not_removed(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, (issue,) = await issues(workspace, connect)
    value = linear.render("link", issue, link_content())
    made = await apply(linear, [change(issue, "link", value)])
    remote_id = next(iter(made.values())).remote_id
    workspace.faults = Faults(deny={issue.ref.id})

    (outcome,) = (
        await apply(linear, [change(issue, "link", None, before=value, remote_id=remote_id)])
    ).values()

    assert (outcome.kind, outcome.retryable) == (OutcomeKind.failed, True)
    assert "hidden" in outcome.message
    assert list(workspace.attachments) == [remote_id]


async def test_twenty_five_links_go_with_one_request(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, records = await issues(workspace, connect, 25)
    value = linear.render("link", records[0], link_content())

    outcomes = await apply(linear, [change(each, "link", value) for each in records])

    assert {outcome.kind for outcome in outcomes.values()} == {OutcomeKind.created}
    assert workspace.write_requests == 1


async def test_a_refused_alias_costs_only_its_own_change(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, records = await issues(workspace, connect, 6)
    value = linear.render("link", records[0], link_content())
    changes = [change(each, "link", value, id_=each.key) for each in records]
    workspace.delete_issue("GRO-3")

    outcomes = await apply(linear, changes)

    failed = outcomes.pop("GRO-3")
    assert (failed.kind, failed.retryable) == (OutcomeKind.failed, True)
    assert "not found" in failed.message.lower()
    assert {(o.kind, str(o.applied)) for o in outcomes.values()} == {
        (OutcomeKind.created, str(value))
    }
    assert len(workspace.attachments) == 5
    assert workspace.write_requests == 2


async def test_an_answer_that_was_lost_doubles_nothing(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, (issue,) = await issues(workspace, connect)
    linear, target = await project(workspace, connect)
    link = linear.render("link", issue, link_content())
    rollup = linear.render("rollup", target, rollup_content())
    workspace.faults.lose_next_writes = 1

    outcomes = await apply(
        linear, [change(issue, "link", link), change(target, "rollup", rollup, other=PAGE)]
    )

    assert {outcome.kind for outcome in outcomes.values()} == {OutcomeKind.created}
    assert len(workspace.attachments) == 1
    assert len(workspace.external_links) == 1


async def test_what_changed_in_use_stands_in_the_label_as_it_is_worded(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, target = await project(workspace, connect)
    value = linear.render("rollup", target, rollup_content("14/14 · usage −12 %"))

    (outcome,) = (await apply(linear, [change(target, "rollup", value, other=PAGE)])).values()

    assert value["label"] == "Roadmap: One-tap checkout · 14/14 · usage −12 %"
    assert outcome.applied == value


async def test_a_rollup_is_written_as_an_external_link_and_reads_back_the_same(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, target = await project(workspace, connect)
    value = linear.render("rollup", target, rollup_content())

    (outcome,) = (await apply(linear, [change(target, "rollup", value, other=PAGE)])).values()

    assert value == {
        "url": "https://www.notion.so/9b1c",
        "label": "Roadmap: One-tap checkout · 12/20 · at risk",
    }
    assert (outcome.kind, outcome.applied) == (OutcomeKind.created, value)
    (seen,) = await linear.observe(target)
    assert (seen.surface, seen.plain(), seen.ours) == ("rollup", value, True)
    assert seen.remote_id == outcome.remote_id


async def test_a_rollup_is_updated_in_place_and_removed_by_id(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_initiative("Checkout", links=[("Spec", "https://example.org/spec")])
    linear = connect(workspace)
    target = (await read(linear))["Checkout"]
    before = linear.render("rollup", target, rollup_content())
    made = await apply(linear, [change(target, "rollup", before, other=PAGE)])
    remote_id = next(iter(made.values())).remote_id
    after = linear.render("rollup", target, rollup_content("13/20 · on track"))

    updated = await apply(
        linear,
        [change(target, "rollup", after, before=before, remote_id=remote_id, other=PAGE)],
    )
    assert [o.applied for o in updated.values()] == [after]
    assert len(workspace.external_links) == 2

    removed = await apply(
        linear, [change(target, "rollup", None, before=after, remote_id=remote_id, other=PAGE)]
    )
    assert [o.kind for o in removed.values()] == [OutcomeKind.removed]
    assert [each.label for each in workspace.external_links.values()] == ["Spec"]


async def test_a_repeated_create_of_a_rollup_updates_what_it_made(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, target = await project(workspace, connect)
    first = linear.render("rollup", target, rollup_content())
    second = linear.render("rollup", target, rollup_content("13/20 · on track"))

    await apply(linear, [change(target, "rollup", first, other=PAGE)])
    (outcome,) = (await apply(linear, [change(target, "rollup", second, other=PAGE)])).values()

    assert outcome.applied == second
    assert [each.label for each in workspace.external_links.values()] == [
        "Roadmap: One-tap checkout · 13/20 · on track"
    ]


async def test_creates_before_a_refused_one_are_not_doubled(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    for number in range(4):
        workspace.add_project(f"Project {number}", teams=["GRO"])
    linear = connect(workspace)
    targets = list((await read(linear)).values())
    value = linear.render("rollup", targets[0], rollup_content())
    lost = Record(ref=Ref("linear", "project", "gone"), kind=Kind.project, title="Gone")
    order = [*targets[:2], lost, *targets[2:]]

    outcomes = await apply(
        linear, [change(each, "rollup", value, other=PAGE, id_=each.title) for each in order]
    )

    assert outcomes.pop("Gone").kind is OutcomeKind.failed
    assert {outcome.kind for outcome in outcomes.values()} == {OutcomeKind.created}
    assert len(workspace.external_links) == 4


async def test_what_a_half_refused_batch_carried_out_is_in_doubt_if_no_answer_tells_of_it(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    _, records = await issues(workspace, connect, 4)
    linear = connect(transport=Expiring(workspace))
    value = linear.render("link", records[0], link_content())
    changes = [change(each, "link", value, id_=each.key) for each in records]
    workspace.delete_issue("GRO-3")
    outcomes: dict[str, Outcome] = {}

    async def write() -> None:
        async for one in linear.apply(changes, {}):
            outcomes[one.change] = one

    with pytest.raises(SignInError):
        await write()

    told = {key: (one.kind, one.unknown) for key, one in outcomes.items()}
    assert told == {
        "GRO-1": (OutcomeKind.failed, True),
        "GRO-2": (OutcomeKind.failed, True),
        "GRO-3": (OutcomeKind.failed, False),
    }
    assert len(workspace.attachments) == 2


class Refusing(httpx.ASGITransport):
    """A workspace that refuses the first mutation of the second request, whatever it is."""

    def __init__(self, workspace: LinearWorkspace) -> None:
        super().__init__(workspace.app)
        self.asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.asked != 2:
            return await super().handle_async_request(request)
        error = {"message": "Argument Validation Error", "path": ["a0"]}
        return httpx.Response(200, json={"data": None, "errors": [error]})


async def test_what_was_carried_out_is_in_doubt_if_its_repetition_is_refused(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    _, records = await issues(workspace, connect, 3)
    linear = connect(transport=Refusing(workspace))
    value = linear.render("link", records[0], link_content())
    workspace.delete_issue("GRO-2")

    outcomes = await apply(linear, [change(each, "link", value, id_=each.key) for each in records])

    told = {key: (one.kind, one.unknown) for key, one in outcomes.items()}
    assert told == {
        "GRO-1": (OutcomeKind.failed, True),
        "GRO-2": (OutcomeKind.failed, False),
        "GRO-3": (OutcomeKind.created, False),
    }


async def test_a_key_that_may_only_read_is_named_with_the_missing_scope(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, (issue,) = await issues(workspace, connect)
    workspace.faults.read_only = True

    with pytest.raises(SignInError, match="needs Write"):
        await apply(linear, [change(issue, "link", linear.render("link", issue, link_content()))])


async def test_an_outage_concerns_the_whole_instance(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, (issue,) = await issues(workspace, connect)
    workspace.faults.outage = True

    with pytest.raises(TemporaryError):
        await apply(linear, [change(issue, "link", linear.render("link", issue, link_content()))])


async def test_what_is_gone_cannot_be_observed(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, (issue,) = await issues(workspace, connect)
    workspace.delete_issue("GRO-1")

    with pytest.raises(NotFound):
        await linear.observe(issue)


async def test_links_of_others_on_a_project_are_seen_as_theirs(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_project("Checkout web", teams=["GRO"], links=[("Epic", JIRA_URL)])
    linear = connect(workspace)
    target = (await read(linear))["Checkout web"]

    (seen,) = await linear.observe(target)

    assert (seen.surface, seen.address, seen.ours) == ("external_link", JIRA_URL, False)
    value = linear.render("external_link", target, link_content())
    assert value == {"url": JIRA_URL, "label": "PAY-118 Tokenise cards"}


@pytest.mark.parametrize("url", ["javascript:alert(1)", "", "data:text/html,x"])
async def test_only_web_addresses_are_written(
    workspace: LinearWorkspace, connect: Connect, url: str
) -> None:
    linear, target = await project(workspace, connect)

    assert linear.render("rollup", target, rollup_content(url=url)) is None


async def test_hostile_titles_are_written_on_one_bounded_line(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, target = await project(workspace, connect)
    title = "Road\u202emap\n\x1b[31m" + "x" * 70_000

    value = linear.render("rollup", target, rollup_content(title=title))

    assert isinstance(value, dict)
    assert len(str(value["label"])) == 255
    assert str(value["label"]).startswith("Road map [31mx")


async def test_a_rejected_batch_without_a_culprit_is_halved(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    linear, records = await issues(workspace, connect, 4)
    value = linear.render("link", records[0], link_content())
    bad = Record(ref=Ref("linear", "issue", 7), kind=Kind.issue, title="Bad")  # type: ignore[arg-type] # no string: the variables are refused as a whole

    outcomes = await apply(
        linear,
        [change(each, "link", value, id_=each.title) for each in (*records[:2], bad, *records[2:])],
    )

    assert outcomes.pop("Bad").kind is OutcomeKind.failed
    assert {outcome.kind for outcome in outcomes.values()} == {OutcomeKind.created}
