"""Each button does what it says, about what was shown, and nothing else."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from opsync.engine.approving import chosen
from opsync.service.desk import Budget, Signals, Standing
from tests.service.web.board.office import Shown, Visitor
from tests.service.web.pages import READ_TOKEN, bearer


def waiting(page: Shown) -> str:
    """What the plan's heading says."""
    return page.text[page.text.index("Skip") :].split("Nothing of this")[0]


# The plan -----------------------------------------------------------------------------------------


async def test_apply_all_has_everything_written_that_was_shown(ben: Visitor) -> None:
    world = ben.office.world
    assert sum(world.written().values()) == 0
    page = await ben.see("/plan")
    (every,) = [one.name for one in page.buttons if one.name.startswith("Apply all 1")]

    told = await ben.click(page, every)
    await world.sync()

    assert "approved. opsync writes it with the next run." in told.text
    assert "Written by the next run" in told.text
    assert ben.office.noted == ["changed"]
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    assert [link["title"] for link in world.remote_links("PAY-1")] == ["Roadmap: One-tap checkout"]
    assert "Nothing waits for you" in (await ben.see("/plan")).text


async def test_the_columns_that_it_will_make_are_told_until_they_stand(ben: Visitor) -> None:
    world = ben.office.world
    page = await ben.see("/plan")
    names = "Delivery, Delivery %, Delivery health, Work, Delivery changed"
    assert f"Notion Roadmap gets 5 columns: {names}." in page.text

    await ben.click(page, "Apply Notion Delivery % of Loyalty")
    async with world.session() as session:
        plan = await session.store.newest_plan()
        assert plan is not None
        percent = [one for one in plan.changes if one.place == "Delivery %"]
        report = await session.sync("opsync apply 1", chosen=chosen(percent))
        assert await session.store.newest_plan() == plan, "it was carried out in part"
    assert len(report.columns_made) == 5

    page = await ben.see("/plan")
    assert "Refuse Notion Delivery of Loyalty" in [one.name for one in page.buttons]
    assert "columns:" not in page.text


async def test_apply_these_is_about_one_initiative(ben: Visitor) -> None:
    world = ben.office.world
    told = await ben.click(await ben.see("/plan"), "Apply all of Loyalty")
    await world.sync()

    assert world.loyalty.text("Delivery").startswith("1 of 2 done")
    assert world.checkout.text("Delivery") == ""
    assert "One-tap checkout" in told.text


async def test_apply_one_is_about_one_value(ben: Visitor) -> None:
    world = ben.office.world
    told = await ben.click(await ben.see("/plan"), "Apply Notion Delivery % of Loyalty")
    await world.sync()

    assert "1 change approved" in told.text
    assert world.loyalty.cell("Delivery %") == 0.5
    assert world.loyalty.text("Delivery") == ""


async def test_who_applied_it_stands_in_the_approval(ben: Visitor) -> None:
    await ben.click(await ben.see("/plan"), "Apply Notion Delivery % of Loyalty")

    (one,) = await ben.office.store.approvals()
    assert one.by == "token"
    assert one.plan == 1


async def test_refuse_leaves_what_stands_until_somebody_lets_go(ben: Visitor) -> None:
    world = ben.office.world
    told = await ben.click(await ben.see("/plan"), "Refuse Notion Delivery of Loyalty")
    assert "1 change refused: it stays as it stands." in told.text
    assert "Left as people decided 1" in told.text
    assert "refused; stays as it stands" in told.text

    await world.sync()
    world.jira.edit("MOB-3", status="Done")
    await world.sync()
    page = await ben.see("/plan")
    assert "Refuse Notion Delivery of Loyalty" not in [one.name for one in page.buttons]

    back = await ben.click(page, "Have opsync write Notion Delivery")
    await world.sync()
    assert "1 value settled: opsync writes it with the next run if its rule may write." in back.text
    assert world.loyalty.text("Delivery").startswith("2 of 2 done")


async def test_a_button_about_what_has_changed_since_does_nothing(ben: Visitor) -> None:
    world = ben.office.world
    page = await ben.see("/plan")
    world.jira.edit("MOB-3", status="Done")
    await world.sync()

    told = await ben.click(page, "Apply all of Loyalty")

    assert told.status == 409
    assert "what this page shows has changed since it was made" in told.text
    assert await ben.office.store.approvals() == []
    assert ben.office.noted == []


@pytest.mark.sampled
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"what": "all", "seen": ""},
        {"what": "one", "of": "notion:page:1|x|y|z:a:b", "seen": "0" * 24},
        {"what": "every", "of": "", "seen": "0" * 24},
    ],
)
async def test_a_made_up_form_approves_nothing(ben: Visitor, fields: dict[str, str]) -> None:
    page = await ben.see("/plan")
    token = next(value for name, value in page.buttons[0].fields if name == "csrf")

    told = await ben.send("/plan/approve", [("csrf", token), *fields.items()])

    assert told.status == 409
    assert await ben.office.store.approvals() == []


