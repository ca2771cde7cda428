"""How this program is called, for suggestions that people copy."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

NAME = "opsync"


def called() -> str:
    """`opsync` where the shell finds this very program by that name, else the path it was started
    by, quoted for a shell."""
    started = Path(sys.argv[0])
    if started.name != NAME:
        # Another program runs it as a library: then its script is the one beside the interpreter.
        started = Path(sys.executable).with_name(NAME)
    found = shutil.which(NAME)
    if not started.exists() or (found and Path(found).resolve() == started.resolve()):
        return NAME
    return shlex.quote(str(started))
