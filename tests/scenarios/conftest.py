"""The small company that the scenarios play in."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog

from opsync.engine.offline import offline_plan
from opsync.engine.session import open_session
from opsync.runtime import Runtime
from tests.support.measured import Measured
from tests.support.meter import add_meter, days_ago, measures, used
from tests.support.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A company that opsync has never seen."""
    return World(tmp_path)


@pytest.fixture
async def settled(world: World) -> World:
    """The same after its first pass, which wrote everything, and one more, which was silent."""
    first = await world.sync()
    assert first.exit_code == 0
    await world.silent()
    return world


@pytest.fixture
def _logs_as_before() -> Iterator[None]:
    """The command line sets up logging for its whole process, which here is the tests'."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield
    structlog.reset_defaults()
    logger.handlers = handlers
    logger.setLevel(level)


def to_toml(raw: dict[str, Any]) -> str:
    """The configuration as a file; JSON's scalars and arrays are TOML's."""
    mode = json.dumps(raw["links"]["mode"])
    blocks = [f"store = {json.dumps(raw['store'])}", f"links.mode = {mode}"]
    for name, block in raw["instances"].items():
        blocks.append(f"[instances.{name}]")
        for key, value in block.items():
            blocks.append(f"{key} = {_inline(value)}")
    roots = '{ instance = "notion" }'
    blocks.append(f'[[rollup]]\nname = "roadmap"\nmode = {mode}\nroots = {roots}')
    return "\n".join(blocks)


def _inline(value: object) -> str:
    """A value as TOML writes it within a line."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(name)} = {_inline(each)}" for name, each in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return json.dumps(value)


@pytest.fixture
def on_command_line(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _logs_as_before: None
) -> World:
    """The company, with a configuration in the working folder and no network but the simulators."""
    (tmp_path / "opsync.toml").write_text(to_toml(world.raw), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    simulated = partial(open_session, transport=world.net, runtime=Runtime(clock=world.clock))
    monkeypatch.setattr("opsync.cli.onepass.open_session", simulated)
    monkeypatch.setattr("opsync.cli.doctor.open_session", simulated)
    offline = partial(offline_plan, runtime=Runtime(clock=world.clock))
    monkeypatch.setattr("opsync.cli.plan.offline_plan", offline)
    return world


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    """The rule takes the flag from "Flag"; the checkout names one by its key."""
    world = World(tmp_path)
    tool = add_meter(world)
    tool.history.flags["one-tap"] = used(24, released=days_ago(world, 19), after=38)
    tool.flags["12"] = "one-tap"
    measures(world, {"flag_from": "Flag"}, released="Released")
    world.notion.edit_page(world.checkout, "Flag", "one-tap")
    world.notion.edit_page(world.checkout, "Status", "Done")
    world.notion.edit_page(world.checkout, "Released", days_ago(world, 19).isoformat())
    return Measured(world, tool)
