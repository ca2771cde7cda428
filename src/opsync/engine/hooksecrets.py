"""The secrets that sign change signals: those that opsync made, or was told by the tool itself.

They lie in one file beside the store, for its owner alone, and are never in the store: a copy of
the store, or a look into it, shows none of them. Those that people made are in the configuration.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pydantic import SecretStr

from opsync.config import Instance
from opsync.contract.settings import WebhookSettings
from opsync.errors import StoreError
from opsync.runtime import Clock, new_secret

OVERLAP = timedelta(hours=24)
"""So long the secret before is taken too: a tool may deliver again what it signed with it."""
MODE = 0o600


def made_secret() -> str:
    """A fresh secret of letters, digits, "-" and "_"."""
    return urlsafe_b64encode(new_secret()).rstrip(b"=").decode()


class Kept(Struct, frozen=True, omit_defaults=True):
    """The secrets of one connection; `before` is taken until `until`.

    `told` came from the tool itself, unsigned: anybody may have sent it. It is taken besides, and
    becomes the secret once it signed a delivery. Until then `secret` is the one before it, "" where
    there was none.
    """

    secret: str
    since: datetime
    before: str = ""
    until: datetime | None = None
    told: str = ""

    def __repr__(self) -> str:
        return f"Kept(since={self.since:%Y-%m-%d})"


class HookSecrets:
    """The file of secrets beside the store at `store`. Raises StoreError where it cannot be used.

    Another process may change it at any time: every question looks at the file as it is.
    """

    def __init__(self, store: Path, clock: Clock, make: Callable[[], str] = made_secret) -> None:
        self.path = store.with_name(store.name + ".hooks")
        self._clock = clock
        self._make = make
        self._seen: tuple[int, int, int] | None = None
        self._known: dict[str, Kept] = {}

    def load(self) -> dict[str, Kept]:
        """All of them by connection; none where the file is not there."""
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                state = os.fstat(handle)
                seen = (state.st_ino, state.st_mtime_ns, state.st_size)
                text = None if seen == self._seen else file.read()
        except FileNotFoundError:
            self._seen, self._known = None, {}
            return {}
        except OSError as error:
            raise self._unusable(error) from error
        if text is not None:
            self._known = self._decoded(text)
            self._seen = seen
        return dict(self._known)

    def secrets_of(self, instance: Instance) -> list[bytes]:
        """All that are taken for a connection now, those of the configuration first."""
        settings, found = instance.settings, list[str]()
        if isinstance(settings, WebhookSettings):
            given = (settings.webhook_secret, settings.webhook_secret_before)
            found = [one.get_secret_value() for one in given if isinstance(one, SecretStr)]
        kept = self.load().get(instance.name)
        if kept is not None:
            found += [kept.secret, kept.told]
            if kept.until is not None and self._clock.now() < kept.until:
                found.append(kept.before)
        return [one.encode() for one in dict.fromkeys(found) if one]

    def texts(self) -> list[str]:
        """Every secret in the file, for what hides them."""
        found = [
            text for one in self.load().values() for text in (one.secret, one.told, one.before)
        ]
        return [text for text in found if text]

    def told(self, name: str) -> str:
        """What came from a connection's tool and signed nothing yet; "" where there is no such."""
        kept = self.load().get(name)
        return "" if kept is None else kept.told

    def put(self, name: str, secret: str) -> None:
        """Take this secret for a connection from now on, and the one before for a day more."""
        with self._changing() as kept:
            known = kept.get(name)
            if known is None or known.secret != secret:
                kept[name] = self._following(known, secret)

    def rotate(self, name: str) -> str:
        """Make a new secret for a connection; the one before is taken for a day more."""
        made = self._make()
        self.put(name, made)
        return made

    def tell(self, name: str, token: str) -> None:
        """Take also what came from a connection's tool as its secret, in place of what came so
        before."""
        with self._changing() as kept:
            known = kept.get(name) or Kept("", self._clock.now())
            kept[name] = replace(known, told="" if token == known.secret else token)

    def prove(self, name: str, token: str) -> None:
        """`token` signed a delivery: if it is what came from the tool, it is the secret from now
        on, and the one before is taken for a day more."""
        with self._changing() as kept:
            known = kept.get(name)
            if known is not None and token and known.told == token:
                kept[name] = self._following(known, token)

    def drop_told(self, name: str) -> None:
        """Take no more what came from a connection's tool and signed nothing yet."""
        with self._changing() as kept:
            if (known := kept.get(name)) is None:
                return
            if known.secret:
                kept[name] = replace(known, told="")
            else:
                del kept[name]

    def take_back(self, name: str) -> None:
        """Put the secret before in force again, where the tool did not take the new one."""
        with self._changing() as kept:
            known = kept.get(name)
            if known is not None and known.before:
                kept[name] = replace(known, secret=known.before, before="", until=None)
            else:
                kept.pop(name, None)

    def forget(self, name: str) -> None:
        """Take no secret of the file for a connection any more."""
        with self._changing() as kept:
            kept.pop(name, None)

    def _following(self, known: Kept | None, secret: str) -> Kept:
        now = self._clock.now()
        before = "" if known is None else known.secret
        return Kept(secret, now, before, now + OVERLAP if before else None)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Kept]]:
        """What is in the file, which is replaced as a whole at the end, one process at a time."""
        lock = self.path.with_name(self.path.name + ".lock")
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            before = self.load()
            after = dict(before)
            yield after
            if after != before:
                self._write(self._without_old(after))
        finally:
            os.close(handle)

    def _without_old(self, kept: dict[str, Kept]) -> dict[str, Kept]:
        now = self._clock.now()
        return {
            name: replace(one, before="", until=None)
            if one.until is not None and one.until <= now
            else one
            for name, one in kept.items()
        }

    def _write(self, kept: dict[str, Kept]) -> None:
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        try:
            with contextlib.suppress(FileNotFoundError):
                fresh.unlink()
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(kept, order="deterministic"))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise self._unusable(error) from error

    def _decoded(self, text: bytes) -> dict[str, Kept]:
        try:
            return msgspec.json.decode(text, type=dict[str, Kept])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise StoreError(
                f"{self.path} is damaged: it cannot be read.",
                hint="Delete it; `opsync webhooks register` makes new secrets.",
            ) from None

    def _unusable(self, error: OSError) -> StoreError:
        return StoreError(
            f"{self.path} cannot be used: {error.strerror or error}.",
            hint="It lies beside the store, and belongs to whoever runs opsync.",
        )
