"""GET /connections: how each stands; POST: stop its writes, let them go on, read it now."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from opsync.engine.overview import last_run
from opsync.engine.setaside import set_aside
from opsync.errors import ConfigError
from opsync.model.pause import ALL
from opsync.service.web.forms import sent
from opsync.service.web.said import back
from opsync.service.web.site import Site, site_of
from opsync.service.web.views.connections import connections


async def show(request: Request) -> Response:
    """The page."""
    site = site_of(request)
    config, store, now = site.desk.config, site.desk.store, site.now()
    glance = await site.glance(now)
    runs = await store.last_runs(1)
    view = connections(
        glance.connections,
        glance.alarms,
        glance.paused,
        [one.shown for one in await set_aside(config, store, now)],
        site.desk.state(),
        {name: one.settings.token_expires for name, one in config.instances.items()},
        last_run(runs[0]) if runs else None,
        now,
        config.zone,
        refused=site.desk.refused,
    )
    return await site.page(request, "connections.html", {"view": view})


async def pause(request: Request) -> Response:
    """Stop all writes of a connection, or of all of them. A run stops before its next write."""
    site = site_of(request)
    name = _named(request, site)
    await site.desk.store.pause(name, by=request.state.actor.name, at=site.now())
    return back("/connections", "paused")


async def resume(request: Request) -> Response:
    """Permit them again."""
    site = site_of(request)
    await site.desk.store.unpause(_named(request, site))
    await site.desk.changed()
    return back("/connections", "resumed")


async def read_now(request: Request) -> Response:
    """Have a connection read now."""
    site = site_of(request)
    name = _named(request, site)
    if name == ALL:
        raise ConfigError("no connection is named", hint="Load the page again.")
    await site.desk.read_now(name)
    return back("/connections", "reading")


def _named(request: Request, site: Site) -> str:
    """The connection that a form names, or `ALL`. ConfigError: there is none of this name."""
    name = sent(request).get("connection", "?")
    if name != ALL and name not in site.desk.config.instances:
        raise ConfigError("there is no connection of this name", hint="Load the page again.")
    return name
