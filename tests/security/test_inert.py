"""What a tool's text may do in another tool and on a screen: nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from opsync.cli.lookdoc import escaped
from opsync.inert import safe_url
from opsync.model import Kind, Record, Ref
from opsync.wording import card
from tests.support.world import HOSTS, World, jira_url, troubles

NO_LINKS = (
    *("javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "java\nscript:x"),
    *(" javascript:alert(1)", "\x01javascript:x", "data:text/html,<script>x</script>"),
    *("vbscript:msgbox(1)", "//evil.example/x", "\\\\evil.example\\x", "/\\evil.example"),
    *("https:\\\\evil.example", "https:///evil.example", "https://u:p@evil.example/"),
    *("file:///etc/passwd", "blob:https://evil.example/1", "mailto:all@harbor.example"),
    *("intent://x#Intent;end", "view-source:https://evil.example", "https://a\u202eb.example/"),
)
"""Addresses that are no link to the web, or hide where they lead."""

PINGS = "@ben @everyone <!channel> <@U123> [~ben] [~accountid:5b10] @[ben](user:1) #general"
"""How the tools' own editors name people and rooms, who are then told."""
MARKUP = "](https://evil.example) [x](javascript:alert(1)) | a | `b` **c** <b>d</b> ![e](f) {g}"


@pytest.mark.parametrize("url", NO_LINKS)
def test_what_is_no_link_to_the_web_becomes_no_card_s_address(url: str) -> None:
    assert safe_url(url) == ""
    made = card(
        Record(ref=Ref("x", "y", "1"), kind=Kind.issue, title="T", url=url), "Tool", "title"
    )
    assert made.url == ""
    assert made.title == "T"


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from strings(each)


def written(world: World) -> list[tuple[str, Any]]:
    """The path and body of each request that wrote, but for GraphQL's own text."""
    found = []
    for vendor in world.vendors.values():
        for exchange in vendor.exchanges:
            if not exchange.reads and exchange.request_body:
                body = json.loads(exchange.request_body)
                body.pop("query", None)
                found.append((exchange.path, body))
    return found


async def test_no_such_address_is_written_into_any_tool(world: World) -> None:
    """One issue for each, whose own address is that; each names an issue of Jira."""
    bad: dict[str, str] = {}
    for number, url in enumerate(NO_LINKS):
        issue = world.linear.add_issue(
            "GRO", f"Bad {number}", description=f"For {jira_url('PAY-3')} and {jira_url('MOB-2')}"
        )
        bad[issue.identifier] = url

    def spoil(content: Any) -> None:
        nodes = [content]
        while nodes:
            node = nodes.pop()
            if isinstance(node, dict):
                if node.get("identifier") in bad and "url" in node:
                    node["url"] = bad[node["identifier"]]
                nodes += node.values()
            elif isinstance(node, list):
                nodes += node

    world.net.spoil[HOSTS["linear"]] = spoil
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    texts = [text for _, body in written(world) for text in strings(body)]
    assert any(text.startswith("https://") for text in texts), "the checks below can fail"
    assert [text for text in texts if text in NO_LINKS] == []
    assert [text for text in texts if "evil.example" in text or "javascript" in text.lower()] == []
    assert [one["title"] for one in world.remote_links("MOB-2")] == []


async def test_text_names_nobody_and_has_no_markup_where_it_is_written(world: World) -> None:
    """Each place is one that its tool shows as plain text: no document, no mention, no comment."""
    hostile = f"{PINGS} {MARKUP}"
    world.jira.edit("PAY-3", summary=hostile[:250])
    world.linear.edit("GRO-3", title=hostile)
    world.linear.edit_project("Checkout web", name=hostile)
    world.notion.edit_page(world.checkout, "Name", hostile)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    seen = set()
    for path, body in written(world):
        if "/remotelink" in path:
            seen.add("Jira")
            assert body.keys() <= {"globalId", "application", "relationship", "object"}
        elif path == "/graphql":
            seen.add("Linear")
            text = json.dumps(body)
            for field in ("body", "bodyData", "descriptionData", "commentBody", "description"):
                assert f'"{field}"' not in text, path
        else:
            seen.add("Notion")
            assert _runs(body) <= {"text"}, "a run of Notion's that is no plain text"
    assert seen == {"Jira", "Linear", "Notion"}
    await world.silent()


def _runs(node: Any) -> set[str]:
    """The kinds of rich text in a request."""
    found: set[str] = set()
    if isinstance(node, dict):
        if isinstance(node.get("rich_text"), list):
            for run in node["rich_text"]:
                found |= {name for name in run if name in ("text", "mention", "equation")}
        for each in node.values():
            found |= _runs(each)
    elif isinstance(node, list):
        for each in node:
            found |= _runs(each)
    return found


@pytest.mark.parametrize(
    "text",
    [MARKUP, PINGS, "# h", "- x", "1. x", "a|b", "https://evil.example", "&lt;", "$x$"],
)
def test_a_document_in_markdown_shows_text_as_text(text: str) -> None:
    shown = escaped(text)
    for sign in "[]`*_<>|~{}$&":
        assert all(shown[at - 1] == "\\" for at, char in enumerate(shown) if char == sign), (
            sign,
            shown,
        )
    assert "://" not in shown.replace("\\://", "")
    assert not shown.startswith(("#", "-", "+", "="))
