"""Commands beside a running service: it does what they ask for, or leaves the store to them."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from opsync.service.asks import socket_path
from tests.service.beside import Beside, Said, beside, until
from tests.support.world import HOSTS


def proposing(company: Beside) -> Beside:
    """Everything waits for approval."""
    company.world.raw["links"]["mode"] = company.world.raw["rollup"][0]["mode"] = "propose"
    company.configure()
    return company


def alike(text: str) -> set[str]:
    """The lines of a screen without what differs from run to run: places are written at once, and
    named in the order in which they were."""
    text = re.sub(r"#\d+|\b[Rr]un \d+|(?:apply|plan|undo) \d+", "N", text)
    text = re.sub(r"\d+ reads?", "reads", text)
    text = re.sub(r"\d+\.\d s|(?:\w{3} )?\d+ \w{3} \d\d:\d\d", "T", text)
    return {one for one in text.splitlines() if not one.startswith("  ")}


def both(folder: Path, before: Sequence[Sequence[str]], *args: str) -> tuple[Said, Said]:
    """What a command says alone, and beside the service."""
    found = []
    for name in ("alone", "beside"):
        place = folder / name
        place.mkdir()
        with beside(place) as company:
            proposing(company).opsync("sync")
            for one in before:
                company.opsync(*one)
            if name == "alone":
                found.append(company.opsync(*args))
                continue
            with company.serving():
                company.decided()
                found.append(company.opsync(*args))
    return found[0], found[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "args"),
    [
        ((), ("sync",)),
        ((), ("plan",)),
        ((), ("look",)),
        ((("plan",),), ("apply",)),
        ((("plan",), ("apply",)), ("undo",)),
    ],
    ids=lambda one: " ".join(one) if one and isinstance(one[0], str) else "",
)
def test_a_command_says_beside_the_service_what_it_says_alone(
    tmp_path: Path, before: Sequence[Sequence[str]], args: Sequence[str]
) -> None:
    alone, there = both(tmp_path, before, *args)

    assert alike(there.out) == alike(alone.out)
    assert (there.code, alike(there.err)) == (alone.code, alike(alone.err))
    assert alone.out


def test_how_far_it_has_read_is_told_here(served: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsync.cli.progress.PLAIN_EVERY_S", -1.0)

    said = served.opsync("sync", "--full")

    assert "jira-main: 7" in said.err
    assert said.code == 0


def test_a_command_with_another_configuration_is_not_carried_out(served: Beside) -> None:
    served.world.raw["rollup"][0]["mode"] = "observe"
    served.configure()

    for args in (("sync",), ("undo",), ("resolve", "Loyalty"), ("release", "--all", "--keep")):
        said = served.opsync(*args)
        assert said.code == 2, args
        assert "another configuration than this command" in said.err
        assert "opsync reload" in said.err

    assert served.opsync("reload").code == 0
    assert served.opsync("sync").code == 0


def test_what_a_service_refuses_to_carry_out_is_not_approved(company: Beside) -> None:
    """I20"""
    with proposing(company).serving():
        assert "changes wait" in company.opsync("sync").out
        company.world.raw["links"]["mode"] = "observe"
        company.configure()

        said = company.opsync("apply")

        assert (said.code, "another configuration than this command" in said.err) == (2, True)
        assert company.opsync("apply", "--approvals").out == ""
        proposing(company)
        assert company.opsync("apply").code == 0
        assert company.delivery(company.world.loyalty)


def test_what_is_over_a_limit_for_a_service_is_not_approved(company: Beside) -> None:
    """I20"""
    company.world.raw["limits"] = {"creates": 1}
    with proposing(company).serving():
        assert "changes wait" in company.opsync("sync").out

        said = company.opsync("apply")

        assert said.code == 1
        assert "over a limit; that waits for approval still" in said.out
        assert company.opsync("apply", "--approvals").out == ""


@pytest.mark.slow
def test_a_service_that_ends_while_a_command_waits_is_told(company: Beside) -> None:
    held = threading.Event()

    class Hanging(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            held.set()
            await asyncio.sleep(4)
            raise httpx.ReadTimeout("slow", request=request)

    said: list[Said] = []
    with company.serving():
        company.settled()
        company.world.net.hosts[HOSTS["linear"]] = Hanging()
        waiting = threading.Thread(target=lambda: said.append(company.opsync("sync")))
        waiting.start()
        assert held.wait(20)
    waiting.join(20)

    (one,) = said
    assert one.code == 1
    assert "The running service ended before it answered" in one.err
    assert "opsync journal" in one.err


@pytest.mark.sampled
@pytest.mark.parametrize("args", [("sync",), ("plan",), ("look",)], ids=" ".join)
def test_a_connection_that_the_service_does_not_let_go_of_is_told_as_left_out(
    served: Beside, monkeypatch: pytest.MonkeyPatch, args: Sequence[str]
) -> None:
    for module in ("running", "commanding"):
        monkeypatch.setattr(f"opsync.service.{module}.PATIENCE_S", 0.1)
    hands = served.process.service.hands
    served.do(hands.take("linear", "read"))
    try:
        said = served.opsync(*args)
    finally:
        served.loop.call_soon_threadsafe(hands.release, "linear")

    assert said.code == 1
    assert "the running service is at work with it" in said.out
    assert served.opsync("sync").code == 0


def test_what_is_settled_beside_it_is_written_at_once(served: Beside) -> None:
    world = served.world
    world.notion.edit_page(world.checkout, "Delivery", "Ask Ana")
    world.jira.edit("PAY-3", status="Done")
    assert served.opsync("sync").code == 1

    said = served.opsync("resolve", "One-tap checkout", "--ours")

    assert said.code == 0, said
    until(lambda: "3 of 5" in served.delivery(world.checkout))


def test_a_pause_that_ends_is_noticed_at_once(served: Beside) -> None:
    world = served.world
    assert served.opsync("pause").code == 0
    world.jira.edit("PAY-3", status="Done")
    served.opsync("sync")
    assert "2 of 5" in served.delivery(world.checkout)

    assert served.opsync("pause", "--off").code == 0

    until(lambda: "3 of 5" in served.delivery(world.checkout))


def test_a_rule_that_is_approved_is_written_at_once(company: Beside) -> None:
    with proposing(company).serving():
        assert "changes wait" in company.opsync("sync").out
        assert not company.delivery(company.world.loyalty)

        assert company.opsync("apply", "--rule", "roadmap").code == 0

        until(lambda: company.delivery(company.world.loyalty))


def test_a_link_that_is_accepted_counts_at_once(served: Beside) -> None:
    world = served.world

    assert served.opsync("links", "add", "Loyalty", "GRO-3").code == 0

    until(lambda: "of 3" in served.delivery(world.loyalty))


@pytest.mark.sampled
@pytest.mark.parametrize("how", ["--keep", "--remove"])
def test_release_has_the_store_to_itself_meanwhile(served: Beside, how: str) -> None:
    said = served.opsync("release", "--all", how)

    assert said.code == 0, said
    assert bool(served.world.remote_links("PAY-1")) is (how == "--keep")
    assert "owns no" in served.opsync("release", "--all", "--keep").out
    until(lambda: not served.process.service.hands.doing)
    assert bool(served.world.remote_links("PAY-1")) is (how == "--keep")


def test_what_is_set_aside_is_tried_again_beside_it(served: Beside) -> None:
    assert served.opsync("aside", "retry").out == "nothing is set aside\n"


def test_the_service_waits_for_who_has_the_store_and_goes_on_when_they_are_gone(
    served: Beside,
) -> None:
    from opsync.engine.fingerprint import config_digest

    config = config_digest(served.process.surface.config)
    line = f'{{"type":"store","command":"opsync release","config":"{config}"}}\n'
    with socket.socket(socket.AF_UNIX) as mine:
        mine.connect(str(socket_path(served.world.store_path)))
        mine.sendall(line.encode())
        assert b"noted" in mine.recv(100)
        service = served.process.service
        assert set(service.hands.doing.values()) == {"opsync release"}
        served.do(served.process.surface.read_now("linear"))
        time.sleep(0.1)
        assert set(service.hands.doing.values()) == {"opsync release"}
    # It died: nobody said that it is done.
    until(lambda: "opsync release" not in service.hands.doing.values())


@pytest.mark.slow
def test_a_service_that_ends_takes_the_store_back_from_who_has_it(company: Beside) -> None:
    from opsync.engine.fingerprint import config_digest
    from opsync.service.asks import AskedInVain, AskStore, lent

    async def work() -> None:
        wanted = AskStore(command="opsync release", config=digest)
        async with lent(company.world.store_path, wanted):
            lending.set()
            await asyncio.sleep(20)

    lending = threading.Event()
    failed: list[Exception] = []

    def run() -> None:
        try:
            asyncio.run(work())
        except Exception as error:  # noqa: BLE001 - looked at by the test
            failed.append(error)

    with company.serving():
        company.settled()
        digest = config_digest(company.process.surface.config)
        thread = threading.Thread(target=run)
        thread.start()
        assert lending.wait(20)
    thread.join(10)

    assert isinstance(failed[0], AskedInVain)


@pytest.mark.sampled
@pytest.mark.parametrize("command", [("db", "restore", "copy.db"), ("db", "prune"), ("serve",)])
def test_what_cannot_be_done_beside_it_says_what_to_do(
    served: Beside, command: Sequence[str]
) -> None:
    assert served.opsync("db", "backup", "copy.db").code == 0

    said = served.opsync(*command)

    assert said.code == 4
    assert "is held by `opsync serve` (process" in said.err
    assert "It does not end by itself: stop it first." in said.err


@pytest.mark.sampled
@pytest.mark.parametrize("line", [b"{}\n", b'{"type":"dance"}\n', b"\xff\n", b"[1]\n"])
def test_a_request_that_is_none_is_refused_and_harms_nothing(served: Beside, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as mine:
        mine.connect(str(socket_path(served.world.store_path)))
        mine.sendall(line)
        assert b"does not understand" in mine.recv(1000)

    assert served.opsync("sync").code == 0
