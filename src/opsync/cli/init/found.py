"""What a tool answered, in the words and values that `opsync init` goes on with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsync.cli import words
from opsync.cli.init.answers import Word
from opsync.errors import SignInError

if TYPE_CHECKING:
    from opsync.contract.examining import FirstRead, Grant, StatusWord

PLACES = 3
"""So many places are named in which a word is used."""
_TABLES = {"statuses": "status", "resolutions": "resolution"}


class LacksRights(SignInError):
    """The token is alive, and nothing can be read with it yet."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A word that counts as done and sounds as if the work had been given up, with where it is
    used in `note`."""

    name: str
    word: Word
    note: str


def right(grant: Grant) -> tuple[str, str]:
    """A right's sign, and what it is good for or what its lack means."""
    match grant.needed, grant.held:
        case _, True:
            return "ok", grant.what
        case "write", None:
            unsure = "Whether it is there shows with the first write; looking needs none."
            return "warn", f"{grant.what}. {unsure}"
        case "write", _:
            return "warn", f"is missing: {grant.what}. Looking needs none of it."
        case _, None:
            return "warn", f"not known: {grant.what}."
    if grant.vital:
        return "fail", f"is missing: {grant.what}."
    return "warn", f"is missing: {grant.what}. The rest is read."


def lacks(title: str, missing: Sequence[Grant], makes: str) -> LacksRights:
    """What the lack of these rights means; `makes` is where a token is made."""
    names = ", ".join(grant.name for grant in missing)
    hints = dict.fromkeys(grant.hint for grant in missing if grant.hint)
    return LacksRights(
        f"{title}: the token lacks {names}, and nothing can be read without.",
        hint="\n".join(hints) or makes,
    )


def sized(estimate: FirstRead) -> str:
    """ "at least 431 items, 31 requests, about 15 s"."""
    least = "at least " if estimate.more else "about "
    items = "" if estimate.items is None else f"{words.plural(estimate.items, 'item')}, "
    asked = words.plural(estimate.requests, "request")
    return f"{least}{items}{asked}, {words.span(estimate.seconds)}"


def doubts(found: Sequence[StatusWord], known: Sequence[Word]) -> list[Doubt]:
    """The words that look canceled and are not among the `known`, each once whatever the number
    of teams that have one of that name."""
    from opsync.engine.onboarding import suspects

    names = {word.key for word in known}
    places: dict[Word, list[str]] = {}
    called: dict[Word, str] = {}
    for one in suspects(found):
        if {one.id, one.name} & names:
            continue
        word = Word(_key(one, found), one.table)
        called.setdefault(word, one.name)
        places.setdefault(word, []).extend(one.where)
    return [Doubt(called[word], word, _note(word, where)) for word, where in places.items()]


def _note(word: Word, where: Sequence[str]) -> str:
    named = list(dict.fromkeys(where))
    more = " …" if len(named) > PLACES else ""
    return ", ".join((_TABLES[word.table], *named[:PLACES])) + more


def _key(word: StatusWord, every: Sequence[StatusWord]) -> str:
    """The word's name, or its id where another one of another meaning is called the same."""
    twins = [one for one in every if one.table == word.table and one.name == word.name]
    return word.name if len({one.category for one in twins}) <= 1 else word.id
