"""Decisions about pairs as a CSV file: what people fill in, and what opsync writes out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast, get_args

from msgspec import Struct
from msgspec.structs import replace

from opsync.engine.deciding import NAME_LIMIT, Deciding
from opsync.errors import ConfigError
from opsync.inert import inert_text
from opsync.model import PairDecision, PairKind, Record, Ref, Verdict

COLUMNS = ("one", "two", "kind", "verdict", "note", "by", "at", "one_ref", "two_ref")
"""What a file may hold; `one` and `two`, or their refs, it must."""

_HINT = f"Begin it with the line: {','.join(COLUMNS[:5])}"
_DELIMITERS = (",", ";")
# A spreadsheet takes a cell that begins so for a formula, and runs it.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


class Line(Struct, frozen=True):
    """One row, by the names of its columns; `number` is where it begins in the file."""

    number: int
    cells: Mapping[str, str]


class Sheet(Struct, frozen=True):
    """A file's rows. `ignored` are columns with names of their own, `problems` rows that are
    none."""

    lines: tuple[Line, ...]
    ignored: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class Imported(Struct, frozen=True):
    """What a sheet says, each pair once, and what is wrong in it, by line."""

    decisions: tuple[PairDecision, ...]
    problems: tuple[str, ...]


def read_sheet(data: bytes, name: str) -> Sheet:
    """A file's rows. Raises ConfigError for what is no CSV with a header."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{name} is no text in UTF-8 (byte {error.start + 1})",
            hint='Save it as "CSV UTF-8".',
        ) from error
    if "\0" in text:
        raise ConfigError(f"{name} is no text: it holds NUL", hint='Save it as "CSV UTF-8".')
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    rows = _rows(text, delimiter, name)
    if not rows:
        raise ConfigError(f"{name} is empty", hint=_HINT)
    header = [cell.strip().casefold() for cell in rows[0][1]]
    _check(header, name)
    lines, problems = [], []
    for number, row in rows[1:]:
        if len(row) > len(header):
            told = f"line {number}: {len(row)} cells under {len(header)} columns"
            problems.append(f"{told}; put quotes around text that holds the separator")
            continue
        cells = dict(zip(header, map(_unguarded, row), strict=False))
        lines.append(Line(number, cells))
    ignored = tuple(column for column in header if column and column not in COLUMNS)
    return Sheet(tuple(lines), ignored, tuple(problems))


def write_sheet(rows: Iterable[Sequence[str]]) -> str:
    """A CSV file with all columns. No cell of it is a formula to a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_guarded(cell) for cell in row] for row in rows)
    return out.getvalue()


async def decisions_in(sheet: Sheet, deciding: Deciding) -> Imported:
    """What the rows of a sheet say. A row that is not plain is told, and the others are taken."""
    found: dict[frozenset[Ref], tuple[int, PairDecision]] = {}
    problems = list(sheet.problems)
    for line in sheet.lines:
        try:
            decision = await _decision(line.cells, deciding)
        except ConfigError as error:
            problems.append(f"line {line.number}: {error.message}")
            continue
        pair = frozenset((decision.one, decision.two))
        number, before = found.setdefault(pair, (line.number, decision))
        if (before.kind, before.verdict) != (decision.kind, decision.verdict):
            problems.append(f"line {line.number}: line {number} says otherwise of the same pair")
    return Imported(tuple(one for _, one in found.values()), tuple(sorted(problems, key=_place)))


async def rows_of(decisions: Iterable[PairDecision], deciding: Deciding) -> list[list[str]]:
    """Decisions as rows. Private work is named as it may be shown; its ref says which it is."""
    rows = []
    for one in decisions:
        ends = [
            await deciding.look.remembered(one.one, one.one_name),
            await deciding.look.remembered(one.two, one.two_name),
        ]
        names = [inert_text(item.label, NAME_LIMIT) for item in ends]
        said = [one.kind, one.verdict, one.note, one.by, one.at.isoformat(timespec="seconds")]
        rows.append([*names, *said, str(one.one), str(one.two)])
    return rows


def _rows(text: str, delimiter: str, name: str) -> list[tuple[int, list[str]]]:
    """The rows that hold anything, each with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    number = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((number, row))
            number = reader.line_num + 1
    except csv.Error as error:
        raise ConfigError(
            f"{name} is no CSV from line {number} on: {error}",
            hint="Close all quotes, and double those inside of quoted text.",
        ) from error
    return rows


def _check(header: Sequence[str], name: str) -> None:
    for side in ("one", "two"):
        if side not in header and f"{side}_ref" not in header:
            said = inert_text(", ".join(filter(None, header)), NAME_LIMIT)
            raise ConfigError(f'{name} has no column "{side}" (but: {said})', hint=_HINT)
    twice = next((one for one in COLUMNS if header.count(one) > 1), "")
    if twice:
        raise ConfigError(f'{name} has two columns "{twice}"', hint="Keep one of them.")


async def _decision(cells: Mapping[str, str], deciding: Deciding) -> PairDecision:
    one = await _item(cells, "one", deciding)
    two = await _item(cells, "two", deciding)
    kind = cast("PairKind | None", _choice(cells, "kind", get_args(PairKind)))
    verdict = cast("Verdict", _choice(cells, "verdict", get_args(Verdict)) or "accepted")
    try:
        decision = await deciding.decision(one, two, verdict, kind, cells.get("note", ""))
    except ConfigError as error:
        if one.ref == two.ref:
            raise
        raise ConfigError(f'{error.message}: say "same" or "related" in "kind"') from error
    if by := inert_text(cells.get("by", ""), NAME_LIMIT):
        decision = replace(decision, by=by)
    if at := cells.get("at", ""):
        decision = replace(decision, at=_time(at))
    return decision


async def _item(cells: Mapping[str, str], side: str, deciding: Deciding) -> Record:
    if ref := cells.get(f"{side}_ref", ""):
        return await deciding.known(ref)
    if text := cells.get(side, ""):
        return await deciding.meant(text)
    raise ConfigError(f'"{side}" is empty')


def _choice(cells: Mapping[str, str], column: str, choices: Sequence[str]) -> str | None:
    said = cells.get(column, "").casefold()
    if not said:
        return None
    if said not in choices:
        shown = inert_text(said, NAME_LIMIT)
        raise ConfigError(f'"{column}" is {" or ".join(choices)}, not "{shown}"')
    return said


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        shown = inert_text(text, NAME_LIMIT)
        raise ConfigError(f'"at" is a time like 2026-11-26T09:30+00:00, not "{shown}"') from error
    if found.tzinfo is None:
        raise ConfigError(f'"at" wants its offset from UTC: {text}+00:00')
    return found


def _guarded(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _unguarded(cell: str) -> str:
    return (cell[1:] if _GUARDED.match(cell) else cell).strip()


def _place(problem: str) -> int:
    return int(problem.removeprefix("line ").partition(":")[0])
