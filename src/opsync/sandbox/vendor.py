"""What every simulated vendor shares: a clock, faults, a rate budget, and a log of exchanges."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from opsync.sandbox.hooks import Hooks


def utc_now() -> datetime:
    """The wall clock: the sandbox is a world of its own, outside the service's injected time."""
    return datetime.now(UTC)


def to_millisecond(at: datetime) -> datetime:
    """`at` in the grain of the vendors' timestamps: the rest is cut off."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, as they went over the wire."""

    method: str
    path: str
    query: str
    request_body: bytes
    status: int
    answer_body: bytes
    reads: bool
    """True when the request changed nothing (searches by POST and GraphQL queries included)."""
    faulted: bool = False
    """True when a fault made the answer: it need not look like the vendor's documented one."""


@dataclass
class Faults:
    """What goes wrong now. All off by default; tests and `opsync sandbox outage` switch them."""

    outage: bool = False
    """Every request is answered 503 with a plain-text body."""
    outage_until: datetime | None = None
    """When `outage` ends by itself; None: only when it is switched off."""
    html: bool = False
    """Every request is answered 200 with a login page, as a proxy does."""
    refuse_token: bool = False
    """The credential is dead: answered the way this vendor does it."""
    read_only: bool = False
    """Writes are refused for lack of a scope."""
    rate_limit_next: int = 0
    """So many further requests are refused as over the limit."""
    cut_next: int = 0
    """So many further answers end in the middle of their body."""
    lose_next_writes: int = 0
    """So many further writes are carried out and answered 502, as when an answer is lost."""
    deny: set[str] = field(default_factory=set)
    """Remote ids of objects that this credential cannot see; projects and teams by key, too."""
    webhooks_lost: int = 0
    """Of 100 deliveries of change signals, so many are never sent."""
    webhooks_twice: int = 0
    """Of 100, so many are sent three times."""
    webhooks_late_s: int = 0
    """Each is sent so many seconds late."""
    webhooks_reordered: bool = False
    """They are sent in another order, within two seconds."""
    webhooks_forged: int = 0
    """To 100, so many come besides that somebody else signed."""
    missing_scopes: set[str] = field(default_factory=set)
    """What this credential may not do, in the vendor's own words (`Vendor.scopes`)."""


@dataclass
class Budget:
    """A leaky bucket: `per_window` requests in `window_s`, times the sandbox's announced factor."""

    per_window: int
    window_s: float
    now: Callable[[], datetime]
    _taken: deque[datetime] = field(default_factory=deque)

    def take(self) -> float:
        """Take one. Returns 0.0, or the seconds until one is free (nothing is taken then)."""
        now = self.now()
        while self._taken and (now - self._taken[0]).total_seconds() >= self.window_s:
            self._taken.popleft()
        if len(self._taken) >= self.per_window:
            return self.window_s - (now - self._taken[0]).total_seconds()
        self._taken.append(now)
        return 0.0

    @property
    def remaining(self) -> int:
        return max(0, self.per_window - len(self._taken))


class AmbiguousItem(LookupError):
    """Several items carry the name that was asked for; the message lists some of them."""


class Vendor:
    """Base of the simulators. A subclass builds `app` and answers its own error shapes.

    Everything that reads or changes the simulated state holds `lock`: requests run on the server's
    thread, pokes and tests on theirs.
    """

    name = ""
    scopes: ClassVar[tuple[str, ...]] = ()
    """All that a credential here may do, as `Faults.missing_scopes` takes it away."""

    def __init__(self, *, now: Callable[[], datetime] = utc_now, limit_factor: int = 1) -> None:
        self.now = now
        self.limit_factor = limit_factor
        self.lock = threading.RLock()
        self.faults = Faults()
        self.exchanges: deque[Exchange] = deque(maxlen=100_000)
        self.read_requests = 0
        self.write_requests = 0
        self.hooks: Hooks | None = None
        """Its webhooks, where it has any."""
        self.over_budget = 0
        """Requests refused because the caller went over the budget (not by `rate_limit_next`)."""

    @property
    def app(self) -> Starlette:
        """The vendor's HTTP surface, without a mount prefix."""
        raise NotImplementedError

    def start_outage(self, for_s: float | None = None) -> None:
        """Answer 503 to everything, for `for_s` seconds or until `end_outage`."""
        with self.lock:
            self.faults.outage = True
            self.faults.outage_until = (
                None if for_s is None else self.now() + timedelta(seconds=for_s)
            )

    def end_outage(self) -> None:
        """Answer again."""
        with self.lock:
            self.faults.outage = False
            self.faults.outage_until = None

    def counts(self) -> dict[str, int]:
        """How many objects of each sort exist, for people who look at the sandbox."""
        return {}

    def find(self, item: str) -> str | None:
        """The id of the object that `item` names by key, URL or a piece of its title, or None.

        Raises AmbiguousItem when a piece of a title fits several.
        """
        raise NotImplementedError

    def poke_move(self, item: str, to: str) -> str:
        """Move an item as a person would, and say in one sentence what happened.

        `to` is todo, in_progress, done, canceled, or the name of a status. ValueError: no such
        status; LookupError: no such item.
        """
        raise NotImplementedError

    def poke_edit(self, item: str, field: str, value: object) -> str:
        """Set a field as a person would, and say in one sentence what happened.

        ValueError: the vendor has no such field, or refuses the value; LookupError: no such item.
        """
        raise NotImplementedError

    def poke_webhook(self, do: str, what: Mapping[str, str]) -> str:
        """Do with a webhook what people click at the vendor, and say in one sentence what happened.

        ValueError: it cannot be done here; LookupError: no such webhook.
        """
        hooks = self.hooks
        if hooks is None or do != "enable":
            raise ValueError(f"{self.name} has nothing to {do}")
        hook = hooks.registered.get(what.get("id", ""))
        if hook is None:
            raise LookupError("no such webhook")
        hook.enabled = True
        return f"{self.name} delivers to {hook.url} again."

    def log(
        self,
        request: Request,
        body: bytes,
        response: Response,
        *,
        reads: bool,
        faulted: bool = False,
    ) -> None:
        """Count the exchange and keep it for checks against the vendor's own spec."""
        if reads:
            self.read_requests += 1
        else:
            self.write_requests += 1
        self.exchanges.append(
            Exchange(
                method=request.method,
                path=request.scope.get("vendor_path", request.url.path),
                query=request.url.query,
                request_body=body,
                status=response.status_code,
                answer_body=bytes(response.body),
                reads=reads,
                faulted=faulted,
            )
        )

    def common_fault(self) -> Response | None:
        """The answer that every vendor gives alike when a general fault is on."""
        until = self.faults.outage_until
        if until is not None and self.now() >= until:
            self.end_outage()
        if self.faults.outage:
            return PlainTextResponse("upstream connect error or disconnect", status_code=503)
        if self.faults.html:
            return Response(
                "<!doctype html><title>Sign in</title><p>Please sign in to continue.",
                media_type="text/html",
            )
        return None


def json_response(payload: object, status: int = 200, **headers: str) -> JSONResponse:
    """A JSON answer; header names are given with underscores for dashes."""
    return JSONResponse(
        payload, status_code=status, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
