"""GET /initiatives/REF: all about one initiative; POST: say whose value is to stand."""

from __future__ import annotations

from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from opsync.engine.explain import Explainer
from opsync.engine.owning import about, unsettled
from opsync.model import Record, Ref
from opsync.service.web.pages.settling import settle
from opsync.service.web.said import back
from opsync.service.web.site import Site, site_of
from opsync.service.web.views.initiative import initiative


async def show(request: Request) -> Response:
    """The page."""
    site = site_of(request)
    config, store, now = site.desk.config, site.desk.store, site.now()
    record = await _record(site, request.path_params["ref"])
    found = await Explainer(config, store).explain(record, now)
    histories = {one.rule: await store.history(one.rule, record.ref) for one in found.summaries}
    settles = frozenset(one.slot for one in await about(store, record.ref) if unsettled(one))
    view = initiative(found, histories, settles, now, config.zone)
    return await site.page(request, "initiative.html", {"view": view})


async def resolve(request: Request) -> Response:
    """Settle values that are held: the fields are `side` and any number of `slot`."""
    site = site_of(request)
    record = await _record(site, request.path_params["ref"])
    entries = await about(site.desk.store, record.ref)
    side, count = await settle(request, entries)
    return back(f"/initiatives/{quote(str(record.ref), safe=':')}", side, count)


async def _record(site: Site, text: str) -> Record:
    try:
        found = await site.desk.store.record(Ref.parse(text))
    except ValueError:
        found = None
    if found is None or found.ref.instance not in site.desk.config.instances:
        raise HTTPException(404)
    return found
