"""What a pass did: the values that the command line prints and plugins are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Final, Literal, TypeVar

from opsync.errors import OpsyncError, SignInError
from opsync.inert import inert_text
from opsync.model import Change, Excess, MadeColumn, Measure, Outcome, OutcomeKind
from opsync.model.ledger import Entry
from opsync.watch import Alarm

Trouble = Literal["", "sign-in", "incomplete", "stopped", "plugin", "over limit"]
"""Why an instance's reading did not complete: its sign-in was refused, it could not be read to
the end, it read suspiciously little and its plan was stopped, or its plugin failed. Or why nothing
is written there: its plan does more at once than a run may."""

OVER_LIMIT: Final = "over limit"


HeldKind = Literal["held", "conflict", "skipped", "waiting", "vetoed", "settled"]
"""Why a slot is not written: a hold, a person's edit, somebody else's link, a failure that waits
for its next try, a plugin's objection, or that a person decided so (`LET_BE`)."""

HELD_KINDS: Final = frozenset({"held", "conflict", "settled"})
"""Those that last until a person says otherwise, or for days."""


@dataclass(slots=True)
class InstanceReport:
    """One instance in a pass. Counts are of this pass; requests include repeated attempts."""

    instance: str
    tool: str
    pulled: bool = True
    read_at: datetime | None = None
    """When reading all that changed there began; None: it is not read, in part only, or so that
    something may have been left out."""
    read: int = 0
    changed: int = 0
    set_aside: int = 0
    missing: int = 0
    """How many records counted as there before and do not any more."""
    gone: dict[str, int] = field(default_factory=dict)
    """The same by why, in the words of a record's tombstone."""
    counted: int = 0
    """Feeds of which all ids were listed, to find what vanished without a word."""
    looked_up: int = 0
    """Records that were looked up by id, to know what became of them."""
    waiting: int = 0
    """Records that the next run looks up."""
    census_requests: int = 0
    """What all of that took: part of `read_requests`."""
    trouble: Trouble = ""
    message: str = ""
    hint: str = ""
    read_requests: int = 0
    write_requests: int = 0
    waited_s: float = 0.0
    refused: list[str] = field(default_factory=list)
    """The feeds that the tool refused to give, by name."""
    write_refused: bool = False
    """Whether its sign-in was refused when something was written."""
    write_stopped: str = ""
    """Why writing ended before all was written that was to be; "" where it did not."""
    in_use: bool = False
    """It was to be read, and another pass worked with it all the while: it was left out."""
    unmeasured: bool = False
    """Its trouble is that nothing could be measured: what it holds was read."""
    over: tuple[Excess, ...] = ()
    """The limits that its plan is over: nothing of it is written."""
    over_once_approved: tuple[Excess, ...] = ()
    """The limits that its plan would be over together with what waits for approval."""

    def fault(self, error: BaseException, clean: Callable[[str], str]) -> str:
        """Take note of why something of it could not be read, and return the message.

        The first trouble stays, but for a refused sign-in, which outweighs all. `clean` takes
        secrets out of a text.
        """
        kind: Trouble = "plugin"
        told = clean(f"{self.instance}: {type(error).__name__}: {error}")
        message, hint = inert_text(told, 300), ""
        if isinstance(error, OpsyncError):
            kind = "sign-in" if isinstance(error, SignInError) else "incomplete"
            message, hint = clean(error.message), clean(error.hint)
        if not self.trouble or kind == "sign-in":
            self.trouble, self.message, self.hint = kind, message, hint
        return message

    paused: bool = False
    """A person paused it: nothing is written there."""
    withheld: int = 0
    """Changes that were to be written there, and were not since it is paused."""

    @property
    def complete(self) -> bool:
        """Whether everything that there is to read was read."""
        return self.pulled and self.trouble in ("", OVER_LIMIT)


