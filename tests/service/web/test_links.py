"""Links and cells that come from other tools can do nothing where they are shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsync.service.web.links import csv_cell, safe_url
from tests.security.test_inert import NO_LINKS


@pytest.mark.parametrize(
    "url", [*NO_LINKS, "", " ", "\n", "https:", "https://", "http:evil.example"]
)
def test_what_is_no_link_to_the_web_is_none_on_a_page(url: str) -> None:
    assert safe_url(url) is None


@pytest.mark.parametrize("put", ["\t", "\n", "\r", "\0", "\x01", "\x1f", "\x7f", "\x85", " "])
@pytest.mark.parametrize(
    "scheme", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "//evil"]
)
def test_nothing_put_into_it_hides_what_it_is(put: str, scheme: str) -> None:
    for at in range(len(scheme) + 1):
        assert safe_url(scheme[:at] + put + scheme[at:]) is None


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://linear.app/harbor/issue/PAY-3", "https://linear.app/harbor/issue/PAY-3"),
        (
            "http://jira.internal:8080/browse/X-1?a=b#c",
            "http://jira.internal:8080/browse/X-1?a=b#c",
        ),
        ("HTTPS://notion.so/x", "HTTPS://notion.so/x"),
        (" https://notion.so/x\n", "https://notion.so/x"),
        ("\u00a0https://notion.so/x\u3000", "https://notion.so/x"),
        ("https://notion.so/a\tb\0c", "https://notion.so/abc"),
        ("https://bücher.example/ä", "https://bücher.example/ä"),
    ],
)
def test_a_link_to_the_web_is_one_as_a_browser_takes_it(url: str, link: str) -> None:
    assert safe_url(url) == link


PIECES = ("https", "http", "java", "script", "data", ":", "//", "\\", "@", ".", "a", "\t", " ", "#")


@given(st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_whatever_it_is_it_leads_to_the_web_or_nowhere(url: str) -> None:
    link = safe_url(url)
    if link is not None:
        parts = urlsplit(link)
        assert parts.scheme.lower() in ("http", "https")
        assert parts.hostname
        assert "@" not in parts.netloc
        assert not re.search(r"[\x00-\x20\x7f-\xa0\\]", link)
        assert safe_url(link) == link


LEADS = ("", " ", "   ", "\u00a0", "\u00a0 \u2003", "\u3000", "\ufeff", "\u200b")
STARTS = ("=", "+", "-", "@", "\t", "\0", "＝", "＋", "－", "＠")
BREAKS = ("\n", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\r")


@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("start", STARTS)
def test_a_cell_is_no_formula(lead: str, start: str) -> None:
    cell = f'{lead}{start}HYPERLINK("https://evil.example")'
    assert csv_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize("start", ["=1", "  +1", "\u00a0-1", "@x", "\t=1", "＝1"])
def test_nor_is_any_of_its_lines(line_break: str, start: str) -> None:
    assert csv_cell(f"a{line_break}{start}") == f"a{line_break}'{start}"
    assert csv_cell(f"a{line_break}b{line_break}{start}") == f"a{line_break}b{line_break}'{start}"


@pytest.mark.parametrize("cell", ["\r=1", "\r\n=1", "\n\n=1", "x\r\n\r\n=1"])
def test_nor_is_one_behind_empty_lines(cell: str) -> None:
    assert not re.search(r"(?:^|[\r\n])=", csv_cell(cell))


@pytest.mark.parametrize(
    "cell", ["", "a", "a=b", "a - b", "3.5", "PAY-3", "a\nb", "'=1", "x\n'=1", "ä@b", "1+1"]
)
def test_all_else_stays_as_it_is(cell: str) -> None:
    assert csv_cell(cell) == cell


@given(st.text(alphabet=st.sampled_from("=+-@ab \t\r\n\0\u00a0\u2028＝'"), max_size=12))
def test_whatever_it_holds_no_line_begins_a_formula(text: str) -> None:
    cell = csv_cell(text)
    for line in re.split(r"\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", cell):
        assert not re.match(r"[ \u00a0]*[=+\-@\t\0＝]", line)
    assert csv_cell(cell) == cell, "once is enough"
    assert cell.replace("'", "") == text.replace("'", ""), "nothing is lost"
