"""Work that contradicts itself, or has no initiative. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import tzinfo

from msgspec import Struct

from opsync.disagreements.values import (
    FACTS,
    Disagreement,
    DisagreementKind,
    Fact,
    day_of,
    open_fact,
    open_word,
    plural,
)
from opsync.model import Category, Evidence, Record, Ref, Working

OLDEST = 5
"""So many items without an initiative are named."""


class SpaceShare(Struct, frozen=True):
    """Work in progress of one team or project; `space` is "" for private work."""

    instance: str
    space: str
    total: int
    without: int


class Share(Struct, frozen=True):
    """How much work in progress no initiative reaches. `oldest` are some of it."""

    total: int
    without: int
    spaces: tuple[SpaceShare, ...] = ()
    oldest: tuple[Working, ...] = ()


def share_of(working: Iterable[Working]) -> Share:
    """How much of the work in progress no initiative reaches."""
    totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    without: list[Working] = []
    total = 0
    for one in working:
        counts = totals[one.ref.instance, one.space]
        counts[0] += 1
        total += 1
        if not one.reached:
            counts[1] += 1
            without.append(one)
    spaces = [SpaceShare(*key, many, lone) for key, (many, lone) in totals.items()]
    spaces.sort(key=lambda one: (-one.without, -one.total, one.instance, one.space))
    # What is private is counted in its place and never an example.
    named = [one for one in without if one.space and one.since]
    named.sort(key=lambda one: (one.since, one.ref))
    return Share(total, len(without), tuple(spaces), tuple(named[:OLDEST]))


def work_without_initiative(share: Share, zone: tzinfo | None = None) -> Disagreement | None:
    """That work is in progress for no initiative; None where each has one."""
    if not share.without:
        return None
    return Disagreement(
        kind=DisagreementKind.no_initiative,
        subject=None,
        says="",
        measured=f"{share.without:,} of {share.total:,} in progress without an initiative",
        weight=40 + 9 * share.without / share.total,
        evidence=tuple(
            Fact(one.ref, "in progress", day_of(one.since, zone)) for one in share.oldest
        ),
    )


def link_on_one_side(work: Record, root: Ref, why: Evidence) -> Disagreement:
    """That `work` names the initiative `root` in its own words, which does not name it."""
    return Disagreement(
        kind=DisagreementKind.one_side,
        subject=work.ref,
        about=root,
        says=f'names the initiative in "{why.field}"',
        measured="the initiative does not name it: not counted",
        weight=38 if work.category is Category.in_progress else 35,
        evidence=(Fact(work.ref, f'names the initiative in "{why.field}"'),),
    )


def done_with_open_parts(
    parent: Record, open_: int, parts: Sequence[Record], zone: tzinfo | None = None
) -> Disagreement:
    """That `parent` is done and `open_` of its parts are not; `parts` are some of them."""
    since = day_of(parent.completed_at, zone)
    return Disagreement(
        kind=DisagreementKind.open_parts,
        subject=parent.ref,
        says=parent.status.name if parent.status else "",
        measured=f"{plural(open_, 'part')} open",
        weight=20 + min(open_, 90) / 10,
        evidence=(
            Fact(parent.ref, "done", since),
            *(open_fact(part, zone) for part in parts[:FACTS]),
        ),
    )


def owner_left(
    record: Record, *, name: str = "", tool: str = "", open_in: Sequence[str] = ()
) -> Disagreement:
    """That an open item belongs to somebody whose account was closed.

    `name` is what the person is called, "" where only the item's own tool tells; `open_in` are the
    tools in which the same person still has an account, perhaps another one of this `tool`. Then
    somebody is there who can be asked, and it is less urgent. Of private work nobody is told.
    """
    told = record.owner is not None and not record.private
    name = (name or (record.owner.name if record.owner else "")) if told else ""
    measured = "that account is closed"
    if told and tool in open_in:
        measured += f", another one of theirs in {tool} is open"
    elif told and open_in:
        measured = f"left {tool}, still in {' and '.join(open_in)}"
    weight = 33 if told and open_in else 48
    return Disagreement(
        kind=DisagreementKind.owner_left,
        subject=record.ref,
        says=f"owner {name}" if name else "has an owner",
        measured=measured,
        weight=weight if record.category is Category.in_progress else weight - 3,
        evidence=(Fact(record.ref, f"{open_word(record)}, its owner's account closed"),),
    )
