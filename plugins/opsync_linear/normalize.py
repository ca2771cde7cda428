"""Linear's objects as records. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from opsync import Category, Kind, Person, Record, RecordError, Ref, Seen, Status, Text
from opsync_linear.hints import hints
from opsync_linear.marks import own_surface
from opsync_linear.settings import LinearSettings
from opsync_linear.values import seen_attachment, seen_external_link
from opsync_linear.wire import Initiative, Issue, Project, State, User

STREAMS = ("issue", "project", "initiative")

_ISSUE_TYPES = {
    "triage": Category.backlog,
    "backlog": Category.backlog,
    "unstarted": Category.todo,
    "started": Category.in_progress,
    "completed": Category.done,
    "canceled": Category.canceled,
    "duplicate": Category.canceled,
}
"""WorkflowState.type, a plain string in the schema: what is new there is `unknown`."""

_PROJECT_TYPES = {
    "backlog": Category.backlog,
    "planned": Category.todo,
    "started": Category.in_progress,
    "paused": Category.in_progress,
    "completed": Category.done,
    "canceled": Category.canceled,
}
_INITIATIVE_STATUSES = {
    "Proposed": Category.todo,
    "Planned": Category.todo,
    "Active": Category.in_progress,
    "Completed": Category.done,
    "Canceled": Category.canceled,
}
_CLOSED = frozenset({"completed", "canceled", "duplicate"})
_PRIORITIES = {1: "Urgent", 2: "High", 3: "Medium", 4: "Low"}
_KEY = re.compile(r"[A-Z][A-Z0-9_]+-[0-9]")


def is_closed(state_type: str) -> bool:
    """Whether an issue in a state of this type no longer blocks others."""
    return state_type in _CLOSED


def normalize(
    instance: str, settings: LinearSettings, stream: str, raw: object
) -> Iterator[Record]:
    """The one record of a raw object."""
    if isinstance(raw, Issue):
        yield _issue(instance, settings, raw)
    elif isinstance(raw, Project):
        yield _project(instance, settings, raw)
    elif isinstance(raw, Initiative):
        yield _initiative(instance, settings, raw)
    else:
        raise RecordError(f"Linear: {stream!r} holds something that is no {stream}.")


def _issue(instance: str, settings: LinearSettings, raw: Issue) -> Record:
    parents = []
    if raw.parent is not None:
        parents.append(Ref(instance, "issue", raw.parent.id))
    if raw.project is not None:
        # Also beside a parent: that one may be in another project, or not readable at all.
        parents.append(Ref(instance, "project", raw.project.id))
    seen = tuple(seen_attachment(each) for each in raw.attachments.nodes)
    return Record(
        ref=Ref(instance, "issue", raw.id),
        kind=Kind.issue,
        key=raw.identifier,
        title=raw.title,
        url=raw.url,
        status=_status(settings, raw.state, _ISSUE_TYPES),
        parents=tuple(parents),
        owner=_person(raw.assignee),
        priority=_PRIORITIES.get(int(raw.priority), ""),
        estimate=raw.estimate,
        labels=tuple(label.name for label in raw.labels.nodes),
        created_at=raw.created_at,
        started_at=raw.started_at,
        completed_at=raw.completed_at,
        updated_at=raw.updated_at,
        due_on=raw.due_date,
        space=raw.team.name,
        blocked=any(
            each.type == "blocks"
            and not is_closed(each.issue.state.type)
            and not each.issue.trashed
            for each in raw.inverse_relations.nodes
        ),
        private=raw.team.private,
        archived=raw.archived_at is not None,
        tombstone="trashed" if raw.trashed else "",
        aliases=(raw.identifier, *raw.previous_identifiers),
        texts=(
            *_prose(title=raw.title, description=raw.description),
            *(Text("attachment", s.address, remote_id=s.remote_id) for s in seen if not s.ours),
            *_hints(raw, seen),
        ),
        seen=seen,
        seen_complete=not raw.attachments.page_info.has_next_page,
    )


def _project(instance: str, settings: LinearSettings, raw: Project) -> Record:
    teams = raw.teams.nodes
    return Record(
        ref=Ref(instance, "project", raw.id),
        kind=Kind.project,
        title=raw.name,
        url=raw.url,
        status=_status(settings, raw.status, _PROJECT_TYPES),
        paused=raw.status.type == "paused",
        parents=tuple(Ref(instance, "initiative", i.id) for i in raw.initiatives.nodes),
        owner=_person(raw.lead),
        created_at=raw.created_at,
        started_at=raw.started_at,
        completed_at=raw.completed_at,
        updated_at=raw.updated_at,
        due_on=raw.target_date,
        space=teams[0].name if teams else "",
        private=bool(teams) and all(team.private for team in teams),
        archived=raw.archived_at is not None,
        tombstone="trashed" if raw.trashed else "",
        aliases=(raw.slug_id,),
        texts=tuple(_texts(raw)),
        seen=tuple(seen_external_link(each) for each in raw.external_links.nodes),
        seen_complete=not raw.external_links.page_info.has_next_page,
    )


def _initiative(instance: str, settings: LinearSettings, raw: Initiative) -> Record:
    parent = raw.parent_initiative
    state = State(raw.status, raw.status, raw.status)
    return Record(
        ref=Ref(instance, "initiative", raw.id),
        kind=Kind.initiative,
        title=raw.name,
        url=raw.url,
        status=_status(settings, state, _INITIATIVE_STATUSES),
        parents=(Ref(instance, "initiative", parent.id),) if parent else (),
        owner=_person(raw.owner),
        created_at=raw.created_at,
        started_at=raw.started_at,
        completed_at=raw.completed_at,
        updated_at=raw.updated_at,
        due_on=raw.target_date,
        private=raw.visibility != "public",
        archived=raw.archived_at is not None,
        tombstone="trashed" if raw.trashed else "",
        aliases=(raw.slug_id,),
        texts=tuple(_texts(raw)),
        seen=tuple(seen_external_link(each) for each in raw.links.nodes),
        seen_complete=not raw.links.page_info.has_next_page,
    )


def _status(settings: LinearSettings, state: State, types: Mapping[str, Category]) -> Status:
    refined = settings.statuses.get(state.id) or settings.statuses.get(state.name)
    return Status(state.id, state.name, refined or types.get(state.type, Category.unknown))


def _person(user: User | None) -> Person | None:
    return None if user is None else Person(user.id, user.display_name, user.email or "")


def _hints(raw: Issue, seen: tuple[Seen, ...]) -> Iterator[Text]:
    """What the names of branches and pull requests on an issue may mean."""
    for each, place in zip(raw.attachments.nodes, seen, strict=True):
        if not place.ours:
            yield from hints(each)


def _prose(**fields: str | None) -> Iterator[Text]:
    """Titles and bodies, where they may name somebody."""
    for name, text in fields.items():
        if text and ("://" in text or _KEY.search(text)):
            yield Text(name, text)


def _texts(raw: Project | Initiative) -> Iterator[Text]:
    """The words of a project or an initiative, and the links that people put on it: a property."""
    yield from _prose(title=raw.name, description=raw.description, content=raw.content)
    links = raw.external_links if isinstance(raw, Project) else raw.links
    for link in links.nodes:
        if not own_surface(link.id):
            yield Text("links", link.url, property=True, remote_id=link.id)
