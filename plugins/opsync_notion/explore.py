"""What `opsync init` and `opsync statuses` ask of Notion. Reads only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from opsync import (
    BadAnswer,
    Category,
    Choice,
    FirstRead,
    Grant,
    Guess,
    StatusWord,
)
from opsync_notion import guessing, scope
from opsync_notion.dialect import (
    READ_HINT,
    SHARE_HINT,
    UPDATE_HINT,
    USERS_HINT,
    MissingCapability,
)
from opsync_notion.ids import dashed, parse_id
from opsync_notion.queries import decode_rows
from opsync_notion.schema import View
from opsync_notion.tables import Tables
from opsync_notion.texts import plain
from opsync_notion.wire import (
    DatabaseObject,
    DataSourceObject,
    Option,
    Page,
    Parent,
    QueryAnswer,
    Run,
    User,
)

if TYPE_CHECKING:
    from opsync import Answer, Client

PAGE = 100
"""Objects in one page, the most that Notion gives."""
COUNTED_PAGES = 3
"""So many pages of a data source are counted; beyond, there are at least so many."""
PAGE_S = 0.6
"""What one page of a query takes; vendors answer in 0.2 to 0.6 s, and full pages are slow ones."""
HEADROOM = 0.8
"""The share of the limit that opsync uses."""


class _Found(Struct, frozen=True):
    """A data source as a search shows it."""

    id: str
    title: list[Run] = []
    parent: Parent | None = None
    in_trash: bool | None = None
    archived: bool | None = None


class _Search(Struct, frozen=True):
    results: list[_Found]
    next_cursor: str | None = None
    has_more: bool = False


class _Users(Struct, frozen=True):
    results: list[User] = []


class Explorer:
    """Looks at one workspace. `choices` and `grants` do not ask for the configured data sources."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    @property
    def _http(self) -> Client:
        return self._tables.http

    async def grants(self) -> AsyncIterator[Grant]:
        """What the connection may do. Three requests.

        Making columns takes nothing but "Update content": a schema update asks for it
        (https://developers.notion.com/reference/update-a-data-source).
        """
        await self._http.read("GET", "/v1/users/me")
        try:
            shared = bool((await self._search("", size=1)).results)
        except MissingCapability:
            yield Grant("Read content", "read", False, "databases and their pages", READ_HINT)
            yield Grant("Content access", "read", None, "the roadmap's database", SHARE_HINT)
        else:
            yield Grant("Read content", "read", True, "databases and their pages", READ_HINT)
            yield Grant("Content access", "read", shared, "the roadmap's database", SHARE_HINT)
        told = await tells_addresses(self._http)
        what = "owners, and who is who in other tools"
        yield Grant("User information", "read", told, what, USERS_HINT, vital=False)
        what = "opsync's own columns, and what stands in them"
        yield Grant("Update content", "write", None, what, UPDATE_HINT)

    async def choices(self) -> Sequence[Choice]:
        """The data sources that are shared with the connection, by name."""
        found = [one for one in await self._all_shared() if not (one.in_trash or one.archived)]
        together: dict[str, int] = {}
        for one in found:
            together[_database(one)] = together.get(_database(one), 0) + 1
        titles = {
            id_: await self._title(id_) for id_, count in together.items() if id_ and count > 1
        }
        choices = []
        for one in found:
            database = titles.get(_database(one), "")
            note = f"of the database {database}" if database else ""
            choices.append(Choice(dashed(one.id), plain(one.title) or "Untitled", note))
        return sorted(choices, key=lambda choice: (choice.name.casefold(), choice.id))

    async def _all_shared(self) -> list[_Found]:
        found: list[_Found] = []
        cursor = ""
        used = {cursor}
        while True:
            page = await self._search(cursor)
            found += page.results
            if not page.has_more:
                return found
            cursor = page.next_cursor or ""
            if cursor in used:
                raise BadAnswer("Notion's search goes in circles.")
            used.add(cursor)

    async def _search(self, cursor: str, size: int = PAGE) -> _Search:
        body: dict[str, object] = {
            "filter": {"property": "object", "value": "data_source"},
            "page_size": size,
        }
        if cursor:
            body["start_cursor"] = cursor
        return (await self._http.read("POST", "/v1/search", json=body)).decode(_Search)

    async def _title(self, database: str) -> str:
        answer = await self._http.read("GET", f"/v1/databases/{database}")
        return plain(answer.decode(DatabaseObject).title)

    async def guesses(self) -> Sequence[Guess]:
        """What each column of the configured data sources is taken for, by name and content."""
        found: list[Guess] = []
        async for source, view in self._sources():
            answer = await self._query(
                view, source, guessing.LOOKED_AT, [{"timestamp": _EDITED, "direction": _LAST_FIRST}]
            )
            rows = decode_rows(answer.decode(QueryAnswer).results)
            pages = [row for row in rows if isinstance(row, Page)]
            found += guessing.guesses(view, [p for p in pages if not scope.is_private(view, p)])
        return found

    async def first_read(self) -> FirstRead:
        """How many pages there are: counted as far as a few requests do."""
        settings = self._tables.settings
        items, requests, more = 0, 0, False
        async for source, view in self._sources():
            count, cut = await self._count(view, source)
            items += count
            more = more or cut
            # Its columns, its pages, the archived ones, the trash.
            requests += 1 + max(1, -(-count // PAGE)) + 2
            requests += count if settings.read_body else 0
        for block in settings.data_sources:
            # Which data source it is: a database tells it, a data source's id is asked for as both.
            configured = parse_id(block.id)
            requests += 2 if self._tables.memory.resolved(configured) == (configured,) else 1
        pace_s = 60.0 / (HEADROOM * settings.requests_per_minute)
        at_once = HEADROOM * settings.requests_per_minute
        seconds = max(requests * PAGE_S, (requests - at_once) * pace_s)
        return FirstRead(items, requests, seconds, more)

    async def _count(self, view: View, source: DataSourceObject) -> tuple[int, bool]:
        """How many pages are in scope, and whether there are more."""
        count, cursor = 0, ""
        for _ in range(COUNTED_PAGES):
            answer = await self._query(view, source, PAGE, [], cursor=cursor, columns=("title",))
            found = answer.decode(QueryAnswer)
            count += len(decode_rows(found.results))
            cursor = found.next_cursor or ""
            if not found.has_more or not cursor:
                return count, False
        return count, True

    async def status_words(self) -> Sequence[StatusWord]:
        """The options of each data source's status column."""
        words: list[StatusWord] = []
        async for source, view in self._sources():
            column = view.table.by_id(view.status) if view.status else None
            prop = source.properties.get(column.name) if column else None
            if column is None or prop is None:
                continue
            choices = prop.status or prop.select
            for option in choices.options if choices else ():
                own = column.categories.get(option.id, Category.unknown)
                words.append(_word(option, own, view))
        return words

    async def _sources(self) -> AsyncIterator[tuple[DataSourceObject, View]]:
        """Each configured data source, with its schema and how it is read."""
        for block in self._tables.settings.data_sources:
            for id_ in await self._tables.resolve(block, again=True):
                source, view = await self._tables.look(id_, rejudge=True)
                scope.check(view)
                yield source, view

    async def _query(
        self,
        view: View,
        source: DataSourceObject,
        size: int,
        sorts: Sequence[Mapping[str, str]],
        *,
        cursor: str = "",
        columns: Sequence[str] = (),
    ) -> Answer:
        """One page of the rows in scope."""
        body: dict[str, object] = {"page_size": size, "result_type": "page"}
        if sorts:
            body["sorts"] = list(sorts)
        if conditions := scope.conditions(view, source):
            body["filter"] = conditions[0] if len(conditions) == 1 else {"and": list(conditions)}
        if cursor:
            body["start_cursor"] = cursor
        params = [("filter_properties", column) for column in columns]
        path = f"/v1/data_sources/{view.data_source}/query"
        return await self._http.read("POST", path, params=params, json=body)


async def tells_addresses(http: Client) -> bool | None:
    """Whether people come with their addresses; None where no person is listed."""
    try:
        answer = await http.read("GET", "/v1/users", params={"page_size": str(PAGE)})
    except MissingCapability:
        return False
    people = [user.person for user in answer.decode(_Users).results if user.person is not None]
    return any(person.email for person in people) if people else None


_EDITED, _LAST_FIRST = "last_edited_time", "descending"


def _word(option: Option, own: Category, view: View) -> StatusWord:
    mapped = view.categories
    counts_as = mapped.get(option.id) or mapped.get(option.name) or own
    return StatusWord(
        id=option.id, name=option.name, category=own, counts_as=counts_as, where=(view.space,)
    )


def _database(found: _Found) -> str:
    return found.parent.database_id if found.parent else ""
