"""Nudges: whatever comes is folded, and nothing of it is forgotten."""

from __future__ import annotations

import asyncio

import pytest

from opsync.model import Ref
from opsync.service.nudges import MOST, Nudge, Nudges

A, B = Ref("jira", "issue", "1"), Ref("jira", "issue", "2")


def test_what_is_told_twice_is_looked_at_once() -> None:
    nudges = Nudges(["jira"])
    nudges.tell("jira", [A])
    nudges.tell("jira", [A, B])
    assert nudges.waiting == {"jira": 2}
    assert nudges.take("jira") == Nudge(frozenset({A, B}))
    assert nudges.take("jira").is_empty


@pytest.mark.parametrize("last", [False, True])
def test_what_changed_as_a_whole_covers_each_item(last: bool) -> None:
    nudges = Nudges(["jira"])
    for whole in (not last, last):
        nudges.tell("jira", [] if whole else [A], whole=whole)
    assert nudges.take("jira") == Nudge(whole=True)


def test_more_than_are_worth_looking_up_are_read_as_a_whole() -> None:
    nudges = Nudges(["jira"])
    many = [Ref("jira", "issue", str(number)) for number in range(MOST)]
    nudges.tell("jira", many)
    assert nudges.waiting == {"jira": MOST}
    nudges.tell("jira", [Ref("jira", "issue", "one more")])
    assert nudges.take("jira") == Nudge(whole=True)


def test_only_the_instance_that_is_meant_wakes() -> None:
    async def story() -> None:
        nudges = Nudges(["jira", "linear"])
        jira, linear = (asyncio.ensure_future(nudges.wait(name)) for name in ("jira", "linear"))
        nudges.tell("linear")
        await asyncio.sleep(0)
        assert not jira.done(), "nothing was told"
        assert not linear.done(), "a word that names nothing wakes nobody"
        nudges.tell("jira", whole=True)
        await asyncio.sleep(0.01)
        assert (jira.done(), linear.done()) == (True, False)
        linear.cancel()

    asyncio.run(story())


def test_an_instance_that_is_not_configured_is_left_out() -> None:
    nudges = Nudges(["jira"])
    nudges.tell("linear", [A])
    assert nudges.waiting == {"jira": 0}


def test_with_another_configuration_what_was_told_is_still_looked_at() -> None:
    async def story() -> None:
        nudges = Nudges(["jira", "linear"])
        nudges.tell("jira", [A])
        nudges.tell("linear", whole=True)
        nudges.settle(["jira", "notion"])
        assert nudges.waiting == {"jira": 1, "notion": 0}
        await asyncio.wait_for(nudges.wait("jira"), 5)
        assert nudges.take("jira") == Nudge(frozenset({A}))

    asyncio.run(story())
