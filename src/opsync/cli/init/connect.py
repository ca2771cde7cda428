"""Going through one tool: token, rights, choice, columns, statuses, size. What all tools share."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from opsync.cli import words
from opsync.cli.common import run_async
from opsync.cli.init.answers import Part, Word
from opsync.cli.init.desk import Desk
from opsync.cli.init.options import Options
from opsync.cli.init.picks import NotPicked, pick
from opsync.cli.init.text import block_of
from opsync.cli.init.tokens import Tokens
from opsync.config import env_name
from opsync.errors import ConfigError, OpsyncError, SignInError

if TYPE_CHECKING:
    from opsync.contract.connector import Check, Choice, FirstRead, Grant, StatusWord
    from opsync.engine.onboarding import Findings, Meeting, Trial

TRIES = 3
"""So often a token is asked for."""
NAMED = 10
"""So many names are listed in a line."""

T = TypeVar("T")


class ToolSkipped(Exception):
    """The person left this tool out."""


@dataclass(frozen=True, slots=True)
class Tool:
    """How a tool is spoken of: `thing` is what its scope consists of, `scope` and `token` are the
    options for these, `makes` is where a token is made."""

    name: str
    title: str
    thing: str
    scope: str
    token: str
    makes: str


@dataclass
class Guide:
    """Leads through the tools, and remembers what they come to.

    `apis` are addresses of tools that are not where they usually are. `tested` is False with
    --no-check: then no tool is asked. `untested` are tools without a token to try, `stray`
    variables of tools that are left out. `failed` says that something was found that keeps a
    connection from working as configured.
    """

    desk: Desk
    tokens: Tokens
    options: Options
    apis: Mapping[str, str] = field(default_factory=dict)
    tested: bool = True
    estimates: dict[str, FirstRead] = field(default_factory=dict)
    untested: dict[str, Tool] = field(default_factory=dict)
    stray: dict[str, str] = field(default_factory=dict)
    failed: bool = False

    def leave_out(self, tool: Tool) -> None:
        """Do without this tool: its token in the environment is a setting of nothing, then."""
        self.tokens.drop(tool.name)
        variable = env_name(tool.name, "token")
        if os.environ.pop(variable, None) is not None:
            self.stray[variable] = tool.title

    def meet(self, tool: Tool, part: Callable[[], Part]) -> Meeting | None:
        """Find a token that works, and what it lets one read; None: there is no token to try.

        `part` gives the tool's answers so far. Raises ToolSkipped, and unattended whatever the
        tool refuses.
        """
        if not self.tested or not self._has_token(tool):
            self.untested[tool.name] = tool
            if self.tested:
                self.desk.sign("warn", f"Not tested: {env_name(tool.name, 'token')} is not set.")
            return None
        for left in reversed(range(TRIES)):
            try:
                met = self._asked(tool, part)
            except SignInError as error:
                refused = error
            else:
                if met is None:
                    self.untested[tool.name] = tool
                    return None
                self._tell_rights(met.grants)
                if not met.lacking:
                    return met
                refused = _lacks(tool, met.lacking)
            self._ask_again(tool, refused, left)
        raise ToolSkipped

    def _has_token(self, tool: Tool) -> bool:
        if self.tokens.find(tool.name) is not None:
            return True
        if not self.desk.attended:
            return False
        self.desk.say(f"Make a token: {tool.makes}")
        typed = self.desk.hidden("Token (it does not show; empty: go on without a test)")
        if typed:
            self.tokens.take(tool.name, typed, "typed")
        return bool(typed)

    def _asked(self, tool: Tool, part: Callable[[], Part]) -> Meeting | None:
        """Ask the tool; when it cannot answer, let the person decide. None: go on untested."""
        from opsync.engine import onboarding

        while True:
            trial = self._trial(tool, part())
            try:
                return self._await(f"asking {tool.title} …", onboarding.meet(trial))
            except (SignInError, ConfigError):
                raise
            except OpsyncError as error:
                if not self.desk.attended:
                    raise
                self.desk.sign("fail", error.message, error.hint)
                answer = self.desk.one_of(f"{tool.title}?", ("again", "skip", "untested"))
                if answer == "skip":
                    raise ToolSkipped from None
                if answer == "untested":
                    return None

    def _ask_again(self, tool: Tool, refused: SignInError, left: int) -> None:
        if not self.desk.attended:
            raise refused
        self.desk.sign("fail", refused.message, refused.hint or tool.makes)
        held = self.tokens.find(tool.name)
        if held is not None and held.kept:
            where = "environment" if held.origin == "environment" else "secrets folder"
            self.desk.say(f"That was {env_name(tool.name, 'token')} of the {where}.")
        if not left:
            self.desk.say(f"{tool.title} is left out.")
            return
        typed = self.desk.hidden(f"Another token (empty: leave {tool.title} out)")
        if not typed:
            raise ToolSkipped
        self.tokens.take(tool.name, typed, "typed")

    def _tell_rights(self, grants: Sequence[Grant]) -> None:
        wide = max((len(grant.name) for grant in grants), default=0)
        for grant in grants:
            state, said = _right(grant)
            hint = "" if state == "ok" else grant.hint
            self.desk.sign(state, f"{grant.name:{wide}}  {said}", hint)

    def scope(
        self, tool: Tool, met: Meeting | None, named: Sequence[str]
    ) -> tuple[Choice, ...] | None:
        """What to read: what the options name, else what the person picks. None: all there is.

        Raises ConfigError for a name that the tool has not.
        """
        from opsync.contract.connector import Choice

        many = f"{tool.thing}s"
        choices = met.choices if met is not None else ()
        if not choices:
            if named or not self.desk.attended:
                return tuple(Choice(key, key) for key in named) or None
            typed = self.desk.ask(f"{many.capitalize()} to read, by key (empty: all)")
            return tuple(Choice(k, k) for k in typed.replace(",", " ").upper().split()) or None
        if named:
            found = chosen(tool, named, choices)
        elif self.desk.attended:
            found = self.desk.pick(f"Which {many} to read", choices)
        else:
            found = tuple(choices)
        names = [f"{one.id} (private)" if one.private else one.id for one in found[:NAMED]]
        told = ", ".join(names) + (" …" if len(found) > NAMED else "")
        self.desk.sign(
            "ok", f"Reads {len(found)} of {words.plural(len(choices), tool.thing)}: {told}"
        )
        return None if not named and len(found) == len(choices) else found

    def examine(self, tool: Tool, part: Part) -> Findings:
        """Look at what was chosen."""
        from opsync.engine import onboarding

        trial = self._trial(tool, part)
        found = self._await(f"looking at what {tool.title} has …", onboarding.examine(trial))
        for check in found.checks:
            if check.state == "fail" and check.sign_in and not self.desk.attended:
                raise SignInError(check.message, hint=check.hint)
        return found

    def tell_checks(self, found: Findings, *, told: frozenset[str] = frozenset()) -> None:
        """Doctor's findings; of those without a complaint only the sign-in.

        What `init` asks or tells by itself is left out: settings that it writes, rights, and the
        checks whose titles were `told`.
        """
        for check in found.checks:
            self.failed |= check.state == "fail"
            if check.state == "ok" and check.title == "Sign-in":
                self.desk.sign("ok", check.message)
            elif check.state != "ok" and check.title not in told and not _asked(check, found):
                self.desk.sign(check.state, f"{check.title}: {check.message}", check.hint)

    def tell_size(self, tool: Tool, estimate: FirstRead | None) -> None:
        """How long a first read takes."""
        if estimate is not None:
            self.estimates[tool.name] = estimate
            self.desk.say(f"First read: {sized(estimate)}")

    def canceled(
        self, tool: Tool, found: Sequence[StatusWord], known: Sequence[Word]
    ) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
        """Which statuses and resolutions mean canceled, and which only sound so.

        Without a person to ask, all that sound so are of the second kind.
        """
        from opsync.contract.connector import Choice
        from opsync.engine.onboarding import suspects

        names = {word.key for word in known}
        open_ = [one for one in suspects(found) if not {one.id, one.name} & names]
        if not open_:
            return tuple(known), ()
        doubtful = [Word(_key(one, found), one.table) for one in open_]
        if not self.desk.attended:
            listed = ", ".join(one.name for one in open_)
            self.desk.sign(
                "warn",
                f"Counted as done, and looks canceled: {listed}.",
                "Written into the file behind a #: take it away for those that are canceled.",
            )
            return tuple(known), tuple(doubtful)
        self.desk.say("These count as done, and look canceled:")
        rows = [
            Choice(one.id, one.name, note=", ".join((one.table.removesuffix("s"), *one.where[:3])))
            for one in open_
        ]
        picked = self.desk.pick("Which of them are? none, all, or", rows, none=True)
        meant = tuple(doubtful[rows.index(row)] for row in picked)
        return (*known, *meant), ()

    def _trial(self, tool: Tool, part: Part) -> Trial:
        from opsync.engine.onboarding import Trial

        return Trial(tool.name, block_of(part), redactor=self.tokens.redactor)

    def _await(self, what: str, answer: Coroutine[Any, Any, T]) -> T:
        with self.desk.waiting(what):
            return run_async(answer)


def _asked(check: Check, found: Findings) -> bool:
    """Whether the check is about what a person is asked, or was told of rights already."""
    if not found.explorable:
        return False
    return (
        check.title == "Permissions"
        or ".columns." in check.setting
        or (check.setting in ("statuses", "resolutions") and bool(found.words))
    )


def chosen(tool: Tool, named: Sequence[str], choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """What options name of what there is. Raises ConfigError with what there is."""
    rows: set[int] = set()
    problems = []
    for name in named:
        try:
            rows.update(pick(name, choices))
        except NotPicked as error:
            near = [choices[number].name for number in error.near[:NAMED]]
            there = near or [
                one.name if one.name == one.id or len(one.id) > 16 else f"{one.id} ({one.name})"
                for one in choices[:NAMED]
            ]
            more = " …" if not near and len(choices) > NAMED else ""
            kind = "Perhaps" if near else "There are"
            problems.append(f'{tool.scope} "{name}": {error} {kind}: {", ".join(there)}{more}')
    if problems:
        raise ConfigError(problems[0], problems=tuple(problems))
    return tuple(choices[number] for number in sorted(rows))


def _right(grant: Grant) -> tuple[str, str]:
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


def sized(estimate: FirstRead) -> str:
    """ "at least 431 items, 31 requests, about 15 s"."""
    least = "at least " if estimate.more else "about "
    items = "" if estimate.items is None else f"{words.plural(estimate.items, 'item')}, "
    asked = words.plural(estimate.requests, "request")
    return f"{least}{items}{asked}, {words.span(estimate.seconds)}"


def _lacks(tool: Tool, missing: Sequence[Grant]) -> SignInError:
    names = ", ".join(grant.name for grant in missing)
    hints = dict.fromkeys(grant.hint for grant in missing if grant.hint)
    return SignInError(
        f"{tool.title}: the token lacks {names}, and nothing can be read without.",
        hint="\n".join(hints) or tool.makes,
    )


def _key(word: StatusWord, every: Sequence[StatusWord]) -> str:
    """The word's name, or its id where another one of another meaning is called the same."""
    twins = [one for one in every if one.table == word.table and one.name == word.name]
    return word.name if len({one.category for one in twins}) <= 1 else word.id