@dataclass(frozen=True, slots=True)
class Planned:
    """One change of the plan, with what people call its target and root."""

    change: Change
    tool: str
    place: str
    """"Delivery", "Roadmap link"."""
    target: str
    """The target's label: "PAY-100 Checkout core"."""
    group: str
    """The initiative it belongs to, or the target's label."""
    target_url: str = ""
    release: bool = False
    """Whether it tells of a release, which the group says better than the target: that is the one
    project in which all are told."""

    @property
    def of(self) -> str:
        """What it is on, for people."""
        return self.group if self.release else self.target


@dataclass(frozen=True, slots=True)
class HeldSlot:
    """A slot that is not written, and why."""

    entry: Entry
    kind: HeldKind
    tool: str
    place: str
    target: str
    group: str
    why: str
    release: bool = False
    rests_until: datetime | None = None
    """When it may be rewritten; None where it does not rest."""

    @property
    def of(self) -> str:
        """What it is on, for people."""
        return self.group if self.release else self.target

    @property
    def until(self) -> datetime | None:
        """When that ends by itself; None where something else has to happen, or where it failed
        and the store says when it is tried again."""
        hold = self.entry.hold
        return self.rests_until or (hold.until if hold is not None else None)


@dataclass(frozen=True, slots=True)
class OwnColumn:
    """A column of opsync's own that is to be made, or was, and what people call its tool."""

    instance: str
    tool: str
    column: MadeColumn

    @property
    def place(self) -> tuple[str, str, str]:
        """What it is there for: one column at most is."""
        return self.instance, self.column.table, self.column.surface

    @property
    def where(self) -> str:
        """ "Notion Roadmap", or the tool alone where its table has no name to tell."""
        return f"{self.tool} {self.column.within}".rstrip()


@dataclass(slots=True)
class PlanReport:
    """The plan of a pass: what is written, what would be, and what is held."""

    changes: list[Planned] = field(default_factory=list)
    observed: list[Planned] = field(default_factory=list)
    """Changes of rules in observe mode: shown, never written."""
    proposed: list[Planned] = field(default_factory=list)
    """Changes of rules in propose mode that wait for approval."""
    held: list[HeldSlot] = field(default_factory=list)
    columns: list[OwnColumn] = field(default_factory=list)
    """Columns that these changes need and that do not stand yet: the first write makes them."""


