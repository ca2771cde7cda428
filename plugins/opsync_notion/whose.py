"""Which columns are opsync's own, where no memory tells: after a lost store. Pure.

opsync makes its columns together, with a description that says so, and under another name where a
person has one in use. So what has the name and type of one of them is opsync's if the description
says so, or if the values do: most of them, for a person may have written into some. Where neither
decides, it is left open, and nothing is written there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from opsync import OwnWords, Value
from opsync_notion import surfaces
from opsync_notion.wire import DataSourceObject, Property

SUFFIX = " (opsync"
"""What follows the configured name in that of a column of ours, up to the closing bracket."""
TELLING = frozenset({surfaces.DELIVERY, surfaces.ADOPTION})
"""Columns whose texts nobody else words like that."""


class Tally(Struct, frozen=True):
    """By column, how many of its values opsync could have written, and how many it could not."""

    ours: Mapping[str, int]
    others: Mapping[str, int]

    @classmethod
    def of(
        cls, values: Iterable[tuple[str, Value]], keys: Mapping[str, str], words: OwnWords
    ) -> Tally:
        """Count values by column id; `keys` tell which surface a column would be."""
        ours: Counter[str] = Counter()
        others: Counter[str] = Counter()
        for column_id, value in values:
            found = ours if surfaces.looks_ours(keys[column_id], value, words) else others
            found[column_id] += 1
        return cls(ours, others)

    def worded(self, prop: Property) -> bool:
        """Whether opsync wrote there: more than half of the values are of its form."""
        return self.ours.get(prop.id, 0) > self.others.get(prop.id, 0)

    def empty(self, prop: Property) -> bool:
        """Whether there is no value."""
        return not self.ours.get(prop.id) and not self.others.get(prop.id)


class Verdict(Struct, frozen=True):
    """The columns that are opsync's, by surface; those of which it cannot be told; and the ids of
    those of which it may be told later."""

    own: Mapping[str, Property]
    unsure: Mapping[str, Property]
    left_open: frozenset[str] = frozenset()


def candidates(
    source: DataSourceObject,
    name: str,
    key: str,
    foreign: Collection[str],
    words: OwnWords,
) -> list[Property]:
    """Columns with the name and type that the one of a surface would have, the most telling
    first."""
    found = [
        msgspec.structs.replace(prop, name=title)
        for title, prop in source.properties.items()
        if (title == name or title.startswith(name + SUFFIX))
        and prop.type == surfaces.TYPES[key]
        and prop.id not in foreign
        and (key != surfaces.PERCENT or (prop.number and prop.number.format == "percent"))
    ]
    return sorted(found, key=lambda prop: (not surfaces.marked(prop, words), prop.name == name))


def judge(
    found: Mapping[str, Sequence[Property]],
    tally: Tally,
    words: OwnWords,
    *,
    marked: Collection[str],
    beside: bool,
    open_before: Collection[str] = (),
    came: Collection[str] = (),
    interrupted: bool = False,
) -> Verdict:
    """Whose the candidates of each surface are.

    `marked` are the ids of all columns there with opsync's description; `beside` says that others
    are known to be opsync's, and `open_before` for which surfaces it could not be told while these
    were looked at. `came` are those that came since the columns were first read, which a
    write that was `interrupted` may have made.

    Without a description there has to be proof that some person's table would hardly give:
    "(opsync)" in a name, the seven health options, or delivery summaries.

    An empty column "Adoption" proves nothing by the others, as those may stand without one.
    It is only ours where a write into one was `interrupted`, if it came meanwhile, and if the
    description is on none of our columns; until then it is left open whose it is.
    """
    said = {prop.id for props in found.values() for prop in props} & set(marked)
    proven = bool(said) or _proven(found, tally, words)
    own: dict[str, Property] = {}
    unsure: dict[str, Property] = {}
    left_open: set[str] = set()
    for key, props in found.items():
        first = key in surfaces.AT_FIRST
        again = key in open_before
        described = bool(said) or (again and bool(marked))
        if not (proven or again) and (first or not beside):
            continue
        for prop in props:
            made_now = interrupted and prop.id in came and not marked
            if prop.id in said:
                ours = True
            elif described:
                ours = key in TELLING and tally.worded(prop)
            elif tally.empty(prop):
                ours = first or SUFFIX in prop.name or made_now
            else:
                ours = tally.worded(prop)
            if ours:
                own[key] = prop
                break
            if prop.id in came and tally.empty(prop) and not described and not interrupted:
                left_open.add(prop.id)
        else:
            doubtful = (
                one for one in props if _doubtful(one, tally, first=first, described=described)
            )
            if (one := next(doubtful, None)) is not None:
                unsure[key] = one
    return Verdict(own, unsure, frozenset(left_open))


def _proven(found: Mapping[str, Sequence[Property]], tally: Tally, words: OwnWords) -> bool:
    """Whether any column is proof that opsync wrote here."""
    return any(
        (tally.empty(prop) or tally.worded(prop))
        and (
            (key == surfaces.DELIVERY and tally.worded(prop))
            or SUFFIX in prop.name
            or (key == surfaces.HEALTH and surfaces.has_our_options(prop, words))
        )
        for key, props in found.items()
        for prop in props
    )


def _doubtful(prop: Property, tally: Tally, *, first: bool, described: bool) -> bool:
    """Whether a column that was not taken for opsync's may be: where all the others of its making
    are, and no second one stands beside it, it stands in the place of opsync's."""
    if tally.empty(prop):
        return False
    if first and not described:
        return True
    return bool(tally.ours.get(prop.id))


def doubt(name: str, key: str, words: OwnWords) -> str:
    """What a person is told of a column of which it cannot be told whose it is."""
    return (
        f"the column \"{name}\" may be opsync's or people's, and is neither read nor written. "
        f"{how_to_decide(key, words)}"
    )


def how_to_decide(key: str, words: OwnWords) -> str:
    """What settles it."""
    return (
        f'If it is opsync\'s, give it the description "{surfaces.note(words)}" in Notion; if '
        f"people's, rename it, or set columns.{key}. Then: opsync sync --full"
    )
