"""What `opsync look` says, in sentences: the same on the screen and in the document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from opsync.cli import words
from opsync.cli.passjson import instance_json
from opsync.disagreements import DisagreementKind
from opsync.engine.belonging import Suggested
from opsync.engine.disagreeing import Found
from opsync.engine.looked import Addition, InProgress, Look, Unseen
from opsync.engine.twinned import TwinGroup
from opsync.model import Verb
from opsync.report import PassReport

SAID = (DisagreementKind.status, DisagreementKind.no_work)
"""What is told as people's word against the numbers; the other kinds are told by themselves."""

HEADINGS = {
    DisagreementKind.one_side: "Named on one side only",
    DisagreementKind.owner_left: "The owner left",
    DisagreementKind.open_parts: "Done, with open parts",
}
_DOING = {Verb.create.value: "add", Verb.update.value: "update", Verb.remove.value: "remove"}


@dataclass(frozen=True, slots=True)
class LookView:
    """What was found, and the pass that found it (None: nothing was ever read)."""

    look: Look
    report: PassReport | None
    zone: tzinfo
    offline: bool

    def as_json(self) -> dict[str, Any]:
        """`look`, `pass` and `instances`, as docs/json.md has them."""
        report = self.report
        if report is None:
            return {"look": self.look, "pass": None, "instances": []}
        counts = {"run": report.run, "offline": self.offline, "exit_code": report.exit_code}
        return {
            "look": self.look,
            "pass": {**counts, **report.summary(), "warnings": list(report.remarks)},
            "instances": [instance_json(one) for one in report.instances],
        }


def head(view: LookView) -> str:
    """When it was looked, at what, and that nothing was written."""
    look, report = view.look, view.report
    local = look.at.astimezone(view.zone)
    now = f"{local:%a} {local.day} {local:%b %H:%M}"
    if view.offline or report is None:
        run = look.run
        last = f"read {words.ago(run.finished_at, look.at)} ago" if run else "nothing was read yet"
        return f"{now} · {last} · no tool was asked"
    return (
        f"{now} · {words.plural(report.records, 'item')} read in {words.span(report.seconds)} · "
        f"{words.plural(report.read_requests, 'read')}, "
        f"{words.plural(report.write_requests, 'write')}: nothing was changed in any tool"
    )


def headline(look: Look) -> str:
    """The numbers that come first."""
    work = look.work
    canceled = work.total - work.open - work.done
    states = f"{work.open:,} open, {work.in_progress:,} of them in progress, {work.done:,} done"
    states += f", {canceled:,} canceled" if canceled else ""
    parts = [
        words.plural(look.initiatives, look.roots),
        f"{words.plural(work.total, 'item')} of work: {states}",
        words.plural(look.links, "link"),
        *([words.plural(look.twins_total, "twin")] if look.twins_total else []),
    ]
    return " · ".join(parts)


def article(noun: str) -> str:
    """ "an initiative", "a project"."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def nothing_lines(view: LookView) -> list[str]:
    """What to do where nothing was read."""
    names = ", ".join(one.instance for one in view.look.connections)
    if view.report is None:
        return [f"Nothing has been read yet. Read {names or 'your tools'}: opsync look"]
    if view.look.unseen:
        return ["Nothing could be read:"]
    return [
        f"Nothing is there to be seen: {names} answered, and showed no item.",
        "A token may see less than you do: opsync doctor says what it may see.",
    ]


def no_roots_line(look: Look) -> str:
    """Why there is no initiative."""
    if any(one.what in ("connection", "rule", "initiative") for one in look.unseen):
        return "No initiative was seen: see below for what could not be read."
    return (
        "No initiative was found: a [[rollup]] block says which items are initiatives. "
        "opsync doctor tells what each meets; opsync init writes one."
    )


def said(look: Look) -> list[Found]:
    """People's word against the numbers."""
    return [one for one in look.disagreements if one.kind in SAID]


