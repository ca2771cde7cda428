"""What all pages share: the desk they look at, the templates, and how a page is put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from opsync.config import Config
from opsync.engine.catalog import Catalog
from opsync.engine.digest import Week, week
from opsync.engine.disagreeing import Disagreeing
from opsync.engine.lookup import Lookup
from opsync.engine.overview import Overview, connections, overview, proposing, refused
from opsync.service.desk import Desk
from opsync.service.web.actor import Actor
from opsync.service.web.forms import csrf_token
from opsync.service.web.refusals import Refusal
from opsync.service.web.said import said
from opsync.service.web.views.frame import Glance, frame, glance_of
from opsync.service.web.views.initiatives import SPAN, Trends
from opsync.steps.watching import watched
from opsync.store import Store

HERE = Path(__file__).parent
STATIC = {
    "dashboard.css": "text/css; charset=utf-8",
    "dashboard.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""The files that pages load, by name."""
RUNS = 10


class Portfolio(Struct, frozen=True):
    """All initiatives, how their numbers went, and the last seven days by team, "" for all."""

    found: Overview
    trends: Trends
    weeks: Mapping[str, Week]


class Site:
    """One dashboard. Its templates are compiled once, its files read once."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.files = {name: (HERE / "static" / name).read_bytes() for name in STATIC}
        self._versions = {
            name: blake2b(body, digest_size=6).hexdigest() for name, body in self.files.items()
        }
        self._key = ""
        self._glance: Glance | None = None
        self._portfolio: Portfolio | None = None

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

    def forget(self) -> None:
        """Look everything up anew with the next page."""
        self._key, self._glance, self._portfolio = "", None, None

    async def _stands(self, now: datetime) -> None:
        """Forget what was found once anything in the store has changed, or a minute is over."""
        key = f"{await self.desk.store.revision()} {now:%Y-%m-%dT%H:%M}"
        if key != self._key:
            self.forget()
            self._key = key

    async def portfolio(self, now: datetime, *teams: str) -> Portfolio:
        """All initiatives, with the week of these teams, as far as initiatives count their work."""
        await self._stands(now)
        known = self._portfolio
        if known is None or any(_tells(self.desk.config, known, team) for team in teams):
            config = self.desk.config
            known = await self.desk.store.look(
                lambda store: _portfolio(config, store, now, known, teams)
            )
            self._portfolio = known
        return known

    async def glance(self, now: datetime) -> Glance:
        """How things stand in few numbers."""
        await self._stands(now)
        if self._glance is None:
            if self._portfolio is not None:
                self._glance = glance_of(self._portfolio.found)
            else:
                config = self.desk.config
                self._glance = await self.desk.store.look(lambda store: _look(config, store, now))
        return self._glance

    async def page(
        self,
        request: Request,
        template: str,
        values: Mapping[str, Any],
    ) -> Response:
        """A whole page. `values` are what its template lays out."""
        actor: Actor = request.state.actor
        found = await self.glance(self.now())
        html = self.template(template).render(
            **values,
            frame=frame(found, request.url.path, self.desk.refused),
            actor=actor,
            decides=actor.decides,
            said=said(request),
            csrf=csrf_token(request),
        )
        return HTMLResponse(html)

    def dress(self, request: Request, refusal: Refusal) -> str:
        """A refusal in the look of the pages. It needs no store: that may be what fails."""
        return self.template("trouble.html").render(refusal=refusal)


def _tells(config: Config, known: Portfolio, team: str) -> bool:
    """Whether there is a week of this team, and nobody asked for it yet."""
    if team in known.weeks or any(one.private and one.name == team for one in config.teams):
        return False
    return not team or any(team in one.teams for one in known.found.initiatives)


async def _portfolio(
    config: Config, store: Store, now: datetime, known: Portfolio | None, teams: Sequence[str]
) -> Portfolio:
    disagreeing = Disagreeing(Lookup(config, store), now.astimezone(config.zone).date())
    if known is None:
        found = await overview(config, store, now, disagreeing=disagreeing)
        known = Portfolio(found, await store.trends(now - SPAN), {})
    found = known.found
    weeks = {
        team: await week(config, store, now, team=team, found=found, disagreeing=disagreeing)
        for team in teams
        if _tells(config, known, team)
    }
    return Portfolio(found, known.trends, {**known.weeks, **weeks})


async def _look(config: Config, store: Store, now: datetime) -> Glance:
    alarms = await watched(config, store, now)
    over = refused(await store.last_runs(RUNS))
    cursors, counts = await store.cursors(), await store.counts()
    waiting = await store.waiting(await proposing(config, store))
    return Glance(
        waiting={**waiting, "suggested": await store.suggested()},
        connections=connections(config, Catalog(config), cursors, counts, over, alarms),
        alarms=alarms,
        paused=(await store.pauses()).found,
    )


def site_of(request: Request) -> Site:
    """The site that a request is for."""
    found: Site = request.app.state.site
    return found
