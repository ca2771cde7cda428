"""What an event segmentation answered, as days and values. Pure.

Shapes: https://amplitude.com/docs/apis/analytics/dashboard-rest (Event segmentation). A series is
told by its label: a number, the place of its event in the request; a name; or both in a list. What
does not fit together is refused with what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import Struct

from opsync import Span, Unreadable, by_day, number_of
from opsync_amplitude import lenient
from opsync_amplitude.lenient import Json

GROUPS = 1000
"""The most groups in one answer; what is beyond is left out."""
SEEN = 200
"""So many of an answer's names are remembered, to tell near ones."""


class Together(Unreadable):
    """The answer for two events, of which it does not say which series is whose. `always` says
    that no such answer will: both series are there, and their labels are the same."""

    def __init__(self, *, always: bool) -> None:
        super().__init__("the answer does not say which series is of which event")
        self.always = always


class Series(Struct, frozen=True):
    """The values of one event or group within the days asked for. `whole` is that of the whole
    range, which for unique users is not the sum of its days."""

    days: Mapping[date, float] = {}
    whole: float | None = None

    @property
    def silent(self) -> bool:
        """Whether nothing was counted."""
        return not any(self.days.values())


class Part(Struct, frozen=True):
    """What one answer told, for each name that was asked for: its series, or what is wrong with it
    ("": nothing). `seen` are the names that the answer has."""

    series: tuple[Series, ...]
    odd: tuple[str, ...]
    seen: tuple[str, ...] = ()


def of_events(body: bytes, events: Sequence[str], span: Span) -> Part:
    """The series of one or two events. Raises Unreadable, Together."""
    data = _data(body)
    count = len(_list(data, "series"))
    if count > len(events):
        raise Unreadable(f"the answer has {count} series for {len(events)} events")
    places = list(range(count))
    if len(events) > 1 and count:
        labels = [_label(one) for one in _list(data, "seriesLabels")]
        places = _places(labels, events, _list(data, "seriesMeta"), count)
    rows = {event: place for place, event in enumerate(places)}
    return _part(data, [rows.get(n) for n in range(len(events))], span)


def of_groups(body: bytes, names: Sequence[str], span: Span) -> Part:
    """The series of these groups, by their labels. Raises Unreadable."""
    data = _data(body)
    labels = [_label(one)[1] for one in _list(data, "seriesLabels")]
    count = len(_list(data, "series"))
    if len(labels) != count:
        raise Unreadable(f"the answer has {len(labels)} labels for {count} series")
    rows = [labels.index(name) if name in labels else None for name in names]
    part = _part(data, rows, span)
    odd = list(part.odd)
    for n, name in enumerate(names):
        if labels.count(name) > 1:
            odd[n] = "the answer has two series of that name"
        elif rows[n] is None and count >= GROUPS:
            odd[n] = f"it tells of {GROUPS} at most, and this one is not among them"
    return Part(part.series, tuple(odd), tuple(labels[:SEEN]))


def _part(data: Mapping[str, Json], rows: Sequence[int | None], span: Span) -> Part:
    found: list[Series] = []
    odd: list[str] = []
    for row in rows:
        wrong, one = "", Series()
        if row is not None:
            try:
                one = _series(data, row, span)
            except Unreadable as error:
                wrong = str(error)
        found.append(one)
        odd.append(wrong)
    return Part(tuple(found), tuple(odd))


def _places(
    labels: Sequence[tuple[int | None, str]], events: Sequence[str], meta: list[Json], count: int
) -> list[int]:
    """Of which event each series is. Raises Together where that is not certain."""
    by_name = [events.index(name) if name in events else -1 for _, name in labels]
    by_meta = [one.get("eventIndex") if isinstance(one, dict) else None for one in meta]
    # A single number may as well count segments.
    by_number = [number for number, _ in labels] if count == len(events) else []
    for places in (by_name, by_meta, by_number):
        fits = [
            place
            for place in places
            if isinstance(place, int) and not isinstance(place, bool) and 0 <= place < len(events)
        ]
        if len(places) == count == len(fits) == len(set(fits)):
            return fits
    raise Together(always=count == len(events))


def data_of(body: bytes) -> Json:
    """What an answer holds as its data; None where it has none. Raises Unreadable."""
    try:
        whole = lenient.read(body)
    except ValueError as error:
        raise Unreadable(f"the answer cannot be read: {error}") from None
    return whole.get("data") if isinstance(whole, dict) else None


def _data(body: bytes) -> dict[str, Json]:
    data = data_of(body)
    if not isinstance(data, dict):
        raise Unreadable("the answer has no data")
    return data


def _list(data: Mapping[str, Json], name: str) -> list[Json]:
    value = data.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unreadable(f'"{name}" is no list')
    return value


def _label(label: Json) -> tuple[int | None, str]:
    """The number and the name in a label, as far as it has them."""
    parts = label if isinstance(label, list) else [label]
    numbers = [one for one in parts if isinstance(one, int) and not isinstance(one, bool)]
    names = [one for one in parts if isinstance(one, str)]
    return (numbers[0] if numbers else None), (names[-1] if names else "")


def _series(data: Mapping[str, Json], place: int, span: Span) -> Series:
    values, days = _list(data, "series")[place], _list(data, "xValues")
    if not isinstance(values, list):
        raise Unreadable("a series is no list")
    found = by_day(days, [_bare(value) for value in values])
    inside = {day: n for day, n in found.items() if span.first <= day <= span.last}
    return Series(inside, _whole(data, place))


def _whole(data: Mapping[str, Json], place: int) -> float | None:
    """The value over the whole range; None where it is not told, or not readable."""
    collapsed = data.get("seriesCollapsed")
    if not isinstance(collapsed, list) or place >= len(collapsed):
        return None
    if len(collapsed) != len(_list(data, "series")):
        return None
    cell = collapsed[place]
    if isinstance(cell, list):
        cell = cell[0] if len(cell) == 1 else None
    try:
        return number_of(_bare(cell))
    except Unreadable:
        return None


def _bare(cell: Json) -> Json:
    """The value in an object that holds it as "value"."""
    return cell.get("value") if isinstance(cell, dict) else cell
