"""What happened in a week, from the store alone: for the digest, and for screens that tell of it.

A team is what delivery summaries name beside their numbers: a `[[team]]` of the configuration, else
a team or project of a tool. An initiative is a team's where work of that team counts in it, so that
one of two teams stands in both digests, and one without any counted work in none but the whole one.
Teams of which all work is private have no digest, since no summary names them. A private initiative
of which its connection exposes nothing is counted and not named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal, TypeVar

from msgspec import Struct

from opsync.config import Config
from opsync.disagreements import DisagreementKind
from opsync.engine.adopted import Shipped
from opsync.engine.disagreeing import Disagreeing, Summed
from opsync.engine.lookup import Lookup
from opsync.engine.overview import NEWS_DAYS, Initiative, Overview, overview, proposing
from opsync.engine.veil import Veil
from opsync.errors import ConfigError
from opsync.model import Health, Ref
from opsync.store import HistoryRow, Store
from opsync.wording import adoption

DAYS = 7
MOST_WEEKS = 52

T = TypeVar("T", bound="About")

_PERSON = ("to_approve", "edited", "removed", "failed", "set_aside", "suggested")
"""What waits for a person; the rest is written by the next run, or was decided."""
_OF_ITEMS = ("to_approve", "edited", "removed", "failed")
"""The same of what is about single initiatives, and so may be a team's."""


class About(Struct, frozen=True, kw_only=True):
    """An initiative as it may be shown. `owner` is "" where nobody owns it, or it is private."""

    ref: str
    title: str
    url: str
    owner: str


class Moved(About, frozen=True, kw_only=True):
    """One of which the numbers or the health changed: `done` of `total` now, and before."""

    done_before: int
    total_before: int
    done: int
    total: int
    health_before: Health
    health: Health


class Slipped(About, frozen=True, kw_only=True):
    """One of which the due date was "moved" to later, or that turned "overdue" in the week."""

    how: Literal["moved", "overdue"]
    due_before: date | None
    due_on: date


class ScopeAdded(About, frozen=True, kw_only=True):
    """One that counts more items than before: `added` of `total`."""

    added: int
    total: int


class AtRisk(About, frozen=True, kw_only=True):
    """One that is at risk or off track, why, and whether it became so in the week."""

    health: Health
    reason: str
    due_on: date | None
    since_this_week: bool


class Delivered(About, frozen=True, kw_only=True):
    """One that was shipped: in the week (`in_week`), or not long before and its use is measured.
    `use` is how it is used, in words; "" where nothing is measured, or nothing may be told."""

    released: Shipped
    in_week: bool
    use: str


class Contradicted(About, frozen=True, kw_only=True):
    """One of which people's word and the numbers part."""

    says: str
    measured: str


class Week(Struct, frozen=True, kw_only=True):
    """What happened between two instants, of one `team` or ("") of all.

    `known_since` is there where opsync has looked for a shorter time: what changed is then counted
    from there. `done` of `total` are all work that counts, an item in several initiatives once in
    each. `written` counts the writes of opsync. `waiting` is what waits for a person, by
    why, and `alarms` counts what is red in `opsync status` (0 for a team).
    """

    team: str
    since: datetime
    until: datetime
    known_since: datetime | None
    initiatives: int
    done: int
    total: int
    written: int
    moved: tuple[Moved, ...]
    scope: tuple[ScopeAdded, ...]
    slipped: tuple[Slipped, ...]
    shipped: tuple[Delivered, ...]
    at_risk: tuple[AtRisk, ...]
    contradicts: tuple[Contradicted, ...]
    waiting: Mapping[str, int]
    alarms: int

    @property
    def still(self) -> bool:
        """Whether nothing moved, slipped, grew or was shipped in the week."""
        news = any(one.in_week for one in self.shipped)
        return not (self.moved or self.scope or self.slipped or news)


def teams_of(summed: Iterable[Summed], config: Config) -> tuple[str, ...]:
    """The names of all teams that have a digest."""
    private = {rule.name for rule in config.teams if rule.private}
    names = {space.name for rollup, _ in summed for space in rollup.spaces} - private
    return tuple(sorted(names, key=str.casefold))


async def week(
    config: Config,
    store: Store,
    until: datetime,
    *,
    team: str = "",
    weeks: int = 1,
    found: Overview | None = None,
    disagreeing: Disagreeing | None = None,
) -> Week:
    """The `weeks` that end at `until`, which is now or shortly before: what stands is as the last
    run left it. `found` is the overview, where it was made already, and `disagreeing` what it was
    made with. Asks no tool.

    Raises ConfigError for a team that is in no delivery summary.
    """
    since = until - timedelta(days=DAYS * weeks)
    today = until.astimezone(config.zone).date()
    disagreeing = disagreeing or Disagreeing(Lookup(config, store), today)
    look = disagreeing.look
    summed = await disagreeing.summed()
    name = _named(team, teams_of(summed, config)) if team else ""
    if name:
        summed = [one for one in summed if name in {space.name for space in one[0].spaces}]
    found = found or await overview(config, store, until, disagreeing=disagreeing)
    before = await store.stood(since)
    telling = _Telling(summed, found, before, look, since, until)
    roots = {root.ref for _, root in summed}
    written = await store.written_about(since, until)
    first = min((row.at for row in before.values()), default=until)
    return Week(
        team=name,
        since=since,
        until=until,
        known_since=first if first > since else None,
        initiatives=len(telling.each),
        done=sum(one.done for one, _, _ in telling.each),
        total=sum(one.total for one, _, _ in telling.each),
        written=sum(n for ref, n in written.items() if not name or ref in roots),
        moved=telling.moved(),
        scope=telling.scope(),
        slipped=telling.slipped(),
        shipped=telling.shipped(look),
        at_risk=await telling.at_risk(Veil(look)),
        contradicts=_contradicts(disagreeing, summed, telling),
        waiting=await _waiting(config, store, found, roots if name else None),
        alarms=0 if name else sum(one.state == "fail" for one in found.alarms),
    )


