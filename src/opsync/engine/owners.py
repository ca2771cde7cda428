"""Who owns an item, as one person across tools."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from opsync.config import Config
from opsync.disagreements import Disagreement, owner_left
from opsync.engine.catalog import Catalog
from opsync.model import Account, Record
from opsync.people import Identity, People
from opsync.store import Store


class Known(Struct, frozen=True, kw_only=True):
    """Somebody as one tool has them. `name` and `email` are "" and `active` is None where it does
    not tell. `matched_by` is what made the account one with others: "[[person]]", "address",
    "name"."""

    instance: str
    tool: str
    id: str
    name: str
    email: str
    active: bool | None
    matched_by: tuple[str, ...]


class Owner(Struct, frozen=True, kw_only=True):
    """Who owns an item: the one name of the person, and all their accounts."""

    name: str
    accounts: tuple[Known, ...]


async def everybody(config: Config, store: Store) -> People:
    """Everybody who was met in the tools that are configured, each once."""
    return _people(config, Catalog(config), await store.people())


class Owners:
    """Says whose an item is. An owner who matches nobody keeps the name that the tool has; the
    owner of private work is told nowhere."""

    def __init__(self, people: People, catalog: Catalog) -> None:
        self._people = people
        self._catalog = catalog

    @classmethod
    async def of(cls, config: Config, store: Store, catalog: Catalog) -> Owners:
        """With everybody who was met."""
        return cls(_people(config, catalog, await store.people()), catalog)

    def name(self, record: Record) -> str:
        """The owner's one name; "" where there is none, or it is not to be told."""
        identity = self._identity(record)
        return identity.name if identity else ""

    def owner(self, record: Record) -> Owner | None:
        """The owner with all their accounts; None likewise."""
        identity = self._identity(record)
        if identity is None:
            return None
        return Owner(
            name=identity.name,
            accounts=tuple(known(one, self._people, self._catalog) for one in identity.accounts),
        )

    def _identity(self, record: Record) -> Identity | None:
        """The person who owns it, as far as that is to be told."""
        who = record.owner
        if who is None or record.private:
            return None
        identity = self._people.of(record.ref.instance, who.id)
        if identity is not None:
            return identity
        account = Account(record.ref.instance, who.id, who.name, who.email)
        return Identity(who.name or who.email or who.id, (_told(account, self._catalog),))

    def left(self, record: Record) -> Disagreement:
        """That the owner's account was closed, and where the same person still has an open one."""
        who, instance = record.owner, record.ref.instance
        identity = self._people.of(instance, who.id) if who else None
        if identity is None or record.private:
            return owner_left(record)
        return owner_left(
            record,
            name=identity.name,
            tool=self._catalog.one_tool(instance),
            open_in=tuple(self._catalog.one_tool(name) for name in identity.open_in),
        )


def known(account: Account, people: People, catalog: Catalog) -> Known:
    """An account as it is shown."""
    return Known(
        instance=account.instance,
        tool=catalog.tool(account.instance),
        id=account.id,
        name=account.name,
        email=account.email,
        active=account.active,
        matched_by=tuple(way.value for way in people.ways(account)),
    )


def _people(config: Config, catalog: Catalog, accounts: list[Account]) -> People:
    met = [_told(one, catalog) for one in accounts if one.instance in config.instances]
    return People(met, config.people)


def _told(account: Account, catalog: Catalog) -> Account:
    """The account, open only where its tool says so: not to say that it is closed says nothing."""
    if account.active and not catalog.tells_who_left(account.instance):
        return replace(account, active=None)
    return account
