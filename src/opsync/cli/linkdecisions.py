"""`opsync links accept`, `reject`, `add`, `remove`: deciding about pairs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from opsync.cli import words
from opsync.cli.blank import not_blank
from opsync.cli.common import config_option, open_config, open_store, run_async, store_option
from opsync.cli.excluding import excludes
from opsync.engine.deciding import Deciding
from opsync.errors import ConfigError
from opsync.inert import inert_text
from opsync.model import Novelty, PairDecision, PairKind, Suggestion, Verdict
from opsync.model.suggestion import ID_LENGTH
from opsync.runtime import SystemClock
from opsync.service.asks import nudge
from opsync.store import Store

_ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
SOMEONE = "someone"
"""Who decides where the system has no name for its user."""

F = TypeVar("F", bound=Callable[..., Any])


def _kind_options(function: F) -> F:
    same = click.option("--same", is_flag=True, help="Both are one piece of work.")
    related = click.option("--related", is_flag=True, help="Linked; neither counts in the other.")
    return excludes("--same", "--related")(same(related(function)))


def _note_option(function: F) -> F:
    return click.option("--note", default="", metavar="TEXT", help="Why; kept beside it.")(function)


@click.command(short_help="Say that items belong together.")
@click.argument("what", callback=not_blank, nargs=-1, required=True, metavar="ID... | ITEM ITEM")
@_kind_options
@_note_option
@config_option
@store_option
def accept(
    what: tuple[str, ...],
    same: bool,
    related: bool,
    note: str,
    config_path: Path | None,
    store: Path | None,
) -> int:
    """Say that items belong together: suggestions by their IDs, or two items.

    An initiative and its work count, two items with --same are one piece of work, with --related
    they are linked only. The next sync follows.
    """
    return _decide(config_path, store, what, "accepted", _asked(same, related), note)


@click.command(short_help="Say that they do not; not suggested again.")
@click.argument("what", callback=not_blank, nargs=-1, required=True, metavar="ID... | ITEM ITEM")
@_note_option
@config_option
@store_option
def reject(what: tuple[str, ...], note: str, config_path: Path | None, store: Path | None) -> int:
    """Say that items do not belong together: suggestions by their IDs, or two items.

    They are not suggested again. What people name in their tools counts all the same.
    """
    return _decide(config_path, store, what, "rejected", None, note)


@click.command(short_help="Link two items that nobody suggested.")
@click.argument("one", callback=not_blank)
@click.argument("two", callback=not_blank)
@_kind_options
@_note_option
@config_option
@store_option
def add(
    one: str,
    two: str,
    same: bool,
    related: bool,
    note: str,
    config_path: Path | None,
    store: Path | None,
) -> int:
    """Say that two items belong together that nobody suggested.

    An initiative and its work count, two items with --same are one piece of work, with --related
    they are linked only. The next sync follows.
    """
    asked = _asked(same, related)

    async def work(deciding: Deciding, kept: Store) -> list[str]:
        return [await _pair(deciding, kept, one, two, "accepted", asked, note)]

    return _run(config_path, store, work)


@click.command(short_help="Take back what was accepted.")
@click.argument("one", callback=not_blank)
@click.argument("two", callback=not_blank)
@click.option("--forget", is_flag=True, help="Decide nothing: the pair may be suggested again.")
@config_option
@store_option
def remove(one: str, two: str, forget: bool, config_path: Path | None, store: Path | None) -> int:
    """Take back that two items were accepted; they are not suggested again.

    What people name in their tools is taken out there. With --forget a rejection is taken back too.
    """

    async def work(deciding: Deciding, kept: Store) -> list[str]:
        return await _remove(deciding, kept, one, two, forget=forget)

    return _run(config_path, store, work)


def _asked(same: bool, related: bool) -> PairKind | None:
    return "same" if same else "related" if related else None


def login() -> str:
    """Who decides: the name of the system's user."""
    import getpass

    try:
        found = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user need not have a name
        return SOMEONE
    return inert_text(found, 60) or SOMEONE


@asynccontextmanager
async def deciding_on(
    config_path: Path | None, store: Path | None
) -> AsyncIterator[tuple[Deciding, Store]]:
    """What decides and the store, which is not held: a sync may be running."""
    opened = open_config(config_path, store=store)
    async with open_store(opened) as kept:
        yield Deciding(opened.config, kept, by=login(), at=SystemClock().now()), kept
    await nudge(opened.config.store)


