"""Nobody looks or decides who may not, on any route of the dashboard."""

from __future__ import annotations

from opsync.service.web.app import routes
from tests.service.web.board.office import Visitor
from tests.service.web.walking import shapes, walk


async def test_who_is_let_in_where(ben: Visitor) -> None:
    store, app = ben.office.store, ben.app
    # A line to an open page would have no end.
    await app.pages.state.listening.close()

    async def kept() -> object:
        return await store.approvals(), await store.decisions(), await store.entries()

    wrong = await walk(
        app,
        routes(),
        given={"ref": f"notion:page:{ben.office.world.checkout.id}", "name": "icon.svg"},
        sent={"connection": "notion", "what": "1"},
        kept=kept,
    )

    assert wrong == []


def test_every_route_says_what_it_needs() -> None:
    assert shapes(routes()) == []
