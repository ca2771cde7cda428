"""The pages of the running service in headless Chromium: what is clicked there is really done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.service.beside import Beside, until

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.base")
browsing = pytest.importorskip("tests.service.web.board.browsing")

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(browsing.CHROMIUM is None, reason="no Chromium is installed"),
]

PATHS = ("/", "/plan", "/links", "/journal", "/connections")
HOSTILE = "<img src=x onerror=alert(1)>"


class Window:
    """A browser at the service; `troubles` is all that it complained of, dialogs too."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.troubles: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("dialog", self._asked)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(message.text)

    def _asked(self, dialog: Any) -> None:
        self.troubles.append(f"a dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture
def window(served: Beside) -> Iterator[Window]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browsing.CHROMIUM, args=list(browsing.FLAGS)
        )
        page = browser.new_page(base_url=served.url)
        page.set_default_timeout(60_000)
        yield Window(page)
        browser.close()


def test_every_page_of_the_service_is_quiet_and_fit(served: Beside, window: Window) -> None:
    served.world.jira.add_issue("PAY", HOSTILE, parent="PAY-1")
    served.world.notion.edit_page(served.world.loyalty, "Name", HOSTILE)
    served.opsync("sync")
    ref = f"/initiatives/notion:page:{served.world.loyalty.id}"
    for path in (*PATHS, ref):
        answer = window.page.goto(path)
        assert answer.status == 200, path
        window.page.evaluate(axe.AXE_FILE_PATH.read_text(encoding="utf-8"))
        found = window.page.evaluate("rules => axe.run({ runOnly: rules })", browsing.RULES)
        assert [one["id"] for one in found["violations"]] == [], path

    assert HOSTILE in window.page.inner_text("body")
    assert window.troubles == []


def test_what_is_approved_is_written_and_what_is_undone_is_put_back(
    served: Beside, window: Window
) -> None:
    world = served.world
    world.raw["links"]["mode"] = world.raw["rollup"][0]["mode"] = "propose"
    served.configure()
    assert served.opsync("reload").code == 0
    world.jira.edit("MOB-3", status="Done")
    served.opsync("sync")
    page = window.page

    page.goto("/plan")
    page.get_by_role("button", name="Apply Notion Delivery % of Loyalty").click()
    assert "1 change approved" in page.get_by_role("status").inner_text()
    until(lambda: world.loyalty.cell("Delivery %") == 1)

    page.goto("/journal")
    page.locator("summary", has_text="Undo run").first.click()
    page.get_by_role("button", name="Undo run").first.click()
    assert "put back" in page.get_by_role("status").inner_text()
    assert world.loyalty.cell("Delivery %") == 0.5
    assert window.troubles == []


def test_an_open_page_follows_what_the_service_does(served: Beside, window: Window) -> None:
    window.page.goto("/")
    served.world.jira.edit("PAY-3", status="Done")
    served.opsync("sync")

    window.page.get_by_text("3/5").wait_for()
    assert window.troubles == []
