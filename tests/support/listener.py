"""A listener on loopback that keeps what it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread

Posted = tuple[str, dict[str, str], bytes]
"""Path, headers and body of a request."""


class Received:
    """What came, answered with `status`."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.posts: list[Posted] = []
        self.came = Condition()

    def wait(self, fits: Callable[[Posted], bool] = lambda _: True) -> Posted:
        """The first that fits, of those that came or come within some seconds."""
        with self.came:
            found = self.came.wait_for(lambda: any(map(fits, self.posts)), 10)
            assert found, f"{len(self.posts)} came, and none like this"
            return next(filter(fits, self.posts))


@contextmanager
def listening(received: Received) -> Iterator[str]:
    """Listen, at the address that is given."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with received.came:
                received.posts.append((self.path, dict(self.headers.items()), body))
                received.came.notify_all()
            self.send_response(received.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
