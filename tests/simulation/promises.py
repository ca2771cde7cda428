"""What must hold, and how it is looked at."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from opsync.model import Change, Ref, Slot, Verb
from opsync.sandbox.notion.state import dashed
from tests.simulation.company import (
    Company,
    Names,
    Place,
    Twins,
    asleep,
    doubled,
    human,
    owned,
)
from tests.simulation.line import Asked

COLUMNS = {
    "delivery": "Delivery",
    "delivery_pct": "Delivery %",
    "delivery_health": "Delivery health",
    "work": "Work",
    "delivery_changed": "Delivery changed",
}
PROJECTS = ("Checkout web", "Loyalty web")
"""A link of one and a summary of it take the same place, and come and go apart."""
TOOLS = {"jira": "jira-main", "linear": "linear", "notion": "notion"}
"""The connection of each tool that a place names."""


def check_always(twins: Twins) -> int:
    """What holds after each run, whatever happened. Returns how many promises were looked at."""
    theirs, real = human(twins.people), human(twins.real)
    assert real == theirs, f"people's things changed: {_difference(theirs, real)}"
    found, still = owned(twins.real), asleep(twins.real)
    for place, touch in twins.touched.items():
        if place[:2] in still or place in twins.blind:
            continue
        if touch.value is not None:
            stands = found.get(place)
            assert stands == touch.value, f"{place}: {touch.value!r} became {stands!r}"
    for name, vendor in twins.real.vendors.items():
        assert vendor.over_budget == 0, f"{name} was asked more than it allows"
    return 3


def check_healed(twins: Twins) -> int:
    """What holds besides once all is well."""
    # What a lost store had made of a link is nobody's beside the summary of a fresh one.
    nobodys = {place for place in twins.blind if place[1] in PROJECTS} | twins.nobodys
    assert [place for place in doubled(twins.real) if place not in nobodys] == []
    with closing(sqlite3.connect(twins.real.store_path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        begun = connection.execute(
            "SELECT l.target, l.surface FROM ledger l JOIN records r ON r.ref = l.target"
            " WHERE l.intent IS NOT NULL AND r.tombstone = ''"
        ).fetchall()
    still, names = asleep(twins.real), Names(twins.real)
    found = {page.id: ("notion", page.id) for page in twins.real.pages()}
    found |= {id_: ("linear", name) for id_, name in names.linear.items()}
    begun = [row for row in begun if found.get(str(row[0]).split(":")[-1]) not in still]
    assert begun == [], f"a write is still of unknown outcome: {begun}"
    return 3


def wrong(twins: Twins, wanted: Mapping[Place, str], disturbed_at: float) -> list[str]:
    """The places of opsync's that are not as they should be."""
    found, still = owned(twins.real), asleep(twins.real)
    told = []
    for place in sorted(wanted.keys() | found.keys() | twins.touched.keys()):
        if place[:2] in still or (place in twins.blind and place[1] in PROJECTS):
            continue
        stands, should = found.get(place), wanted.get(place)
        touch = twins.touched.get(place)
        allowed = {should}
        if touch is not None:
            allowed = {touch.value}
            # What a person removed and nothing asked for any more may be made anew later.
            since = touch.going or disturbed_at >= touch.at
            anew = touch.value is None and not touch.undone and since
            anew |= place[0] == "linear" and place[1] in PROJECTS and disturbed_at >= touch.at
            if place in twins.blind or anew or touch.of_a_link:
                allowed.add(should)
        beside = place in twins.nobodys and f" and {should}" in f" and {stands}"
        if stands not in allowed and not beside:
            told.append(f"{place}: {stands!r} stands, and not {allowed}")
    return told


def place_of(company: Company, change: Change) -> Place:
    """The place that a change writes."""
    names, slot = Names(company), change.slot
    target = slot.target
    if target.instance == "notion":
        return ("notion", dashed(target.id), COLUMNS[slot.surface])
    if target.instance == "jira-main":
        kind = f"rollup:{slot.rule}" if slot.surface == "rollup" else "link"
        return ("jira", names.jira[target.id], names.place(f"opsync:{kind}:{slot.other}"))
    value = change.desired if change.desired is not None else change.before
    assert isinstance(value, dict)
    return ("linear", names.linear[target.id], names.place(str(value["url"])))


def held_places(company: Company, note: str) -> set[Place]:
    """The places whose value is held with this note."""
    return _places(company, "CAST(hold AS TEXT) LIKE ?", f'%"note":"{note}"%')


