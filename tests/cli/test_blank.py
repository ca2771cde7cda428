"""A blank name, as the unset variable of a script leaves it, names nothing."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from opsync.cli.blank import FilePath, not_blank
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
        (("plan", "--out", ""), "--out is blank and names nothing: give it, or leave it out"),
        (("look", "--markdown", ""), "--markdown is blank"),
        (("status", "--store", " "), "--store is blank"),
        (("db", "backup", ""), "FILE is blank and names nothing: give it. In a script"),
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


def test_a_blank_configuration_is_none(company: Company) -> None:
    result = company.bare("status", "--config", "")
    assert result.code == 2
    assert "--config is blank and names nothing" in result.err


def _parameters(command: click.Command, context: click.Context) -> Iterator[click.Parameter]:
    yield from command.params
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _parameters(inner, context)


def test_every_argument_that_is_an_item_refuses_a_blank() -> None:
    items = [
        one
        for one in _parameters(root, click.Context(root))
        if isinstance(one, click.Argument) and one.name in {"item", "what", "one", "two", "place"}
    ]
    assert len(items) > 12
    assert all(one.callback is not_blank for one in items)


def test_every_path_refuses_a_blank() -> None:
    paths = [
        one.type
        for one in _parameters(root, click.Context(root))
        if isinstance(one.type, click.Path)
    ]
    assert len(paths) > 20
    assert all(isinstance(one, FilePath) for one in paths)
