"""What waits for a person's word: found by the plan, and told in each pass until that is said,
although nothing plans it anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from opsync.current import Pass
from opsync.desire import Setting
from opsync.model import Change, Kind, Record, Ref, Slot, Verb
from opsync.model.ledger import Entry, change_id, plain
from opsync.model.waiting import Waiting, WaitsFor
from opsync.noting import Notes
from opsync.stages.plan import TargetPlan
from opsync.steps.shared import chunks
from opsync.store import TargetInputs


@dataclass
class Kept:
    """What the ledger is to keep of a plan: rows, those that they were made `before`, and of each
    slot for what it waits."""

    entries: list[Entry] = field(default_factory=list)
    before: list[Entry] = field(default_factory=list)
    waits: dict[Slot, Waiting | None] = field(default_factory=dict)

    def planned(self, this: Pass, result: TargetPlan, slots: Iterable[Slot]) -> None:
        """These slots of a target were planned. Where only a plan's changes are written, others
        wait for no word that people could say: what becomes of them the next pass finds out.

        A value that a person wrote over is no part of it: that is told until it is settled.
        """
        self.entries.extend(result.entries)
        self.waits.update(dict.fromkeys(slots))
        if this.chosen is not None:
            return
        found = ((WaitsFor.approval, result.proposed), (WaitsFor.mode, result.observed_only))
        for what, changes in found:
            for one in changes:
                if not one.over_edit:
                    self.waits[one.slot] = Waiting(what, this.word(one.slot))

    def out_of_reach(self, this: Pass, inputs: TargetInputs) -> None:
        """Nothing can be written at a target before it, or the configuration, changes. What was
        approved there counts until then."""
        for entry in inputs.entries:
            if entry.pending:
                scope = str(entry.slot)
                if (approval := this.approvals.get(scope)) is not None:
                    this.asked_for.setdefault(scope, set()).add(approval)
                self.waits[entry.slot] = Waiting(WaitsFor.target, this.word(entry.slot))


async def counted_in(this: Pass, targets: Sequence[Ref]) -> dict[Ref, Sequence[Record]]:
    """The initiatives that count these: what is written there is told with them."""
    counted = await this.store.counted_in(targets)
    roots = await this.store.records_of(
        sorted({root for each in counted.values() for root in each})
    )
    return {
        target: [roots[root] for root in sorted(each) if root in roots]
        for target, each in counted.items()
    }


async def roots_told(
    this: Pass, inputs: TargetInputs, setting: Setting, counted: Sequence[Record]
) -> list[Record]:
    """The initiatives with which it is told what is written at a target, which these count."""
    roots = [root for _, root in inputs.rollups]
    if inputs.record.kind is Kind.product:
        return roots + await _told_before(this, inputs)
    if not roots and setting.card(inputs.record).title:
        return list(counted)
    return roots


async def _told_before(this: Pass, inputs: TargetInputs) -> list[Record]:
    """The initiatives whose release is told in a project and is to be told no longer."""
    told = {root.ref for _, root in inputs.rollups}
    others = {entry.slot.other for entry in inputs.entries} - told
    return list((await this.store.records_of(sorted(others))).values()) if others else []


async def tell_waiting(
    this: Pass, setting: Setting, notes: Notes, planned: Collection[Ref]
) -> None:
    """Tell what waits at all targets but those that were planned, as it was planned last."""
    left: Mapping[Ref, list[tuple[Entry, WaitsFor]]] = defaultdict(list)
    for entry, what in await this.store.left_waiting(this.modes):
        target = entry.slot.target
        if target not in planned and target.instance in this.instances:
            left[target].append((entry, what))
    for chunk in chunks(list(left)):
        counted = await counted_in(this, chunk)
        for inputs in await this.store.target_inputs(chunk):
            record = inputs.record
            roots = await roots_told(this, inputs, setting, counted.get(record.ref, ()))
            for entry, what in left[record.ref]:
                told = notes.proposed if what is WaitsFor.approval else notes.observed
                told([_change(this.run, entry)], record, roots)
    for each in (notes.report.proposed, notes.report.observed):
        each.sort(key=lambda one: one.change.slot.target)


def _change(run: int, entry: Entry) -> Change:
    """What would be written, as the ledger has it."""
    known = entry.applied if entry.intent is None else entry.intent
    before = plain(known if entry.observed is None else entry.observed)
    verb = Verb.create if before is None else Verb.update
    return Change(
        id=change_id(run, entry.slot),
        slot=entry.slot,
        verb=Verb.remove if plain(entry.desired) is None else verb,
        desired=plain(entry.desired),
        before=before,
        remote_id=entry.remote_id,
        reason=entry.reason,
        evidence=entry.evidence,
        inputs=entry.inputs,
        interrupted=entry.intent is not None,
    )
