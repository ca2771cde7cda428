"""Which accounts are one person. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import combinations

from opsync.model import Account
from opsync.model.rules import PersonRule
from opsync.people.groups import Groups
from opsync.people.names import NearNames, plain_name, sorted_name
from opsync.people.settling import called, extended, new_blocks, surely, without
from opsync.people.values import Doubt, DoubtKind, Identity, Way


class People:
    """Everybody, each once. What a block of the configuration names is never made one with what
    another block names, whatever their names are."""

    def __init__(self, accounts: Iterable[Account], rules: Sequence[PersonRule] = ()) -> None:
        self._accounts = sorted(accounts)
        self._groups = Groups(self._accounts)
        self._named = _Index(self._accounts)
        self._doubts: list[Doubt] = []
        self._by_address()
        for rule in rules:
            self._by_rule(rule)
        self._by_name()
        self.identities: tuple[Identity, ...] = tuple(
            Identity(self._called(group), tuple(group)) for group in self._groups.all()
        )
        self._of: dict[tuple[str, str], Identity] = {
            (account.instance, account.id): identity
            for identity in self.identities
            for account in identity.accounts
        }

    def of(self, instance: str, person_id: str) -> Identity | None:
        """Who has this account; None for an account that nobody was met under."""
        return self._of.get((instance, person_id))

    def ways(self, account: Account) -> tuple[Way, ...]:
        """What made this account one with others; () for one that stands alone."""
        return self._groups.ways(account)

    @cached_property
    def doubts(self) -> tuple[Doubt, ...]:
        """What was left apart, or matched nobody. Compares all names: slower than all else."""
        return (*self._doubts, *self._near_names())

    def _called(self, group: Sequence[Account]) -> str:
        rule = self._groups.rule(group[0])
        return rule.name if rule else called(group)

    def _by_address(self) -> None:
        first: dict[str, Account] = {}
        for account in self._accounts:
            if account.email:
                one = first.setdefault(account.email.casefold(), account)
                self._groups.join(one, account, Way.address)

    def _by_rule(self, rule: PersonRule) -> None:
        """Join what a block joins."""
        mine: list[Account] = []
        nobody: list[str] = []
        for alias in rule.known_as:
            found = self._named.meant(alias)
            if not found:
                nobody.append(alias)
            elif twice := self._groups.twice(found):
                why = f'{rule.name}: "{alias}" is the name of several in {twice}'
                chosen = {one.instance: one for one in reversed(found)}.values()
                better = without(rule, [alias], sorted(chosen))
                self._doubt(DoubtKind.twice, found, why, (better,), rule.name)
            else:
                mine += found
        if nobody:
            listed = " or ".join(f'"{alias}"' for alias in nobody)
            why = f"nobody is known as {listed}, as the configuration says of {rule.name}"
            self._doubt(DoubtKind.nobody, (), why, (without(rule, nobody),), rule.name)
        taken = {
            one: other.name
            for one in mine
            if (other := self._groups.rule(one)) is not None and other.name != rule.name
        }
        if taken:
            why = f"{rule.name} has accounts that are {min(taken.values())}'s already"
            free = [one for one in mine if one not in taken]
            better = without(rule, rule.known_as, free)
            self._doubt(DoubtKind.claimed, mine, why, (better,), rule.name)
        elif mine:
            self._groups.decide(mine, rule)

    def _by_name(self) -> None:
        """Join accounts of one full name, where each tool has it once and no address differs."""
        for name, accounts in self._named.by_name.items():
            heads = self._groups.heads(accounts)
            if " " not in name or not self._may_be_one(heads):
                continue
            full = accounts[0].name
            addresses = {one: found[0] for one in heads if (found := self._groups.addresses(one))}
            rules = [rule for one in heads if (rule := self._groups.rule(one)) is not None]
            if twice := self._groups.twice(accounts):
                why = f"several in {twice} are called {full}"
                self._doubt_name(DoubtKind.twice, accounts, why)
            elif len(addresses) > 1:
                listed = " and ".join(sorted(addresses.values()))
                why = f"{full} has different addresses: {listed}"
                self._doubt_name(DoubtKind.two_addresses, accounts, why)
            elif len(rules) > 1:
                why = f"several in the configuration are called {full}"
                self._doubt_name(DoubtKind.claimed, accounts, why)
            else:
                for account in accounts:
                    self._groups.join(accounts[0], account, Way.name)

    def _may_be_one(self, heads: Sequence[Account]) -> bool:
        """Whether any two of these people could be one: the configuration has not decided about
        either, or only about one that has no account where the other one is."""
        for one, two in combinations(heads, 2):
            decided = [self._groups.rule(each) is not None for each in (one, two)]
            apart = not self._groups.tools(one) & self._groups.tools(two)
            if not any(decided) or (not all(decided) and apart):
                return True
        return False

    def _doubt(
        self,
        kind: DoubtKind,
        accounts: Iterable[Account],
        why: str,
        blocks: tuple[PersonRule, ...],
        instead: str = "",
        *,
        sure: bool = False,
    ) -> None:
        filled = tuple(block for block in blocks if block.known_as)
        found = tuple(sorted(set(accounts)))
        self._doubts.append(Doubt(kind, found, why, filled, instead, sure))

    def _doubt_name(self, kind: DoubtKind, accounts: Sequence[Account], why: str) -> None:
        """Leave those of one name apart. What is decided already stays; its block may grow."""
        decided = [one for one in accounts if self._groups.rule(one) is not None]
        open_ = [one for one in accounts if self._groups.rule(one) is None]
        if not decided:
            sure = kind is DoubtKind.two_addresses and surely(accounts)
            self._doubt(kind, accounts, why, self._new_blocks(accounts), sure=sure)
            return
        block, instead = self._grown(decided, open_)
        self._doubt(kind, accounts, why, (block,), instead)

    def _grown(
        self, decided: Sequence[Account], open_: Sequence[Account]
    ) -> tuple[PersonRule, str]:
        """The block of the first of these people that lacks an account of the others, with it."""
        for one in decided:
            rule, has = self._groups.rule(one), self._groups.tools(one)
            if rule is not None and any(each.instance not in has for each in open_):
                return extended(rule, has, open_), rule.name
        return self._new_blocks(open_)[0], ""

    def _new_blocks(self, accounts: Iterable[Account]) -> tuple[PersonRule, ...]:
        """Blocks for these, those first that are in most tools."""
        groups = [self._groups.of(one) for one in self._groups.heads(accounts)]
        return new_blocks(sorted(groups, key=lambda group: -len(self._groups.tools(group[0]))))

    def _near_names(self) -> list[Doubt]:
        """Doubt who stands in one tool alone, where another has a name like theirs."""
        doubted = {one for doubt in self._doubts for one in doubt.accounts}
        by_name: dict[str, list[Account]] = defaultdict(list)
        for account in self._accounts:
            by_name[sorted_name(account.name)].append(account)
        by_name.pop("", None)
        alike = NearNames(list(by_name))
        told: dict[tuple[Account, ...], Doubt] = {}
        for identity in self.identities:
            alone = identity.accounts[0]
            tools = self._groups.tools(alone)
            if len(tools) > 1 or alone in doubted or self._groups.rule(alone) is not None:
                continue
            found = [
                other
                for name in alike.near(sorted_name(alone.name))
                for other in by_name[name]
                if other.instance not in tools and self._is_free(other, alone)
            ]
            accounts = tuple(sorted({alone, *found}))
            if found and accounts not in told:
                told[accounts] = self._near(alone, found, accounts)
        return list(told.values())

    def _near(
        self, alone: Account, found: Sequence[Account], accounts: tuple[Account, ...]
    ) -> Doubt:
        listed = ", ".join(f"{other.name} ({other.instance})" for other in sorted(found))
        why = f"{alone.name} is in {alone.instance} only; perhaps the same as {listed}"
        decided = [one for one in found if self._groups.rule(one) is not None]
        if decided:
            block, instead = self._grown(decided, [alone])
            return Doubt(DoubtKind.near_name, accounts, why, (block,), instead)
        groups = [self._groups.of(one) for one in self._groups.heads((alone, *found))]
        return Doubt(DoubtKind.near_name, accounts, why, new_blocks(groups)[:1])

    def _is_free(self, other: Account, alone: Account) -> bool:
        """Whether the other one has no account yet in the tool of the one that is alone."""
        return alone.instance not in self._groups.tools(other)


class _Index:
    """Accounts by all that the configuration may name them by."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._by_id = {f"{one.instance}:{one.id}": one for one in accounts}
        self._by_address: dict[str, list[Account]] = defaultdict(list)
        self.by_name: dict[str, list[Account]] = defaultdict(list)
        for one in accounts:
            if one.email:
                self._by_address[one.email.casefold()].append(one)
            if name := plain_name(one.name):
                self.by_name[name].append(one)

    def meant(self, alias: str) -> list[Account]:
        """The accounts with this address, "instance:id" or name, sorted."""
        found = set(self._by_address.get(alias.strip().casefold(), ()))
        if alias in self._by_id:
            found.add(self._by_id[alias])
        if "@" not in alias:
            found.update(self.by_name.get(plain_name(alias), ()))
        return sorted(found)
