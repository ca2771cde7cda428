"""The demo's own sandbox, folder and configuration, apart from whatever is configured here."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

from opsync.cli.init.files import FOLDER
from opsync.cli.sandbox_answers import ROADMAP, write_config
from opsync.errors import ConfigError
from opsync.sandbox import launch
from opsync.sandbox.client import SandboxClient

LOG = "sandbox.log"
CONFIG = "opsync.toml"
STORE = "opsync.db"


@dataclass(frozen=True, slots=True)
class World:
    """Harbor, running, with a configuration for it. `pid`: of its process if it stays."""

    client: SandboxClient
    config: Path
    pid: int | None = None


@contextlib.contextmanager
def passing() -> Iterator[World]:
    """A world that is gone, with its folder, at the end of the block."""
    with (
        TemporaryDirectory(prefix="opsync-demo-") as folder,
        launch.harbor() as url,
        SandboxClient(url) as client,
    ):
        yield World(client, _write_config(client, Path(folder)))


@contextlib.contextmanager
def kept(folder: Path) -> Iterator[World]:
    """A world in `folder` whose sandbox goes on after the block, unless the block raises.

    Raises ConfigError when something is in the folder already.
    """
    try:
        made = not folder.exists()
        taken = not made and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise _not_kept(folder, error) from None
    if taken:
        raise ConfigError(
            f"{folder} is not empty and is left as it is.",
            hint="Remove it, or keep this demo elsewhere with --dir.",
        )
    with contextlib.ExitStack() as undo:
        undo.callback(_clear, folder, made)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            apart = _started(folder / LOG)
        except (OSError, RuntimeError) as error:
            raise _not_kept(folder, error) from None
        undo.callback(apart.stop)
        with SandboxClient(apart.url) as client:
            yield World(client, _write_config(client, folder), apart.process.pid)
        undo.pop_all()
    # It is meant to outlive this process, which therefore must not complain about leaving it.
    apart.process.returncode = 0


def _not_kept(folder: Path, error: OSError | RuntimeError) -> ConfigError:
    of_folder = isinstance(error, OSError) and error.strerror
    return ConfigError(
        f"cannot keep a demo in {folder}: {of_folder or error}",
        hint="Keep it in a folder that is writable, with --dir." if of_folder else "",
    )


def _started(log: Path) -> launch.Apart:
    """A sandbox at the usual port, or at another one if somebody was quicker to take it."""
    port = launch.free_port()
    try:
        return launch.start_apart(port=port, log=log)
    except RuntimeError:
        if launch.free_port() == port:
            raise
        return launch.start_apart(port=launch.free_port(0), log=log)


def _clear(folder: Path, made: bool) -> None:
    """Take a demo's files out of `folder` again."""
    if (folder / FOLDER).is_dir():
        rmtree(folder / FOLDER)
    for name in (LOG, CONFIG, f"{STORE}*"):
        for path in folder.glob(name):
            path.unlink()
    if made and folder.exists():
        folder.rmdir()


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Hide the caller's own settings: a demo must touch neither their store nor their tokens."""
    own = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("OPSYNC_")}
    try:
        yield
    finally:
        os.environ.update(own)


def _write_config(client: SandboxClient, folder: Path) -> Path:
    path = folder.absolute() / CONFIG
    write_config(path, client.url, client.data_source(ROADMAP))
    return path
