"""The socket beside the store: where it stands, and who can reach it."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from opsync.errors import ConfigError
from opsync.service.asks import AskReload, Reloaded, ask, reached, socket_path
from opsync.service.local import listening
from opsync.service.running import Service
from tests.service.virtual import Virtual


async def _asked(service: Service) -> tuple[Reloaded, int]:
    async def reload() -> Reloaded:
        return Reloaded(("jira",))

    store = service.session.config.store
    async with listening(service, reload) as path:
        assert path == socket_path(store) == store.with_name("opsync.db.sock")
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        done = await ask(store, AskReload())
    assert not path.exists()
    assert isinstance(done, Reloaded)
    return done, stat.S_IMODE(mode)


@pytest.mark.parametrize("folder", ["near", "a" * 60 + "/" + "b" * 60])
def test_it_stands_beside_the_store_for_its_owner_alone(tmp_path: Path, folder: str) -> None:
    # A path that is too long for a socket is reached all the same, and no other place is used.
    place = tmp_path / folder
    place.mkdir(parents=True)
    virtual = Virtual(place)
    found: list[tuple[Reloaded, int]] = []

    async def main() -> None:
        async with virtual.serving() as service:
            found.append(await _asked(service))

    asyncio.run(main())
    assert found == [(Reloaded(("jira",)), 0o600)]


def test_one_that_was_left_behind_is_replaced(tmp_path: Path) -> None:
    virtual = Virtual(tmp_path)

    async def main() -> None:
        async with virtual.serving() as service:
            socket_path(service.session.config.store).touch()
            await _asked(service)

    asyncio.run(main())


def test_a_path_without_a_short_name_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsync.service.asks._HANDLES", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="too long for a socket"), reached(tmp_path / ("a" * 120)):
        pytest.fail("it has no name")
