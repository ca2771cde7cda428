"""Census: a cheap listing of what there is, and the word of the tool on what is not in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar, Literal

from msgspec import Struct

from opsync.contract.connector import Feed, Item
from opsync.model import Record, Ref

Why = Literal["deleted", "trashed", "archived", "not visible"]
"""Why the tool does not show a thing any more. "not visible" is everything that it does not tell
from a deletion, for want of a right."""


class Absent(Struct, frozen=True):
    """What the tool says of a thing that it does not show."""

    ref: Ref
    why: Why


class Census(ABC):
    """Can list by id alone what a feed holds, and look single things up by id.

    The core decides what vanished from the listing; nothing counts as gone that was not looked up.
    Without this capability a feed is read in full instead.
    """

    lists_ids: bool = True
    """False for an instance that cannot do it although its connector can: it is read in full. It
    is asked to look up what was set aside all the same."""

    look_up_max: ClassVar[int] = 250
    """How many things one pass may look up by id, in one feed."""

    @abstractmethod
    def listing(self, feed: Feed) -> AsyncIterator[Sequence[Ref]]:
        """Everything that a full read of the feed would bring, by ref, in the fewest requests.

        Do not swallow errors: a listing that cannot finish raises, and nothing is concluded.
        """

    @abstractmethod
    async def look_up(
        self, feed: Feed, refs: Sequence[Ref], known: Mapping[Ref, Record], *, listed: bool
    ) -> Sequence[Item | Absent]:
        """What has become of these, by id and never by search; `known` is how they were stored.

        `listed`: all ids were listed before, and what counts as there by `known` was not among
        them. Else it is asked for because it could not be read.

        An Item for what is there, whatever its key, team or project is by now, and for what is out
        of scope or in the trash and says so itself; Absent for the rest. Of what is left out
        nothing is concluded. What came and does not tell its id is an Item as `pull` would name
        it, with its RecordError: it may be any of the rest, and nothing is concluded of these.
        """
