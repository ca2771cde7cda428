"""The simulated vendors over real HTTP: one loopback port, each vendor below its name."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from opsync.sandbox.control import Control
from opsync.sandbox.courier import Courier
from opsync.sandbox.vendor import Vendor

CONTROL = "_sandbox"
"""The path of the control interface."""
_START_S = 10.0
_STOP_S = 2.0


class Mounts:
    """An ASGI app that hands `/{name}/…` to the app of that name, without the prefix.

    The inner path is also kept as `vendor_path` in the scope. Anything else is 404.
    """

    def __init__(self, apps: Mapping[str, ASGIApp]) -> None:
        self._apps = dict(apps)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        _, _, below = scope["path"].partition("/")
        name, slash, rest = below.partition("/")
        app = self._apps.get(name)
        if app is None:
            await PlainTextResponse("no such vendor", 404)(scope, receive, send)
            return
        path = slash + rest or "/"
        raw = scope.get("raw_path") or b""
        inner = raw[len(name) + 1 :] or b"/"
        await app(dict(scope, path=path, raw_path=inner, vendor_path=path), receive, send)


class SandboxServer:
    """Serves the vendors from a thread with an event loop of its own, on loopback.

    Use it as a context manager, or `start` and `stop` it. `port` 0 takes a free one; `port` and
    `url` are right once it runs. OSError: the port is taken.
    """

    def __init__(
        self, vendors: Mapping[str, Vendor], *, port: int = 0, host: str = "127.0.0.1"
    ) -> None:
        self.vendors = dict(vendors)
        self.host = host
        self.port = port
        apps: dict[str, ASGIApp] = {name: vendor.app for name, vendor in vendors.items()}
        self._app = Mounts(apps | {CONTROL: Control(self.vendors).app})
        self._courier = Courier(self.vendors.values())
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address without a trailing slash; a vendor is at `{url}/{name}`."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Begin to serve; returns when connections are accepted."""
        if self._thread is not None:
            raise RuntimeError("the sandbox runs already")
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.host, self.port))
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=_serve, args=(server, listener), name="opsync-sandbox", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _START_S
        while not server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.005)
        self._courier.start()

    def stop(self) -> None:
        """End: open requests get a second to finish. Does nothing when it does not run."""
        self._courier.stop()
        server, thread = self._server, self._thread
        if server is None or thread is None:
            return
        server.should_exit = True
        thread.join(_STOP_S)
        if thread.is_alive():
            server.force_exit = True
            thread.join(_STOP_S)
        self._server = self._thread = None

    def serve_forever(self, on_ready: Callable[[str], None] | None = None) -> None:
        """Serve until the process is interrupted; `on_ready` is told the address once."""
        self.start()
        try:
            if on_ready is not None:
                on_ready(self.url)
            with contextlib.suppress(KeyboardInterrupt):
                while self._thread is not None and self._thread.is_alive():
                    self._thread.join(0.5)
        finally:
            self.stop()

    def __enter__(self) -> SandboxServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    try:
        asyncio.run(server.serve(sockets=[listener]))
    finally:
        listener.close()
