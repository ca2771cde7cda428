"""What a connector can tell about its own connection: for `doctor`, and before it is configured to
the end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from opsync.errors import OpsyncError, SignInError
from opsync.model import Category


class Check(Struct, frozen=True):
    """One finding of `opsync doctor`; `hint` is the scope or the click that mends it.

    `sign_in` marks one that fails because the vendor refuses the credential or wants more of it.
    `setting` is the setting that mends it, if one does, by its place in the instance's block:
    "data_sources.0.columns.delivery". `unproved` marks one of which only a write tells: where
    opsync wrote something there before, it says so instead.
    """

    title: str
    state: Literal["ok", "warn", "fail"]
    message: str = ""
    hint: str = ""
    sign_in: bool = False
    setting: str = ""
    unproved: bool = False

    @classmethod
    def failed(cls, title: str, error: OpsyncError) -> Check:
        """The finding that something could not be done, and what mends it."""
        return cls(title, "fail", error.message, error.hint, isinstance(error, SignInError))


class Diagnosable(ABC):
    """Can examine its own connection."""

    @abstractmethod
    def doctor(self) -> AsyncIterator[Check]:
        """Test credential, scopes and settings against the vendor, one check at a time."""


class Grant(Struct, frozen=True):
    """One right that a credential needs. `held` is None where only a write would tell.

    `name` is the vendor's word ("write:jira-work"), `what` what it is good for, in people's words;
    `hint` is the click path that gives it. Without one that is not `vital` something is left out,
    and everything else works.
    """

    name: str
    needed: Literal["read", "write"]
    held: bool | None
    what: str
    hint: str
    vital: bool = True


class Choice(Struct, frozen=True, omit_defaults=True):
    """Something that can be read or left out: a project, a team, a data source.

    `id` is what the settings take, `name` what people call it.
    """

    id: str
    name: str
    note: str = ""
    private: bool = False


class Guess(Struct, frozen=True):
    """What a column is taken for, with what stands there in some real rows.

    `table` is the choice's id; `role` is "title", "status", "due", "owner" or "links", or tells of
    use: "event", "flag" and "insight" for what it is measured by, "released" for the day of a
    release. `column` is "" where none was found. `examples` are one text a row, the same rows for
    every role. `others` are the columns besides that can hold the same, by name, with theirs.
    """

    table: str
    role: str
    column: str
    examples: tuple[str, ...] = ()
    others: Mapping[str, tuple[str, ...]] = {}


class FirstRead(Struct, frozen=True):
    """What a first read will take, about: items (None: the tool does not tell), requests, seconds.

    `more` says that there are at least so many.
    """

    items: int | None
    requests: int
    seconds: float
    more: bool = False


class StatusWord(Struct, frozen=True, kw_only=True):
    """A status or resolution that the tool has.

    `category` is the tool's own, `counts_as` the one after this instance's settings; `table` is
    the setting that maps it. `where` names the projects, teams or data sources that use it, as
    far as the tool tells.
    """

    id: str
    name: str
    category: Category
    counts_as: Category
    table: Literal["statuses", "resolutions"] = "statuses"
    where: tuple[str, ...] = ()


class Explorable(ABC):
    """Can be looked at before it is configured to the end: what `opsync init` and `opsync
    statuses` ask. Reads only.

    The scope in the settings is not heeded by `choices`, and is by everything else.
    """

    @abstractmethod
    def grants(self) -> AsyncIterator[Grant]:
        """Which rights the credential has, one after the other. SignInError: it is refused."""

    @abstractmethod
    async def choices(self) -> Sequence[Choice]:
        """What there is to choose from, by name."""

    async def guesses(self) -> Sequence[Guess]:
        """Which columns mean what, where people make their own."""
        return ()

    @abstractmethod
    async def first_read(self) -> FirstRead:
        """What reading everything in scope will take."""

    @abstractmethod
    async def status_words(self) -> Sequence[StatusWord]:
        """All statuses and resolutions that there are."""
