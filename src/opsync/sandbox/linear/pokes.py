"""What `opsync sandbox move` and `edit` do to a simulated Linear workspace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from opsync.sandbox.linear.objects import Initiative, Issue, Node, Project, WorkflowState
from opsync.sandbox.linear.state import Truth
from opsync.sandbox.vendor import AmbiguousItem

ISSUE_MOVES = {
    "todo": "unstarted",
    "in_progress": "started",
    "done": "completed",
    "canceled": "canceled",
}
"""The words for a move, each with the type of state that it means."""
PROJECT_MOVES = {**ISSUE_MOVES, "todo": "planned"}
INITIATIVE_MOVES = {
    "todo": "Planned",
    "in_progress": "Active",
    "done": "Completed",
    "canceled": "Canceled",
}
LISTED = 4
"""How many candidates an ambiguous name is answered with."""


def title_of(node: Node) -> str:
    """What people call an issue, a project or an initiative."""
    if isinstance(node, Issue):
        return f"{node.identifier} {node.title}"
    if isinstance(node, Project | Initiative):
        return node.name
    return node.id


def find(truth: Truth, item: str) -> Issue | Project | Initiative | None:
    """The issue, project or initiative of that id, identifier, URL, title or piece of a title."""
    wanted = item.strip()
    if (issue := truth.aliases.get(wanted.upper())) is not None:
        return issue
    things: list[Issue | Project | Initiative] = [
        *truth.issues.values(),
        *truth.projects.values(),
        *truth.initiatives.values(),
    ]
    path = wanted.partition("?")[0].rstrip("/")
    if path.startswith(f"{truth.organization.site}/issue/"):
        identifier = path.removeprefix(f"{truth.organization.site}/issue/").partition("/")[0]
        return truth.aliases.get(identifier.upper())
    if path.startswith(truth.organization.site):
        return next(
            (e for e in things if not isinstance(e, Issue) and path.endswith(e.slug_id)), None
        )
    folded = wanted.casefold()
    fits: tuple[Callable[[Issue | Project | Initiative], bool], ...] = (
        lambda each: each.id == wanted,
        lambda each: _name(each).casefold() == folded,
        lambda each: bool(folded) and folded in _name(each).casefold(),
    )
    for fit in fits:
        found = [each for each in things if fit(each)]
        if len(found) == 1:
            return found[0]
        if found:
            some = "; ".join(title_of(each) for each in found[:LISTED])
            more = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
            raise AmbiguousItem(f"{item!r} fits {len(found)} items: {some}{more}")
    return None


def _name(each: Issue | Project | Initiative) -> str:
    return each.title if isinstance(each, Issue) else each.name


def _existing(truth: Truth, item: str) -> Issue | Project | Initiative:
    found = find(truth, item)
    if found is None:
        raise LookupError(f"Linear has no item {item!r}")
    return found


def move(truth: Truth, item: str, to: str) -> str:
    """Give an item another status; `to` is a word of ISSUE_MOVES or the status's own name."""
    found = _existing(truth, item)
    if isinstance(found, Issue):
        before = found.state.name
        truth.set_state(found.id, _state(found, to).name)
        after = found.state.name
    elif isinstance(found, Project):
        before = found.status.name
        kind = PROJECT_MOVES.get(to, to)
        choices = {each.name for each in truth.project_statuses.values()}
        kinds = {each.type for each in truth.project_statuses.values()}
        if kind not in kinds | choices:
            raise ValueError(_no_status(to, found, choices))
        truth.edit_project(found, status=kind)
        after = found.status.name
    else:
        before = found.status
        after = INITIATIVE_MOVES.get(to, to)
        if after not in {*INITIATIVE_MOVES.values(), "Proposed"}:
            raise ValueError(_no_status(to, found, {*INITIATIVE_MOVES.values(), "Proposed"}))
        found.status = after
        truth.touch(found)
    if before == after:
        return f"Linear: {title_of(found)} is {after} already."
    return f"Linear: {title_of(found)} moved from {before} to {after}."


def _no_status(to: str, node: Node, choices: set[str]) -> str:
    return f"{title_of(node)} cannot go to {to!r}; it can go to {', '.join(sorted(choices))}"


def _state(issue: Issue, to: str) -> WorkflowState:
    kind = ISSUE_MOVES.get(to)
    for state in issue.team.states:
        if state.type == kind or state.name.casefold() == to.casefold():
            return state
    raise ValueError(_no_status(to, issue, {each.name for each in issue.team.states}))


def edit(truth: Truth, item: str, field: str, value: object) -> str:
    """Set a field of an issue or a project.

    Issues have title, description, priority, estimate, dueDate; projects name, description,
    targetDate, status. Other names and unfit values are a ValueError.
    """
    found = _existing(truth, item)
    called = title_of(found)
    if isinstance(found, Issue):
        _edit_issue(truth, found, field, value)
    elif isinstance(found, Project):
        _edit_project(truth, found, field, value)
    else:
        raise ValueError(f"{called} is an initiative; only issues and projects are edited here")
    return f"Linear: {field} of {called} is now {_shown(value)}."


def _shown(value: object) -> str:
    return "empty" if value is None or value == "" else f"“{value}”"


def _edit_issue(truth: Truth, issue: Issue, field: str, value: object) -> None:
    if field == "title":
        truth.edit(issue.id, title=_text(field, value))
    elif field == "description":
        truth.edit(issue.id, description=None if value is None else str(value))
    elif field == "priority":
        number = _number(field, value)
        if number not in range(5):
            raise ValueError("priority is 0 (none), 1 (urgent), 2, 3 or 4 (low)")
        truth.edit(issue.id, priority=number)
    elif field == "estimate":
        truth.edit(issue.id, estimate=None if value is None else _number(field, value))
    elif field in ("dueDate", "due"):
        truth.edit(issue.id, due=_date(field, value))
    else:
        raise ValueError(
            f"issues have no {field!r} here; "
            "they have title, description, priority, estimate, dueDate"
        )


def _edit_project(truth: Truth, project: Project, field: str, value: object) -> None:
    if field in ("name", "title"):
        truth.edit_project(project, name=_text(field, value))
    elif field == "description":
        truth.edit_project(project, description="" if value is None else str(value))
    elif field in ("targetDate", "due"):
        truth.edit_project(project, target_date=_date(field, value))
    elif field == "status":
        try:
            truth.edit_project(project, status=str(value))
        except KeyError as error:
            choices = {each.name for each in truth.project_statuses.values()}
            raise ValueError(_no_status(str(value), project, choices)) from error
    else:
        raise ValueError(
            f"projects have no {field!r} here; they have name, description, targetDate, status"
        )


def _text(field: str, value: object) -> str:
    text = "" if value is None else str(value)
    if not text.strip():
        raise ValueError(f"{field} cannot be empty")
    return text


def _number(field: str, value: object) -> float:
    try:
        return float(str(value))
    except ValueError as error:
        raise ValueError(f"{field} is a number, not {value!r}") from error


def _date(field: str, value: object) -> date | None:
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"{field} is a date like 2026-11-30, not {value!r}") from error
