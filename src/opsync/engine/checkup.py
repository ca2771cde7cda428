"""What the configuration and people's texts name and nothing that was read has, for `doctor`.

Everything is taken from the store; no tool is asked.
"""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from opsync.config import Config
from opsync.engine.veil import Veil
from opsync.model import Mention, Record
from opsync.model.rules import RollupRule
from opsync.steps.shared import roots_of
from opsync.steps.teaming import unmatched
from opsync.store import Store

NEAR = 3
"""So many names are offered instead of one that nobody uses."""
PAGE = 2000


@dataclass(frozen=True, slots=True)
class Unused:
    """A property that a rule lists and no initiative uses; `near`: used ones, the likest first."""

    name: str
    near: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """What a rule meets: how many initiatives, of what was read where, and its unused properties.

    `kind` and `instance` are those of its roots; `read` says that the instance was read at all.
    """

    rule: str
    instance: str
    kind: str
    roots: int
    read: bool
    properties: tuple[str, ...]
    unused: tuple[Unused, ...]


async def examine_rules(config: Config, store: Store) -> list[RuleFinding]:
    """Each rule of the configuration against what the store has."""
    counts = await store.counts()
    found = []
    for rule in config.rules:
        roots = [root for root in await roots_of(store, rule) if not root.archived]
        found.append(
            RuleFinding(
                rule=rule.name,
                instance=rule.roots.instance,
                kind=rule.roots.kind.value if rule.roots.kind else "initiative",
                roots=len(roots),
                read=any(name.startswith(f"records.{rule.roots.instance}.") for name in counts),
                properties=rule.properties,
                unused=unused_properties(rule, roots),
            )
        )
    return found


def unused_properties(rule: RollupRule, roots: Iterable[Record]) -> tuple[Unused, ...]:
    """What the rule lists and no root names anything in, while roots do so elsewhere.

    Without anything named anywhere there is nothing to compare with: the columns may be right and
    still be empty.
    """
    used = sorted({m.field for root in roots for m in root.mentions if m.property})
    if not used:
        return ()
    return tuple(
        Unused(name, tuple(near(name, used))) for name in rule.properties if name not in used
    )


@dataclass(frozen=True, slots=True)
class TeamFinding:
    """What a team has: how many items, and what it names that no item is in (sentences).

    `read` says that something was read of each instance that it works in.
    """

    team: str
    items: int
    read: bool
    unmatched: tuple[str, ...]


async def examine_teams(config: Config, store: Store) -> list[TeamFinding]:
    """Each team of the configuration against what the store has."""
    instances = sorted({scope.instance for team in config.teams for scope in team.scope})
    tallies = {instance: await store.tallies(instance) for instance in instances}
    found = []
    for team in config.teams:
        own = sorted({scope.instance for scope in team.scope})
        told = [
            unmatched(team, instance, (alike for alike, _ in tallies[instance]))
            for instance in own
            if tallies[instance]
        ]
        items = sum(
            count
            for instance in own
            for alike, count in tallies[instance]
            if alike.team == team.name
        )
        read = all(tallies[instance] for instance in own)
        found.append(TeamFinding(team.name, items, read, tuple(one for one in told if one)))
    return found


def near(name: str, used: Sequence[str]) -> Iterator[str]:
    """Those most like `name`, in any case; if none is like it, all, up to `NEAR`."""
    by_fold = {one.casefold(): one for one in used}
    likest = difflib.get_close_matches(name.casefold(), list(by_fold), NEAR)
    return (by_fold[one] for one in likest or list(by_fold)[:NEAR])


async def names_without_item(store: Store, veil: Veil) -> list[str]:
    """Keys and addresses that people wrote and no item has, those in properties first.

    What only looks like a key is left out ("UTF-8", "ISO-8601"): a key counts if some item's key
    begins like it.
    """
    # What stands in a column is more likely meant than a word in a text.
    lost = sorted(await store.unresolved(), key=lambda one: not one[1].property)
    asked = {prefix for _, one in lost if (prefix := _prefix(one))}
    known = await _known(store, asked) if asked else set()
    sources = await store.records_of(list({source for source, _ in lost}))
    named = [
        await veil.named(sources.get(source), one)
        for source, one in lost
        if _prefix(one) in known | {""}
    ]
    return list(dict.fromkeys(named))


def _prefix(mention: Mention) -> str:
    """ "PAY" of the bare key PAY-118; "" for an address, which says itself whose it is."""
    return "" if mention.instance else mention.alias.rpartition("-")[0]


async def _known(store: Store, asked: set[str]) -> set[str]:
    """Those prefixes that keys of items have, former keys included."""
    known: set[str] = set()
    async for record in _all(store):
        for name in (record.key, *record.aliases):
            head, dash, number = name.rpartition("-")
            if dash and head in asked and number.isdecimal():
                known.add(head)
        if known == asked:
            break
    return known


async def _all(store: Store) -> AsyncIterator[Record]:
    after = ""
    while page := await store.records_page(after=after, limit=PAGE):
        for record in page:
            yield record
        after = str(page[-1].ref)
