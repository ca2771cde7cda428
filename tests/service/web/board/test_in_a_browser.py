"""In headless Chromium: every page can be used by everybody, says nothing to the console, and
follows what happens while somebody looks."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.async_api")

from playwright.async_api import Page

from tests.service.web.board.browsing import CHROMIUM, Window, browsing, unfit
from tests.support.world import World

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]

PATHS = ("/", "/plan", "/links", "/journal", "/connections", "/initiatives/CHECKOUT", "/nothing")
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


async def eventful(world: World) -> World:
    """A company with something on every page."""
    world.jira.add_issue("PAY", '<script>document.title = "ran"</script>', parent="PAY-1")
    world.page('<img src=x onerror="document.title=1">\u202e', "")
    world.jira.add_issue("PAY", "Loyalty", issue_type="Epic")
    await world.sync()
    world.notion.edit_page(world.checkout, "Delivery", "Ask Ana")
    world.raw["links"]["mode"] = world.raw["rollup"][0]["mode"] = "propose"
    world.jira.edit("PAY-3", status="Done")
    world.jira.edit("MOB-3", status="Done")
    world.clock.advance(9 * 86400)
    await world.sync()
    return world


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", DESK), ("dark", PHONE)], ids=["desk", "phone"]
)
async def test_everybody_can_use_every_page(
    world: World, scheme: str, size: dict[str, int]
) -> None:
    await eventful(world)
    async with browsing(world) as window:
        for path in PATHS:
            path = path.replace("CHECKOUT", f"notion:page:{world.checkout.id}")
            page = await window.open(path, color_scheme=scheme, viewport=size)
            assert await unfit(page) == [], path
            assert (await page.title()).endswith(" · opsync")
            await page.context.close()

    assert [one for one in window.troubles if "404" not in one] == []


async def test_why_the_configuration_does_not_fit_can_be_read_on_a_phone(world: World) -> None:
    await world.sync()
    world.raw["rollup"][0]["properties"] = ["<script>document.title = 1</script>"]
    await world.sync()
    async with browsing(world) as window:
        page = await window.open("/connections", viewport=PHONE)
        said = await page.inner_text("main header li")
        assert said.startswith('rule "roadmap": no initiative names anything in "<script>')
        assert await unfit(page) == []
        assert await page.title() == "Connections · opsync"
    assert window.troubles == []


async def test_approve_and_undo_are_clicked_through(world: World) -> None:
    await eventful(world)
    async with browsing(world) as window:
        page = await window.open("/plan")
        await page.get_by_role("button", name="Apply Notion Delivery % of Loyalty").click()
        assert "1 change approved" in await page.get_by_role("status").inner_text()
        await world.sync()
        assert world.loyalty.cell("Delivery %") == 1

        await page.get_by_role("link", name="Journal").click()
        await page.locator("summary", has_text="Undo run").first.click()
        await page.get_by_role("button", name="Undo run").first.click()
        assert "1 value put back" in await page.get_by_role("status").inner_text()

    assert window.troubles == []
    assert world.loyalty.cell("Delivery %") == 0.5


async def test_pages_work_without_a_script(world: World) -> None:
    await eventful(world)
    async with browsing(world) as window:
        page = await window.open("/", java_script_enabled=False)
        await page.get_by_role("link", name="Mobile 1").click()
        assert page.url.endswith("/?team=Mobile")
        await page.get_by_role("link", name="Links").click()
        await page.get_by_role("button", name="Look again").click()
        await page.get_by_role("button", name="Reject").first.click()
        assert "1 link rejected" in await page.get_by_role("status").inner_text()


async def test_the_keyboard_reaches_the_content_and_a_decision(world: World) -> None:
    await eventful(world)
    async with browsing(world) as window:
        page = await window.open("/plan")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        assert "Apply all" in await page.evaluate("document.activeElement.textContent")
        shown = "getComputedStyle(document.activeElement).outlineStyle"
        assert await page.evaluate(shown) == "solid"
        await page.keyboard.press("Enter")
        assert "approved" in await page.get_by_role("status").inner_text()


async def test_an_open_page_follows_and_keeps_focus_and_place(world: World) -> None:
    await eventful(world)
    async with browsing(world) as window:
        page = await window.open("/", viewport={"width": 900, "height": 300})
        link = page.get_by_role("rowheader").get_by_role("link", name="One-tap checkout")
        await link.focus()
        await page.evaluate("scrollTo(0, 120)")
        world.jira.edit("PAY-4", status="Done")
        await world.sync()

        await page.get_by_text("4/6").wait_for(timeout=60_000)

        focused = await page.evaluate("document.activeElement.textContent")
        assert focused == "One-tap checkout"
        assert await page.evaluate("scrollY") == 120

    assert window.troubles == []


async def test_an_open_page_leaves_what_somebody_has_unfolded(world: World) -> None:
    await eventful(world)
    async with browsing(world) as window:
        page = await window.open(f"/initiatives/notion:page:{world.checkout.id}")
        await page.locator("#value-1 > summary").click()
        await _change_and_wait(window, page)
        assert await page.evaluate("document.querySelector('#value-1').open")


async def _change_and_wait(window: Window, page: Page) -> None:
    world = window.office.world
    world.jira.edit("PAY-4", status="Done")
    await world.sync()
    await page.get_by_text("4 of 6").first.wait_for(timeout=60_000)
