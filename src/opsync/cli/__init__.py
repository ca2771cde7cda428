"""The command line: parse, call, print. No logic lives here.

Commands are listed with their help in one table and imported when they run, so that `--help` and
`--version` load none of what passes need.
"""

from __future__ import annotations

from opsync.cli.root import main

__all__ = ["main"]
