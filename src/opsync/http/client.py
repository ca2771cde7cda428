"""The client of one instance: limits, breaker, retries and counts around single exchanges."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal

import httpx
import msgspec
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
)

from opsync.errors import (
    BadAnswer,
    OpsyncError,
    RateLimited,
    RefusedError,
    TemporaryError,
)
from opsync.http.answer import Answer, default_classify
from opsync.http.call import Call, Params
from opsync.http.exchange import Bounds, Exchange
from opsync.http.hosts import Hosts
from opsync.http.limits import Budget, Share
from opsync.http.policy import Policy
from opsync.http.restraint import restrain, restraint_of
from opsync.http.retry import FIRST_WAIT_S, Breaker, RetryBudget, back_off
from opsync.log import get_logger
from opsync.model import Value
from opsync.observing import UNOBSERVED, Observer, Sent, template
from opsync.runtime import Runtime

WORTH_A_LINE_S = 1.0
"""Waits for the limiter beyond this are logged."""
LEAKED_AFTER = 2
"""So many requests in a row without a free connection: the pool has lost its slots."""


class Client:
    """Asks one vendor on behalf of one instance. Made by `Pool.client`.

    `reads` and `writes` count the requests that went out, retries included; `attempts` every try,
    also those that never reached the vendor; `waited_s` the seconds spent on limits and back-off.
    `asked` counts what the connector asked for, `under_way` what of it has not ended; `unknown` the
    writes that failed at last, and of which an earlier try may have been carried out.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        runtime: Runtime,
        budget: Budget,
        hosts: Hosts,
        connect: Callable[[], httpx.AsyncClient],
        clean: Callable[[str], str],
        observer: Observer = UNOBSERVED,
    ) -> None:
        self.policy = policy
        self.reads = 0
        self.writes = 0
        self.attempts = 0
        self.waited_s = 0.0
        self.asked = 0
        self.under_way = 0
        self.unknown = 0
        self._clock = runtime.clock
        self._rng = runtime.rng
        self._budget = budget
        self._hosts = hosts
        self._connect = connect
        self._clean = clean
        self._observer = observer
        self._http: httpx.AsyncClient | None = None
        self._retired: list[httpx.AsyncClient] = []
        self._without_slot = 0
        self._slots = asyncio.Semaphore(policy.max_concurrent)
        self._running: dict[asyncio.Task[Answer], Exchange] = {}
        self._retries = RetryBudget()
        self._breaker = Breaker(self._clock.monotonic)
        self._who = f"{policy.vendor} ({policy.instance})"
        self._log = get_logger().bind(instance=policy.instance)

    async def read(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object | None = None,
        headers: Mapping[str, str] | None = None,
        lane: str = "",
        cost: float = 1.0,
    ) -> Answer:
        """Send a request that changes nothing, whatever its method. Retried.

        `path` goes behind the base address, or is an absolute URL of an allowed host; `json` is
        encoded by msgspec. The request takes `cost` from `lane` (see `Limit`). Raises what the
        policy's `classify` returns: SignInError, RefusedError, or TemporaryError once the tries,
        or the patience with a pause, are over.
        """
        call = self._call(method, path, params, json, headers, lane, cost, reads=True, keyed=True)
        return await self._with_retries(call)

    async def write(
        self,
        method: str,
        path: str,
        *,
        keyed: bool,
        params: Params | None = None,
        json: object | None = None,
        headers: Mapping[str, str] | None = None,
        lane: str = "",
        cost: float = 1.0,
    ) -> Answer:
        """Send a request that changes something; otherwise like `read`.

        `keyed` says that carrying it out twice does no harm: then it is retried like a read.
        Without it only what certainly was not carried out is sent again; a TemporaryError with
        `sent` leaves the outcome unknown, and the caller must look before it writes again.
        """
        call = self._call(method, path, params, json, headers, lane, cost, reads=False, keyed=keyed)
        return await self._with_retries(call)

    @property
    def budgets(self) -> list[Share]:
        """What is left of each of the vendor's limits."""
        return self._budget.shares()

    @property
    def restraint(self) -> Value:
        """What the next pass has to hold back of, as JSON has it; None in good weather."""
        return restraint_of(self.policy.credential, self._retries, self._budget, self._clock.now())

    def restrain(self, kept: Value) -> None:
        """Hold back of what the pass before had to, as `restraint` told it."""
        restrain(kept, self.policy.credential, self._retries, self._budget, self._clock.now())

    async def aclose(self) -> None:
        """Stop what still runs for callers that are gone, and close all connections."""
        for exchange in self._running.values():
            exchange.stop()
        if self._running:
            await asyncio.wait(set(self._running))
        for http in [*self._retired, *([self._http] if self._http else [])]:
            await http.aclose()
        self._retired, self._http = [], None

    def _call(
        self,
        method: str,
        path: str,
        params: Params | None,
        json: object | None,
        headers: Mapping[str, str] | None,
        lane: str,
        cost: float,
        *,
        reads: bool,
        keyed: bool,
    ) -> Call:
        sent_headers = dict(headers or {})
        content = None
        if json is not None:
            content = msgspec.json.encode(json)
            sent_headers["content-type"] = "application/json"
        try:
            url = httpx.URL(self._hosts.resolve(path, self._who))
        except httpx.InvalidURL:
            raise RefusedError(f"{self._who}: the URL asked for is malformed.") from None
        if params:
            pairs = params.items() if isinstance(params, Mapping) else params
            url = url.copy_merge_params(httpx.QueryParams(list(pairs)))
        return Call(
            method.upper(), url, sent_headers, content, lane, cost, reads=reads, keyed=keyed
        )

    async def _with_retries(self, call: Call) -> Answer:
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self.policy.attempts),
            wait=self._wait_s,
            retry=retry_if_exception(lambda error: self._may_retry(call, error)),
            before_sleep=lambda state: self._note_retry(call, state),
            sleep=self._sleep,
            reraise=True,
        )
        self.asked += 1
        self.under_way += 1
        try:
            with self._observer.tracer.span(
                f"{call.method} {template(self.policy.shown(call.url.path))}",
                **{"opsync.instance": self.policy.instance},
            ) as span:
                try:
                    return await retrying(self._attempt, call)
                finally:
                    span.tell("http.response.status_code", call.status)
                    span.tell("opsync.attempts", call.attempt)
        except OpsyncError as error:
            temporary = isinstance(error, TemporaryError)
            if temporary and (call.attempt >= self.policy.attempts or self._breaker.is_open):
                self._retries.give_up()
            # An earlier try may have been carried out, and the last one does not tell.
            self.unknown += call.unknown and not _may_have_been_sent(error)
            raise
        finally:
            self.under_way -= 1

    def _may_retry(self, call: Call, error: BaseException) -> bool:
        if not isinstance(error, TemporaryError):
            return False
        not_carried_out = not error.sent
        if isinstance(error, RateLimited):
            # A 503 may come from a gateway that had passed the request on.
            not_carried_out = call.status < 500 or call.status == 529
        call.unknown |= not call.reads and not not_carried_out
        if isinstance(error, RateLimited) and (error.retry_after_s or 0.0) > self.policy.patience_s:
            return False
        if not (call.keyed or not_carried_out):
            return False
        return not self._breaker.is_open and self._retries.spend()

    def _wait_s(self, state: RetryCallState) -> float:
        """A pause that the vendor asked for is waited for in the limiter, once for all requests."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RateLimited):
            return 0.0
        return back_off(state.attempt_number, self._rng)

    async def _sleep(self, delay_s: float) -> None:
        if delay_s > 0:
            self._waited(delay_s)
            await self._clock.sleep(delay_s)

    def _note_retry(self, call: Call, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self._log.info(
            "request.retried",
            method=call.method,
            path=self.policy.shown(call.url.path),
            attempt=state.attempt_number,
            wait_s=round(state.upcoming_sleep, 3),
            cause=type(error).__name__,
            error=str(error),
        )

    async def _attempt(self, call: Call) -> Answer:
        call.attempt += 1
        call.status = 0
        task = await self._start(call)
        # A caller that is cancelled leaves; the exchange ends by itself, so that the pool keeps
        # its slot (see `Exchange`).
        return await asyncio.shield(task)

    async def _start(self, call: Call) -> asyncio.Task[Answer]:
        """Wait for a slot, the limiter and the breaker, and send."""
        await self._slots.acquire()
        started = False
        try:
            if self._breaker.is_open:  # nothing is taken from the budget for it
                self._breaker.enter(self._who)
            waited_s = await self._budget.take(
                call.lane, call.cost, patience_s=self.policy.patience_s, who=self._who
            )
            self._waited(waited_s)
            if waited_s > WORTH_A_LINE_S:
                self._log.info("limit.waited", lane=call.lane, waited_s=round(waited_s, 3))
            if self._http is None:
                self._http = self._connect()
            exchange = Exchange(
                self._http,
                self._http.build_request(
                    call.method, call.url, headers=call.headers, content=call.content
                ),
                Bounds(self.policy.total_s, self.policy.max_body),
                vendor=self.policy.vendor,
                clean=self._clean,
                now=self._clock.now,
                secret_path=self.policy.secret_path,
            )
            self._breaker.enter(self._who)
            self._count(call, 1)
            self.attempts += 1
            task = asyncio.create_task(self._carry_out(call, exchange))
            self._running[task] = exchange
            task.add_done_callback(self._ended)
            started = True
            return task
        finally:
            if not started:
                self._slots.release()

    async def _carry_out(self, call: Call, exchange: Exchange) -> Answer:
        """Send, judge the answer and learn from it, all before the slot is free for the next."""
        begun = self._clock.monotonic()
        try:
            answer = await exchange.run()
            self._log.debug(
                "request.answered",
                method=call.method,
                path=self.policy.shown(call.url.path),
                status=answer.status,
                attempt=call.attempt,
                duration_s=round(self._clock.monotonic() - begun, 3),
                bytes=len(answer.body),
            )
            failure = self._judge(call, answer)
        except OpsyncError as error:
            failure = error
        except BaseException:
            self._breaker.abandon()
            raise
        kind: Literal["read", "write"] = "read" if call.reads else "write"
        self._observer.counter.sent(Sent(self.policy.instance, kind, call.status))
        self._learn(call, failure)
        if failure is not None:
            raise failure
        return answer

    def _waited(self, seconds: float) -> None:
        self.waited_s += seconds
        if seconds:
            self._observer.counter.waited(self.policy.instance, seconds)

    def _ended(self, task: asyncio.Task[Answer]) -> None:
        del self._running[task]
        self._slots.release()
        if not task.cancelled():
            task.exception()  # marks it as seen, should the caller be gone

    def _count(self, call: Call, by: int) -> None:
        if call.reads:
            self.reads += by
        else:
            self.writes += by

    def _judge(self, call: Call, answer: Answer) -> OpsyncError | None:
        """What the answer means: proxies' pages and cut bodies first, then the vendor's dialect."""
        call.status = answer.status
        self._budget.learn(self.policy.budget(answer))
        good = 200 <= answer.status < 300
        if good and answer.is_cut:
            return BadAnswer(f"{answer.where}: the answer was cut short.")
        if good and answer.is_html:
            return default_classify(answer, self.policy.vendor)
        if self.policy.classify is None:
            return default_classify(answer, self.policy.vendor)
        failure = self.policy.classify(answer)
        if failure is not None:
            failure.message = self._clean(failure.message)
            failure.args = (failure.message,)
        return failure

    def _learn(self, call: Call, failure: OpsyncError | None) -> None:
        """Tell limiter, breaker, retry budget and pool what became of a request."""
        no_slot = failure is not None and isinstance(failure.__cause__, httpx.PoolTimeout)
        self._without_slot = self._without_slot + 1 if no_slot else 0
        if self._without_slot >= LEAKED_AFTER:
            self._renew()
        if isinstance(failure, RateLimited):
            own_s = FIRST_WAIT_S + back_off(call.attempt, self._rng)
            self._budget.pause(failure.lane, failure.retry_after_s or own_s)
            self._breaker.abandon()
        elif isinstance(failure, TemporaryError):
            if not failure.sent:
                self._count(call, -1)
            self._breaker.fail()
        else:
            self._breaker.succeed()
            self._retries.earn()

    def _renew(self) -> None:
        """Swap a pool that has lost its slots; as many requests as it has slots are under way."""
        self._log.warning("pool.renewed", reason="no connection came free")
        if self._http is not None:
            self._retired.append(self._http)
        self._http = None
        self._without_slot = 0


def _may_have_been_sent(error: OpsyncError) -> bool:
    """Whether the error itself says that what was asked for may have been carried out."""
    late = isinstance(error, RateLimited)
    return isinstance(error, TemporaryError) and error.sent and not late
