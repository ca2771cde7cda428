"""Short ways to make sides of pairs."""

from __future__ import annotations

from typing import Any

from opsync.model import Kind, Ref
from opsync.suggest import Side


def initiative(title: str, id_: str = "1", **more: Any) -> Side:
    """An initiative on a Notion page."""
    return Side(ref=Ref("notion", "page", id_), kind=Kind.initiative, title=title, **more)


def work(title: str, id_: str = "1", instance: str = "linear", **more: Any) -> Side:
    """Work in Linear: a project unless it says otherwise."""
    kind = more.pop("kind", Kind.project)
    return Side(ref=Ref(instance, "item", id_), kind=kind, title=title, **more)


def issue(title: str, id_: str = "1", instance: str = "jira", **more: Any) -> Side:
    """An issue in Jira."""
    return work(title, id_, instance, kind=Kind.issue, **more)


CROWD = tuple(
    issue(f"{verb} the {thing} {place}", f"c{number}")
    for number, (verb, thing, place) in enumerate(
        (verb, thing, place)
        for verb in ("Fix", "Test", "Move", "Review")
        for thing in ("invoice", "export", "basket", "login", "report")
        for place in ("page", "service", "table", "form", "job")
    )
)
"""A hundred other issues, so that words are rare or common as in a company."""