def _named(team: str, known: Sequence[str]) -> str:
    fits = [name for name in known if name.casefold() == team.casefold()]
    if fits:
        return fits[0]
    there = f"There are: {', '.join(known)}." if known else "No team has counted work yet."
    raise ConfigError(f'no team "{team}" has work that counts in an initiative', hint=there)


class _Telling:
    """Each initiative of a week once, with its numbers of before; and those that may be named."""

    def __init__(
        self,
        summed: Sequence[Summed],
        found: Overview,
        before: Mapping[tuple[str, Ref], HistoryRow],
        look: Lookup,
        since: datetime,
        until: datetime,
    ) -> None:
        catalog = look.catalog
        by_key = {(rollup.rule, str(root.ref)): (rollup, root) for rollup, root in summed}
        self._first, self._last = (at.astimezone(look.zone).date() for at in (since, until))
        self.each: list[tuple[Initiative, HistoryRow | None, Summed]] = []
        self.named: list[tuple[Initiative, HistoryRow | None, Summed]] = []
        seen: set[str] = set()
        for one in found.initiatives:
            key = one.rule, one.ref
            # Where several rules see an initiative, the first says how it stands.
            if key in by_key and one.ref not in seen:
                seen.add(one.ref)
                rollup, root = by_key[key]
                told = (one, before.get((rollup.rule, root.ref)), (rollup, root))
                self.each.append(told)
                # A private one of which nothing is exposed is counted, and not spoken of.
                if one.url or not catalog.withholds(root):
                    self.named.append(told)

    def moved(self) -> tuple[Moved, ...]:
        """Those whose numbers changed most come first."""
        found = [
            _about(
                Moved,
                one,
                done_before=was.done,
                total_before=was.total,
                done=one.done,
                total=one.total,
                health_before=was.health,
                health=one.health,
            )
            for one, was, _ in self.named
            if was is not None
            and (one.done, one.total, one.health) != (was.done, was.total, was.health)
        ]
        return tuple(sorted(found, key=lambda one: -abs(one.done - one.done_before)))

    def scope(self) -> tuple[ScopeAdded, ...]:
        """What grew most comes first."""
        found = [
            _about(ScopeAdded, one, added=one.total - was.total, total=one.total)
            for one, was, _ in self.named
            if was is not None and 0 < was.total < one.total
        ]
        return tuple(sorted(found, key=lambda one: -one.added))

    def slipped(self) -> tuple[Slipped, ...]:
        """Dates that were moved come before those that passed."""
        moved, overdue = [], []
        for one, was, (_, root) in self.named:
            due, due_before = one.due_on, was.due_on if was else None
            if due is None:
                continue
            if due_before is not None and due > due_before:
                moved.append(_about(Slipped, one, how="moved", due_before=due_before, due_on=due))
            elif self._first <= due < self._last and _open(one) and not root.paused:
                overdue.append(
                    _about(Slipped, one, how="overdue", due_before=due_before, due_on=due)
                )
        return (*moved, *overdue)

    def shipped(self, look: Lookup) -> tuple[Delivered, ...]:
        """What was shipped in the week, and then what was shortly before and is measured."""
        found = []
        news = self._last - timedelta(days=NEWS_DAYS)
        for one, _, (rollup, root) in self.named:
            on = one.released.on if one.released else None
            if one.released is None or on is None or on > self._last:
                continue
            use = ""
            if not look.catalog.withholds(root):
                tools = {each.metric.instance: each.metric.tool for each in one.adoption}
                use = adoption(rollup, tools, today=self._last)
            if (in_week := on >= self._first) or (on >= news and use):
                found.append(
                    _about(Delivered, one, released=one.released, in_week=in_week, use=use)
                )
        return tuple(sorted(found, key=lambda one: not one.in_week))

    async def at_risk(self, veil: Veil) -> tuple[AtRisk, ...]:
        """In the order of the overview: what is off track comes first."""
        return tuple(
            [
                _about(
                    AtRisk,
                    one,
                    health=one.health,
                    reason=await veil.text(one.reason),
                    due_on=one.due_on,
                    since_this_week=was is not None and was.health is not one.health,
                )
                for one, was, _ in self.named
                if one.health in (Health.off_track, Health.at_risk)
            ]
        )


def _open(one: Initiative) -> bool:
    return one.health not in (Health.done, Health.paused) and one.released is None


def _about(type_: type[T], one: Initiative, **said: object) -> T:
    return type_(ref=one.ref, title=one.title, url=one.url, owner=one.owner, **said)


def _contradicts(
    disagreeing: Disagreeing, summed: Sequence[Summed], telling: _Telling
) -> tuple[Contradicted, ...]:
    """What people say of their initiatives against the work; the heaviest comes first."""
    known = {one.ref: one for one, _, _ in telling.named}
    return tuple(
        _about(Contradicted, known[str(root.ref)], says=found.says, measured=found.measured)
        for found, (_, root) in disagreeing.of_rollups(summed)
        if found.kind is DisagreementKind.status and str(root.ref) in known
    )


async def _waiting(
    config: Config, store: Store, found: Overview, roots: set[Ref] | None
) -> Mapping[str, int]:
    if roots is None:
        return {why: found.waiting[why] for why in _PERSON if found.waiting.get(why)}
    waiting = await store.waiting(await proposing(config, store), about=roots)
    counts = {why: waiting.get(why, 0) for why in _OF_ITEMS}
    counts["suggested"] = sum(one.one in roots for one in await store.suggestions())
    return {why: count for why, count in counts.items() if count}