@dataclass(slots=True)
class PassReport:
    """One pass. `records` were read in it; `links` and `rollups` stand after it."""

    run: int
    command: str
    instances: list[InstanceReport] = field(default_factory=list)
    plan: PlanReport = field(default_factory=PlanReport)
    outcomes: list[tuple[Change, Outcome]] = field(default_factory=list)
    columns_made: list[OwnColumn] = field(default_factory=list)
    links: int = 0
    rollups: int = 0
    stale: list[str] = field(default_factory=list)
    """Roots whose numbers were kept, since something they rest on could not be read."""
    warnings: list[str] = field(default_factory=list)
    """What looks wrong in the configuration, now that it meets what was read."""
    unmeasured: list[str] = field(default_factory=list)
    """What rules ask to measure and was read in vain: their matter, and no fault of the pass."""
    aside: int = 0
    """Records that are set aside after the pass, from this one and from earlier ones."""
    retrying: int = 0
    """Writes that failed and wait until they are tried again, from this pass and earlier ones."""
    held_in_all: int = 0
    """Values that are held after the pass, from this one and from earlier ones, as far as somebody
    asked."""
    alarms: list[Alarm] = field(default_factory=list)
    """What is wrong with connections, whether they were read in this pass or not."""
    untold: list[str] = field(default_factory=list)
    """Why an alert, or the sign that opsync is alive, could not be sent."""
    seconds: float = 0.0
    applied_mode: bool = True
    kept_as: int = 0
    """The number of the plan that has what was left unwritten; 0 where none is kept."""
    only_observed: bool = False
    """Whether it was told to report only, whatever the rules' modes are."""
    oversteps: bool = False
    """Whether it was told to go further than a rule's own mode does, so that under that mode its
    plan is not carried out."""

    def apart(self) -> PassReport:
        """The same report in lists of its own: whoever changes it changes nothing of this one."""
        found = _apart(self)
        found.instances = [_apart(one) for one in self.instances]
        found.plan = _apart(self.plan)
        return found

    @property
    def remarks(self) -> list[str]:
        """What people are told of the configuration, as it met what was read."""
        return [*self.warnings, *self.unmeasured]

    @property
    def records(self) -> int:
        """Records read."""
        return sum(i.read for i in self.instances)

    @property
    def quarantined(self) -> int:
        """Records set aside."""
        return sum(i.set_aside for i in self.instances)

    @property
    def planned(self) -> int:
        """Changes of rules that write."""
        return len(self.plan.changes)

    def count(self, *kinds: OutcomeKind) -> int:
        """Outcomes of these kinds."""
        return sum(1 for _, outcome in self.outcomes if outcome.kind in kinds)

    @property
    def applied(self) -> int:
        """Changes that were written."""
        return self.count(OutcomeKind.created, OutcomeKind.updated, OutcomeKind.removed)

    @property
    def failed(self) -> int:
        """Changes that could not be written."""
        return self.count(OutcomeKind.failed)

    @property
    def conflicts(self) -> int:
        """Values that a person edited and that are not settled."""
        held = sum(1 for h in self.plan.held if h.kind == "conflict")
        return held + self.count(OutcomeKind.conflicted)

    @property
    def withheld(self) -> int:
        """Changes that were to be written to connections that are paused."""
        return sum(i.withheld for i in self.instances)

    @property
    def read_requests(self) -> int:
        """Requests that change nothing, attempts included."""
        return sum(i.read_requests for i in self.instances)

    @property
    def write_requests(self) -> int:
        """Requests that may change something, attempts included."""
        return sum(i.write_requests for i in self.instances)

    @property
    def exit_code(self) -> int:
        """3 a sign-in was refused, 1 done in part, 0 done. Whoever only looks is answered about
        this pass; alarms count where it is a scheduled run that may write."""
        if any(i.trouble == "sign-in" for i in self.instances):
            return 3
        waiting = self.applied_mode and self.retrying
        partly = self.failed or self.aside or waiting or self.conflicts or self.warnings
        partly = partly or any(one.in_use for one in self.instances)
        alarmed = self.applied_mode and any(one.state == "fail" for one in self.alarms)
        return 1 if partly or alarmed or any(i.trouble for i in self.instances) else 0

    @property
    def allowing(self) -> str:
        """The flags with which one run may write what is over a limit; "" where nothing is."""
        return _flags(one for instance in self.instances for one in instance.over)

    @property
    def applying(self) -> str:
        """The command that writes the whole plan, with what waits for approval."""
        over = (one for instance in self.instances for one in instance.over_once_approved)
        how = f"apply {self.kept_as or self.run}"
        return f"opsync {'sync --mode apply' if self.oversteps else how} {_flags(over)}".rstrip()

    def summary(self) -> dict[str, int | float]:
        """The counts under their documented names, as `--json` prints them."""
        return {
            "records": self.records,
            "links": self.links,
            "rollups": self.rollups,
            "planned": self.planned,
            "applied": self.applied,
            "failed": self.failed,
            "quarantined": self.quarantined,
            "read_requests": self.read_requests,
            "write_requests": self.write_requests,
            "seconds": round(self.seconds, 3),
        }


_Part = TypeVar("_Part", PassReport, InstanceReport, PlanReport)


def _apart(one: _Part) -> _Part:
    own = copy(one)
    for each in fields(own):
        if isinstance(value := getattr(own, each.name), list | dict):
            setattr(own, each.name, copy(value))
    return own


def _flags(over: Iterable[Excess]) -> str:
    """What lets a run do so much."""
    most: dict[Measure, int] = {}
    for one in over:
        most[one.what] = max(one.count, most.get(one.what, 0))
    return " ".join(f"--allow-{what.value} {most[what]}" for what in sorted(most))
