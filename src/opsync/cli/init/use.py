"""Which columns of the roadmap say by what an initiative's use is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsync.cli.init.answers import NotionAnswers, Use
from opsync.cli.init.connect import Guide
from opsync.cli.init.options import bare_id
from opsync.cli.init.table import Analytics
from opsync.errors import ConfigError
from opsync.model import MetricKind

if TYPE_CHECKING:
    from opsync.contract.examining import Guess

NONE = "none"
TITLE, RELEASED = "title", "released"
OPTIONS = {
    MetricKind.event.value: "--event-column",
    MetricKind.flag.value: "--flag-column",
    MetricKind.insight.value: "--insight-column",
    RELEASED: "--released-column",
}
"""By role the option that names its column, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Roadmap:
    """The table with the initiatives, and what its columns may be taken for, by role."""

    name: str
    guesses: Mapping[str, Guess]

    def could_be(self, role: str) -> Mapping[str, Sequence[str]]:
        """By name the columns that can hold it, with what stands there in some rows."""
        guess = self.guesses.get(role)
        if guess is None:
            return {}
        found = {guess.column: guess.examples} if guess.column else {}
        return {**found, **guess.others}


def measured_by(guide: Guide, tool: Analytics, notion: NotionAnswers | None) -> Use:
    """The columns as they were named, else guessed and agreed to, and whether to tell releases."""
    options, desk = guide.options, guide.desk
    roadmap = _roadmap(guide, notion) if notion is not None else None
    columns = {kind.value: name for kind, name in options.use_columns.items()}
    if options.released_column:
        columns[RELEASED] = options.released_column
    if roadmap is not None:
        columns = _agreed(guide, roadmap, columns)
    announce = options.announce
    if announce and desk.attended:
        announce = desk.agrees(f"Tell releases in {tool.title}, as annotations on its charts?")
    return Use(
        tuple((kind, columns[kind]) for kind in MetricKind if columns.get(kind)),
        columns.get(RELEASED, ""),
        announce,
    )


def _roadmap(guide: Guide, notion: NotionAnswers) -> Roadmap | None:
    """The table of which most columns were recognised; None where none was looked at."""
    by_table: dict[str, dict[str, Guess]] = {}
    for guess in guide.guesses:
        by_table.setdefault(bare_id(guess.table), {})[guess.role] = guess
    if not any(role in found for found in by_table.values() for role in OPTIONS):
        return None
    names = {bare_id(one.id): one.name or one.id for one in notion.sources}

    def recognised(table: str) -> int:
        return sum(1 for role, guess in by_table[table].items() if role in OPTIONS and guess.column)

    best = max(by_table, key=recognised)
    return Roadmap(names.get(best, best), by_table[best])


def _agreed(guide: Guide, roadmap: Roadmap, named: Mapping[str, str]) -> dict[str, str]:
    """The columns by role, as named, else as guessed; a person may correct them."""
    desk = guide.desk
    _check(roadmap, named)
    columns = {role: guess.column for role, guess in roadmap.guesses.items() if role in OPTIONS}
    columns.update(named)
    while True:
        if any(columns.get(role) for role in OPTIONS):
            _show(guide, roadmap, columns)
        if not any(columns.get(kind) for kind in MetricKind):
            desk.sign(
                "warn",
                f'No column of "{roadmap.name}" names an event or a flag, so that nothing is '
                "measured yet.",
                'Add a text column "Flag", put the key of an initiative\'s flag there, then take '
                "away the # before [[rollup.metric]].",
            )
            if not desk.attended or not desk.agrees("Is it one of another name?", default=False):
                return columns
        elif not desk.attended or desk.agrees("Are these columns right?"):
            return columns
        columns = _corrected(guide, roadmap, columns)


def _check(roadmap: Roadmap, named: Mapping[str, str]) -> None:
    """Refuse a column that an option names and the table has not. Raises ConfigError."""
    problems = [
        f'{OPTIONS[role]} "{name}": "{roadmap.name}" has no column of that name that can hold it.'
        for role, name in named.items()
        if name not in roadmap.could_be(role)
    ]
    if problems:
        raise ConfigError(problems[0], problems=tuple(problems))


def _show(guide: Guide, roadmap: Roadmap, columns: Mapping[str, str]) -> None:
    """What the columns are taken for, above what stands there in some rows."""
    desk = guide.desk
    desk.say(f'Columns of "{roadmap.name}" that tell of use, and what stands there in some rows:')
    title = roadmap.guesses.get(TITLE)
    shown = [(f"{TITLE}: {title.column}", title.examples)] if title is not None else []
    for role in OPTIONS:
        if column := columns.get(role):
            examples = tuple(roadmap.could_be(role).get(column, ()))
            shown.append((f"{role}: {column}", examples))
    desk.sample(shown)


def _corrected(guide: Guide, roadmap: Roadmap, columns: Mapping[str, str]) -> dict[str, str]:
    """The columns as the person names them."""
    desk = guide.desk
    found = {}
    for role in OPTIONS:
        could_be = roadmap.could_be(role)
        while True:
            said = desk.ask(f"{role} ({NONE}: no column)", columns.get(role) or NONE)
            if said.casefold() == NONE or said in could_be:
                break
            there = ", ".join(f'"{name}"' for name in could_be) or "none"
            desk.sign("warn", f'No column "{said}" can hold it. There are: {there}')
        found[role] = "" if said.casefold() == NONE else said
    return found
