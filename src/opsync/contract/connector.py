"""The connector: one class for one kind of system, with the capabilities it has.

A connector is code for a vendor; an instance is one configured connector. The core builds its
HTTP client, keeps its cursors, retries, limits, redacts and isolates; the connector knows the
vendor's requests and shapes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar

from msgspec import Struct

from opsync.contract import CONTRACT
from opsync.contract.settings import ConnectorSettings
from opsync.errors import OpsyncError, SignInError
from opsync.languages import OwnWords
from opsync.model import (
    Category,
    Change,
    Content,
    Kind,
    Metric,
    MetricKind,
    Outcome,
    Reading,
    Record,
    Ref,
    Seen,
    Span,
    Value,
)
from opsync.runtime import Runtime

if TYPE_CHECKING:
    from opsync.http import Client, Policy

S = TypeVar("S", bound=ConnectorSettings)


@dataclass(frozen=True, slots=True)
class Context:
    """What the core gives to an instance.

    `kept` is a small map of JSON values that the core stores for the instance and gives back in
    the next pass (ids of own columns, a page size that the vendor accepted). A connector must
    work without it: a lost store is a first run. Keys that begin with "opsync:" are the core's.
    `words` are the texts in force: what `render` is given is worded already; they are for what a
    connector says besides, and for knowing opsync's own texts again.
    """

    instance: str
    http: Client
    runtime: Runtime
    kept: MutableMapping[str, Value] = field(default_factory=dict)
    words: OwnWords = field(default_factory=OwnWords)


class Connector(ABC, Generic[S]):
    """Base of all connectors. Subclasses add capabilities: Readable, Writable, Diagnosable."""

    name: ClassVar[str]
    """How the configuration names it: "jira"."""
    title: ClassVar[str]
    """How people name it: "Jira"."""
    settings_type: ClassVar[type[ConnectorSettings]]
    contract: ClassVar[int] = CONTRACT

    def __init__(self, settings: S, context: Context) -> None:
        self.settings = settings
        self.context = context

    @classmethod
    def policy(cls, instance: str, settings: S) -> Policy | None:
        """How to speak HTTP with this vendor; None for a connector that needs no HTTP."""
        return None


class Feed(Struct, frozen=True):
    """What is read with one cursor: one or several streams.

    `snapshot` marks a feed that always answers everything there is, so that what it leaves out
    is gone. `named` is the beginning of the aliases of what it holds: where it is given, the feed
    is read only while a record of another instance names one of them, after all others.
    """

    name: str
    streams: tuple[str, ...]
    snapshot: bool = False
    title: str = ""
    named: str = ""


class Item(Struct, frozen=True):
    """One raw object. `raw` is the connector's typed structure, or the RecordError that says why
    it could not be read."""

    stream: str
    id: str
    raw: object


class Batch(Struct, frozen=True):
    """One page of a feed, as it was read.

    `high` is the latest change time in it, by the vendor's clock. `resumable` says that all that
    changed up to `high` has been read with this batch, so that the cursor may advance to it at
    once; otherwise it advances when the walk has completed. `expected` is the vendor's own count
    of what this walk will read, if it told, for progress.
    """

    items: Sequence[Item]
    high: datetime | None = None
    resumable: bool = False
    expected: int | None = None


class Readable(ABC):
    """Can be read."""

    tells_who_left: ClassVar[bool] = False
    """Whether an owner's `active` is the tool's own word. Else it is taken for one only where it
    says that an account was closed."""

    @abstractmethod
    async def feeds(self) -> Sequence[Feed]:
        """What there is to read, as configured. Few requests, or none where `kept` knows."""

    @abstractmethod
    def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        """Read what changed at or after `since` (None: everything), batch after batch.

        The core has already put the overlap into `since`. Do not swallow errors: a walk that
        cannot finish raises, and nothing is concluded from it.
        """

    @abstractmethod
    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        """Turn one raw object into records. Pure: no I/O, no clock. Raises RecordError."""

    def recognize(self, url: str) -> str | None:
        """The alias of the record that a URL of this instance leads to; None for other URLs."""
        return None

    async def resolve(self, aliases: Sequence[str]) -> Mapping[str, Ref | Record]:
        """Look up aliases that people use and no record has: former keys of moved issues.

        A Record is stored: what is known of a thing that the tool lists nowhere, such as a chart
        of which there is only the address.
        """
        return {}


class Surface(Struct, frozen=True):
    """A place that opsync may write, and what it owns there.

    `content` is what it shows: a link, a rollup, or that a root was released. `kinds` are the
    kinds of record that can hold it. `fields` are the vendor's names of what opsync owns. `title`
    is what people call it. `pulled` says that reading the target shows what stands there;
    otherwise `observe` reads it before each write. `carried` marks a value that is written along
    with another one on the same target and is never a reason to write; `alone` one with which none
    is carried. `notifies` says that a write sends people a message.
    """

    name: str
    content: Literal["link", "rollup", "release"]
    kinds: frozenset[Kind]
    fields: tuple[str, ...]
    title: str = ""
    pulled: bool = False
    carried: bool = False
    alone: bool = False
    notifies: bool = False


class Writable(ABC):
    """Can be written, at its surfaces only."""

    surfaces: ClassVar[tuple[Surface, ...]]
    batch: ClassVar[int] = 1
    """How many targets one `apply` may carry."""
    parallel: ClassVar[int] = 4
    """How many `apply` calls may run at once."""

    @abstractmethod
    def render(self, surface: str, target: Record, content: Content) -> Value:
        """Lay `content` out as it should stand at `surface`; None: nothing should stand there.

        Pure. The answer is canonical: what the vendor would answer for it.
        """

    def address(self, surface: str, value: Value) -> str:
        """What the vendor keys `value` by at this surface, as in `Seen.address`."""
        return ""

    @abstractmethod
    async def observe(self, target: Record) -> Sequence[Seen]:
        """All that stands now at this target's surfaces, ours and others'. Read by id."""

    @abstractmethod
    def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        """Write the changes (all of those of one target are in one call), each by its key.

        Yields exactly one outcome a change. Repeating a change must be harmless. Raises only
        what concerns the whole instance: SignInError, TemporaryError.
        """


class Measurable(ABC):
    """Can tell how much something is used. What can, is Readable as well.

    Its one product, the project that it reads, is a record of kind `product`, which holds the
    `release` surface.
    """

    metric_nouns: ClassVar[Mapping[MetricKind, str]] = {kind: kind.value for kind in MetricKind}
    """What people call each kind of metric here; what is left out cannot be measured."""

    @abstractmethod
    async def zone(self) -> str:
        """The time zone in which the project's days begin; "" where neither the settings nor the
        tool say so, which is then the configuration's. No request where `kept` knows."""

    @abstractmethod
    def measure(
        self, metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
    ) -> AsyncIterator[Reading]:
        """Read these metrics, in the fewest requests that the tool allows.

        Yields exactly one reading a metric, with all of `days` and as many of `windows` as the
        same requests tell. What the project does not have, and what the tool refuses to compute,
        is a reading's trouble. Raises only what concerns the whole instance: SignInError,
        TemporaryError, BadAnswer.
        """

    def metric_of(self, record: Record) -> tuple[MetricKind, str] | None:
        """Which metric a record of this instance stands for, by its stream; None for none."""
        return None


