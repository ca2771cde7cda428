"""Hands: one at a time works with an instance, in the order in which they asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import pytest

from opsync.service.hands import Hands

T = TypeVar("T")


def played(story: Awaitable[T]) -> T:
    async def main() -> T:
        async with asyncio.timeout(5):
            return await story

    return asyncio.run(main())


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_whoever_asks_first_has_it_first() -> None:
    async def story() -> list[str]:
        hands, had = Hands(["jira"]), list[str]()

        async def one(name: str) -> None:
            await hands.take("jira", name)
            had.append(name)
            await asyncio.sleep(0)
            assert hands.doing == {"jira": name}
            hands.release("jira")

        await asyncio.gather(*(one(name) for name in "abcde"))
        assert hands.doing == {}
        return had

    assert played(story()) == list("abcde")


def test_only_what_nobody_works_with_is_free() -> None:
    async def story() -> None:
        hands = Hands(["jira", "linear", "notion"])
        await hands.take("linear", "read")
        assert hands.take_free("written") == {"jira", "notion"}
        assert hands.take_free("written") == frozenset()
        hands.release("jira")
        assert hands.take_free("written") == {"jira"}

    played(story())


def test_who_gives_up_waiting_holds_nothing_and_stops_nobody_behind() -> None:
    async def story() -> None:
        hands = Hands(["jira"])
        await hands.take("jira", "read")
        second = asyncio.ensure_future(hands.take("jira", "second"))
        third = asyncio.ensure_future(hands.take("jira", "third"))
        await _turns()
        second.cancel()
        await _turns()
        hands.release("jira")
        await third
        assert hands.doing == {"jira": "third"}

    played(story())


def test_who_gives_up_just_as_it_has_it_passes_it_on() -> None:
    async def story() -> None:
        hands = Hands(["jira"])
        await hands.take("jira", "read")
        second = asyncio.ensure_future(hands.take("jira", "second"))
        third = asyncio.ensure_future(hands.take("jira", "third"))
        await _turns()
        hands.release("jira")
        second.cancel()
        await third
        assert hands.doing == {"jira": "third"}
        hands.release("jira")
        assert hands.doing == {}

    played(story())


def test_all_are_had_but_for_those_that_stay_in_use() -> None:
    async def story() -> None:
        hands = Hands(["jira", "linear", "notion"])
        await hands.take("linear", "written")
        assert await hands.take_all("a command", 0.01) == {"jira", "notion"}
        hands.release("linear")
        await _turns()
        assert "linear" not in hands.doing, "the command does not wait for it any more"

    played(story())


def test_it_is_told_who_stays_in_use_and_nothing_is_held_meanwhile() -> None:
    async def story() -> None:
        hands = Hands(["jira", "linear", "notion"])
        await hands.take("jira", "read")
        await hands.take("linear", "read")
        waits = asyncio.ensure_future(hands.in_use(["jira", "linear", "notion"], 0.05))
        await _turns()
        assert hands.doing == {"jira": "read", "linear": "read"}
        behind = asyncio.ensure_future(hands.take("jira", "written"))
        await _turns()
        hands.release("jira")
        await behind
        assert await waits == {"linear"}
        assert hands.doing == {"jira": "written", "linear": "read"}
        hands.release("linear")
        assert "linear" not in hands.doing, "nobody waits for it any more"
        assert await hands.in_use([], 1) == frozenset()

    played(story())


def test_only_some_are_had_where_only_some_are_wanted() -> None:
    async def story() -> None:
        hands = Hands(["jira", "linear"])
        await hands.take("linear", "read")
        assert await hands.take_all("a command", 0.01, ["jira"]) == {"jira"}
        assert await hands.take_all("a command", 0.01, ["linear"]) == frozenset()
        assert hands.doing == {"jira": "a command", "linear": "read"}

    played(story())


def test_a_command_that_is_given_up_holds_nothing() -> None:
    async def story() -> None:
        hands = Hands(["jira", "linear"])
        await hands.take("linear", "written")
        command = asyncio.ensure_future(hands.take_all("a command", 60))
        await _turns()
        assert hands.doing["jira"] == "a command"
        command.cancel()
        with pytest.raises(asyncio.CancelledError):
            await command
        await _turns()
        assert hands.doing == {"linear": "written"}
        hands.release("linear")
        assert hands.doing == {}

    played(story())


def test_with_another_configuration_whoever_holds_or_waits_goes_on() -> None:
    async def story() -> None:
        hands = Hands(["jira", "linear"])
        await hands.take("jira", "written")
        await hands.take("linear", "written")
        waits = asyncio.ensure_future(hands.take("jira", "read"))
        await _turns()
        hands.settle(["jira", "notion"])
        assert hands.take_free("written") == {"notion"}, "the others are held as before"
        hands.release("jira")
        hands.release("linear")
        await waits
        assert hands.doing == {"jira": "read", "notion": "written"}

    played(story())
