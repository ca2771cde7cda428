"""A roadmap in a simulated workspace, and short ways to read and write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import httpx
from tests.support.connector import Connections, read

from opsync import (
    Card,
    Change,
    Health,
    Kind,
    Outcome,
    Record,
    Ref,
    Rollup,
    RollupContent,
    Slot,
    Value,
    Verb,
    WorkItem,
)
from opsync.sandbox.notion import DataSource, NotionWorkspace, Page
from opsync.sandbox.notion.problems import invalid
from opsync_notion import Notion, NotionSettings

EPIC = "https://harbor.atlassian.net/browse/PAY-100"

ROADMAP: dict[str, dict[str, Any]] = {
    "Name": {"title": {}},
    "Tracked in": {"rich_text": {}},
    "Status": {"status": {}},
    "Due": {"date": {}},
    "Owner": {"people": {}},
}


@dataclass
class Roadmap:
    """A workspace with one database, and the connector's memory between passes."""

    workspace: NotionWorkspace
    source: DataSource
    connections: Connections
    kept: dict[str, Value]

    def transport(self) -> httpx.AsyncBaseTransport:
        """The way to the workspace."""
        return httpx.ASGITransport(self.workspace.app)

    def connect(self, **changes: Any) -> Notion:
        """A connector as a new pass has it."""
        block = {"id": self.source.id} | changes.pop("block", {})
        fitting: dict[str, Any] = {
            "connector": "notion",
            "token": self.workspace.token,
            "data_sources": [block],
        }
        settings = NotionSettings(**(fitting | changes))
        return self.connections.connect(Notion, "notion", settings, self.transport(), self.kept)

    def add(self, title: str, **cells: object) -> Page:
        """A page; keyword arguments are cells, with underscores for blanks in the names."""
        values = {name.replace("_", " "): value for name, value in cells.items()}
        return self.workspace.add_page(self.source, {"Name": title, **values})

    def reads_of(self, what: str) -> int:
        """How many requests whose path ends so were answered."""
        return sum(e.path.endswith(what) for e in self.workspace.exchanges)


def content(target: Record | None = None, **changes: Any) -> RollupContent:
    """A worded rollup: 12 of 20, at risk."""
    ref = target.ref if target else Ref("notion", "page", "p")
    fitting: dict[str, Any] = {
        "root": Card(ref, Kind.initiative, "One-tap checkout", "", "Notion"),
        "rollup": Rollup(rule="delivery", root=ref, counts={}, done=12, total=20),
        "title": "Roadmap: One-tap checkout",
        "delivery": "12 of 20 done · 3 blocked · at risk: 60 % done, due 1 Dec",
        "summary": "12/20 done · 3 blocked · at risk",
        "short": "12/20 · at risk",
        "percent": 0.6,
        "health": Health.at_risk,
        "health_name": "At risk",
        "work": (
            WorkItem("PAY-100 Checkout core 8/12", EPIC),
            WorkItem("Checkout web (Linear) 4/8", "https://linear.app/harbor/project/web-1"),
            WorkItem("+2 more"),
        ),
        "changed_on": date(2026, 11, 22),
        "at_root": True,
    }
    return RollupContent(**(fitting | changes))


def changes_for(
    notion: Notion, target: Record, worded: RollupContent, *, only: tuple[str, ...] = ()
) -> list[Change]:
    """What a first plan would write on `target`."""
    return [
        change(surface.name, target, value)
        for surface in notion.surfaces
        if (value := notion.render(surface.name, target, worded)) is not None
        and (not only or surface.name in only)
    ]


def change(surface: str, target: Record, desired: Value) -> Change:
    """One planned change; None removes."""
    slot = Slot(target.ref, surface, "delivery", target.ref)
    verb = Verb.remove if desired is None else Verb.create
    return Change(id=f"1-{surface}", slot=slot, verb=verb, desired=desired)


async def write(notion: Notion, target: Record, changes: list[Change]) -> Mapping[str, Outcome]:
    """Apply the changes of one page: the outcomes by surface."""
    outcomes = [o async for o in notion.apply(changes, {target.ref: target})]
    by_id = {c.id: c.slot.surface for c in changes}
    assert sorted(o.change for o in outcomes) == sorted(by_id)
    return {by_id[o.change]: o for o in outcomes}


async def published(roadmap: Roadmap, title: str, *, adoption: str = "", **changes: Any) -> Record:
    """Read, write all own columns of one page, and return its record from before."""
    notion = roadmap.connect(**changes)
    target = (await read(notion))[title]
    worded = content(target, adoption=adoption)
    await write(notion, target, changes_for(notion, target, worded))
    return target


def without_notes(roadmap: Roadmap, *names: str) -> None:
    """Take the descriptions of columns away, as a person may; of all where none is named."""
    for raw_id, prop in roadmap.source.schema.properties.items():
        if not names or prop.name in names:
            roadmap.source.schema.properties[raw_id] = replace(prop, description=None)


def lock(roadmap: Roadmap, *, locked: bool) -> None:
    """Let the simulated database refuse schema changes, as a locked one does."""
    schema = roadmap.source.schema
    if not locked:
        del schema.add
        return

    def refuse(name: str, definition: dict[str, object]) -> None:
        raise invalid("Cannot update locked database.")

    schema.add = refuse  # type: ignore[method-assign, assignment]  # a fault of this test
