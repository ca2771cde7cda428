"""What was written, run by run. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from opsync.engine.phrases import plural, shown, value
from opsync.engine.wrote import Wrote
from opsync.model import WRITTEN, Kind
from opsync.service.web.views.signs import Badge, outcome
from opsync.service.web.views.values import Named, moment, named

PAGE = 100
"""So many writes stand on one page."""
_WRITTEN = frozenset(kind.value for kind in WRITTEN)


class Row(Struct, frozen=True, kw_only=True):
    """One write that was tried; `undoable` where it was carried out."""

    id: str
    at: str
    outcome: Badge
    tool: str
    place: str
    item: Named
    before: str
    after: str
    because: str
    message: str
    undoable: bool


class Run(Struct, frozen=True, kw_only=True):
    """The writes of one run; `undoable` are those that can be taken back."""

    run: int
    at: str
    count: str
    undoable: int
    rows: tuple[Row, ...]


class JournalPage(Struct, frozen=True, kw_only=True):
    """The page. `only` is the run that it is about, `older` leads to the next page (0: none)."""

    runs: tuple[Run, ...]
    only: int
    older: int


def journal(found: Sequence[Wrote], zone: tzinfo, only: int = 0) -> JournalPage:
    """The page of these writes, of which one more than fit says that there are older ones."""
    page = found[:PAGE]
    return JournalPage(
        runs=tuple(_run(run, list(rows), zone) for run, rows in groupby(page, lambda w: w.run)),
        only=only,
        older=page[-1].seq if len(found) > PAGE else 0,
    )


def _run(run: int, found: Sequence[Wrote], zone: tzinfo) -> Run:
    return Run(
        run=run,
        at=moment(found[0].at, zone),
        count=plural(len(found), "write"),
        undoable=sum(one.outcome in _WRITTEN for one in found),
        rows=_told_once([_row(one, zone) for one in found]),
    )


def _told_once(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The same, each reason only where it differs from that of the row above."""
    above = ["", *(row.because for row in rows)]
    return tuple(
        replace(row, because="") if row.because == before else row
        for row, before in zip(rows, above[:-1], strict=True)
    )


def _row(one: Wrote, zone: tzinfo) -> Row:
    item = one.about if one.item.kind == Kind.product.value else one.item
    return Row(
        id=one.id,
        at=moment(one.at, zone),
        outcome=outcome(one.outcome),
        tool=one.tool,
        place=shown(one.place, 60),
        item=named(item),
        before=value(None if one.column else one.before, one.place),
        after=one.column or ("" if one.verb == "remove" else value(one.after, one.place)),
        because=shown(one.reason, 200),
        message=shown(one.message, 300),
        undoable=one.outcome in _WRITTEN,
    )
