"""`opsync plugins`: which plugins there are, and why one is not loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from opsync.cli.common import around, config_option, json_option, print_json
from opsync.cli.layout import Column
from opsync.cli.screen import show_rows
from opsync.errors import ConfigError
from opsync.plugins import PluginInfo

_COLUMNS = (
    Column("plugin"),
    Column("state"),
    Column("origin", "fold", 12),
    Column("contract", drop=1),
    Column("can", "fold", 14),
    Column("why", "fold", 18),
)


@click.command()
@json_option
@config_option
def plugins(as_json: bool, config_path: Path | None) -> int:
    """Which plugins there are, where each comes from, and why one is not loaded.

    Works without a configuration, and with one that has other faults. Exits with 1 when a plugin
    failed.

    With --json: [{"name", "origin", "state", "contract", "connectors", "capabilities", "why"}].
    """
    found = [replace(info, why=around().clean(info.why)) for info in _infos(config_path)]
    if as_json:
        print_json(found)
    else:
        show_rows(_COLUMNS, [_row(info) for info in found])
    return 1 if any(info.state == "failed" for info in found) else 0


def _row(info: PluginInfo) -> tuple[str, ...]:
    contract = str(info.contract) if info.contract is not None else "–"
    can = ", ".join(info.capabilities) or "–"
    return info.name, info.state, info.origin, contract, can, info.why


def _infos(config_path: Path | None) -> list[PluginInfo]:
    """All plugins, as the configuration would load them as far as it can be read."""
    from opsync.config import find, parsed
    from opsync.plugins import load

    try:
        path = find(config_path)
    except ConfigError:
        if config_path is not None:
            raise
        return load(wanted=()).infos
    raw = parsed(path)
    blocks = raw.get("instances")
    named = [
        block["connector"]
        for block in (blocks.values() if isinstance(blocks, dict) else ())
        if isinstance(block, dict) and isinstance(block.get("connector"), str)
    ]
    allow, folder = raw.get("allow"), raw.get("plugins_dir")
    return load(
        wanted=named,
        allow=[str(name) for name in allow] if isinstance(allow, list) else (),
        plugins_dir=path.parent / folder if isinstance(folder, str) else None,
    ).infos
