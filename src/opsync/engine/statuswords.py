"""Statuses and resolutions against what they count as: which contradict, and what mends it. Pure.

A name never decides what work counts as. Where it sounds like something else, that is shown, with
lines for the configuration: a proposal, and a comment where the name alone is not enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Literal

import msgspec
from msgspec import Struct

from opsync.inert import inert_text
from opsync.lexicon import Sound, hear, sounds_blocked
from opsync.model import Category

Table = Literal["statuses", "resolutions"]

_SAID = {Category.todo: "to do", Category.in_progress: "in progress"}


class Finding(StrEnum):
    """What there is to say about a word, the most urgent first."""

    unmapped = "unmapped"
    """It counts as nothing: neither the tool nor the configuration says how far its work is."""
    suspicious = "suspicious"
    """Its name sounds like something else than it counts as."""
    ambiguous = "ambiguous"
    """Another one has the same name and counts as something else."""
    fine = "fine"


class Word(Struct, frozen=True, kw_only=True):
    """One status or resolution of one connection.

    `category` is the tool's own, None where it was not asked; `counts_as` the one after this
    connection's settings, and `in_teams` what teams make of it instead. `mapped` says that the
    settings, or all teams that use it, name it: people have decided. `items` have it, of the teams
    `used_by` ("" for none).
    """

    instance: str
    table: Table
    id: str
    name: str
    counts_as: Category
    category: Category | None = None
    in_teams: Mapping[str, Category] = {}
    mapped: bool = False
    items: int = 0
    where: tuple[str, ...] = ()
    used_by: frozenset[str] = frozenset()
    on_work: bool = True
    """Whether work has it, or may have: an initiative, project or epic is not blocked by itself."""


class Judged(Struct, frozen=True, kw_only=True):
    """One line of `opsync statuses`: words of one name that count alike, and what is found.

    `proposal` is what it may be meant to count as, None where the name does not tell; `sure` says
    that the name leaves hardly a doubt. `keys` are what the configuration would name: the name, or
    the ids where others of that name count differently.
    """

    instance: str
    table: Table
    ids: tuple[str, ...]
    name: str
    category: Category | None
    counts_as: Category
    in_teams: Mapping[str, Category]
    items: int
    where: tuple[str, ...]
    finding: Finding
    sounds_like: Category | None
    sounds_blocked: bool
    proposal: Category | None
    sure: bool
    keys: tuple[str, ...]
    only_in: str
    """The one team that uses it, "" if there are several or none."""


def judge(words: Iterable[Word]) -> list[Judged]:
    """All words in lines: what needs a look first, and of that what is sure, then what most items
    have."""
    namesakes: dict[tuple[str, str, str], list[Word]] = defaultdict(list)
    for word in words:
        namesakes[word.instance, word.table, word.name.strip().casefold()].append(word)
    lines: list[Judged] = []
    for same in namesakes.values():
        alike: dict[tuple[object, ...], list[Word]] = defaultdict(list)
        for word in same:
            alike[word.counts_as, word.mapped, tuple(sorted(word.in_teams.items()))].append(word)
        differ = len({word.counts_as for word in same}) > 1
        open_ = differ and not any(word.mapped for word in same)
        lines += [
            _judged(group, ambiguous=open_, alone=len(alike) == 1) for group in alike.values()
        ]
    order = list(Finding)
    return sorted(
        lines,
        key=lambda one: (
            order.index(one.finding),
            one.instance,
            one.name.casefold() if one.finding is Finding.ambiguous else "",
            not one.sure,
            -one.items,
            one.table,
            one.name,
        ),
    )


def _judged(group: Sequence[Word], *, ambiguous: bool, alone: bool) -> Judged:
    """One line. `ambiguous`: others of its name count differently, and nobody decided about any;
    `alone`: there are no others."""
    first = group[0]
    heard = hear(first.name)
    stuck = sounds_blocked(first.name)
    finding, proposal, sure = _finding(first, heard, stuck=stuck)
    if finding is Finding.fine and ambiguous:
        finding, proposal = Finding.ambiguous, heard.category if heard else None
    ids = tuple(sorted({word.id for word in group if word.id}))
    by_id = bool(ids) and (not alone or first.name != inert_text(first.name, len(first.name)))
    used_by = frozenset().union(*(word.used_by for word in group))
    return Judged(
        instance=first.instance,
        table=first.table,
        ids=ids,
        name=first.name,
        category=first.category,
        counts_as=first.counts_as,
        in_teams=first.in_teams,
        items=sum(word.items for word in group),
        where=tuple(sorted({place for word in group for place in word.where if place})),
        finding=finding,
        sounds_like=heard.category if heard else None,
        sounds_blocked=stuck and any(word.on_work for word in group),
        proposal=proposal,
        sure=sure,
        keys=ids if by_id else tuple(dict.fromkeys(word.name for word in group)),
        only_in=next(iter(used_by)) if len(used_by) == 1 else "",
    )


def _finding(
    word: Word, heard: Sound | None, *, stuck: bool
) -> tuple[Finding, Category | None, bool]:
    """What there is to say about a word by itself, what it may be meant to be, and how surely."""
    if word.mapped:
        return Finding.fine, None, False
    if word.counts_as is Category.unknown:
        return Finding.unmapped, heard.category if heard else None, heard is not None
    if heard is not None and contradicts(heard, word.counts_as):
        return Finding.suspicious, heard.category, heard.firm
    if stuck and not word.counts_as.open:
        return Finding.suspicious, Category.in_progress, False
    return Finding.fine, None, False


def contradicts(heard: Sound, counts_as: Category) -> bool:
    """Whether what sounds so should not count so.

    What has not begun is one thing: Jira has no category for a backlog. And work that was given up
    is closed, too.
    """
    sound, waiting = heard.category, {Category.backlog, Category.todo}
    if sound is counts_as or {sound, counts_as} <= waiting:
        return False
    return sound is not Category.done or counts_as is not Category.canceled or heard.firm


def paste(lines: Sequence[Judged], mapped: Mapping[tuple[str, str], bool]) -> str:
    """Lines for the configuration, for exactly what needs a look; "" if nothing does.

    `mapped` tells of (instance, table) whether the configuration has that table already: TOML
    takes it only once.
    """
    blocks: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for one in lines:
        if one.finding is not Finding.fine:
            blocks[one.instance, one.table] |= _lines(one)
    parts = []
    for (instance, table), inside in sorted(blocks.items(), key=_statuses_first):
        head = f"[instances.{instance}.{table}]"
        if mapped.get((instance, table)):
            head = f"# Below your {head}:"
        parts.append("\n".join([head, *inside.values()]))
    return "\n\n".join(parts)


def _statuses_first(block: tuple[tuple[str, str], object]) -> tuple[str, bool]:
    (instance, table), _ = block
    return instance, table != "statuses"


def _lines(one: Judged) -> dict[str, str]:
    """A line for each key; TOML takes a key only once."""
    proposal = one.proposal or one.counts_as
    comment = "" if one.sure else "# "
    said = [_SAID.get(one.counts_as, one.counts_as.value)]
    if one.finding is Finding.unmapped:
        said = ["counts as nothing now"]
    elif one.proposal is not None and one.proposal is not one.counts_as:
        said = [f"counts as {said[0]} now"]
    else:
        said = [f"counts as {said[0]}, another of its name does not"]
    if one.name not in one.keys:
        said.insert(0, inert_text(one.name, 60))
    if one.only_in:
        said.append(f"used by {inert_text(one.only_in, 40)} only: its [team.statuses] would do")
    elif one.where and one.name not in one.keys:
        said.append(f"in {inert_text(', '.join(one.where), 80)}")
    meant, why = toml_key(proposal.value), "; ".join(said)
    return {key: f"{comment}{toml_key(key)} = {meant}  # {why}" for key in one.keys}


def toml_key(text: str) -> str:
    """A text as TOML has it: a JSON string is one, too."""
    return msgspec.json.encode(text).decode()
