"""Text and links from other systems are harmless once they passed here."""

from __future__ import annotations

import pytest

from opsync.inert import inert_text, safe_url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "//evil.example",
        "\\\\evil.example",
        "https:\\\\evil.example",
        "https://user:pass@evil.example/",
        "https://evil.example@good.example/",
        "https://",
        "http:///path",
        "https://[bad",
        "https://a.example/\u202etxt",
        "https://a.example/" + "x" * 2000,
        "ftp://a.example",
        "",
    ],
)
def test_only_absolute_web_links_without_credentials_are_kept(url: str) -> None:
    assert safe_url(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example",
        "http://127.0.0.1:8790/jira/browse/PAY-1",
        "https://a.example/p?q=1&r=[x]#f",
        "https://a.example/ü",
        "HTTPS://A.example/x",
        "https://bücher.example/",
    ],
)
def test_ordinary_links_stay_as_they_are(url: str) -> None:
    assert safe_url(url) == url


@pytest.mark.parametrize(
    ("text", "inert"),
    [
        ("a\x00b", "a b"),
        ("\x1b[31mred", "[31mred"),
        ("\u202eevil\u2066", "evil"),
        (" two\nlines\t", "two lines"),
        ("नमस्ते 👩\u200d💻", "नमस्ते 👩\u200d💻"),
        ("<b>&amp;", "<b>&amp;"),
    ],
)
def test_text_is_one_line_without_control_and_direction_characters(text: str, inert: str) -> None:
    assert inert_text(text) == inert


def test_text_is_cut_with_an_ellipsis() -> None:
    assert inert_text("x" * 65_536, 10) == "x" * 9 + "…"
