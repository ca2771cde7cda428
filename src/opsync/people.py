"""People across tools: which accounts are one person, and where that is in doubt. Pure.

Accounts are one person by their address, because the configuration says so, or because they have
the same full name and nothing speaks against it. Where something does, they stay apart and are
listed: a person is never made of two by a guess.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from opsync.folding import fold
from opsync.model import Account
from opsync.model.rules import PersonRule

_WORD = re.compile(r"[^\W_]+")

NEAR = 88
"""So alike, of 100, are two names that may be one person's."""


class Identity(Struct, frozen=True):
    """One person, with all accounts that are known to be theirs, sorted."""

    name: str
    accounts: tuple[Account, ...]

    @property
    def left(self) -> bool:
        """Whether every account of theirs was closed."""
        return not any(account.active for account in self.accounts)

    def left_in(self, instance: str) -> bool:
        """Whether they had accounts in this tool, and all of them were closed."""
        here = [account.active for account in self.accounts if account.instance == instance]
        return bool(here) and not any(here)


class DoubtKind(StrEnum):
    """Why accounts were not made one person, or may have to be."""

    two_addresses = "one name, different addresses"
    twice = "one name, twice in one tool"
    near_name = "no counterpart, but a name like it"
    nobody = "known as nobody"
    claimed = "claimed by two"


class Doubt(Struct, frozen=True):
    """Something for a person to look at; `accounts` are those concerned, sorted."""

    kind: DoubtKind
    accounts: tuple[Account, ...]
    why: str


class People:
    """Everybody, each once. `doubts` are what was left apart, or matched nobody."""

    def __init__(self, accounts: Iterable[Account], rules: Sequence[PersonRule] = ()) -> None:
        self._accounts = sorted(accounts)
        self._groups = _Groups(self._accounts)
        self._doubts: list[Doubt] = []
        self._by_address()
        names = self._by_rules(rules)
        self._by_name()
        found = self._groups.all()
        self.identities: tuple[Identity, ...] = tuple(
            Identity(_called(group, names), tuple(group)) for group in found
        )
        self._of: dict[tuple[str, str], Identity] = {
            (account.instance, account.id): identity
            for identity in self.identities
            for account in identity.accounts
        }
        self._look_for_near_names()
        self.doubts: tuple[Doubt, ...] = tuple(self._doubts)

    def of(self, instance: str, person_id: str) -> Identity | None:
        """Who has this account; None for an account that nobody was met under."""
        return self._of.get((instance, person_id))

    def _by_address(self) -> None:
        first: dict[str, Account] = {}
        for account in self._accounts:
            if account.email:
                self._groups.join(first.setdefault(account.email.casefold(), account), account)

    def _by_rules(self, rules: Sequence[PersonRule]) -> dict[Account, str]:
        """Join what the configuration joins. Returns the names that it gives."""
        named: dict[Account, str] = {}
        for rule in rules:
            mine: list[Account] = []
            for alias in rule.known_as:
                found = self._meant(alias)
                if not found:
                    why = f'nobody is known as "{alias}", as the configuration says of {rule.name}'
                    self._doubts.append(Doubt(DoubtKind.nobody, (), why))
                elif twice := self._twice(found):
                    why = f'{rule.name}: "{alias}" is the name of several in {twice}'
                    self._doubts.append(Doubt(DoubtKind.twice, tuple(found), why))
                else:
                    mine += found
            taken = {name for one in mine for name in self._names_of(one, named)} - {rule.name}
            if taken:
                why = f"{rule.name} has accounts that are {sorted(taken)[0]}'s already"
                self._doubts.append(Doubt(DoubtKind.claimed, tuple(sorted(set(mine))), why))
                continue
            for account in mine:
                self._groups.join(mine[0], account)
                named[account] = rule.name
        return named

    def _names_of(self, account: Account, named: Mapping[Account, str]) -> set[str]:
        return {named[one] for one in self._groups.of(account) if one in named}

    def _meant(self, alias: str) -> list[Account]:
        """The accounts with this address, "instance:id" or name."""
        instance, _, id_ = alias.partition(":")
        wanted, name = alias.strip().casefold(), _plain(alias)
        return [
            one
            for one in self._accounts
            if (one.instance, one.id) == (instance, id_)
            or (one.email and one.email.casefold() == wanted)
            or (name and "@" not in alias and _plain(one.name) == name)
        ]

    def _twice(self, accounts: Sequence[Account]) -> str:
        """The first instance in which these are several people; "" if there is none."""
        groups: dict[str, set[int]] = defaultdict(set)
        for one in accounts:
            groups[one.instance].add(self._groups.number(one))
        return next((name for name, found in sorted(groups.items()) if len(found) > 1), "")

    def _by_name(self) -> None:
        """Join accounts of one full name, where each tool has it once and no address differs."""
        same: dict[str, list[Account]] = defaultdict(list)
        for account in self._accounts:
            name = _plain(account.name)
            if " " in name:
                same[name].append(account)
        for accounts in same.values():
            if len({self._groups.number(one) for one in accounts}) == 1:
                continue
            name = accounts[0].name
            with_address = {
                self._groups.number(one): address
                for one in accounts
                for address in self._groups.addresses(one)[:1]
            }
            if twice := self._twice(accounts):
                why = f"several in {twice} are called {name}"
                self._doubts.append(Doubt(DoubtKind.twice, tuple(accounts), why))
            elif len(with_address) > 1:
                listed = " and ".join(sorted(with_address.values()))
                why = f"{name} has different addresses: {listed}"
                self._doubts.append(Doubt(DoubtKind.two_addresses, tuple(accounts), why))
            else:
                for account in accounts:
                    self._groups.join(accounts[0], account)

    def _look_for_near_names(self) -> None:
        """Doubt who stands in one tool alone, where another has a name like theirs."""
        doubted = {one for doubt in self._doubts for one in doubt.accounts}
        by_name: dict[str, list[Account]] = defaultdict(list)
        for account in self._accounts:
            by_name[_sorted(account.name)].append(account)
        by_name.pop("", None)
        alike = _Names(list(by_name))
        told: set[tuple[Account, ...]] = set()
        for identity in self.identities:
            tools = {account.instance for account in identity.accounts}
            alone = identity.accounts[0]
            if len(tools) > 1 or alone in doubted:
                continue
            found = [
                other
                for name in alike.near(_sorted(alone.name))
                for other in by_name[name]
                if other.instance not in tools and self._is_free(other, alone)
            ]
            accounts = tuple(sorted({alone, *found}))
            if found and accounts not in told:
                told.add(accounts)
                listed = ", ".join(f"{other.name} ({other.instance})" for other in sorted(found))
                why = f"{alone.name} is in {alone.instance} only; perhaps the same as {listed}"
                self._doubts.append(Doubt(DoubtKind.near_name, accounts, why))

    def _is_free(self, other: Account, alone: Account) -> bool:
        """Whether the other one has no account yet in the tool of the one that is alone."""
        identity = self._of[other.instance, other.id]
        return all(account.instance != alone.instance for account in identity.accounts)


