"""Keeps secrets out of everything that leaves the process: by value, and in URLs."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

SHORTEST = 6
"""Secrets below this length are not looked for by value: they would eat words out of all text.
No vendor issues tokens that short; whoever reads a secret from a configuration refuses it."""

SECRET_PART = 12
"""Parts of an address that is a secret are hidden by themselves if they are this long."""

HIDDEN = "***"

_URL = re.compile(r"\b([A-Za-z][A-Za-z0-9+.\-]*)://([^\s\"'<>\\]*)")
_USERINFO = re.compile(r"^[^/?#]*@")


def _clean_url(match: re.Match[str]) -> str:
    scheme, rest = match.groups()
    rest = _USERINFO.sub(f"{HIDDEN}@", rest)
    before, mark, query = rest.partition("?")
    return f"{scheme}://{before}{mark}{HIDDEN if query else ''}"


def clean_urls(text: str) -> str:
    """`text` with the userinfo and the query of each URL in it replaced by `***`."""
    return _URL.sub(_clean_url, text) if "://" in text else text


class Redactor:
    """Knows the secrets of the process and takes them out of text.

    One is made at the start, told every secret that is read, and handed to whatever prints,
    logs or stores text about a failure.
    """

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms)"

    def add(self, secret: str) -> bool:
        """Hide `secret` from now on, in every form it is usually written in.

        False when it is shorter than `SHORTEST` and therefore cannot be hidden by value.
        """
        secret = secret.strip()
        if len(secret) < SHORTEST:
            return False
        known = len(self._forms)
        forms = set(_forms(secret))
        # What is quoted is often quoted again: a message in a body, a body in an error.
        again = {quoted for form in forms if not form.isalnum() for quoted in _quoted(form)}
        self._forms |= forms | again
        if len(self._forms) != known:
            self._pattern = None
        return True

    def add_basic(self, user: str, secret: str) -> bool:
        """Hide `secret` and what HTTP's Basic scheme makes of it and `user` (RFC 7617)."""
        self.add(base64.b64encode(f"{user}:{secret}".encode()).decode())
        return self.add(secret)

    def clean(self, text: str) -> str:
        """`text` with every known secret and the private parts of URLs replaced by `***`."""
        if self._forms:
            if self._pattern is None:
                longest_first = sorted(self._forms, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, longest_first)))
            text = self._pattern.sub(HIDDEN, text)
        return clean_urls(text)


def secret_parts(address: str) -> Iterator[str]:
    """An address that is a secret, and its parts that are long enough to be one themselves."""
    parts = urlsplit(address)
    values = (value for _, value in parse_qsl(parts.query))
    for part in (address, parts.path, parts.query, *parts.path.split("/"), *values):
        if len(part) >= SECRET_PART:
            yield part


def _quoted(text: str) -> Iterator[str]:
    """`text` as JSON and Python write it between quotes."""
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield repr(f"{text}\"'")[1:-4]  # as in a text that has both kinds of quotes


def _forms(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield quoted
        yield re.sub(r"%[0-9A-F]{2}", lambda hexes: hexes[0].lower(), quoted)
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
    yield from _quoted(secret)
    yield html.escape(secret)
    lines = secret.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines if len(line.strip()) >= 16)
