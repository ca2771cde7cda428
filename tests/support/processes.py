"""The command line in a process of its own, and a vendor that stops it at a chosen request."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsync.sandbox.vendor import Vendor

MAIN = "import sys; from opsync.cli import main; main(sys.argv[1:])"
PATIENCE_S = 30.0
"""Longer than any pass of these tests takes on a busy machine."""

Matches = Callable[[str, str, bytes], bool]
"""Whether a request is meant, by its method, path and body."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    """Start `opsync …`; nothing of this process's settings reaches it."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("OPSYNC_")}
    return subprocess.Popen(
        [sys.executable, "-P", "-c", MAIN, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=inherited,
        # A shell starts what it runs in the background with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@contextmanager
def running(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """`opsync …` for the length of the block; what still runs then is killed."""
    process = start(*arguments)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            process.communicate()
        for pipe in (process.stdout, process.stderr):
            # One that ended by itself and was not waited for has them open still.
            if pipe is not None:
                pipe.close()


def wait(process: subprocess.Popen[str]) -> Ended:
    """Its end and all that it said. It is killed when it takes too long."""
    try:
        out, err = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"it did not end within {PATIENCE_S:g} s:\n{out}\n{err}") from None
    return Ended(process.returncode, out, err)


def run(*arguments: str | Path) -> Ended:
    """`opsync …` from its start to its end."""
    return wait(start(*arguments))


def kill(process: subprocess.Popen[str]) -> None:
    """`kill -9`: it gets no chance to do anything more."""
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def write_config(path: Path, raw: Mapping[str, Any]) -> Path:
    """A configuration as a TOML file."""
    path.write_text("".join(f"{key} = {_toml(value)}\n" for key, value in raw.items()))
    path.chmod(0o600)
    return path


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items())
        return f"{{ {pairs} }}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)


@dataclass
class Gate:
    """Carries out a chosen request and keeps its answer back, until the asker is gone.

    `set` chooses: the `nth` request that `matches`. `reached` tells that the vendor has carried it
    out. Everything else passes.
    """

    reached: threading.Event = field(default_factory=threading.Event)
    _matches: Matches | None = None
    _left: int = 0

    def set(self, matches: Matches, *, nth: int = 1) -> None:
        """Stop at the `nth` request that `matches`, counted from now."""
        self.reached.clear()
        self._left = nth
        self._matches = matches

    def wait(self) -> None:
        """Until the vendor has carried out the chosen request."""
        assert self.reached.wait(PATIENCE_S), "the chosen request never came"

    def stops(self, method: str, path: str, body: bytes) -> bool:
        """Whether this request is the chosen one; it is chosen once."""
        if self._matches is None or not self._matches(method, path, body):
            return False
        self._left -= 1
        if self._left:
            return False
        self._matches = None
        return True


class Gated:
    """The middleware that puts a gate before a vendor's app."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []
        body = b""
        more = True
        while more:
            message = await receive()
            messages.append(message)
            body += message.get("body", b"")
            more = message.get("more_body", False)

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        if not self._gate.stops(scope["method"], scope["path"], body):
            await self._app(scope, again, send)
            return

        async def keep_back(message: Message) -> None:
            """Nobody hears of it."""

        await self._app(scope, again, keep_back)
        self._gate.reached.set()
        while (await receive())["type"] != "http.disconnect":
            pass


def gate(vendors: Mapping[str, Vendor]) -> Gate:
    """One gate before all the vendors; to be put there before they are served."""
    shared = Gate()
    for vendor in vendors.values():
        vendor.app.add_middleware(Gated, gate=shared)
    return shared
