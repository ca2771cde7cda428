"""One request and its answer over httpx: bounded in time and size, errors mapped to opsync's."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from opsync.errors import BadAnswer, OpsyncError, RefusedError, TemporaryError
from opsync.http.answer import Answer, Headers
from opsync.http.hosts import shown_url
from opsync.http.retry import TRY_LATER

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
_CAUSES: dict[type[httpx.HTTPError], str] = {
    httpx.ConnectTimeout: "no connection within {connect:g} s",
    httpx.PoolTimeout: "no connection free within {pool:g} s",
    httpx.ReadTimeout: "no answer for {read:g} s",
    httpx.WriteTimeout: "the request could not be sent within {write:g} s",
    httpx.ProxyError: "the proxy refused",
    httpx.ConnectError: "no connection",
}


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one exchange may take: seconds in total, decoded bytes."""

    total_s: float
    max_body: int


class Exchange:
    """One try of one request. `run` once; `stop` ends it early without harm to the pool.

    Cancelling a connect leaves its slot of httpx's pool taken for good (encode/httpcore #1093).
    So the deadline is set only once the connection stands; until then httpx's own connect and
    pool timeouts are the bound.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        request: httpx.Request,
        bounds: Bounds,
        *,
        vendor: str,
        clean: Callable[[str], str],
        now: Callable[[], datetime],
        secret_path: bool = False,
    ) -> None:
        self._http = http
        self._request = request
        self._bounds = bounds
        self._vendor = vendor
        self._clean = clean
        self._now = now
        self._url = shown_url(str(request.url), secret_path=secret_path)
        self._where = f"{vendor}: {request.method} {self._url}"
        self._connected = False
        self._ends_at = 0.0
        self._timer: asyncio.Timeout | None = None

    async def run(self) -> Answer:
        """The answer, whatever its status. Raises TemporaryError, BadAnswer or RefusedError."""
        self._ends_at = asyncio.get_running_loop().time() + self._bounds.total_s
        self._request.extensions["trace"] = self._traced
        try:
            async with asyncio.timeout(None) as self._timer:
                return await self._converse()
        except TimeoutError:
            raise TemporaryError(
                f"{self._where} was not answered in full within {self._bounds.total_s:g} s.",
                hint=TRY_LATER,
            ) from None
        except httpx.LocalProtocolError:
            # Neither quoted nor chained: its text may hold a header's value.
            raise RefusedError(f"{self._where} could not be written as HTTP.") from None
        except httpx.HTTPError as error:
            raise self._mapped(error) from error
        finally:
            self._timer = None

    def stop(self) -> None:
        """Give up: at once if the connection stands, else as soon as it does."""
        self._ends_at = 0.0
        if self._connected:
            self._set_deadline()

    async def _traced(self, event: str, info: dict[str, object]) -> None:
        # A proxy's CONNECT is part of connecting.
        method = getattr(info.get("request"), "method", b"")
        if event.endswith(".send_request_headers.started") and method != b"CONNECT":
            self._set_deadline()

    def _set_deadline(self) -> None:
        self._connected = True
        if self._timer is not None:
            self._timer.reschedule(self._ends_at)

    async def _converse(self) -> Answer:
        response = await self._http.send(self._request, stream=True)
        self._set_deadline()
        try:
            self._refuse_redirect(response)
            try:
                body = await self._read(response)
            except httpx.TransportError as error:
                raise BadAnswer(
                    f"{self._where}: the answer was cut short ({type(error).__name__}).",
                    hint="Nothing was taken from it; it is asked for again.",
                ) from error
        finally:
            await response.aclose()
        return Answer(
            status=response.status_code,
            headers=Headers(response.headers),
            body=body,
            url=self._clean(self._url),
            vendor=self._vendor,
            method=self._request.method,
            received_at=self._now(),
            clean=self._clean,
        )

    def _refuse_redirect(self, response: httpx.Response) -> None:
        if not 300 <= response.status_code < 400:
            return
        target = "nowhere"
        if "location" in response.headers:
            try:
                target = repr(response.request.url.join(response.headers["location"]).host)
            except httpx.InvalidURL:
                target = "a malformed address"
        raise RefusedError(
            self._clean(
                f"{self._where} was redirected to {target} ({response.status_code}), which opsync "
                "does not follow."
            ),
            hint="If that is the vendor's right address, set it as base_url.",
            status=response.status_code,
        )

    async def _read(self, response: httpx.Response) -> bytes:
        """The decoded body. Decoding is done here since httpx's own has no bound on its output."""
        coding = response.headers.get("content-encoding", "identity").strip().lower()
        if coding not in {"identity", "gzip", "x-gzip", "deflate", ""}:
            raise BadAnswer(f"{self._where} came in the coding {coding[:40]!r}, not asked for.")
        inflate = zlib.decompressobj(_GZIP_OR_ZLIB) if coding not in {"identity", ""} else None
        bound, body, raw_size = self._bounds.max_body, bytearray(), 0
        if response.is_stream_consumed:  # httpx.MockTransport hands over whole, decoded bodies
            inflate, chunks = None, _once(response.content)
        else:
            chunks = response.aiter_raw()
        async for chunk in chunks:
            raw_size += len(chunk)
            try:
                body += inflate.decompress(chunk, bound + 1 - len(body)) if inflate else chunk
            except zlib.error as error:
                raise BadAnswer(f"{self._where}: the answer cannot be unpacked.") from error
            if len(body) > bound:
                raise BadAnswer(
                    f"{self._where} was answered with more than {bound / 2**20:g} MiB.",
                    hint="Ask for smaller pages, or for fewer fields.",
                )
        if inflate and raw_size and not inflate.eof:
            raise BadAnswer(f"{self._where}: the answer was cut short.")
        return bytes(body)

    def _mapped(self, error: httpx.HTTPError) -> OpsyncError:
        timeouts = self._request.extensions.get("timeout", {})
        cause = next(
            (text.format(**timeouts) for kind, text in _CAUSES.items() if type(error) is kind),
            "the connection broke",
        )
        said = self._clean(str(error))[:200]
        hint = TRY_LATER
        if "CERTIFICATE_VERIFY_FAILED" in said:
            hint = "Name your company's certificates in SSL_CERT_FILE."
        return TemporaryError(
            f"{self._where} failed: {cause}{f' ({said})' if said else ''}.",
            hint=hint,
            sent=not isinstance(error, _NEVER_SENT),
        )
