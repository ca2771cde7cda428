"""Bad input: hostile text is stored, shown and written inert; only http and https links exist."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest

from opsync.sandbox.notion.values import Run
from tests.support.world import HOSTS, World, jira_url, spoiler, troubles

MARKUP = '<script>alert("x")</script><img src=x onerror=alert(1)>'
CONTROLS = "Bell\x07 null\x00 escape\x1b[31m line\nbreak\r tab\t end"
TURNED = "Invoice \u202egpj.exe\u202c \u2066isolate\u2069 \u200fmark"
LONG = "Tokenise everything " * 3_277
MARKDOWN = "[click](javascript:alert(1)) ![x](https://evil.example/p.png) {{7*7}} ${7*7}"
HOSTILE = {
    "markup": MARKUP,
    "control characters": CONTROLS,
    "right-to-left marks": TURNED,
    "64 KiB": LONG,
    "markdown": MARKDOWN,
    "toml": '"]\n[instances.evil]\ntoken = "x"',
}
hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)

LONGEST = 2_000
"""Notion takes so many characters in one run, and no other vendor more in a title or label."""


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for each in node.values():
            yield from strings(each)
    elif isinstance(node, list):
        for each in node:
            yield from strings(each)


def written_strings(world: World) -> Iterator[str]:
    """Every text in every write request but the GraphQL document itself."""
    for vendor in world.vendors.values():
        for exchange in vendor.exchanges:
            if not exchange.reads and exchange.request_body:
                body = json.loads(exchange.request_body)
                body.pop("query", None)
                yield from strings(body)


def assert_inert(text: str) -> None:
    bad = [c for c in text if unicodedata.category(c) in ("Cc", "Cs") or c in "\u202e\u2066\u200f"]
    assert not bad, f"{text[:80]!r} carries {bad[:5]!r}"
    assert len(text) <= LONGEST
    assert not text.casefold().startswith(("javascript:", "data:", "vbscript:"))


@pytest.mark.sampled
@hostile
async def test_hostile_titles_are_stored_and_written_inert(world: World, text: str) -> None:
    world.jira.edit("PAY-3", summary=text)
    world.jira.edit("PAY-1", summary=text)
    world.linear.edit("GRO-3", title=text)
    world.linear.edit_project("Checkout web", name=text)
    world.notion.edit_page(world.checkout, "Name", text)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    written = list(written_strings(world))
    assert len(written) > 20
    for each in written:
        assert_inert(each)
    assert len(world.remote_links("PAY-3")) == 1
    assert len(world.remote_links("PAY-1")) == 1
    assert len(world.linear.issue("GRO-3").attachments) == 1
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    await world.silent()


@pytest.mark.sampled
@hostile
async def test_hostile_descriptions_and_names_of_people_harm_nothing(
    world: World, text: str
) -> None:
    user = world.jira.add_user(text.strip() or "x")
    world.jira.edit("PAY-3", description=text, assignee=user, labels=(text[:200],))
    world.linear.edit("GRO-3", description=f"{text} {jira_url('PAY-3')}")
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert len(world.attachments("GRO-3")) == 1
    for each in written_strings(world):
        assert_inert(each)
    await world.silent()


async def test_markup_stays_as_plain_characters(world: World) -> None:
    world.jira.edit("PAY-3", summary=MARKUP)
    await world.sync()
    ((title, _),) = world.attachments("GRO-3")
    assert title == f"PAY-3 {MARKUP}"


async def test_right_to_left_marks_do_not_reach_other_tools_but_letters_do(world: World) -> None:
    world.jira.edit("PAY-3", summary="תשלום \u202ebad\u202c")
    await world.sync()
    ((title, _),) = world.attachments("GRO-3")
    assert title == "PAY-3 תשלום bad"


BAD_URLS = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)//https://harbor.atlassian.net/browse/PAY-3",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "https://user:secret@linear.app/harbor/issue/GRO-3",
    "//linear.app/harbor/issue/GRO-3",
    "https://linear.app\\@evil.example/",
    "",
)


@pytest.mark.parametrize("url", BAD_URLS)
async def test_a_record_whose_own_address_is_no_web_link_is_linked_nowhere(
    world: World, url: str
) -> None:
    def spoil(node: dict[str, Any]) -> None:
        if "url" in node:
            node["url"] = url

    world.net.spoil[HOSTS["linear"]] = spoiler("GRO-3", spoil)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert world.remote_links("PAY-3") == []
    assert (await world.record("GRO-3")).url == ""
    assert url == "" or url not in list(written_strings(world))


async def test_javascript_links_that_people_pasted_are_no_mentions(world: World) -> None:
    world.notion.edit_page(
        world.loyalty,
        "Tracked in",
        [("javascript:void PAY-9", "javascript:alert('https://harbor.atlassian.net')")],
    )
    world.linear.attach(world.linear.issue("GRO-2"), "Evil", "javascript:alert(1)")
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert world.loyalty.text("Delivery").startswith("No linked work")
    assert {c.slot.target.instance for c, _ in report.outcomes} >= {"notion", "linear"}


async def test_the_links_written_into_notion_are_web_links_only(world: World) -> None:
    await world.sync()
    runs = world.checkout.cell("Work")
    assert isinstance(runs, tuple)
    links = [run.link for run in runs if isinstance(run, Run) and run.link]
    assert links
    assert all(link.startswith("https://") for link in links)
