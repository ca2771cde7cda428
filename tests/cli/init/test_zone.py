"""The machine's time zone, as far as it tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsync.cli.init.zone import is_zone, machine_zone


@pytest.mark.parametrize(
    ("environ", "leads_to", "zone"),
    [
        ({"TZ": "Europe/Lisbon"}, "/usr/share/zoneinfo/Asia/Tokyo", "Europe/Lisbon"),
        ({"TZ": ":Europe/Lisbon"}, None, "Europe/Lisbon"),
        ({"TZ": "/usr/share/zoneinfo/Asia/Tokyo"}, None, "Asia/Tokyo"),
        ({"TZ": "CET-1CEST"}, "/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
        ({}, "../usr/share/zoneinfo/America/New_York", "America/New_York"),
        ({}, "/usr/share/zoneinfo/Etc/UTC", "UTC"),
        ({}, "/somewhere/else", "UTC"),
        ({"TZ": ""}, None, "UTC"),
    ],
)
def test_the_variable_counts_before_the_link(
    tmp_path: Path, environ: dict[str, str], leads_to: str | None, zone: str
) -> None:
    localtime = tmp_path / "localtime"
    if leads_to is not None:
        localtime.symlink_to(leads_to)

    assert machine_zone(environ, localtime) == zone


def test_a_file_that_is_no_link_tells_no_name(tmp_path: Path) -> None:
    (tmp_path / "localtime").write_bytes(b"TZif2")

    assert machine_zone({}, tmp_path / "localtime") == "UTC"


@pytest.mark.parametrize("name", ["Nowhere/Town", "../etc/passwd", "Europe", ""])
def test_what_is_no_zone_is_none(name: str) -> None:
    assert not is_zone(name)
