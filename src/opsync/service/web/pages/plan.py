"""GET /plan: what waits to be written; POST: approve it, refuse it, or settle what people did.

A button decides about the very values that its page showed: see `opsync.service.web.seen`.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from opsync.config import Config
from opsync.engine.approving import approvals_of
from opsync.engine.awaiting import Awaiting, Shower, awaiting, columns_ahead
from opsync.engine.owning import refuse as keep_as_it_stands
from opsync.errors import ConfigError
from opsync.service.web.forms import Form, sent
from opsync.service.web.pages.settling import settle
from opsync.service.web.said import back
from opsync.service.web.seen import insist_as_seen
from opsync.service.web.site import Site, site_of
from opsync.service.web.views.plan import (
    ALL,
    GROUP,
    GROUPS,
    ONE,
    PlanPage,
    other,
    plan,
    to_approve,
)
from opsync.store import Store


async def show(request: Request) -> Response:
    """The page; `?from=40` begins with the forty-first initiative."""
    site = site_of(request)
    config, asked = site.desk.config, number(request, "from")
    view = await site.desk.store.look(lambda store: _view(config, store, asked))
    return await site.page(request, "plan.html", {"view": view})


async def _view(config: Config, store: Store, asked: int) -> PlanPage:
    found = await awaiting(config, store)
    shower = Shower(config, store)
    titles = await shower.groups(found)
    groups = to_approve(found, titles)
    start = min(asked, max(0, len(groups) - 1))
    needed = [one for _, each in groups[start : start + GROUPS] for one in each]
    for why in ("edited", "next", "observe", "decided"):
        needed += other(found, why)
    told = {one.slot: one for one in await shower.show(needed)}
    return plan(found, titles, told, await columns_ahead(store, found), start)


async def approve(request: Request) -> Response:
    """Approve what was shown: all, an initiative's, or one value."""
    site = site_of(request)
    desk = site.desk
    if (await desk.store.pauses()).whole is not None:
        raise ConfigError("all writes are paused", hint="Permit them again: Connections, Go on.")
    chosen = await _chosen(site, sent(request))
    run = await desk.store.last_runs(1)
    given = approvals_of(
        [one.change for one in chosen],
        run[0].seq if run else 0,
        by=request.state.actor.name,
        at=site.now(),
    )
    await desk.store.approve(list(given))
    await desk.changed()
    return back("/plan", "approved", len(chosen))


async def refuse(request: Request) -> Response:
    """Leave what stands as it is, for good: opsync does not propose these values again."""
    site = site_of(request)
    desk = site.desk
    chosen = await _chosen(site, sent(request))
    by, at = request.state.actor.name, site.now()
    await keep_as_it_stands(desk.store, [one.entry for one in chosen], by=by, at=at)
    await desk.changed()
    return back("/plan", "refused", len(chosen))


async def resolve(request: Request) -> Response:
    """Settle what people edited or removed, or let go of what was decided."""
    entries = await site_of(request).desk.store.unsettled()
    side, count = await settle(request, entries)
    return back("/plan", side, count)


def number(request: Request, name: str) -> int:
    """A number in the address; 0 for anything else."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0


async def _chosen(site: Site, form: Form) -> Sequence[Awaiting]:
    """What a button is about. ConfigError: it is not as it was when the page was made."""
    found = [
        one for one in await awaiting(site.desk.config, site.desk.store) if one.why == "approve"
    ]
    what, of = form.get("what"), form.get("of")
    if what == GROUP:
        found = [one for one in found if str(one.group) == of]
    elif what == ONE:
        found = [one for one in found if str(one.entry.slot) == of]
    elif what != ALL:
        found = []
    insist_as_seen([one.entry for one in found], form)
    return found
