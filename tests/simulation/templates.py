"""New stores as copies of an empty one, since the revisions take longer than an episode's run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opsync.store import database


@contextmanager
def quick_stores() -> Iterator[None]:
    """Within this, a store that is made is a copy."""
    make = database._touch
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        database.upgrade(path)
        empty = path.read_bytes()

    def copy(path: Path) -> None:
        make(path)
        path.write_bytes(empty)

    database._touch = copy
    try:
        yield
    finally:
        database._touch = make
