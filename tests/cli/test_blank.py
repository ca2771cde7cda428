"""A blank name, as the unset variable of a script leaves it, names nothing."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from opsync.cli.blank import not_blank
from opsync.cli.root import root
from tests.cli.conftest import Company


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("apply", "1", "--item", ""), "--item is blank and names nothing: give it, or leave it"),
        (("apply", "1", "--item", "One-tap", "--item", " "), "--item is blank"),
        (("apply", ""), "PLAN is blank"),
        (("plan", ""), "ITEM is blank"),
        (("undo", " "), "CHANGE | ITEM is blank"),
        (("resolve", "", "--ours"), "ITEM is blank and names nothing: give it. In a script"),
        (("resolve", "One-tap", "", "--ours"), "PLACE is blank"),
        (("explain", ""), "ITEM is blank"),
        (("explain", "One-tap", ""), "PLACE is blank"),
        (("links", ""), "ITEM is blank"),
        (("links", "suggest", ""), "ITEM is blank"),
        (("links", "accept", "PAY-100", ""), "ITEM is blank"),
        (("links", "remove", "PAY-100", ""), "TWO is blank"),
        (("journal", ""), "ITEM is blank"),
        (("aside", "retry", ""), "ITEM is blank"),
        (("owned", ""), "ITEM is blank"),
        (("digest", "--team", ""), "--team is blank"),
        (("release", "", "--keep"), "ITEM is blank"),
        (("release", "", "--connection", "work", "--remove"), "ITEM is blank"),
    ],
)
def test_a_blank_name_is_refused_and_nothing_is_taken_for_it(
    company: Company, arguments: tuple[str, ...], said: str
) -> None:
    company.configure(mode="propose")
    company.opsync("plan")
    result = company.opsync(*arguments)
    assert result.code == 2
    assert said in result.err
    assert "see that its variable is set" in result.err
    assert result.out == ""
    assert "written" not in company.read("roadmap")
    assert company.opsync("apply", "--approvals", "--json").json == []


def _arguments(command: click.Command, context: click.Context) -> Iterator[click.Argument]:
    yield from (one for one in command.params if isinstance(one, click.Argument))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _arguments(inner, context)


def test_every_argument_that_is_an_item_refuses_a_blank() -> None:
    items = [
        one
        for one in _arguments(root, click.Context(root))
        if one.name in {"item", "what", "one", "two", "place"}
    ]
    assert len(items) > 12
    assert all(one.callback is not_blank for one in items)
