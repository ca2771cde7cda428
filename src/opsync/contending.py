"""One owner a field: two rules, or two connections, that would write the same place. Pure.

What cannot be told apart before anything is read counts as the same: a place that two rules write
by turns would be wrong half of the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from opsync.blocks.rules import RollupBlock, RootsBlock
from opsync.contract.connector import Connector, Measurable, Writable
from opsync.contract.settings import ANY_PLACE, ConnectorSettings, Place

_PLACES = {
    "root": "on the same initiatives",
    "containers": "on the epics and projects of the same initiatives",
}


def same_field(rules: Sequence[RollupBlock]) -> Iterable[str]:
    """Rules that would write the same values, one line each pair."""
    for (_, first), (number, second) in combinations(enumerate(rules), 2):
        if first.name == second.name or not _overlap(first.roots, second.roots):
            continue
        both = [where for where in _PLACES if where in first.write_to and where in second.write_to]
        if both:
            places = " and ".join(_PLACES[where] for where in both)
            yield (
                f'rollup.{number}.write_to: rules "{first.name}" and "{second.name}" would both '
                f"write delivery summaries {places}. A place has one owner: {_APART}, or take "
                f'"{both[0]}" out of write_to of one of them'
            )
        told = [name for name in first.announce_in if name in second.announce_in]
        if told:
            yield (
                f'rollup.{number}.announce_in: rules "{first.name}" and "{second.name}" would both '
                f'announce the releases of the same initiatives in "{told[0]}". A place has one '
                f'owner: {_APART}, or take "{told[0]}" out of announce_in of one of them'
            )


_APART = "give one other roots (kind, space or the same column in where)"


def _overlap(one: RootsBlock, two: RootsBlock) -> bool:
    """Whether an initiative may be a root of both."""
    if one.instance != two.instance:
        return False
    if one.kind and two.kind and one.kind != two.kind:
        return False
    if one.space and two.space and one.space != two.space:
        return False
    common = one.where.keys() & two.where.keys()
    return all(set(one.where[name]) & set(two.where[name]) for name in common)


def same_place(
    settings: Mapping[str, ConnectorSettings],
    classes: Mapping[str, type[Connector[Any]] | None],
    rules: Sequence[RollupBlock],
) -> Iterable[str]:
    """Connections that would write into the same site, workspace, data source or project."""
    telling = {name: rule.name for rule in rules for name in rule.announce_in}
    for first, second in combinations(settings, 2):
        class_ = classes.get(first)
        if class_ is None or class_ is not classes.get(second):
            continue
        measures = issubclass(class_, Measurable)
        written = first in telling and second in telling if measures else _writes(class_)
        shared = _shared(settings[first].places(), settings[second].places())
        if shared is None or not written:
            continue
        if measures:
            yield (
                f'instances.{second}: is "{first}" by another name ({shared.title}), and rules '
                f'"{telling[first]}" and "{telling[second]}" would announce releases in both. '
                "Take one of them out of announce_in"
            )
            continue
        part = f", or part them by {class_.settings_type.parted_by}"
        yield (
            f'instances.{second}: would write the same as "{first}": {shared.title}. A place has '
            f"one owner: keep one of them{part if class_.settings_type.parted_by else ''}"
        )


def _writes(class_: type[Connector[Any]]) -> bool:
    return issubclass(class_, Writable) and any(one.content != "release" for one in class_.surfaces)


def _shared(one: Iterable[Place], two: Iterable[Place]) -> Place | None:
    """A place of the one that is, or may be, a place of the other, or a part of one: the smaller of
    both."""
    others = list(two)
    for place in one:
        for other in others:
            if _meet(place, other):
                return max(place, other, key=lambda each: each.key.count("/"))
    return None


def _meet(one: Place, other: Place) -> bool:
    pairs = zip(one.key.split("/"), other.key.split("/"), strict=False)
    return all(part == like or ANY_PLACE in (part, like) for part, like in pairs)