def of_kind(look: Look, kind: DisagreementKind) -> list[Found]:
    """The disagreements of one kind."""
    return [one for one in look.disagreements if one.kind is kind]


def said_title(look: Look) -> str:
    """How many initiatives stand otherwise than people say."""
    many = look.counts.get(DisagreementKind.status, 0)
    empty = look.counts.get(DisagreementKind.no_work, 0)
    nouns = words.plural(look.initiatives, look.roots)
    if not many and not empty:
        return f"What people say and what is measured agree on {nouns}."
    parts = [f"{many} of {nouns} disagree"] if many else []
    parts += [f"{empty} without work"] if empty else []
    return f"What people say and what is measured: {', '.join(parts)}"


def label_of(one: Found) -> str:
    """What a disagreement is about."""
    name = one.item.label if one.item else ""
    return f"{name} → {one.about.label}" if one.about else name


def spaces_of(share: InProgress) -> list[tuple[str, int, int]]:
    """Name, without and total of each team or project that has work without an initiative."""
    return [
        (one.space or f"private ({one.tool})", one.without, one.total)
        for one in share.spaces
        if one.without
    ]


def twin_line(one: TwinGroup) -> str:
    """ "PAY-143 Usage counters (Jira) = GRO-75 Usage counters (Linear); counts as PAY-143"."""
    names = " = ".join(f"{item.label} ({item.tool})" for item in one.items)
    return f"{names}; counts as {one.counted.key or one.counted.label}"


def suggested_line(one: Suggested) -> str:
    """A pair and why it looks as if it belonged together."""
    why = f": {', '.join(one.reasons)}" if one.reasons else ""
    return f"{one.one.label} – {one.two.label} ({one.two.tool}), {one.score:.0%}{why}".replace(
        "%", " %", 1
    )


def additions_title(additions: Sequence[Addition]) -> str:
    """ "With write access opsync would add", or what else it would do."""
    fresh = all(one.verb == Verb.create.value for one in additions)
    return f"With write access opsync would {'add' if fresh else 'write'}"


def addition_lines(additions: Sequence[Addition]) -> Iterator[tuple[str, str]]:
    """By tool what would be written: "Delivery, Delivery % on 12 pages", "24 links on items"."""
    for tool in dict.fromkeys(one.tool for one in additions):
        own = [one for one in additions if one.tool == tool]
        parts = [*_places(one for one in own if not one.link)]
        parts += [*_links(one for one in own if one.link)]
        yield tool, " · ".join(parts)


def _places(additions: Iterable[Addition]) -> Iterator[str]:
    grouped: dict[tuple[str, str, int], list[str]] = {}
    for one in additions:
        grouped.setdefault((one.verb, one.kind, one.items), []).append(one.place)
    for (verb, kind, items), places in grouped.items():
        doing = "" if verb == Verb.create.value else f"{_DOING[verb]} "
        yield f"{doing}{', '.join(places)} on {words.plural(items, kind)}"


def _links(additions: Iterable[Addition]) -> Iterator[str]:
    grouped: dict[str, list[Addition]] = {}
    for one in additions:
        grouped.setdefault(one.verb, []).append(one)
    for verb, found in grouped.items():
        doing = "" if verb == Verb.create.value else f"{_DOING[verb]} "
        on = ", ".join(words.plural(one.items, one.kind) for one in found)
        yield f"{doing}{words.plural(sum(one.changes for one in found), 'link')} on {on}"


def unseen_line(one: Unseen) -> str:
    """What was not seen, and why."""
    name = f"{one.name} is incomplete" if one.what == "connection" else one.name
    return ": ".join(filter(None, (name, one.why)))


def how_to_write() -> str:
    """How to get what write access would bring."""
    return "see each: opsync plan --offline · write: tokens that may write, then opsync sync"


def rest_line(shown: int, many: int) -> str:
    """What is left out; "" for nothing."""
    return f"… {many - shown:,} more (--all)" if many > shown else ""
