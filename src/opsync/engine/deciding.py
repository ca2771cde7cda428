"""Deciding about pairs: which two items a person means, and what they are to each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from opsync.config import Config
from opsync.engine.catalog import Item
from opsync.engine.explain import Explainer
from opsync.engine.lookup import NEVER, Lookup, called
from opsync.errors import ConfigError
from opsync.inert import inert_text
from opsync.model import PairDecision, PairKind, Record, Ref, Suggestion, Verdict
from opsync.model.pair import ACCEPTED, in_order
from opsync.model.twin import KINDS
from opsync.steps.shared import roots_of
from opsync.store import Store

NAME_LIMIT = 80
NOTE_LIMIT = 500
CANDIDATES = 5
"""So many of the items that a name may mean are told."""


class Deciding:
    """Makes decisions over one store, by one person at one time. Keeps none itself."""

    def __init__(self, config: Config, store: Store, *, by: str, at: datetime) -> None:
        self.look = Lookup(config, store)
        self._config = config
        self._store = store
        self._explainer = Explainer(config, store)
        self._by, self._at = by, at
        self._roots: frozenset[Ref] | None = None
        self._meant: dict[str, list[Record]] = {}

    async def roots(self) -> frozenset[Ref]:
        """The initiatives of all rules."""
        if self._roots is None:
            found = [await roots_of(self._store, rule) for rule in self._config.rules]
            self._roots = frozenset(record.ref for records in found for record in records)
        return self._roots

    async def meant(self, text: str) -> Record:
        """The one record that a person means. Raises ConfigError when that is not plain."""
        if text not in self._meant:
            self._meant[text] = await self._explainer.find(text)
        found = self._meant[text]
        if len(found) == 1:
            return found[0]
        items = [self._explainer.item(record) for record in found]
        raise unclear(text, items, await self._explainer.more(text, found))

    async def known(self, text: str) -> Record:
        """The record of this ref. Raises ConfigError when it was never read."""
        try:
            record = await self.look.record(Ref.parse(text))
        except ValueError:
            record = None
        if record is None:
            raise ConfigError(
                f'no item has the ref "{inert_text(text, NAME_LIMIT)}"',
                hint="Read the tools first (opsync sync), or name it otherwise.",
            )
        return record

    async def decision(
        self,
        one: Record,
        two: Record,
        verdict: Verdict,
        kind: PairKind | None = None,
        note: str = "",
    ) -> PairDecision:
        """What is decided, with the initiative first. Without `kind` an initiative and its work
        are a member. Raises ConfigError where the two cannot be that to each other."""
        first, second, what = await self._kind(one, two, kind, verdict)
        names = [
            inert_text(self.look.catalog.item(each).label, NAME_LIMIT) for each in (first, second)
        ]
        return in_order(
            PairDecision(
                one=first.ref,
                two=second.ref,
                kind=what,
                verdict=verdict,
                by=self._by,
                at=self._at,
                note=inert_text(note, NOTE_LIMIT),
                one_name=names[0],
                two_name=names[1],
            )
        )

    async def about(
        self, suggestion: Suggestion, verdict: Verdict, kind: PairKind | None, note: str
    ) -> PairDecision:
        """A decision about a suggestion, as what it was suggested unless told otherwise."""
        ends = [await self.look.record(ref) for ref in (suggestion.one, suggestion.two)]
        one, two = ends
        if one is None or two is None:
            raise ConfigError(
                f'the items of suggestion "{suggestion.id}" are not in the store any more',
                hint="Look for others: opsync links suggest",
            )
        return await self.decision(one, two, verdict, kind or suggestion.kind, note)

    async def written_by_people(self, one: Ref, two: Ref) -> list[str]:
        """Where people's own words name one in the other."""
        link = next((x for x in await self._store.links_of(one) if x.other(one) == two), None)
        if link is None:
            return []
        named = [e for e in link.evidence if e.field != ACCEPTED]
        said = [f'"{e.field}" of {(await self.look.item(e.source)).label}' for e in named]
        return list(dict.fromkeys(said))

    async def mirrored(self, one: Ref, two: Ref) -> bool:
        """Whether a mirror's mark says that both are one piece of work."""
        links = [x for x in await self._store.links_of(one) if x.other(one) == two]
        return any(e.part == "mirror" and e.field != ACCEPTED for x in links for e in x.evidence)

    async def _kind(
        self, one: Record, two: Record, asked: PairKind | None, verdict: Verdict
    ) -> tuple[Record, Record, PairKind]:
        label, other = (self.look.catalog.item(each).label for each in (one, two))
        if one.ref == two.ref:
            raise ConfigError(f"both names mean {label}", hint="Name two different items.")
        if asked is not None and asked != "member":
            if asked == "same":
                _check_same((one, label), (two, other))
            return one, two, asked
        roots = await self.roots()
        if two.ref in roots and one.ref not in roots:
            one, two, label, other = two, one, other, label
        problem = ""
        if one.ref not in roots:
            problem = f"neither {label} nor {other} is an initiative of a rule"
        elif two.ref in roots:
            problem = f"{label} and {other} are both initiatives, which never count in each other"
        elif two.kind in NEVER:
            problem = f"{other} is {called(self.look.catalog.item(two))}, which is never counted"
        if not problem:
            return one, two, "member"
        if verdict == "rejected":
            # Of two pieces of work it is denied that they are one: all else needs no denial.
            return one, two, "same"
        raise ConfigError(problem, hint=NOT_A_MEMBER)


NOT_A_MEMBER = (
    "Say what they are to each other: --same (one piece of work that is kept in two tools) or "
    "--related (linked on both sides, counted nowhere for it)."
)


def _check_same(*ends: tuple[Record, str]) -> None:
    for record, label in ends:
        if record.kind not in KINDS:
            raise ConfigError(
                f"{label} is no such work: only issues, epics and projects are one piece of "
                "work in two tools",
                hint="Say that they are linked: --related.",
            )


def unclear(text: str, items: Sequence[Item], more: int) -> ConfigError:
    """That a name fits no item, or several and so many `more`, and what to do."""
    named = inert_text(text, NAME_LIMIT)
    if not items:
        return ConfigError(
            f'nothing is called "{named}"', hint="Name it by URL, key or a piece of its title."
        )
    return ConfigError(
        f'"{named}" may be any of {len(items) + more} items: {_candidates(items, more)}',
        hint="Name one by its key or URL.",
        problems=(
            f'"{named}" may be any of these; name one by its key or URL:',
            *(f"{one.tool}  {inert_text(one.label, NAME_LIMIT)}  {one.url}" for one in items),
            *([f"… and {more} more"] if more else []),
        ),
    )


def _candidates(items: Sequence[Item], more: int) -> str:
    told = [f"{inert_text(one.label, NAME_LIMIT)} ({one.tool})" for one in items[:CANDIDATES]]
    left = len(items) - len(told) + more
    return ", ".join(told + ([f"{left} more"] if left else []))
