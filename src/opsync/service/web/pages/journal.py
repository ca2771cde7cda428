"""GET /journal: what was written; POST: put back what stood before a run or a change."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from opsync.engine.lookup import Lookup
from opsync.engine.undoing import is_change, is_run
from opsync.engine.wrote import Wrote, wrote
from opsync.errors import ConfigError
from opsync.service.web.forms import sent
from opsync.service.web.pages.plan import number
from opsync.service.web.said import back
from opsync.service.web.site import site_of
from opsync.service.web.views.journal import PAGE, journal
from opsync.store import Store


async def show(request: Request) -> Response:
    """The page; `?run=12` shows that run only, `?before=830` what is older."""
    site = site_of(request)
    config = site.desk.config
    run, before = number(request, "run"), number(request, "before")

    async def found(store: Store) -> list[Wrote]:
        rows = await store.journal(run=run or None, before=before or None, limit=PAGE + 1)
        return await wrote(Lookup(config, store), rows)

    view = journal(await site.desk.store.look(found), config.zone, run)
    return await site.page(request, "journal.html", {"view": view, "first": not before})


async def undo(request: Request) -> Response:
    """Take back what the field `what` names: a run or a change."""
    site = site_of(request)
    what = sent(request).get("what")
    if not (is_run(what) or is_change(what)):
        raise ConfigError("this names no run and no change", hint="Load the journal again.")
    found = await site.desk.undo(what, request.state.actor.name)
    await site.desk.changed()
    return back("/journal", "undone" if found.done else "nothing", len(found.done))
