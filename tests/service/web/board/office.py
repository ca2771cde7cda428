"""The dashboard of the small company: asked for as a browser does, and clicked through by its own
forms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from opsync.config import Config
from opsync.engine.undoing import is_run, writes_of
from opsync.engine.undoing import undo as undo_writes
from opsync.engine.undone import ShownBack, insist, shown_back
from opsync.errors import ConfigError
from opsync.runtime import Clock
from opsync.service.desk import Standing
from opsync.service.web.app import dashboard
from opsync.service.web.guarded import Guarded
from opsync.store import Store
from tests.service.web.pages import OURS, READ_TOKEN, SECRET, TOKEN, asking, bearer
from tests.support.world import World


@dataclass
class Office:
    """A desk over the company: what the service would be asked for is done at once, or noted."""

    world: World
    store: Store
    standing: Mapping[str, Standing] = field(default_factory=dict)
    noted: list[str] = field(default_factory=list)
    refused: str = ""

    @property
    def config(self) -> Config:
        return self.world.config()

    @property
    def clock(self) -> Clock:
        return self.world.clock

    async def changed(self) -> None:
        self.noted.append("changed")

    async def undo(self, what: str, by: str) -> ShownBack:
        async with self.world.session("undo") as session:
            named: Any = {"run": int(what)} if is_run(what) else {"change": what}
            rows = await writes_of(session.store, **named)
            if not rows:
                raise ConfigError(f"{what} wrote nothing", hint="Look into the journal.")
            found = await undo_writes(
                session, rows, why=f"undo of {what}", by=by, command=f"opsync undo {what}"
            )
            return insist(await shown_back(session.config, session.store, found))

    async def read_now(self, instance: str) -> None:
        self.noted.append(f"read {instance}")

    def state(self) -> Mapping[str, Standing]:
        return self.standing


@dataclass
class Button:
    """A button with the form that it sends."""

    name: str
    action: str
    fields: list[tuple[str, str]]


class Shown(HTMLParser):
    """A page as somebody sees it: its text, and what can be clicked."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.status = answer.status_code
        self.html = answer.text
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.buttons: list[Button] = []
        self._texts: list[str] = []
        self._form: Button | None = None
        self._in: Button | None = None
        self._named = False
        self.feed(answer.text)

    @property
    def text(self) -> str:
        """All words on it, with single spaces."""
        return " ".join(" ".join(self._texts).split())

    def links(self) -> list[str]:
        """Where its links lead."""
        return [given["href"] for tag, given in self.tags if tag == "a"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag == "form":
            assert given["method"] == "post"
            self._form = Button("", given["action"], [])
        elif tag == "input" and self._form is not None:
            self._form.fields.append((given["name"], given["value"]))
        elif tag == "button" and self._form is not None:
            own = [(given["name"], given["value"])] if "name" in given else []
            action = given.get("formaction", self._form.action)
            self._in = Button(given.get("aria-label", ""), action, [*self._form.fields, *own])
            self._named = "aria-label" in given
            self.buttons.append(self._in)

    def handle_endtag(self, tag: str) -> None:
        self._form = None if tag == "form" else self._form
        self._in = None if tag == "button" else self._in

    def handle_data(self, data: str) -> None:
        self._texts.append(data)
        if self._in is not None and not self._named:
            self._in.name += data.strip()


@dataclass
class Visitor:
    """Somebody with a browser."""

    client: httpx.AsyncClient
    office: Office
    app: Guarded

    async def see(self, path: str) -> Shown:
        """A page."""
        return Shown(await self.client.get(path, headers={"accept": "text/html"}))

    async def click(self, page: Shown, name: str) -> Shown:
        """What is shown after a click on the one button of this name."""
        (found,) = [one for one in page.buttons if one.name == name]
        return await self.send(found.action, found.fields)

    async def send(self, action: str, fields: list[tuple[str, str]]) -> Shown:
        """What is shown after a form was sent."""
        answer = await self.client.post(
            action,
            content=str(httpx.QueryParams(fields)),
            headers={
                **OURS,
                "accept": "text/html",
                "content-type": "application/x-www-form-urlencoded",
            },
        )
        if answer.status_code == 303:
            return await self.see(answer.headers["location"])
        return Shown(answer)


@asynccontextmanager
async def visiting(world: World, *, token: str = TOKEN) -> AsyncIterator[Visitor]:
    """Somebody at the dashboard of `world`, who may decide unless their token says otherwise."""
    access = {"token": TOKEN, "read_token": READ_TOKEN}
    world.raw.setdefault("service", {})["access"] = access
    store = Store.open(world.store_path, clock=world.clock)
    try:
        office = Office(world, store)
        app = dashboard(office, secret=SECRET, local="cleo")
        async with asking(app, **bearer(token)) as client:
            yield Visitor(client, office, app)
    finally:
        await store.close()