class WebhookSource(ABC):
    """Can send change signals."""

    @abstractmethod
    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise SignInError unless the signature over the raw body is right."""

    @abstractmethod
    def affected(self, headers: Mapping[str, str], body: bytes) -> Iterable[Ref]:
        """What may have changed: names, never data."""


class Check(Struct, frozen=True):
    """One finding of `opsync doctor`; `hint` is the scope or the click that mends it.

    `sign_in` marks one that fails because the vendor refuses the credential or wants more of it.
    `setting` is the setting that mends it, if one does, by its place in the instance's block:
    "data_sources.0.columns.delivery".
    """

    title: str
    state: Literal["ok", "warn", "fail"]
    message: str = ""
    hint: str = ""
    sign_in: bool = False
    setting: str = ""

    @classmethod
    def failed(cls, title: str, error: OpsyncError) -> Check:
        """The finding that something could not be done, and what mends it."""
        return cls(title, "fail", error.message, error.hint, isinstance(error, SignInError))


class Diagnosable(ABC):
    """Can examine its own connection."""

    @abstractmethod
    def doctor(self) -> AsyncIterator[Check]:
        """Test credential, scopes and settings against the vendor, one check at a time."""


class Grant(Struct, frozen=True):
    """One right that a credential needs. `held` is None where only a write would tell.

    `name` is the vendor's word ("write:jira-work"), `what` what it is good for, in people's words;
    `hint` is the click path that gives it. Without one that is not `vital` something is left out,
    and everything else works.
    """

    name: str
    needed: Literal["read", "write"]
    held: bool | None
    what: str
    hint: str
    vital: bool = True


class Choice(Struct, frozen=True, omit_defaults=True):
    """Something that can be read or left out: a project, a team, a data source.

    `id` is what the settings take, `name` what people call it.
    """

    id: str
    name: str
    note: str = ""
    private: bool = False


class Guess(Struct, frozen=True):
    """What a column is taken for, with what stands there in some real rows.

    `table` is the choice's id; `role` is "title", "status", "due", "owner" or "links", or tells of
    use: "event", "flag" and "insight" for what it is measured by, "released" for the day of a
    release. `column` is "" where none was found. `examples` are one text a row, the same rows for
    every role. `others` are the columns besides that can hold the same, by name, with theirs.
    """

    table: str
    role: str
    column: str
    examples: tuple[str, ...] = ()
    others: Mapping[str, tuple[str, ...]] = {}


class FirstRead(Struct, frozen=True):
    """What a first read will take, about: items (None: the tool does not tell), requests, seconds.

    `more` says that there are at least so many.
    """

    items: int | None
    requests: int
    seconds: float
    more: bool = False


class StatusWord(Struct, frozen=True, kw_only=True):
    """A status or resolution that the tool has.

    `category` is the tool's own, `counts_as` the one after this instance's settings; `table` is
    the setting that maps it. `where` names the projects, teams or data sources that use it, as
    far as the tool tells.
    """

    id: str
    name: str
    category: Category
    counts_as: Category
    table: Literal["statuses", "resolutions"] = "statuses"
    where: tuple[str, ...] = ()


class Explorable(ABC):
    """Can be looked at before it is configured to the end: what `opsync init` and `opsync
    statuses` ask. Reads only.

    The scope in the settings is not heeded by `choices`, and is by everything else.
    """

    @abstractmethod
    def grants(self) -> AsyncIterator[Grant]:
        """Which rights the credential has, one after the other. SignInError: it is refused."""

    @abstractmethod
    async def choices(self) -> Sequence[Choice]:
        """What there is to choose from, by name."""

    async def guesses(self) -> Sequence[Guess]:
        """Which columns mean what, where people make their own."""
        return ()

    @abstractmethod
    async def first_read(self) -> FirstRead:
        """What reading everything in scope will take."""

    @abstractmethod
    async def status_words(self) -> Sequence[StatusWord]:
        """All statuses and resolutions that there are."""
