"""The fate of one slot: written, asked about, held, or left as it is.

Pure. The policy is one table, `opsync.model.decision`; what people did and said goes before it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import datetime

import msgspec

from opsync.contract.connector import Surface
from opsync.model import Change, Outcome, Seen, Slot, Verb
from opsync.model.decision import Decision, decide
from opsync.model.edits import edit_hold, is_over
from opsync.model.ledger import (
    CONFLICTED,
    FAILED,
    SKIPPED,
    Entry,
    Hold,
    HoldKind,
    change_id,
    plain,
    stored,
)
from opsync.model.rules import Edits, Mode
from opsync.model.value import NOTHING
from opsync.stages.places import TAKEN, Want, is_edited, is_lapsed, recovered

EDITED_BY = "edited by a person"


class Builder:
    """Collects one target's plan."""

    def __init__(self, run: int, now: datetime, rests: Mapping[Slot, datetime]) -> None:
        self.run = run
        self.now = now
        self.rests = rests
        self.resting: list[tuple[Entry, datetime]] = []
        self.changes: list[Change] = []
        self.observed_only: list[Change] = []
        self.proposed: list[Change] = []
        self.entries: list[Entry] = []
        self.held: list[Entry] = []
        self.conflicts: list[Entry] = []
        self.skipped: list[Entry] = []
        self.recovered: list[tuple[Change, Outcome]] = []

    def daring(self, alone: Container[str]) -> Mode | None:
        """How far the changes so far go with which others are carried; None: there are none."""
        lists = (
            (Mode.apply, self.changes),
            (Mode.propose, self.proposed),
            (Mode.observe, self.observed_only),
        )
        for mode, changes in lists:
            if any(one.slot.surface not in alone for one in changes):
                return mode
        return None

    def leave(self, entry: Entry) -> None:
        """A carried value with nothing to go with: what was once to be done there waits no more,
        be it to take it away or to write it."""
        if entry.desired != entry.applied:
            self.entries.append(msgspec.structs.replace(entry, desired=entry.applied))

    def taken_up(self, entry: Entry, here: Seen | None) -> Entry:
        """The row of a carried value, with what of opsync's stands there if the store knows of no
        write: no write ever comes to say that it is right."""
        known = entry.applied != NOTHING or entry.hold is not None or entry.outcome == FAILED
        if known or here is None or not here.ours or here.plain() is None:
            return entry
        value = stored(here.plain())
        entry = msgspec.structs.replace(
            entry,
            desired=value,
            applied=value,
            asked=value,
            observed=value,
            observed_at=self.now,
            remote_id=here.remote_id,
            outcome="unchanged",
        )
        self.entries.append(entry)
        return entry

    def slot(
        self,
        want: Want,
        entry: Entry,
        here: Seen | None,
        surface: Surface,
        *,
        taken: bool = False,
        twice: bool = False,
        left: str = "",
    ) -> None:
        """Plan one slot. What stands there `twice`, or is `left` besides by an interrupted move, is
        one once it is written."""
        desired = stored(want.value)
        same_desire = bytes(desired) == bytes(entry.desired)
        updated = msgspec.structs.replace(
            entry,
            desired=desired,
            reason=want.reason or entry.reason,
            evidence=want.evidence or entry.evidence,
            inputs=want.inputs or entry.inputs,
        )
        if here is not None:
            updated = msgspec.structs.replace(
                updated, observed=stored(here.plain()), observed_at=self.now
            )
        if entry.hold is not None and entry.hold.kind is HoldKind.removed:
            stands = here is not None and here.plain() is not None
            if want.value is None and not stands:
                # A person removed it, and nothing asks for it any more: both agree.
                self.entries.append(Entry(slot=entry.slot))
                return
        edited = is_edited(entry)
        lapsed = entry.hold is not None and is_lapsed(entry.hold, desired)
        if entry.hold is not None and not edited and not lapsed:
            self.held.append(updated)
            self._keep(entry, updated)
            return
        if not edited:
            updated = msgspec.structs.replace(updated, hold=None)
        as_begun = here is not None and not twice and entry.intent == stored(here.plain())
        done = here if as_begun else None
        too_soon = entry.next_try_at is not None and entry.next_try_at > self.now
        if too_soon and same_desire and want.permitted and done is None:
            if edited and updated.observed != entry.observed:
                # Another edit meanwhile, which is held anew.
                hold = self._hold(want, entry, updated, surface)
                updated = msgspec.structs.replace(updated, hold=hold)
            self.held.append(updated)
            self._keep(entry, updated)
            return
        if edited and here is None and (entry.intent is None or not want.writes):
            # As it was seen last; it is looked at again before something else is written.
            same = not lapsed or _meant(want, entry) == entry.applied or not want.writes
            if same or is_over(self._hold(want, entry, updated, surface), self.now):
                self._edit(want, entry, updated, surface, here)
                return
        if done is not None:
            change, outcome, entry, updated = recovered(entry, updated, done, self.run)
            self.recovered.append((change, outcome))
        known = here is not None or entry.intent is None
        if want.value is None and entry.ceded and entry.hold is None and known:
            # What a person gave up for a value that is not to stand there any more is theirs.
            self.entries.append(Entry(slot=entry.slot))
            return
        if taken and entry.applied == NOTHING and want.value is not None:
            updated = msgspec.structs.replace(updated, outcome=SKIPPED, message=TAKEN, hold=None)
            self.skipped.append(updated)
            self._keep(entry, updated)
            return
        if here is None and same_desire and entry.outcome == SKIPPED:
            # As with a conflict: looked at again when something else should stand there.
            self.skipped.append(updated)
            self._keep(entry, updated)
            return
        decision = decide(
            _meant(want, entry),
            entry.applied,
            None if here is None else stored(here.plain()),
            intent=entry.intent,
            ours=here is not None and here.ours,
        )
        if (twice or left) and decision in (Decision.nothing, Decision.adopt):
            # The write removes the other one.
            decision = Decision.write
        again = same_desire and entry.outcome == CONFLICTED and updated.observed == entry.observed
        if decision is Decision.write and again and entry.intent is None:
            # The vendor, too, found a person's edit there, and nothing has changed since.
            if edited:
                hold = self._hold(want, entry, updated, surface)
                updated = msgspec.structs.replace(updated, hold=hold)
            self.conflicts.append(updated)
            self._keep(entry, updated)
            return
        if decision is Decision.conflict:
            self._edit(want, entry, updated, surface, here, taken=taken)
        else:
            self._follow(decision, want, entry, updated, here, left)

    def _follow(
        self,
        decision: Decision,
        want: Want,
        entry: Entry,
        updated: Entry,
        here: Seen | None,
        left: str,
    ) -> None:
        if here is not None:
            # What stands there is seen, and is no person's edit (any more).
            updated = msgspec.structs.replace(updated, hold=None)
        match decision:
            case Decision.nothing:
                if updated.outcome == CONFLICTED:
                    updated = msgspec.structs.replace(updated, outcome="", message="")
            case Decision.adopt:
                updated = msgspec.structs.replace(
                    updated,
                    applied=updated.desired if updated.observed is None else updated.observed,
                    asked=updated.desired,
                    remote_id=(here.remote_id if here else "") or entry.remote_id,
                    intent=None,
                    outcome="unchanged",
                    message="",
                    attempts=0,
                    next_try_at=None,
                    ceded=False,
                )
            case Decision.write | Decision.look:
                change = msgspec.structs.replace(self._change(want, entry, here), left=left)
                until = self.rests.get(want.slot, self.now)
                if change.verb is Verb.update and not change.interrupted and until > self.now:
                    self.resting.append((updated, until))
                else:
                    self._of(want).append(change)
                given_up = updated.outcome == FAILED and not want.permitted
                if updated.outcome == SKIPPED or given_up:
                    updated = msgspec.structs.replace(
                        updated, outcome="", message="", attempts=0, next_try_at=None
                    )
                elif here is not None and entry.hold is not None:
                    updated = msgspec.structs.replace(updated, outcome="", message="")
            case Decision.gone:
                hold = Hold(HoldKind.removed, "a person", self.now, note="removed by a person")
                updated = msgspec.structs.replace(updated, hold=hold, intent=None)
                self.held.append(updated)
        self._keep(entry, updated)

    def _hold(self, want: Want, entry: Entry, updated: Entry, surface: Surface) -> Hold:
        """The hold of the person's edit that stands there."""
        assert updated.observed is not None
        policy = want.edits or surface.edits
        return edit_hold(entry, updated.observed, updated.desired, policy, self.now)

    def _edit(
        self,
        want: Want,
        entry: Entry,
        updated: Entry,
        surface: Surface,
        here: Seen | None,
        *,
        taken: bool = False,
    ) -> None:
        """A person's value stands there: it is held, or was for long enough, or may be replaced
        as somebody approved; but not moved to where somebody else's is by now."""
        if want.value is None and (entry.applied == NOTHING or entry.ceded):
            # Nothing of opsync's is there, nor is to be.
            self.entries.append(Entry(slot=entry.slot))
            return
        refused = _refused(entry, updated)
        if entry.message == TAKEN:
            # As it was found when it was looked at, until it is looked at again.
            taken = taken or (refused and here is None)
            refused = False
        if taken:
            want = msgspec.structs.replace(want, edits=Edits.theirs)
        hold = self._hold(want, entry, updated, surface)
        message = TAKEN if taken else entry.message if refused else EDITED_BY
        updated = msgspec.structs.replace(
            updated,
            hold=hold,
            outcome=CONFLICTED,
            message=message,
            intent=entry.intent if here is None else None,
        )
        approved = want.value is not None and want.over == updated.observed
        if taken or refused or (not approved and not is_over(hold, self.now)):
            # What failed before has nothing to do with it.
            updated = msgspec.structs.replace(updated, attempts=0, next_try_at=None)
            self.conflicts.append(updated)
            self._keep(entry, updated)
            return
        change = msgspec.structs.replace(
            self._change(want, entry, here),
            verb=Verb.update,
            before=plain(updated.observed),
            over_edit=True,
            theirs=True,
        )
        replaces = approved or (want.permitted and (want.edits or surface.edits) is Edits.ours)
        if want.mode is Mode.observe:
            self.observed_only.append(change)
        elif replaces and want.chosen:
            # The hold ends with the write: were that interrupted, it began when it did.
            self.changes.append(change)
        elif replaces:
            self.observed_only.append(change)
            updated = msgspec.structs.replace(updated, hold=entry.hold)
        else:
            self.proposed.append(change)
            hold = msgspec.structs.replace(hold, kind=HoldKind.proposed)
            updated = msgspec.structs.replace(updated, hold=hold)
        self._keep(entry, updated)

    def _of(self, want: Want) -> list[Change]:
        """The list that a change belongs into."""
        if want.writes:
            return self.changes
        return self.proposed if want.mode is Mode.propose else self.observed_only

    def _keep(self, entry: Entry, updated: Entry) -> None:
        """Note a ledger row only if it says something new: a silent run writes nothing."""
        if msgspec.structs.replace(updated, observed_at=entry.observed_at) != entry:
            self.entries.append(updated)

    def _change(self, want: Want, entry: Entry, here: Seen | None) -> Change:
        known = entry.applied if entry.intent is None else entry.intent
        before = here.plain() if here is not None else plain(known)
        verb = Verb.remove
        if want.value is not None:
            verb = Verb.create if before is None else Verb.update
        slot = want.slot
        return Change(
            id=change_id(self.run, slot),
            slot=slot,
            verb=verb,
            desired=want.value,
            before=before,
            remote_id=entry.remote_id or (here.remote_id if here is not None else ""),
            reason=want.reason,
            evidence=want.evidence or entry.evidence,
            inputs=want.inputs or entry.inputs,
            interrupted=entry.intent is not None,
            theirs=entry.ceded,
        )


def _meant(want: Want, entry: Entry) -> msgspec.Raw:
    """What should stand there: of the very value that was asked for last, what the vendor made of
    it."""
    desired = stored(want.value)
    return entry.applied if want.value is not None and desired == entry.asked else desired


def _refused(entry: Entry, updated: Entry) -> bool:
    """Whether the vendor itself would not have this edit written over by this very value: the
    next try would end like it."""
    answered = entry.outcome == CONFLICTED and not entry.attempts and entry.intent is None
    said = entry.message not in ("", EDITED_BY)
    same = (updated.desired, updated.observed) == (entry.desired, entry.observed)
    return is_edited(entry) and answered and said and same
