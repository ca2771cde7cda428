"""The simulated Notion workspace: a world to build, and pokes as people would make them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.applications import Starlette

from opsync.sandbox.notion import webhooks
from opsync.sandbox.notion.cells import typed_by_person
from opsync.sandbox.notion.problems import invalid
from opsync.sandbox.notion.query import RESULT_LIMIT, Cursor
from opsync.sandbox.notion.state import SEED, Database, DataSource, Page, State, User
from opsync.sandbox.notion.values import READ_ONLY_TYPES, Value
from opsync.sandbox.vendor import AmbiguousItem, Budget, Vendor, utc_now

REQUESTS_PER_WINDOW = 180
WINDOW_S = 60.0
"""Three requests a second on average, spendable in one burst."""

_GROUP_OF = {"todo": "To-do", "in_progress": "In progress", "done": "Complete"}
_HEX32 = re.compile(r"[0-9a-f]{32}$")


@dataclass
class Cursors:
    """The cursors given out, so that a made-up one is refused."""

    given: dict[str, tuple[str, Cursor]] = field(default_factory=dict)
    """Cursor id to the listing it belongs to and the place in it."""

    def give(self, place: Cursor | None, listing: str, state: State) -> str | None:
        """The id under which `place` is kept, or None at the end of a listing."""
        if place is None:
            return None
        cursor_id = state.new_id("cursor")
        self.given[cursor_id] = (listing, place)
        return cursor_id

    def open(self, cursor_id: object, listing: str) -> Cursor | None:
        """The place behind a cursor of this very listing. Raises Problem for any other."""
        if cursor_id is None:
            return None
        kept, place = self.given.get(str(cursor_id), ("", None))
        if place is None or kept != listing:
            raise invalid(f"The start_cursor provided is invalid: {cursor_id}")
        return place


class NotionWorkspace(Vendor):
    """A workspace with one connection, "opsync", whose token is `token`.

    Ids follow from `seed` and the order of the calls. Times are kept exactly and shown to the
    minute, as the vendor does.
    """

    name = "notion"
    scopes = (
        "read content",
        "update content",
        "insert content",
        "user information",
        "email addresses",
    )

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = utc_now,
        limit_factor: int = 1,
        token: str = "ntn_sandbox",  # noqa: S107 -- the sandbox's own, worth nothing elsewhere
        workspace_name: str = "Harbor",
        seed: int = SEED,
    ) -> None:
        super().__init__(now=now, limit_factor=limit_factor)
        self.hooks = webhooks.hooks_of(self)
        self.token = token
        self.workspace_name = workspace_name
        self.state = State(seed)
        self.workspace_id = self.state.new_id("workspace")
        self.bot = User(self.state.new_id("bot"), "opsync")
        self.state.users[self.bot.id] = self.bot
        self.budget = Budget(REQUESTS_PER_WINDOW * limit_factor, WINDOW_S, now)
        self.cursors = Cursors()
        self.result_limit = RESULT_LIMIT
        self._app: Starlette | None = None

    @property
    def app(self) -> Starlette:
        """The HTTP surface; paths begin with /v1."""
        if self._app is None:
            from opsync.sandbox.notion.api import build_app

            self._app = build_app(self)
        return self._app

    def add_user(self, name: str, email: str) -> User:
        """A person of the workspace."""
        user = User(self.state.new_id("user"), name, email)
        self.state.users[user.id] = user
        return user

    def add_database(
        self,
        title: str,
        *,
        properties: Mapping[str, dict[str, Any]],
        created: datetime | None = None,
    ) -> Database:
        """A database with one data source. `properties` are schemas in the API's shape."""
        database = Database(self.state.new_id("database"), title, created or self.now())
        self.state.databases[database.id] = database
        self.add_data_source(database, title, properties)
        return database

    def add_data_source(
        self, database: Database, name: str, properties: Mapping[str, dict[str, Any]]
    ) -> DataSource:
        """One more table in `database`; a title column "Name" is added when none is given."""
        owner = self.person()
        source = DataSource(
            id=self.state.new_id("data_source"),
            database_id=database.id,
            name=name,
            schema=self.state.new_schema(),
            created=database.created,
            updated=database.created,
            created_by=owner.id,
            updated_by=owner.id,
        )
        if not any("title" in (*d, d.get("type")) for d in properties.values()):
            source.schema.add("Name", {"title": {}})
        for column, definition in properties.items():
            source.schema.add(column, definition)
        database.data_sources.append(source)
        self.state.data_sources[source.id] = source
        return source

    def add_page(
        self,
        data_source: DataSource,
        values: Mapping[str, object],
        *,
        created: datetime | None = None,
        updated: datetime | None = None,
        body: str | None = None,
        trashed: bool = False,
        archived: bool = False,
    ) -> Page:
        """A row, as a person made it. `values` by column name, see `typed_by_person`."""
        made = created or self.now()
        owner = self.person()
        data_source.numbered += 1
        page = Page(
            id=self.state.new_id("page"),
            data_source=data_source,
            cells={},
            created=made,
            updated=updated or made,
            created_by=owner.id,
            updated_by=owner.id,
            body=body or "",
            trashed=trashed,
            archived=archived,
            number=data_source.numbered,
        )
        for name, value in values.items():
            self._set(page, name, value)
        self.state.pages[page.id] = page
        webhooks.tell_page(self, "page.created", page, owner.id)
        return page

    def person(self) -> User:
        """The first person of the workspace; the bot when there is none yet."""
        return next((u for u in self.state.users.values() if not u.is_bot), self.bot)

    def edit_page(self, page: Page, name: str, value: object, *, by: User | None = None) -> None:
        """Change one cell as a person does in the app."""
        with self.lock:
            self._set(page, name, value)
            self._touch(page, by)
            column = page.data_source.prop(name).id
            webhooks.tell_page(self, "page.properties_updated", page, page.updated_by, [column])

    def trash(self, page: Page) -> None:
        """Move a page to the trash, as a person."""
        with self.lock:
            page.trashed = True
            self._touch(page, None)
            webhooks.tell_page(self, "page.deleted", page, page.updated_by)

    def restore(self, page: Page) -> None:
        """Take a page out of the trash, as a person."""
        with self.lock:
            page.trashed = False
            self._touch(page, None)
            webhooks.tell_page(self, "page.undeleted", page, page.updated_by)

    def rename_property(self, data_source: DataSource, old: str, new: str) -> None:
        """Rename a column as a person; its id and the pages' times stay."""
        with self.lock:
            data_source.schema.rename(data_source.prop(old), new)
            data_source.updated = self.now()
            data_source.updated_by = self.person().id
            webhooks.tell_columns(self, data_source, self.person().id)

    def remove_property(self, data_source: DataSource, name: str) -> None:
        """Delete a column as a person, with every value in it."""
        with self.lock:
            prop = data_source.prop(name)
            data_source.schema.remove(prop)
            for page in self.state.pages_of(data_source):
                page.cells.pop(prop.raw_id, None)
            data_source.updated = self.now()
            webhooks.tell_columns(self, data_source, self.person().id)

    def _set(self, page: Page, name: str, value: object) -> None:
        prop = page.data_source.prop(name)
        cell: Value = typed_by_person(self.state, page.data_source.schema, prop, value)
        page.cells[prop.raw_id] = cell

    def _touch(self, page: Page, by: User | None) -> None:
        page.updated = self.now()
        page.updated_by = (by or self.person()).id

    def denies(self, *remote_ids: str) -> bool:
        """True when one of the objects is not shared with the connection."""
        denied = {i.replace("-", "") for i in self.faults.deny}
        return any(i.replace("-", "") in denied for i in remote_ids)

    def shows(self, page: Page) -> bool:
        """True when the page and what it lies in are shared with the connection."""
        return not self.denies(page.id, page.data_source.id, page.data_source.database_id)

    def counts(self) -> dict[str, int]:
        with self.lock:
            live = sum(1 for page in self.state.pages.values() if not page.trashed)
            return {"databases": len(self.state.databases), "pages": live}

    def find(self, item: str) -> str | None:
        """The id of the page that `item` names by id, URL or a piece of its title, or None.

        Raises AmbiguousItem when a piece of a title fits several.
        """
        with self.lock:
            page = self._page(item)
            return page.id if page else None

    def page(self, item: str) -> Page:
        """The page that `item` names, see `find`. LookupError when there is none."""
        with self.lock:
            page = self._page(item)
        if page is None:
            raise LookupError(f"Notion has no page {item!r}.")
        return page

    def poke_move(self, item: str, to: str) -> str:
        """Set the first status column of a page, as a person.

        `to` is a choice's name, or todo, in_progress, done, canceled for a choice of that group.
        ValueError: no such choice; LookupError: no such page.
        """
        page = self.page(item)
        columns = page.data_source.schema.properties.values()
        prop = next((p for p in columns if p.type == "status"), None)
        if prop is None:
            raise ValueError(f"{page.title!r} has no status column.")
        group = _GROUP_OF.get(to.casefold())
        option = prop.option(to) or prop.option(to.replace("_", " "))
        option = option or next((o for o in prop.options if o.group == group), None)
        if option is None:
            names = ", ".join(o.name for o in prop.options)
            raise ValueError(f"{to!r} is no status of {page.title!r}; there are {names}.")
        self.edit_page(page, prop.name, option.name)
        return f"Notion: {self.person().name} set {page.title} to {option.name}."

    def poke_webhook(self, do: str, what: Mapping[str, str]) -> str:
        """`subscribe` {url} and `verify` {token}, as people click them in Notion."""
        if do == "subscribe":
            hook = webhooks.subscribe(self, what.get("url", ""))
            return f"Notion: subscribed {hook.url}; it waits for its verification token."
        if do == "verify":
            hook = webhooks.verify(self, what.get("token", ""))
            return f"Notion: {hook.url} is verified."
        return super().poke_webhook(do, what)

    def poke_edit(self, item: str, field: str, value: object) -> str:
        """Set one column of a page, as a person; values as in `typed_by_person`.

        ValueError: no such column, or no such value in it; LookupError: no such page.
        """
        page = self.page(item)
        prop = page.data_source.schema.find(field)
        if prop is None or prop.type in READ_ONLY_TYPES:
            raise ValueError(f"{page.title!r} has no column {field!r} that people write.")
        if prop.type == "status" and prop.option(str(value)) is None:
            raise ValueError(f"{value!r} is no choice of {prop.name}.")
        if prop.type == "number" and isinstance(value, str):
            value = float(value)
        self.edit_page(page, prop.name, value)
        if value is None:
            return f"Notion: {self.person().name} emptied {prop.name} of {page.title}."
        return f"Notion: {self.person().name} set {prop.name} of {page.title} to {value!r}."

    def _page(self, item: str) -> Page | None:
        plain_id = item.split("?", 1)[0].split("#", 1)[0].replace("-", "").lower()
        match = _HEX32.search(plain_id)
        pages = list(self.state.pages.values())
        if match:
            return next((p for p in pages if p.id.replace("-", "") == match.group()), None)
        wanted = item.casefold()
        live = [p for p in pages if not p.trashed]
        exact = [p for p in live if p.title.casefold() == wanted]
        fitting = exact or [p for p in live if wanted and wanted in p.title.casefold()]
        if len(fitting) > 1:
            some = ", ".join(repr(p.title) for p in fitting[:3])
            raise AmbiguousItem(f"Notion has {len(fitting)} pages like {item!r}: {some}.")
        return fitting[0] if fitting else None
