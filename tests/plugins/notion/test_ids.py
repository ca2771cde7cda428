"""A Notion page is known by the id in its URL, whatever host and slug."""

from __future__ import annotations

import pytest

from opsync_notion.ids import page_of, parse_id

HEX = "393abc1eedcd816985cec64d3d3f20fd"
DASHED = "393abc1e-edcd-8169-85ce-c64d3d3f20fd"
VIEW = "0" * 32


@pytest.mark.parametrize(
    "url",
    [
        f"https://www.notion.so/{HEX}",
        f"https://notion.so/harbor/One-tap-checkout-{HEX}",
        f"https://app.notion.com/p/{HEX}",
        f"https://app.notion.com/p/Test-2026-07-04-11-09-{HEX}?source=copy_link#block",
        f"https://harbor.notion.site/One-tap-{HEX}",
        f"https://www.notion.so/harbor/{VIEW}?v={VIEW}&p={HEX}&pm=s",
        f"https://www.notion.so/harbor/{VIEW}?v={VIEW}&amp;p={HEX}&amp;pm=s",
        f"https://www.notion.so/{DASHED}",
        f"HTTPS://WWW.NOTION.SO/{HEX.upper()}",
    ],
)
def test_the_page_of_a_notion_url_is_recognized(url: str) -> None:
    assert page_of(url) == HEX


@pytest.mark.parametrize(
    "url",
    [
        f"https://notion.so.evil.example/{HEX}",
        f"https://evilnotion.so/{HEX}",
        f"https://example.com/{HEX}",
        f"ftp://notion.so/{HEX}",
        "https://www.notion.so/harbor/Roadmap",
        f"https://www.notion.so/{HEX}0",
        "https://[broken",
        "https://linear.app/harbor/issue/GRO-1",
        "",
    ],
)
def test_other_urls_are_not(url: str) -> None:
    assert page_of(url) is None


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        (HEX, DASHED),
        (f" {DASHED} ", DASHED),
        (f"https://www.notion.so/harbor/Roadmap-{HEX}?v={VIEW}", DASHED),
        (f"https://www.notion.so/harbor/{HEX}?v={VIEW}&p={VIEW}", DASHED),
        ("Roadmap", ""),
        ("", ""),
    ],
)
def test_a_setting_names_a_database_by_id_or_link(setting: str, found: str) -> None:
    assert parse_id(setting) == found
