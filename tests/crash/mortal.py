"""A company whose opsync dies at a request that the test chooses, in one process."""

from __future__ import annotations

from typing import Literal

import httpx

from tests.crash.standing import Standing, Tools, standing
from tests.support.world import World, jira_url

When = Literal["before", "after"]
"""Relative to what the vendor does."""


class ByHost(httpx.AsyncBaseTransport):
    """Leads each host to its simulator."""

    def __init__(self, hosts: dict[str, httpx.AsyncBaseTransport]) -> None:
        self.hosts = hosts

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.hosts[request.url.host].handle_async_request(request)


class Died(BaseException):
    """The process is gone: nothing in opsync can catch that."""


class Mortal(httpx.AsyncBaseTransport):
    """Leads on to the simulators until the chosen request, and answers nothing after it."""

    def __init__(self, inner: httpx.AsyncBaseTransport, chosen: int | None, when: When) -> None:
        self.inner = inner
        self.chosen = chosen
        self.when = when
        self.count = 0
        self.dead = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.dead:
            raise Died
        self.count += 1
        if self.count != self.chosen:
            return await self.inner.handle_async_request(request)
        self.dead = True
        if self.when == "after":
            response = await self.inner.handle_async_request(request)
            await response.aread()
        raise Died


class MortalWorld(World):
    """The small company, whose opsync dies at a chosen request of its next pass."""

    def what_stands(self) -> Standing:
        return standing(Tools(self.jira, self.linear, self.notion, self.source))

    async def die(self, chosen: int | None, when: When = "after") -> int:
        """One pass that dies at the chosen request (None: never). Returns how many it made."""
        alive = self.net.hosts
        mortal = Mortal(ByHost(alive), chosen, when)
        self.net.hosts = dict.fromkeys(alive, mortal)
        try:
            await self.sync()
        except Died:
            assert mortal.dead
        else:
            assert not mortal.dead, "the pass went on after its death"
        finally:
            self.net.hosts = alive
        return mortal.count

    def edit(self) -> None:
        """What people do in an hour: work is done, a mention comes and a mention goes."""
        self.clock.advance(3600)
        self.jira.poke_move("PAY-3", "done")
        self.linear.poke_move("GRO-2", "done")
        self.linear.poke_edit("GRO-3", "description", f"Waits for {jira_url('PAY-4')}")
        self.page("Refunds", jira_url("PAY-4"))
        self.notion.edit_page(self.loyalty, "Tracked in", "nothing yet")

    async def check_repair(self, wanted: Standing) -> None:
        """The next pass brings everything about, once, and the one after it is silent."""
        await self.sync()
        found = self.what_stands()
        assert found.doubled == []
        assert found == wanted
        await self.silent()
        assert self.what_stands() == wanted
        async with self.session() as session:
            await session.store.check()
