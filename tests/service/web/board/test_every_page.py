"""What holds for every page: it can be read aloud, used by keyboard, and runs nothing."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.service.web.board.office import Shown, Visitor, visiting
from tests.service.web.pages import READ_TOKEN
from tests.support.world import World

PATHS = ("/", "/plan", "/links", "/journal", "/connections", "/initiatives/CHECKOUT")
HOSTILE = (
    '<script>alert("x")</script>',
    '"><img src=x onerror=alert(1)>',
    "\u202egnp.exe\u2066 left",
    "{{ 7 * 7 }} {% raw %}",
    "javascript:alert(1)",
)


async def pages(visitor: Visitor) -> dict[str, Shown]:
    """All of them."""
    page = f"notion:page:{visitor.office.world.checkout.id}"
    found = {path: await visitor.see(path.replace("CHECKOUT", page)) for path in PATHS}
    assert {one.status for one in found.values()} == {200}
    return found


def unfit(page: Shown) -> list[str]:
    """Whatever keeps somebody from reading or using a page."""
    tags = Counter(tag for tag, _ in page.tags)
    ids = Counter(given["id"] for _, given in page.tags if "id" in given)
    known = ids.keys()
    wrong = [f"{tags[one]} × <{one}>" for one in ("h1", "main", "title", "nav") if not tags[one]]
    wrong += [f"{tags['h1']} headings of the page"] if tags["h1"] > 1 else []
    wrong += [f"id {name} {count} times" for name, count in ids.items() if count > 1]
    wrong += [f"nameless button to {one.action}" for one in page.buttons if not one.name]
    names = Counter((one.name, one.action, str(one.fields)) for one in page.buttons)
    wrong += [f"button {name} twice" for (name, *_), count in names.items() if count > 1]
    for tag, given in page.tags:
        wrong += [f"{tag} has {name}" for name in given if name == "style" or name[:2] == "on"]
        if tag == "svg" and given.get("aria-hidden") != "true" and given.get("role") != "img":
            wrong.append("a drawing without a role")
        labelled = given.get("aria-labelledby", "")
        wrong += [f"nothing is called {one}" for one in labelled.split() if one not in known]
        if tag == "th" and "scope" not in given:
            wrong.append("a heading of a table without scope")
    tables = tags["table"]
    captions = tags["caption"] + sum(
        tag == "table" and "aria-labelledby" in given for tag, given in page.tags
    )
    return wrong + ([f"{tables} tables, {captions} captions"] if tables != captions else [])


async def test_every_page_can_be_read_and_used(ana: Visitor) -> None:
    found = await pages(ana)

    assert {path: unfit(page) for path, page in found.items()} == {path: [] for path in found}
    for page in found.values():
        assert page.html.startswith("<!doctype html>")
        assert ("html", {"lang": "en"}) in page.tags
        assert "#main" in page.links()


async def test_pages_load_only_what_is_served_here(ana: Visitor) -> None:
    page = await ana.see("/")

    loaded = [
        given.get("src") or given["href"] for tag, given in page.tags if tag in ("script", "link")
    ]
    assert len(loaded) == 3
    for path in loaded:
        answer = await ana.client.get(path)
        assert answer.status_code == 200, path
        assert "immutable" in answer.headers["cache-control"]
    assert (await ana.client.get("/static/app.py")).status_code == 404


async def test_pages_of_waiting_changes_can_be_read_and_used(ben: Visitor) -> None:
    found = await pages(ben)

    assert {path: unfit(page) for path, page in found.items()} == {path: [] for path in found}


@pytest.mark.parametrize("path", ["/", "/plan", "/links", "/journal", "/connections"])
async def test_a_page_of_an_empty_store_can_be_read(world: World, path: str) -> None:
    async with visiting(world) as visitor:
        page = await visitor.see(path)

    assert page.status == 200
    assert unfit(page) == []


async def test_who_may_only_look_is_shown_no_button(proposing: World) -> None:
    async with visiting(proposing, token=READ_TOKEN) as reader:
        found = await pages(reader)

    assert {path: page.buttons for path, page in found.items()} == {path: [] for path in found}


async def test_titles_from_tools_run_nothing(world: World) -> None:
    for number, title in enumerate(HOSTILE):
        key = f"PAY-{5 + number}"
        world.jira.add_issue("PAY", title, parent="PAY-1", status=title[:0] or "Doing")
        world.page(title, f"https://harbor.atlassian.net/browse/{key}")
    world.notion.edit_page(world.checkout, "Status", HOSTILE[0])
    await world.sync()
    async with visiting(world) as visitor:
        found = await pages(visitor)
        refs = {link for link in found["/"].links() if link.startswith("/initiatives/")}
        for ref in refs:
            found[ref] = await visitor.see(ref)

    assert "<script>alert" in found["/"].text
    assert "{{ 7 * 7 }}" in found["/"].text
    for path, page in found.items():
        scripts = [given for tag, given in page.tags if tag == "script"]
        assert len(scripts) == 1, path
        assert not [tag for tag, _ in page.tags if tag == "img"], path
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", page.html), path
        assert all(re.match("(/|#|https?://)", link) for link in page.links()), path
        assert unfit(page) == [], path


async def test_private_work_is_neither_titled_nor_linked(world: World) -> None:
    await world.sync()
    world.linear.add_team("SEC", "Blue team", private=True)
    world.linear.add_issue("SEC", "Rotate the vault keys")
    world.jira.edit("PAY-3", security="Staff", summary="Rotate the vault keys")
    world.notion.edit_page(
        world.loyalty,
        "Tracked in",
        "https://harbor.atlassian.net/browse/MOB-1 https://linear.app/harbor/issue/SEC-1",
    )
    await world.sync()
    async with visiting(world) as visitor:
        found = await pages(visitor)
        found["loyalty"] = await visitor.see(f"/initiatives/notion:page:{world.loyalty.id}")
        texts = [page.html for page in found.values()]
        texts += [
            (await visitor.client.get(f"/export/{name}")).text
            for name in ("initiatives.csv", "initiatives.json", "digest.md")
        ]

    assert "1 private" in found["/"].text
    for word in ("Rotate the vault keys", "Tokenise cards", "Blue team", "SEC-1"):
        assert not [text[:60] for text in texts if word in text], word


@pytest.mark.sampled
@pytest.mark.parametrize(
    "path",
    [
        "/initiatives/nothing",
        "/initiatives/notion:page:gone",
        "/initiatives/other:page:1",
        "/plan/approve",
        "/nothing",
    ],
)
async def test_what_is_not_there_is_told_in_the_look_of_the_pages(ana: Visitor, path: str) -> None:
    page = await ana.see(path)

    assert page.status in (404, 405)
    assert "dashboard.css" in page.html


async def test_odd_numbers_in_addresses_are_ignored(ana: Visitor) -> None:
    for path in (
        "/plan?from=-1",
        "/plan?from=999999",
        "/journal?before=x&run=9999999999",
        "/?done=x",
    ):
        assert (await ana.see(path)).status == 200, path


async def test_a_link_cannot_have_a_page_say_what_it_likes(ana: Visitor) -> None:
    page = await ana.see("/plan?done=<b>hello</b>&n=1")
    assert "hello" not in page.html
    assert not [given for _, given in page.tags if given.get("role") == "status"]

    told = await ana.see("/plan?done=approved&n=7<b>")
    assert "1 change approved" in told.text
