"""Putting a configuration and its secrets on the disk: all of it, or nothing."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opsync.errors import ConfigError

FOLDER = "secrets"
"""The folder of secrets beside the configuration, unless another is named."""
IGNORE = "# Nothing in here belongs into version control.\n*\n"
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets by the name of their file, and the folder that they belong into."""

    folder: Path
    values: Mapping[str, str] = field(repr=False)


def check_free(out: Path, *, force: bool) -> None:
    """Refuse to go on if `out` could not be written in the end. Raises ConfigError."""
    if out.exists() and not force:
        raise ConfigError(
            f"{out} exists and is left as it is.",
            hint="Replace it with --force, or write elsewhere with --out.",
        )
    if not out.parent.is_dir():
        raise ConfigError(f"cannot write {out}: there is no folder {out.parent}")
    if not os.access(out.parent, os.W_OK):
        raise ConfigError(f"cannot write {out}: the folder {out.parent} may not be written to")


def check_folder(folder: Path) -> None:
    """Refuse a folder of secrets that is none, or that others may look into."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder, so that no secret can be put there.")
    if folder.stat().st_mode & _OTHERS:
        raise ConfigError(
            f"others may look into {folder}, so that no secret is put there.",
            hint=f"chmod 700 {folder} — or name another folder with --secrets-dir.",
        )


def as_named(folder: Path, out: Path) -> str:
    """How the configuration at `out` names the folder: relative to itself where it is below."""
    base, full = out.absolute().parent, folder.absolute()
    return str(full.relative_to(base)) if full.is_relative_to(base) else str(full)


def put(out: Path, text: str, secrets: Secrets | None = None) -> None:
    """Write the configuration, and the secrets into their folder, which only their owner may open.

    What fails or is stopped on the way leaves nothing new behind. Raises ConfigError.
    """
    try:
        with contextlib.ExitStack() as undo:
            ready = undo.enter_context(_beside(out, text, 0o644))
            if secrets is not None:
                _put_secrets(secrets, undo)
            ready.replace(out)
            undo.pop_all()
    except OSError as error:
        where = error.filename or out
        raise ConfigError(f"cannot write {where}: {error.strerror}") from None


def _put_secrets(secrets: Secrets, undo: contextlib.ExitStack) -> None:
    folder = secrets.folder
    check_folder(folder)
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        undo.callback(folder.rmdir)
        folder.chmod(0o700)  # Whatever the umask took away.
        undo.callback((folder / ".gitignore").unlink, missing_ok=True)
        (folder / ".gitignore").write_text(IGNORE, encoding="utf-8")
    for name, value in secrets.values.items():
        path = folder / name
        if not path.exists():
            undo.callback(path.unlink, missing_ok=True)
        with _beside(path, value, 0o600) as ready:
            ready.replace(path)


@contextlib.contextmanager
def _beside(path: Path, text: str, mode: int) -> Iterator[Path]:
    """A file with `text` that can be moved to `path` at once; gone if it is not."""
    ready = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        handle = os.open(ready, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield ready
    finally:
        ready.unlink(missing_ok=True)
