"""Pages of Linear's answers, decoded as a whole, or row by row where one row cannot be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec
from msgspec import Raw

from opsync import Answer, BadAnswer, Item, RecordError
from opsync_linear.wire import (
    Attached,
    Data,
    Initiative,
    Issue,
    Named,
    Nodes,
    Project,
    RawAttached,
    RawWork,
    Work,
)

T = TypeVar("T", Issue, Project, Initiative)


def decode(answer: Answer) -> tuple[Work, list[Item]]:
    """A page, and what of it cannot be read. BadAnswer when the page as a whole cannot."""
    try:
        return answer.decode(Data[Work]).data, []
    except BadAnswer:
        raw = answer.decode(Data[RawWork]).data
    broken: list[Item] = []
    issues = _each(raw.issues.nodes, Issue, "issue", broken)
    attached: list[Attached] = []
    for row in raw.attachments.nodes:
        outer = msgspec.json.decode(row, type=RawAttached)
        found = _each([outer.issue], Issue, "issue", broken)
        attached.extend(Attached(outer.updated_at, issue) for issue in found)
    work = Work(
        organization=raw.organization,
        issues=Nodes(issues),
        projects=Nodes(_each(raw.projects.nodes, Project, "project", broken)),
        initiatives=Nodes(_each(raw.initiatives.nodes, Initiative, "initiative", broken)),
        attachments=Nodes(tuple(attached)),
    )
    return work, broken


def _each(rows: Iterable[Raw], kind: type[T], stream: str, broken: list[Item]) -> tuple[T, ...]:
    good: list[T] = []
    for row in rows:
        try:
            good.append(msgspec.json.decode(row, type=kind))
        except msgspec.ValidationError as error:
            broken.append(_broken(row, stream, error))
    return tuple(good)


def _broken(row: Raw, stream: str, error: Exception) -> Item:
    try:
        id_ = msgspec.json.decode(row, type=Named).id
    except msgspec.ValidationError:
        raise BadAnswer(f"Linear: a {stream} without an id.") from error
    return Item(stream, id_, RecordError(f"Linear: {stream} {id_} cannot be read: {error}."))
