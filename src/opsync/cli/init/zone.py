"""The time zone of this machine, as far as it tells."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UTC = "UTC"
LOCALTIME = Path("/etc/localtime")


def machine_zone(environ: Mapping[str, str] = os.environ, localtime: Path = LOCALTIME) -> str:
    """The zone's name by the variable TZ, else by where /etc/localtime leads; "UTC" if neither
    names one."""
    named = [environ.get("TZ", "").removeprefix(":")]
    if localtime.is_symlink():
        named.append(str(localtime.readlink()))
    for name in named:
        zone = name.rpartition("zoneinfo/")[2]
        if zone and is_zone(zone):
            return UTC if zone == f"Etc/{UTC}" else zone
    return UTC


def is_zone(name: str) -> bool:
    """Whether there is a time zone of that name."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return False
    return True
