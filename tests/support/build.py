"""Short ways to make the model's values in tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from opsync.model import Category, Kind, Mention, Record, Ref, Status, Text


def ref(id_: str, instance: str = "jira", stream: str = "issue") -> Ref:
    """A ref; a page for the instance "notion"."""
    return Ref(instance, "page" if instance == "notion" else stream, id_)


def record(
    id_: str,
    category: Category | str = Category.todo,
    *,
    instance: str = "jira",
    kind: Kind | str | None = None,
    parent: str | tuple[str, ...] = (),
    title: str = "",
    names: tuple[str, ...] = (),
    texts: tuple[Text, ...] = (),
    **more: Any,
) -> Record:
    """A record whose key and title derive from its id. `names` are property mentions by alias."""
    parents = (parent,) if isinstance(parent, str) else parent
    kind = Kind(kind) if kind else Kind.initiative if instance == "notion" else Kind.issue
    category = Category(category)
    return Record(
        ref=ref(id_, instance),
        kind=kind,
        title=title or f"Title {id_}",
        key=more.pop("key", "" if instance == "notion" else f"K-{id_}"),
        url=more.pop("url", f"https://{instance}.example/{id_}"),
        status=more.pop("status", Status(category.value, category.value, category)),
        parents=tuple(ref(p, instance) for p in parents),
        mentions=tuple(Mention(n, "jira", "Tracked in", True, n) for n in names),
        texts=texts,
        **more,
    )


def at(day: int, month: int = 11, year: int = 2026) -> datetime:
    """Noon UTC of a day in November 2026."""
    return datetime(year, month, day, 12, tzinfo=UTC)
