"""Harbor over HTTP in this process, and `opsync serve` beside it as users run it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsync.cli.sandbox_answers import ROADMAP, write_config
from opsync.sandbox.client import SandboxClient
from opsync.sandbox.harbor import Harbor, build_harbor
from opsync.sandbox.launch import ends_when_told, free_port
from opsync.sandbox.server import SandboxServer

MAIN = "import sys; from opsync.cli import main; main(sys.argv[1:])"
READY_S = 30.0
END_S = 30.0
"""After so long the service is killed; what it may take is asked by who measures."""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Told:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """What it said to programs."""
        return json.loads(self.out)


class Live:
    """A configuration, the service that holds its store, and commands beside it."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.store = config.parent / "opsync.db"
        self.log = config.parent / "service.log"
        self.port = free_port(0)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    def configure(self, text: str = "") -> None:
        """Add the service's block, and `text` behind it, to the configuration."""
        block = f'\n[service]\nlisten = "127.0.0.1:{self.port}"\npublic_url = "{self.url}"\n'
        with self.config.open("a", encoding="utf-8") as file:
            file.write(block + text)

    def every(self, minutes: int) -> None:
        """Have each connection read so often."""
        text = self.config.read_text(encoding="utf-8")
        text = re.sub(r"(?m)^(connector = .*)$", rf'\1\nevery = "{minutes}m"', text)
        self.config.write_text(text, encoding="utf-8")

    def opsync(self, *words: str | Path, timeout_s: float = 120.0) -> Told:
        """A command with this configuration, from its start to its end."""
        done = subprocess.run(
            [*_command(*words), "--config", str(self.config)],
            env=_env(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Told(done.returncode, done.stdout, done.stderr)

    def start(self) -> None:
        """Start the service and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*_command("serve"), "--config", str(self.config)],
                env=_env(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if not until(lambda: self.get("/healthz") == 200, READY_S):
            self.kill()
            raise SystemExit(f"the service did not start:\n{self.log.read_text()[-2000:]}")

    def stop(self) -> tuple[float, int]:
        """SIGTERM: how long it took to end, and its exit code."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        return time.monotonic() - began, code

    def kill(self) -> None:
        """End it, however it is."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def hang_up(self) -> None:
        """SIGHUP: it takes a changed configuration."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    # --- What it says

    def get(self, path: str, timeout_s: float = 10.0) -> int:
        """The status of a page; 0 for no answer."""
        return self.page(path, timeout_s)[0]

    def page(self, path: str, timeout_s: float = 10.0) -> tuple[int, str]:
        """A page's status and text."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self.url + path, timeout=timeout_s) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(errors="replace")
        except OSError:
            return 0, ""

    def metrics(self) -> dict[str, float]:
        """Each series of /metrics with its value."""
        _, text = self.page("/metrics")
        rows = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in rows}

    # --- What the kernel says of it

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    def rss_mib(self, figure: str = "VmRSS") -> float:
        """Its memory; `VmHWM` is the peak."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{figure}:"):
                return int(line.split()[1]) / 1024
        raise SystemExit("the kernel tells nothing of the service: it ended")

    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def processor_s(self) -> float:
        """How long it was on a processor so far, with all threads."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICKS

    def wal_mib(self) -> float:
        """The size of the store's log of pages."""
        wal = Path(f"{self.store}-wal")
        return wal.stat().st_size / 2**20 if wal.exists() else 0.0

    # --- Change signals

    def register(self, sandbox: SandboxServer) -> None:
        """Set change signals up at all tools; what people click in Notion is clicked here."""
        self._webhooks("register")
        _control(sandbox, {"do": "subscribe", "url": f"{self.url}/hooks/notion"})
        token = ""

        def came() -> bool:
            nonlocal token
            token = self._webhooks("list", "notion")["notion"]["token"]
            return bool(token)

        if not until(came, READY_S):
            raise SystemExit("Notion's token never came")
        _control(sandbox, {"do": "verify", "token": token})
        found = self._webhooks("list")
        wrong = {name: one["state"] for name, one in found.items() if one["state"] != "on"}
        # It says so as soon as a delivery came.
        wrong.pop("notion", None)
        if wrong:
            raise SystemExit(f"not set up: {wrong}")

    def _webhooks(self, *words: str) -> dict[str, Any]:
        told = self.opsync("webhooks", *words, "--json")
        try:
            return {one["connection"]: one for one in told.json()["webhooks"]}
        except ValueError:
            raise SystemExit(f"webhooks {words[0]}: {told.out}{told.err}") from None


@contextmanager
def living(
    folder: Path, *, prepare: Callable[[Harbor], None] = lambda world: None
) -> Iterator[tuple[Harbor, SandboxServer, Live]]:
    """Harbor, its server and a configuration for it; the service is not started yet. `prepare` is
    given Harbor before it is served."""
    world = build_harbor(limit_factor=10)
    prepare(world)
    with ends_when_told(), SandboxServer(world.vendors) as server:
        live = Live(folder / "opsync.toml")
        with SandboxClient(server.url) as client:
            write_config(live.config, server.url, client.data_source(ROADMAP))
        try:
            yield world, server, live
        finally:
            live.kill()


def until(true: Callable[[], bool], patience_s: float, every_s: float = 0.05) -> bool:
    """Wait until something is true; whether it was so in time."""
    deadline = time.monotonic() + patience_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


def load() -> str:
    """How busy the machine is, for whoever reads the figures."""
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def _command(*words: str | Path) -> list[str]:
    return [sys.executable, "-P", "-c", MAIN, *map(str, words)]


def _env() -> Mapping[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("OPSYNC_")}


def _control(sandbox: SandboxServer, what: dict[str, str]) -> None:
    """What a person clicks in Notion."""
    sandbox.vendors["notion"].poke_webhook(what.pop("do"), what)
