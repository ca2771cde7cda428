"""What happens around the service: slow tools, open pages, commands, changed configurations."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import threading
import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from bench.live import Live
from opsync.sandbox.harbor import Harbor

PAGES = ("/", "/plan", "/links", "/journal", "/connections", "/metrics", "/healthz", "/readyz")
END_BOUND_S = 10.0
COMMANDS = (
    ("plan", "--json"),
    ("status", "--json"),
    ("sync", "--json"),
    ("journal", "--limit", "5"),
    ("reload",),
)
FINE = (0, 1)
"""Exit codes of commands while tools are in trouble."""
MISTAKE = "\n[instances.nowhere]\nconnector = 'no such tool'\n"


def ended(seconds: float, code: int) -> list[str]:
    """What is to be said against how it ended."""
    broken = [] if seconds <= END_BOUND_S else [f"it took {seconds:.1f} s to end"]
    return broken if code == 0 else [*broken, f"it ended with {code}"]


class Slowness:
    """Lets a tool take its time."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[float, float]] = {}

    def before(self, world: Harbor) -> None:
        """Stand before all the tools; to be called before they are served."""
        for name, vendor in world.vendors.items():
            vendor.app.add_middleware(_Slow, slowness=self, name=name)

    def strike(self, name: str, delay_s: float, for_s: float) -> None:
        """Have a tool answer so late, for so long."""
        self._until[name] = (delay_s, time.monotonic() + for_s)

    def heal(self) -> None:
        """All are quick again."""
        self._until.clear()

    def delay_s(self, name: str) -> float:
        """How late it answers now."""
        delay_s, until = self._until.get(name, (0.0, 0.0))
        return delay_s if time.monotonic() < until else 0.0


class _Slow:
    def __init__(self, app: ASGIApp, slowness: Slowness, name: str) -> None:
        self._app = app
        self._slowness = slowness
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (delay_s := self._slowness.delay_s(self._name)) > 0:
            await asyncio.sleep(delay_s)
        # A reload gives up what is being asked; the tool does not mind.
        with contextlib.suppress(ClientDisconnect):
            await self._app(scope, receive, send)


class Around:
    """Opens pages and starts commands beside the service, from threads of its own."""

    def __init__(self, live: Live, rng: random.Random) -> None:
        self._live = live
        self._rng = rng
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._browse, name="pages"),
            threading.Thread(target=self._command, name="commands"),
        ]
        self._right = True
        self._pages, self._commands = threading.Lock(), threading.Lock()
        self.pages = 0
        self.commands = 0
        self.reloads = 0
        self.broken: list[str] = []

    def start(self) -> None:
        """Begin."""
        for one in self._threads:
            one.start()

    def stop(self) -> None:
        """End; what is under way comes to its end. The configuration is right again."""
        self._ended.set()
        for one in self._threads:
            if one.is_alive():
                one.join()
        if not self._right:
            self.hang_up()

    def restart(self) -> None:
        """SIGTERM in the midst of work, and a new start. Meanwhile nobody asks it for anything, nor
        could a command take its place."""
        with self._pages, self._commands:
            if not self._right:
                self.hang_up()
            self.broken += ended(*self._live.stop())
            self._live.start()

    def hang_up(self) -> None:
        """SIGHUP: by turns with a configuration that is wrong, and with the right one."""
        text = self._live.config.read_text(encoding="utf-8")
        if self._right and self.reloads % 3 == 1:
            text += MISTAKE
            self._right = False
        else:
            text = text.removesuffix(MISTAKE)
            self._right = True
        # At once or not at all, as editors do: the commands beside read it too.
        fresh = self._live.config.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o600)
        fresh.replace(self._live.config)
        self._live.hang_up()
        self.reloads += 1

    def _browse(self) -> None:
        while not self._ended.wait(self._rng.uniform(0.3, 1.5)):
            path = self._rng.choice(PAGES)
            with self._pages:
                status = self._live.get(path)
            self.pages += 1
            if not 200 <= status < 400 and (path, status) != ("/readyz", 503):
                self.broken.append(f"{path} was answered with {status}")
            if self.pages % 5 == 0:
                self._listen()

    def _listen(self) -> None:
        """Have a page told of what is new for a moment, and go away without a word."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self._live.port), 5) as line,
        ):
            host = f"127.0.0.1:{self._live.port}"
            line.sendall(f"GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            line.settimeout(5)
            line.recv(100)

    def _command(self) -> None:
        while not self._ended.wait(self._rng.uniform(2.0, 12.0)):
            words = COMMANDS[self.commands % len(COMMANDS)]
            with self._commands:
                right, turns = self._right, self.reloads
                told = self._live.opsync(*words)
                right = right and turns == self.reloads
            self.commands += 1
            if told.code not in FINE and right:
                said = (told.err or told.out).strip().rpartition("\n")[2]
                self.broken.append(f"opsync {words[0]} ended with {told.code}: {said}")
