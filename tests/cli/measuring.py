"""A company whose roadmap is measured: what it released, and how much that is used.

Days are told from today, as the command line goes by the real clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.cli.conftest import CONFIG, ROADMAP, WORK, Company
from tests.cli.gauge import HOST

TODAY = datetime.now(UTC).date()
LAST = TODAY - timedelta(days=1)
"""The last day that is over in the project."""
RELEASED = LAST - timedelta(days=18)
"""Two whole weeks before the last day, and a little."""
LATELY = LAST - timedelta(days=3)

ROLLUP = """
released = "Released"
announce_in = ["usage"]
"""
METRICS = """
[[rollup.metric]]
instance = "usage"
flag_from = "Flag"
weeks = 2

[instances.usage]
connector = "gauge"
file = "{folder}/usage.json"

[instances.roadmap]
connector = "board"
"""


def day(back: int) -> str:
    return str(LAST - timedelta(days=back))


def level(before: int, after: int, released: date = RELEASED) -> dict[str, int]:
    """Use by day: about `before` up to the release, about `after` from it on; every week the
    same."""
    days = (LAST - timedelta(days=n) for n in range(120))
    # The day of the release belongs to no week.
    return {
        str(one): (after if one > released else before) + ((one - released).days % 7 - 3)
        for one in days
        if one != released
    }


def initiative(title: str, status: str = "done", **columns: str) -> dict[str, Any]:
    return {
        "id": title.split()[0].casefold(),
        "kind": "initiative",
        "title": title,
        "category": status,
        "columns": columns,
    }


RELEASES = [
    initiative("Instant payouts", Flag="instant-payouts", Released=str(RELEASED)),
    initiative("Early bird", Flag="early", Released=str(LATELY)),
    initiative("Misspelt one", Flag="pay-outs", Released=str(RELEASED)),
    initiative("Refused one", Flag="refused", Released=str(RELEASED)),
    initiative("Undated one", Flag="instant-payouts"),
    initiative("Linked one", Flag=f"{HOST}/flag/7", Released=str(RELEASED)),
    initiative("Running one", status="in_progress", Flag="instant-payouts"),
]
USAGE: Mapping[str, Any] = {
    "project": "Harbor app",
    "flags": [{"id": "7", "key": "instant-payouts", "name": "Payouts at once"}],
    "use": {"flag:instant-payouts": level(24, 38), "flag:early": level(10, 30, LATELY)},
    "trouble": {
        "flag:pay-outs": {"trouble": "unknown", "nearest": ["instant-payouts", "payouts-old"]},
        "flag:refused": {"trouble": "refused", "message": "Property not found: plan"},
    },
    "written": {},
}


def settings(folder: Path, *, mode: str = "apply") -> None:
    """Write the configuration of a company in `folder`."""
    text = CONFIG.format(mode=mode, folder=folder)
    text = text.replace('write_to = ["root"]\n', f'write_to = ["root"]\n{ROLLUP}', 1)
    board = '\n[instances.roadmap]\nconnector = "toy"\n'
    text = text.replace(board, METRICS.format(folder=folder), 1)
    (folder / "opsync.toml").write_text(text)


def plant(folder: Path, items: Sequence[Mapping[str, Any]]) -> None:
    """The tools' files of a company with these initiatives besides its own."""
    plugins = folder / "plugins"
    plugins.mkdir(exist_ok=True)
    for name in ("toy", "gauge"):
        source = f"from tests.cli.{name} import register_connectors\n"
        (plugins / f"{name}.py").write_text(source)
    for name, state in {
        "roadmap": {"items": [*ROADMAP, *items]},
        "work": {"items": WORK},
        "usage": USAGE,
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(state))
    settings(folder)


def measured(company: Company, *items: Mapping[str, Any]) -> Company:
    """The company with these initiatives besides its own, after a sync."""
    plant(company.folder, items)
    result = company.opsync("sync")
    assert result.code in (0, 1), result.out + result.err
    return company
