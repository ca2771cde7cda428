"""Suggestions from a store: what is passed by, what is left out, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsync.engine import suggesting
from opsync.model import PairDecision, Suggestion
from opsync.sandbox.harbor import build_harbor
from tests.support.clock import FakeClock
from tests.support.company import Company
from tests.support.world import SECOND_SITE, World, jira_url, page_url

Told = tuple[str, str, str, tuple[str, ...]]


async def suggested(world: World) -> list[Suggestion]:
    """All suggestions, after a pass that reads everything there is."""
    await world.sync()
    async with world.session() as session:
        return await suggesting.suggest(world.config(), session.store)


async def told(world: World) -> list[Told]:
    """The same by what people call both ends."""
    found = await suggested(world)
    async with world.session() as session:
        names = {}
        for end in {end for one in found for end in (one.one, one.two)}:
            record = await session.store.record(end)
            assert record is not None
            names[end] = record.key or record.title
    return [(one.kind, names[one.one], names[one.two], one.reasons) for one in found]


async def test_harbor_has_exactly_one_suggestion(tmp_path: Path) -> None:
    clock = FakeClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
    company = Company.of(build_harbor(now=clock.now), tmp_path, clock)
    await company.sync(mode="observe")
    async with company.session("observe") as session:
        [one] = await suggesting.suggest(session.config, session.store)
        initiative = await session.store.record(one.one)
        project = await session.store.record(one.two)
    assert initiative is not None
    assert project is not None
    assert (one.kind, one.reasons) == ("member", ('titles alike: "referral program"',))
    assert (initiative.title, project.title) == ("Referral programme", "Referral program")
    assert (initiative.ref.instance, project.ref.instance) == ("notion", "linear")
    assert one.score > 0.9


async def test_a_small_world_in_which_all_is_linked_has_none(world: World) -> None:
    assert await told(world) == []


async def test_a_project_comes_with_its_issues(world: World) -> None:
    world.page("Referral programme", "")
    project = world.linear.add_project("Referral program", teams=["GRO"])
    parent = world.linear.add_issue("GRO", "Referral program set-up", project=project)
    world.linear.add_issue("GRO", "Referral program mails", parent=parent)
    assert await told(world) == [
        ("member", "Referral programme", "Referral program", ('titles alike: "referral program"',))
    ]


async def test_what_people_decided_is_left_out_with_what_is_below(world: World) -> None:
    world.page("Referral programme", "")
    project = world.linear.add_project("Referral program", teams=["GRO"])
    world.linear.add_issue("GRO", "Referral program set-up", project=project)
    [one] = await suggested(world)
    decision = PairDecision(
        one=one.one,
        two=one.two,
        kind=one.kind,
        verdict="rejected",
        by="ana",
        at=world.clock.now(),
    )
    async with world.session() as session:
        await session.store.decide([decision])
    assert await suggested(world) == []


async def test_pages_of_the_store_make_no_difference(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.page("Referral programme", "")
    for number in range(5):
        world.linear.add_issue("GRO", f"Referral programme {'abcde'[number]}{number}")
    whole = await suggested(world)
    assert len(whole) == 3
    monkeypatch.setattr(suggesting, "PAGE", 2)
    assert await suggested(world) == whole


async def test_a_key_in_a_title_suggests_where_the_other_counts(world: World) -> None:
    world.linear.add_issue("GRO", "After PAY-3: stored receipts")
    assert await told(world) == [
        ("member", "One-tap checkout", "GRO-4", ("its title names PAY-3",))
    ]


async def test_a_key_in_a_branch_suggests_and_links_nothing(world: World) -> None:
    issue = world.linear.add_issue("GRO", "Stored receipts")
    url = "https://github.example/harbor/web/pull/7"
    world.linear.attach(issue, "feat: receipts", url, metadata={"branch": "ana/pay-3-receipts"})
    assert await told(world) == [
        ("member", "One-tap checkout", "GRO-4", ("its branch names PAY-3",))
    ]
    record = await world.record("GRO-4")
    async with world.session() as session:
        assert await session.store.links_of(record.ref) == []
        assert await session.store.unresolved() == []
        assert await session.store.counted_in([record.ref]) == {}


async def test_a_title_that_names_work_suggests_it_though_that_links_both(world: World) -> None:
    world.linear.add_issue("GRO", "Stored receipts")
    world.page("Receipts, see GRO-4", "")
    [(kind, one, two, reasons)] = await told(world)
    assert (kind, one, two) == ("member", "Receipts, see GRO-4", "GRO-4")
    assert reasons[0] == "the initiative's title names GRO-4"


async def test_what_is_linked_in_a_text_is_not_asked_about(world: World) -> None:
    page = world.page("Referral programme", "")
    project = world.linear.add_project("Referral program", teams=["GRO"])
    assert len(await suggested(world)) == 1
    world.clock.advance(60)
    world.linear.edit_project(project, content=f"Not of {page_url(page)}, that is older.")
    assert await suggested(world) == []


async def test_private_work_is_suggested_only_where_titles_are_exposed(world: World) -> None:
    world.linear.add_team("SEC", "Security", private=True)
    world.page("Referral programme", "")
    world.linear.add_project("Referral program", teams=["SEC"])
    assert await suggested(world) == []
    world.raw["instances"]["linear"]["expose"] = "key"
    assert await suggested(world) == []
    world.raw["instances"]["linear"]["expose"] = "title"
    assert len(await suggested(world)) == 1


async def test_a_private_key_is_no_reason(world: World) -> None:
    world.linear.add_team("SEC", "Security", private=True)
    hidden = world.linear.add_issue("SEC", "Hidden")
    world.page("Vault", f"https://linear.app/harbor/issue/{hidden.identifier}")
    world.jira.add_issue("PAY", f"Behind {hidden.identifier}: receipts")
    assert await suggested(world) == []
    world.raw["instances"]["linear"]["expose"] = "key"
    [(_, one, two, reasons)] = await told(world)
    assert (one, two, reasons) == ("Vault", "PAY-5", ("its title names SEC-1",))


@pytest.mark.parametrize("spoil", ["done", "archived", "trashed"])
async def test_an_initiative_that_is_over_gets_none(world: World, spoil: str) -> None:
    page = world.page("Referral programme", "")
    world.linear.add_project("Referral program", teams=["GRO"])
    if spoil == "done":
        world.notion.edit_page(page, "Status", "Done")
    elif spoil == "archived":
        page.archived = True
    else:
        world.notion.trash(page)
    assert await suggested(world) == []


async def test_work_that_is_canceled_or_done_long_ago_is_left_out(world: World) -> None:
    world.page("Referral programme", "")
    now = world.clock.now()
    long_ago = now - timedelta(days=181)
    world.linear.add_issue("GRO", "Referral programme", state="Canceled")
    world.linear.add_issue(
        "GRO", "Referral programme", state="Done", created=long_ago, completed=long_ago
    )
    lately = now - timedelta(days=170)
    world.linear.add_issue(
        "GRO", "Referral programme", state="Done", created=long_ago, completed=lately
    )
    assert [two for _, _, two, _ in await told(world)] == ["GRO-6"]


async def test_one_owner_in_two_tools_is_a_reason(world: World) -> None:
    ana = world.linear.add_user("Ana Reyes", "ANA@harbor.example")
    world.jira.add_issue("PAY", "Settlement ledger archive", assignee=world.jira.caller)
    world.linear.add_issue("GRO", "Ledger archive: settlement", assignee=ana)
    assert await told(world) == [
        (
            "same",
            "PAY-5",
            "GRO-4",
            (
                'titles alike: "ledger archive settlement"',
                "same owner: Ana Reyes",
                "created on the same day",
            ),
        )
    ]


async def test_an_instance_that_is_not_configured_any_more_is_left_out(world: World) -> None:
    world.page("Referral programme", "")
    world.linear.add_project("Referral program", teams=["GRO"])
    assert len(await suggested(world)) == 1
    del world.raw["instances"]["linear"]
    assert await suggested(world) == []


async def test_linked_twins_are_not_asked_about(world: World) -> None:
    world.jira.add_issue("PAY", "Settlement ledger archive")
    mirror = world.linear.add_issue("GRO", "Settlement ledger archive")
    assert len(await suggested(world)) == 1
    world.linear.attach(mirror, "Original", jira_url("PAY-5"))
    world.linear.edit(mirror.identifier, description="Mirrored.")
    assert await suggested(world) == []


async def test_who_owns_private_work_is_no_reason_even_where_titles_are_exposed(
    world: World,
) -> None:
    ana = world.linear.add_user("Ana Reyes", "ana@harbor.example")
    world.linear.add_team("SEC", "Blue team", private=True)
    world.raw["instances"]["linear"]["expose"] = "title"
    world.jira.add_issue("PAY", "Settlement ledger archive", assignee=world.jira.caller)
    world.linear.add_issue("SEC", "Ledger archive: settlement", assignee=ana)
    [(_, _, two, reasons)] = await told(world)
    assert two == "SEC-1"
    assert reasons[0] == 'titles alike: "ledger archive settlement"'
    assert not any("owner" in reason for reason in reasons)


async def test_of_twins_one_is_suggested_and_none_where_one_counts(world: World) -> None:
    """Of those that links both ways join, too."""
    ships = world.add_second_jira()
    for name in ("jira-main", "jira-ships"):
        world.raw["instances"][name]["read_remote_links"] = True
    epics = [
        site.add_issue(project, "Referral program", issue_type="Epic", status="Doing")
        for site, project in ((world.jira, "PAY"), (ships, "SHIP"))
    ]
    here, there = (jira_url(epics[0].key), f"{SECOND_SITE}/browse/{epics[1].key}")
    world.jira.put_remote_link(epics[0].id, {"object": {"url": there, "title": "There"}})
    ships.put_remote_link(epics[1].id, {"object": {"url": here, "title": "Here"}})
    page = world.page("Referral programme", "")
    [(kind, root, work, _)] = await told(world)
    assert (kind, root, work) == ("member", "Referral programme", epics[0].key)
    world.notion.edit_page(page, "Tracked in", there)
    assert await told(world) == []
