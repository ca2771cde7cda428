"""Bad days of the service: it stays up, says why it cannot work, and does the work later."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable

import httpx
import pytest

from opsync.service import running
from tests.service.beside import Beside, until
from tests.support.world import HOSTS


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again soon."""
    monkeypatch.setattr(running, "AGAIN_S", 0.05)


def is_told(company: Beside, *words: str) -> Callable[[], bool]:
    """Whether /readyz is red and says so, while /healthz is green."""

    def told() -> bool:
        answer = company.see("/readyz")
        said = " ".join(answer.json()["reasons"])
        return answer.status_code == 503 and all(word in said for word in words)

    assert company.see("/healthz").status_code == 200
    return told


def read_all(company: Beside) -> None:
    """Have every connection read now."""
    for name in company.world.vendors:
        company.do(company.process.surface.read_now(name))


@pytest.mark.slow
def test_an_unreachable_vendor_holds_up_nobody_and_is_read_later(served: Beside) -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route", request=request)

    world = served.world
    world.net.before[HOSTS["linear"]] = unreachable
    world.jira.edit("MOB-3", status="Done")
    world.linear.set_state("GRO-2", "Done")
    read_all(served)

    until(lambda: "2 of 2" in served.delivery(world.loyalty), "the others are in step")
    world.clock.advance(3 * 3600)
    until(is_told(served, "linear was not read"))
    del world.net.before[HOSTS["linear"]]
    read_all(served)

    until(lambda: "3 of 5" in served.delivery(world.checkout))
    until(lambda: served.reasons() == [])


def test_a_full_disk_is_told_and_what_could_not_be_kept_is_done_later(
    served: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, store = served.world, served.process.service.session.store
    full = True
    begin = store.begin_run

    async def begin_run(command: str) -> int:
        if full:
            from opsync.errors import StoreError

            raise StoreError(f"the store cannot be written: {OSError(errno.ENOSPC, 'full')}")
        return await begin(command)

    monkeypatch.setattr(store, "begin_run", begin_run)
    world.jira.edit("PAY-3", status="Done")
    read_all(served)

    until(is_told(served, "cannot be written"))
    assert served.see("/").status_code == 200
    full = False

    until(lambda: "3 of 5" in served.delivery(world.checkout))
    until(lambda: served.reasons() == [])


@pytest.mark.slow
def test_a_locked_store_is_waited_for(served: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    world = served.world
    other = sqlite3.connect(world.store_path, isolation_level=None)
    other.execute("PRAGMA busy_timeout = 20000")
    other.execute("BEGIN IMMEDIATE")
    try:
        world.jira.edit("PAY-3", status="Done")
        read_all(served)
        until(lambda: served.see("/readyz").status_code == 503)
    finally:
        other.execute("ROLLBACK")
        other.close()

    until(lambda: "3 of 5" in served.delivery(world.checkout))
    until(lambda: served.reasons() == [])


def test_a_plugin_that_breaks_is_told_and_stops_nothing(company: Beside) -> None:
    world = company.world
    plugins = world.folder / "plugins"
    plugins.mkdir()
    (plugins / "broken.py").write_text("import no_such_module\n", encoding="utf-8")
    world.raw["plugins_dir"] = "plugins"
    company.configure()
    with company.serving():
        until(lambda: company.delivery(world.loyalty))
        until(is_told(company, "broken", "failed"))

        (plugins / "broken.py").unlink()
        assert company.opsync("reload").code == 0

        until(lambda: company.reasons() == [])


def test_a_defect_while_deciding_is_told_and_tried_again(
    served: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = served.world
    right = running.decide_round

    async def wrong(*args: object) -> object:
        raise ZeroDivisionError("nobody foresaw it")

    monkeypatch.setattr(running, "decide_round", wrong)
    world.jira.edit("PAY-3", status="Done")
    read_all(served)
    until(is_told(served, "nobody foresaw it"))
    monkeypatch.setattr(running, "decide_round", right)

    until(lambda: "3 of 5" in served.delivery(world.checkout))
    until(lambda: served.reasons() == [])
