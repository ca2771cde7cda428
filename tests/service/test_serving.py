"""`opsync serve` from its start to its stop, and a new configuration for it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from opsync.errors import ConfigError, StoreHeld
from opsync.service import serving
from opsync.service.asks import socket_path
from tests.service.beside import Beside, until


@pytest.mark.slow
def test_it_writes_everything_shows_it_and_leaves_nothing_behind(company: Beside) -> None:
    with company.serving() as process:
        company.settled()
        assert "One-tap checkout" in company.see("/").text
        assert company.see("/healthz").json() == {"alive": True}
        until(lambda: company.reasons() == [])
        assert "opsync_passes_total" in company.see("/metrics").text
        path = socket_path(company.world.store_path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    assert not path.exists()
    assert process.service.stopping
    assert company.opsync("sync").code == 0


@pytest.mark.slow
async def test_what_stays_in_memory_is_not_looked_through_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @asynccontextmanager
    async def opened(*_: object, **__: object) -> AsyncIterator[SimpleNamespace]:
        yield SimpleNamespace(surface="surface", reload_soon=lambda: None)

    spared: list[int] = []

    def announce(_: object) -> None:
        spared.append(gc.get_freeze_count())
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(serving, "running", opened)
    given: Any = None
    before = gc.get_freeze_count()
    loop = asyncio.get_running_loop()
    try:
        await serving.serve(given, given, redactor=given, local="cleo", announce=announce)
    finally:
        gc.unfreeze()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)

    assert spared[0] > before + 10_000


def test_another_process_is_refused_and_the_first_is_named(served: Beside) -> None:
    with pytest.raises(StoreHeld, match="held by `opsync serve`"), served.serving():
        pass

    assert served.opsync("sync").code == 0


def test_a_socket_that_a_killed_process_left_is_replaced(company: Beside) -> None:
    path = socket_path(company.world.store_path)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    with company.serving():
        assert company.opsync("sync").code == 0


def test_without_a_service_reload_says_so(company: Beside) -> None:
    said = company.opsync("reload")

    assert said.code == 2
    assert "no service runs on" in said.err


def test_reload_takes_another_pace_and_one_connection_less(served: Beside) -> None:
    served.world.raw["instances"]["jira-main"]["every"] = "7m"
    del served.world.raw["instances"]["linear"]
    served.configure()

    said = served.opsync("reload")

    assert (said.code, said.out) == (0, "The service goes on with: jira-main, notion\n")
    schedule = served.process.service.schedule
    assert schedule.turns.keys() == {"jira-main", "notion"}
    until(lambda: schedule.wait_s("jira-main") > 6 * 60)
    assert served.opsync("sync").code == 0
    assert "linear" not in served.see("/connections").text


def test_reload_takes_a_connection_more(served: Beside) -> None:
    served.world.add_second_jira()
    served.configure()

    assert "jira-ships" in served.opsync("reload").out
    assert "jira-ships: 0 read" in served.opsync("sync").out


def test_reload_says_what_counts_after_a_restart_only(served: Beside) -> None:
    served.world.raw["service"]["drain_s"] = 5
    served.configure()

    assert "service.drain_s counts after a restart" in served.opsync("reload").out


@pytest.mark.slow
def test_a_rule_that_fits_nothing_is_told_everywhere_until_it_does(served: Beside) -> None:
    columns = served.world.raw["rollup"][0]
    columns["properties"] = ["<b>Trackd</b>"]
    served.configure()
    assert served.opsync("reload").code == 0

    what = 'the configuration does not fit what was read: rule "roadmap"'
    until(lambda: any(what in one for one in served.reasons()))
    assert served.see("/readyz").json()["ready"] is True
    page = served.see("/connections").text
    assert "&lt;b&gt;Trackd&lt;/b&gt;&#34;; they do in &#34;Tracked in&#34;" in page
    assert "Configuration does not fit" in served.see("/").text
    status = served.opsync("status").out
    assert ", configuration does not fit\n" in status, "others are as old as the clock is wrong"
    assert '"; they do in "Tracked in"' in status

    columns["properties"] = ["Tracked in"]
    served.configure()
    assert served.opsync("reload").code == 0
    until(lambda: served.reasons() == [])
    assert "does not fit" not in served.see("/connections").text
    assert "does not fit" not in served.opsync("status").out


def test_a_reload_that_only_the_command_cannot_read_is_taken_by_the_service(
    served: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where its secrets are in another environment."""
    del served.world.raw["instances"]["linear"]
    served.configure()

    def unreadable(*args: object, **given: object) -> None:
        raise ConfigError("OPSYNC_NOTION__TOKEN: missing")

    with monkeypatch.context() as patch:
        patch.setattr("opsync.cli.serve.open_config", unreadable)
        said = served.opsync("reload")

    assert (said.code, said.out) == (2, "")
    told = "The service could read it, and goes on with: jira-main, notion\n"
    assert said.err == told + "error: OPSYNC_NOTION__TOKEN: missing\n"
    assert served.reasons() == []


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("sory = 1\n", "sory: unknown key"),
        ("[instances.notion\n", "not valid TOML"),
        ('store = "other.db"\n', "store: another one is used after a restart only"),
        ("instances.linear.connector", 'unknown connector "linaer"; did you mean "linear"?'),
    ],
)
def test_a_wrong_configuration_is_told_everywhere_and_the_old_one_stays(
    served: Beside, wrong: str, told: str
) -> None:
    right = served.file.read_text(encoding="utf-8")
    if wrong.startswith("instances"):
        changed = right.replace('"connector" = "linear"', '"connector" = "linaer"')
    elif wrong.startswith("store"):
        changed = wrong + right.partition("\n")[2]
    else:
        # Behind the line that says where the service is found.
        changed = right.replace("\n", f"\n{wrong}", 1)
    assert changed != right
    served.file.write_text(changed, encoding="utf-8")

    said = served.opsync("reload")

    assert said.code == 2
    if wrong.startswith("store"):
        assert "no service runs on" in said.err, "there it is told by a signal alone"
        served.loop.call_soon_threadsafe(served.process.reload_soon)
    else:
        assert told in said.err
    until(lambda: any(told in one for one in served.reasons()))
    assert served.see("/healthz").status_code == 200
    served.file.write_text(right, encoding="utf-8")
    assert served.opsync("sync").code == 0, "the old one is in force"
    assert served.opsync("reload").code == 0
    assert served.reasons() == []
