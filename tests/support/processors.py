"""How many processes a test may start that each keep a processor busy."""

import os


def spare_processors() -> int:
    """As many as there are processors for each of the processes that run tests side by side: more
    would take their time from tests that wait for a browser or a service."""
    return max(1, (os.cpu_count() or 1) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
