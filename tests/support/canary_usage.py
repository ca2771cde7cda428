"""How the company with private work measures what it has shipped."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.support.canaries import USAGE
from tests.support.world import World


def measure(world: World, flag: str, unknown: str) -> None:
    """Give the company an analytics tool that has `flag`, and "meadow", and nothing `unknown`."""
    plugins = world.folder / "plugins"
    plugins.mkdir()
    source = "from tests.cli.gauge import register_connectors\n"
    (plugins / "gauge.py").write_text(source, encoding="utf-8")
    today = world.clock.now().date()
    days = {str(today - timedelta(days=n)): 20 + n % 7 for n in range(90)}
    trouble = {
        "trouble": "unknown",
        "message": f"nothing is called {unknown}",
        "nearest": [f"{unknown}-2"],
    }
    state = {
        "project": "Harbor app",
        "flags": [],
        "use": {f"flag:{flag}": days, "flag:meadow": days},
        "trouble": {f"flag:{unknown}": trouble},
        "written": {},
    }
    file = world.folder / "usage.json"
    file.write_text(json.dumps(state), encoding="utf-8")
    world.raw["plugins_dir"] = str(plugins)
    world.raw["instances"][USAGE] = {"connector": "gauge", "file": str(file)}
    world.raw["rollup"][0] |= {
        "metric": [{"instance": USAGE, "flag_from": "Flag"}],
        "announce_in": [USAGE],
        "released": "Live on",
    }


def shipped(world: World, flag: str) -> dict[str, object]:
    """The cells of an initiative that was shipped, with the flag by which it is measured."""
    day = world.clock.now().date() - timedelta(days=20)
    return {"Status": "Done", "Flag": flag, "Live on": day}
