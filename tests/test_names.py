"""Addresses lose the words of a title, whatever tool they are of."""

from __future__ import annotations

import pytest

from opsync.names import names_in, untitled

HEX = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("url", "names", "bare"),
    [
        (
            "https://linear.app/harbor/issue/SEC-1/rotate-the-vault-keys",
            ("SEC-1",),
            "https://linear.app/harbor/issue/SEC-1",
        ),
        (
            "https://linear.app/harbor/project/rotate-the-vault-keys-0a1b2c3d4e5f/overview",
            ("0a1b2c3d4e5f",),
            "https://linear.app/harbor/project/0a1b2c3d4e5f",
        ),
        (
            f"https://www.notion.so/Rotate-the-vault-keys-{HEX}?v=1#rotate",
            (HEX,),
            f"https://www.notion.so/{HEX}",
        ),
        (
            "https://tracker.example/stories/77-rotate-the-vault-keys",
            ("77",),
            "https://tracker.example/stories/77",
        ),
        ("https://jira.example/browse/sec-1", ("SEC-1",), "https://jira.example/browse/sec-1"),
        (
            "https://jira.example/board?view=rotate&selectedIssue=SEC-1",
            ("SEC-1",),
            "https://jira.example/board?selectedIssue=SEC-1",
        ),
    ],
)
def test_an_address_is_cut_at_the_name_by_which_it_leads_there(
    url: str, names: tuple[str, ...], bare: str
) -> None:
    assert untitled(url, names, "Rotate the vault keys") == bare
    assert untitled(bare, names, "Rotate the vault keys") == bare


@pytest.mark.parametrize(
    "url",
    [
        "https://wiki.example/rotate-the-vault-keys",
        "https://wiki.example/Rotate_the%20vault+keys/1001",
        "https://wiki.example/rotate.the.vault.keys/1001",
        "",
    ],
)
def test_an_address_of_which_nobody_can_tell_what_is_harmless_is_withheld(url: str) -> None:
    assert untitled(url, ("1001", ""), "Rotate the vault keys") == ""


def test_a_short_title_that_an_address_has_by_chance_withholds_nothing() -> None:
    url = "https://linear.app/harbor/issue/SEC-1/harbor"
    assert untitled(url, ("SEC-1",), "Harbor") == "https://linear.app/harbor/issue/SEC-1"


def test_the_names_in_an_address_are_its_pieces_and_what_ends_them() -> None:
    found = names_in("https://linear.app/harbor/project/vault-0a1b?x=pay-4")
    assert {"0a1b", "PAY-4", "vault-0a1b"} <= found
