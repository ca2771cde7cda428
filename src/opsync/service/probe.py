"""`python -m opsync.service.probe`: ends with 0 where the service on this machine is alive.

It is what the image's health check runs: without other tools, and without loading opsync. Where the
service listens it takes from OPSYNC_SERVICE__LISTEN, else from the configuration.
"""

from __future__ import annotations

import http.client
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

LISTEN = "127.0.0.1:8484"
"""Where it listens unless it is told otherwise."""
TIMEOUT_S = 5.0

_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is asked instead of all addresses


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Ask `/healthz`; returns the exit code and says on standard error what is wrong."""
    host, port = address(environ)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"opsync does not answer at {host}:{port}: {error}\n")
        return 1
    finally:
        connection.close()
    if status != http.client.OK:
        sys.stderr.write(f"opsync answered {status} at {host}:{port}\n")
        return 1
    return 0


def address(environ: Mapping[str, str]) -> tuple[str, int]:
    """Host and port to ask."""
    host, _, port = _listen(environ).strip().rpartition(":")
    host = host.strip("[]")
    return _ALL.get(host, host), int(port)


def _listen(environ: Mapping[str, str]) -> str:
    if given := environ.get("OPSYNC_SERVICE__LISTEN"):
        return given
    path = Path(environ.get("OPSYNC_CONFIG") or "opsync.toml")
    try:
        block = tomllib.loads(path.read_text(encoding="utf-8")).get("service", {})
        return str(block.get("listen") or LISTEN)
    except (OSError, ValueError):
        return LISTEN  # the service says itself what is wrong with its configuration


if __name__ == "__main__":
    sys.exit(main())
