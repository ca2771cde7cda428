"""GET /links: pairs to review, what was decided; POST: accept, reject, take back, look anew."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from opsync.config import Config
from opsync.engine.belonging import suggested
from opsync.engine.deciding import Deciding
from opsync.engine.lookup import Lookup
from opsync.errors import ConfigError
from opsync.model import Ref, Verdict
from opsync.runtime import Clock
from opsync.service.web.forms import sent
from opsync.service.web.said import back
from opsync.service.web.seen import insist_as_seen
from opsync.service.web.site import site_of
from opsync.service.web.views.links import MOST, LinksPage, links
from opsync.store import Store

_AGAIN = "Load the page again."


async def show(request: Request) -> Response:
    """The page."""
    site = site_of(request)
    config = site.desk.config
    view = await site.desk.store.look(lambda store: _view(config, store))
    return await site.page(request, "links.html", {"view": view})


async def _view(config: Config, store: Store) -> LinksPage:
    look = Lookup(config, store)
    open_ = await store.suggestions()
    decisions = await store.decisions()
    latest = sorted(decisions, key=lambda one: one.at, reverse=True)[:MOST]
    await look.learn({ref for each in open_[:MOST] for ref in (each.one, each.two)})
    await look.learn({ref for one in latest for ref in (one.one, one.two)})
    items = {}
    for one in latest:
        items[one.one] = await look.remembered(one.one, one.one_name)
        items[one.two] = await look.remembered(one.two, one.two_name)
    found = await suggested(look, open_[:MOST])
    return links(found, len(open_), decisions, items, config.zone)


async def accept(request: Request) -> Response:
    """The items of a suggestion belong together."""
    return await _decide(request, "accepted")


async def reject(request: Request) -> Response:
    """They do not, and are not suggested again."""
    return await _decide(request, "rejected")


async def forget(request: Request) -> Response:
    """Take a decision back, so that the pair may be suggested again."""
    store, form = site_of(request).desk.store, sent(request)
    try:
        one, two = Ref.parse(form.get("one")), Ref.parse(form.get("two"))
    except ValueError:
        raise ConfigError("this names no pair", hint=_AGAIN) from None
    decided = await store.decision(one, two)
    insist_as_seen([] if decided is None else [decided], form)
    await store.undecide(one, two)
    await site_of(request).desk.changed()
    return back("/links", "forgotten")


async def look_again(request: Request) -> Response:
    """Look for pairs anew in what was read. It takes a thread of its own: pages go on meanwhile."""
    site = site_of(request)
    desk = site.desk
    count = await asyncio.to_thread(_look, desk.config, desk.clock)
    return back("/links", "looked", count)


def _look(config: Config, clock: Clock) -> int:
    # Its index of words costs an import that no other page needs.
    from opsync.engine.suggesting import look_anew

    async def look(store: Store) -> int:
        await look_anew(config, store, clock.now())
        return await store.suggested()

    return Store.at_once(config.store, clock, look)


async def _decide(request: Request, verdict: Verdict) -> Response:
    site = site_of(request)
    desk = site.desk
    wanted = sent(request).all("id")
    found = [one for id_ in wanted[:MOST] for one in await desk.store.suggestion(id_)]
    decided = [await desk.store.decision(one.one, one.two) for one in found]
    if not found or len(found) != len(wanted) or any(decided):
        raise ConfigError(
            "this is not suggested any more, or somebody has decided about it", hint=_AGAIN
        )
    deciding = Deciding(desk.config, desk.store, by=request.state.actor.name, at=site.now())
    await desk.store.decide([await deciding.about(one, verdict, None, "") for one in found])
    await desk.changed()
    return back("/links", verdict, len(found))