def _run(
    config_path: Path | None,
    store: Path | None,
    work: Callable[[Deciding, Store], Any],
) -> int:
    async def run() -> list[str]:
        async with deciding_on(config_path, store) as (deciding, kept):
            found: list[str] = await work(deciding, kept)
            return found

    for line in run_async(run()):
        click.echo(line)
    return 0


def _decide(
    config_path: Path | None,
    store: Path | None,
    what: Sequence[str],
    verdict: Verdict,
    kind: PairKind | None,
    note: str,
) -> int:
    async def work(deciding: Deciding, kept: Store) -> list[str]:
        if all(_ID.fullmatch(one) for one in what):
            return await _suggestions(deciding, kept, what, verdict, kind, note)
        if len(what) != 2:
            raise click.UsageError("give the IDs of suggestions, or two items.")
        return [await _pair(deciding, kept, what[0], what[1], verdict, kind, note)]

    return _run(config_path, store, work)


async def _suggestions(
    deciding: Deciding,
    kept: Store,
    ids: Sequence[str],
    verdict: Verdict,
    kind: PairKind | None,
    note: str,
) -> list[str]:
    """Decide about all of them, or about none if one is not there."""
    found = [await _suggestion(kept, one) for one in dict.fromkeys(ids)]
    decisions = [await deciding.about(one, verdict, kind, note) for one in found]
    news = await kept.decide(decisions)
    return [await _told(deciding, *one) for one in zip(decisions, news, strict=True)]


async def _suggestion(kept: Store, id_: str) -> Suggestion:
    found = await kept.suggestion(id_)
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(
            f'{len(found)} suggestions have the id "{id_}"',
            hint="Name the two items instead: opsync links accept ITEM ITEM",
        )
    raise ConfigError(
        f'no suggestion has the id "{id_}" (any more)',
        hint="Look again: opsync links suggest",
    )


async def _pair(
    deciding: Deciding,
    kept: Store,
    one: str,
    two: str,
    verdict: Verdict,
    kind: PairKind | None,
    note: str,
) -> str:
    ends = await deciding.meant(one), await deciding.meant(two)
    decision = await deciding.decision(*ends, verdict, kind, note)
    (what,) = await kept.decide([decision])
    return await _told(deciding, decision, what)


async def _remove(
    deciding: Deciding, kept: Store, one: str, two: str, *, forget: bool
) -> list[str]:
    ends = await deciding.meant(one), await deciding.meant(two)
    first, second = (each.ref for each in ends)
    names = " and ".join([f'"{(await deciding.look.item(ref)).label}"' for ref in (first, second)])
    named = await deciding.written_by_people(first, second)
    where = ", ".join(named)
    old = await kept.decision(first, second)
    if old is None or not (old.accepted or forget):
        if named:
            raise ConfigError(
                f"{names} are linked by people's own words, in {where}",
                hint="Take it out there: the next sync follows.",
            )
        was = "rejected, and not linked" if old else "not linked"
        raise ConfigError(f"{names} are {was}", hint="See what is: opsync links list ITEM")
    if forget:
        await kept.undecide(first, second)
        told = [f"forgotten: what was decided about {names}"]
    else:
        kind = old.kind
        await kept.decide([await deciding.decision(*ends, "rejected", kind)])
        told = [f"taken back: {names}; the next sync follows, and they are not suggested again"]
    return told + ([f"! still linked by people's own words, in {where}"] if named else [])


async def _told(deciding: Deciding, decision: PairDecision, what: Novelty) -> str:
    """What a decision means, in a line."""
    one, two = (f'"{words.shown(name, 80)}"' for name in (decision.one_name, decision.two_name))
    if not decision.accepted:
        head = "rejected already" if what == "known" else "rejected"
        named = await deciding.written_by_people(decision.one, decision.two)
        where = f", in {', '.join(named)}" if named else ""
        if decision.kind == "same" and await deciding.mirrored(decision.one, decision.two):
            apart = "they count by themselves from the next sync on"
            return f"{head}: {one} and {two}; {apart}, and stay linked{where}"
        rest = f"; still linked by people's own words{where}" if named else ""
        return f"{head}: {one} and {two}; not suggested again{rest}"
    head = "accepted already" if what == "known" else "accepted"
    said = {
        "member": f"{two} counts in {one}",
        "same": f"{one} and {two} are one piece of work",
        "related": f"{one} and {two} are linked, and count nowhere for it",
    }[decision.kind]
    absent = [w for ref in (decision.one, decision.two) if (w := await deciding.look.absent(ref))]
    if absent:
        return f"{head}: {said}; not yet: {absent[0]}"
    return f"{head}: {said}" + ("" if what == "known" else "; the next sync follows")
