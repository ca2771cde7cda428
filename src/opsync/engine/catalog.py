"""What things are called: tools, places and records, as the configuration and privacy have it."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from opsync.config import Config
from opsync.contract.connector import Measurable, Readable, Writable
from opsync.inert import inert_text
from opsync.model import Kind, MetricKind, Record, Ref
from opsync.teams import as_private, private_teams
from opsync.wording import card


class Item(Struct, frozen=True):
    """One record as screens and `--json` show it. `status` is the tool's own word, `category`
    what it counts as."""

    ref: str
    label: str
    tool: str
    instance: str
    kind: str
    key: str = ""
    title: str = ""
    url: str = ""
    status: str = ""
    category: str = ""
    blocked: bool = False
    gone: str = ""


def noun_of(item: Item) -> str:
    """What people call such an item. What is measured is called as its tool has it: "flag"."""
    if item.kind == Kind.metric.value:
        return inert_text(Ref.parse(item.ref).stream, 40) or item.kind
    return "analytics project" if item.kind == Kind.product.value else item.kind


class Catalog:
    """Names, by the configuration. Private work is shown as its connection's `expose` says."""

    def __init__(self, config: Config) -> None:
        self._tools: dict[str, str] = {}
        self._places: dict[tuple[str, str], str] = {}
        self._expose: dict[str, str] = {}
        self._metric_nouns: dict[tuple[str, MetricKind], str] = {}
        self.analytics: list[str] = []
        """The connections that can tell how much something is used."""
        self._tells_who_left: set[str] = set()
        for name, instance in config.instances.items():
            class_ = config.plugins.connector(instance.connector)
            self._tools[name] = class_.title
            self._expose[name] = instance.settings.expose
            if issubclass(class_, Readable) and class_.tells_who_left:
                self._tells_who_left.add(name)
            if issubclass(class_, Writable):
                for surface in class_.surfaces:
                    self._places[name, surface.name] = surface.title or surface.name
            if issubclass(class_, Measurable):
                self.analytics.append(name)
                for kind, noun in class_.metric_nouns.items():
                    self._metric_nouns[name, kind] = noun
        self._teams = private_teams(config.instances, config.teams)

    def tool(self, instance: str) -> str:
        """What people call the vendor of a connection; its own name if it is not configured."""
        return self._tools.get(instance, instance)

    def one_tool(self, instance: str) -> str:
        """The same, or the connection's own name where several are to such a tool."""
        title = self.tool(instance)
        return title if Counter(self._tools.values())[title] < 2 else instance

    def tells_who_left(self, instance: str) -> bool:
        """Whether the tool says which accounts are open."""
        return instance in self._tells_who_left

    def place(self, instance: str, surface: str) -> str:
        """What people call a place."""
        return self._places.get((instance, surface), surface)

    def metric_noun(self, instance: str, kind: MetricKind) -> str:
        """What people call such a metric in the tool: "flag", "chart"."""
        return self._metric_nouns.get((instance, kind), kind.value)

    def item(self, record: Record) -> Item:
        """A record as it may be shown."""
        record = as_private(record, self._teams)
        instance = record.ref.instance
        shown = card(record, self.tool(instance), self._expose.get(instance, "nothing"))
        own_title = record.kind is Kind.initiative and not shown.key and shown.title
        return Item(
            ref=str(record.ref),
            label=own_title or shown.label,
            tool=shown.tool,
            instance=instance,
            kind=record.kind.value,
            key=shown.key,
            title=shown.title,
            url=shown.url,
            status=record.status.name if record.status else "",
            category=record.category.value,
            blocked=record.blocked and record.category.open,
            gone=record.tombstone,
        )

    def withholds(self, record: Record) -> bool:
        """Whether the title of a record may not be shown."""
        exposed = self._expose.get(record.ref.instance, "nothing")
        return exposed != "title" and as_private(record, self._teams).private

    def unread(self, ref: Ref) -> Item:
        """A ref whose record is not in the store."""
        return Item(
            ref=str(ref),
            label=f"{ref.stream} {ref.id}",
            tool=self.tool(ref.instance),
            instance=ref.instance,
            kind="",
            gone="not read",
        )
