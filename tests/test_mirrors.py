"""Footers of mirrors: in every form in which tools hand them over, and nothing else."""

from __future__ import annotations

import pytest

from opsync.mirrors import Mirrors

URL = "https://harbor.atlassian.net/browse/PAY-143"
UNITO = "https://www.unito.io"
KNOWN = Mirrors()


def items(text: str, *footers: str) -> tuple[str, ...]:
    found = Mirrors(footers).split(text)
    return found.items if found is not None else ()


@pytest.mark.parametrize(
    "footer",
    [
        f"┆Issue is synchronized with this [Jira Task]({URL}) by [Unito]({UNITO})",
        f"┆Issue is synchronized with this [Jira Story]({URL})",
        f"┆Card is synchronized with this [Jira Pull Request]({URL}) by [Unito]({UNITO}/learn)",
        f"┆Issue is synchronized with this Jira Task {URL}  by Unito {UNITO} ",
        f"┆Issue is synchronized with this <{URL}>",
        f"┆Issue is synchronised with this [Jira Task](<{URL}>)",
    ],
    ids=["markdown", "without the tool", "another type", "flattened", "bare address", "brackets"],
)
def test_unitos_footer_names_what_its_link_leads_to(footer: str) -> None:
    found = KNOWN.split(f"Counts per day.\n\n{footer}\n")
    assert found is not None
    assert found.items == (URL,)
    assert found.rest.strip() == "Counts per day."


def test_unitos_footer_that_lost_its_link_names_the_key_below_it() -> None:
    lines = "Issue is synchronized with this Jira Story", "Fix: UTF-8", "Issue Number: PAY-143"
    assert items("\n".join(f"┆{line}" for line in lines)) == ("PAY-143",)


def test_an_issue_number_alone_is_no_footer() -> None:
    assert items("Text\n┆Issue Number: PAY-143") == ()


@pytest.mark.parametrize(
    ("footer", "named"),
    [
        ("Mirrored from PAY-143 by Tandem Sync. Edit it there.", "PAY-143"),
        (f"Mirrored from [PAY-143]({URL}) by Tandem Sync.", URL),
        (f"*Mirrored from [PAY-143: Pay by link]({URL}) by [Tandem](https://tandem.example)*", URL),
        (f"Mirrored from PAY-143 {URL}  by Tandem Sync", URL),
        ("_Synced from PAY-143_", "PAY-143"),
        ("<sub>Synchronized from PAY-143</sub>", "PAY-143"),
        ("synchronised from Jira issue PAY-143.", "PAY-143"),
        (f"Issue is synchronized with this [Jira Task]({URL})", URL),
    ],
)
def test_the_general_forms_count_in_the_last_lines(footer: str, named: str) -> None:
    assert items(f"As in Jira.\n\n---\n{footer}") == (named,)
    below = "\n\n".join(f"Paragraph {number}." for number in range(4))
    assert items(f"{footer}\n\n{below}") == (), "further up people may have written it"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Synced from Jira",
        "We mirrored from PAY-143 what we could.",
        "Mirrored from PAY-143 and PAY-144 by Tandem Sync",
        "Mirrored from PAY-143, see also PAY-150.",
        "> Mirrored from PAY-143 by Tandem Sync",
        "> ┆Issue is synchronized with this [Jira Task](https://harbor.example/browse/PAY-1)",
        "It is synchronized with this service by PAY-143",
        "Mirrored from " + "x" * 400 + " PAY-143",
        "Is everything synchronized?",
        "Mirrored from pay-143 by Tandem Sync",
    ],
)
def test_what_only_looks_like_a_footer_is_none(text: str) -> None:
    assert KNOWN.split(text) is None


def test_two_mirrors_below_one_text_both_count() -> None:
    text = f"Text\n┆Issue is synchronized with this [Jira Task]({URL})\nSynced from GRO-9"
    assert items(text) == (URL, "GRO-9")


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("Lives in {item}, copied by Shuttle", "Lives in PAY-143, copied by Shuttle"),
        ("Lives in {item}, copied by Shuttle", "lives  in PAY-143, copied by Shuttle v2"),
        ("Source: {item}", "**Source:** PAY-143"),
        ("{item} is the original of this copy", "PAY-143 is the original of this copy."),
        ("Quelle (Spiegel): {item}", "Quelle (Spiegel): PAY-143"),
    ],
)
def test_a_configured_footer_counts_wherever_it_stands(pattern: str, line: str) -> None:
    assert items(f"{line}\n\none\n\ntwo\n\nthree\n\nfour", pattern) == ("PAY-143",)
    assert items(line) == (), "and only where it is configured"


def test_a_configured_footer_finds_addresses_behind_links() -> None:
    line = f"Lives in [the original]({URL}), copied by [Shuttle](https://shuttle.example)"
    assert items(line, "Lives in {item}, copied by Shuttle") == (URL,)


def test_a_pattern_is_words_and_no_expression() -> None:
    assert items("Copy of PAY-143 (a.b)", "Copy of {item} (a.b)") == ("PAY-143",)
    assert items("Copy of PAY-143 (aXb)", "Copy of {item} (a.b)") == ()
