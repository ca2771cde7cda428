"""Trying a connection out before there is a configuration: what `opsync init` asks the tools.

Values in, values out: a connection's block as the configuration would have it, and what the tool
answers. Only reads are made, and nothing is stored.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from opsync.config import build_instance
from opsync.contract.connector import Connector, Measurable
from opsync.contract.examining import (
    Check,
    Choice,
    Diagnosable,
    Explorable,
    FirstRead,
    Grant,
    Guess,
    StatusWord,
)
from opsync.engine.session import build_connector
from opsync.errors import OpsyncError, RefusedError, SignInError
from opsync.http import Pool
from opsync.languages import OwnWords
from opsync.lexicon import sounds_like
from opsync.model import Category
from opsync.runtime import Runtime

if TYPE_CHECKING:
    from opsync.redact import Redactor

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trial:
    """A connection to be tried: its name and its block.

    The token is in the environment or in a secrets folder, as for every command.
    """

    name: str
    block: Mapping[str, Any]
    redactor: Redactor | None = None


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a tool answers before anything was chosen.

    `explorable` is False for a connector that can only be tested, not asked what there is.
    `unlisted` says why what there is could not be listed, although the credential works.
    """

    grants: tuple[Grant, ...] = ()
    choices: tuple[Choice, ...] = ()
    checks: tuple[Check, ...] = ()
    explorable: bool = True
    unlisted: SignInError | RefusedError | None = None

    @property
    def lacking(self) -> tuple[Grant, ...]:
        """The rights without which nothing can be read."""
        return tuple(
            one for one in self.grants if one.needed == "read" and one.vital and one.held is False
        )


@dataclass(frozen=True, slots=True)
class Findings:
    """What is found out about a connection whose scope was chosen; `explorable` as in Meeting.

    `zone` is the time zone in which its days begin, "" where it does not tell.
    """

    checks: tuple[Check, ...] = ()
    guesses: tuple[Guess, ...] = ()
    words: tuple[StatusWord, ...] = ()
    first_read: FirstRead | None = None
    zone: str = ""
    explorable: bool = True


async def meet(trial: Trial) -> Meeting:
    """Sign in, and ask for the rights held and for what there is to choose from.

    Raises SignInError when the credential is refused, and whatever else keeps the tool from
    answering. What there is stays unasked while a right to read is missing, and may be refused
    where some right is missing that is not vital.
    """
    async with _connected(trial) as connector:
        if not isinstance(connector, Explorable):
            checks = await _examined(connector)
            for check in checks:
                if check.state == "fail" and check.sign_in:
                    raise SignInError(check.message, hint=check.hint)
            return Meeting(checks=checks, explorable=False)
        met = Meeting(grants=tuple([one async for one in connector.grants()]))
        if met.lacking:
            return met
        try:
            return Meeting(grants=met.grants, choices=tuple(await connector.choices()))
        except (SignInError, RefusedError) as error:
            return Meeting(grants=met.grants, unlisted=error)


async def examine(trial: Trial) -> Findings:
    """Look at what was chosen: columns, statuses, the size of a first read, the time zone of what
    is measured, and doctor's checks.

    A part that fails is told as a check, and the others go on; a SignInError is raised.
    """
    async with _connected(trial) as connector:
        checks = list(await _examined(connector))
        zone = ""
        if isinstance(connector, Measurable):
            zone = await _part("Time zone", connector.zone, "", checks)
        if not isinstance(connector, Explorable):
            return Findings(checks=tuple(checks), zone=zone, explorable=False)
        return Findings(
            guesses=tuple(await _part("Columns", connector.guesses, (), checks)),
            words=tuple(await _part("Statuses", connector.status_words, (), checks)),
            first_read=await _part("First read", connector.first_read, None, checks),
            zone=zone,
            checks=tuple(checks),
        )


async def _part(title: str, ask: Callable[[], Awaitable[T]], instead: T, checks: list[Check]) -> T:
    try:
        return await ask()
    except SignInError:
        raise
    except OpsyncError as error:
        checks.append(Check(title, "warn", f"Could not be asked: {error.message}", error.hint))
        return instead


async def _examined(connector: Connector[Any]) -> tuple[Check, ...]:
    if not isinstance(connector, Diagnosable):
        return ()
    try:
        return tuple([check async for check in connector.doctor()])
    except OpsyncError as error:
        title = "Sign-in" if isinstance(error, SignInError) else "Connection"
        return (Check.failed(title, error),)


@asynccontextmanager
async def _connected(trial: Trial) -> AsyncIterator[Connector[Any]]:
    instance, plugins = build_instance(trial.name, dict(trial.block))
    runtime = Runtime()
    pool = Pool(runtime, redactor=trial.redactor)
    try:
        connector, _ = build_connector(plugins, instance, pool, runtime, {}, OwnWords())
        yield connector
    finally:
        await pool.aclose()


def suspects(words: Iterable[StatusWord]) -> list[StatusWord]:
    """The words that count as done and sound as if the work had been given up."""
    return [
        word
        for word in words
        if word.counts_as is Category.done and sounds_like(word.name) is Category.canceled
    ]


def together(estimates: Sequence[FirstRead]) -> FirstRead:
    """Several first reads as one: items and requests add up, and all tools are read at once."""
    known = [one.items for one in estimates if one.items is not None]
    return FirstRead(
        items=sum(known) if known else None,
        requests=sum(one.requests for one in estimates),
        seconds=max((one.seconds for one in estimates), default=0.0),
        more=len(known) < len(estimates) or any(one.more for one in estimates),
    )
