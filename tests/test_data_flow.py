"""docs/data-flow.md tells of every place that opsync may write, and of all that `expose` may be."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import get_args

import pytest

from opsync import Writable
from opsync.contract.settings import ConnectorSettings
from opsync.plugins import load

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "data-flow.md").read_text(encoding="utf-8")
CONNECTORS = sorted(point.name for point in entry_points(group="opsync"))


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, its head and rule left out."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


@pytest.mark.parametrize("name", CONNECTORS)
def test_each_place_that_a_bundled_connector_writes_is_in_the_table(name: str) -> None:
    connector = load(wanted=[name]).connector(name)
    assert issubclass(connector, Writable)
    told = {place for _, to, _, place, _ in rows("Ordinary work") if to == connector.title}
    assert told == {surface.title for surface in connector.surfaces}


def test_each_setting_of_expose_has_its_column() -> None:
    values = get_args(ConnectorSettings.model_fields["expose"].annotation)
    head = next(line for line in PAGE.splitlines() if "`expose = " in line)
    assert re.findall(r'`expose = "(\w+)"`', head) == list(values)
    assert all(len(row) == 1 + len(values) for row in rows("Private work"))


def test_what_a_link_may_not_carry_is_in_no_row() -> None:
    sent = " ".join(what for _, _, what, _, _ in rows("Ordinary work"))
    for word in ("description", "comment", "owner", "label", "estimate"):
        assert word not in sent.lower()


def test_the_readme_leads_there() -> None:
    assert "(docs/data-flow.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
