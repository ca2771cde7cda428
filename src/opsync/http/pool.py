"""What all clients of a process share: the TLS context, the budgets, the redactor."""

from __future__ import annotations

import base64
import binascii
import re
import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from opsync.__about__ import __version__
from opsync.errors import ConfigError
from opsync.http.client import Client
from opsync.http.hosts import Hosts, is_loopback_url
from opsync.http.limits import Budget
from opsync.http.policy import Policy
from opsync.observing import UNOBSERVED, Observer
from opsync.redact import Redactor
from opsync.runtime import Runtime

TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=30.0, pool=10.0)
"""Seconds without progress in each phase; the total is the policy's `total_s`."""
KEEP_ALIVE_S = 15.0

_SECRET_HEADER = re.compile(r"auth|token|secret|key|cookie|signature|password", re.IGNORECASE)
_FIELD_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


class Pool:
    """Makes the clients of one process. `transport` replaces the network, for tests."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        user_agent: str = f"opsync/{__version__}",
        redactor: Redactor | None = None,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self.redactor = redactor if redactor is not None else Redactor()
        self._runtime = runtime
        self._transport = transport
        self._user_agent = user_agent
        self.observer = observer
        self._budgets: dict[str, Budget] = {}
        self._clients: list[Client] = []
        self._tls: ssl.SSLContext | None = None

    def another(self) -> Pool:
        """A pool with nothing in it yet, over the same network, redactor and observer."""
        return Pool(
            self._runtime,
            transport=self._transport,
            user_agent=self._user_agent,
            redactor=self.redactor,
            observer=self.observer,
        )

    def client(self, policy: Policy) -> Client:
        """A client for one instance. ConfigError for an address or a header that cannot be."""
        hosts = Hosts.of(policy.base_url, policy.extra_hosts)
        _check_headers(policy)
        _hide(policy.headers, self.redactor)
        budget = self._budgets.setdefault(policy.credential, Budget(self._runtime.clock))
        budget.expect(policy.limits)
        client = Client(
            policy,
            runtime=self._runtime,
            budget=budget,
            hosts=hosts,
            connect=lambda: self._connect(policy),
            clean=self.redactor.clean,
            observer=self.observer,
        )
        self._clients.append(client)
        return client

    def _connect(self, policy: Policy) -> httpx.AsyncClient:
        if self._tls is None and self._transport is None:
            self._tls = httpx.create_ssl_context()
        return new_http(policy, self._user_agent, tls=self._tls, transport=self._transport)

    async def aclose(self) -> None:
        """Close every client."""
        while self._clients:
            await self._clients.pop().aclose()


def new_http(
    policy: Policy,
    user_agent: str,
    *,
    tls: ssl.SSLContext | None,
    transport: httpx.AsyncBaseTransport | None,
) -> httpx.AsyncClient:
    """An httpx client that keeps no cookies, follows no redirect and asks for gzip at most.

    Proxies and certificates come from the usual variables (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE);
    this machine's own addresses are never asked through a proxy.
    """
    headers = {"user-agent": user_agent, "accept": "application/json", "accept-encoding": "gzip"}
    return httpx.AsyncClient(
        headers={**headers, **{name.lower(): value for name, value in policy.headers.items()}},
        timeout=TIMEOUT,
        limits=httpx.Limits(max_connections=policy.max_concurrent, keepalive_expiry=KEEP_ALIVE_S),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        transport=transport,
        verify=tls if tls is not None else True,
        trust_env=not is_loopback_url(policy.base_url),
        follow_redirects=False,
    )


def _check_headers(policy: Policy) -> None:
    for name, value in policy.headers.items():
        if value != "" and not _FIELD_VALUE.fullmatch(value):
            raise ConfigError(
                f"{policy.instance}: the value for {name} has a line break or a character that no "
                "token has.",
                hint="Copy the token again, without quotes or blanks around it.",
            )


def _hide(headers: Mapping[str, str], redactor: Redactor) -> None:
    """Register the values that sign in, and what Basic carries inside."""
    for name, value in headers.items():
        if not _SECRET_HEADER.search(name):
            continue
        redactor.add(value)
        scheme, _, rest = value.partition(" ")
        if rest:
            redactor.add(rest)
        if scheme.lower() == "basic":
            try:
                pair = base64.b64decode(rest, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                continue
            redactor.add(pair.partition(":")[2])
