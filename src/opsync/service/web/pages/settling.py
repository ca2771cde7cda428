"""Saying whose value is to stand, as a page's buttons do it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from opsync.engine.columns import with_lost_columns
from opsync.engine.owning import Side, resolve, unsettled
from opsync.engine.session import open_session
from opsync.errors import ConfigError
from opsync.model.ledger import Entry
from opsync.service.web.forms import sent
from opsync.service.web.seen import insist_as_seen
from opsync.service.web.site import site_of

_SIDES: dict[str, Side] = {"theirs": "theirs", "ours": "ours"}


async def settle(request: Request, entries: Sequence[Entry]) -> tuple[Side, int]:
    """Settle those of `entries` that the form's `slot` fields name, for the `side` it says.

    ConfigError: nothing of that is held any more, or one is not as the page showed it.
    """
    site = site_of(request)
    desk, form = site.desk, sent(request)
    side = _SIDES.get(form.get("side"))
    wanted = frozenset(form.all("slot"))
    chosen = [one for one in entries if str(one.slot) in wanted and unsettled(one)]
    insist_as_seen(chosen, form)
    if side is None:
        raise ConfigError("this does not say whose value is to stand", hint="Load the page again.")
    by, at = request.state.actor.name, site.now()
    # Where a person removed a whole column, that is settled, and for all items at once.
    async with open_session(desk.config, "opsync resolve", exclusive=False) as session:
        chosen, lost = await with_lost_columns(session, chosen)
        await resolve(desk.config, desk.store, chosen, side, by=by, at=at, lost=lost)
    await desk.changed()
    return side, len(chosen)
