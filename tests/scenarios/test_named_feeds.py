"""Feeds that are read only while something names what they hold, and records known by address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsync.errors import SignInError, TemporaryError
from opsync.model import Kind, Record, Ref
from tests.support.meter import SITE, MeterTool, add_meter
from tests.support.world import World, of

FLAG, INSIGHT = f"{SITE}/flags/12", f"{SITE}/insights/abc"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def tool(world: World) -> MeterTool:
    tool = add_meter(world)
    tool.flags |= {"12": "one-tap", "13": "loyalty"} | {str(n): f"flag {n}" for n in range(20, 40)}
    tool.insights["abc"] = "Payouts a day"
    return tool


async def stored(world: World) -> dict[str, Record]:
    """What is stored of the tool and lives, by stream and id."""
    async with world.session() as session:
        found = [
            one
            for kind in (Kind.metric, Kind.product)
            for one in await session.store.roots(
                instance="meter", kind=kind, space=None, stream=None
            )
        ]
    return {f"{one.ref.stream}:{one.ref.id}": one for one in found}


async def linked(world: World) -> set[tuple[Ref, Ref]]:
    flags = [one.ref for one in (await stored(world)).values()]
    async with world.session() as session:
        found = await session.store.target_inputs(flags)
    return {(link.one, link.two) for inputs in found for link in inputs.links}


async def test_while_nothing_is_named_it_is_not_read(world: World, tool: MeterTool) -> None:
    await world.sync()
    assert tool.requests == []
    assert set(await stored(world)) == {"project:1"}


async def test_it_is_read_in_the_pass_in_which_the_naming_record_arrives(
    world: World, tool: MeterTool
) -> None:
    await world.sync()
    world.linear.poke_edit("GRO-3", "description", f"Behind {FLAG}")
    await world.sync()
    assert tool.requests == ["flags"]
    assert {"flag:12", "flag:13"} <= set(await stored(world))
    flag, issue = (await stored(world))["flag:12"].ref, (await world.record("GRO-3")).ref
    assert await linked(world) == {(issue, flag)}


@pytest.mark.slow
async def test_what_nobody_names_any_more_is_dropped_without_suspicion(
    world: World, tool: MeterTool
) -> None:
    """Many records at once, which is suspicious otherwise."""
    world.linear.poke_edit("GRO-3", "description", f"Behind {FLAG}")
    await world.sync()
    world.linear.poke_edit("GRO-3", "description", "Behind nothing")
    report = await world.sync()
    assert of(report, "meter").missing == len(tool.flags)
    assert (of(report, "meter").trouble, report.exit_code) == ("", 0)
    assert set(await stored(world)) == {"project:1"}
    tool.forget()
    await world.silent()
    assert tool.requests == []
    world.linear.poke_edit("GRO-3", "description", f"Behind {FLAG} again")
    await world.sync()
    assert "flag:12" in await stored(world)


async def test_a_flag_that_was_removed_is_gone(world: World, tool: MeterTool) -> None:
    world.linear.poke_edit("GRO-3", "description", f"Behind {FLAG}")
    await world.sync()
    del tool.flags["13"]
    report = await world.sync()
    assert of(report, "meter").missing == 1
    assert "flag:13" not in await stored(world)


async def test_an_empty_list_where_many_were_known_is_suspicious(
    world: World, tool: MeterTool
) -> None:
    world.linear.poke_edit("GRO-3", "description", f"Behind {FLAG}")
    await world.sync()
    tool.flags.clear()
    report = await world.sync()
    assert of(report, "meter").trouble == "stopped"
    assert "flag:12" in await stored(world)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("error", "trouble", "code"),
    [
        (TemporaryError("down"), "incomplete", 1),
        (SignInError("refused"), "sign-in", 3),
        (ZeroDivisionError("a fault"), "plugin", 1),
    ],
)
async def test_a_failure_is_told_and_concludes_nothing(
    world: World, tool: MeterTool, error: Exception, trouble: str, code: int
) -> None:
    world.linear.poke_edit("GRO-3", "description", f"Behind {FLAG}")
    await world.sync()

    def fail(request: str) -> None:
        raise error

    tool.before = fail
    world.jira.poke_move("PAY-3", "done")
    report = await world.sync()
    assert (of(report, "meter").trouble, report.exit_code) == (trouble, code)
    assert "flag:12" in await stored(world)
    assert world.checkout.text("Delivery").startswith("3 of 5 done")
    tool.before = lambda request: None
    report = await world.sync()
    assert report.exit_code == 0


async def test_after_a_pass_without_the_tool_the_next_one_reads_it(
    world: World, tool: MeterTool
) -> None:
    await world.sync()
    world.linear.poke_edit("GRO-3", "description", f"Behind {FLAG}")
    await world.sync(only=frozenset({"linear"}))
    assert tool.requests == []
    await world.sync()
    flag, issue = (await stored(world))["flag:12"].ref, (await world.record("GRO-3")).ref
    assert await linked(world) == {(issue, flag)}


# What is known by its address alone ------------------------------------------------------------


async def test_a_record_by_address_is_stored_once_and_linked(world: World, tool: MeterTool) -> None:
    world.linear.poke_edit("GRO-3", "description", f"See {INSIGHT}")
    await world.sync()
    insight = (await stored(world))["insight:abc"]
    assert (insight.title, insight.url) == ("Payouts a day", INSIGHT)
    issue = (await world.record("GRO-3")).ref
    assert await linked(world) == {(issue, insight.ref)}
    assert tool.requests == ["insight"]
    await world.silent()
    await world.silent(full=True)
    assert tool.requests == ["insight"]
    assert (await stored(world))["insight:abc"] == insight


async def test_a_second_record_that_names_it_asks_for_nothing(
    world: World, tool: MeterTool
) -> None:
    world.linear.poke_edit("GRO-3", "description", f"See {INSIGHT}")
    await world.sync()
    world.linear.poke_edit("GRO-2", "description", f"See {INSIGHT} too")
    await world.sync()
    assert tool.requests == ["insight"]
    assert len(await linked(world)) == 2


@pytest.mark.parametrize(
    "url", [f"{SITE}/insights/nope", "https://elsewhere.example/insights/abc", f"{SITE}/insights/"]
)
async def test_a_wrong_address_makes_nothing(world: World, tool: MeterTool, url: str) -> None:
    world.linear.poke_edit("GRO-3", "description", f"See {url}")
    report = await world.sync()
    assert report.exit_code == 0
    assert set(await stored(world)) == {"project:1"}
    assert await linked(world) == set()


async def test_an_answer_for_another_instance_overwrites_nothing(
    world: World, tool: MeterTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.sync()
    before = await world.record("PAY-2")
    found = {"insight:abc": Record(ref=before.ref, kind=Kind.metric, title="Somebody else's")}

    async def resolve(connector: object, aliases: object) -> dict[str, Any]:
        return found

    monkeypatch.setattr("tests.support.meter.Meter.resolve", resolve)
    world.linear.poke_edit("GRO-3", "description", f"See {INSIGHT}")
    await world.sync()
    assert (await world.record("PAY-2")).title == before.title


@pytest.mark.sampled
@pytest.mark.parametrize("answer", [{"insight:abc": "no record"}, ["insight:abc"], None])
async def test_an_answer_that_is_none_is_asked_for_again(
    world: World, tool: MeterTool, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(connector: object, aliases: object) -> Any:
        return answer

    world.linear.poke_edit("GRO-3", "description", f"See {INSIGHT}")
    with monkeypatch.context() as patch:
        patch.setattr("tests.support.meter.Meter.resolve", resolve)
        report = await world.sync()
    assert not of(report, "linear").trouble
    await world.sync()
    assert "insight:abc" in await stored(world)
