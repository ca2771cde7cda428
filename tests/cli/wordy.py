"""The toy connector of a tool that lists its statuses: the `words` of its file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from opsync import (
    Category,
    Choice,
    Connector,
    Explorable,
    FirstRead,
    Grant,
    SignInError,
    StatusWord,
    TemporaryError,
    hookimpl,
)
from tests.cli.toy import Toy


class Wordy(Toy, Explorable):
    """Counts as its settings say, else as its file does."""

    name = "wordy"
    title = "Wordy"

    async def grants(self) -> AsyncIterator[Grant]:
        yield Grant("read", "read", True, "reading the list", "Wordy → Keys")

    async def choices(self) -> Sequence[Choice]:
        return ()

    async def first_read(self) -> FirstRead:
        return FirstRead(len(self.state()["items"]), 1, 0.1)

    async def status_words(self) -> Sequence[StatusWord]:
        state = self.state()
        match state.get("fail"):
            case "sign-in":
                raise SignInError("Wordy refused the token.", hint="Make a new one: Wordy → Keys.")
            case "down":
                raise TemporaryError("Wordy answered 503.", hint="It is down.")
        return [self._word(**one) for one in state["words"]]

    def _word(self, id: str, name: str, category: str, **more: Any) -> StatusWord:  # noqa: A002
        own = Category(category)
        chosen = self.settings.statuses
        counts_as = chosen.get(id) or chosen.get(name) or own
        return StatusWord(id=id, name=name, category=own, counts_as=counts_as, **more)


@hookimpl
def register_connectors() -> list[type[Connector[Any]]]:
    return [Wordy]
