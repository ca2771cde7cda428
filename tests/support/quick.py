"""What spares a process of many tests or episodes time that none of them is about."""

import gc
import sys
from importlib.util import find_spec


def be_quick() -> None:
    """All of it, at the beginning of a process."""
    tell_what_is_absent()
    look_less()


def tell_what_is_absent() -> None:
    """Say at once that there is no sniffio: httpx asks for it at each request in memory, and each
    time looks through all folders."""
    if find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # type: ignore[assignment]


def look_less() -> None:
    """Never look among what is there by now and lives to the end, and less often at all: a fifth to
    a third of all time went into it. What is frozen later would never be freed."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
