"""GET /initiatives/REF: all about one initiative; POST: say whose value is to stand."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from opsync.config import Config
from opsync.engine.explain import Explainer
from opsync.engine.owning import about
from opsync.model import Record, Ref
from opsync.service.web.pages.settling import settle
from opsync.service.web.said import back
from opsync.service.web.site import site_of
from opsync.service.web.views.initiative import InitiativePage, initiative
from opsync.service.web.views.values import say
from opsync.store import Store


async def show(request: Request) -> Response:
    """The page."""
    site = site_of(request)
    config, now, text = site.desk.config, site.now(), request.path_params["ref"]
    view = await site.desk.store.look(lambda store: _view(config, store, now, text))
    return await site.page(request, "initiative.html", {"view": view})


async def _view(config: Config, store: Store, now: datetime, text: str) -> InitiativePage:
    record = await _record(config, store, text)
    found = await Explainer(config, store).explain(record, now)
    histories = {one.rule: await store.history(one.rule, record.ref) for one in found.summaries}
    people = say(await about(store, record.ref))
    return initiative(found, histories, people, now, config.zone)


async def resolve(request: Request) -> Response:
    """Settle values that are held: the fields are `side` and any number of `slot`."""
    desk = site_of(request).desk
    record = await _record(desk.config, desk.store, request.path_params["ref"])
    entries = await about(desk.store, record.ref)
    side, count = await settle(request, entries)
    return back(f"/initiatives/{quote(str(record.ref), safe=':')}", side, count)


async def _record(config: Config, store: Store, text: str) -> Record:
    try:
        found = await store.record(Ref.parse(text))
    except ValueError:
        found = None
    if found is None or found.ref.instance not in config.instances:
        raise HTTPException(404)
    return found
