"""Putting a plan into the report: which place on which item, for which initiative, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

import structlog

from opsync.contract.connector import Connector, MakesColumns, Writable
from opsync.desire import Setting
from opsync.model import Change, Kind, Record, Ref, Verb
from opsync.model.ledger import EDITED, LET_BE, Entry, Hold, HoldKind
from opsync.report import HeldKind, HeldSlot, OwnColumn, Planned, PlanReport
from opsync.stages.plan import TargetPlan
from opsync.wording import day

_log = structlog.get_logger(__name__)

HELD = {
    HoldKind.removed: "removed by a person; stays removed",
    HoldKind.conflict: "edited by a person; keeps theirs",
    HoldKind.undone: "undone; stays undone",
    HoldKind.refused: "refused; stays as it stands",
    HoldKind.proposed: "waits for approval",
    HoldKind.theirs: "a person's value, kept for good",
    HoldKind.released: "released; left to people",
}
"""Why a value is held, as a person is told; of an edit `held_text` says until when."""


def held_text(hold: Hold, zone: tzinfo) -> str:
    """Why a value is held, and until when where that has an end."""
    if hold.until is None:
        return HELD[hold.kind]
    if hold.kind is HoldKind.proposed:
        first = day(hold.at.astimezone(zone).date())
        return f"edited by a person on {first}; proposed again, waits for approval"
    last = day(hold.until.astimezone(zone).date())
    return f"edited by a person; held until {last}, then {hold.note}"


def resting_text(until: datetime) -> str:
    """Why a value that was rewritten just before is not written yet."""
    return f"waits until {until:%H:%M} UTC: links of an issue are not rewritten more often"


@dataclass(frozen=True)
class Notes:
    """Knows what people call the places and items of a pass."""

    report: PlanReport
    setting: Setting
    connectors: Mapping[str, Connector[Any]]
    zone: tzinfo = UTC
    """In which days begin, as people are told them."""

    def planned(self, changes: Iterable[Change], target: Record, roots: Sequence[Record]) -> None:
        """Note changes that are written in this pass, or would be with `apply`."""
        self.report.changes.extend(self._all(changes, target, roots))

    def observed(self, changes: Iterable[Change], target: Record, roots: Sequence[Record]) -> None:
        """Note changes of rules that only observe."""
        self.report.observed.extend(self._all(changes, target, roots))

    def proposed(self, changes: Iterable[Change], target: Record, roots: Sequence[Record]) -> None:
        """Note changes that wait for approval."""
        self.report.proposed.extend(self._all(changes, target, roots))

    def planned_anew(
        self,
        fresh: Iterable[tuple[Record, Sequence[Record], TargetPlan]],
        *,
        told_waiting: bool = True,
    ) -> None:
        """Note what was planned again just before targets were written, in the place of what was
        noted of them: each with its initiatives and its plan. `told_waiting` as in `whole`. What a
        plugin objects to stays as it was told."""
        again = list(fresh)
        targets = {target.ref for target, _, _ in again}
        report = self.report
        for planned in (report.changes, report.proposed, report.observed):
            planned[:] = [one for one in planned if one.change.slot.target not in targets]
        report.held[:] = [
            one
            for one in report.held
            if one.kind == "vetoed" or one.entry.slot.target not in targets
        ]
        for target, roots, found in again:
            self.whole(found, found.changes, target, roots, told_waiting=told_waiting)

    def whole(
        self,
        found: TargetPlan,
        changes: Iterable[Change],
        target: Record,
        roots: Sequence[Record],
        *,
        told_waiting: bool = True,
    ) -> None:
        """Note a target's plan, of which `changes` are written; and what only waits or is observed
        if that is `told_waiting`: where a kept plan is carried out, all else is no part of it."""
        self.planned(changes, target, roots)
        if told_waiting:
            self.observed(found.observed_only, target, roots)
            self.proposed(found.proposed, target, roots)
        self.held(found, target, roots)

    def held(self, result: TargetPlan, target: Record, roots: Sequence[Record]) -> None:
        """Note what a plan does not write, and why."""
        for entry in result.held:
            kind: HeldKind = "held"
            if entry.hold is None or entry.hold.kind in EDITED:
                # What may replace an edit has failed, and waits for its next try as others do.
                kind = "waiting" if entry.hold is None or entry.attempts else "conflict"
            if entry.hold is not None and entry.hold.kind in LET_BE:
                kind = "settled"
            self.hold(kind, entry, target, roots)
        for entry, until in result.resting:
            self.hold("waiting", entry, target, roots, why=resting_text(until), until=until)
        for entry in result.conflicts:
            self.hold("conflict", entry, target, roots)
        for entry in result.skipped:
            self.hold("skipped", entry, target, roots)

    def hold(
        self,
        kind: HeldKind,
        entry: Entry,
        target: Record,
        roots: Sequence[Record],
        *,
        why: str = "",
        until: datetime | None = None,
    ) -> None:
        """Note one slot that is not written, and `until` when where it rests."""
        self.report.held.append(
            HeldSlot(
                entry=entry,
                kind=kind,
                tool=self.setting.tools[target.ref.instance],
                place=self._place(target.ref.instance, entry.slot.surface),
                target=self.setting.card(target).label,
                group=self._group(target, roots, entry.slot.other),
                why=why or self._why(kind, entry),
                release=target.kind is Kind.product,
                rests_until=until,
            )
        )

    def _all(
        self, changes: Iterable[Change], target: Record, roots: Sequence[Record]
    ) -> list[Planned]:
        """These changes in people's words, with the columns that they need noted."""
        found = list(changes)
        self._columns([one.slot.surface for one in found if one.verb is not Verb.remove], target)
        return [self._planned(one, target, roots) for one in found]

    def _columns(self, wanted: Sequence[str], target: Record) -> None:
        instance = target.ref.instance
        connector = self.connectors[instance]
        if not wanted or not isinstance(connector, MakesColumns):
            return
        try:
            missing = list(connector.missing_columns(target, wanted))
        except Exception as error:  # noqa: BLE001 - a connector's fault costs what is told ahead
            _log.error("columns.failed", instance=instance, exc_info=error)
            return
        tool = self.setting.tools[instance]
        needed = [OwnColumn(instance, tool, column) for column in missing]
        noted = {one.place for one in self.report.columns}
        self.report.columns += [one for one in needed if one.place not in noted]

    def _planned(self, change: Change, target: Record, roots: Sequence[Record]) -> Planned:
        instance = change.slot.target.instance
        shown = self.setting.card(target)
        return Planned(
            change=change,
            tool=self.setting.tools[instance],
            place=self._place(instance, change.slot.surface),
            target=shown.label,
            group=self._group(target, roots, change.slot.other),
            target_url=shown.url,
            release=target.kind is Kind.product,
        )

    def _place(self, instance: str, surface: str) -> str:
        connector = self.connectors[instance]
        if isinstance(connector, Writable):
            for one in connector.surfaces:
                if one.name == surface:
                    return one.title or one.name
        return surface

    def _group(self, target: Record, roots: Sequence[Record], root: Ref) -> str:
        """The initiative that a change is for, or what its target is called."""
        for record in roots:
            if record.ref == root:
                return self._called(record)
        if roots and target.kind is not Kind.product:
            return self._called(roots[0])
        return self.setting.card(target).label

    def _called(self, root: Record) -> str:
        shown = self.setting.card(root)
        return shown.title or shown.label

    def _why(self, kind: HeldKind, entry: Entry) -> str:
        if kind == "waiting" and entry.next_try_at is not None:
            return (
                f"failed: {entry.message}; tried again after {entry.next_try_at:%-d %b %H:%M} UTC"
            )
        if entry.hold is not None:
            return held_text(entry.hold, self.zone)
        return HELD[HoldKind.conflict] if kind == "conflict" else entry.message
