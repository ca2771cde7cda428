"""Accounts, joined one by one into people. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from opsync.model import Account
from opsync.model.rules import PersonRule
from opsync.people.values import Way


class Groups:
    """Which accounts are one person by now, what made them so, and whose block they are in."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._number = {account: number for number, account in enumerate(accounts)}
        self._groups = {number: [account] for account, number in self._number.items()}
        self._ways: dict[Account, set[Way]] = defaultdict(set)
        self._rules: dict[int, PersonRule] = {}

    def number(self, account: Account) -> int:
        """The group that the account is in by now."""
        return self._number[account]

    def of(self, account: Account) -> list[Account]:
        """All that is one person with the account."""
        return self._groups[self._number[account]]

    def tools(self, account: Account) -> set[str]:
        """The instances that the account's person is in."""
        return {one.instance for one in self.of(account)}

    def addresses(self, account: Account) -> list[str]:
        """The addresses of the account's person."""
        return sorted({one.email.casefold() for one in self.of(account) if one.email})

    def rule(self, account: Account) -> PersonRule | None:
        """The block of the account's person."""
        return self._rules.get(self._number[account])

    def ways(self, account: Account) -> tuple[Way, ...]:
        """What made the account a person's, in the order of `Way`."""
        return tuple(way for way in Way if way in self._ways[account])

    def heads(self, accounts: Iterable[Account]) -> list[Account]:
        """The first account of each person among these."""
        first: dict[int, Account] = {}
        for account in accounts:
            first.setdefault(self._number[account], account)
        return list(first.values())

    def twice(self, accounts: Iterable[Account]) -> str:
        """The first instance in which these are several people; "" if there is none."""
        found: Mapping[str, set[int]] = defaultdict(set)
        for one in accounts:
            found[one.instance].add(self._number[one])
        return next((name for name, numbers in sorted(found.items()) if len(numbers) > 1), "")

    def join(self, one: Account, two: Account, way: Way) -> None:
        """Make both one person."""
        keep, gone = self._number[one], self._number[two]
        if keep == gone:
            if one != two:
                self._ways[two].add(way)
            return
        self._ways[one].add(way)
        self._ways[two].add(way)
        for account in self._groups[gone]:
            self._number[account] = keep
        self._groups[keep] += self._groups.pop(gone)
        if rule := self._rules.pop(gone, None):
            self._rules.setdefault(keep, rule)

    def decide(self, accounts: Sequence[Account], rule: PersonRule) -> None:
        """Make these one person, as the configuration says."""
        for account in accounts:
            self.join(accounts[0], account, Way.rule)
            self._ways[account].add(Way.rule)
        self._rules[self._number[accounts[0]]] = rule

    def all(self) -> list[list[Account]]:
        """Everybody, each person's accounts sorted, in the order of their first."""
        return sorted(sorted(group) for group in self._groups.values())
