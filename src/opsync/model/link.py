"""Links: two records that belong together because a person named one in the other."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from opsync.model.record import Mention, Part, Ref

FOOTER = "footer"
"""The field of what a mirror's footer names: the record that has the footer is the copy of it."""


class Evidence(Struct, frozen=True, omit_defaults=True):
    """Where `source` names `target`: in which field, with which words. `part` is that of the
    mention."""

    source: Ref
    target: Ref
    field: str
    text: str = ""
    property: bool = False
    part: Part = ""


class Link(Struct, frozen=True):
    """An undirected pair of records with all its evidence; `one` sorts before `two`."""

    one: Ref
    two: Ref
    evidence: tuple[Evidence, ...]

    def other(self, end: Ref) -> Ref:
        """The other end."""
        return self.two if end == self.one else self.one


def target_of(mention: Mention, candidates: Sequence[Ref]) -> Ref | None:
    """The one record that a mention means, of those that have the alias; None when unsure.

    A bare key that two records have means neither of them.
    """
    return candidates[0] if len(candidates) == 1 else None
