"""A vendor's answer, and what its status means where the vendor says nothing more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec

from opsync.errors import (
    BadAnswer,
    NotFound,
    OpsyncError,
    RateLimited,
    RefusedError,
    SignInError,
    TemporaryError,
)
from opsync.http.retry import TRY_LATER, parse_retry_after
from opsync.redact import clean_urls

T = TypeVar("T")

EXCERPT = 200
"""Characters of a body that an error may quote."""
_LOOKED_AT = 4096
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")


class Headers(Mapping[str, str]):
    """Header fields by name, whatever the case."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self._fields = {name.lower(): value for name, value in (fields or {}).items()}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({sorted(self._fields)})"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and the whole decoded body of one answer.

    `headers` may be given as any mapping and is read whatever the case; `url` carries neither
    query nor userinfo; `clean` hides secrets in quoted text.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    url: str = ""
    vendor: str = "The vendor"
    method: str = "GET"
    received_at: datetime | None = None
    clean: Callable[[str], str] = field(default=clean_urls, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.headers, Headers):
            object.__setattr__(self, "headers", Headers(self.headers))

    def decode(self, type: type[T]) -> T:  # noqa: A002 - msgspec's own word for it
        """The body as a value of `type`; BadAnswer if it is no JSON or has another shape."""
        try:
            return msgspec.json.decode(self.body, type=type)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            cause = self.clean(str(error))[:EXCERPT] or "it is nested too deeply"
            raise BadAnswer(
                f"{self.where} was answered with what opsync cannot read: {cause}.{self._quoted}",
                hint="Nothing was taken from it; it is asked for again.",
            ) from None

    @property
    def where(self) -> str:
        """Who was asked what, for messages: "Jira: GET https://host/path"."""
        return f"{self.vendor}: {self.method} {self.url}"

    @property
    def is_html(self) -> bool:
        """True for a page meant for people, as proxies and sign-in walls send it."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind in {"text/html", "application/xhtml+xml"} or self.body.lstrip()[:1] == b"<"

    @property
    def is_cut(self) -> bool:
        """True when JSON was begun and not ended: a body cut in the middle of its way."""
        body = self.body.strip(b" \t\r\n")
        return (body[:1] == b"{" and body[-1:] != b"}") or (body[:1] == b"[" and body[-1:] != b"]")

    @property
    def server_now(self) -> datetime:
        """The vendor's clock at the answer (its Date), else ours."""
        try:
            at = parsedate_to_datetime(self.headers["date"])
        except (KeyError, ValueError):
            return self.received_at or datetime.now(UTC)
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    @property
    def retry_after_s(self) -> float | None:
        """Retry-After in seconds. A date is measured by the vendor's own clock, not by ours."""
        return parse_retry_after(self.headers.get("retry-after"), self.server_now)

    @property
    def excerpt(self) -> str:
        """The body's beginning on one line, free of secrets and control characters, for errors."""
        # Cleaned before it is cut, so that no piece of a secret is left at the cut.
        text = self.clean(self.body[: 2 * _LOOKED_AT].decode("utf-8", "replace"))[:_LOOKED_AT]
        text = _UNPRINTABLE.sub(" ", text).strip()
        return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"

    @property
    def _quoted(self) -> str:
        # What begins like JSON is data, which may be anybody's: it belongs in no message.
        data = self.body.lstrip()[:1] in (b"{", b"[")
        return f" It begins: {self.excerpt}" if self.excerpt and not data else ""


def default_classify(answer: Answer, vendor: str) -> OpsyncError | None:
    """What an answer means by its status alone (RFC 9110); None for a good one.

    408, 425, 5xx and 529 are temporary, 429 and any Retry-After a pause, 401 and 403 a matter of
    sign-in; other 4xx are refusals.
    """
    status, where = answer.status, f"{vendor}: {answer.method} {answer.url}"
    if 200 <= status < 300:
        if answer.is_html:
            return BadAnswer(
                f"{where} was answered with a web page instead of JSON.",
                hint="A proxy or a sign-in page stands in between, or base_url is wrong.",
            )
        return None
    excerpt = "" if answer.is_html else answer.excerpt
    said = f" It said: {excerpt}" if excerpt else ""
    if status == 401:
        return SignInError(
            f"{vendor} refused the credential ({where}, 401).{said}",
            hint="Create a new token and put it into the configuration.",
        )
    if status == 403:
        return SignInError(
            f"{vendor} does not allow this credential to do that ({where}, 403).{said}",
            hint="Grant the missing permission or scope.",
        )
    if status == 404:
        return NotFound(
            f"{where}: missing, or hidden from this credential (404).{said}", status=404
        )
    if status == 429 or (status in {503, 529} and "retry-after" in answer.headers):
        return RateLimited(
            f"{where} was refused for now ({status}).{said}",
            hint="opsync waits as long as the vendor asks.",
            retry_after_s=answer.retry_after_s,
        )
    if status in {408, 425} or status >= 500:
        return TemporaryError(
            f"{vendor} could not answer ({status}): {answer.method} {answer.url}.{said}",
            hint=TRY_LATER,
        )
    return RefusedError(f"{where} was refused ({status}).{said}", status=status)
