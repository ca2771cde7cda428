"""How seldom a process of tests looks for garbage."""

import gc


def look_less() -> None:
    """Never look among what is there by now and lives to the end, and less often at all: a fifth to
    a third of all time went into it. What is frozen later would never be freed."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
