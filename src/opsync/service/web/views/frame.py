"""What stands around each page: where one is, what waits elsewhere, what was just done. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from opsync.engine.overview import Connection, Overview
from opsync.engine.phrases import plural, shown
from opsync.model.pause import ALL, Pause
from opsync.service.web.views.signs import Badge
from opsync.watch import Alarm

DECIDED = ("to_approve", "edited", "removed")
"""What waits for a person on the plan's page."""


class Glance(Struct, frozen=True, kw_only=True):
    """The state of things in few numbers, as every page shows it."""

    waiting: Mapping[str, int]
    connections: tuple[Connection, ...]
    alarms: tuple[Alarm, ...]
    paused: tuple[Pause, ...]


def glance_of(found: Overview) -> Glance:
    """The same of an overview, which has all of it."""
    return Glance(
        waiting=found.waiting,
        connections=found.connections,
        alarms=found.alarms,
        paused=found.paused,
    )


class Entry(Struct, frozen=True):
    """One page in the navigation. `count` of what waits there, told as `said`."""

    title: str
    path: str
    here: bool
    count: int = 0
    said: str = ""


class Frame(Struct, frozen=True):
    """The navigation, and how the connections stand. `notes` is what a person has to know
    besides."""

    entries: tuple[Entry, ...]
    state: Badge
    notes: tuple[Badge, ...]


_PAGES = (
    ("Initiatives", "/"),
    ("Plan", "/plan"),
    ("Links", "/links"),
    ("Journal", "/journal"),
    ("Connections", "/connections"),
)


def frame(found: Glance, path: str, refused: str = "") -> Frame:
    """The frame of the page at `path`; `refused` is why the configuration is not read again."""
    waits = sum(found.waiting.get(why, 0) for why in DECIDED)
    links = found.waiting.get("suggested", 0)
    counts = {
        "/plan": (waits, f"{plural(waits, 'value')} to decide"),
        "/links": (links, f"{plural(links, 'link')} to review"),
    }
    return Frame(
        entries=tuple(
            Entry(title, to, _here(to, path), *counts.get(to, (0, ""))) for title, to in _PAGES
        ),
        state=state(found.connections, found.alarms),
        notes=tuple(_notes(found, refused)),
    )


def _notes(found: Glance, refused: str) -> Iterator[Badge]:
    paused = found.paused
    if refused:
        yield Badge("✕", "Configuration refused", "bad")
    if any(one.kind == "configuration" for one in found.alarms):
        yield Badge("▲", "Configuration does not fit", "warn")
    if any(one.instance == ALL for one in paused):
        yield Badge("‖", "All writes paused", "warn")
    elif len(paused) == 1:
        yield Badge("‖", f"Writes to {shown(paused[0].instance, 40)} paused", "warn")
    elif paused:
        yield Badge("‖", f"Writes to {len(paused)} connections paused", "warn")


def state(connections: Sequence[Connection], alarms: Sequence[Alarm]) -> Badge:
    """How the connections stand together."""
    bad = [one for one in connections if one.state != "ok"]
    red = {one.connection for one in alarms if one.state == "fail" and one.connection}
    red |= {one.instance for one in bad if one.state == "out of date"}
    if red:
        return Badge("✕", f"{plural(len(red), 'connection')} failing", "bad")
    if bad and all(one.state == "never read" for one in bad):
        return Badge("○", "Not read yet", "calm")
    if bad:
        return Badge("▲", f"{plural(len(bad), 'connection')} incomplete", "warn")
    return Badge("●", "All connections read", "good")


def _here(to: str, path: str) -> bool:
    if to == "/":
        return path == "/" or path.startswith("/initiatives")
    return path == to or path.startswith(f"{to}/")
