"""`opsync serve` in a process of its own: signals, kills, and change signals from the tools."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from subprocess import Popen

import httpx
import pytest

from tests.crash.served import Served, serve_world
from tests.crash.standing import Standing
from tests.support.processes import kill, run, running, wait
from tests.support.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PATIENCE_S = 60.0
DRAIN_S = 10.0


def until(true: Callable[[], object], what: str) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def free_port() -> int:
    """One that nobody listens at now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def asked(url: str) -> httpx.Response | None:
    """The answer, if there is one."""
    try:
        return httpx.get(url, trust_env=False, timeout=10)
    except httpx.TransportError:
        return None


@pytest.fixture
def port(company: World) -> int:
    """Where the service listens, as configured."""
    found = free_port()
    company.raw["service"] = {"listen": f"127.0.0.1:{found}"}
    # Where one tool takes longer to read than the others, a link comes before what it sums up.
    company.raw["limits"] = {"rewrite_pause_minutes": 0}
    return found


@pytest.fixture
def served(company: World, port: int) -> Iterator[Served]:
    """The company over HTTP, with the service configured."""
    with serve_world(company) as served:
        yield served


@contextmanager
def serving(served: Served, port: int) -> Iterator[Popen[str]]:
    """The service, once it answers."""
    with running("serve", "--config", served.config) as process:
        until(
            lambda: process.poll() is not None or asked(f"http://127.0.0.1:{port}/healthz"),
            "it never answered",
        )
        assert process.poll() is None, process.communicate()
        yield process


def stands(served: Served, wanted: Standing) -> Callable[[], bool]:
    """Whether all is as it should be."""
    return lambda: served.standing() == wanted


def test_sigterm_lets_it_end_in_time_and_well(served: Served, wanted: Standing, port: int) -> None:
    with serving(served, port) as process:
        until(stands(served, wanted), "not everything was written")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        ended = wait(process)

    assert ended.code == 0, ended
    assert time.monotonic() - began < DRAIN_S
    assert "service.stopping" in ended.err
    served.check_repair(wanted)


def test_sigterm_in_the_midst_of_a_write_gives_it_its_time_and_loses_nothing(
    served: Served, wanted: Standing, port: int
) -> None:
    served.gate.set(lambda method, path, body: method == "PATCH", nth=2)
    with serving(served, port) as process:
        served.gate.wait()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        ended = wait(process)

    assert ended.code == 0, ended
    assert time.monotonic() - began < DRAIN_S + 5
    served.check_repair(wanted)


def test_a_kill_in_the_midst_of_a_write_loses_nothing(
    served: Served, wanted: Standing, port: int
) -> None:
    served.gate.set(lambda method, path, body: method == "PATCH", nth=2)
    with serving(served, port) as process:
        served.gate.wait()
        kill(process)
    with serving(served, port) as process:
        until(stands(served, wanted), "the next one does not go on")
        process.send_signal(signal.SIGTERM)
        assert wait(process).code == 0
    served.check_repair(wanted)


def test_sighup_takes_another_configuration_or_tells_why_not(
    served: Served, wanted: Standing, port: int
) -> None:
    right = served.config.read_text(encoding="utf-8")
    ready = f"http://127.0.0.1:{port}/readyz"
    with serving(served, port) as process:
        until(stands(served, wanted), "not everything was written")
        served.config.write_text(f"sory = 1\n{right}", encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        until(lambda: "sory: unknown key" in httpx.get(ready).text, "it was not refused")

        served.config.write_text(right.replace('"apply"', '"observe"'), encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        until(lambda: "sory" not in httpx.get(ready).text, "it was not taken")
        # The same configuration as the command's, or it would be refused.
        assert run(*served.sync).code == 0

        process.send_signal(signal.SIGTERM)
        assert wait(process).code == 0


def test_a_change_signal_has_it_written_at_the_other_tool_at_once(
    company: World, served: Served, wanted: Standing, port: int
) -> None:
    here = f"http://127.0.0.1:{port}"
    with serving(served, port) as process:
        until(stands(served, wanted), "not everything was written")
        for name in ("jira-main", "linear"):
            made = run("webhooks", "register", name, "--url", here, "--config", served.config)
            assert made.code == 0, made
        assert run("reload", "--config", served.config).code == 0

        began = time.monotonic()
        company.jira.edit("PAY-3", status="Done")
        until(lambda: "3 of 5" in str(company.checkout.cell("Delivery")), "Jira's was not heard")
        took = time.monotonic() - began
        company.linear.set_state("GRO-2", "Done")
        until(lambda: "4 of 5" in str(company.checkout.cell("Delivery")), "Linear's was not heard")

        process.send_signal(signal.SIGTERM)
        assert wait(process).code == 0
    # Reads are two minutes apart: no read by itself can have found it.
    assert took < PATIENCE_S
