"""The first page: what needs a look, how it went, what this week brought, and what waits."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from io import StringIO

from opsync.engine.digest import week
from opsync.engine.digestwords import as_markdown, on_page, told
from tests.service.web.board.office import Visitor, visiting
from tests.support.world import World


def titles(visitor_text: str, *names: str) -> list[str]:
    """These names in the order in which they stand on a page."""
    return sorted(names, key=visitor_text.index)


async def test_the_sentence_counts_what_needs_a_look(world: World) -> None:
    late = world.clock.now().date() - timedelta(days=3)
    world.notion.edit_page(world.loyalty, "Due", late)
    world.notion.edit_page(world.loyalty, "Status", "On track")
    await world.sync()
    async with visiting(world) as visitor:
        page = await visitor.see("/")

    assert "2 initiatives: 1 needs a look; 1 disagrees with what people say" in page.text
    assert titles(page.html, "Loyalty", "One-tap checkout") == ["Loyalty", "One-tap checkout"]
    assert "past its due date" in page.text
    assert "overdue" in page.text
    assert "disagrees" in page.text
    assert "1 off track" in page.text


async def test_a_row_has_its_numbers(ana: Visitor) -> None:
    page = await ana.see("/")

    assert "2 initiatives: none needs a look" in page.text
    assert "2/5 40 %" in page.text
    assert "1 Sep" in page.text
    told = [given.get("aria-label") for tag, given in page.tags if tag == "svg"]
    assert "2 of 5 done, 1 in progress" in told


async def test_the_filter_is_an_address(ana: Visitor) -> None:
    every = await ana.see("/")
    assert "/?team=Mobile" in every.links()

    page = await ana.see("/?team=Mobile")

    assert "Mobile: 1 initiative, none needs a look" in page.text
    assert "Loyalty" in page.text
    assert "One-tap checkout" not in page.text
    assert ("a", {"href": "/?team=Mobile", "aria-current": "true"}) in page.tags
    assert "No initiative counts work of this team" in (await ana.see("/?team=None")).text


async def test_what_moved_in_a_week_is_told(world: World) -> None:
    await world.sync()
    world.clock.advance(8 * 86400)
    world.jira.edit("PAY-3", status="Done")
    world.jira.add_issue("PAY", "Receipts", parent="PAY-1")
    world.notion.edit_page(world.loyalty, "Due", world.clock.now().date() - timedelta(days=1))
    await world.sync()
    async with visiting(world) as visitor:
        text = (await visitor.see("/")).text

    week = text[text.index("This week") :]
    assert "One-tap checkout 2 of 5 → 3 of 6" in week
    assert "Loyalty now off track" in week
    assert "Scope One-tap checkout grew by 1 to 6" in week
    assert "known since" not in week


async def test_the_week_is_of_the_team_that_is_asked_for(world: World) -> None:
    await world.sync()
    world.clock.advance(8 * 86400)
    world.jira.edit("PAY-3", status="Done")
    await world.sync()
    async with visiting(world) as visitor:
        every = await visitor.see("/")
        mobile = (await visitor.see("/?team=Mobile")).text
        nobody = (await visitor.see("/?team=Nobody")).text

    assert "One-tap checkout 2 of 5 → 3 of 5" in every.text[every.text.index("This week") :]
    assert f"/initiatives/notion:page:{world.checkout.id}" in every.links()
    assert "This week Nothing moved." in mobile
    assert "This week" not in nobody


async def test_what_waits_is_of_the_team_that_is_asked_for(ben: Visitor) -> None:
    every = (await ben.see("/")).text
    mobile = (await ben.see("/?team=Mobile")).text

    def count(text: str) -> int:
        return int(text[text.index("Waits for you") :].split()[3])

    assert 0 < count(mobile) < count(every)
    assert "Waits for you Nothing." in (await ben.see("/?team=Nobody")).text


async def test_a_young_store_says_since_when_it_looks(ana: Visitor) -> None:
    assert "known since 2 Mar" in (await ana.see("/")).text


async def test_a_line_over_time_is_drawn_from_the_second_day_on(world: World) -> None:
    await world.sync()
    async with visiting(world) as visitor:
        young = await visitor.see("/")
        page = await visitor.see(f"/initiatives/notion:page:{world.checkout.id}")
        world.clock.advance(86400 + 60)
        older = await visitor.see("/")
        drawn = await visitor.see(f"/initiatives/notion:page:{world.checkout.id}")

    assert "Six weeks" not in young.text
    assert "Kept since 2 Mar. From tomorrow on it is drawn here." in page.text
    assert not [1 for tag, given in page.tags if "plot" in given.get("class", "")]
    assert "Six weeks" in older.text
    assert "Kept since" not in drawn.text
    assert [1 for tag, given in drawn.tags if "plot" in given.get("class", "")]


async def test_a_row_says_why_only_where_the_numbers_do_not(world: World) -> None:
    world.notion.edit_page(world.loyalty, "Due", world.clock.now().date() - timedelta(days=3))
    await world.sync()
    async with visiting(world) as visitor:
        text = (await visitor.see("/")).text

    assert "Off track past its due date" in text
    assert "nothing speaks against it" not in text


async def test_a_short_outage_is_told_in_the_head_and_not_in_each_row(world: World) -> None:
    await world.sync()
    world.linear.start_outage()
    world.clock.advance(600)
    await world.sync()
    async with visiting(world) as visitor:
        text = (await visitor.see("/")).text

    assert "1 connection incomplete" in text
    assert "not read for" not in text


async def test_without_links_the_page_leads_to_suggestions(world: World) -> None:
    for page in (world.checkout, world.loyalty):
        world.notion.edit_page(page, "Tracked in", "")
    world.jira.add_issue("PAY", "One-tap checkout", issue_type="Epic")
    await world.sync()
    async with visiting(world) as visitor:
        assert "No links yet" in (await visitor.see("/")).text
        links = await visitor.see("/links")
        looked = await visitor.click(links, "Look again")
        page = await visitor.see("/")

    assert "2 suggestions found" in looked.text
    assert "No links yet: review 2 suggestions" in page.text
    assert "Review 2 suggestions" in page.text
    assert "/links" in page.links()


async def test_numbers_say_since_when_a_tool_was_not_read(world: World) -> None:
    await world.sync()
    world.linear.start_outage()
    world.clock.advance(7 * 3600)
    await world.sync()
    async with visiting(world) as visitor:
        page = await visitor.see("/")

    stale = page.text[page.text.index("One-tap checkout") :]
    assert "Linear not read for" in stale


async def test_the_table_for_spreadsheets_has_no_formula(world: World) -> None:
    world.page("=HYPERLINK(1)", "", due=date(2026, 9, 1))
    await world.sync()
    async with visiting(world) as visitor:
        answer = await visitor.client.get("/export/initiatives.csv")
        found = (await visitor.client.get("/export/initiatives.json")).json()

    assert answer.headers["content-disposition"] == 'attachment; filename="initiatives.csv"'
    rows = list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))
    by_title = {row["title"]: row for row in rows}
    assert by_title["'=HYPERLINK(1)"]["health"] == "No linked work"
    assert by_title["One-tap checkout"]["done"] == "2"
    assert by_title["One-tap checkout"]["percent"] == "0.40"
    assert {one["title"] for one in found["initiatives"]} >= {"=HYPERLINK(1)", "Loyalty"}


async def digest(visitor: Visitor, team: str = "") -> str:
    """What `opsync digest` prints."""
    config, world = visitor.office.config, visitor.office.world
    found = await week(config, visitor.office.store, world.clock.now(), team=team)
    leads = on_page(config.general.service.public_url)
    return as_markdown(told(found, config.zone, leads)) + "\n"


async def test_the_digest_is_an_export_of_all_and_of_a_team(world: World) -> None:
    await world.sync()
    world.clock.advance(8 * 86400)
    world.jira.edit("PAY-3", status="Done")
    await world.sync()
    async with visiting(world) as visitor:
        links = (await visitor.see("/")).links()
        of_team = (await visitor.see("/?team=Mobile")).links()
        assert "/export/digest.md" in links
        assert "/export/digest.md?team=Mobile" in of_team
        every = await visitor.client.get("/export/digest.md")
        team = await visitor.client.get("/export/digest.md?team=Mobile")
        spelt = await visitor.client.get("/export/digest.md?team=mobile")
        wanted = await digest(visitor), await digest(visitor, "Mobile")

    assert "**Moved:** [One-tap checkout](" in every.text
    assert team.text.startswith("**Mobile: the week to ")
    assert (every.text, team.text) == wanted
    assert spelt.text == team.text
    assert every.headers["content-type"] == "text/markdown; charset=utf-8"
    assert every.headers["content-disposition"] == 'attachment; filename="digest.md"'


async def test_the_digest_of_no_team_is_refused_and_says_which_there_are(ana: Visitor) -> None:
    page = await ana.see("/export/digest.md?team=Nobody")

    assert page.status == 409
    assert 'no team "Nobody" has work that counts in an initiative' in page.text
    assert "There are: Growth, Mobile, Payments" in page.text


async def test_a_team_of_which_all_is_private_has_no_digest(world: World) -> None:
    scope = [{"instance": "jira-main", "spaces": ["MOB"]}]
    world.raw["team"] = [{"name": "Red", "scope": scope, "private": True}]
    await world.sync()
    async with visiting(world) as visitor:
        page = await visitor.see("/export/digest.md?team=Red")
        links = (await visitor.see("/?team=Red")).links()

    assert page.status == 409
    assert not [link for link in links if link.startswith("/export/digest.md")]


async def test_a_team_is_any_text_in_the_address_of_its_digest(world: World) -> None:
    scope = [{"instance": "jira-main", "spaces": ["MOB"]}]
    world.raw["team"] = [{"name": "R&D #1 / “core”", "scope": scope}]
    await world.sync()
    async with visiting(world) as visitor:
        page = await visitor.see("/?team=R%26D%20%231%20%2F%20%E2%80%9Ccore%E2%80%9D")
        (link,) = [one for one in page.links() if one.startswith("/export/digest.md")]
        found = await visitor.client.get(link)

    assert found.status_code == 200
    assert "core" in found.text.splitlines()[0]
