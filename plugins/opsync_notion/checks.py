"""Examines a Notion connection: token, data sources, and the columns that opsync will use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from opsync import Category, Check, OpsyncError, OwnWords, RefusedError, SignInError, sounds_like
from opsync_notion import surfaces
from opsync_notion.dialect import UPDATE_HINT, USERS_HINT
from opsync_notion.explore import tells_addresses
from opsync_notion.schema import View
from opsync_notion.settings import DataSource
from opsync_notion.tables import Tables, configured_name
from opsync_notion.whose import how_to_decide
from opsync_notion.wire import DataSourceObject, Me


async def examine(tables: Tables) -> AsyncIterator[Check]:
    """One finding after the other. What the token cannot do ends it."""
    settings = tables.settings
    try:
        me = (await tables.http.read("GET", "/v1/users/me")).decode(Me)
    except OpsyncError as error:
        yield Check.failed("Sign-in", error)
        return
    workspace = (me.bot.workspace_name if me.bot else None) or "an unnamed workspace"
    yield Check("Sign-in", "ok", f'Signed in as "{me.name or me.id}" in {workspace}.')
    yield Check("Version", "ok", f"Speaks {settings.version}.")
    yield await _people(tables)
    for number, block in enumerate(settings.data_sources):
        async for check in _data_source(tables, block, f"data_sources.{number}"):
            yield check
    if any(block.write for block in settings.data_sources):
        yield Check(
            "Permissions",
            "warn",
            "May read. Whether it may write shows with the first write only.",
            UPDATE_HINT,
            unproved=True,
        )


async def _people(tables: Tables) -> Check:
    """Whether owners can be told apart, and found in other tools."""
    try:
        told = await tells_addresses(tables.http)
    except OpsyncError as error:
        return Check("People", "warn", f"Could not be examined: {error.message}", error.hint)
    if told is False:
        why = "Owners come without their addresses: who is who in other tools is not known."
        return Check("People", "warn", why, USERS_HINT)
    return Check("People", "ok", "Owners come with their addresses." if told else "None yet.")


async def _data_source(tables: Tables, block: DataSource, at: str) -> AsyncIterator[Check]:
    title = block.name or block.id
    try:
        ids = await tables.resolve(block, again=True)
        for data_source in ids:
            source, view = await tables.look(data_source, rejudge=True)
            found = f"{len(view.table.columns)} columns, one {view.kind} a page."
            yield Check(view.space or title, "ok", found)
            if view.lacking:
                message = f"There is no column {', '.join(view.lacking)}; nothing is read."
                hint = "Name existing columns, exactly as written."
                yield Check(f"{view.space}: scope", "fail", message, hint)
            unsure = tables.memory.unsure(data_source)
            own = _own(view, block, at, unsure, tables.words)
            for check in (*_roles(view, block), *_statuses(view, source), *own):
                yield check
    except (RefusedError, SignInError) as error:
        yield Check.failed(title, error)
    except OpsyncError as error:
        yield Check(title, "warn", error.message, error.hint)


def _roles(view: View, block: DataSource) -> list[Check]:
    """Which columns are read as status, due date, owner and links."""
    checks = []
    for part, column_id, wanted in (
        ("status", view.status, block.status),
        ("due", view.due, block.due),
        ("owner", view.owner, block.owner),
    ):
        column = view.table.by_id(column_id) if column_id else None
        title = f"{view.space}: {part}"
        if column is not None:
            checks.append(Check(title, "ok", f'Read from "{column.name}".'))
        elif wanted:
            message = f'There is no column "{wanted}" that can hold it.'
            checks.append(Check(title, "fail", message, f"Name an existing column in `{part}`."))
        else:
            hint = f"Name a column in `{part}` if one holds it."
            checks.append(Check(title, "warn", "No column for it was found.", hint))
    names = {column.name: column.id for column in view.table.columns}
    title = f"{view.space}: links"
    for wanted in block.links:
        if wanted not in names:
            hint = "Name existing columns in `links`."
            checks.append(Check(title, "fail", f'There is no column "{wanted}".', hint))
    used = ", ".join(f'"{n}"' for n, column_id in names.items() if column_id in view.links)
    if used:
        checks.append(Check(title, "ok", f"Read from {used}."))
    else:
        hint = 'Add a text column "Tracked in" for the links to the work.'
        checks.append(Check(title, "warn", "No column holds links.", hint))
    return checks


def _statuses(view: View, source: DataSourceObject) -> list[Check]:
    """Options that count as done and look canceled, and options that count as nothing."""
    column = view.table.by_id(view.status) if view.status else None
    prop = source.properties.get(column.name) if column else None
    if column is None or prop is None:
        return []
    title = f"{view.space}: {column.name}"
    choices = prop.status or prop.select
    options = choices.options if choices else []
    checks = []
    open_ = [o for o in options if not {o.id, o.name} & view.categories.keys()]
    for option in open_:
        counted = column.categories.get(option.id)
        if counted is Category.done and sounds_like(option.name) is Category.canceled:
            hint = f'If it is not done work, set statuses = {{ "{option.name}" = "canceled" }}.'
            message = f'"{option.name}" counts as done.'
            checks.append(Check(title, "warn", message, hint, setting="statuses"))
    unknown = [f'"{option.name}"' for option in open_ if option.id not in column.categories]
    if unknown:
        message = f"{', '.join(unknown)}: a select does not tell how far that is."
        checks.append(Check(title, "warn", message, "Map its options in `statuses`."))
    return checks


def _own(
    view: View, block: DataSource, at: str, unsure: Mapping[str, str], words: OwnWords
) -> list[Check]:
    """opsync's own columns: there, still to be made, removed, or in somebody's way.

    `at` is where the data source's block is in the settings, `unsure` what may be somebody's.
    """
    if not block.write or not view.kind.contains:
        return [Check(f"{view.space}: own columns", "ok", "None: nothing is written here.")]
    checks = []
    by_id = {column.id: column.name for column in view.table.columns}
    taken = {column.name.casefold() for column in view.table.columns}
    for key in surfaces.TYPES:
        name = configured_name(block, key)
        title = f"{view.space}: {name}"
        if key in view.own:
            checks.append(Check(title, "ok", f'Found as "{by_id[view.own[key]]}".'))
        elif key in unsure:
            hint = how_to_decide(key, words)
            message = (
                f"The column \"{by_id[unsure[key]]}\" may be opsync's or people's, and is neither "
                "read nor written."
            )
            checks.append(Check(title, "warn", message, hint, setting=f"{at}.columns.{key}"))
        elif name.casefold() in taken and key in surfaces.AT_FIRST:
            message = f'A person has a column "{name}"; opsync\'s will be "{name} (opsync)".'
            hint = f"Or set columns.{key} to another name."
            checks.append(Check(title, "warn", message, hint, setting=f"{at}.columns.{key}"))
        elif name.casefold() in taken:
            # Most companies measure nothing, and have nothing to mend.
            message = (
                f'A person has a column "{name}"; opsync\'s will be "{name} (opsync)", or what '
                f"columns.{key} says, if use is measured."
            )
            checks.append(Check(title, "ok", message))
        else:
            when = "first write" if key in surfaces.AT_FIRST else "first use that is measured"
            checks.append(Check(title, "ok", f"Not there; made with the {when}."))
    return checks
