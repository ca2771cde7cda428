"""Decisions about pairs as a file: what spreadsheets make of one, and what is none."""

from __future__ import annotations

import csv
import io

import pytest

from opsync.engine.pairfile import COLUMNS, read_sheet, write_sheet
from opsync.errors import ConfigError


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_may_come_from_any_spreadsheet(delimiter: str, start: str, end: str) -> None:
    rows = [["One", " TWO ", "Note"], ["Loyalty", "MOB-1", "so, it is; really\nyes"], ["", "", ""]]
    text = end.join(delimiter.join(f'"{cell}"' for cell in row) for row in [*rows, rows[1]])
    sheet = read_sheet(f"{start}{text}{end}{end}".encode(), "pairs.csv")
    assert [line.number for line in sheet.lines] == [2, 5]
    assert dict(sheet.lines[0].cells) == {
        "one": "Loyalty",
        "two": "MOB-1",
        "note": "so, it is; really\nyes",
    }
    assert (sheet.ignored, sheet.problems) == ((), ())


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "'=", "''-", "'"])
def test_no_cell_that_is_written_is_a_formula_and_all_are_read_again(start: str) -> None:
    cell = f'{start}HYPERLINK("https://evil.example")'
    text = write_sheet([[cell] * len(COLUMNS)])
    (_, row) = csv.reader(io.StringIO(text, newline=""))
    assert not [one for one in row if one[0] in "=+-@\t\r"]
    (line,) = read_sheet(text.encode(), "pairs.csv").lines
    assert set(line.cells.values()) == {cell.strip()}


def test_columns_of_others_are_named() -> None:
    sheet = read_sheet(b"one,two,Owner,\nx,y,Ben,\n", "pairs.csv")
    assert sheet.ignored == ("owner",)
    assert sheet.lines[0].cells["one"] == "x"


def test_a_row_with_more_cells_than_columns_is_no_line() -> None:
    sheet = read_sheet(b"one,two\na,b\nOne-tap, checkout,b\nc,d\n", "pairs.csv")
    assert [line.cells["one"] for line in sheet.lines] == ["a", "c"]
    (problem,) = sheet.problems
    assert problem.startswith("line 3: 3 cells under 2 columns; put quotes")


def test_a_row_with_fewer_cells_leaves_the_others_empty() -> None:
    (line,) = read_sheet(b"one,two,note\na,b\n", "pairs.csv").lines
    assert "note" not in line.cells


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"Referral programme,PAY-77\n", 'has no column "one" (but: referral programme, pay-77)'),
        (b"one,second\nx,y\n", 'has no column "two"'),
        (b"one,two,one\nx,y,z\n", 'has two columns "one"'),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is no text in UTF-8 (byte 1)"),
        ("one,two\nRückfluß,PAY-77\n".encode("latin-1"), "is no text in UTF-8 (byte 10)"),
        ("one,two\nx,y\n".encode("utf-16"), "is no text in UTF-8"),
        (b"PK\x03\x04\x00\x00one,two", "is no text: it holds NUL"),
        (b'one,two\nReferral programme,PAY-77\n"x,y\n', "is no CSV from line 3 on"),
        (b"one,two\n" + b"x" * 200_000 + b",y\n", "is no CSV from line 2 on"),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_reason_and_what_to_do(
    content: bytes, said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read_sheet(content, "pairs.csv")
    assert refused.value.message.startswith(f"pairs.csv {said}")
    assert refused.value.hint
