"""Where `opsync init` asks and tells: on a terminal; unattended, a question is an error that names
the option which answers it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import click

from opsync.cli import words
from opsync.cli.init.picks import ALL, NotPicked, pick
from opsync.cli.layout import Column
from opsync.cli.screen import grid, show, signed, styled
from opsync.contract.examining import Choice
from opsync.errors import ConfigError

NONE = "none"
LONG = 30
"""A longer list is looked through by pieces of names."""
SHOWN = 15
"""So many rows of a long list are shown at first."""
ROWS = 3
"""So many rows of a table are shown as a sample."""


def attended() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


@dataclass(frozen=True, slots=True)
class Desk:
    """Asks and tells. `clean` takes secrets out of what is told."""

    attended: bool
    clean: Callable[[str], str]

    def section(self, title: str, detail: str = "") -> None:
        """Begin a tool."""
        show(styled(""), styled((title, "bold"), f"  {self._plain(detail)}" if detail else ""))

    def say(self, text: str, *, style: str = "") -> None:
        """One line of a tool."""
        show(styled("  ", (self._plain(text), style)))

    def sign(self, state: str, text: str, hint: str = "") -> None:
        """A line with a sign; `hint`, the next step, stands below it."""
        signed(state, self._plain(text), tuple(self._plain(line) for line in hint.splitlines()))

    def missing(self, what: str, option: str) -> ConfigError:
        """The error that an answer is missing and nobody can be asked."""
        return ConfigError(
            f"{option} is missing: {what}.", hint="Or run it on a terminal, to be asked."
        )

    def ask(self, question: str, default: str = "") -> str:
        """An answer in one line; "" if there is none and no default."""
        answer: str = click.prompt(
            f"  {question}", default=default, show_default=bool(default), type=str
        )
        return answer.strip()

    def hidden(self, question: str) -> str:
        """An answer that does not show, as for tokens; "" if there is none."""
        answer: str = click.prompt(
            f"  {question}", default="", show_default=False, hide_input=True, type=str
        )
        return answer.strip()

    def agrees(self, question: str, *, default: bool = True) -> bool:
        """Yes or no."""
        return click.confirm(f"  {question}", default=default)

    def one_of(self, question: str, answers: Sequence[str]) -> str:
        """One of several words; the first if nothing is typed."""
        answer: str = click.prompt(
            f"  {question}", default=answers[0], type=click.Choice(answers), show_choices=True
        )
        return answer

    def pick(
        self, question: str, rows: Sequence[Choice], default: str = ALL, *, none: bool = False
    ) -> tuple[Choice, ...]:
        """Some of the rows, by number, range, key or name; asked until the answer is certain.

        `none` takes the word "none", too, for no row at all.
        """
        self._list(rows, range(min(len(rows), SHOWN if len(rows) > LONG else LONG)))
        if len(rows) > LONG:
            self.say(f"… {len(rows) - SHOWN} more; a piece of a name shows those with it.")
        while True:
            answer = self.ask(f"{question} (as in 1,3-5 or names)", default)
            if none and answer.casefold() == NONE:
                return ()
            try:
                return tuple(rows[number] for number in pick(answer, rows))
            except NotPicked as error:
                self.sign("warn", f"{error} Which one?" if error.near else str(error))
                self._list(rows, error.near[:LONG])

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A small table; columns shrink and fold before they are left out."""
        columns = [Column(self._plain(name), "cut", 8) for name in header]
        cells = [[styled(self._plain(cell)) for cell in row] for row in rows]
        grid(columns, cells, indent=4)

    def sample(self, columns: Sequence[tuple[str, Sequence[str]]]) -> None:
        """Columns by their headings, above what stands there in the first few rows."""
        rows = min(ROWS, max((len(examples) for _, examples in columns), default=0))
        self.table(
            [heading for heading, _ in columns],
            [
                [examples[row] if row < len(examples) else "" for _, examples in columns]
                for row in range(rows)
            ],
        )

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show on a terminal that an answer is awaited."""
        if not sys.stderr.isatty():
            yield
            return
        from rich.console import Console

        with Console(stderr=True).status(self._plain(what)):
            yield

    def _list(self, rows: Sequence[Choice], numbers: Sequence[int]) -> None:
        cells = []
        for number in numbers:
            row = rows[number]
            key = row.id if _speaks(row) else ""
            note = ", ".join(part for part in (row.note, "private" if row.private else "") if part)
            cells.append(
                [
                    styled(str(number + 1)),
                    *(styled(self._plain(cell)) for cell in (key, row.name, note)),
                ]
            )
        columns = (Column(right=True), Column(), Column(fit="cut", least=12), Column(fit="cut"))
        grid(columns, cells, indent=4)

    def _plain(self, text: str) -> str:
        return words.shown(self.clean(text), 500)


def _speaks(row: Choice) -> bool:
    """Whether the id says something to people, as a project's key does."""
    return len(row.id) <= 16 and row.id != row.name
