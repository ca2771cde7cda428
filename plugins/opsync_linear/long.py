"""Which objects with long lists were read in full already.

The overlap brings the last changes in every run, with their lists cut; reading those by id again
would make a run with nothing new cost more than one request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from datetime import datetime, timedelta

from opsync import Value
from opsync_linear.wire import Initiative, Issue, Project

KEPT = "long"
"""Kept: when each of them had changed last, by id."""
KEPT_MOST = 500


class LongOnes:
    """The objects that the last complete walks read by id."""

    def __init__(self, kept: MutableMapping[str, Value], overlap_s: int) -> None:
        self._kept = kept
        self._overlap = timedelta(seconds=overlap_s)
        held = kept.get(KEPT)
        self._known = dict(held) if isinstance(held, Mapping) else {}
        self._read: dict[str, datetime] = {}

    def stands(self, raw: Issue | Project | Initiative) -> bool:
        """Whether it was read in full as it is now. Its attachments have times of their own."""
        return self._known.get(raw.id) == raw.updated_at.isoformat()

    def read(self, raws: Iterable[Issue | Project | Initiative]) -> None:
        """Note objects that were read with their whole lists."""
        self._read.update((raw.id, raw.updated_at) for raw in raws)

    def keep(self, reach: datetime) -> None:
        """Keep those that the next runs will meet again; only once a walk has completed."""
        since = (reach - self._overlap).isoformat()
        known = self._known | {id_: at.isoformat() for id_, at in self._read.items()}
        late = sorted((str(at), id_) for id_, at in known.items() if str(at) >= since)
        self._kept[KEPT] = {id_: at for at, id_ in late[-KEPT_MOST:]}
