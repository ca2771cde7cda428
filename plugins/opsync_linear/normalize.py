"""Linear's objects as records. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from opsync import (
    OUT_OF_SCOPE,
    Category,
    Kind,
    Part,
    Person,
    Record,
    RecordError,
    Ref,
    Seen,
    Status,
    Text,
)
from opsync_linear.hints import hints
from opsync_linear.marks import own_surface
from opsync_linear.scope import Outside
from opsync_linear.settings import LinearSettings
from opsync_linear.values import seen_attachment, seen_external_link
from opsync_linear.wire import Initiative, Inverse, Issue, Project, State, User

SYNCED = "synced with"
"""The field of what Linear's own sync keeps alike, where no attachment leads to it."""

STREAMS = ("issue", "project", "initiative")

ISSUE_TYPES = {
    "triage": Category.backlog,
    "backlog": Category.backlog,
    "unstarted": Category.todo,
    "started": Category.in_progress,
    "completed": Category.done,
    "canceled": Category.canceled,
    "duplicate": Category.canceled,
}
"""WorkflowState.type, a plain string in the schema: what is new there is `unknown`."""

PROJECT_TYPES = {
    "backlog": Category.backlog,
    "planned": Category.todo,
    "started": Category.in_progress,
    "paused": Category.in_progress,
    "completed": Category.done,
    "canceled": Category.canceled,
}
INITIATIVE_STATUSES = {
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
    if isinstance(raw, Outside):
        yield _outside(instance, stream, raw)
    elif isinstance(raw, Issue):
        yield _issue(instance, settings, raw)
    elif isinstance(raw, Project):
        yield _project(instance, settings, raw)
    elif isinstance(raw, Initiative):
        yield _initiative(instance, settings, raw)
    else:
        raise RecordError(f"Linear: {stream!r} holds something that is no {stream}.")


def _outside(instance: str, stream: str, raw: Outside) -> Record:
    """That something is not in scope any more."""
    return Record(
        ref=Ref(instance, stream, raw.id),
        kind=Kind.issue if stream == "issue" else Kind(stream),
        title="",
        key=raw.key,
        # Its team's block may make it private by these.
        space=raw.team.name if raw.team else "",
        space_key=raw.team.key if raw.team else "",
        private=raw.team is not None and raw.team.private,
        tombstone=OUT_OF_SCOPE,
        aliases=(raw.key,) if raw.key else (),
    )


def _issue(instance: str, settings: LinearSettings, raw: Issue) -> Record:
    parents = []
    if raw.parent is not None:
        parents.append(Ref(instance, "issue", raw.parent.id))
    if raw.project is not None:
        # Also beside a parent: that one may be in another project, or not readable at all.
        parents.append(Ref(instance, "project", raw.project.id))
    seen = tuple(seen_attachment(each) for each in raw.attachments.nodes)
    blocked = any(_blocks(each) for each in raw.inverse_relations.nodes)
    return Record(
        ref=Ref(instance, "issue", raw.id),
        kind=Kind.issue,
        key=raw.identifier,
        title=raw.title,
        url=_untitled(raw.url, raw.identifier) if raw.team.private else raw.url,
        status=_status(settings, raw.state, ISSUE_TYPES),
        parents=tuple(parents),
        owner=_person(raw.assignee),
        priority=_PRIORITIES.get(int(raw.priority), ""),
        estimate=raw.estimate,
        estimate_unit="points" if raw.estimate is not None else "",
        estimates={"points": raw.estimate} if raw.estimate is not None else {},
        labels=tuple(label.name for label in raw.labels.nodes),
        created_at=raw.created_at,
        started_at=raw.started_at,
        completed_at=raw.completed_at,
        updated_at=raw.updated_at,
        due_on=raw.due_date,
        space=raw.team.name,
        space_key=raw.team.key,
        blocked=blocked,
        hindrances=("link",) if blocked else (),
        subtask=raw.parent is not None,
        private=raw.team.private,
        archived=raw.archived_at is not None,
        tombstone="trashed" if raw.trashed else "",
        aliases=(raw.identifier, *raw.previous_identifiers),
        texts=(
            *_prose(title=raw.title, description=raw.description),
            *_attached(raw, seen),
            *_hints(raw, seen),
        ),
        seen=seen,
        seen_complete=not raw.attachments.page_info.has_next_page,
    )


def _project(instance: str, settings: LinearSettings, raw: Project) -> Record:
    teams = raw.teams.nodes
    private = bool(teams) and all(team.private for team in teams)
    return Record(
        ref=Ref(instance, "project", raw.id),
        kind=Kind.project,
        title=raw.name,
        url=_untitled(raw.url, raw.slug_id) if private else raw.url,
        status=_status(settings, raw.status, PROJECT_TYPES),
        paused=raw.status.type == "paused",
        parents=tuple(Ref(instance, "initiative", i.id) for i in raw.initiatives.nodes),
        owner=_person(raw.lead),
        created_at=raw.created_at,
        started_at=raw.started_at,
        completed_at=raw.completed_at,
        updated_at=raw.updated_at,
        due_on=raw.target_date,
        space=teams[0].name if teams else "",
        space_key=teams[0].key if teams else "",
        private=private,
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
    private = raw.visibility != "public"
    return Record(
        ref=Ref(instance, "initiative", raw.id),
        kind=Kind.initiative,
        title=raw.name,
        url=_untitled(raw.url, raw.slug_id) if private else raw.url,
        status=_status(settings, state, INITIATIVE_STATUSES),
        parents=(Ref(instance, "initiative", parent.id),) if parent else (),
        owner=_person(raw.owner),
        created_at=raw.created_at,
        started_at=raw.started_at,
        completed_at=raw.completed_at,
        updated_at=raw.updated_at,
        due_on=raw.target_date,
        private=private,
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


def _untitled(url: str, id_: str) -> str:
    """A private object's address without its title, which Linear puts into the last part; the id
    alone leads there too."""
    head, found, _ = url.partition(f"/{id_}/")
    if found:
        return f"{head}/{id_}"
    head, slash, last = url.rpartition("/")
    return f"{head}/{id_}" if slash and last.endswith(f"-{id_}") else url


def _person(user: User | None) -> Person | None:
    if user is None:
        return None
    return Person(user.id, user.display_name, user.email or "", active=user.active)


def _blocks(each: Inverse) -> bool:
    """Whether an issue is blocked by what this relation begins at."""
    return each.type == "blocks" and not is_closed(each.issue.state.type) and not each.issue.trashed


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


def _attached(raw: Issue, seen: Sequence[Seen]) -> Iterator[Text]:
    """The addresses on an issue: places for links, and what Linear's own sync keeps alike."""
    synced = _jira_keys(raw)
    leading: set[str] = set()
    for one in seen:
        if not one.ours:
            key = _last_part(one.address)
            leading.add(key)
            part: Part = "mirror" if key in synced else "place"
            yield Text("attachment", one.address, remote_id=one.remote_id, part=part)
    yield from (Text(SYNCED, key, part="mirror") for key in synced if key not in leading)


def _jira_keys(raw: Issue | Project) -> list[str]:
    """The Jira issues with which Linear keeps it in sync."""
    found = raw.synced_with or ()
    keys = (each.metadata.issue_key for each in found if each.service == "jira" and each.metadata)
    return [key.upper() for key in keys if key]


def _last_part(url: str) -> str:
    return url.partition("?")[0].rstrip("/").rpartition("/")[2].upper()


def _texts(raw: Project | Initiative) -> Iterator[Text]:
    """The words of a project or an initiative, and the links that people put on it: a property."""
    yield from _prose(title=raw.name, description=raw.description, content=raw.content)
    links = raw.external_links if isinstance(raw, Project) else raw.links
    for link in links.nodes:
        if not own_surface(link.id):
            yield Text("links", link.url, property=True, remote_id=link.id)
    if isinstance(raw, Project):
        yield from (Text(SYNCED, key, part="mirror") for key in _jira_keys(raw))
