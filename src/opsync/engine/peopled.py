"""Everybody who owns something, each once, and what is in doubt: what `opsync people` shows."""

from __future__ import annotations

from collections import Counter

import msgspec
from msgspec import Struct

from opsync.config import Config
from opsync.engine.catalog import Catalog
from opsync.engine.owners import Known, everybody, known
from opsync.model import Account
from opsync.model.rules import PersonRule
from opsync.people import Doubt, People
from opsync.store import Store

Owned = dict[tuple[str, str], int]


class Owning(Known, frozen=True, kw_only=True):
    """The same with how many open items the account owns."""

    open: int


class Person(Struct, frozen=True, kw_only=True):
    """One person. `left` says that an account of theirs was closed and none is known to be open;
    `open` is how many open items they own, what is in two tools once."""

    name: str
    left: bool
    open: int
    accounts: tuple[Owning, ...]


class Review(Struct, frozen=True, kw_only=True):
    """Something that only a person can say. `paste` are lines for the configuration that would
    settle it, "" where none would; `sure` says that hardly anything speaks against them. They
    stand in place of the block of the person `instead`, unless that is ""."""

    kind: str
    why: str
    accounts: tuple[Owning, ...]
    paste: str
    sure: bool
    instead: str


class Everybody(Struct, frozen=True, kw_only=True):
    """All that `opsync people` shows; `people` who own most come first, and so do `doubts` about
    them, after what is wrong in the configuration."""

    doubts: tuple[Review, ...]
    people: tuple[Person, ...]


async def gather(config: Config, store: Store) -> Everybody:
    """Gather it. Asks no tool."""
    catalog = Catalog(config)
    people = await everybody(config, store)
    owned = await store.owned()
    twice = await _counted_twice(people, store)

    def owning(account: Account) -> Owning:
        shown = msgspec.structs.asdict(known(account, people, catalog))
        return Owning(**shown, open=owned.get((account.instance, account.id), 0))

    found = []
    for one in people.identities:
        accounts = tuple(map(owning, one.accounts))
        open_ = sum(account.open for account in accounts) - twice[one.accounts]
        found.append(Person(name=one.name, left=one.left, open=open_, accounts=accounts))
    found.sort(key=lambda one: (-one.open, one.name.casefold()))
    doubts = [_review(one, tuple(map(owning, one.accounts))) for one in people.doubts]
    doubts.sort(key=lambda one: (not one.instead, -sum(each.open for each in one.accounts)))
    return Everybody(
        doubts=tuple(doubts),
        people=tuple(found),
    )


def unread() -> Everybody:
    """The same before the first run, when there is no store."""
    return Everybody(doubts=(), people=())


async def _counted_twice(people: People, store: Store) -> Counter[tuple[Account, ...]]:
    """How many items each person owns in a second tool that are the same work as in a first."""
    twice: Counter[tuple[Account, ...]] = Counter()
    same = [one.refs for one in await store.twins() if not one.doubt]
    owners = await store.owners_of([ref for group in same for ref in group])
    for group in same:
        owning: Counter[tuple[Account, ...]] = Counter()
        for ref in group:
            who = people.of(ref.instance, owners[ref]) if ref in owners else None
            if who is not None:
                owning[who.accounts] += 1
        twice.update({accounts: count - 1 for accounts, count in owning.items()})
    return twice


def _review(doubt: Doubt, accounts: tuple[Owning, ...]) -> Review:
    return Review(
        kind=doubt.kind.value,
        why=doubt.why,
        accounts=accounts,
        paste=paste(doubt),
        sure=doubt.sure,
        instead=doubt.instead,
    )


def paste(doubt: Doubt) -> str:
    """The blocks as TOML, commented out unless they are sure."""
    comment = "" if doubt.sure else "# "
    return "\n".join(f"{comment}{line}" for block in doubt.blocks for line in _lines(block))


def _lines(block: PersonRule) -> list[str]:
    named = ", ".join(map(_quoted, block.known_as))
    return ["[[person]]", f"name = {_quoted(block.name)}", f"known_as = [{named}]"]


def _quoted(text: str) -> str:
    """A text as TOML has it: a JSON string is one, too. What is not printable is spelled out, for
    it would not stay what it is on a screen."""
    quoted: str = msgspec.json.encode(text).decode()
    return "".join(char if char.isprintable() else f"\\U{ord(char):08X}" for char in quoted)
