"""Two processes on one store, and a process that is told to stop."""

from __future__ import annotations

import signal
import socket
import time

import pytest

from tests.crash.served import Served, any_request
from tests.crash.standing import Standing
from tests.support.processes import kill, run, running, wait

pytestmark = pytest.mark.slow

PROMPT_S = 5.0


def test_the_second_process_on_a_store_is_told_who_holds_it(
    served: Served, wanted: Standing
) -> None:
    """Trouble 3, I19, F48"""
    served.gate.set(any_request, nth=3)
    with running(*served.sync) as first:
        served.gate.wait()

        second = run(*served.sync)

        assert (second.code, second.out) == (4, "")
        assert f"process {first.pid} on {socket.gethostname()}" in second.err
        assert "`opsync sync`" in second.err
        assert "Traceback" not in second.err
        assert first.poll() is None
        kill(first)
    served.check_repair(wanted)


def test_reading_commands_need_no_hold(served: Served) -> None:
    assert run(*served.sync).code == 0
    served.gate.set(any_request, nth=2)
    with running(*served.sync):
        served.gate.wait()
        looked = run("rollups", "--config", served.config)
    assert looked.code == 0, looked
    assert "One-tap checkout" in looked.out


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("point", ["reading", "writing"])
def test_a_signal_ends_a_run_promptly_and_the_next_repairs_it(
    served: Served, wanted: Standing, name: str, point: str
) -> None:
    """F50"""
    if point == "reading":
        served.gate.set(any_request, nth=4)
    else:
        served.gate.set(lambda method, path, body: method == "PATCH")
    with running(*served.sync) as child:
        served.gate.wait()
        told_at = time.monotonic()
        child.send_signal(getattr(signal, name))
        ended = wait(child)

    assert time.monotonic() - told_at < PROMPT_S
    if name == "SIGINT":
        assert (ended.code, ended.err.strip()) == (130, "stopped")
    else:
        # To be killed is safe: nothing has to be said or tidied up.
        assert ended.code in {-signal.SIGTERM, 143}
        assert "Traceback" not in ended.err
    served.check_repair(wanted)
