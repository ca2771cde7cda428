"""What should stand at a place, in words, before a connector lays it out for its vendor."""

from __future__ import annotations

from datetime import date
from typing import TypeAlias

from msgspec import Struct

from opsync.model.metric import Release
from opsync.model.record import Category, Kind, Ref
from opsync.model.rollup import Health, Rollup


class Card(Struct, frozen=True, omit_defaults=True):
    """A record as it may be shown in another tool: privacy is already applied.

    `url` is "" or starts with http:// or https://; `tool` is the vendor's name ("Jira");
    `label` is what the record is called there ("PAY-118 Tokenise cards").
    """

    ref: Ref
    kind: Kind
    label: str
    url: str
    tool: str
    key: str = ""
    title: str = ""
    space: str = ""
    category: Category = Category.unknown


class WorkItem(Struct, frozen=True, omit_defaults=True):
    """One container or single item of a root: "PAY-100 Checkout core 8/12" and where it leads."""

    text: str
    url: str = ""


class LinkContent(Struct, frozen=True):
    """A link to `card`, in the words in force.

    `subtitle` is "Jira · in progress"; it changes with the category only. `relationship` is
    "tracked in" or "relates to".
    """

    card: Card
    title: str
    subtitle: str
    resolved: bool
    category_name: str
    """The status category in the reader's words ("In progress")."""
    relationship: str = ""


class RollupContent(Struct, frozen=True):
    """A root's rollup, in the words in force.

    `title` is "Roadmap: One-tap checkout", `delivery` the full text, `summary`
    "12/20 done · 3 blocked · at risk", `short` "12/20 · at risk", `health_name` the health in the
    reader's words. `label` is "Roadmap: One-tap checkout · 12/20 · at risk", `relationship`
    "roadmap". `percent` is 0 to 1 in steps of 0.01. `work` ends with an item without a URL
    ("+2 more") where it was cut. `changed_on` is carried with another change, never its reason.
    `at_root` is True when the target is the root itself. `adoption` is what is told of its use
    ("38 users a day since release, 24 before (+58 %)"), "" where nothing is measured.
    """

    root: Card
    rollup: Rollup
    title: str
    delivery: str
    summary: str
    short: str
    percent: float | None
    health: Health
    health_name: str
    work: tuple[WorkItem, ...]
    changed_on: date
    at_root: bool
    label: str = ""
    relationship: str = ""
    adoption: str = ""


class ReleaseContent(Struct, frozen=True):
    """That a root was shipped, in the words in force.

    `text` is "Shipped: Instant payouts https://…" and ends with `marker`, "[opsync:3f2a91c0]",
    which is the root's for good. `release` has the day.
    """

    root: Card
    release: Release
    text: str
    marker: str


Content: TypeAlias = LinkContent | RollupContent | ReleaseContent
"""What a surface shows."""
