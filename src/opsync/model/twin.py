"""Twins: records of several tools that are one piece of work, because a mirror keeps them alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum

from msgspec import Struct

from opsync.model.record import Kind, Ref

KINDS = (Kind.issue, Kind.epic, Kind.project)
"""What may be in several tools as one piece of work."""
MOST = 4
"""So many sides may one piece of work have; more are a template that was copied, or the like."""


class Twin(Struct, frozen=True, order=True):
    """Two records that are said to be one; `one` sorts before `two`.

    `copy` is the one that names the other as its original, None where neither does or both do.
    `accepted` says that a person agreed, so that even two of one tool may be the same.
    """

    one: Ref
    two: Ref
    copy: Ref | None = None
    accepted: bool = False


class Doubt(StrEnum):
    """Why records that are said to be one are not taken for it: each counts by itself."""

    none = ""
    many = "too many for one piece of work"
    same_tool = "two of them are in the same tool"
    part = "one of them is part of another"


class Sides(Struct, frozen=True):
    """All records that are said to be one piece of work, directly or by way of others.

    `copies` are those that name another one as their original. With a `doubt` none is merged.
    """

    refs: tuple[Ref, ...]
    copies: frozenset[Ref] = frozenset()
    doubt: Doubt = Doubt.none


class Preference(Struct, frozen=True):
    """Whose side counts: instances in the order of preference, and all in that of the
    configuration."""

    prefer: tuple[str, ...] = ()
    configured: tuple[str, ...] = ()

    def counted(self, sides: Sides, among: Collection[Ref] | None = None) -> Ref:
        """The side that counts of those `among` the sides (None: all): of a preferred instance,
        else the original, else that of the instance configured first."""
        refs = [ref for ref in sides.refs if among is None or ref in among]
        return min(
            refs,
            key=lambda ref: (
                _place(ref.instance, self.prefer),
                ref in sides.copies,
                _place(ref.instance, self.configured),
                ref,
            ),
        )

    def instead(self, groups: Iterable[Sides]) -> dict[Ref, Ref]:
        """Each side that does not count, with the one that does; doubtful ones all count."""
        sure = [(one, self.counted(one)) for one in groups if not one.doubt]
        return {ref: counted for one, counted in sure for ref in one.refs if ref != counted}


def _place(name: str, names: tuple[str, ...]) -> int:
    return names.index(name) if name in names else len(names)


def sides_of(
    twins: Iterable[Twin], above: Mapping[Ref, AbstractSet[Ref]] | None = None
) -> list[Sides]:
    """The pairs put together to whole pieces of work, sorted.

    Doubtful are more than `MOST` sides, and two of one instance that nobody accepted as the same:
    a template whose mark was copied along with it must not hide the work that is made from it.
    So are records of which one is part of another, or nothing of them would count; `above` has all
    that a record is part of, at whatever distance.
    """
    pairs = sorted(twins)
    whole = _joined((pair.one, pair.two) for pair in pairs)
    accepted = _joined((pair.one, pair.two) for pair in pairs if pair.accepted)
    copies = {pair.copy for pair in pairs if pair.copy is not None}
    found = []
    for refs in _groups(whole):
        # What a person joined is one side, however many it is.
        distinct = {accepted.get(ref, ref) for ref in refs}
        if len({ref.instance for ref in distinct}) < len(distinct):
            doubt = Doubt.same_tool
        elif len(distinct) > MOST:
            doubt = Doubt.many
        elif above and any(not above.get(ref, frozenset()).isdisjoint(refs) for ref in refs):
            doubt = Doubt.part
        else:
            doubt = Doubt.none
        found.append(Sides(refs, frozenset(copies.intersection(refs)), doubt))
    return found


def counted_once(
    sides: Iterable[Sides],
    among: Collection[Ref],
    preference: Preference,
    root: Ref | None = None,
) -> dict[Ref, Ref]:
    """What is not counted of `among`, each with the side that counts instead.

    Of the sides that are not among them nothing is known here, so that one that stands alone
    counts. The `root` always is the side that counts: its mirror is no work of its own.
    """
    found: dict[Ref, Ref] = {}
    for one in sides:
        here = [ref for ref in one.refs if ref in among]
        if one.doubt or len(here) < 2:
            continue
        counted = root if root in here else preference.counted(one, here)
        assert counted is not None
        found |= {ref: counted for ref in here if ref != counted}
    return found


def _joined(pairs: Iterable[tuple[Ref, Ref]]) -> dict[Ref, Ref]:
    """Each record of the pairs with the first, in their order, of all it is joined with."""
    above: dict[Ref, Ref] = {}

    def first(ref: Ref) -> Ref:
        while above.setdefault(ref, ref) != ref:
            above[ref] = above[above[ref]]
            ref = above[ref]
        return ref

    for one, two in pairs:
        low, high = sorted((first(one), first(two)))
        above[high] = low
    return {ref: first(ref) for ref in above}


def _groups(joined: Mapping[Ref, Ref]) -> list[tuple[Ref, ...]]:
    members: dict[Ref, list[Ref]] = defaultdict(list)
    for ref, leader in joined.items():
        members[leader].append(ref)
    return [tuple(sorted(members[leader])) for leader in sorted(members)]
