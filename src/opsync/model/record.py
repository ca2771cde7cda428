"""Records: what a remote object is, in words that hold for every vendor."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from opsync.model.value import Seen


class Ref(Struct, frozen=True, order=True):
    """Names one remote object for good: never by its human key or URL, which can change.

    `stream` is the vendor's kind of object ("issue", "project", "page"), `id` the vendor's
    immutable id.
    """

    instance: str
    stream: str
    id: str

    def __str__(self) -> str:
        return f"{self.instance}:{self.stream}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        """The inverse of `str()`. Raises ValueError when `text` is no ref."""
        instance, stream, id_ = text.split(":", 2)
        return cls(instance, stream, id_)


class Kind(StrEnum):
    """What a record is for. Initiatives, projects and epics are containers."""

    initiative = "initiative"
    project = "project"
    epic = "epic"
    issue = "issue"
    document = "document"
    metric = "metric"
    """What is measured or tried out: a flag, an experiment, an insight, an annotation."""
    product = "product"
    """A project of an analytics tool, in which releases are told."""
    person = "person"

    @property
    def contains(self) -> bool:
        """True for kinds that hold other work and may carry volatile counts."""
        return self in (Kind.initiative, Kind.project, Kind.epic)


class Category(StrEnum):
    """How far work is, by the vendor's own category or type, never by a status's name."""

    backlog = "backlog"
    todo = "todo"
    in_progress = "in_progress"
    done = "done"
    canceled = "canceled"
    unknown = "unknown"

    @property
    def open(self) -> bool:
        return self not in (Category.done, Category.canceled)


class Status(Struct, frozen=True):
    """A status as the vendor has it, and the category it counts as."""

    id: str
    name: str
    category: Category


class Person(Struct, frozen=True, omit_defaults=True):
    """Somebody as one tool knows them; `email` is "" where the tool does not tell. `active` is
    False for somebody whose account was closed."""

    id: str
    name: str = ""
    email: str = ""
    active: bool = True


OUT_OF_SCOPE = "out of scope"
"""The tombstone of what exists and is not to be read any more. Unknown ones are not stored."""

NOT_VISIBLE = "not visible"
"""The tombstone of what the tool no longer shows to the credential, without telling whether it is
still there: a number that rests on it is incomplete, not smaller."""

_GONE = {
    "trashed": "in the trash",
    "missing": "not listed any more",
    NOT_VISIBLE: "no longer visible to the token",
}


def gone_as(tombstone: str) -> str:
    """What people read for a tombstone: "deleted", "in the trash"."""
    return _GONE.get(tombstone, tombstone)


Part = Literal["", "place", "mirror", "hint"]
"""What a text is besides words: at a "place" for links (an attachment, a remote link), the mark of
a "mirror" that keeps the record and what it names alike, or a "hint": the name of a branch or a
pull request, which makes no link and no member, but may suggest one."""


class Text(Struct, frozen=True):
    """A piece of a record in which people name other records.

    `property` is True when it is one of the record's own properties (text, URL, relation, link
    list), False for bodies and descriptions: only properties make members. `remote_id` is the
    vendor's id of the thing that holds the text (an attachment, a link), so that what opsync
    wrote itself can be left out. `part` is "place" for an address at a place for links, "mirror"
    for one that a mirror of work put there.
    """

    field: str
    text: str
    property: bool = False
    remote_id: str = ""
    part: Part = ""


class Mention(Struct, frozen=True, omit_defaults=True):
    """That a record names another one, by one of its aliases; it may not have been read yet.

    `instance` is the one whose URL or relation it is; "" for a bare key, which may be anyone's.
    `part` is that of the text: "mirror" says that both are one piece of work.
    """

    alias: str
    instance: str = ""
    field: str = ""
    property: bool = False
    text: str = ""
    part: Part = ""


class Record(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The canonical form of one remote object. Times are aware UTC, dates the vendor's own.

    `parents` are what it is part of: usually one; several where the vendor allows it (an issue of
    a project that also has a parent issue, a project of two initiatives).
    `aliases` are all other names that resolve to it: the human key and its former ones, ids as
    they appear in URLs. `space` is the team, project or table people know it under, `space_key`
    its short name in keys ("PAY"; "" if it has none), `team` the configured team it belongs to.
    `estimates` are what its tool holds, by unit ("points", "hours"); `estimate` and
    `estimate_unit` the one that counts. `hindrances` are the facts that may mean that it is
    blocked ("link", "flag"); `blocked` says whether it is. `subtask` is a part of another issue
    by its tool's own type; `detail` a part that its team does not count by itself.
    `tombstone` is "" while it exists, else why it is gone: "deleted", "trashed", "missing",
    `NOT_VISIBLE` or `OUT_OF_SCOPE`.
    `texts` come from the connector and are turned into `mentions` by the normalize stage; they
    are not stored. `seen` is what stands at the places opsync may write, as far as this read
    tells; `seen_complete` says that nothing else stands there.
    `extra` holds further human properties as text, for filters.
    """

    ref: Ref
    kind: Kind
    title: str
    key: str = ""
    url: str = ""
    status: Status | None = None
    parents: tuple[Ref, ...] = ()
    owner: Person | None = None
    priority: str = ""
    estimate: float | None = None
    estimate_unit: str = ""
    estimates: dict[str, float] = {}
    labels: tuple[str, ...] = ()
    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    updated_at: datetime | None = None
    due_on: date | None = None
    space: str = ""
    space_key: str = ""
    team: str = ""
    blocked: bool = False
    hindrances: tuple[str, ...] = ()
    subtask: bool = False
    detail: bool = False
    paused: bool = False
    private: bool = False
    archived: bool = False
    tombstone: str = ""
    aliases: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
    texts: tuple[Text, ...] = ()
    seen: tuple[Seen, ...] = ()
    seen_complete: bool = False
    extra: dict[str, str] = {}

    @property
    def category(self) -> Category:
        """The status's category; `unknown` where the record has no status."""
        return self.status.category if self.status else Category.unknown
