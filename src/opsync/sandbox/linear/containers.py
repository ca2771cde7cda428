"""Teams, labels, initiatives and projects of a simulated Linear workspace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from opsync.sandbox.linear.objects import (
    STATE_DEFAULTS,
    EntityExternalLink,
    Initiative,
    IssueLabel,
    Project,
    ProjectUpdate,
    Team,
    User,
    WorkflowState,
)
from opsync.sandbox.linear.tables import Tables, assign
from opsync.sandbox.vendor import to_millisecond


class Containers(Tables):
    """What issues live in, with its builders and what people do to it."""

    def add_team(self, key: str, name: str, private: bool = False) -> Team:
        """A team with Linear's default workflow states."""
        first, last = self.stamps(None, None)
        team = Team(
            id=self.new_id(),
            created_at=first,
            updated_at=last,
            organization=self.organization,
            key=key,
            name=name,
            private=private,
        )
        self.keep(self.teams, team)
        for position, (state_name, kind) in enumerate(STATE_DEFAULTS):
            self.add_state(key, state_name, kind, position=float(position))
        return team

    def add_state(
        self, team_key: str, name: str, kind: str, *, position: float = 99.0
    ) -> WorkflowState:
        """One more workflow state; `kind` is Linear's type of it."""
        first, last = self.stamps(None, None)
        team = self.team(team_key)
        state = WorkflowState(
            id=self.new_id(),
            created_at=first,
            updated_at=last,
            team=team,
            name=name,
            type=kind,
            position=position,
        )
        team.states.append(state)
        return self.keep(self.states, state)

    def label(self, name: str) -> IssueLabel:
        """The label of that name, made on first use."""
        for each in self.labels.values():
            if each.name == name:
                return each
        first, last = self.stamps(None, None)
        label = IssueLabel(id=self.new_id(), created_at=first, updated_at=last, name=name)
        return self.keep(self.labels, label)

    def add_initiative(
        self,
        name: str,
        *,
        status: str = "Active",
        owner: User | str | None = None,
        target_date: date | None = None,
        links: Sequence[tuple[str, str]] = (),
        description: str | None = None,
        content: str | None = None,
        parent: Initiative | str | None = None,
        lead_team: str | None = None,
        created: datetime | None = None,
        updated: datetime | None = None,
    ) -> Initiative:
        """An initiative; `links` are (label, url), `lead_team` (a key) gives its visibility."""
        first, last = self.stamps(created, updated)
        above = self.initiative(parent) if parent is not None else None
        identifier = self.new_id()
        initiative = Initiative(
            id=identifier,
            created_at=first,
            updated_at=last,
            organization=self.organization,
            name=name,
            slug_id=identifier.replace("-", "")[-12:],
            status=status,
            owner=self.user(owner) if owner is not None else None,
            creator=self.viewer,
            target_date=target_date,
            description=description,
            content=content,
            lead_team=self.team(lead_team) if lead_team is not None else None,
            parent_initiative=above,
        )
        if above is not None:
            above.sub_initiatives.append(initiative)
        self.keep(self.initiatives, initiative)
        for label, url in links:
            self.add_external_link(initiative, label, url, at=first)
        return initiative

    def add_project(
        self,
        name: str,
        *,
        teams: Sequence[str],
        status: str = "started",
        initiatives: Sequence[Initiative | str] = (),
        lead: User | str | None = None,
        target_date: date | None = None,
        description: str = "",
        content: str = "",
        health: str | None = None,
        links: Sequence[tuple[str, str]] = (),
        created: datetime | None = None,
        updated: datetime | None = None,
    ) -> Project:
        """A project of those teams (keys); `status` is a type, `links` are (label, url)."""
        first, last = self.stamps(created, updated)
        identifier = self.new_id()
        kind = self.project_status(status)
        project = Project(
            id=identifier,
            created_at=first,
            updated_at=last,
            organization=self.organization,
            name=name,
            slug_id=identifier.replace("-", "")[-12:],
            status=kind,
            teams=[self.team(key) for key in teams],
            initiatives=[self.initiative(each) for each in initiatives],
            lead=self.user(lead) if lead is not None else None,
            creator=self.viewer,
            target_date=target_date,
            description=description,
            content=content or None,
            health=health,
            health_updated_at=last if health else None,
        )
        self.keep(self.projects, project)
        for each in project.initiatives:
            each.projects.append(project)
        self._date_project(project, last)
        for label, url in links:
            self.add_external_link(project, label, url, at=first)
        return project

    def _date_project(self, project: Project, at: datetime) -> None:
        kind = project.status.type
        if kind == "started":
            project.started_at = project.started_at or at
        project.completed_at = (project.completed_at or at) if kind == "completed" else None
        project.canceled_at = (project.canceled_at or at) if kind == "canceled" else None

    def edit_project(
        self, project: Project | str, *, at: datetime | None = None, **fields: object
    ) -> Project:
        """Change fields of a project, by the names that `add_project` has, `status` included."""
        found = self.project(project)
        values = dict(fields)
        if "status" in values:
            values["status"] = self.project_status(str(values["status"]))
        if isinstance(lead := values.get("lead"), str):
            values["lead"] = self.user(lead)
        assign(
            found,
            values,
            {"name", "status", "lead", "target_date", "description", "content", "health"},
        )
        stamp = self.touch(found, at)
        if "status" in values:
            self._date_project(found, stamp)
        if "health" in values:
            found.health_updated_at = stamp
        return found

    def add_external_link(
        self,
        owner: Project | Initiative,
        label: str,
        url: str,
        *,
        sort_order: float = 0.0,
        link_id: str | None = None,
        at: datetime | None = None,
    ) -> EntityExternalLink:
        """A link on a project or an initiative; the owner's `updated_at` stays."""
        stamp = to_millisecond(at or self.now())
        link = EntityExternalLink(
            id=link_id or self.new_id(),
            created_at=stamp,
            updated_at=stamp,
            label=label,
            url=url,
            sort_order=sort_order,
            creator=self.viewer,
            project=owner if isinstance(owner, Project) else None,
            initiative=owner if isinstance(owner, Initiative) else None,
        )
        (owner.external_links if isinstance(owner, Project) else owner.links).append(link)
        return self.keep(self.external_links, link)

    def remove_external_link(self, link: EntityExternalLink) -> None:
        """Delete a link of a project or an initiative."""
        if link.project is not None:
            link.project.external_links.remove(link)
        if link.initiative is not None:
            link.initiative.links.remove(link)
        self.bury(self.external_links, link)

    def add_project_update(
        self,
        project: Project,
        *,
        body: str,
        health: str | None = None,
        hide_diff: bool = False,
        update_id: str | None = None,
    ) -> ProjectUpdate:
        """A status report; the project takes over its health."""
        stamp = self.touch(project)
        update = ProjectUpdate(
            id=update_id or self.new_id(),
            created_at=stamp,
            updated_at=stamp,
            project=project,
            user=self.viewer,
            body=body,
            health=health or project.health or "onTrack",
            is_diff_hidden=hide_diff,
        )
        project.project_updates.append(update)
        project.health, project.health_updated_at = update.health, stamp
        return self.keep(self.project_updates, update)
