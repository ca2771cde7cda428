"""What all pages share: the desk they look at, the templates, and how a page is put together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from opsync.engine.catalog import Catalog
from opsync.engine.overview import connections, proposing, refused
from opsync.service.desk import Desk
from opsync.service.web.actor import Actor
from opsync.service.web.forms import csrf_token
from opsync.service.web.refusals import Refusal
from opsync.service.web.said import said
from opsync.service.web.views.frame import Glance, frame
from opsync.steps.watching import watched

HERE = Path(__file__).parent
STATIC = {
    "dashboard.css": "text/css; charset=utf-8",
    "dashboard.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""The files that pages load, by name."""
RUNS = 10


class Site:
    """One dashboard. Its templates are compiled once, its files read once."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.files = {name: (HERE / "static" / name).read_bytes() for name in STATIC}
        self._versions = {
            name: blake2b(body, digest_size=6).hexdigest() for name, body in self.files.items()
        }
        self._glance: tuple[str, Glance] | None = None

    @cached_property
    def _templates(self) -> Environment:
        found = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        found.globals["static"] = self.static
        found.filters["path"] = lambda text: quote(text, safe=":")
        return found

    def static(self, name: str) -> str:
        """The address of a file: another one once the file is another one."""
        return f"/static/{name}?v={self._versions[name]}"

    def template(self, name: str) -> Template:
        """A compiled template."""
        return self._templates.get_template(name)

    def now(self) -> datetime:
        """The time, by the desk's clock."""
        return self.desk.clock.now()

    async def glance(self, now: datetime) -> Glance:
        """How things stand in few numbers; found anew once anything in the store has changed."""
        config, store = self.desk.config, self.desk.store
        key = f"{await store.revision()} {now:%Y-%m-%dT%H:%M}"
        if self._glance is None or self._glance[0] != key:
            alarms = await watched(config, store, now)
            over = refused(await store.last_runs(RUNS))
            cursors, counts = await store.cursors(), await store.counts()
            waiting = {
                **await store.waiting(await proposing(config, store)),
                "suggested": await store.suggested(),
            }
            standing = connections(config, Catalog(config), cursors, counts, over, alarms)
            found = Glance(
                waiting=waiting,
                connections=standing,
                alarms=alarms,
                paused=(await store.pauses()).found,
            )
            self._glance = key, found
        return self._glance[1]

    async def page(
        self,
        request: Request,
        template: str,
        values: Mapping[str, Any],
        *,
        status: int = 200,
        glance: Glance | None = None,
    ) -> Response:
        """A whole page. `values` are what its template lays out."""
        actor: Actor = request.state.actor
        found = glance or await self.glance(self.now())
        html = self.template(template).render(
            **values,
            frame=frame(found, request.url.path),
            actor=actor,
            decides=actor.decides,
            said=said(request),
            csrf=csrf_token(request),
        )
        return HTMLResponse(html, status_code=status)

    def dress(self, request: Request, refusal: Refusal) -> str:
        """A refusal in the look of the pages. It needs no store: that may be what fails."""
        return self.template("trouble.html").render(refusal=refusal)


def site_of(request: Request) -> Site:
    """The site that a request is for."""
    found: Site = request.app.state.site
    return found
