"""Going through one tool: token, rights, choice, columns, statuses, size. What all tools share."""

from __future__ import annotations

import os
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from opsync.cli import words
from opsync.cli.common import run_async
from opsync.cli.init.answers import Part, Word
from opsync.cli.init.desk import Desk
from opsync.cli.init.found import LacksRights, doubts, lacks, right, sized
from opsync.cli.init.options import Options
from opsync.cli.init.picks import NotPicked, pick
from opsync.cli.init.table import Key, Tool
from opsync.cli.init.text import block_of
from opsync.cli.init.tokens import Tokens
from opsync.config import env_name
from opsync.errors import ConfigError, OpsyncError, SignInError

if TYPE_CHECKING:
    from opsync.contract.examining import Check, Choice, FirstRead, Grant, Guess, StatusWord
    from opsync.engine.onboarding import Findings, Meeting, Trial

NAMED = 10
"""So many names are listed in a line."""

T = TypeVar("T")


class ToolSkipped(Exception):
    """The person left this tool out."""


class Elsewhere(Exception):
    """The person wants the tool asked at another address."""


@dataclass
class Guide:
    """Leads through the tools, and remembers what they come to.

    `apis` are addresses of tools that are not where they usually are. `tested` is False with
    --no-check: then no tool is asked. `untested` are tools without a token to try, `stray`
    variables of tools that are left out, of those that were `around` from the beginning.
    `guesses` are what the columns with the initiatives are taken for. `failed` says that something
    was found that keeps a connection from working as configured.
    """

    desk: Desk
    tokens: Tokens
    options: Options
    apis: Mapping[str, str] = field(default_factory=dict)
    tested: bool = True
    estimates: dict[str, FirstRead] = field(default_factory=dict)
    untested: dict[str, Tool] = field(default_factory=dict)
    stray: dict[str, str] = field(default_factory=dict)
    around: frozenset[str] = field(default_factory=lambda: frozenset(os.environ))
    guesses: tuple[Guess, ...] = ()
    failed: bool = False

    def leave_out(self, tool: Tool) -> None:
        """Do without this tool: what the environment sets of it is a setting of nothing, then."""
        self.tokens.drop(tool.name)
        prefix = env_name(tool.name)
        for variable in [name for name in os.environ if name.upper().startswith(prefix)]:
            del os.environ[variable]
            if variable in self.around:
                self.stray[variable] = tool.title

    def meet(self, tool: Tool, part: Part, *, unlisted: bool = False) -> Meeting | None:
        """Find a token that works, and what it lets one read; None: there is no token to try.

        `part` is what is known of the tool so far; `unlisted`: without a list of what there is one
        can go on. Raises ToolSkipped, Elsewhere where another
        address is to be tried, and unattended whatever the tool refuses.
        """
        if not self.tested or not self._has_keys(tool):
            self.untested[tool.name] = tool
            if self.tested:
                missing = " and ".join(self.variable(tool, key) for key in self._lacking(tool))
                verb = "is" if len(self._lacking(tool)) == 1 else "are"
                self.desk.sign("warn", f"Not tested: {missing} {verb} not set.")
            return None
        while True:
            try:
                met = self._asked(tool, part)
            except OpsyncError as error:
                refused = error
            else:
                self._tell_rights(met.grants)
                if met.lacking:
                    refused = lacks(tool.title, met.lacking, tool.makes)
                elif met.unlisted is None or unlisted:
                    return met
                else:
                    refused = met.unlisted
            if not self.desk.attended:
                raise refused
            if self._goes_untested(tool, refused):
                self.untested[tool.name] = tool
                return None

    def variable(self, tool: Tool, key: Key) -> str:
        """The environment variable of a tool's key."""
        return env_name(tool.name, key.setting)

    def _lacking(self, tool: Tool) -> list[Key]:
        return [key for key in tool.needed if self.tokens.find(tool.name, key.setting) is None]

    def _has_keys(self, tool: Tool) -> bool:
        """Whether all keys are at hand without which the tool cannot be asked; asks for them."""
        for key in tool.keys:
            self.tokens.find(tool.name, key.setting)
        lacking = self._lacking(tool)
        if not lacking or not self.desk.attended:
            return not lacking
        many = len(tool.needed) > 1
        self.desk.say(f"Make {'the keys' if many else 'a token'}: {tool.makes}")
        for key in lacking:
            without = "it does not show; empty: go on without a test"
            if not self._takes(tool, key, f"{capitalized(key.title)} ({without})"):
                return False
        for key in tool.keys:
            if not key.needed and self.tokens.find(tool.name, key.setting) is None:
                self._takes(tool, key, f"{capitalized(key.title)}, for {key.what} (empty: none)")
        return True

    def _asked(self, tool: Tool, part: Part) -> Meeting:
        from opsync.engine import onboarding

        return self._await(f"asking {tool.title} …", onboarding.meet(self._trial(tool, part)))

    def _goes_untested(self, tool: Tool, refused: OpsyncError) -> bool:
        """Let the person decide what to do about a refusal; False: ask the tool again.

        What lacks a right, or is down, may be right the next time; a token that is refused is not.
        """
        self.desk.sign("fail", refused.message, refused.hint)
        dead = isinstance(refused, SignInError) and not isinstance(refused, LacksRights)
        if dead or isinstance(refused, ConfigError):
            for key in tool.needed:
                held = self.tokens.find(tool.name, key.setting)
                if held is not None and held.kept:
                    where = "environment" if held.origin == "environment" else "secrets folder"
                    self.desk.say(f"That was {self.variable(tool, key)} of the {where}.")
            if self._takes_another(tool, "more to choose from"):
                return False
        answers = ["again", "token"]
        answers += ["address"] if tool.movable else []
        answers += ["skip"]
        answers += [] if isinstance(refused, SignInError | ConfigError) else ["untested"]
        while True:
            match self.desk.one_of(f"{tool.title}?", answers):
                case "skip":
                    raise ToolSkipped
                case "address":
                    raise Elsewhere
                case "untested":
                    return True
                case "again":
                    return False
            if self._takes_another(tool, "none"):
                return False

    def _takes_another(self, tool: Tool, empty: str) -> bool:
        """Ask for other keys; whether there is one. `empty` is what no answer comes to."""
        told = empty if len(tool.needed) == 1 else "the same"
        typed = [
            self._takes(tool, key, f"Another {key.title} (empty: {told})") for key in tool.needed
        ]
        return any(typed)

    def _takes(self, tool: Tool, key: Key, question: str) -> bool:
        typed = self.desk.hidden(question)
        if typed:
            self.tokens.take(tool.name, typed, "typed", key.setting)
        return bool(typed)

    def _tell_rights(self, grants: Sequence[Grant]) -> None:
        wide = max((len(grant.name) for grant in grants), default=0)
        for grant in grants:
            state, said = right(grant)
            hint = "" if state == "ok" else grant.hint
            self.desk.sign(state, f"{grant.name:{wide}}  {said}", hint)

    def scope(
        self, tool: Tool, met: Meeting | None, named: Sequence[str]
    ) -> tuple[Choice, ...] | None:
        """What to read: what the options name, else what the person picks. None: all there is.

        Raises ConfigError for a name that the tool has not.
        """
        from opsync.contract.examining import Choice

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
        self, found: Sequence[StatusWord], known: Sequence[Word]
    ) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
        """Which statuses and resolutions mean canceled, and which only sound so.

        Without a person to ask, all that sound so are of the second kind.
        """
        from opsync.contract.examining import Choice

        open_ = doubts(found, known)
        if not open_:
            return tuple(known), ()
        if not self.desk.attended:
            listed = ", ".join(one.name for one in open_)
            self.desk.sign(
                "warn",
                f"Counted as done, and looks canceled: {listed}.",
                "Written into the file behind a #: take it away for those that are canceled.",
            )
            return tuple(known), tuple(one.word for one in open_)
        self.desk.say("These count as done, and look canceled:")
        rows = [Choice(one.word.key, one.name, one.note) for one in open_]
        picked = self.desk.pick("Which of them are? none, all, or", rows, none=True)
        return (*known, *(open_[rows.index(row)].word for row in picked)), ()

    def _trial(self, tool: Tool, part: Part) -> Trial:
        from opsync.engine.onboarding import Trial

        return Trial(tool.name, block_of(part), redactor=self.tokens.redactor)

    def _await(self, what: str, answer: Coroutine[Any, Any, T]) -> T:
        with self.desk.waiting(what):
            return run_async(answer)


def capitalized(text: str) -> str:
    """The text with its first letter large, and all others as they are."""
    return text[:1].upper() + text[1:]


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