async def test_nothing_is_approved_while_all_writes_are_paused(ben: Visitor) -> None:
    page = await ben.see("/plan")
    await ben.office.store.pause("", by="ana", at=ben.office.clock.now())

    told = await ben.click(page, "Apply all of Loyalty")

    assert told.status == 409
    assert "all writes are paused" in told.text
    assert await ben.office.store.approvals() == []


async def test_who_may_only_look_decides_nothing(ben: Visitor) -> None:
    page = await ben.see("/plan")
    ben.client.headers.update(bearer(READ_TOKEN))

    told = await ben.click(page, "Apply all of Loyalty")

    assert told.status == 403
    assert await ben.office.store.approvals() == []


# A rule that is gone ------------------------------------------------------------------------------


async def test_what_a_rule_that_is_gone_wrote_waits_for_approval_and_goes_with_it(
    ben: Visitor,
) -> None:
    world = ben.office.world
    await ben.click(await ben.see("/plan"), "Apply all of Loyalty")
    await world.sync()
    assert world.loyalty.text("Delivery").startswith("1 of 2 done")
    world.raw["rollup"] = []
    await world.sync(full=True)

    page = await ben.see("/plan")
    assert "Loyalty 6 changes Apply these" in page.text
    assert "11 changes wait for approval Apply all 11" in page.text
    assert "Plan 11 , 11 values to decide" in page.text, "in the head"
    assert "Only observed" not in page.text

    await ben.click(page, "Apply Notion Delivery of Loyalty")
    await world.sync()
    assert world.loyalty.text("Delivery") == ""
    assert world.loyalty.text("Work"), "nobody approved this"


async def test_what_a_rule_that_is_gone_wrote_is_taken_away_by_the_next_run(ana: Visitor) -> None:
    world = ana.office.world
    world.raw["rollup"] = []
    world.raw["limits"] = {"removals": 1}
    await world.sync(full=True)
    assert world.checkout.text("Delivery")

    page = await ana.see("/plan")

    assert "Written by the next run" in page.text
    assert "what notion would get at once is over a limit" in page.text
    assert "Only observed" not in page.text


# The journal --------------------------------------------------------------------------------------


async def test_undo_takes_a_run_back(ana: Visitor) -> None:
    world = ana.office.world
    assert world.checkout.text("Delivery").startswith("2 of 5 done")

    told = await ana.click(await ana.see("/journal"), "Undo run 1")

    assert "put back. It stays so until somebody lets go of it." in told.text
    assert world.source.schema.find("Delivery") is None
    assert world.remote_links("PAY-1") == []
    assert "changed" in ana.office.noted


async def test_undo_takes_one_change_back(ana: Visitor) -> None:
    world = ana.office.world

    page = await ana.see("/journal?run=1")
    told = await ana.click(page, "Undo Notion Delivery of Loyalty, run 1")

    assert "1 value put back" in told.text
    assert world.loyalty.text("Delivery") == ""
    assert world.checkout.text("Delivery").startswith("2 of 5 done")


async def test_what_people_changed_since_is_not_undone(ana: Visitor) -> None:
    world = ana.office.world
    page = await ana.see("/journal")
    world.notion.edit_page(world.loyalty, "Delivery", "Mine")

    told = await ana.click(page, "Undo Notion Delivery of Loyalty, run 1")

    assert told.status == 409
    assert "nothing was put back: edited by a person" in told.text
    assert world.loyalty.text("Delivery") == "Mine"