class _Groups:
    """Accounts, joined one by one into people."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._number = {account: number for number, account in enumerate(accounts)}
        self._groups = {number: [account] for account, number in self._number.items()}

    def number(self, account: Account) -> int:
        """The group that the account is in by now."""
        return self._number[account]

    def of(self, account: Account) -> list[Account]:
        """All that is one person with the account."""
        return self._groups[self._number[account]]

    def addresses(self, account: Account) -> list[str]:
        """The addresses of the account's person."""
        return sorted({one.email.casefold() for one in self.of(account) if one.email})

    def join(self, one: Account, two: Account) -> None:
        """Make both one person."""
        keep, gone = self._number[one], self._number[two]
        if keep == gone:
            return
        for account in self._groups[gone]:
            self._number[account] = keep
        self._groups[keep] += self._groups.pop(gone)

    def all(self) -> list[list[Account]]:
        """Everybody, each person's accounts sorted, in the order of their first."""
        return sorted(sorted(group) for group in self._groups.values())


class _Names:
    """Distinct names, and which of them are like another one."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._by_first: dict[str, list[str]] = defaultdict(list)
        for name in names:
            for word in set(name.split()):
                self._by_first[word].append(name)

    def near(self, name: str) -> list[str]:
        """Names that are spelt nearly so; for a single word also names that have it."""
        from rapidfuzz import fuzz, process  # only who asks for people pays for it

        if not name:
            return []
        found = process.extract(name, self._names, scorer=fuzz.ratio, score_cutoff=NEAR, limit=None)
        near = [text for text, _, _ in found]
        if " " not in name:
            near += self._by_first[name]
        return sorted(set(near))


def _plain(name: str) -> str:
    """A name as it is compared: without case, accents and punctuation."""
    return " ".join(_WORD.findall(fold(name)))


def _sorted(name: str) -> str:
    return " ".join(sorted(_plain(name).split()))


def _called(group: Sequence[Account], names: Mapping[Account, str]) -> str:
    """What a person is called: as the configuration says, else by the fullest of their names."""
    given = sorted({names[account] for account in group if account in names})
    if given:
        return given[0]
    called = [account.name for account in group if account.name]
    # A full name before a nickname; of several the one that sorts first, so that it stays.
    called.sort(key=lambda name: (" " not in name, name))
    return called[0] if called else group[0].email or group[0].id
