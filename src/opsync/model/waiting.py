"""Values that wait for something else than the next run."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class WaitsFor(StrEnum):
    """For what a value waits that is not written."""

    approval = "approval"
    mode = "mode"
    """Its rule only observes."""
    target = "target"
    """Its item is put away, hidden or in no configured connection: nothing can be written there."""


class Waiting(Struct, frozen=True):
    """That a value was found to wait `under` a word of people: what they had said by then. Once
    they say something else, it has to be planned again."""

    what: WaitsFor
    under: str


def word(modes: str, approval: str, *, rule: bool) -> str:
    """What people have said about one value: by the rules' modes (their digest), by an approval of
    the value in its slot (its digest, "" for none), and by one of its whole `rule`."""
    return f"{modes} {approval} {int(rule)}"
