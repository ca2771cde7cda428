"""The connector: one class for one kind of system, with the capabilities it has.

A connector is code for a vendor; an instance is one configured connector. The core builds its
HTTP client, keeps its cursors, retries, limits, redacts and isolates; the connector knows the
vendor's requests and shapes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar

from msgspec import Struct

from opsync.contract import CONTRACT
from opsync.contract.settings import ConnectorSettings
from opsync.languages import OwnWords
from opsync.model import (
    Change,
    Content,
    Kind,
    MadeColumn,
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
from opsync.model.rules import Edits
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
    every: ClassVar[timedelta] = timedelta(minutes=2)
    """How often a service reads it, where the settings do not say."""

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
    is carried. `notifies` says that a write sends people a message. `edits` is what becomes of a
    person's edit where the rule does not say: `theirs` for links and prose, `propose` for what is
    derived and soon out of date.
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
    edits: Edits = Edits.theirs


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


class MakesColumns(ABC):
    """Makes columns that hold its values and stay when they are emptied. What can, is Writable.

    A column that people removed is not made again unasked: its values end as `conflicted`.
    """

    @abstractmethod
    async def columns(self) -> Sequence[MadeColumn]:
        """All columns that opsync made and that stand there now, as the tool says it."""

    def missing_columns(self, target: Record, surfaces: Collection[str]) -> Sequence[MadeColumn]:
        """The columns that a write at these surfaces of `target` will have to make, without ids,
        so that a plan can say so. No request; as far as `kept` tells."""
        return ()

    def doubts(self) -> Sequence[str]:
        """Where a column stands in the place of one of its own, and it cannot be told whose it
        is: which, and what a person does about it. No request. A pass tells it as a warning."""
        return ()

    @abstractmethod
    def held(self, column: MadeColumn) -> AsyncIterator[tuple[Ref, Value]]:
        """Every value that stands in a column, whoever wrote it, and on which record: also on
        those that are out of scope, archived, or in the trash, as far as the tool tells. What
        cannot be read is a value None."""

    @abstractmethod
    async def remove_column(self, column: MadeColumn) -> None:
        """Remove a column. Raises RefusedError; one that is not there any more is no error."""

    @abstractmethod
    def lost_column(self, target: Record, surface: str) -> MadeColumn | None:
        """The column of this surface that people removed, if they did. No request."""

    @abstractmethod
    def forget_column(self, column: MadeColumn, *, for_good: bool = False) -> None:
        """Once a column is gone, take nobody's word for it: it is made again when a value wants
        one. With `for_good`, want no value there any more. No request: the core keeps it."""


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
