"""Bringing Harbor up: in this process, or in one of its own that outlives it."""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

PORT = 8790
"""Where `opsync sandbox` and a kept demo listen unless told otherwise."""
LIMIT_FACTOR = 10
"""So many times the vendors' own limits are announced, so that trying things out is quick."""

JIRA_SITE = "https://harbor.atlassian.net"
JIRA_EMAIL = "ana@harbor.example"
JIRA_PROJECTS = ("PAY", "MOB")
JIRA_CANCELED = ("Won't do",)
POSTHOG_PROJECT = "1"
TOKENS = {
    "jira": "sandbox-jira-token",
    "linear": "lin_api_sandbox",
    "notion": "ntn_sandbox",
    "posthog": "phx_sandbox",
}
"""The sandbox's own tokens, by vendor. They open nothing else."""
OTHER_KEYS = {
    "amplitude": "amplitude_sandbox_key with amplitude_sandbox_secret, project 123456",
    "mixpanel": "opsync.000000.mp-service-account with mixpanel-sandbox-secret, project 3141592",
}
"""The same of the tools that see Harbor's use besides, as people are told them."""

_READY_S = 15.0
_STOP_S = 5.0
_LOOK_S = 0.5


@contextlib.contextmanager
def harbor(*, port: int = 0, limit_factor: int = LIMIT_FACTOR) -> Iterator[str]:
    """Serve Harbor from a thread and give its address. OSError: the port is taken."""
    from opsync.sandbox.harbor import build_harbor
    from opsync.sandbox.server import SandboxServer

    world = build_harbor(limit_factor=limit_factor)
    with SandboxServer(world.vendors, port=port) as server:
        yield server.url


def serve(
    *, port: int, limit_factor: int = LIMIT_FACTOR, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve Harbor until this process is interrupted or terminated.

    `on_ready` is told the address once. OSError: the port is taken.
    """
    with (
        contextlib.suppress(KeyboardInterrupt),
        ends_when_told(),
        harbor(port=port, limit_factor=limit_factor) as url,
    ):
        if on_ready is not None:
            on_ready(url)
        while True:
            # A signal just before `signal.pause` would be waited for in vain.
            time.sleep(_LOOK_S)


@contextlib.contextmanager
def ends_when_told() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does: by KeyboardInterrupt, so that all is tidied up."""
    before = signal.signal(signal.SIGTERM, _as_ctrl_c)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    # A running event loop has a handler of its own, which cancels what runs in it.
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(signal.SIGINT, frame)
    else:
        raise KeyboardInterrupt


@dataclass(frozen=True, slots=True)
class Apart:
    """A sandbox in a process of its own."""

    url: str
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End it and wait for it."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_apart(*, port: int, log: Path, limit_factor: int = LIMIT_FACTOR) -> Apart:
    """Start a sandbox that goes on when this process ends; its output goes to `log`.

    Returns when it accepts connections. RuntimeError, with its last words: it did not come up.
    """
    arguments = ["--port", str(port), "--limits", str(limit_factor)]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - this interpreter, with our own arguments
            [sys.executable, "-P", "-m", "opsync.sandbox.launch", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    apart = Apart(f"http://127.0.0.1:{port}", process)
    deadline = time.monotonic() + _READY_S
    while process.poll() is None and time.monotonic() < deadline:
        if _accepts(port):
            return apart
        time.sleep(0.05)
    apart.stop()
    said = log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
    raise RuntimeError(f"the sandbox did not start: {said or 'it says nothing'}")


def free_port(wanted: int = PORT) -> int:
    """`wanted` if nobody listens there, else a free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise OSError("no port is free on 127.0.0.1")


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m opsync.sandbox.launch`: what `start_apart` runs."""
    parser = argparse.ArgumentParser(prog="opsync sandbox")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--limits", type=int, default=LIMIT_FACTOR)
    given = parser.parse_args(arguments)
    serve(port=given.port, limit_factor=given.limits)


if __name__ == "__main__":
    main()
