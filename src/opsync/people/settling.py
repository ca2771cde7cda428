"""What a person would write into the configuration to settle a doubt. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from opsync.inert import inert_text
from opsync.model import Account
from opsync.model.rules import PersonRule

LONGEST = 200
"""So many characters may a word of the configuration have."""


def called(accounts: Iterable[Account]) -> str:
    """What a person is called by their own accounts: the fullest of their names."""
    listed = list(accounts)
    names = [account.name for account in listed if account.name]
    # A full name before a nickname; of several the one that sorts first, so that it stays.
    names.sort(key=lambda name: (" " not in name, _short(name), name))
    return names[0] if names else listed[0].email or listed[0].id


def alias(account: Account) -> str:
    """What a block names an account by: its address, else "instance:id"."""
    short = len(account.email) <= LONGEST
    return account.email if account.email and short else f"{account.instance}:{account.id}"


def new_blocks(groups: Sequence[Sequence[Account]]) -> tuple[PersonRule, ...]:
    """Blocks that make these groups, each known to be one person, as few people as they can be.

    Nobody gets two groups of one tool, unless all of them are in that one: which of several goes
    with whom is a guess, in the order given.
    """
    if len({one.instance for group in groups for one in group}) == 1:
        return (_block([one for group in groups for one in group]),)
    people: list[tuple[set[str], list[Account]]] = []
    for group in groups:
        tools = {one.instance for one in group}
        free = next((one for one in people if not one[0] & tools), None)
        if free is None:
            people.append((tools, list(group)))
        else:
            free[0].update(tools)
            free[1].extend(group)
    return tuple(_block(accounts, number) for number, (_, accounts) in enumerate(people, 1))


def extended(rule: PersonRule, has: set[str], accounts: Iterable[Account]) -> PersonRule:
    """The block with those accounts that are in tools in which its person `has` none."""
    more: dict[str, str] = {}
    for one in accounts:
        if one.instance not in has:
            more.setdefault(one.instance, alias(one))
    return replace(rule, known_as=tuple(dict.fromkeys((*rule.known_as, *more.values()))))


def without(rule: PersonRule, wrong: Iterable[str], right: Iterable[Account] = ()) -> PersonRule:
    """The block with these accounts instead of what it names wrongly."""
    out = set(wrong)
    kept = [name for name in rule.known_as if name not in out]
    return replace(rule, known_as=tuple(dict.fromkeys((*kept, *map(alias, right)))))


def surely(accounts: Iterable[Account]) -> bool:
    """Whether those of one full name are hardly different people: their addresses differ in what
    stands after the @ only, and no tool has two of them."""
    listed = list(accounts)
    before = {one.email.casefold().partition("@")[0] for one in listed if one.email}
    return len(before) == 1 and len({one.instance for one in listed}) == len(listed)


def _short(name: str) -> bool:
    """Whether a name has an initial, or is turned round: "M. Voss", "Voss, Mara"."""
    return "," in name or any(len(word.rstrip(".")) == 1 for word in name.split())


def _block(accounts: Sequence[Account], number: int = 1) -> PersonRule:
    name = inert_text(called(accounts), LONGEST - 5)
    known_as = tuple(dict.fromkeys(map(alias, accounts)))
    return PersonRule(name if number == 1 else f"{name} {number}", known_as)
