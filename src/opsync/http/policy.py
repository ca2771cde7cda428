"""What a connector says about its vendor, as one value."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from opsync.errors import OpsyncError
from opsync.http.answer import Answer
from opsync.http.limits import BudgetHint, Limit

MAX_BODY = 16 * 1024 * 1024
"""Bytes of one decoded answer. The largest documented page (1,000 Jira issues) is a few MiB."""


def no_hints(_answer: Answer) -> Iterable[BudgetHint]:
    """For vendors whose headers announce no budget."""
    return ()


def fingerprint(*secrets: str) -> str:
    """A stable name for a credential that does not reveal it: 16 hexadecimal characters."""
    joined = "\0".join(secrets).encode()
    return hashlib.sha256(b"opsync credential\0" + joined).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How one instance may be talked to.

    `vendor` is the name people know ("Jira"), `base_url` the address that relative paths are put
    behind, `headers` what every request carries (the values that sign in are hidden from all
    output), `extra_hosts` further hosts ("host" or "host:port") that absolute URLs may name.
    Instances with an equal `credential` share their budgets.
    """

    instance: str
    vendor: str
    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    credential: str
    """Not the secret: a `fingerprint` of it."""
    extra_hosts: frozenset[str] = frozenset()
    limits: tuple[Limit, ...] = ()
    max_concurrent: int = 8
    """Requests under way at once. Atlassian asks for at most 5 to 10."""
    max_body: int = MAX_BODY
    total_s: float = 60.0
    """From sending a request to the last byte of its answer, whatever the vendor drips."""
    patience_s: float = 120.0
    """The longest pause that is sat out. A longer one ends the pass as incomplete."""
    attempts: int = 3
    """Tries of one request within a pass (Google's SRE book: at most 3)."""
    secret_path: bool = False
    """The address itself is the credential: neither log nor error tells more than the host."""
    classify: Callable[[Answer], OpsyncError | None] | None = None
    """The vendor's error dialect; None: by status alone. It returns None for a good answer."""
    budget: Callable[[Answer], Iterable[BudgetHint]] = no_hints
    """What an answer's headers announce about the budget."""

    def shown(self, path: str) -> str:
        """A path as logs may have it."""
        return "/…" if self.secret_path else path
