"""Every error opsync raises, grouped by what the reader can do about it.

    OpsyncError
    ├── ConfigError        fix the configuration                 exit 2
    ├── SignInError        sign in again, or grant the scope     exit 3
    ├── TemporaryError     wait: the next pass tries again       exit 1
    │   ├── RateLimited    … and not before `retry_after_s`
    │   └── BadAnswer      … the answer was cut, or not what the vendor documents
    ├── RefusedError       the vendor refuses this one request   exit 1
    │   └── NotFound       … because it is missing or hidden
    ├── RecordError        set this one record aside             exit 1
    ├── SignatureError     refuse this one delivery              exit 1
    ├── PluginError        fix or remove the plugin              exit 2
    ├── StoreHeld          another opsync holds the store        exit 4
    └── StoreError         free space, restore, or upgrade       exit 5
        └── NoStore        … because there is none               exit 5

Each carries the thing and the cause in its message and the next step in `hint`.
Foreign errors are mapped where they enter: HTTP in `opsync.http`, SQL in `opsync.store`.
"""

from __future__ import annotations

import shlex
from pathlib import Path


class OpsyncError(Exception):
    """Base of all errors that opsync raises on purpose.

    `message` names the thing and the cause, `hint` the next step ("" if there is none).
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip() if self.hint else self.message


class ConfigError(OpsyncError):
    """A setting is wrong or missing. `problems`: one line each, with key, why, what is right."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems or (str(self),)


class PluginError(OpsyncError):
    """A plugin could not be loaded, or broke its contract."""

    exit_code = 2


class SignInError(OpsyncError):
    """The vendor refused the credential, or it lacks a scope. Never retried within a pass."""

    exit_code = 3


class TemporaryError(OpsyncError):
    """The vendor could not answer now. Retried within the policy, then left to the next pass.

    `sent` is False when the request certainly never reached the vendor.
    """

    def __init__(self, message: str, *, hint: str = "", sent: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.sent = sent


class RateLimited(TemporaryError):
    """The vendor asked for a pause.

    `retry_after_s` is what it said, in seconds (None: it did not say). `lane` names the part of
    the budget that is spent ("" : all of the credential's).
    """

    def __init__(
        self, message: str, *, hint: str = "", retry_after_s: float | None = None, lane: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s
        self.lane = lane


class BadAnswer(TemporaryError):
    """The answer was cut, was no JSON, or had not the documented shape."""


class RefusedError(OpsyncError):
    """The vendor refuses this request for good; others may go on. `status` is the HTTP status."""

    def __init__(self, message: str, *, hint: str = "", status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class NotFound(RefusedError):
    """The object is missing, or hidden from this credential; the vendors do not tell which."""


class RecordError(OpsyncError):
    """One record cannot be read. It is set aside with this reason; the others go on."""


class SignatureError(OpsyncError):
    """A delivery is not signed by the tool it says it is from. Nothing of it is believed."""


class StoreHeld(OpsyncError):
    """Another opsync process holds the store."""

    exit_code = 4


class StoreError(OpsyncError):
    """The store cannot be used: full, damaged, read-only, or newer than this program."""

    exit_code = 5


class NoStore(StoreError):
    """There is no store at `path`: nothing was read yet, or it was lost; or, where the command
    line `named` it, it is another one that is meant."""

    def __init__(self, path: Path, *, named: bool = False) -> None:
        hint = (
            "`--store` names one that is there, from the current folder on. Make a new one with: "
            f"`opsync db upgrade --store {shlex.quote(str(path))}`."
            if named
            else "The first `opsync sync` makes it. If it was there before, put its backup back: "
            "`opsync db restore FILE`."
        )
        super().__init__(f"There is no store at {path}.", hint=hint)
