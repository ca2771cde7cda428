"""What comes of a value of which a person said that opsync's is to stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from opsync.config import Config
from opsync.engine.lookup import Lookup
from opsync.model.ledger import Entry, digest
from opsync.model.rules import Mode, mode_of
from opsync.model.value import NOTHING
from opsync.store import Store

Comes = Literal[
    "nothing", "theirs", "stands", "write", "approval", "paused", "observed", "out of reach"
]
"""Nothing stands there and nothing should; a person's stays, since nothing of opsync's should stand
there; opsync's stands already; the next run writes; what it would write waits for approval, or for
the end of a pause; its rule only observes; or nothing can be written on its item."""


class ToCome(Struct, frozen=True, kw_only=True):
    """What comes of one value. `removes` is whether what stands there goes; `of` names the item
    that is out of reach, the rule that only observes ("" where it is no longer configured) or the
    connection whose writes are paused ("" where all are), and `why` says why nothing can be
    written."""

    comes: Comes
    removes: bool = False
    of: str = ""
    why: str = ""


async def to_come(config: Config, store: Store, entries: Sequence[Entry]) -> list[ToCome]:
    """What the next runs make of these, as far as that is known."""
    look = Lookup(config, store)
    await look.learn(one.slot.target for one in entries)
    modes, approved, pauses = config.modes, await store.approved(), await store.pauses()
    found = []
    for one in entries:
        slot, removes = one.slot, one.desired == NOTHING
        mode = mode_of(slot.rule, modes)
        pause = pauses.of(slot.target.instance)
        if not one.pending and one.applied == NOTHING:
            found.append(ToCome(comes="nothing"))
        elif one.ceded and removes:
            found.append(ToCome(comes="theirs"))
        elif away := await look.out_of_reach(slot.target):
            item = await look.item(slot.target)
            found.append(ToCome(comes="out of reach", of=item.label, why=away))
        elif mode is Mode.observe:
            rule = slot.rule if slot.rule in modes else ""
            found.append(ToCome(comes="observed", removes=removes, of=rule))
        elif not one.pending:
            found.append(ToCome(comes="stands"))
        elif mode is Mode.propose and not approved.covers(slot, digest(one.desired)):
            found.append(ToCome(comes="approval", removes=removes))
        elif pause is not None:
            found.append(ToCome(comes="paused", removes=removes, of=pause.instance))
        else:
            found.append(ToCome(comes="write", removes=removes))
    return found
