"""Which pages of a data source are read, and which of them are private.

A full read asks Notion for the pages in scope. A walk over changes asks for all, or it would never
hear of a page that left it: such a one is said to be out of scope.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from opsync import RefusedError
from opsync_notion.ids import dashed
from opsync_notion.schema import View
from opsync_notion.wire import Cell, DataSourceObject, Page, Property


class Outside(Struct, frozen=True):
    """A page that changed and is not in scope, whether it ever was or not."""

    id: str
    view: View
    private: bool = False


def check(view: View) -> None:
    """Raise RefusedError where a column that the scope or privacy goes by is not there: pages that
    nobody may see would else be read, or named elsewhere."""
    if not view.lacking:
        return
    names = ", ".join(f'"{column.name}"' for column in view.table.columns)
    raise RefusedError(
        f"{view.space}: there is no column {', '.join(view.lacking)} of a type that fits; nothing "
        "is read from it.",
        hint=f"`where` takes select, status, multi-select and checkbox columns, `private_column` a "
        f"checkbox. The columns there are: {names}.",
    )


def conditions(view: View, source: DataSourceObject) -> tuple[Mapping[str, object], ...]:
    """The scope as filters of a query, which must all hold.

    Notion refuses an option that does not exist, and options of the future may be configured
    already. RefusedError where none of a column's values exists.
    """
    return tuple(
        _condition(view, name, prop, view.where[prop.id])
        for name, prop in source.properties.items()
        if prop.id in view.where
    )


def _condition(
    view: View, name: str, prop: Property, values: frozenset[str]
) -> Mapping[str, object]:
    if prop.type == "checkbox":
        known = sorted(values & {"true", "false"})
        wanted: list[object] = [value == "true" for value in known]
    else:
        choices = prop.status or prop.select or prop.multi_select
        options = [option.name for option in choices.options] if choices else []
        wanted = [option for option in options if option in values]
        known = options
    if not wanted:
        raise RefusedError(
            f'{view.space}: "{name}" has none of the values that `where` names: '
            f"{', '.join(sorted(values))}.",
            hint=f"They count exactly as written. There are: {', '.join(known) or 'true, false'}.",
        )
    operator = "contains" if prop.type == "multi_select" else "equals"
    parts = [{"property": name, prop.type: {operator: value}} for value in wanted]
    return parts[0] if len(parts) == 1 else {"or": parts}


def has(view: View, page: Page) -> bool:
    """Whether a page is in scope."""
    if not view.where:
        return True
    by_id = _by_id(page)
    return all(
        column in by_id and not values.isdisjoint(_values(by_id[column]))
        for column, values in view.where.items()
    )


def is_private(view: View, page: Page) -> bool:
    """Whether a page is private. One that does not show the column that says so is."""
    if view.private or not view.private_column:
        return view.private
    cell = _by_id(page).get(view.private_column)
    return cell is None or cell.checkbox is not False


def outside(view: View, page: Page) -> Outside:
    """That a page is not in scope: its id, and nothing of what it says."""
    return Outside(dashed(page.id), view, is_private(view, page))


def _by_id(page: Page) -> dict[str, Cell]:
    return {cell.id: cell for cell in (page.properties or {}).values()}


def _values(cell: Cell) -> set[str]:
    if cell.type == "checkbox":
        return {"true" if cell.checkbox else "false"}
    one = cell.status or cell.select
    return {option.name for option in (*(cell.multi_select or ()), *((one,) if one else ()))}