def going_places(company: Company) -> set[Place]:
    """The places from which opsync is to take its value away, as far as it knows by now."""
    if not company.store_path.exists():
        return set()
    return _places(company, "desired = CAST(? AS BLOB) AND hold IS NULL", "null")


def _places(company: Company, where: str, value: str) -> set[Place]:
    query = f"SELECT target, surface, rule, other, desired, applied FROM ledger WHERE {where}"
    with closing(sqlite3.connect(company.store_path)) as connection:
        rows = connection.execute(query, (value,)).fetchall()
    found = set()
    for target, surface, rule, other, *values in rows:
        slot = Slot(Ref.parse(target), surface, rule, Ref.parse(other))
        # What was begun there, and never came to stand, is held as what should.
        for value in map(json.loads, values):
            if value is not None or slot.target.instance != "linear":
                change = Change(id="", slot=slot, verb=Verb.update, desired=value)
                found.add(place_of(company, change))
    return found


def unknown(store: Path) -> set[str]:
    """The tools at which a write was begun whose outcome opsync does not know."""
    if not store.exists():
        return set()
    with closing(sqlite3.connect(store)) as connection:
        rows = connection.execute("SELECT target FROM ledger WHERE intent IS NOT NULL")
        return {str(row[0]).split(":")[0].split("-")[0] for row in rows}


def is_blind(twins: Twins, place: Place, at: float, log: list[Asked]) -> bool:
    """Whether the first write to a place after a moment rests on a look from before it: no vendor
    offers a conditional write there."""
    marks = _marks(twins, place)
    own = [one for one in log if one.vendor == TOOLS[place[0]]]
    for number, write in enumerate(own):
        if write.reads or write.answered_at < at or not any(m in write.request for m in marks):
            continue
        looks = [
            one.at
            for one in own[:number]
            if one.answered_at <= write.at and _shows(one, place, marks)
        ]
        return write.at <= at or not looks or max(looks) <= at
    return False


def was_lied_to(twins: Twins, place: Place, at: float, log: list[Asked], mark: int) -> bool:
    """Whether the first write to a place after a moment, in a run whose requests begin at `mark`,
    follows a listing that answered nothing, or only a half, and was to show that place."""
    marks = _marks(twins, place)
    own = [one for one in log[mark:] if one.vendor == TOOLS[place[0]]]
    for number, write in enumerate(own):
        if write.reads or not any(m in write.request for m in marks):
            continue
        since = [one for one in log[:mark] if one.vendor == write.vendor and one.at > at]
        shown = [one for one in [*since, *own[:number]] if _shows(one, place, marks)]
        return not shown and any(one.fault == "F30" for one in own[:number])
    return False


def _shows(one: Asked, place: Place, marks: tuple[str, ...]) -> bool:
    """Whether an answer tells what stands at a place: a listing of ids does not."""
    told = one.reads and any(mark in one.answer for mark in marks)
    return told and (place[0] != "notion" or place[2] in one.answer)


def columns_known(twins: Twins) -> bool:
    """Whether opsync's store knows all of the columns that opsync made."""
    made = {
        one.id
        for one in twins.real.source.schema.properties.values()
        if one.name.removesuffix(" (opsync)") in COLUMNS.values()
    }
    if not made:
        return True
    with closing(sqlite3.connect(twins.real.store_path)) as connection:
        row = connection.execute(
            "SELECT value FROM kept WHERE instance = 'notion' AND key = 'columns'"
        ).fetchone()
    known = json.loads(row[0]) if row else {}
    return made <= {own["id"] for columns in known.values() for own in columns.values()}


def _marks(twins: Twins, place: Place) -> tuple[str, ...]:
    """How requests and answers name what a place is on."""
    real = twins.real
    tool, item, _ = place
    if tool == "notion":
        return (item, item.replace("-", ""))
    if tool == "jira":
        number = real.jira._keys[item]
        return (f"/issue/{number}/", f'"{number}"', f"/issue/{item}/")
    issue = real.linear.aliases.get(item)
    found = issue or next(p for p in real.linear.projects.values() if p.name == item)
    return (found.id, *(one.id for one in getattr(found, "attachments", ())))


def _difference(theirs: Mapping[Place, str], real: Mapping[Place, str]) -> str:
    told = [
        f"{place}: {theirs.get(place)} -> {real.get(place)}"
        for place in sorted(theirs.keys() | real.keys())
        if theirs.get(place) != real.get(place)
    ]
    return "\n  ".join(told[:6])
