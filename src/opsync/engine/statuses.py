"""Every status and resolution there is, from the tools and from what was read of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from opsync.config import Config, Instance
from opsync.contract.examining import Explorable, StatusWord
from opsync.engine.session import Session, open_instance
from opsync.engine.statuswords import Judged, Table, Word, judge, paste
from opsync.errors import OpsyncError, SignInError
from opsync.model import Category
from opsync.model.rules import TeamRule
from opsync.store import Alike, Store
from opsync.teams import rules_in

Tallies = Sequence[tuple[Alike, int]]


class Asked(Struct, frozen=True, kw_only=True):
    """How a connection's words were found. `asked` says that the tool listed them itself: else
    they are those of the items that were read. `message` says why it did not."""

    instance: str
    tool: str
    asked: bool
    items: int
    sign_in: bool = False
    message: str = ""
    hint: str = ""


class Statuses(Struct, frozen=True, kw_only=True):
    """All that `opsync statuses` shows. `paste` are lines for the configuration."""

    connections: tuple[Asked, ...]
    statuses: tuple[Judged, ...]
    paste: str


async def ask(session: Session, only: frozenset[str] = frozenset()) -> Statuses:
    """Ask each tool, and count the items in the store."""
    words: list[Word] = []
    connections = []
    for instance in _chosen(session.config, only):
        tallies = await session.store.tallies(instance.name)
        listed: Sequence[StatusWord] | None = None
        message = hint = ""
        sign_in = False
        try:
            opened = await open_instance(instance, session)
            if isinstance(opened.connector, Explorable):
                listed = await opened.connector.status_words()
        except OpsyncError as error:
            message, hint = error.message, error.hint
            sign_in = isinstance(error, SignInError)
        words += words_of(session.config, instance, listed, tallies)
        connections.append(
            Asked(
                instance=instance.name,
                tool=_tool(session.config, instance),
                asked=listed is not None,
                items=sum(count for _, count in tallies),
                sign_in=sign_in,
                message=message,
                hint=hint,
            )
        )
    return _judged(session.config, connections, words)


async def recall(config: Config, store: Store, only: frozenset[str] = frozenset()) -> Statuses:
    """The same without asking: what the items have that were read."""
    words: list[Word] = []
    connections = []
    for instance in _chosen(config, only):
        tallies = await store.tallies(instance.name)
        words += words_of(config, instance, None, tallies)
        items = sum(count for _, count in tallies)
        tool = _tool(config, instance)
        connections.append(Asked(instance=instance.name, tool=tool, asked=False, items=items))
    return _judged(config, connections, words)


def words_of(
    config: Config, instance: Instance, listed: Sequence[StatusWord] | None, tallies: Tallies
) -> list[Word]:
    """The words of one connection: those that its tool lists, and those that items have besides.

    A status that was deleted in the tool may still stand on what was read before.
    """
    maker = _Maker(instance, rules_in(instance.name, config.teams), tallies)
    words = [maker.listed(one) for one in listed or ()]
    known = {(word.table, name) for word in words for name in (word.id, word.name)}
    words += [one for one in maker.statuses() if (one.table, one.id) not in known]
    words += [one for one in maker.resolutions() if (one.table, one.name) not in known]
    return words


class _Maker:
    """Makes words of one connection from what its tool says and what was counted."""

    def __init__(self, instance: Instance, teams: Sequence[TeamRule], tallies: Tallies) -> None:
        self._name = instance.name
        self._teams = teams
        self._tallies = tallies
        self._hidden = frozenset[str]() if instance.settings.expose == "title" else _hidden(tallies)
        self._maps = {table: _table(instance, table) for table in ("statuses", "resolutions")}
        self._by_status: dict[tuple[str, str], list[tuple[Alike, int]]] = defaultdict(list)
        self._by_resolution: dict[str, list[tuple[Alike, int]]] = defaultdict(list)
        for alike, count in tallies:
            if alike.status is not None:
                named = alike.status.id, alike.status.name
                self._by_status[named].append((alike, count))
            if alike.resolution:
                self._by_resolution[alike.resolution].append((alike, count))

    def listed(self, one: StatusWord) -> Word:
        """A word that the tool lists."""
        if one.table == "resolutions":
            found = self._by_resolution.get(one.name, [])
        else:
            by_id = (each for (id_, _), each in self._by_status.items() if id_ == one.id)
            found = [alike for each in by_id for alike in each]
        return self._word(one.table, one.id, one.name, one.counts_as, found, one)

    def statuses(self) -> Iterable[Word]:
        """The statuses that items have. One that was renamed has its old name, too, on what was
        not read again since."""
        chosen = self._maps["statuses"]
        for (id_, name), found in self._by_status.items():
            counts_as = chosen.get(id_) or chosen.get(name)
            plain = [one for one in found if not self._refined(one[0])] or found
            yield self._word("statuses", id_, name, counts_as or _most(plain), found)

    def resolutions(self) -> Iterable[Word]:
        """How items ended; a resolution on open work says nothing."""
        for name, found in self._by_resolution.items():
            ended = [one for one in found if one[0].status and not one[0].status.category.open]
            if ended:
                counts_as = self._maps["resolutions"].get(name) or _most(ended)
                yield self._word("resolutions", "", name, counts_as, ended)

    def _refined(self, alike: Alike) -> bool:
        """Whether something else than the status decided what such an item counts as."""
        if alike.resolution in self._maps["resolutions"]:
            return True
        return any(alike.team == team.name and team.statuses for team in self._teams)

    def _word(
        self,
        table: Table,
        id_: str,
        name: str,
        counts_as: Category,
        found: Tallies,
        listed: StatusWord | None = None,
    ) -> Word:
        chosen = self._maps[table]
        in_teams = {
            team.name: category
            for team in self._teams
            if (category := (id_ and team.statuses.get(id_)) or team.statuses.get(name))
        }
        used_by = frozenset(alike.team for alike, _ in found)
        decided = (bool(id_) and id_ in chosen) or name in chosen
        spaces = {alike.space_key or alike.space for alike, _ in found if not alike.private}
        where = listed.where if listed and listed.where else sorted(spaces - {""})
        return Word(
            instance=self._name,
            table=table,
            id=id_,
            name=name,
            counts_as=counts_as,
            category=listed.category if listed else None,
            in_teams=in_teams,
            mapped=decided or (bool(used_by) and used_by <= in_teams.keys()),
            items=sum(count for _, count in found),
            where=tuple(name for name in where if name not in self._hidden),
            used_by=used_by,
            on_work=not found or any(not alike.kind.contains for alike, _ in found),
        )


def _hidden(tallies: Tallies) -> frozenset[str]:
    """The names of teams and projects of which all work is private."""
    private, others = (
        {
            name
            for alike, _ in tallies
            if alike.private is wanted
            for name in (alike.space, alike.space_key)
        }
        for wanted in (True, False)
    )
    return frozenset(private - others)


def _most(found: Tallies) -> Category:
    """What most of these items count as."""
    counts: Counter[Category] = Counter()
    for alike, count in found:
        if alike.status is not None:
            counts[alike.status.category] += count
    return counts.most_common(1)[0][0]


def _table(instance: Instance, table: str) -> Mapping[str, Category]:
    """The settings' map that the contract calls so; a connector need not have it."""
    found: Mapping[str, Category] = getattr(instance.settings, table, {})
    return found


def _chosen(config: Config, only: frozenset[str]) -> list[Instance]:
    return [one for name, one in config.instances.items() if not only or name in only]


def _tool(config: Config, instance: Instance) -> str:
    return config.plugins.connector(instance.connector).title


def _judged(config: Config, connections: Sequence[Asked], words: Iterable[Word]) -> Statuses:
    lines = judge(words)
    there = {
        (name, table): bool(_table(instance, table))
        for name, instance in config.instances.items()
        for table in ("statuses", "resolutions")
    }
    return Statuses(
        connections=tuple(connections), statuses=tuple(lines), paste=paste(lines, there)
    )
