"""Tables on narrow terminals."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from opsync.cli import screen
from opsync.cli.layout import Column, table, widths
from opsync.cli.screen import styled

COLUMNS = (
    Column("key"),
    Column("title", "fold", 10),
    Column("url", drop=2),
    Column("state", "cut", 4, drop=1),
)


def test_with_room_every_column_has_its_natural_width() -> None:
    assert widths(COLUMNS, [8, 30, 40, 12], 96) == [8, 30, 40, 12]


def test_texts_give_way_before_a_column_is_left_out() -> None:
    assert widths(COLUMNS, [8, 30, 40, 12], 80) == [8, 14, 40, 12]


def test_the_least_important_column_is_left_out_first() -> None:
    assert widths(COLUMNS, [8, 30, 40, 12], 60) == [8, 30, None, 12]
    assert widths(COLUMNS, [8, 30, 40, 12], 22) == [8, 12, None, None]


def test_a_whole_column_is_never_narrower_than_its_cells() -> None:
    assert widths(COLUMNS, [8, 30, 40, 12], 5)[0] == 8


def test_a_column_without_text_takes_no_room() -> None:
    assert widths((Column(), Column()), [0, 5], 20) == [None, 5]


def test_a_table_is_never_wider_than_the_terminal_and_keeps_keys() -> None:
    rows = [[styled("PAY-118"), styled("Tokenise cards " * 6), styled("u" * 57), styled("Doing")]]
    for room in (40, 60, 80, 120):
        made, left_out = table(COLUMNS, rows, room=room, indent=2)
        console = Console(width=room, color_system=None)
        with console.capture() as captured:
            console.print(made)
        lines = captured.get().splitlines()
        assert max(len(line) for line in lines) <= room
        assert any("PAY-118" in line for line in lines)
        assert ("url" in left_out) == (room < 90)


def test_a_finding_and_what_mends_it_go_on_under_their_own_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = StringIO()
    narrow = Console(width=40, file=shown, color_system=None)
    monkeypatch.setattr(screen, "console", lambda: narrow)
    monkeypatch.setattr(screen, "interactive", lambda: True)

    screen.signed("warn", "Write  " + "links on issues " * 4, ["Settings → Security → " * 4])

    lines = [line.rstrip() for line in shown.getvalue().splitlines()]
    assert lines[0].startswith("  ! Write  links")
    finding = [line for line in lines if "links" in line or "issues" in line]
    assert all(len(line) <= 40 for line in lines)
    assert all(line.startswith("    ") for line in finding[1:])
    assert all(line.startswith("      ") for line in lines[len(finding) :])
    assert len(lines) > 4
