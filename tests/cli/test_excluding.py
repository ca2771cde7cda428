"""Arguments that exclude each other: the call is refused by both names, before anything else."""

from __future__ import annotations

import pytest

from opsync.cli.limits import ALLOWS
from tests.cli.conftest import Company

EXCLUDING = [
    ("release --keep --remove", "--keep and --remove"),
    ("release one-tap --remove --keep", "--keep and --remove"),
    ("release --keep --remove --all", "--keep and --remove"),
    ("release one-tap --all --keep", "--all and ITEM"),
    ("release --all --remove --connection work", "--all and --connection"),
    ("release --rule roadmap --keep --all", "--all and --rule"),
    ("resolve one-tap Delivery --theirs --ours", "--theirs and --ours"),
    ("resolve one-tap --ours --theirs", "--theirs and --ours"),
    ("apply 12 --rule roadmap", "--rule and PLAN"),
    ("apply --rule roadmap --item one-tap", "--rule and --item"),
    *(
        (f"apply --rule roadmap --revoke {flag} 43", f"--rule and {flag}")
        for flag in ALLOWS.values()
    ),
    ("plan --offline --only work", "--offline and --only"),
    ("plan --out plan.json --offline", "--offline and --out"),
    ("look --markdown look.md --json", "--markdown and --json"),
    ("links accept 3f2a1bc0 --same --related", "--same and --related"),
    ("links add PAY-100 PAY-200 --related --same", "--same and --related"),
    ("webhooks remove work --all", "CONNECTION and --all"),
    ("sandbox outage jira --off --for 3", "--off and --for"),
]


@pytest.mark.parametrize(("call", "both"), EXCLUDING)
def test_what_contradicts_itself_is_refused_by_both_names(
    company: Company, call: str, both: str
) -> None:
    result = company.bare(*call.split())  # no configuration: nothing is opened
    assert (result.code, result.out) == (2, "")
    assert f"Error: {both} exclude each other: give one." in result.err.splitlines()


def test_the_same_said_twice_is_no_contradiction(synced: Company) -> None:
    result = synced.opsync("release", "--all", "--keep", "--keep", "--dry-run")
    assert result.lines == ["5 values would be left to people, as they stand"]


def test_a_default_is_no_word_of_a_person(synced: Company) -> None:
    assert synced.opsync("apply", "--rule", "roadmap", "--revoke").code == 2
    assert (
        "is not approved as a whole" in synced.opsync("apply", "--rule", "roadmap", "--revoke").err
    )
