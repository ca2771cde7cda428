"""Delivers the webhooks of a served sandbox over real HTTP, to this machine only."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from opsync.http.hosts import is_loopback_url
from opsync.sandbox.hooks import Hooks, Post
from opsync.sandbox.vendor import Vendor

IDLE_S = 0.25
"""How long it sleeps when nothing is told; a new event wakes it at once."""
_STOP_S = 10.0


class Courier:
    """A thread that takes what is due at any of the vendors and posts it."""

    def __init__(self, vendors: Iterable[Vendor]) -> None:
        self._routes = [(vendor, vendor.hooks) for vendor in vendors if vendor.hooks is not None]
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to deliver."""
        if not self._routes:
            return
        self._ended.clear()
        for _, hooks in self._routes:
            hooks.woken = self._wake.set
        self._thread = threading.Thread(target=self._run, name="opsync-courier", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the delivery under way."""
        self._ended.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_STOP_S)
            self._thread = None

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.wait(IDLE_S)
            self._wake.clear()
            for vendor, hooks in self._routes:
                with vendor.lock:
                    due = hooks.take()
                for post in due:
                    if self._ended.is_set():
                        return
                    deliver(vendor, hooks, post)


def deliver(vendor: Vendor, hooks: Hooks, post: Post) -> int | None:
    """Post one delivery and note the answer. Nothing leaves this machine: an address elsewhere is
    taken for one that does not answer."""
    with vendor.lock:
        headers, body = hooks.dress(post)
    status = send(post.hook.url, headers, body, hooks.habits.timeout_s)
    with vendor.lock:
        hooks.answered(post, status)
    return status


def send(url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> int | None:
    """The status that a loopback address answers a POST with; None for no answer."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not is_loopback_url(url):
        return None
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        target = parts.path or "/"
        connection.request(
            "POST", f"{target}?{parts.query}" if parts.query else target, body, dict(headers)
        )
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        with contextlib.suppress(OSError):
            connection.close()
