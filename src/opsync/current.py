"""The pass that is under way: what it works with, and what it has found so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from opsync.config import Config
from opsync.contract.connector import Connector, Measurable
from opsync.desire import Setting
from opsync.http import Client
from opsync.http.stillness import watched
from opsync.languages import ENGLISH
from opsync.model import Approved, Limits, Measure, Metric, Record, Ref, Release, Seen, Slot
from opsync.model.waiting import word
from opsync.noting import Notes
from opsync.report import InstanceReport, PassReport
from opsync.runtime import Clock
from opsync.stages.pulling import Progress, silent
from opsync.store import Store
from opsync.teams import private_teams


class Used(NamedTuple):
    """How many requests went out, and how long was waited for limits."""

    reads: int = 0
    writes: int = 0
    waited_s: float = 0.0

    @classmethod
    def of(cls, client: Client) -> Used:
        """All that a client was used for so far."""
        return cls(client.reads, client.writes, client.waited_s)


@dataclass
class Opened:
    """One instance, ready to be spoken to. `clean` takes the process's secrets out of a text.

    What the client was used for counts from `before` on, until it is `left` to another pass.
    """

    name: str
    connector: Connector[Any]
    overlap_s: int
    fingerprint: str
    expose: str
    client: Client
    clean: Callable[[str], str] = str
    before: Used = field(default_factory=lambda: Used())
    after: Used | None = None
    settled: set[str] = field(default_factory=set)
    """The decisions about its columns that its connector was told of, by their keys."""

    def leave(self) -> None:
        """Count no more: another pass may work with it from now on."""
        self.after = self.after or Used.of(self.client)

    @property
    def used(self) -> Used:
        """What this pass used it for."""
        now, before = self.after or Used.of(self.client), self.before
        return Used(
            now.reads - before.reads,
            now.writes - before.writes,
            now.waited_s - before.waited_s,
        )

    def watch(self) -> AbstractAsyncContextManager[None]:
        """A block around one step of its connector, which ends it if it hangs."""
        return watched(self.client, self.name)


class Asked(NamedTuple):
    """A metric that a root asks for, how long its windows are, and what people call it."""

    metric: Metric
    weeks: int
    title: str

    @property
    def instance(self) -> str:
        """The analytics instance that is asked."""
        return self.metric.instance


@dataclass
class Pass:
    """What one pass works with, and what it has found so far.

    `reads_as`, `derives_as` and `modes` are digests of the configuration: by instance of what
    decides what its records are, besides its own settings; of what decides links, rollups and texts
    besides the records; and of the rules' modes.
    """

    config: Config
    store: Store
    clock: Clock
    instances: Mapping[str, Opened]
    run: int
    report: PassReport
    only: frozenset[str] = frozenset()
    full: bool = False
    write: bool = True
    progress: Progress = silent
    reads_as: Mapping[str, str] = field(default_factory=dict)
    derives_as: str = ""
    modes: str = ""
    again: bool = False
    """Everything is linked, rolled up and planned again, although no record changed."""
    recount: bool = False
    """All roots are rolled up again: other records are set aside than in the last pass."""
    half_read: set[str] = field(default_factory=set)
    """Instances that are not read in this pass, and that no earlier pass has read to the end."""
    never_read: set[str] = field(default_factory=set)
    """Instances that no pass has read to the end: a bare key that nobody has may be theirs."""
    roots: dict[str, list[Record]] = field(default_factory=dict)
    """By rule the records that it rolls up, once they were looked for."""
    asked: dict[tuple[str, Ref], list[Asked]] = field(default_factory=lambda: defaultdict(list))
    """By rule and root what is measured of it."""
    releases: dict[tuple[str, Ref], Release | None] = field(default_factory=dict)
    """By rule and root when it was shipped."""
    planned: dict[tuple[str, Ref], date] = field(default_factory=dict)
    """By rule and root the day to come on which that changes by itself."""
    products: dict[str, Ref] = field(default_factory=dict)
    """By analytics instance the project in which releases are told."""
    last_days: dict[str, date] = field(default_factory=dict)
    """By analytics instance the last day that is over there."""
    approved: Approved = field(default_factory=Approved)
    """What may be written although its rule only proposes it."""
    asked_for: dict[str, set[str]] = field(default_factory=dict)
    """By slot, the digests of the value that was planned there, as approvals name it."""
    chosen: Mapping[Slot, str] | None = None
    """Where only a plan's changes are written: each slot with the digest of its value."""
    limits: Limits | None = None
    """How much this pass may do at once; None: as configured."""
    allowed: dict[str, set[Measure]] = field(default_factory=dict)
    """By instance what is done over a configured limit, because this pass was told that it may."""
    resting: Mapping[Slot, datetime] = field(default_factory=dict)
    """Until when a value is not rewritten if it is on an issue."""
    put_off: set[Ref] = field(default_factory=set)
    """Roots and targets that wait for an instance that cannot be read, or that another pass works
    with: the next pass's work."""
    kept: set[Ref] = field(default_factory=set)
    """Roots that were to be rolled up and could not be: what they count is not known."""
    aside: frozenset[Ref] = frozenset()
    """What is set aside, once it is rolled up: its latest version could not be read."""
    mine: frozenset[str] | None = None
    """The instances that no other pass works with meanwhile: what is none of them is not asked,
    not written, and nothing is kept for it. None: all are."""
    asked_ahead: bool = False
    """Tools were asked ahead for what the stages between reading and writing want to know, so that
    these stages ask none."""
    to_ask: set[str] = field(default_factory=set)
    """Instances that were not asked ahead for what turned out to be wanted of them."""
    looked_at: dict[Ref, Sequence[Seen]] = field(default_factory=dict)
    """What stands in the analytics projects, where that was looked at."""
    stopping: Callable[[], bool] = bool
    """Whether the process ends: nothing more is begun then."""
    unfit: dict[str, str] = field(default_factory=dict)
    """The rules and teams that do not fit what was read, by what they are called, and why."""

    @cached_property
    def approvals(self) -> Mapping[str, str]:
        """By slot the digest of what is approved there."""
        return dict(self.approved.values)

    @cached_property
    def as_of(self) -> date:
        """The date in the configured zone: one for all of a pass, also when the day turns in it."""
        return self.clock.now().astimezone(self.config.zone).date()

    @property
    def changed_since(self) -> int:
        """The run whose changes, and later ones, the stages are to look at."""
        return 0 if self.again else self.run

    def is_mine(self, instance: str) -> bool:
        """Whether this pass may work with an instance."""
        return self.mine is None or instance in self.mine

    def look_afresh(self) -> None:
        """Forget what was looked up in the store: others may have changed it since."""
        for found in (self.roots, self.asked, self.releases, self.planned, self.products):
            found.clear()

    def word(self, slot: Slot) -> str:
        """What people have said about a value that was planned in this pass, as far as it goes on
        to count."""
        mine = self.approvals.get(str(slot), "")
        said = mine if mine in self.asked_for.get(str(slot), ()) else ""
        return word(self.modes, said, rule=slot.rule in self.approved.rules)

    def does_not_fit(self, name: str, why: str) -> None:
        """A rule or a team looks wrong, now that it meets what was read."""
        self.unfit[name] = why
        self.report.warnings.append(why)

    def keep_rollup(self, root: Ref) -> None:
        """Leave a root's numbers as they are, until the next pass."""
        self.kept.add(root)
        self.put_off.add(root)

    @property
    def unreadable(self) -> set[str]:
        """Instances whose last read did not complete: nothing new is published from them."""
        troubled = {i.instance for i in self.report.instances if i.trouble and not i.unmeasured}
        return self.half_read | troubled

    @property
    def withheld(self) -> set[str]:
        """The unreadable instances that may hold work: what rests on them is not rolled up."""
        return self.unreadable - self.measurable.keys()

    @cached_property
    def measurable(self) -> Mapping[str, Measurable]:
        """The analytics instances. They hold no work, so that no number of it waits for them."""
        found = {name: opened.connector for name, opened in self.instances.items()}
        return {name: one for name, one in found.items() if isinstance(one, Measurable)}

    def of(self, instance: str) -> InstanceReport:
        """An instance's part of the report."""
        return next(one for one in self.report.instances if one.instance == instance)

    def setting(self, stale: Mapping[str, date]) -> Setting:
        """What holds for all targets; `stale` names what cannot be read, and since when."""
        return Setting(
            tools={name: opened.connector.title for name, opened in self.instances.items()},
            expose={name: opened.expose for name, opened in self.instances.items()},
            rules={rule.name: rule for rule in self.config.rules},
            links=self.config.links,
            as_of=self.as_of,
            stale=stale,
            words=self.config.words,
            teams=private_teams(self.instances, self.config.teams),
            analytics=frozenset(
                name
                for name, opened in self.instances.items()
                if isinstance(opened.connector, Measurable)
            ),
        )

    def notes(self, setting: Setting) -> Notes:
        """Where the plan is noted. What people read on opsync's own screens is English."""
        setting = msgspec.structs.replace(setting, words=ENGLISH)
        connectors = {name: opened.connector for name, opened in self.instances.items()}
        return Notes(self.report.plan, setting, connectors, self.config.zone)
