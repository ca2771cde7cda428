"""Short ways to make what the store takes. `jira:7` is the issue 7 of the instance jira."""

from __future__ import annotations

from typing import Any

import msgspec

from opsync.model import (
    Change,
    Evidence,
    Kind,
    Member,
    Mention,
    Outcome,
    OutcomeKind,
    Record,
    Ref,
    Role,
    Rollup,
    Slot,
    Value,
    Verb,
    value_hash,
)
from opsync.model.ledger import Entry, stored
from opsync.store import Prepared, Store


def ref(text: str) -> Ref:
    instance, id_ = text.split(":", 1)
    return Ref(instance, "issue", id_)


def record(
    text: str,
    *,
    parents: tuple[str, ...] = (),
    mentions: tuple[str | Mention, ...] = (),
    **values: Any,
) -> Record:
    """A record; mentions given as text are bare keys in a body."""
    named = tuple(Mention(one) if isinstance(one, str) else one for one in mentions)
    return Record(
        ref=ref(text),
        kind=values.pop("kind", Kind.issue),
        title=values.pop("title", f"Item {text}"),
        parents=tuple(map(ref, parents)),
        mentions=named,
        **values,
    )


def names(alias: str, instance: str = "") -> Mention:
    """A mention in one of the record's own properties."""
    return Mention(alias, instance, "Tracked in", property=True, text=alias)


def prepared(one: Record) -> Prepared:
    bare = msgspec.structs.replace(one, seen=())
    return Prepared(one, value_hash(bare), value_hash(one.seen))


async def put(store: Store, run: int, *records: Record, feed: str = "all") -> tuple[int, int, int]:
    """Store the records as one batch of their instance; returns its counts."""
    batch = [prepared(one) for one in records]
    return await store.put_batch(run, records[0].ref.instance, feed, batch, [], advance_to=None)


async def settle(store: Store, run: int) -> None:
    """End a run in which everything was dealt with."""
    await store.finish_run(run, outcome="done", instances=[], counts={})


def rollup(root: str, **values: Any) -> Rollup:
    given: dict[str, Any] = {"rule": "roadmap", "counts": {}, "done": 1, "total": 2} | values
    return Rollup(root=ref(root), **given)


def member(text: str, via: str, role: Role = Role.leaf) -> Member:
    return Member(ref(text), role, ref(via), top=ref(via).instance == "notion")


def evidence(source: str, target: str, text: str = "") -> Evidence:
    return Evidence(ref(source), ref(target), "description", text)


def slot(target: str, other: str = "notion:1", surface: str = "link") -> Slot:
    return Slot(ref(target), surface, "related", ref(other))


def entry(target: str, desired: Value = None, **values: Any) -> Entry:
    return Entry(slot=slot(target), desired=stored(desired), **values)


def change(target: str, desired: Value, id_: str = "c1", **values: Any) -> Change:
    verb = Verb.remove if desired is None else Verb.create
    return Change(id=id_, slot=slot(target), verb=verb, desired=desired, **values)


def outcome(kind: OutcomeKind, id_: str = "c1", **values: Any) -> Outcome:
    return Outcome(change=id_, kind=kind, **values)
