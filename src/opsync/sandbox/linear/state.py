"""The ground truth of a simulated Linear workspace, and how people change it.

The builders (`add_*`) make the world; the other methods do what a person does in Linear's own
window, and move `updated_at` as Linear does. `at` dates an event in the past; without it the
event happens now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Literal

from opsync.sandbox.linear.containers import Containers
from opsync.sandbox.linear.objects import (
    Attachment,
    ExternalEntityInfo,
    Issue,
    IssueRelation,
    JiraMetadata,
    Project,
    User,
)
from opsync.sandbox.linear.tables import assign
from opsync.sandbox.vendor import to_millisecond


class Truth(Containers):
    """The whole workspace: its containers and the issues in them."""

    def add_issue(
        self,
        team_key: str,
        title: str,
        *,
        state: str = "Todo",
        project: Project | str | None = None,
        parent: Issue | str | None = None,
        assignee: User | str | None = None,
        description: str | None = None,
        priority: float = 0,
        estimate: float | None = None,
        labels: Iterable[str] = (),
        due: date | None = None,
        created: datetime | None = None,
        updated: datetime | None = None,
        started: datetime | None = None,
        completed: datetime | None = None,
        canceled: datetime | None = None,
        attachments: Sequence[tuple[str, str]] = (),
        identifier: str | None = None,
    ) -> Issue:
        """An issue of a team; `state` is a state's name, `attachments` are (title, url).

        Without `identifier` the team's next number is taken. Times of the state that are not
        given follow from `created` and `updated`.
        """
        team = self.team(team_key)
        number = int(identifier.rpartition("-")[2]) if identifier else team.last_number + 1
        team.last_number = max(team.last_number, number)
        first, last = self.stamps(created, updated)
        issue = Issue(
            id=self.new_id(),
            created_at=first,
            updated_at=last,
            team=team,
            number=number,
            title=title,
            state=team.state(state),
            project=self.project(project) if project is not None else None,
            parent=self.issue(parent) if parent is not None else None,
            assignee=self.user(assignee) if assignee is not None else None,
            creator=self.viewer,
            description=description,
            priority=priority,
            estimate=estimate,
            due_date=due,
            labels=[self.label(name) for name in labels],
            started_at=to_millisecond(started) if started else None,
            completed_at=to_millisecond(completed) if completed else None,
            canceled_at=to_millisecond(canceled) if canceled else None,
        )
        if issue.identifier in self.aliases:
            raise ValueError(f"{issue.identifier} is taken")
        self._date_issue(issue, last)
        if issue.project is not None:
            issue.project.issues.append(issue)
        if issue.parent is not None:
            issue.parent.children.append(issue)
        self.keep(self.issues, issue)
        self.aliases[issue.identifier] = issue
        for label, url in attachments:
            self.attach(issue, label, url, at=first)
        return issue

    def _date_issue(self, issue: Issue, at: datetime) -> None:
        kind = issue.state.type
        if kind in ("started", "completed"):
            issue.started_at = issue.started_at or (at if kind == "started" else issue.created_at)
        issue.completed_at = (issue.completed_at or at) if kind == "completed" else None
        dropped = kind in ("canceled", "duplicate")
        issue.canceled_at = (issue.canceled_at or at) if dropped else None

    def set_state(self, identifier: str, state_name: str, *, at: datetime | None = None) -> Issue:
        """Move an issue to the state of that name in its team."""
        issue = self.issue(identifier)
        issue.state = issue.team.state(state_name)
        self._date_issue(issue, self.touch(issue, at))
        return issue

    def move_issue(self, identifier: str, team_key: str, *, at: datetime | None = None) -> Issue:
        """Move an issue to another team: its identifier changes, the old one still finds it."""
        issue = self.issue(identifier)
        team = self.team(team_key)
        issue.previous_identifiers.append(issue.identifier)
        team.last_number += 1
        same = [each for each in team.states if each.name == issue.state.name]
        alike = [each for each in team.states if each.type == issue.state.type]
        issue.team, issue.number, issue.state = team, team.last_number, (same or alike)[0]
        self.aliases[issue.identifier] = issue
        self.touch(issue, at)
        return issue

    def archive_issue(self, identifier: str, *, at: datetime | None = None) -> Issue:
        """Archive an issue, as Linear does by itself with old finished work."""
        issue = self.issue(identifier)
        issue.archived_at = self.touch(issue, at)
        return issue

    def trash_issue(self, identifier: str, *, at: datetime | None = None) -> Issue:
        """Delete an issue as people do: it lies in the trash, archived."""
        issue = self.archive_issue(identifier, at=at)
        issue.trashed = True
        self.told("remove", issue)
        return issue

    def delete_issue(self, identifier: str) -> None:
        """Remove an issue for good, as Linear does with the trash after some time."""
        issue = self.issue(identifier)
        for attachment in list(issue.attachments):
            self.detach(attachment)
        for relation in [*issue.relations, *issue.inverse_relations]:
            relation.issue.relations.remove(relation)
            relation.related_issue.inverse_relations.remove(relation)
            del self.nodes[relation.id]
        for child in issue.children:
            child.parent = None
        if issue.parent is not None:
            issue.parent.children.remove(issue)
        if issue.project is not None:
            issue.project.issues.remove(issue)
        for name in (issue.identifier, *issue.previous_identifiers):
            del self.aliases[name]
        self.bury(self.issues, issue)

    def edit(self, identifier: str, *, at: datetime | None = None, **fields: object) -> Issue:
        """Change fields of an issue, by the names that `add_issue` has."""
        issue = self.issue(identifier)
        values = dict(fields)
        if "due" in values:
            values["due_date"] = values.pop("due")
        if isinstance(assignee := values.get("assignee"), str):
            values["assignee"] = self.user(assignee)
        if "labels" in values:
            names = values["labels"]
            if not isinstance(names, list | tuple):
                raise TypeError("labels are a list of names")
            values["labels"] = [self.label(str(name)) for name in names]
        for name, table, group in (
            ("project", self.projects, "issues"),
            ("parent", self.issues, "children"),
        ):
            if name not in values:
                continue
            new = values[name]
            if isinstance(new, str):
                new = self.project(new) if table is self.projects else self.issue(new)
            if (old := getattr(issue, name)) is not None:
                getattr(old, group).remove(issue)
            if new is not None:
                getattr(new, group).append(issue)
            values[name] = new
        assign(
            issue,
            values,
            {
                "title",
                "description",
                "priority",
                "estimate",
                "due_date",
                "assignee",
                "labels",
                "project",
                "parent",
            },
        )
        self.touch(issue, at)
        return issue

    def relate(
        self,
        blocker: Issue | str,
        blocked: Issue | str,
        kind: Literal["blocks", "duplicate", "related", "similar"] = "blocks",
        *,
        at: datetime | None = None,
    ) -> IssueRelation:
        """Say that one issue blocks the other; both count as updated."""
        issue, other = self.issue(blocker), self.issue(blocked)
        stamp = max(self.touch(issue, at), self.touch(other, at))
        relation = IssueRelation(
            id=self.new_id(),
            created_at=stamp,
            updated_at=stamp,
            issue=issue,
            related_issue=other,
            type=kind,
        )
        issue.relations.append(relation)
        other.inverse_relations.append(relation)
        self.nodes[relation.id] = relation
        return relation

    def attach(
        self,
        issue: Issue,
        title: str,
        url: str,
        *,
        subtitle: str | None = None,
        metadata: Mapping[str, object] | None = None,
        attachment_id: str | None = None,
        by_api: bool = False,
        at: datetime | None = None,
    ) -> Attachment:
        """A link on an issue, as a person pastes it or (`by_api`) as an integration makes it."""
        stamp = to_millisecond(at or self.now())
        attachment = Attachment(
            id=attachment_id or self.new_id(),
            created_at=stamp,
            updated_at=stamp,
            issue=issue,
            title=title,
            url=url,
            subtitle=subtitle,
            metadata=dict(metadata or {}),
            source_type="api" if by_api else None,
            source={"type": "api"} if by_api else None,
            creator=self.viewer,
        )
        issue.attachments.append(attachment)
        if self.attachments_bump_issue:
            self.touch(issue)
        return self.keep(self.attachments, attachment)

    def sync_with_jira(self, node: Issue | Project, key: str, url: str, issue_id: str) -> None:
        """What Linear's own Jira sync leaves on what it keeps in sync: the Jira issue's key and
        id, and on an issue an attachment that leads to it."""
        node.synced_with.append(ExternalEntityInfo(issue_id, JiraMetadata(key)))
        if isinstance(node, Issue):
            attachment = self.attach(node, key, url)
            attachment.source, attachment.source_type = {"type": "jira"}, "jira"
        self.touch(node)

    def detach(self, attachment: Attachment) -> None:
        """Delete a link of an issue."""
        attachment.issue.attachments.remove(attachment)
        self.bury(self.attachments, attachment)