async def test_the_journal_has_pages(ana: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsync.service.web.views.journal.PAGE", 5)
    monkeypatch.setattr("opsync.service.web.pages.journal.PAGE", 5)
    first = await ana.see("/journal")
    (older,) = [link for link in first.links() if "before=" in link]

    second = await ana.see(older)

    names = [{one.name for one in page.buttons} - {"Undo run 1"} for page in (first, second)]
    assert len(names[0]) == len(names[1]) == 5
    assert not names[0] & names[1]
    assert "/journal" in second.links()


# Links --------------------------------------------------------------------------------------------


async def suggested(visitor: Visitor) -> Shown:
    """A page that looks as if it belonged to an epic."""
    world = visitor.office.world
    world.page("Wallet refunds", "")
    world.jira.add_issue("PAY", "Wallet refunds", issue_type="Epic")
    world.jira.add_issue("PAY", "Refund by wallet", parent="PAY-5", status="Done")
    await world.sync()
    return await visitor.click(await visitor.see("/links"), "Look again")


async def test_an_accepted_link_counts(ana: Visitor) -> None:
    page = await suggested(ana)
    assert "1 suggestion found" in page.text
    (accept,) = [one.name for one in page.buttons if one.name.startswith("Accept")]

    told = await ana.click(page, accept)
    await ana.office.world.sync()

    assert "1 link accepted" in told.text
    assert "accepted" in told.text
    assert "1/1 100 %" in (await ana.see("/")).text


async def test_a_rejected_link_does_not_come_back_until_that_is_taken_back(ana: Visitor) -> None:
    page = await suggested(ana)
    (reject,) = [one.name for one in page.buttons if one.name.startswith("Reject")]

    told = await ana.click(page, reject)
    again = await ana.click(told, "Look again")
    assert "1 link rejected" in told.text
    assert "No link waits for review" in again.text

    (forget,) = [one.name for one in again.buttons if one.name.startswith("Take back")]
    back = await ana.click(again, forget)
    found = await ana.click(back, "Look again")
    assert "1 decision taken back" in back.text
    assert "1 pair looks as if it belonged together" in found.text


async def test_what_somebody_decided_meanwhile_is_not_decided_again(ana: Visitor) -> None:
    page = await suggested(ana)
    (accept,) = [one.name for one in page.buttons if one.name.startswith("Accept")]
    (reject,) = [one.name for one in page.buttons if one.name.startswith("Reject")]
    await ana.click(page, accept)

    told = await ana.click(page, reject)

    assert told.status == 409
    assert [one.verdict for one in await ana.office.store.decisions()] == ["accepted"]


async def test_a_decision_that_the_page_did_not_show_is_not_taken_back(ana: Visitor) -> None:
    store = ana.office.store
    page = await suggested(ana)
    (reject,) = [one.name for one in page.buttons if one.name.startswith("Reject")]
    page = await ana.click(page, reject)
    (forget,) = [one.name for one in page.buttons if one.name.startswith("Take back")]
    (one,) = await store.decisions()
    other = replace(one, verdict="accepted", by="ben", note="agreed on Monday")
    await store.decide([other])

    told = await ana.click(page, forget)

    assert told.status == 409
    assert "what this page shows has changed since it was made" in told.text
    assert await store.decisions() == [other]

    await ana.click(await ana.see("/links"), forget)
    assert await store.decisions() == []


# Connections --------------------------------------------------------------------------------------


async def test_paused_writes_wait_and_go_on(ana: Visitor) -> None:
    world = ana.office.world
    told = await ana.click(await ana.see("/connections"), "Pause writes to notion")
    assert "Writes paused by token" in told.text
    world.jira.edit("PAY-3", status="Done")
    await world.sync()
    assert world.checkout.text("Delivery").startswith("2 of 5 done")

    back = await ana.click(told, "Go on writing to notion")
    await world.sync()
    assert "Writes go on." in back.text
    assert world.checkout.text("Delivery").startswith("3 of 5 done")


async def test_all_writes_are_paused_by_one_button(ana: Visitor) -> None:
    told = await ana.click(await ana.see("/connections"), "Pause all writes")

    assert "all writes paused by token" in told.text
    assert (await ana.office.store.pauses()).whole is not None
    assert "All writes paused" in (await ana.see("/")).text


async def test_read_now_asks_the_service(ana: Visitor) -> None:
    told = await ana.click(await ana.see("/connections"), "Read jira-main now")

    assert "It is read now." in told.text
    assert ana.office.noted == ["read jira-main"]


async def test_a_connection_that_is_not_there_is_refused(ana: Visitor) -> None:
    page = await ana.see("/connections")
    token = next(value for name, value in page.buttons[0].fields if name == "csrf")
    for action in ("pause", "resume", "read"):
        told = await ana.send(f"/connections/{action}", [("csrf", token), ("connection", "x")])
        assert told.status == 409, action
    assert (await ana.office.store.pauses()).found == ()


async def test_connections_tell_what_the_schedule_knows(ana: Visitor) -> None:
    now = ana.office.clock.now()
    ana.office.standing = {
        "linear": Standing(
            next_read_at=now.replace(minute=30),
            signals=Signals(state="silent", last_at=now.replace(hour=0), untold=4),
            budgets=(Budget(name="complexity", left=0.07),),
        ),
        "notion": Standing(reading=True),
    }

    text = (await ana.see("/connections")).text

    assert "7 % left, scarce" in text
    assert "Change signals silent: 4 reads found changes that none told" in text
    assert "reading" in text


async def test_the_head_says_whose_writes_are_paused(ana: Visitor) -> None:
    await ana.office.store.pause("linear", by="ben", at=ana.office.clock.now())
    one = (await ana.see("/plan")).text
    await ana.office.store.pause("notion", by="ben", at=ana.office.clock.now())
    two = (await ana.see("/plan")).text

    assert "Writes to linear paused" in one
    assert "Writes to 2 connections paused" in two


async def test_a_refused_configuration_is_told_on_every_page(ana: Visitor) -> None:
    assert "refused" not in (await ana.see("/connections")).text
    ana.office.refused = "opsync.toml: not valid TOML <b>"

    assert "Configuration refused" in (await ana.see("/")).text
    page = await ana.see("/connections")
    assert "the former one stays in force: opsync.toml: not valid TOML <b>" in page.text
    assert "TOML <b>" not in page.html
