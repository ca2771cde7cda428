"""A configuration and an empty store, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsync.config import Config, build
from opsync.store import Store, inline
from tests.support.clock import FakeClock
from tests.support.world import World


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    world = World(tmp_path_factory.mktemp("world"))
    world.add_second_jira()
    return build(world.raw)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without anything: to copy it is quicker than to make one."""
    path = tmp_path_factory.mktemp("empty") / "opsync.db"
    Store.open(path, clock=FakeClock(), executor=inline)._database.close()
    return path
