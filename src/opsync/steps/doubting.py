"""Doubts: columns of which a connector cannot tell whether they are opsync's own."""

from __future__ import annotations

import structlog

from opsync.contract.connector import MakesColumns
from opsync.current import Pass
from opsync.inert import inert_text

_log = structlog.get_logger(__name__)

LONGEST = 400
"""Characters of a doubt with its way out."""


def tell_doubts(this: Pass) -> None:
    """Warn of them in every pass until somebody decides: nothing is written there meanwhile."""
    for name, opened in this.instances.items():
        connector, clean = opened.connector, opened.clean
        if not isinstance(connector, MakesColumns):
            continue
        try:
            found = connector.doubts()
        except Exception as error:  # noqa: BLE001 - a connector's fault stays its own
            this.of(name).fault(error, clean)
            _log.error("doubts.failed", instance=name, exc_info=error)
            continue
        for number, why in enumerate(found, start=1):
            about = f"columns of {name}" + (f" ({number})" if number > 1 else "")
            this.does_not_fit(about, inert_text(clean(f"{name}: {why}"), LONGEST))
